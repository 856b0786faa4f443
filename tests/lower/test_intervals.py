"""Integrals and extrema over an interval: published integrals, corners and jumps, derivatives against differences, and what is refused."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest
from small_games import elaborated, figures, natural, problem, rule

from dcgc.core.codes import CODES
from dcgc.core.expression import Over, walk
from dcgc.core.site import Let
from dcgc.lower.plans import natural_grid
from dcgc.lower.variable import constant
from dcgc.semantics import check
from dcgc.source import Ledger, Source
from dcgc.verify.expectations import Reader
from dcgc.verify.intervals import interval_alarms

HEAD = "game G\nplayer A\nrandom a ~ Uniform(1, 2)\ndecide u : Real by A knowing a\n"
RULES = {"u": rule(lambda a: a)}


def at_nodes(expression):
    """The value of an expression at every node of ``a``, the nodes, and whether it is in closed form."""
    p = problem(f"{HEAD}let y = {expression}\ncost A = (u - y)^2\n")
    world = natural(p, RULES, 12)
    a = np.asarray(world.value("a").data)
    closed = not any(isinstance(x, Over) for s in p.game.sites if isinstance(s, Let) for x in walk(s.value))
    return np.broadcast_to(np.asarray(world.value("y").data), a.shape), a, closed


@pytest.mark.parametrize(("expression", "expected"), [
    ("integral(exp(-a * p) for p in [0, 3])", lambda a: (1 - np.exp(-3 * a)) / a),
    ("integral(1 / (1 + p^2) for p in [0, a])", np.arctan),
    ("mean(sin(a * p) for p in [0, pi])", lambda a: (1 - np.cos(a * np.pi)) / (a * np.pi)),
    ("integral(max(a - q, 0) for q in [0, 3])", lambda a: a**2 / 2),
    ("integral(max(a - q, 0) for q in [3, 0])", lambda a: -(a**2) / 2),
    ("integral(abs(p - a) * abs(p - 0.5) for p in [0, 3])", lambda a: (a - 0.5) ** 3 / 3 + 9 - 4.5 * (a + 0.5) + 1.5 * a),
    ("integral(if q < a then exp(q) else 0 for q in [0, 3])", lambda a: np.exp(a) - 1),
    ("integral(if (p - 1) * (p - a - 1) < 0 then 1 else 0 for p in [0, 3.5])", lambda a: a),
    ("integral(clip(p, 1, a) for p in [0, 3])", lambda a: 1 + (a**2 - 1) / 2 + a * (3 - a)),
    ("integral(max(p * (a - p) for p in [0, x]) for x in [0, a / 2])", lambda a: a**3 / 8 - a**3 / 24),
    ("mean(a for p in [0, 2])", lambda a: a)])
def test_integrals(expression, expected):
    found, a, _ = at_nodes(expression)
    np.testing.assert_allclose(found, expected(a), rtol=1e-10)


def test_a_corner_of_an_inner_integral_is_smoothed_by_it():
    """(a - r)^2 / 2 where r < a, else 0: the outer integral is not divided at r = a, and says so."""
    expression = "integral(integral(max(a - q - r, 0) for q in [0, 3]) for r in [0, 3])"
    found, a, _ = at_nodes(expression)
    np.testing.assert_allclose(found, a**3 / 6, rtol=2e-4)
    p = problem(f"{HEAD}let y = {expression}\ncost A = (u - y)^2\n")
    assert ["R005" in x for x in interval_alarms(p, [natural(p, RULES, 12)])] == [True]


@pytest.mark.parametrize(("expression", "expected"), [
    ("integral(a - q - a / 2 for q in [0, a])", lambda a: 0 * a),
    ("integral((a + 2 * q)^3 / 4 for q in [1, a])", lambda a: (81 * a**4 - (a + 2) ** 4) / 32),
    ("mean(q^2 * a for q in [a, 3])", lambda a: a * (27 - a**3) / (3 * (3 - a))),
    ("integral(integral(p * q for p in [0, q]) for q in [0, a])", lambda a: a**4 / 8)])
def test_integrals_of_polynomials_are_closed_forms(expression, expected):
    found, a, closed = at_nodes(expression)
    assert closed
    np.testing.assert_allclose(found, expected(a), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("expression", "expected"), [
    ("max(p * (a - p) for p in [0, 3])", lambda a: a**2 / 4), ("argmax(p * (a - p) for p in [0, 3])", lambda a: a / 2),
    ("min(p^2 - a * p for p in [0, 3])", lambda a: -(a**2) / 4), ("argmin(a * p for p in [a - 1, 3])", lambda a: a - 1),
    ("argmax(a * p for p in [a - 1, 3])", lambda a: 3 + 0 * a), ("max(min(p, a - p) for p in [0, 3])", lambda a: a / 2),
    ("argmax(sin(p / a) + sin(10 * p / 3) / 100 for p in [0, 0])", None),
    ("max(p * exp(-a * p) for p in [0, 5])", lambda a: math.exp(-1) / a),
    # two humps, of which the higher changes with a
    ("max(exp(-(p - 1)^2 * 8) + (a - 0.5) * exp(-(p - 3)^2 * 8) for p in [0, 4])",
     lambda a: np.maximum(1 + (a - 0.5) * math.exp(-32), (a - 0.5) + math.exp(-32)))])
def test_extrema(expression, expected):
    if expected is None:
        assert codes(expression) == ["T231"]
        return
    found, a, _ = at_nodes(expression)
    np.testing.assert_allclose(found, expected(a), rtol=1e-9)


@pytest.mark.parametrize(("expression", "first", "second"), [
    ("max(p * (a * u - p) for p in [0, 9])", lambda u: u / 2, lambda u: 0.5),
    ("argmax(p * (u^2 - p) for p in [0, 9])", lambda u: u, lambda u: 1.0),
    ("max(p * (9 - p) for p in [0, u])", lambda u: 9 - 2 * u, lambda u: -2.0),
    ("argmax(p - (u * p)^2 for p in [0, 9])", lambda u: -1 / u**3, lambda u: 3 / u**4),
    ("integral(max(u - q, 0) for q in [0, 9])", lambda u: u, lambda u: 1.0),
    ("integral(if q < u then q^2 else 0 for q in [0, 9])", lambda u: u**2, lambda u: 2 * u),
    ("integral(p * exp(-p) for p in [0, u])", lambda u: u * np.exp(-u), lambda u: (1 - u) * np.exp(-u))])
def test_derivatives(expression, first, second):
    p = problem(f"{HEAD.replace('Uniform(1, 2)', 'Discrete([1, 1], [0.5, 0.5])')}cost A = {expression}\n")
    grid, _ = natural_grid(p, 50)

    def cost(u):
        return p.cost(p.world(grid, p.natural, {"u": rule(lambda a: u + 0 * a)}), p.people[0])

    both = jax.jit(lambda u: jax.jvp(jax.grad(cost), (u,), (1.0,)))
    for u in (1.3, 2.2):
        found = both(u)
        assert float(found[0]) == pytest.approx(first(u), rel=1e-8)
        assert float(found[1]) == pytest.approx(second(u), rel=1e-6)


@pytest.mark.parametrize("members", [3, 12])
def test_members_and_curves(members):
    """Surplus under each member's own affine curve, in loops small and large."""
    p = problem("""game G
param N : int = 3
player Buyer[N] symmetric
for i in Buyer { decide D[i] : Function(Real -> Real, affine) by Buyer[i] knowing nothing }
for i in Buyer { let surplus[i] = integral(max(D[i](q) + i / 10, 0) for q in [0, 9]) }
for i in Buyer { payoff Buyer[i] = surplus[i] - max(D[i](q) * q for q in [0, 9]) }
measure total = E[sum(surplus)]
measure best = E[sum(argmax(D[j](q) * q for q in [0, 9]) for j in Buyer)]
""", N=members)
    profile = {"D": lambda world, d: constant([3.0, -0.5]), "D[1]": lambda world, d: constant([3.0, -0.5])}
    found = figures(p, natural(p, profile))
    assert found["total"] == pytest.approx(sum((3 + i / 10) ** 2 for i in range(1, members + 1)), rel=1e-9)
    assert found["best"] == pytest.approx(3.0 * members, rel=1e-9)


