"""The scorecard of known profiles: figures with honest errors, verdicts of published values, rules, curves."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import problem

from dcgc.learning.starting import keys, strategy
from dcgc.lower.plans import natural_grid
from dcgc.verify import policy_function, score

GAME = """game G
player A
random x ~ Normal(1, 2)
random b ~ Bernoulli(0.25)
decide u : Real by A knowing x
cost A = (u - x)^2 + b
measure m = E[u]
measure both = E[[x, b]]
measure never = E[x | b > 2]
measure at = rule(u, 3) + rule(u, -1)
known cost(A) = 0.25
known m = 1.005
known m = 1.02
known m = 1.02 within 0.03
known never = 1
record cost(A) = 0.3
record payoff(A) = -0.25
record payoff(A) = 0
bound cost(A) >= 0.2
bound cost(A) >= 0.3
bound cost(A) <= 0.3
plot u against x
"""


@pytest.fixture(scope="module")
def card():
    p = problem(GAME)
    grid, _ = natural_grid(p, 1000)
    s = strategy(p, grid, p.game.decisions[0], "affine", keys(0, 1)[0])
    policy = eqx.tree_at(lambda q: (q.gains, q.offsets), s.policy, (jnp.ones_like(s.policy.gains), jnp.zeros_like(s.policy.offsets)))
    s = eqx.tree_at(lambda q: (q.policy, q.location, q.scale), s, (policy, jnp.zeros(1), jnp.ones(1)))
    profile = {"u": s}
    assert np.allclose(policy_function(p, profile, "u")(np.array([0.0, 2.0])), [0, 2])
    return p, profile, score(p, profile)


def test_figures(card):
    _, _, s = card
    f = s.figures
    assert float(f["cost(A)"]) == pytest.approx(0.25, abs=1e-9) and float(f["payoff(A)"]) == pytest.approx(-0.25, abs=1e-9)
    assert float(f["m"]) == pytest.approx(1)
    assert (float(f["both[1]"]), float(f["both[2]"])) == pytest.approx((1, 0.25))
    assert np.isnan(float(f["never"]))
    assert float(f["at"]) == pytest.approx(2)
    assert all(x.error < 1e-9 for k, x in f.items() if k != "never")
    assert any("never" in a for a in s.alarms)


def test_verdicts(card):
    _, _, s = card
    assert [c.verdict for c in s.comparisons] == [
        "met", "met", "missed", "met", "absent", "beaten", "met", "not reached", "holds", "violated", "holds"]
    assert any("bound" in a for a in s.alarms)


def test_regret_and_curve(card):
    _, _, s = card
    assert s.regrets[0].ex_ante == pytest.approx(0, abs=1e-9) and s.regrets[0].exact
    (curve,) = s.curves
    assert curve.line and np.allclose(curve.x, curve.y) and (curve.x_label, curve.y_label) == ("x", "u")


def test_a_policy_function_checks_its_arguments(card):
    p, profile, _ = card
    with pytest.raises(TypeError):
        policy_function(p, profile, "u")(1, 2)
    with pytest.raises(KeyError):
        policy_function(p, profile, "nobody")
    assert policy_function(p, profile, "A")(np.ones((2, 3))).shape == (2, 3)
