"""``solve``: linear equations by algebra, others by their roots, in families small and large, and where none exists."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import elaborated, figures, natural, problem, rule, sampled

from dcgc.core.codes import CODES
from dcgc.core.expression import Root, walk
from dcgc.core.site import Let
from dcgc.lower.plans import natural_grid
from dcgc.lower.variable import constant
from dcgc.verify.equations import equation_alarms

LINEAR = """game G
param N : int = 3
player Firm[N] symmetric
random shock ~ Normal(10, 1)
for i in Firm { decide q[i] : Real by Firm[i] knowing shock }
solve p in [0, 20] : 2 * p + sum(q[i] - p for i in Firm) / 2 = shock + (p - shock) / 4
for i in Firm { payoff Firm[i] = p * q[i] }
measure price = E[p]
"""


def equations_left(p):
    return [s.name for s in p.game.sites if isinstance(s, Let) and any(isinstance(e, Root) for e in walk(s.value))]


@pytest.mark.parametrize("members", [3, 12])
def test_a_linear_equation_is_algebra(members):
    """p (2 - N/2 - 1/4) = 3/4 shock - N q / 2."""
    p = problem(LINEAR, N=members)
    assert equations_left(p) == [] and p.is_lqg
    world = sampled(p, {"q[1]": rule(lambda s: s / 3), "q": rule(lambda s: s / 3)})
    assert figures(p, world)["price"] == pytest.approx((7.5 - members * 10 / 6) / (1.75 - members / 2), rel=1e-9)


CUBIC = """game G
player A
random x ~ Uniform(0, 1)
decide u : Real by A knowing x
solve p in [-5, 5] : p + p^3 = x + u
cost A = (p - 1)^2
measure price = E[p]
"""


def test_a_cubic_at_every_point_and_its_derivative():
    p = problem(CUBIC)
    assert equations_left(p) == ["p"] and not p.is_lqg
    nodes = natural(p, {"u": rule(lambda x: 2 * x)})
    price, x = np.asarray(nodes.value("p").data), np.asarray(nodes.value("x").data)
    np.testing.assert_allclose(price + price**3, 3 * x, rtol=1e-13)
    grid, _ = natural_grid(p, 50)

    def cost(slope):
        world = p.world(grid, p.natural, {"u": rule(lambda x: slope * x)})
        return p.cost(world, p.people[0])

    h = 1e-4
    assert float(jax.grad(cost)(2.0)) == pytest.approx(float(cost(2 + h) - cost(2 - h)) / (2 * h), rel=1e-6)
    second = jax.jit(jax.jacfwd(jax.grad(cost)))
    assert float(second(2.0)) == pytest.approx(float(jax.grad(cost)(2 + h) - jax.grad(cost)(2 - h)) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("members", [2, 12])
def test_an_equation_of_every_member(members):
    text = """game G
