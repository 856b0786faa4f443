"""The functions of the language, each once: its name, its number of arguments, and what it means on constants.

An elementwise function has a meaning on floats (``scalar``) and one on numpy arrays (``array``, handed numpy so
that nothing here imports it); a reduction makes one number of an array; a form is known to the checker by name, because
its arguments are not plain values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

FunctionKind = Literal["elementwise", "reduction", "vector", "form"]


@dataclass(frozen=True)
class Function:
    """``most`` is None if any number of arguments will do."""

    name: str
    kind: FunctionKind
    least: int
    most: int | None
    scalar: Callable[..., float] | None = None
    array: Callable[..., Any] | None = None
    signature: str = "(x)"


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def _modulo(a: float, b: float) -> float:
    return a - b * math.floor(a / b)


def _clip(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)


def _fold(name: str) -> Callable[..., Any]:
    """The numpy function of two arguments, folded over several."""

    def folded(np: ModuleType, *arguments: Any) -> Any:
        result = arguments[0]
        for argument in arguments[1:]:
            result = getattr(np, name)(result, argument)
        return result

    return folded


def _softmax(np: ModuleType, x: Any) -> Any:
    weights = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return weights / np.sum(weights, axis=-1, keepdims=True)


def _ridge(np: ModuleType, features: Any, target: Any, penalty: Any) -> Any:
    """argmin_b |y - X b|^2 + lam |b|^2 (Hoerl and Kennard 1970)."""
    return np.linalg.solve(features.T @ features + penalty * np.eye(features.shape[1]), features.T @ target)


def _elementwise(
    name: str, scalar: Callable[..., float], array: Callable[..., Any], arity: int = 1, signature: str = "(x)"
) -> Function:
    return Function(name, "elementwise", arity, arity, scalar, array, signature)


def _reduction(name: str, scalar: Callable[..., float], array: Callable[..., Any]) -> Function:
    return Function(name, "reduction", 1, 1, scalar, array)


def _form(name: str, least: int, most: int | None, signature: str) -> Function:
    return Function(name, "form", least, most, signature=signature)


_ALL = (
    _elementwise("exp", math.exp, lambda np, x: np.exp(x)),
    _elementwise("log", math.log, lambda np, x: np.log(x)),
    _elementwise("sqrt", math.sqrt, lambda np, x: np.sqrt(x)),
    _elementwise("abs", abs, lambda np, x: np.abs(x)),
    _elementwise("sin", math.sin, lambda np, x: np.sin(x)),
    _elementwise("cos", math.cos, lambda np, x: np.cos(x)),
    _elementwise("tanh", math.tanh, lambda np, x: np.tanh(x)),
    _elementwise("sign", _sign, lambda np, x: np.sign(x)),
    _elementwise("floor", lambda x: float(math.floor(x)), lambda np, x: np.floor(x)),
    _elementwise("sigmoid", _sigmoid, lambda np, x: 0.5 * (1 + np.tanh(0.5 * x))),
    _elementwise("mod", _modulo, lambda np, a, b: np.mod(a, b), 2, "(a, b)"),
    _elementwise("clip", _clip, lambda np, x, low, high: np.clip(x, low, high), 3, "(x, lo, hi)"),
    # Of one argument max and min reduce, of several they work entry by entry.
    Function("max", "elementwise", 1, None, max, _fold("maximum"), "(x) or (x, y, ..)"),
    Function("min", "elementwise", 1, None, min, _fold("minimum"), "(x) or (x, y, ..)"),
    _reduction("sum", float, lambda np, x: np.sum(x)),
    _reduction("mean", float, lambda np, x: np.mean(x)),
    _reduction("prod", float, lambda np, x: np.prod(x)),
    _reduction("norm", abs, lambda np, x: np.sqrt(np.sum(x * x))),
    Function("dot", "vector", 2, 2, lambda a, b: a * b, lambda np, a, b: np.dot(a, b), "(a, b)"),
    Function("argmax", "vector", 1, 1, None, lambda np, x: np.argmax(x) + 1.0),
    Function("softmax", "vector", 1, 1, None, _softmax),
    Function("onehot", "vector", 1, 2, None, lambda np, k, n: np.eye(int(n))[np.asarray(k, int) - 1], "(k, n)"),
    Function("ridge", "vector", 3, 3, None, _ridge, "(X, y, lam)"),
    Function("kernel_ridge", "vector", 4, 4, signature="(x, y, lam, width)"),
    _form("mask", 2, 2, "(x, b)"),
    _form("size", 1, 1, "(Family)"),
    _form("sent", 1, 1, "(m)"),
    _form("history", 1, 1, "(x)"),
    _form("last", 2, 2, "(x, d)"),
    _form("rate", 1, 1, "(m)"),
    _form("cost", 1, 1, "(P)"),
    _form("payoff", 1, 1, "(P)"),
    _form("rule", 1, None, "(u, a, b, ..)"),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in _ALL}

# Of one argument these make a number of an array, so they also take ``EXPR for j in DOMAIN``.
REDUCERS: dict[str, Callable[..., Any]] = {
    "sum": lambda np, x: np.sum(x),
    "mean": lambda np, x: np.mean(x),
    "prod": lambda np, x: np.prod(x),
    "max": lambda np, x: np.max(x),
    "min": lambda np, x: np.min(x),
}


# With ``EXPR for p in [a, b]``: of a function over an interval. Those that are no functions of the language besides are not reserved.
OVER_INTERVALS = ("integral", "mean", "max", "min", "argmax", "argmin")


def counted(least: int, most: int | None) -> str:
    """A number of arguments in words."""
    if most is None:
        return f"{least} or more arguments"
    if least != most:
        return f"{least} to {most} arguments"
    return f"{least} argument{'' if least == 1 else 's'}" if least else "no arguments"
