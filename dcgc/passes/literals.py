"""Array literals, and reductions over written-out members."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce

from ..core.expression import Apply, Axis, Constant, Expression, Fold, Parameter, Stack
from ..core.folding import fold, number
from ..core.site import Game


def reduced(reduction: str, terms: list[tuple[Expression, Expression]], e: Fold) -> Expression:
    """A written-out reduction of (condition, body) terms."""
    neutral = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf}[reduction]
    word = {"sum": "add", "mean": "add", "prod": "mul", "max": "maximum", "min": "minimum"}[reduction]
    values = [b if number(c) == 1 else Apply("where", (c, b, Constant(neutral)), span=e.span) for c, b in terms]
    if not values:
        return Constant(float(neutral), span=e.span)
    total = reduce(lambda a, b: fold(Apply(word, (a, b), span=e.span)), values)
    if reduction != "mean":
        return total
    count = reduce(lambda a, b: fold(Apply("add", (a, b))), [c for c, _ in terms])
    return fold(Apply("div", (total, count), span=e.span))


def nest(parts: Mapping[tuple[int, ...], Expression], axes: tuple[Axis, ...], prefix: tuple[int, ...] = ()) -> Expression:
    """Entries by number as nested array literals."""
    if len(prefix) == len(axes):
        return parts[prefix]
    axis = axes[len(prefix)]
    return Stack(tuple(nest(parts, axes, (*prefix, k)) for k in range(axis.low, axis.low + axis.size)))


def constant_array(e: Expression, game: Game) -> tuple | float | None:
    """The value of an array literal of constants and parameters, else None."""
    if isinstance(e, Stack):
        parts = tuple(constant_array(i, game) for i in e.items)
        return None if any(p is None for p in parts) else parts  # type: ignore[return-value]
    if isinstance(e, Constant):
        return e.value
    if isinstance(e, Parameter):
        return game.parameters[e.name]
    if isinstance(e, Apply):
        new = fold(Apply(e.function, tuple(Constant(v) if (v := constant_array(a, game)) is not None else a
                                           for a in e.arguments)))
        return new.value if isinstance(new, Constant) else None
    return None
