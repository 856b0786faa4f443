"""The game from which the messages are cut: what stays, what goes, and that babbling is an equilibrium of the game with them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import game_file, problem

from dcgc.learning import Settings, train
from dcgc.learning.silence_engine import SilenceEngine, deaf, mute
from dcgc.lower.quiet import silent
from dcgc.lower.strategy import Strategy
from dcgc.policies import head
from dcgc.policies.lattice import Lattice
from dcgc.verify import policy_function, score

TALK = """game G
player S, R
random x ~ Uniform(0, 1)
random y ~ Uniform(0, 1)
channel m : S -> R { carries Message(1, 2); budget 2 bits }
send m by S knowing x
decide u : Unit by R knowing m, y
payoff S = u
cost R = (u - x * y)^2
"""


def test_messages_are_cut_with_what_only_they_needed():
    quiet = silent(problem(TALK))
    assert quiet is not None
    assert [s.name for s in quiet.game.sites if s.name in ("x", "y", "u")] == ["x", "y", "u"]
    assert not any("m" in s.name.replace("payment", "").replace("(", " ").replace(")", " ").split() for s in quiet.game.sites)
    (d,) = quiet.game.decisions
    assert len(d.observations) == 1


@pytest.mark.parametrize(("old", "new"), [
    ("payoff S = u", "payoff S = u - 0.1 * sent(m)[1, 1]^2"),  # what is said costs its sender
    ("budget 2 bits", "price 0.1 per bit"),
    ("budget 2 bits", "budget 2 bits on average"),
])
def test_talk_that_is_not_cheap_is_not_cut(old, new):
    p = problem(TALK.replace(old, new))
    assert silent(p) is None
    assert "paid" in SilenceEngine().refuses(p)


def test_a_team_is_not_silenced():
    p = problem(TALK.replace("payoff S = u\n", "").replace("cost R", "cost T").replace("player S, R", "player S, R\nteam T = S, R"))
    assert SilenceEngine().refuses(p) is not None


def test_who_does_not_listen_acts_as_in_the_silent_game():
    """A table over y alone, given back to the game in which m comes first: equal acts whatever m."""
    p = problem(TALK)
    quiet = silent(p)
    nodes = np.linspace(0, 1, 5)
    half = Lattice(jnp.asarray(nodes / 2)[None, :, None], (jnp.asarray(nodes),), jnp.zeros((1, 4)), (0,))
    table = Strategy(half, head("bounded", (), mode="returning"), jnp.zeros(1), jnp.ones(1), (), False)
    profile = {"u": deaf(quiet, p, "u", table)}
    u = policy_function(p, profile, "u")
    y = np.array([0.1, 0.6, 0.9])
    for said in (np.zeros((3, 1, 2)), np.ones((3, 1, 2)) * [[1.0, -3.0]]):
        assert np.allclose(u(said, y), y / 2)
    encoder = next(d for d in p.game.decisions if d.channel is not None)
    assert not np.asarray(policy_function(p, {encoder.name: mute(encoder)}, encoder.name)(y)).any()


@pytest.mark.study
def test_a_hint_before_a_double_auction():
    """With talk of two bits the linear equilibrium without it is still one (babbling), and is named."""
    game = game_file("double_auction", chat=2)
    found = train(game, Settings(seed=0))
    card = score(game, found.profile)
    assert found.name_of(0).startswith("babbling")
    assert card.figures["surplus"].value == pytest.approx(9 / 64, rel=0.02)
    assert not found.alarms
