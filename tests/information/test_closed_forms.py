"""Closed-form best replies: recognised where they exist and only there, and equal to a numerical minimum at given observations."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from small_games import cost, information, problem, rule

from dcgc.core.expression import Apply, Constant, Expression, Reference, references
from dcgc.information.closed_forms import closed_forms
from dcgc.information.dependence import affine
from dcgc.lower import BestResponse
from dcgc.lower.plans import Resolution
from dcgc.lower.variable import constant
from dcgc.verify.functions import policy_function


def forms(p):
    return closed_forms(p.game, p.dependence, {d.name: p.pays(p.decider(d)) for d in p.game.decisions})


HEAD = "game G\nplayer A, B\nrandom x ~ Normal(0, 1)\nrandom w ~ Normal(0, 1)\ndecide u : Real by A knowing x\nlet y = u + w\n"


@pytest.mark.parametrize("decide, costs, closed", [
    ("Real by B knowing y", "cost B = (v - u)^2", True),
    ("Positive by B knowing y", "cost B = (v - u)^2", True),
    ("Real by B knowing y", "payoff B = (v - u) * x - v^2 * exp(x)", True),
    ("Real by B knowing y", "cost B = (v - u)^2\ncost B = 3 * v * x + 1", True),
    ("Real by B knowing y", "cost B = (v - u)^4", False),
    ("Real by B knowing y", "cost B = abs(v - u)", False),
    ("Real by B knowing y", "cost B = -(v - u)^2", False),
    ("Real by B knowing y", "cost B = v * u", False),
    ("Real by B knowing y mixed", "cost B = (v - u)^2", False),
    ("Real by B knowing y", "cost B = (v - u)^2\nwhen v > 1 {\n  cost B = 1\n}", False),
])
def test_what_is_recognised(decide, costs, closed):
    p = problem(f"{HEAD}decide v : {decide}\ncost A = u^2 + v^2\n{costs}\n")
    assert ("v" in forms(p)) == closed
    assert "u" not in forms(p), "the first mover is watched by the last"


def test_two_who_reply_to_each_other_are_not_both_closed():
    p = problem("game G\nplayer A, B\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ndecide v : Real by B knowing x\n"
                "cost A = (u - v - x)^2\ncost B = (v - 0.5 * u)^2\n")
    assert len(forms(p)) == 1


@pytest.mark.parametrize("type_, low", [("Real", -np.inf), ("Interval(-0.1, 0.6)", -0.1)])
def test_against_a_numerical_minimum(type_, low):
    """E[(v - x1)^2 (1 + x^2) + v | y] for a kinked encoder, minimised by scipy at several y."""
    p = problem(f"{HEAD}decide v : {type_} by B knowing y\ncost A = u^2\ncost B = (v - u)^2 * (1 + x^2) + v\n")
    assert "v" in forms(p)
    encoder = lambda x: jnp.where(x > 0, 1.5, -1.0) + 0.1 * x  # noqa: E731
    profile = {"u": rule(encoder), "v": BestResponse(forms(p)["v"].payments)}
    f = policy_function(p, profile, "v")
    ys = np.array([-2.0, -0.3, 0.4, 2.2])
    found = np.asarray(f(ys))
    for y, v in zip(ys, found, strict=True):
        def expected(v, y=y):
            def part(x):
                u = float(encoder(x))
                return ((v - u) ** 2 * (1 + x**2) + v) * norm.pdf(x) * norm.pdf(y - u)
            return quad(part, -8, 0)[0] + quad(part, 0, 8)[0]
        bounds = (-4, 4) if low == -np.inf else (-0.1, 0.6)
        best = minimize_scalar(expected, bounds=bounds, method="bounded", options={"xatol": 1e-7}).x
        assert v == pytest.approx(best, abs=5e-3)


def test_a_best_response_stays_when_somebody_deviates():
    """Under a deviation of A the reply function of B is the one to the profile, applied to the new observation."""
    p = problem(f"{HEAD}decide v : Real by B knowing y\ncost A = (v - 1)^2\ncost B = (v - u)^2\n")
    reply = BestResponse(forms(p)["v"].payments)
    world = information(p, {"u": rule(lambda x: x), "v": reply}, Resolution(60, 60, 400, 33))
    varied = world.vary({"u": constant(2.0)})
    # B goes on with v = y/2, so that v = (2 + w)/2 and E (v - 1)^2 = 1/4; a reply to the deviation would be v = 2.
    person = next(x for x in p.people if x.label == "A")
    assert float(p.cost(varied, person)) == pytest.approx(0.25, abs=1e-3)
    assert cost(p, world, "B") == pytest.approx(0.5, abs=1e-3)


# ------------------------------------------------------------ affine(), against SymPy

NAMES = ("x", "a", "b")
LEAVES: st.SearchStrategy[Expression] = st.one_of(st.sampled_from(NAMES).map(Reference),
                                                  st.sampled_from([0.0, 1.0, -2.0, 0.5]).map(Constant))
TREES = st.recursive(LEAVES, lambda s: st.one_of(
    st.builds(lambda f, a, b: Apply(f, (a, b)), st.sampled_from(["add", "sub", "mul", "div"]), s, s),
    st.builds(lambda e: Apply("neg", (e,)), s)), max_leaves=9)
MEANING = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b, "neg": lambda a: -a}


def symbolic(e: Expression):
    if isinstance(e, Reference):
        return sympy.Symbol(e.site)
    if isinstance(e, Constant):
        return sympy.nsimplify(e.value)
    return MEANING[e.function](*(symbolic(a) for a in e.arguments))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TREES)
def test_affine_parts(e):
    parts = affine(e, "x")
    if parts is None:
        return
    offset, slope = parts
    assert "x" not in references(offset) | references(slope)
    whole, rebuilt = symbolic(e), symbolic(offset) + symbolic(slope) * sympy.Symbol("x")
    if whole.has(sympy.zoo, sympy.nan) or rebuilt.has(sympy.zoo, sympy.nan):
        return
    assert sympy.simplify(whole - rebuilt) == 0


def test_affine_finds_sums_and_scales():
    """c1 * x + c2, however it is nested in sums, differences and constant factors, is found."""
    inner = Apply("add", (Apply("mul", (Constant(3.0), Reference("x"))), Reference("a")))
    whole = Apply("sub", (Apply("div", (inner, Constant(2.0))), Apply("neg", (Reference("b"),))))
    assert affine(whole, "x") is not None
    assert affine(Apply("mul", (Reference("x"), Reference("x"))), "x") is None
    assert affine(Apply("exp", (Reference("x"),)), "x") is None
    assert affine(Apply("div", (Constant(1.0), Reference("x"))), "x") is None
