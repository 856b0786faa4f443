"""A large family that talks among itself: babbling, which one member and a copy of the others play."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
from small_games import problem

from dcgc.core.expression import Member, Reference, Select
from dcgc.learning import Settings, train
from dcgc.learning.training import ENGINES, plan
from dcgc.lower.evaluate import evaluate
from dcgc.lower.quiet import own_group, silent, unheard
from dcgc.verify import score
from dcgc.verify.ledger import is_babbling, ledgers
from dcgc.verify.scoring import Ground, figure, sampled

OLIGOPOLY = """game G
param N : int = 30
player Firm[N] symmetric
for i in Firm { random c[i] ~ Bernoulli(0.5) }
channel s[i in Firm] : Firm[i] -> others { carries Real; budget 2 bits }
for i in Firm { send s[i] by Firm[i] knowing c[i] }
for i in Firm { decide q[i] : Real by Firm[i] knowing c[i], mean(s[others]) }
for i in Firm { payoff Firm[i] = (10 - sum(q) - c[i]) * q[i] }
measure spread = Var[s[1]]
"""


@pytest.fixture(scope="module")
def trained():
    p = problem(OLIGOPOLY)
    return p, train(p, Settings())


def test_firms_that_learn_nothing_from_each_other_produce_as_with_private_costs(trained):
    """q(c) = ((10 - mean c) / (N + 1)) - (c - mean c) / 2 (Vives 1984), a payoff E[q^2]; nobody can gain, and the messages are noise."""
    p, found = trained
    assert "babbling" in found.engine
    card = score(p, found.profile)
    mean = (10 - 0.5) / 31
    assert card.figures["payoff(Firm[1])"].value == pytest.approx(mean**2 + 0.25 / 4, rel=1e-5)
    assert max(r.ex_ante for r in card.regrets) < 1e-6 and all(r.exact for r in card.regrets)
    (s,) = card.channels
    assert s.members == 30 and s.rate.value == pytest.approx(0, abs=1e-9) and s.budget == s.unused == 2
    assert card.figures["spread"].value == pytest.approx(1 / (2**4 - 1), rel=0.01)  # the noise that holds a power of 1 to 2 bits
    assert is_babbling(p, sampled(p, found.profile, 0))


def test_a_profile_in_which_somebody_speaks_is_not_judged_in_silence(trained):
    p, found = trained
    assert unheard(p, found.profile) is not None
    quiet = silent(p)
    assert own_group(quiet, p, "q") == "q[1]" and own_group(quiet, p, "sent(s)") is None
    spoken = {**found.profile, "sent(s)": found.profile["q"]}
    assert unheard(p, spoken) is None


def test_the_ledger_has_one_line_for_a_family_that_speaks(trained):
    """Each sends its Bernoulli cost as -1 or 1 over noise of variance 1/15: at most 2 bits each by the Gaussian bound."""
    p, found = trained
    speak = {**found.profile, "sent(s)": lambda world, d: _of_costs(world)}
    (s,) = score_ledger(p, speak)
    assert s.members == 30 and s.rate.value == pytest.approx(2, abs=0.01) and s.violated < 0.01


def test_affine_policies_are_not_tried_where_more_power_is_always_better():
    order, notes = plan(problem(OLIGOPOLY), Settings())
    assert order[0] == "silence" and "affine" not in order
    assert any("power" in n for n in notes)
    assert ENGINES["silence"].concludes(problem(OLIGOPOLY))


def _of_costs(world):
    d = world.game.site("sent(s)")
    c = evaluate(world, Select(Reference("c"), (Member(d.axes[0]),), (False,)))
    return type(c)(c.dims, 2 * c.data - jnp.ones(()))


def score_ledger(p, profile):
    worlds = [sampled(p, profile, s) for s in range(2)]
    return ledgers(p, worlds, lambda label, values: figure(label, values, Ground(lambda: worlds, "samples", True)))
