"""Forms: functions of the language whose arguments are not plain values, each with a rule of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from ..syntax import tree
from . import expressions, indexing, players
from .checked import IndexDomain, ValueType
from .context import REAL, UNKNOWN, Checker, View
from .functions import counted
from .mistakes import knowledge as K
from .mistakes import names as N
from .mistakes import types as T
from .names import base_name, channel_named, value_of, wrong_shape
from .shapes import broadcast, shown, spread


def _mask(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    type = expressions.infer(c, arguments[0], view)
    condition = expressions.infer_bool(c, arguments[1], view, "the condition of `mask`")
    c.fix(arguments[1])
    if "unknown" in (type.kind, condition.kind):
        return UNKNOWN
    if broadcast(type.shape, condition.shape) != type.shape:
        return c.report(T.SHAPES.at(node.span, operator="mask", left=shown(type.shape), right=shown(condition.shape)))
    return type


def _size(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    argument = arguments[0]
    if isinstance(argument, tree.Name) and argument.name in c.families:
        c.used.add(argument.name)
        return REAL
    type = expressions.infer(c, argument, view)
    if type.kind != "unknown" and not type.shape:
        return wrong_shape(c, argument, "the argument of `size`", "a family or an array", type)
    return UNKNOWN if type.kind == "unknown" else REAL


def _sent(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    if channel_named(c, arguments[0]) is None:
        return UNKNOWN
    return expressions.infer(c, arguments[0], view)


def _past(c: Checker, node: tree.Call, function: str, view: View) -> tuple[ValueType, int | None] | None:
    """The type of one value of the argument of ``history`` or ``last``, and the number of stages."""
    argument = node.arguments[0].value
    name = base_name(argument)
    if name is None:
        c.report(K.NO_STAGES.at(argument.span, name=" ".join(argument.span.text.split()), function=function))
        return None
    frame = view.place.stage
    past = replace(view, past=True)
    symbol = c.symbols.get(name.name)
    if symbol is None and frame is not None and name.name in frame.coming:
        c.used.add(name.name)
        c.looked_ahead = True
        told = c.foretold.get(name.name)
        type, domains = (told.type or UNKNOWN, told.domains) if told is not None else (UNKNOWN, ())
        return _member_of(c, argument, type, domains, past), frame.length
    made = c.stages.get(name.name)
    if made is None and symbol is not None and symbol.kind == "state":
        made = frame or next((f for f in reversed(c.ended) if name.name in f.updated), c.ended[-1] if c.ended else None)
    if made is None and symbol is not None and symbol.kind == "channel" and frame is not None:
        made = frame
    if made is None and symbol is not None and symbol.kind == "channel" and c.channels[name.name].sends:
        made = c.channels[name.name].sends[0][1].stage
    if symbol is not None and made is None:
        c.used.add(name.name)
        c.report(K.NO_STAGES.at(name.span, name=name.name, function=function))
        return None
    type, domains = value_of(c, name, past)
    if type.kind == "unknown":
        return UNKNOWN, None
    return _member_of(c, argument, type, domains, past), made.length if made is not None else None


def _member_of(
    c: Checker, node: tree.Expression, type: ValueType, domains: tuple[IndexDomain, ...], view: View
) -> ValueType:
    """The type of ``x`` or ``x[i]`` when x has ``type`` for each member of ``domains``."""
    return indexing.select(c, node, type, domains, view) if isinstance(node, tree.Index) else spread(type, domains)


def _history(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    found = _past(c, node, "history", view)
    if found is None:
        return UNKNOWN
    type, length = found
    if type.kind == "unknown":
        return UNKNOWN
    if length is None:
        if view.role in ("report", "plot"):
            return UNKNOWN  # of a truncated horizon; its length is known only after the truncation
        return c.report(K.ENDLESS.at(node.span, name=" ".join(arguments[0].span.text.split())))
    shape = (length, *type.shape)
    if not c.bounded(math.prod(shape), "this history", node.span):
        return UNKNOWN
    return replace(type, shape=shape)


def _last(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    if view.place.stage is None:
        return c.report(K.OUTSIDE_STAGES.at(node.function.span, statement="last"))
    found = _past(c, node, "last", view)
    default = arguments[1]
    if found is None:
        return UNKNOWN
    type = found[0]
    if type.kind == "choice" and isinstance(default, tree.Name) and default.name in type.labels:
        return type
    if type.kind == "unknown" and isinstance(default, tree.Name) and indexing.is_unclaimed(c, default, view):
        return UNKNOWN  # a label of a Choice that comes later in the stage
    first = expressions.infer(c, default, view)
    if first.kind == "unknown":
        return type
    if type.kind == "unknown":
        return first if c.foretold else UNKNOWN  # a value made of its own past has the type that it starts with
    if broadcast(type.shape, first.shape) != type.shape:
        return c.report(
            T.STATE_SHAPE.at(
                default.span,
                what="the value in stage 1",
                left=shown(first.shape),
                other="the value in later stages",
                right=shown(type.shape),
            )
        )
    return type


def _rate(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    if view.role not in ("report", "plot"):
        return c.report(N.REPORT_OUTSIDE.at(node.span, name="rate"))
    return REAL if channel_named(c, arguments[0], attentions=True) is not None else UNKNOWN


def _account(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    assert isinstance(node.function, tree.Name)
    if view.role not in ("report", "plot"):
        return c.report(N.REPORT_OUTSIDE.at(node.span, name=node.function.name))
    who = players.resolve(c, arguments[0], view.place, "has this account", teams=True)
    return REAL if who is not None else UNKNOWN


def _rule(c: Checker, node: tree.Call, arguments: list[tree.Expression], view: View) -> ValueType:
    if view.role not in ("report", "plot"):
        return c.report(N.REPORT_OUTSIDE.at(node.span, name="rule"))
    types = [expressions.infer(c, argument, view) for argument in arguments[1:]]
    name = base_name(arguments[0])
    symbol = c.symbols.get(name.name) if name is not None else None
    if name is not None:
        c.used.add(name.name)
        if symbol is None:
            return c.unknown_name(name.name, name.span, ("decision", "channel"))
    if symbol is None or name is None or symbol.kind not in ("decision", "channel", "attention"):
        kind = c.describe(name.name) if name is not None else "an expression"
        return c.report(
            N.NOT_A_VALUE.at(
                arguments[0].span,
                name=" ".join(arguments[0].span.text.split()),
                kind=kind,
                more="`rule` is about a decision: `rule(u, a, b)`",
            )
        )
    inputs = c.inputs.get(name.name)
    if inputs is not None and len(types) != inputs:
        return c.report(
            N.WRONG_ARITY.at(
                node.span,
                function=f"rule({name.name}, ..)",
                given=len(types),
                wanted=f"{counted(inputs, inputs)} after `{name.name}`, one for each input",
                signature="",
            )
        )
    if isinstance(arguments[0], tree.Index):
        return indexing.select(c, arguments[0], symbol.type or UNKNOWN, symbol.domains, view)
    return spread(symbol.type or UNKNOWN, symbol.domains)


FORMS: dict[str, Callable[[Checker, tree.Call, list[tree.Expression], View], ValueType]] = {
    "mask": _mask,
    "size": _size,
    "sent": _sent,
    "history": _history,
    "last": _last,
    "rate": _rate,
    "cost": _account,
    "payoff": _account,
    "rule": _rule,
}
