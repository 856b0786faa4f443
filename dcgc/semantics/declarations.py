"""Params, functions, players and teams: what a game declares before anybody moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..source import Span
from ..syntax import tree
from . import expressions, players
from .checked import Constant, ParamInfo, PlayerInfo, TeamInfo, ValueType, shape_of
from .context import MOST_MEMBERS, UNKNOWN, Checker, Place, View, names_of, written
from .distributions import entries
from .mistakes import missing as M
from .mistakes import names as N
from .mistakes import parameters as P
from .mistakes import types as T

MOST_SETTING_ENTRIES = 1_000_000


def check_param(c: Checker, node: tree.Param, place: Place) -> None:
    view = View(place)
    type = expressions.infer_number(c, node.value, view)
    value = c.demand(node.value, f"the parameter `{node.name}`") if type.kind != "unknown" else None
    depends: set[str] = {node.name}
    for name in names_of(node.value):
        depends |= c.depends.get(name, frozenset())
    span = node.value.span
    if node.name in c.settings and value is not None:
        span = node.name_span
        value = _replaced(c, node, value)
        depends = {node.name}
    if not c.declare(node.name, "param", node.name_span, UNKNOWN) or value is None:
        return
    symbol = c.symbols[node.name]
    c.symbols[node.name] = replace(symbol, type=ValueType("bool" if type.kind == "bool" else "real", shape_of(value)))
    numbers = entries(value)
    if not all(math.isfinite(number) for number in numbers):
        c.report(P.NOT_FINITE.at(span, name=node.name))
        return
    for number in numbers:
        if node.integer and not number.is_integer():
            c.report(P.NOT_WHOLE.at(span, name=node.name, value=written(number)))
            return
    if node.interval is not None:
        _check_range(c, node, node.interval, numbers, span)
    if node.integer:
        c.whole.add(node.name)
    c.constants[node.name] = value
    c.depends[node.name] = frozenset(depends)
    c.params[node.name] = ParamInfo(node.name, value, node.integer, False, node.name_span)


def _check_range(c: Checker, node: tree.Param, interval: tree.Interval, numbers: Sequence[float], span: Span) -> None:
    low = c.demand(interval.low, "the range of a parameter")
    high = c.demand(interval.high, "the range of a parameter")
    if not isinstance(low, float) or not isinstance(high, float):
        return
    if low > high or (low == high and not (interval.low_closed and interval.high_closed)):
        c.report(P.EMPTY_RANGE.at(interval.span, low=written(low), high=written(high)))
        return
    for number in numbers:
        above = number >= low if interval.low_closed else number > low
        below = number <= high if interval.high_closed else number < high
        if not (above and below):
            text = " ".join(interval.span.text.split())
            c.report(P.OUT_OF_RANGE.at(span, name=node.name, value=written(number), range=text))
            return


def _replaced(c: Checker, node: tree.Param, default: Constant) -> Constant | None:
    """The value that --set gives to a parameter; reports and returns None if it does not fit."""
    why = ""
    value: Constant | None = None
    try:
        value = numbers_of(c.settings[node.name])
    except (TypeError, ValueError) as error:
        why = str(error)
    if value is not None and shape_of(value) != shape_of(default):
        wanted = list(shape_of(default)) or "a single number"
        why = f"has the wrong shape: {list(shape_of(value)) or 'a single number'} in place of {wanted}"
    if why:
        c.report(P.BAD_SETTING.at(node.name_span, name=node.name, why=why))
        return None
    return value


def numbers_of(value: object) -> Constant:
    """A number, or nested lists of numbers, as a constant. Raises ValueError, TypeError if it is neither."""
    budget = [MOST_SETTING_ENTRIES]
    return _numbers_of(value, budget, 0)


def _numbers_of(value: object, budget: list[int], depth: int) -> Constant:
    budget[0] -= 1
    if budget[0] < 0:
        raise ValueError("has too many entries")
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("is too large a number") from None
    if hasattr(value, "tolist"):  # numpy's arrays and scalars, without importing numpy
        return _numbers_of(value.tolist(), budget, depth)
    if not isinstance(value, (list, tuple)) or depth > 8:
        raise TypeError("is not a number and not a list of numbers")
    items = tuple(_numbers_of(item, budget, depth + 1) for item in value)
    if not items:
        raise ValueError("is an empty list")
    if any(shape_of(item) != shape_of(items[0]) for item in items):
        raise ValueError("has rows of different lengths")
    return items


def check_definition(c: Checker, node: tree.Def, place: Place) -> None:
    for position, parameter in enumerate(node.parameters):
        if parameter in node.parameters[:position]:
            c.report(N.PARAMETER_TWICE.at(node.name_span, function=node.name, name=parameter))
            c.broken.add(node.name)
    before = len(c.ledger.errors)
    view = View(Place(), "definition", {parameter: UNKNOWN for parameter in node.parameters}, subject=node.name)
    expressions.infer(c, node.body, view)
    if len(c.ledger.errors) > before:
        c.broken.add(node.name)
    if c.declare(node.name, "definition", node.name_span):
        c.definitions[node.name] = node
        c.depends[node.name] = frozenset().union(*(c.depends.get(name, frozenset()) for name in names_of(node.body)))


def check_players(c: Checker, node: tree.Player, place: Place) -> None:
    for item in node.players:
        size = None
        if item.size is not None:
            size = c.size(item.size, f"the size of `{item.name}`", most=MOST_MEMBERS) or 1
        if item.symmetric and item.size is None:
            c.report(T.NOT_SYMMETRIC.at(item.span, name=item.name))
        if c.declare(item.name, "player", item.span):
            c.players[item.name] = PlayerInfo(item.name, size, item.symmetric, item.span)


def check_team(c: Checker, node: tree.Team, place: Place) -> None:
    members: list[tuple[str, int | None]] = []
    whole = True
    for expression in node.members:
        who = players.resolve(c, expression, place, "is a member", families=True)
        if who is None:
            whole = False
            continue
        size = c.players[who.name].size
        new: list[tuple[str, int | None]]
        if who.every and size is not None:
            new = [(who.name, member) for member in range(1, size + 1)]
        elif who.member is not None:
            number = c.size(who.member, "a member's number")
            new = [] if number is None else [(who.name, number)]
        else:
            new = [(who.name, None)]
        taken = set(members)
        if any(member in taken for member in new):
            c.report(M.MEMBER_TWICE.at(expression.span, player=players.text_of(c, who), team=node.name))
            continue
        members.extend(new)
    if whole and len(members) == 1:
        c.report(M.EMPTY_TEAM.at(node.name_span, team=node.name))
    if c.declare(node.name, "team", node.name_span):
        c.teams[node.name] = TeamInfo(node.name, tuple(members), node.name_span)
