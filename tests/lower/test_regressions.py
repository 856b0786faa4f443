"""`ridge` and `kernel_ridge`: against numpy, and their derivatives against differences."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import elaborated, figures, natural, problem, rule, sampled

from dcgc.core.codes import CODES
from dcgc.lower.plans import natural_grid
from dcgc.primitives.functions import kernel_at, kernel_at_vector, kernel_ridge, ridge
from dcgc.semantics import check
from dcgc.source import Ledger, Source
from dcgc.verify.intervals import interval_alarms

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=6)


def kernel(a, b, width):
    return np.exp(-((a[:, None] - b) ** 2).sum(-1) / (2 * width**2))


def test_ridge_is_numpy_s_solution_of_the_penalised_problem():
    """The same least squares written with extra rows sqrt(lam) I (Hoerl and Kennard 1970)."""
    rows, target = np.vstack([X, np.sqrt(0.3) * np.eye(3)]), np.concatenate([Y, np.zeros(3)])
    np.testing.assert_allclose(ridge(X, Y, 0.3), np.linalg.lstsq(rows, target, rcond=None)[0], rtol=1e-12)
    few = ridge(X[:2], Y[:2], 0.3)
    np.testing.assert_allclose(few, X[:2].T @ np.linalg.solve(X[:2] @ X[:2].T + 0.3 * np.eye(2), Y[:2]), rtol=1e-12)


def test_kernel_ridge_predicts_as_numpy_does():
    weights = np.linalg.solve(kernel(X, X, 0.8) + 0.1 * np.eye(6), Y)
    at = RNG.normal(size=(2, 4, 3))
    expected = (kernel(at.reshape(-1, 3), X, 0.8) @ weights).reshape(2, 4)
    np.testing.assert_allclose(kernel_at_vector(kernel_ridge(X, Y, 0.1, 0.8), at), expected, rtol=1e-11)
    line = kernel_ridge(X[:, 0], Y, 0.1, 0.8)
    weights = np.linalg.solve(kernel(X[:, :1], X[:, :1], 0.8) + 0.1 * np.eye(6), Y)
    np.testing.assert_allclose(kernel_at(line, at[0]), kernel(at[0].reshape(-1, 1), X[:, :1], 0.8).dot(weights).reshape(4, 3), rtol=1e-11)


@pytest.mark.parametrize("wanted", [lambda x, y, s, w: jnp.sum(ridge(x, y, s) ** 2),
                                    lambda x, y, s, w: kernel_at_vector(kernel_ridge(x, y, s, w), jnp.asarray([0.2, -0.1, 0.4]))])
def test_gradients_pass_through(wanted):
    at = [jnp.asarray(X), jnp.asarray(Y), jnp.asarray(0.3), jnp.asarray(0.9)]
    value = jax.jit(wanted)
    for k, found in enumerate(jax.jit(jax.grad(wanted, argnums=(0, 1, 2, 3)))(*at)):
        step = 1e-6 * jnp.asarray(RNG.normal(size=jnp.shape(at[k])))
        up, down = ([*at[:k], at[k] + sign * step, *at[k + 1:]] for sign in (1, -1))
        assert float(jnp.sum(found * step)) == pytest.approx(float(value(*up) - value(*down)) / 2, rel=1e-6, abs=1e-14)


LISTENER = """game Taught "A listener who regresses on the examples that it was sent"
player Teacher, Pupil
random slope ~ Normal(1, 0.5)
decide y : Real by Teacher knowing slope
let design = [[1, 0], [1, 1], [1, 2]]
let b = ridge(design, [0, y, 2 * slope], 0.5)
let f = kernel_ridge([0, 1, 2], [0, y, 2 * slope], 0.5, 1.5)
decide guess : Real by Pupil knowing f
payoff Teacher = -(b[2] - slope)^2 - (f(1.5) - 1.5 * slope)^2
cost Pupil = (guess - slope)^2
measure coefficient = E[b[2]]
measure here = E[f(1.5)]
measure predictions = E[sum(f)] - E[sum(f([0, 1, 2]))]
measure entry = E[f[2]] - E[f(1)]
measure inline = E[kernel_ridge([[0], [1], [2]], [0, y, 2 * slope], 0.5, 1.5)([1.5])]
"""


def test_in_a_game():
    p = problem(LISTENER)
    assert [o.shape for o in p.game.decisions[1].observations] == [(3,)]
    found = figures(p, natural(p, {"y": rule(lambda s: 0.5 * s + 0.2), "guess": rule(lambda f: f[..., 0])}, 20))
    design, target = np.asarray([[1, 0], [1, 1], [1, 2.0]]), np.asarray([0, 0.7, 2.0])  # linear in the slope, whose mean is 1
    assert found["coefficient"] == pytest.approx(np.linalg.solve(design.T @ design + 0.5 * np.eye(2), design.T @ target)[1], rel=1e-12)
    points = np.asarray([[0.0], [1.0], [2.0]])
    weights = np.linalg.solve(kernel(points, points, 1.5) + 0.5 * np.eye(3), target)
    expected = (kernel(np.asarray([[1.5]]), points, 1.5) @ weights)[0]
    assert found["here"] == pytest.approx(expected, rel=1e-11) and found["inline"] == pytest.approx(expected, rel=1e-11)
    assert found["predictions"] == pytest.approx(0, abs=1e-12) and found["entry"] == pytest.approx(0, abs=1e-12)


def test_a_payoff_s_gradient_through_a_regression():
    p = problem(LISTENER)
    grid, _ = natural_grid(p, 50)

    def cost(gain):
        world = p.world(grid, p.natural, {"y": rule(lambda s: gain * s), "guess": rule(lambda f: f[..., 0])})
        return p.cost(world, p.people[0])

    h, value = 1e-5, jax.jit(cost)
    assert float(jax.jit(jax.grad(cost))(0.4)) == pytest.approx(float(value(0.4 + h) - value(0.4 - h)) / (2 * h), rel=1e-7)


@pytest.mark.parametrize("members", [2, 12])
def test_functions_of_a_family_and_functions_as_arguments(members):
    p = problem("""game G