param N : int = 2
player Firm[N] symmetric
for i in Firm { random c[i] ~ Uniform(0, 1) }
for i in Firm { decide q[i] : Real by Firm[i] knowing c[i] }
for i in Firm { solve p[i] in [0, 4] : p[i]^3 + i * p[i] = c[i] + sum(q) }
for i in Firm { payoff Firm[i] = p[i] * q[i] }
measure price = E[p[N]]
"""
    p = problem(text, N=members)
    world = sampled(p, {"q[1]": constant_rule(0.5), "q": constant_rule(0.5)}, samples=64)
    name = "p" if members > 8 else f"p[{members}]"
    price = np.asarray(world.value(name).data)
    cost = np.asarray(world.value("c" if members > 8 else f"c[{members}]").data)
    if members > 8:
        price, cost = price[:, -1], cost[:, -1]
    np.testing.assert_allclose(price**3 + members * price, cost + members * 0.5, rtol=1e-12)
    assert equation_alarms(p, [world]) == []


def constant_rule(value):
    return lambda world, d: constant(jnp.full((), value))


def test_other_members_unknowns_are_refused():
    text = "game G\nplayer F[2]\nfor i in F { decide u[i] : Real by F[i] knowing nothing }\n" \
        "for i in F { solve p[i] in [0, 1] : p[i] = u[i] + p[3 - i] }\nfor i in F { cost F[i] = p[i]^2 }\n"
    _, ledger = elaborated(text)
    assert [d.code for d in ledger.errors] == ["L001"]


def alarms(text, **rules):
    p = problem(text)
    return equation_alarms(p, [natural(p, {k: rule(f) for k, f in rules.items()}, nodes=200)])


HEAD = "game G\nplayer A\nrandom x ~ Uniform(0, 2)\ndecide u : Real by A knowing x\ncost A = u^2\n"


@pytest.mark.parametrize(("equation", "code", "chance"), [
    ("p^3 = x", "R002", 0.5), ("p = x", "R002", 0.5), ("p^2 = x / 4", None, 0.0), ("(if p > x / 2 then 1 else 0 - 1) = 0", "R002", 1.0),
    ("(p - 0.2) * (p - 0.5) * (p - 0.9) = 0", "R003", 1.0), ("(p - 0.2) * (p - 0.5) = x / 4", "R003", 0.2), ("p = p", "R003", 1.0)])
def test_no_solution_and_several_are_reported_with_their_probability(equation, code, chance):
    """(p - 0.2)(p - 0.5) = x / 4 has two solutions in [0, 1] while x / 4 < 0.1, one while below 0.4, then none."""
    found = alarms(HEAD + f"solve p in [0, 1] : {equation}\nmeasure m = E[p]\n", u=lambda x: x)
    if code is None:
        assert found == []
        return
    text = next(a for a in found if code in a)
    assert "test.dcg:6:1" in text and "`p`" in text
    assert float(text.split("probability ")[1].split(";")[0]) == pytest.approx(chance, abs=0.011)


def test_only_where_the_equation_has_to_hold():
    text = HEAD + "when x < 1 { solve p in [0, 1] : p^3 = x }\nmeasure m = E[p]\n"
    assert alarms(text, u=lambda x: x) == []


@pytest.mark.parametrize("code", ["R002", "R003"])
def test_the_examples_of_the_codes(code):
    found = alarms(CODES[code].example, u=lambda x: x, v=lambda: 0.0)
    assert len(found) == 1 and code in found[0]


@pytest.mark.parametrize(("equation", "solution"), [
    ("3 * p^(-1.5) = x + 1", lambda x: ((x + 1) / 3) ** (-1 / 1.5)), ("x + 2 = 4 * exp(-p / 2)", lambda x: -2 * np.log((x + 2) / 4)),
    ("1 + log(p) * 2 = x", lambda x: np.exp((x - 1) / 2)), ("sqrt(p + x) = 1.5", lambda x: 2.25 - x),
    ("1 / (p + 1) = 1 / (x + 2)", lambda x: x + 1),
    ("p^2 + x * p = 3", lambda x: (-x + np.sqrt(x**2 + 12)) / 2), ("(p - 9) * (p - x / 3 - 0.1) = 0", lambda x: x / 3 + 0.1)])
def test_closed_forms_and_their_derivatives(equation, solution):
    """Isoelastic and exponential demand, quadratics with one root in the interval: no search is left, nothing is reported."""
    p = problem("game G\nplayer A\nrandom x ~ Uniform(0, 1)\ndecide u : Real by A knowing x\n"
                f"solve p in [0, 5] : {equation}\ncost A = (u - p)^2\n")
    assert equations_left(p) == []
    world = natural(p, {"u": rule(lambda x: x)})
    x = np.asarray(world.value("x").data)
    np.testing.assert_allclose(np.asarray(world.value("p").data), solution(x), rtol=1e-12)
    assert equation_alarms(p, [world]) == []


@pytest.mark.parametrize(("equation", "found"), [("p^2 = x - 3", 0.0), ("exp(p) = x - 3", 0.0), ("p^(-2) = x + 0.01", 5.0)])
def test_closed_forms_keep_to_the_interval_where_there_is_no_root(equation, found):
    p = problem("game G\nplayer A\nrandom x ~ Uniform(0, 0.01)\ndecide u : Real by A knowing x\n"
                f"solve p in [0, 5] : {equation}\ncost A = (u - p)^2\n")
    assert equations_left(p) == []
    world = natural(p, {"u": rule(lambda x: x)})
    np.testing.assert_allclose(np.asarray(world.value("p").data), found, atol=1e-12)
    assert len(equation_alarms(p, [world])) == 1
