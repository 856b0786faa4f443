"""Decisions and messages that are whole functions: vectors of coefficients, and what applying them means.

affine: intercept and slope. poly(n): the coefficients of the powers 0..n of the argument as it is. rbf(n, lo, hi): the weights of n bells
exp(-z^2 / 2) with centres equally spaced on [lo, hi], one spacing wide (Broomhead and Lowe 1988). mlp(n): one hidden layer of n tanh
units: n slopes, n places, n weights and a constant. kernel: what `kernel_ridge` found, a row for each of its n points: the weight, the
width, and where the point lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..source import Span
from ..syntax import tree
from .expression import Apply, Constant, Expression, Select

HIGHEST_POWER = 8  # highest power that becomes plain arithmetic, which other parts of the compiler can see through


@dataclass(frozen=True)
class Basis:
    """``size``: the n of the text; ``low``, ``high``: where the bells of an rbf stand; ``least``, ``most``: bounds of the function's
    values (None: unbounded). ``dimension``: of a kernel's arguments, where they are vectors."""

    name: str
    size: int = 1
    low: float = 0.0
    high: float = 1.0
    least: float | None = None
    most: float | None = None
    dimension: int | None = None

    @property
    def coefficients(self) -> int:
        """How many numbers the function is."""
        return {"affine": 2, "poly": self.size + 1, "rbf": self.size, "mlp": 3 * self.size + 1,
                "kernel": self.size * (2 + (self.dimension or 1))}[self.name]

    @property
    def text(self) -> str:
        inside = {"affine": "", "poly": f"({self.size})", "rbf": f"({self.size}, {self.low:g}, {self.high:g})", "mlp": f"({self.size})"}
        return f"Function({self.name}{inside[self.name]})"


BOUNDS = {"Real": (None, None), "Positive": (0.0, None), "Unit": (0.0, 1.0)}


def basis_of(t: tree.FunctionType, constant: Callable[[tree.Expression], float]) -> Basis | None:
    """The basis of a checked type; None where the function is not one of a number, with a number as its value."""
    if t.domain.dims or t.codomain.dims:
        return None
    word = t.basis.function if isinstance(t.basis, tree.Call) else t.basis
    assert isinstance(word, tree.Name)
    numbers = [constant(a.value) for a in t.basis.arguments] if isinstance(t.basis, tree.Call) else []
    ends = (numbers[1], numbers[2]) if word.name == "rbf" else (0.0, 1.0)
    return Basis(word.name, round(numbers[0]) if numbers else 1, *ends, *BOUNDS[t.codomain.name])


def applied(basis: Basis, function: Expression, x: Expression, span: Span) -> Expression:
    """The value of the function with these coefficients at ``x``."""
    value = unbounded(basis, function, x, span)
    if basis.least is not None:
        value = Apply("maximum", (value, Constant(basis.least)), span=span)
    return value if basis.most is None else Apply("minimum", (value, Constant(basis.most)), span=span)


def unbounded(basis: Basis, function: Expression, x: Expression, span: Span) -> Expression:
    if basis.name == "rbf":
        return Apply("bells", (function, x, Constant(basis.low), Constant(basis.high)), span=span)
    if basis.name == "kernel":
        return Apply("kernel_at" if basis.dimension is None else "kernel_at_vector", (function, x), span=span)
    if basis.name == "mlp":
        return Apply("hidden_layer", (function, x), span=span)
    degree = basis.coefficients - 1
    if degree > HIGHEST_POWER:
        return Apply("polynomial", (function, x), span=span)
    powers = [Select(function, (Constant(float(k + 1)),), (False,), span=span) for k in range(degree + 1)]
    value: Expression = powers[-1]
    for c in reversed(powers[:-1]):  # Horner's rule
        value = Apply("add", (c, Apply("mul", (value, x), span=span)), span=span)
    return value
