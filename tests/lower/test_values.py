"""What every operator and function of the contract is worth, against numpy: at draws (traced), and folded as constants."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_games import natural, problem, sampled

XS, YS = (-2.5, -1.0, 0.0, 0.5, 3.0), (-1.5, 0.5, 1.0, 2.0)
TAIL = "\nplayer A\ndecide u : Real by A knowing nothing\ncost A = u^2 + 0 * sum(z)\n"
NATURE = f"random x ~ Discrete([{', '.join(map(str, XS))}], [0.1, 0.2, 0.3, 0.2, 0.2])\n" \
         f"random y ~ Discrete([{', '.join(map(str, YS))}], [0.1, 0.2, 0.3, 0.4])\n"
X, Y = (a.T for a in np.meshgrid(XS, YS))

SCALARS = {
    "x + y": X + Y, "x - y": X - Y, "x * y": X * Y, "x / y": X / Y, "-x": -X + 0 * Y, "+x": X + 0 * Y,
    "x ^ 2": X**2 + 0 * Y, "x ** 3": X**3 + 0 * Y, "-x ^ 2": -(X**2) + 0 * Y, "2 ^ 3 ^ 0.5": 2 ** (3**0.5) + 0 * X,
    "y ^ -1": 1 / Y + 0 * X, "(y^2) ^ 0.5": np.abs(Y) + 0 * X, "(x^2 + 1) ^ y": (X**2 + 1) ** Y,
    "(x + 3) ^ 1.5": (X + 3) ** 1.5 + 0 * Y,
    "x < y": X < Y, "x <= y": X <= Y, "x > y": X > Y, "x >= y": X >= Y, "x == y": X == Y, "x != y": X != Y,
    "x > 0 and y > 0": (X > 0) & (Y > 0), "x > 0 or y > 0": (X > 0) | (Y > 0), "not (x > 0)": ~(X > 0) | (0 * Y > 1),
    "if x > y then x else 2 * y": np.where(X > Y, X, 2 * Y),
    "if x > 0 then if y > 0 then 1 else 2 else 3": np.where(X > 0, np.where(Y > 0, 1, 2), 3),
    "exp(x)": np.exp(X) + 0 * Y, "log(x^2 + y^2)": np.log(X**2 + Y**2), "sqrt(x^2)": np.abs(X) + 0 * Y, "abs(x)": np.abs(X) + 0 * Y,
    "sin(x)": np.sin(X) + 0 * Y, "cos(x)": np.cos(X) + 0 * Y, "tanh(x)": np.tanh(X) + 0 * Y, "sign(x)": np.sign(X) + 0 * Y,
    "floor(x)": np.floor(X) + 0 * Y, "mod(x, y)": X - Y * np.floor(X / Y), "mod(x, 2)": X - 2 * np.floor(X / 2) + 0 * Y,
    "clip(x, -1, 1)": np.clip(X, -1, 1) + 0 * Y, "clip(x, -1, y + 1)": np.minimum(np.maximum(X, -1), Y + 1),
    "min(x, y)": np.minimum(X, Y), "max(x, y)": np.maximum(X, Y), "max(x, y, 0)": np.maximum(np.maximum(X, Y), 0),
    "min(x, y, 0, 1)": np.minimum(np.minimum(X, Y), 0), "sigmoid(x)": 1 / (1 + np.exp(-X)) + 0 * Y,
    "sum([x, y, 1])": X + Y + 1, "mean([x, y, 1])": (X + Y + 1) / 3, "prod([x, y, 2])": 2 * X * Y, "max([x, y])": np.maximum(X, Y),
    "min([x, y])": np.minimum(X, Y), "norm([x, y])": np.hypot(X, Y), "dot([x, y], [1, 2])": X + 2 * Y,
    "argmax([x, y])": np.where(X >= Y, 1, 2), "softmax([x, y])[1]": np.exp(X) / (np.exp(X) + np.exp(Y)),
    "[x, y, 7][2]": Y + 0 * X, "[[x, y], [1, 2]][1, 2]": Y + 0 * X, "dot([[1, x], [y, 2]], [x, y])[2]": X * Y + 2 * Y,
    "sum([[x, y], [1, 2]])": X + Y + 3, "max([[x, y], [1, 2]])": np.maximum(np.maximum(X, Y), 2),
    "sum(x * k for k in 1..4)": 10 * X + 0 * Y, "prod(y + k for k in 1..3)": (Y + 1) * (Y + 2) * (Y + 3) + 0 * X,
    "max(x * k for k in 1..3)": np.maximum(X, 3 * X) + 0 * Y, "min(x * k for k in 2..3)": np.minimum(2 * X, 3 * X) + 0 * Y,
    "mean(x^k for k in 1..2)": (X + X**2) / 2 + 0 * Y, "sum(k for k in 1..4 if k != 2)": 8 + 0 * X,
    "sum(k for k in 1..4 if x > 1)": np.where(X > 1, 10, 0) + 0 * Y,
    "mean(k * y for k in 1..4 if k > 2)": 3.5 * Y + 0 * X,
    "mean(k for k in 1..4 if k > x)": np.where(X >= 3, 4, np.where(X == 0.5, 2.5, 2.5)) + 0 * Y,
    "sum(x * k for k in 1..12)": 78 * X + 0 * Y, "mean(k * y for k in 1..12 if k > 2)": 7.5 * Y + 0 * X,
    "max(k * x for k in 1..12 if k < 11)": np.maximum(X, 10 * X) + 0 * Y, "sum(sum(j * k for j in 1..2) for k in 1..2)": 9 + 0 * X,
    "x * pi": math.pi * X + 0 * Y, "true + false": 1 + 0 * X, "(x > 0) * y": (X > 0) * Y, "2 * (x > y) - 1": 2 * (X > Y) - 1,
}


def lets(texts) -> str:
    """One game with all the texts, each a let of its own, spread over both draws or parameters."""
    return "".join(f"let w{i} = {t}\nlet z{i} = w{i} + 0 * x + 0 * y\n" for i, t in enumerate(texts)) + TAIL.replace("sum(z)", "z0")


@pytest.fixture(scope="module")
def at_draws():
    return natural(problem(f"game G\n{NATURE}" + lets(SCALARS)), {})


@pytest.mark.parametrize("text", SCALARS)
def test_scalar_expressions_at_draws(at_draws, text):
    found = at_draws.value(f"z{list(SCALARS).index(text)}").data
    assert np.allclose(found, SCALARS[text].astype(float), rtol=1e-12, atol=1e-12)


ROW, COLUMN = 4, 1


@pytest.fixture(scope="module")
def of_parameters():
    return natural(problem(f"game G\nparam x = {XS[ROW]}\nparam y = {YS[COLUMN]}\n" + lets(SCALARS)), {})


@pytest.fixture(scope="module")
def written_out():
    def constant(t: str) -> str:
        return re.sub(r"\bx\b", f"({XS[ROW]})", re.sub(r"\by\b", f"({YS[COLUMN]})", t))

    return natural(problem("game G\nparam x = 0\nparam y = 0\n" + lets([constant(t) for t in SCALARS])), {})


@pytest.mark.parametrize("text", SCALARS)
def test_scalar_expressions_of_parameters_and_constants(of_parameters, written_out, text):
    """The same at one point, once with parameters and once written out (folded)."""
    for world in (of_parameters, written_out):
        found = world.value(f"z{list(SCALARS).index(text)}").data
        assert np.allclose(found, float(SCALARS[text][ROW, COLUMN]), rtol=1e-12)


ARRAYS = {
    "[x, y] + 1": np.stack([X + 1, Y + 1], -1), "[x, y] * [y, x]": np.stack([X * Y, X * Y], -1),
    "[[1, 2], [3, 4]] * [x, y]": np.stack([np.stack([X, 2 * Y], -1), np.stack([3 * X, 4 * Y], -1)], -2),
    "exp([x, y])": np.exp(np.stack([X, Y], -1)), "[x, y] > 0": np.stack([X > 0, Y > 0], -1),
    "if [x, y] > 0 then [x, y] else 0": np.maximum(np.stack([X, Y], -1), 0),
    "dot([[1, x], [y, 2]], [x, y])": np.stack([X + X * Y, X * Y + 2 * Y], -1),
    "dot([[1, x], [y, 2]], [[0, 1], [1, 0]])": np.stack([np.stack([X, 1 + 0 * X], -1), np.stack([2 + 0 * X, Y], -1)], -2),
    "softmax([x, y, 0])": np.exp(np.stack([X, Y, 0 * X], -1)) / np.exp(np.stack([X, Y, 0 * X], -1)).sum(-1, keepdims=True),
    "[[x, y], [1, 2]][1]": np.stack([X, Y], -1), "[[x, y], [1, 2]][all, 1]": np.stack([X, 1 + 0 * X], -1),
    "max([x, y], [0, 1])": np.stack([np.maximum(X, 0), np.maximum(Y, 1)], -1), "clip([x, y], 0, 1)": np.clip(np.stack([X, Y], -1), 0, 1),
}


@pytest.mark.parametrize("text", ARRAYS)
def test_array_expressions(text):
    p = problem(f"game G\n{NATURE}let w = {text}\nlet z = w + 0 * x + 0 * y{TAIL}")
    world = natural(p, {})
    parts = [world.value(s.name).data for s in p.game.sites if s.name == "z" or s.name.startswith("z(")]  # small vectors fall into entries
    found = parts[0] if len(parts) == 1 else np.stack(np.broadcast_arrays(*parts), -1)
    assert np.allclose(found, ARRAYS[text].astype(float), rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------ random expressions, text and meaning side by side

def leaf(text, f):
    return st.just((text, f))


def binary(t, a, b):
    forms = {"+": np.add, "-": np.subtract, "*": np.multiply, "min": np.minimum, "max": np.maximum, "<": np.less, ">=": np.greater_equal}
    word = f"{t}({a[0]}, {b[0]})" if t in ("min", "max") else f"({a[0]} {t} {b[0]})"
    return word, lambda x, y: forms[t](a[1](x, y), b[1](x, y)).astype(float)


def branch(c, a, b):
    return f"(if {c[0]} > 0.25 then {a[0]} else {b[0]})", lambda x, y: np.where(c[1](x, y) > 0.25, a[1](x, y), b[1](x, y))


def unary(t, a):
    forms = {"abs": np.abs, "tanh": np.tanh, "floor": np.floor, "-": np.negative, "sign": np.sign}
    return (f"(-{a[0]})" if t == "-" else f"{t}({a[0]})"), lambda x, y: forms[t](a[1](x, y))


LEAVES = st.one_of(leaf("x", lambda x, y: x), leaf("y", lambda x, y: y),
                   st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]).map(lambda c: (f"{c}", lambda x, y: c + 0 * x)))
TREES = st.recursive(LEAVES, lambda s: st.one_of(
    st.builds(binary, st.sampled_from(["+", "-", "*", "min", "max", "<", ">="]), s, s), st.builds(branch, s, s, s),
    st.builds(unary, st.sampled_from(["abs", "tanh", "floor", "-", "sign"]), s)), max_leaves=8)


@pytest.mark.study
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(TREES, min_size=4, max_size=4))
def test_random_expressions(trees):
    lets = "".join(f"let z{i} = {t} + 0 * x + 0 * y\n" for i, (t, _) in enumerate(trees))
    p = problem(f"game G\n{NATURE}{lets}{TAIL.replace('sum(z)', 'z0 + 0 * z1 + 0 * z2 + 0 * z3')}")
    world = natural(p, {})
    for i, (text, meaning) in enumerate(trees):
        assert np.allclose(world.value(f"z{i}").data, meaning(X, Y), rtol=1e-10, atol=1e-9), text


def test_the_mean_over_the_others_is_that_of_all_but_ones_own():
    p = problem("game G\nparam N : int = 12\nplayer P[N]\nfor i in P { random x[i] ~ Normal(i, 1) }\n"
                "for i in P { let m[i] = mean(x[others]) }\n"
                "for i in P { decide d[i] : Real by P[i] knowing nothing }\nfor i in P { cost P[i] = (d[i] - m[i])^2 }")
    world = sampled(p, {}, 64)
    x, m = np.asarray(world.value("x").data), np.asarray(world.value("m").data)
    np.testing.assert_allclose(m, (x.sum(-1, keepdims=True) - x) / 11, atol=1e-12)
