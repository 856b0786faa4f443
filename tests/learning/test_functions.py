"""Decisions that are whole functions: the linear supply function equilibrium (Klemperer and Meyer 1989; reference M4)."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from small_games import game_file, problem

from dcgc.learning import ENGINES, Settings, train
from dcgc.learning.affine_newton import Unknowns
from dcgc.verify import score
from dcgc.verify.regrets import player_regrets


def regrets(p, profile):
    rows, _ = player_regrets(p, profile)
    return {r.player: r for r in rows}


@pytest.mark.parametrize(("sellers", "slope"), [(2, 0.618033989), (3, 0.707106781)])
def test_supply_functions(sellers, slope):
    """(a) and (b) of M4; the price is E shock / (b + N s)."""
    p = game_file("supply_functions", N=sellers)
    found = train(p, Settings())
    card = score(p, found.profile)
    assert found.engine == ENGINES["affine"].title and found.alarms == ()
    assert float(card.figures["slope"]) == pytest.approx(slope, abs=1e-8)
    assert float(card.figures["intercept"]) == pytest.approx(0, abs=1e-8)
    assert float(card.figures["price"]) == pytest.approx(3 / (1 + sellers * slope), rel=1e-7)
    assert {c.verdict for c in card.comparisons} == {"met"}
    regret = regrets(p, found.profile)["Seller[1]"]
    assert regret.ex_ante < 1e-9 and not regret.exact and "coefficients" in regret.method


def test_demand_schedules_are_shaded():
    """Kyle 1989 with private values: x(p) = c (value - p) with c = (N - 2) / ((N - 1) lambda) solves everybody's first-order conditions,
    and the competitive c = 1 / lambda does not."""
    p = game_file("demand_schedules")
    unknowns = Unknowns.of(p, 0, 5000)
    gradients = jax.jit(unknowns.own_gradients)
    template = jax.tree.leaves(unknowns.trained)
    assert sorted(np.shape(x) for x in template) == [(1, 2), (1, 2, 1)]  # offsets and gains of (intercept, slope) in the value

    def schedule(c):
        return jnp.asarray(ravel_pytree(jax.tree.map(
            lambda x: jnp.asarray([[0.0, -c]]) if x.ndim == 2 else jnp.asarray([[[c], [0.0]]]), unknowns.trained))[0])

    np.testing.assert_allclose(gradients(schedule(0.5)), 0.0, atol=1e-9)
    assert np.abs(gradients(schedule(1.0))).max() > 0.1


@pytest.mark.study
def test_a_price_list_for_quality():
    """Mussa and Rosen 1978: a menu price x / 2 + x^2 / 4, a profit of 1/12."""
    p = game_file("nonlinear_pricing")
    card = score(p, train(p, Settings()).profile)
    assert {c.verdict for c in card.comparisons} == {"met"}


@pytest.mark.study
def test_a_demand_curve_over_twelve_bits():
    """Within a factor of five of Shannon's lower bound, and never below it; 99.9% of what the curve is worth is kept."""
    p = game_file("demand_curve")
    card = score(p, train(p, Settings()).profile)
    (bound,) = card.comparisons
    assert bound.verdict == "holds" and float(card.figures["cost(Chain)"]) < 5 * bound.published
    assert float(card.figures["kept"]) > 0.999


UNLIKE = """game Unlike
player A, B
random shock ~ Uniform(1, 3)
decide S : Function(Real -> Real, {basis}) by A knowing nothing
decide T : Function(Real -> Real, affine) by B knowing nothing
solve p in [0, 10] : S(p) + T(p) = shock - p
payoff A = p * S(p) - S(p)^2 / 2
payoff B = p * T(p) - T(p)^2
measure s1 = E[S(1) - S(0)]
measure s2 = E[T(1) - T(0)]
measure price = E[p]
"""


def test_sellers_with_unlike_costs():
    """(c) of M4: s1 = (1 - s1) (s2 + 1), s2 = (1 - 2 s2) (s1 + 1)."""
    p = problem(UNLIKE.format(basis="affine"))
    card = score(p, train(p, Settings()).profile)
    assert float(card.figures["s1"]) == pytest.approx(0.579795897, abs=1e-8)
    assert float(card.figures["s2"]) == pytest.approx(0.379795897, abs=1e-8)


def test_a_richer_curve_in_an_equation_that_is_not_linear():
    """Against a linear curve the best reply of any shape is linear: at (c) nobody gains by a cubic, through the root finder."""
    p = problem(UNLIKE.format(basis="poly(3)"))
    unknowns = Unknowns.of(p, 0, 1000)
    gradients = jax.jit(unknowns.own_gradients)
    at = np.asarray([0.0, 0.5797958971, 0.0, 0.0, 0.0, 0.3797958971])
    np.testing.assert_allclose(gradients(jnp.asarray(at)), 0.0, atol=1e-9)
    assert np.abs(gradients(jnp.asarray(at + [0, 0, 0, 0.05, 0, 0]))).max() > 1e-3


def test_the_regret_of_a_wrong_curve():
    """Half the slope, against the other's: what the best curve gains is known in closed form, E shock^2 = 28/3."""
    p = game_file("supply_functions")
    profile = train(p, Settings()).profile
    s = (np.sqrt(5) - 1) / 2
    wrong = dict(profile)
    wrong["S[1]"] = eqx.tree_at(lambda x: x.policy.offsets, profile["S[1]"], 0.5 * profile["S[1]"].policy.offsets)

    def profit(mine, other):
        return 28 / 3 / (1 + mine + other) ** 2 * (mine - mine**2 / 2)

    reply = (s / 2 + 1) / (s / 2 + 2)  # x = (1 - x) (other + 1)
    assert regrets(p, wrong)["Seller[1]"].ex_ante == pytest.approx(profit(reply, s / 2) - profit(s / 2, s / 2), rel=1e-5)
