"""A player who moves all its decisions at once: regrets against least costs known in closed form."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import game_file, problem

from dcgc.learning.affine_moments import moments
from dcgc.learning.affine_newton import solve_by_moments
from dcgc.lower.strategy import Strategy
from dcgc.policies import Affine, head
from dcgc.verify.joint import joint_gain
from dcgc.verify.regrets import player_regrets

TWICE = """game Twice
player C
random x0 ~ Normal(0, 1)
random v1 ~ Normal(0, 1)
random v2 ~ Normal(0, 1)
let y1 = x0 + v1
decide u1 : Real by C knowing y1
let x1 = x0 + u1
let y2 = x1 + v2
decide u2 : Real by C knowing {known}
cost C = {price} * u1^2 + (x1 + u2)^2
"""


def affine(*gains: float) -> Strategy:
    """gains . inputs."""
    n = len(gains)
    policy = Affine(jnp.asarray([[gains]], float).reshape(1, 1, n), jnp.zeros((1, 1)))
    return Strategy(policy, head("real", (), location=0.0, scale=1.0), jnp.zeros(n), jnp.ones(n))


LEAST = 1 / 3  # E[(x1 + u2)^2] is Var(x0 | y1, y2) whatever u1 is, which it is best to leave at 0


def test_all_decisions_at_once_reach_the_least_cost():
    p = problem(TWICE.format(known="y1, y2", price=0.3))
    a, b, c = -0.4, 0.1, -0.2
    profile = {"u1": affine(a), "u2": affine(b, c)}
    # x1 + u2 = x0 (1 + a + b + c (1 + a)) + v1 (a + b + c a) + v2 c
    played = 0.3 * a**2 * 2 + (1 + a + b + c * (1 + a)) ** 2 + (a + b + c * a) ** 2 + c**2
    found = joint_gain(p, profile, p.game.decisions)
    assert found.attained and found.gain == pytest.approx(played - LEAST, abs=1e-10)
    rows, _ = player_regrets(p, profile)
    assert rows[0].exact and rows[0].ex_ante == pytest.approx(found.gain, abs=1e-12)


def test_the_best_rules_have_none():
    p = problem(TWICE.format(known="y1, y2", price=0.3))
    assert joint_gain(p, {"u1": affine(0.0), "u2": affine(-1 / 3, -1 / 3)}, p.game.decisions).gain == pytest.approx(0, abs=1e-12)


def test_a_controller_that_forgets_has_a_bound_only():
    """Witsenhausen's case, in which it can signal to itself: with memory it would pay 1/3, and affine rules alone need not be the best."""
    p = problem(TWICE.format(known="y2", price=0.3))
    profile = {"u1": affine(0.0), "u2": affine(-0.5)}  # costs 1/2
    found = joint_gain(p, profile, p.game.decisions)
    assert not found.attained and found.gain == pytest.approx(1 / 2 - LEAST, abs=1e-10)
    rows, _ = player_regrets(p, profile)
    assert not rows[0].exact


def test_a_stationary_point_that_is_no_least_cost_is_not_called_one():
    """A saddle in the two decisions together: moving either alone gains nothing."""
    p = problem("game S\nplayer C\nrandom x ~ Normal(0, 1)\ndecide a : Real by C knowing x\ndecide b : Real by C knowing x, a\n"
                "cost C = a^2 + b^2 - 4 * a * b\n")
    assert joint_gain(p, {"a": affine(0.0), "b": affine(0.0, 0.0)}, p.game.decisions) is None


def test_rivals_who_answer_are_part_of_it():
    """Cournot twice: B follows A's first quantity by a fixed affine rule, which A takes into account."""
    p = problem("game Q\nplayer A, B\nrandom s ~ Normal(4, 1)\ndecide a1 : Real by A knowing s\ndecide b : Real by B knowing a1\n"
                "decide a2 : Real by A knowing s, b\npayoff A = (s - a1) * a1 + (s - b - a2) * a2\npayoff B = (4 - a2 - b) * b\n")
    profile = {"a1": affine(0.2), "b": affine(0.5), "a2": affine(0.5, -0.5)}
    own = [d for d in p.game.decisions if d.actor.name == "A"]
    s2 = 17.0
    played = 0.16 * s2 + (0.25 * 0.9**2) * s2  # b = 0.1 s, a2 = 0.45 s, earns 0.45^2 s^2

    def total(a: np.ndarray) -> np.ndarray:  # at s = 1: all is homogeneous of degree two
        return (1 - a) * a + (1 - 0.5 * a) ** 2 / 4

    best = max(total(np.linspace(0, 1, 100_001)))
    found = joint_gain(p, profile, own)
    assert found.attained and found.gain == pytest.approx(best * s2 - played, abs=1e-6)


def test_decisions_that_see_nothing_are_moved_together_too():
    """Paths announced by number alone: (u1 + u2 - 2)^2 + u1^2 + u2^2 is least at u1 = u2 = 2 / 3, worth 4 / 3."""
    p = problem("game Blind\nplayer C\nrandom x ~ Normal(0, 1)\ndecide u1 : Real by C knowing nothing\n"
                "decide u2 : Real by C knowing nothing\ncost C = (u1 + u2 - 2 + x)^2 + u1^2 + u2^2\n")
    policy = Affine(jnp.zeros((1, 1, 0)), jnp.asarray([[1.0]]))
    one = Strategy(policy, head("real", (), location=0.0, scale=1.0), jnp.zeros(0), jnp.ones(0))
    assert joint_gain(p, {"u1": one, "u2": one}, p.game.decisions).gain == pytest.approx(2 - 4 / 3, abs=1e-12)


def test_feedback_rules_for_a_sticky_price_stand_against_memory_too():
    """A firm that sees the price alone does not know what it knew before; nor would it help."""
    p = game_file("sticky_prices", T=3)
    m = moments(p)
    (root,) = solve_by_moments(p, m, 0)
    own = [d for d in p.game.decisions if p.decider(d).label == "Firm[1]"]
    found = joint_gain(p, root.profile, own)
    assert not found.attained and found.gain < 1e-12 * found.charged
    rows, _ = player_regrets(p, root.profile)
    assert rows[0].exact and rows[0].ex_ante == found.gain
