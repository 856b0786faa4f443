"""Types as they are written: what ``Real[3]``, ``Interval(0, v)`` or ``Choice(left, right)`` is."""

from __future__ import annotations

from collections.abc import Callable

from ..source import Span, near_names
from ..syntax import tree
from . import expressions
from .checked import ValueType
from .context import UNKNOWN, Checker, View, written
from .functions import counted
from .mistakes import names as N
from .mistakes import types as T
from .vocabulary import BASES, TYPES

MOST_FUNCTION_BASIS = 10_000


def resolve_type(c: Checker, node: tree.Type | tree.FunctionType, view: View) -> ValueType:
    """The value type that a type stands for; UNKNOWN after a report."""
    if isinstance(node, tree.FunctionType):
        return _function(c, node, view)
    form = TYPES.get(node.name)
    if form is None or node.name == "Function":
        if form is not None:
            return c.report(T.TYPE_ARGUMENTS.at(node.span, name=node.name, signature=form.signature))
        return c.report(
            N.UNKNOWN_TYPE.at(
                node.span, name=node.name, known=", ".join(TYPES), near=near_names(node.name, tuple(TYPES))
            )
        )
    given = len(node.arguments)
    wrong = given < form.least or (form.most is not None and given > form.most) or (node.dims and not form.dims)
    if wrong:
        return c.report(T.TYPE_ARGUMENTS.at(node.span, name=node.name, signature=form.signature))
    dims = [c.size(dim, f"a size of {node.name}") for dim in node.dims]
    shape = tuple(dim for dim in dims if dim is not None)
    if len(shape) < len(dims):
        return UNKNOWN
    return _RESOLVERS[node.name](c, node, shape, view)


def _number(value: float, span: Span) -> tree.Number:
    return tree.Number(value, str(int(value)), span=span)


def _real(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    return ValueType("real", shape, type=node)


def _positive(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    return ValueType("real", shape, low=_number(0, node.span), type=node)


def _unit(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    return ValueType("real", shape, low=_number(0, node.span), high=_number(1, node.span), type=node)


def _bool(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    return ValueType("bool", shape, type=node)


def _interval(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    low, high = node.arguments
    for end in (low, high):
        if expressions.infer_scalar(c, end, view, "the end of an interval").kind == "unknown":
            return UNKNOWN
    bottom, top = c.constant(low), c.constant(high)
    if isinstance(bottom, float) and isinstance(top, float) and bottom > top:
        return c.report(T.EMPTY_INTERVAL.at(node.span, low=written(bottom), high=written(top)))
    return ValueType("real", shape, low=low, high=high, type=node)


def _choice(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    labels = tuple(argument.name for argument in node.arguments if isinstance(argument, tree.Name))
    if len(node.arguments) > 1:
        if len(labels) < len(node.arguments):
            return c.report(T.TYPE_ARGUMENTS.at(node.span, name="Choice", signature=TYPES["Choice"].signature))
        for position, label in enumerate(labels):
            if label in labels[:position]:
                return c.report(N.TWICE.at(node.arguments[position].span, name=label, kind="label"))
        return ValueType("choice", (len(labels),), len(labels), labels, type=node)
    size = c.size(node.arguments[0], "the number of choices", most=1_000_000)
    return UNKNOWN if size is None else ValueType("choice", (size,), size, type=node)


def _simplex(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    size = c.size(node.arguments[0], "the size of a Simplex")
    return UNKNOWN if size is None else ValueType("real", (size,), simplex=True, type=node)


def _tokens(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    length = c.size(node.arguments[0], "the number of tokens", most=100_000)
    size = c.size(node.arguments[1], "the size of the alphabet", most=1_000_000)
    if length is None or size is None or not c.bounded(length * size, "this message", node.span):
        return UNKNOWN
    return ValueType("tokens", (length, size), size, type=node)


def _message(c: Checker, node: tree.Type, shape: tuple[int, ...], view: View) -> ValueType:
    length = c.size(node.arguments[0], "the number of tokens")
    width = c.size(node.arguments[1], "the width of a token")
    if length is None or width is None or not c.bounded(length * width, "this message", node.span):
        return UNKNOWN
    return ValueType("message", (length, width), type=node)


_RESOLVERS: dict[str, Callable[[Checker, tree.Type, tuple[int, ...], View], ValueType]] = {
    "Real": _real,
    "Positive": _positive,
    "Unit": _unit,
    "Interval": _interval,
    "Bool": _bool,
    "Choice": _choice,
    "Simplex": _simplex,
    "Tokens": _tokens,
    "Message": _message,
}


def _function(c: Checker, node: tree.FunctionType, view: View) -> ValueType:
    for part in (node.domain, node.codomain):
        if part.name not in ("Real", "Positive", "Unit") or part.arguments:
            if part.name in TYPES:
                return c.report(T.TYPE_ARGUMENTS.at(part.span, name="Function", signature=TYPES["Function"].signature))
            return c.report(
                N.UNKNOWN_TYPE.at(
                    part.span, name=part.name, known=", ".join(TYPES), near=near_names(part.name, tuple(TYPES))
                )
            )
    domain, codomain = resolve_type(c, node.domain, view), resolve_type(c, node.codomain, view)
    if "unknown" in (domain.kind, codomain.kind) or not _basis(c, node.basis):
        return UNKNOWN
    return ValueType("function", codomain.shape, low=codomain.low, high=codomain.high, type=node)


def _basis(c: Checker, node: tree.Expression) -> bool:
    """Check the basis of a Function: its name and its numbers."""
    name = node.function if isinstance(node, tree.Call) else node
    arguments = node.arguments if isinstance(node, tree.Call) else ()
    if not isinstance(name, tree.Name) or name.name not in BASES:
        text = " ".join(name.span.text.split())
        c.report(N.BAD_CLAUSE.at(name.span, name=text, known=", ".join(BASES), near=near_names(text, tuple(BASES))))
        return False
    wanted = BASES[name.name]
    if len(arguments) != wanted:
        signature = {0: "", 1: "(n)", 3: "(n, lo, hi)"}[wanted]
        c.report(
            N.WRONG_ARITY.at(
                node.span,
                function=name.name,
                wanted=counted(wanted, wanted),
                given=len(arguments),
                signature=signature,
            )
        )
        return False
    if arguments and c.size(arguments[0].value, f"the size of {name.name}", most=MOST_FUNCTION_BASIS) is None:
        return False
    ends = [c.demand(argument.value, "the range of a basis") for argument in arguments[1:]]
    if any(end is None for end in ends):
        return False
    if len(ends) == 2 and not (isinstance(ends[0], float) and isinstance(ends[1], float) and ends[0] < ends[1]):
        c.report(T.EMPTY_INTERVAL.at(node.span, low=written(ends[0] or 0.0), high=written(ends[1] or 0.0)))
        return False
    return True
