"""Functions over an interval: ``integral(EXPR for p in [a, b])``, also mean, max, min, argmax and argmin."""

from __future__ import annotations

import math

from ..syntax import tree
from . import expressions
from .checked import ValueType
from .context import REAL, UNKNOWN, Checker, View
from .functions import OVER_INTERVALS
from .mistakes import names as N
from .mistakes import types as T


def apply(c: Checker, node: tree.Call, view: View) -> ValueType:
    """A call of a word that is a function of the language only with an interval: ``integral``, ``argmin``."""
    assert isinstance(node.function, tree.Name)
    argument = node.arguments[0].value if len(node.arguments) == 1 else None
    if isinstance(argument, tree.Comprehension) and isinstance(argument.domain, tree.ArrayLiteral):
        return infer(c, argument, argument.domain, node.function.name, view)
    name = node.function.name
    return c.report(T.NO_INTERVAL.at(node.span, name=name, what="an interval", more=f"write `{name}(EXPR for p in [a, b])`"))


def infer(c: Checker, node: tree.Comprehension, interval: tree.ArrayLiteral, name: str, view: View) -> ValueType:
    """The type of ``name(EXPR for p in [a, b])``: a number."""
    if name not in OVER_INTERVALS:
        more = "write `integral(EXPR for p in [a, b])`" if name == "sum" else f"{', '.join(OVER_INTERVALS)} do"
        return c.report(T.NO_INTERVAL.at(node.span, name=name, what="a family or a range such as 1..3", more=more))
    if len(interval.items) != 2:
        return c.report(T.NO_INTERVAL.at(interval.span, name=name, what="an interval `[a, b]` with two ends", more=""))
    if node.condition is not None:
        return c.report(T.NO_INTERVAL.at(node.condition.span, name=name, what="an interval without a condition",
                                         more="write the condition inside: `if COND then EXPR else 0`"))
    ends = [expressions.infer_scalar(c, end, view, "the end of an interval") for end in interval.items]
    low, high = (c.constant(end) for end in interval.items)
    for end, value in zip(interval.items, (low, high), strict=True):
        if isinstance(value, float) and not math.isfinite(value):
            return c.report(T.NO_INTERVAL.at(end.span, name=name, what="an interval with finite ends",
                                             more="end it where the rest no longer counts"))
    if name != "integral" and isinstance(low, float) and low == high:
        return c.report(T.NO_INTERVAL.at(interval.span, name=name, what="an interval that is more than a point", more=""))
    if hidden(c, node, view):
        return UNKNOWN
    body = expressions.infer_scalar(c, node.body, view.bind(**{node.binder: REAL}), f"what `{name}` takes")
    return UNKNOWN if "unknown" in (body.kind, *(end.kind for end in ends)) else REAL


def hidden(c: Checker, node: tree.Comprehension, view: View) -> bool:
    """Whether the index hides another name; reports it."""
    symbol = c.symbols.get(node.binder)
    taken = any(loop.binder == node.binder for loop in view.place.loops) or node.binder in view.locals
    if (symbol is None or symbol.kind == "stage") and not taken:
        return False
    kind = c.describe(node.binder).split(" ", 1)[1] if symbol is not None else "index"
    c.report(N.HIDES.at(node.span, name=node.binder, kind=kind))
    return True