def codes(expression):
    ledger = Ledger()
    check(Source("test.dcg", f"{HEAD}let y = {expression}\ncost A = (u - y)^2\n"), ledger)
    return [d.code for d in ledger.errors]


@pytest.mark.parametrize(("expression", "code"), [
    ("sum(p for p in [0, 1])", "T231"), ("integral(p for p in [0, 1, 2])", "T231"), ("integral(p for p in [0, inf])", "T231"),
    ("integral(p for p in 1..3)", "T231"), ("integral(a)", "T231"),
    ("max(p for p in [0, 1] if p > a)", "T231"),
    ("exp(p for p in [0, 1])", "T231"),
    ("integral(u for u in [0, 1])", "N109"), ("integral([p, 1] for p in [0, 1])", "T207"), ("integral(p for p in [0, b])", "N101"),
    ("integral(p for p in [[1, 2], 3])", "T207"), ("integrl(p for p in [0, 1])", "N104"), ("sum(p for p in a)", "T223"),
    ("argmin(a * p for p in [2, 2])", "T231")])
def test_mistakes(expression, code):
    assert codes(expression)[:1] == [code]


def test_a_policy_over_an_interval_and_over_many_points():
    """u = a^2: its integral over [1, 2] is 7/3, and the sum over tenths is that of the squares."""
    text = f"{HEAD}cost A = (u - a)^2\nmeasure area = integral(rule(u, q) for q in [1, 2])\n" \
        "measure points = sum(rule(u, j / 10) for j in 0..10 if j > 3)\nmeasure far = max(rule(u, j / 10) + E[a] for j in 0..10)\n"
    p = problem(text)
    reader = Reader(p, natural(p, RULES), lambda name, member, inputs: inputs[0] ** 2)
    found = {m.name: float(reader.number(m.value)) for m in p.game.measures}
    assert found == pytest.approx({"area": 7 / 3, "points": sum(j**2 for j in range(4, 11)) / 100, "far": 2.5}, rel=1e-10)
    _, ledger = elaborated(f"{HEAD}cost A = (u - a)^2\nmeasure m = max(rule(u, q) for q in [1, 2])\n")
    assert not ledger.errors


