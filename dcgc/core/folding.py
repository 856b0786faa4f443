"""Constant folding on core expressions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from ..core.expression import Apply, Constant, Expression

FOLDABLE: Mapping[str, Callable[..., float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg, "div": operator.truediv,
    "pow": operator.pow, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq,
    "ne": operator.ne, "and": lambda a, b: bool(a) and bool(b), "or": lambda a, b: bool(a) or bool(b),
    "not": lambda a: not a, "mod": lambda a, b: a - b * math.floor(a / b), "abs": abs, "maximum": max, "minimum": min,
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt,
}

ZERO, ONE = Constant(0.0), Constant(1.0)


def number(e: Expression) -> float | None:
    """The value of a scalar constant, else None."""
    return float(e.value) if isinstance(e, Constant) and not isinstance(e.value, tuple) else None


def fold(e: Apply) -> Expression:
    """The expression with constant arithmetic done and neutral elements dropped."""
    values = [number(a) for a in e.arguments]
    if e.function in FOLDABLE and all(v is not None for v in values):
        try:
            result = FOLDABLE[e.function](*values)
        except (ArithmeticError, ValueError):
            return e
        return Constant(float(result), span=e.span) if isinstance(result, (int, float)) else e
    if e.function == "where" and values[0] is not None:
        return e.arguments[1] if values[0] else e.arguments[2]
    if len(values) == 2:
        left, right = e.arguments
        if e.function == "add" and values[0] == 0:
            return right
        if e.function in ("add", "sub") and values[1] == 0:
            return left
        if e.function == "mul" and 1.0 in values:
            return right if values[0] == 1 else left
        if e.function == "div" and values[1] == 1:
            return left
    return e
