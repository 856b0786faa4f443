"""Functions whose derivative matters where their value alone would hide a NaN."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.core.expression import Apply, Constant
from dcgc.core.folding import FOLDABLE, fold
from dcgc.core.shapes import COMPARISONS, ELEMENTWISE, LOGIC, REDUCTIONS
from dcgc.primitives import functions


@pytest.mark.parametrize("exponent", [-2, -1, 0, 1, 2, 3, 5, 0.5, 1.5, 2.5])
def test_fixed_powers(exponent):
    f = functions.fixed_power(exponent)
    for x in (0.3, 1.0, 2.5):
        assert float(f(jnp.asarray(x))) == pytest.approx(x**exponent)
        assert float(jax.grad(f)(x)) == pytest.approx(exponent * x ** (exponent - 1))
    if exponent == int(exponent):
        assert float(f(jnp.asarray(-1.5))) == pytest.approx((-1.5) ** exponent)
        assert float(jax.grad(f)(-1.5)) == pytest.approx(exponent * (-1.5) ** (exponent - 1))
    if exponent >= 0:
        assert np.isfinite(float(jax.grad(f)(0.0))), "a power of zero must not turn a gradient into NaN"


def test_the_root_has_a_finite_gradient_at_zero_and_no_value_below():
    assert float(functions.safe_sqrt(jnp.asarray(0.0))) == 0
    assert float(jax.grad(functions.safe_sqrt)(0.0)) == 0
    assert np.isnan(float(functions.safe_sqrt(jnp.asarray(-1.0))))
    assert float(jax.grad(functions.safe_sqrt)(4.0)) == 0.25


def test_the_norm_has_a_gradient_at_nothing():
    assert np.all(np.isfinite(np.asarray(jax.grad(lambda x: functions.WHOLE["norm"](x))(jnp.zeros(3)))))


@pytest.mark.parametrize("a", [0.0, 1.0])
@pytest.mark.parametrize("b", [0.0, 1.0])
def test_logic_on_events(a, b):
    assert float(functions.LOGIC["and"](a, b)) == (a and b)
    assert float(functions.LOGIC["or"](a, b)) == (a or b)
    assert float(functions.LOGIC["not"](a)) == 1 - a


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(0, 1), st.floats(0, 1))
def test_logic_on_probabilities_of_independent_events(p, q):
    both, either = functions.LOGIC["and"](p, q), functions.LOGIC["or"](p, q)
    assert float(both) == pytest.approx(p * q)
    assert float(either) == pytest.approx(1 - (1 - p) * (1 - q))


def test_every_function_of_the_core_has_a_meaning():
    """Each name in the core's tables of shapes is computed by some table of the lowering."""
    from dcgc.lower.evaluate import JUMPS

    known = {*functions.ELEMENTWISE, *functions.LOGIC, *functions.WHOLE, *JUMPS, "where", "dot", "softmax"}
    assert {*ELEMENTWISE, *COMPARISONS, *LOGIC, *REDUCTIONS} <= known


NUMBERS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(set(FOLDABLE) & set(functions.ELEMENTWISE))), NUMBERS, NUMBERS)
def test_folding_agrees_with_the_numbers(name, a, b):
    """What the compiler folds is what the program would have computed."""
    unary = name in ("neg", "abs", "exp", "log", "sqrt")
    arguments = (Constant(a),) if unary else (Constant(a), Constant(b))
    folded = fold(Apply(name, arguments))
    if not isinstance(folded, Constant):
        return  # left to the program
    computed = float(functions.ELEMENTWISE[name](*(jnp.asarray(x.value) for x in arguments)))
    assert folded.value == pytest.approx(computed, nan_ok=True)


X = Apply("abs", (Constant((1.0, 2.0)),))  # something that is not folded


@pytest.mark.parametrize("e, expected", [
    (Apply("add", (Constant(0.0), X)), X), (Apply("sub", (X, Constant(0.0))), X), (Apply("mul", (Constant(1.0), X)), X),
    (Apply("mul", (X, Constant(1.0))), X), (Apply("div", (X, Constant(1.0))), X),
    (Apply("where", (Constant(1.0), X, Constant(2.0))), X), (Apply("where", (Constant(0.0), X, Constant(2.0))), Constant(2.0)),
])
def test_neutral_elements_are_dropped(e, expected):
    assert fold(e) == expected


def test_what_is_undefined_is_not_folded():
    for e in (Apply("div", (Constant(1.0), Constant(0.0))), Apply("log", (Constant(0.0),)), Apply("pow", (Constant(-1.0), Constant(0.5)))):
        assert fold(e) == e
