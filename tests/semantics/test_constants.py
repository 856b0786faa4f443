"""Constant expressions have their values, or say why they have none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dcgc.semantics.constants import ConstantError, NotConstant, evaluate
from dcgc.semantics.functions import FUNCTIONS
from dcgc.source import Ledger, Source
from dcgc.syntax import parse, tree

ENVIRONMENT = {"n": 3.0, "v": (1.0, 2.0, 4.0), "A": np.array([[1.0, 2.0], [3.0, 4.0]])}


def expression(text: str) -> tree.Expression:
    statement = parse(Source("t", f"game G\nlet y = {text}\n"), Ledger()).statements[1]
    assert isinstance(statement, tree.Let)
    return statement.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 ^ 2", 19),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("2 ^ 3 ^ 2", 512),
        ("n / 2", 1.5),
        ("3 == n and n > 2", 1),
        ("not n < 2 or false", 1),
        ("if n > 2 then 5 else 1 / 0", 5),
        ("mod(-1, 3)", 2),
        ("clip(7, 0, n)", 3),
        ("50%", 0.5),
        ("sum(v)", 7),
        ("mean(v)", 7 / 3),
        ("prod(v)", 8),
        ("max(v)", 4),
        ("min(n, 5, 1)", 1),
        ("dot(v, v)", 21),
        ("norm([3, 4])", 5),
        ("argmax(v)", 3),
        ("v[2] + A[2, 1]", 5),
        ("size(v)", 3),
        ("size(F)", 5),
        ("floor(-0.5)", -1),
        ("sum(j ^ 2 for j in 1..n if j != 2)", 10),
        ("sum(1 for j in F)", 5),
        ("exp(0) + log(exp(1)) + sqrt(4)", 4),
        ("sign(-3) + abs(-3) + tanh(0) + sin(0) + cos(0)", 3),
        ("sigmoid(0)", 0.5),
        ("pi", math.pi),
        ("square(n) + 1", 10),
        ("[1, 2] + [[10], [20]]", [[11, 12], [21, 22]]),
        ("softmax([0, 0])", [0.5, 0.5]),
        ("onehot(2, 3)", [0, 1, 0]),
        ("max(v, 2)", [2, 2, 4]),
        ("A[all, 1]", [1, 3]),
        ("v > 1", [0, 1, 1]),
        ("if v > 1 then v else 0", [0, 2, 4]),
        ("dot(A, [1, 1])", [3, 7]),
        ("ridge([[1, 0], [0, 1]], [2, 4], 1)", [1, 2]),
        ("1 / v", [1, 0.5, 0.25]),
    ],
)
def test_value(text: str, value: object) -> None:
    square = parse(Source("t", "game G\ndef square(z) = z * z\n"), Ledger()).statements[1]
    assert isinstance(square, tree.Def)
    got = evaluate(expression(text), ENVIRONMENT, {"square": square}, {"F": 5})
    np.testing.assert_allclose(got, value, rtol=1e-12)
    assert isinstance(got, float) == np.isscalar(value)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "1 / (v - 1)",
        "log(0)",
        "sqrt(-1)",
        "(-1) ^ 0.5",
        "10 ^ 400",
        "v + [1, 2]",
        "v[4]",
        "v[0]",
        "v[1.5]",
        "v[1, 1]",
        "exp(1000)",
        "[1, [2]]",
        "[[1, 2], [3]]",
        "max(sum(j for j in 1..10^9))",
    ],
)
def test_no_value(text: str) -> None:
    with pytest.raises(ConstantError):
        evaluate(expression(text), ENVIRONMENT)


def test_what_is_not_fixed_is_named() -> None:
    with pytest.raises(NotConstant) as error:
        evaluate(expression("n + 2 * w"), ENVIRONMENT)
    assert error.value.span.text == "w"


@pytest.mark.parametrize("function", [f for f in FUNCTIONS.values() if f.scalar and f.array], ids=lambda f: f.name)
def test_scalar_and_array_meanings_agree(function) -> None:  # type: ignore[no-untyped-def]
    for start in (0.3, 0.9, 1.7):
        arguments = [
            start + 0.5 * k for k in range(max(function.least, 2) if function.most is None else function.least)
        ]
        on_array = function.array(np, *(np.array([a]) for a in arguments))
        np.testing.assert_allclose(function.scalar(*arguments), np.ravel(on_array)[0], rtol=1e-12)