def test_the_words_stay_free():
    """`integral` and `argmin` were never reserved: a game may have its own."""
    p = problem("game G\nplayer A\ndef integral(x) = x^2\nrandom argmin ~ Uniform(0, 1)\ndecide u : Real by A knowing argmin\n"
                "cost A = integral(u - argmin)\nmeasure m = E[integral(3)]\n")
    assert figures(p, natural(p, {"u": rule(lambda a: a)}))["m"] == pytest.approx(9)


@pytest.mark.parametrize(("expression", "reported"), [
    ("integral(sin(400 * a * p) for p in [0, 1])", True), ("integral(exp(a * p) for p in [0, 5])", False),
    ("integral(1 / (p - 0.3)^2 for p in [0, 1])", True), ("max(exp(-((p - 0.29931640625) * 20000)^2) * a for p in [0, 1])", True),
    ("max(p * (a - p) for p in [0, 3])", False), ("integral(max(a - q, 0) for q in [0, 3])", False)])
def test_what_is_not_resolved_is_reported(expression, reported):
    p = problem(f"{HEAD}let y = {expression}\ncost A = (u - y)^2\n")
    found = interval_alarms(p, [natural(p, RULES, 12)])
    assert [("R005" in a and "test.dcg:5:" in a) for a in found] == [True] * reported


def test_the_example_of_the_code():
    p = problem(CODES["R005"].example)
    assert len(interval_alarms(p, [natural(p, {"u": rule(lambda x: x), "v": rule(lambda: 0.0)}, 12)])) == 1