param N : int = 2
player Firm[N] symmetric
def total(D, a, b) = integral(D(q) for q in [a, b])
def twice(D, x) = total(D, 0, x) + D(x)
for i in Firm { random c[i] ~ Normal(i, 1) }
for i in Firm { let f[i] = kernel_ridge([0, 1, 3], [c[i], 0, i], 0.2, 1) }
for i in Firm { decide u[i] : Real by Firm[i] knowing c[i] }
let g = f[2]
for i in Firm { cost Firm[i] = (u[i] - f[i](u[i]))^2 }
measure second = E[f[2](0.5)]
measure alias = E[g(0.5)]
measure area = E[twice(f[2], 1)]
measure fold = E[sum(f[j](0.5) for j in Firm)]
""", N=members)
    rules = {"u[1]": rule(lambda c: c), "u[2]": rule(lambda c: c), "u": rule(lambda c: c)}
    found = figures(p, natural(p, rules, 3) if members == 2 else sampled(p, rules, 2048))
    points = np.asarray([[0.0], [1.0], [3.0]])

    def function(x, mean, i):
        weights = np.linalg.solve(kernel(points, points, 1.0) + 0.2 * np.eye(3), [mean, 0, i])
        return kernel(np.atleast_1d(x)[:, None], points, 1.0) @ weights

    accuracy = 1e-11 if members == 2 else 1e-6
    assert found["second"] == pytest.approx(function(0.5, 2, 2)[0], rel=accuracy)
    assert found["alias"] == pytest.approx(found["second"], rel=1e-12)
    assert found["fold"] == pytest.approx(sum(function(0.5, i, i)[0] for i in range(1, members + 1)), rel=accuracy)
    x, w = np.polynomial.legendre.leggauss(40)
    assert found["area"] == pytest.approx(w @ function((x + 1) / 2, 2, 2) / 2 + function(1.0, 2, 2)[0], rel=accuracy)


def codes(statement):
    ledger = Ledger()
    text = f"game G\nplayer A\nrandom x[3] ~ Normal(0, 1)\n{statement}\ndecide u : Real by A knowing w\ncost A = (u - sum(x))^2\n"
    check(Source("test.dcg", text), ledger)
    return [d.code for d in ledger.errors]


@pytest.mark.parametrize(("statement", "code"), [
    ("let w = ridge([[1, 2], [2, 3], [3, 3]], x, 0 - 1)", "T215"),
    ("let w = ridge([[1, 2, 3, 4], [2, 3, 3, 1], [3, 3, 0, 1]], x, 0)", "T215"),
    ("let w = ridge([1, 2, 3], x, 1)", "T214"), ("let w = kernel_ridge([1, 2, 3], x, 0.1, 0)", "T215"),
    ("let f = kernel_ridge([[1, 2], [2, 3], [3, 3]], x, 0.1, 1)\nlet w = f(1)", "T214"),
    ("let f = ridge([[1], [2], [3]], x, 1)\nlet w = f(1)", "N124"),
    ("let w = if x[1] > 0 then kernel_ridge([1, 2, 3], x, 0.1, 1) else [1, 2]", "T201")])
def test_mistakes(statement, code):
    assert codes(statement) == [code]


@pytest.mark.parametrize(("regression", "chance"), [
    ("ridge([[1, 2], [2, 4], [3, 6]], [x, 1, 2], 0)", 1.0), ("ridge([[1, 2], [2, 4], [3, 6]], [x, 1, 2], 1e-3)", 0.0),
    ("kernel_ridge([0, 1, floor(2 * x)], [x, 1, 2], 0, 1)", 1.0), ("kernel_ridge([0, 1, x], [x, 1, 2], 0, 0.2)", 0.0)])
def test_regressions_that_are_not_determined_are_reported(regression, chance):
    head, tail = CODES["R004"].example.split("let w = ")
    p = problem(f"{head}let w = {regression}\n{tail.split(chr(10), 1)[1]}")
    found = interval_alarms(p, [natural(p, {"u": rule(lambda x: x), "v": rule(lambda: 0.0)}, 20)])
    assert [("R004" in a and "test.dcg:4:9" in a and a.endswith(f"probability {chance:g}")) for a in found] == [True] * (chance > 0)


def test_a_function_that_rests_on_what_is_refused_is_refused_once():
    _, ledger = elaborated("game G\nplayer A\ndecide f : Function(Real[2] -> Real, affine) by A knowing nothing\nlet y = f([1, 2])\n"
                           "cost A = y^2\n")
    assert [d.code for d in ledger.errors] == ["L002"]
