"""Functions by their coefficients: values against their formulas, and against the arithmetic that low powers become."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import natural, problem, rule

from dcgc.lower.variable import constant
from dcgc.primitives.functions import bells, hidden_layer, polynomial

X = np.linspace(-1.5, 2.0, 7)


def test_a_polynomial():
    c = np.asarray([0.3, -1.0, 0.5, 2.0])
    np.testing.assert_allclose(polynomial(jnp.asarray(c), jnp.asarray(X)), c[0] + c[1] * X + c[2] * X**2 + c[3] * X**3, rtol=1e-13)


def test_bells_stand_on_their_centres_one_spacing_wide():
    w = np.asarray([1.0, -2.0, 0.5])
    expected = sum(a * np.exp(-((X - m) / 0.5) ** 2 / 2) for a, m in zip(w, (0.0, 0.5, 1.0), strict=True))
    np.testing.assert_allclose(bells(jnp.asarray(w), jnp.asarray(X), 0.0, 1.0), expected, rtol=1e-13)
    np.testing.assert_allclose(bells(jnp.asarray([2.0]), jnp.asarray(X), 0.0, 1.0), 2 * np.exp(-((X - 0.5) ** 2) / 2), rtol=1e-13)


def test_a_hidden_layer():
    c = np.asarray([1.0, -0.5, 0.2, 0.1, 3.0, -1.0, 0.7])
    expected = 3 * np.tanh(X + 0.2) - np.tanh(-0.5 * X + 0.1) + 0.7
    np.testing.assert_allclose(hidden_layer(jnp.asarray(c), jnp.asarray(X)), expected, rtol=1e-13)


GAME = """game G
player A
random x ~ Uniform(-1, 2)
decide f : Function(Real -> {codomain}, {basis}) by A knowing nothing
let y = f(x)
let z = f(f(x) / 4)
cost A = y^2
"""


@pytest.mark.parametrize(("basis", "count", "function"), [
    ("affine", 2, lambda c, x: c[0] + c[1] * x), ("poly(3)", 4, lambda c, x: np.polyval(c[::-1], x)),
    ("poly(1)", 2, lambda c, x: c[0] + c[1] * x), ("poly(11)", 12, lambda c, x: np.polyval(c[::-1], x)),
    ("rbf(4, -1, 2)", 4, lambda c, x: sum(a * np.exp(-((x - m) ** 2) / 2) for a, m in zip(c, (-1, 0, 1, 2), strict=True))),
    ("mlp(2)", 7, lambda c, x: c[4] * np.tanh(c[0] * x + c[2]) + c[5] * np.tanh(c[1] * x + c[3]) + c[6])])
@pytest.mark.parametrize(("codomain", "kept"), [("Real", lambda y: y), ("Positive", lambda y: np.maximum(y, 0)),
                                                ("Unit", lambda y: np.clip(y, 0, 1))])
def test_a_decision_is_its_coefficients_and_is_applied_like_a_function(basis, count, function, codomain, kept):
    p = problem(GAME.format(codomain=codomain, basis=basis))
    (d,) = p.game.decisions
    assert d.shape == (count,)
    c = np.random.default_rng(3).normal(size=count)
    world = natural(p, {"f": lambda world, d: constant(c)}, nodes=9)
    x = np.asarray(world.value("x").data)
    inner = kept(function(c, x))
    np.testing.assert_allclose(np.broadcast_to(world.value("y").data, x.shape), inner, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.broadcast_to(world.value("z").data, x.shape), kept(function(c, inner / 4)), rtol=1e-12, atol=1e-14)


def test_who_knows_a_function_sees_its_coefficients():
    p = problem("game G\nplayer A, B\ndecide f : Function(Real -> Real, poly(2)) by A knowing nothing\n"
                "decide u : Real by B knowing f\ncost A = f(2)^2\ncost B = (u - f(3))^2\n")
    (o,) = p.game.decisions[1].observations
    assert (o.kind, o.shape) == ("real", (3,))
    follow = rule(lambda c: c @ jnp.asarray([1.0, 3.0, 9.0]))
    world = natural(p, {"f": lambda world, d: constant([0.1, -0.2, 0.3]), "u": lambda world, d: follow(world, d)})
    assert float(world.value("u").data) == pytest.approx(0.1 - 0.6 + 2.7)


@pytest.mark.parametrize("members", [3, 12])
def test_curves_of_a_family_clear_a_market_by_algebra(members):
    """Affine curves in an equation that is linear in the price: p = (x - sum of intercepts) / (1 + sum of slopes)."""
    p = problem("game G\nparam N : int = 3\nplayer Seller[N] symmetric\nrandom x ~ Uniform(2, 4)\n"
                "for i in Seller { decide S[i] : Function(Real -> Real, affine) by Seller[i] knowing nothing }\n"
                "solve p in [0, 10] : sum(S[i](p) for i in Seller) = x - p\n"
                "for i in Seller { payoff Seller[i] = p * S[i](p) }\n", N=members)
    assert "Root(" not in repr(p.game.sites)
    curve = constant([0.1, 0.25])
    world = natural(p, {"S[1]": lambda world, d: curve, "S": lambda world, d: curve}, nodes=9)
    x = np.asarray(world.value("x").data).reshape(-1)
    np.testing.assert_allclose(np.asarray(world.value("p").data).reshape(-1), (x - 0.1 * members) / (1 + 0.25 * members), rtol=1e-12)
