"""Statements as canonical text: a line each, and a block where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..source import Span
from . import tree
from .print_expressions import Binding, expression, listed, type_text


@dataclass(frozen=True)
class Piece:
    """A statement or entry: its place in the text it came from, its line, and its block."""

    span: Span
    line: str
    block: Block | None = None


@dataclass(frozen=True)
class Block:
    """What stands in ``{ }``; a ``compact`` one stays on one line where it was so and fits."""

    span: Span
    pieces: tuple[Piece, ...]
    compact: bool


def piece(statement: tree.Statement) -> Piece:
    printed = _STATEMENTS[type(statement)](statement)
    if isinstance(printed, str):
        return Piece(statement.span, printed)
    line, block = printed
    return Piece(statement.span, line, block)


# ---------------------------------------------------------------- parts


def _quoted(word: str, text: str | None) -> str:
    return "" if text is None else f' {word}"{text}"'


def _target(node: tree.Target) -> str:
    return node.name + (f"[{listed(node.indices)}]" if node.indices else "")


def _knowing(known: Sequence[tree.Expression]) -> str:
    return f" knowing {listed(known) if known else 'nothing'}"


def _range(low: tree.Expression, high: tree.Expression, low_closed: bool, high_closed: bool) -> str:
    return f" in {'[' if low_closed else '('}{listed((low, high))}{']' if high_closed else ')'}"


def _budget(node: tree.Budget) -> str:
    return f"{expression(node.amount)} {node.unit}{' on average' if node.average else ''}"


# ---------------------------------------------------------------- blocks


def _statements(span: Span | None, whole: Span, body: Sequence[tree.Statement]) -> Block:
    return Block(span or whole, tuple(piece(statement) for statement in body), compact=False)


def _price(node: tree.Price) -> str:
    paid = "" if node.paid_by is None else f" paid by {expression(node.paid_by)}"
    return f"price {expression(node.amount)} per {node.unit}{paid}"


_ENTRIES: Mapping[str, Callable[[Any], str]] = {
    "carries": lambda node: f"carries {type_text(node)}",
    "budget": lambda node: f"budget {_budget(node)}",
    "price": _price,
    "noise": lambda node: f"noise {expression(node, Binding.APPLIED)}",
    "stop": lambda word: f"stop {word}",
    "heard_by": lambda nodes: f"heard by {listed(nodes)}",
}


def _channel_body(body: tree.ChannelBody) -> Block:
    """The entries in the order in which they were written."""
    places = dict(body.order) or {word: body.span for word in _ENTRIES if getattr(body, word)}
    pieces = tuple(Piece(span, _ENTRIES[word](getattr(body, word))) for word, span in places.items())
    return Block(body.span, pieces, compact=True)


def _gradient_block(node: tree.Gradient) -> Block:
    pieces = [Piece(route.span, _route(route)) for route in node.routes]
    if node.budget is not None:
        pieces.append(Piece(node.budget.span, f"budget {expression(node.budget)} {node.budget_unit} per sample"))
    return Block(node.block or node.span, tuple(sorted(pieces, key=lambda p: p.span.start)), compact=True)


def _route(node: tree.Route) -> str:
    towards = "" if node.target is None else f" -> {expression(node.target)}"
    return f"route {expression(node.subject)}{towards} : {node.order}"


# ---------------------------------------------------------------- statements


def _use(node: tree.Use) -> str:
    what = node.module if node.path is None else f'"{node.path}"'
    filled = f"({', '.join(f'{a.keyword} = {expression(a.value)}' for a in node.filled)})" if node.filled else ""
    return f"use {what}{filled}" + ("" if node.alias is None else f" as {node.alias}")


def _param(node: tree.Param) -> str:
    interval = node.interval
    bounds = "" if interval is None else _range(interval.low, interval.high, interval.low_closed, interval.high_closed)
    return f"param {node.name}{' : int' if node.integer else ''} = {expression(node.value)}{bounds}"


def _player(node: tree.Player) -> str:
    return "player " + ", ".join(
        item.name + ("" if item.size is None else f"[{expression(item.size)}]") + " symmetric" * item.symmetric
        for item in node.players)


def _decide(node: tree.Decide) -> str:
    return (f"decide {_target(node.target)} : {type_text(node.type)} by {expression(node.player)}"
            f"{_knowing(node.knowing)}{' mixed' if node.mixed else ''}")


def _channel(node: tree.Channel) -> tuple[str, Block]:
    line = f"channel {_target(node.target)} : {expression(node.sender)} -> {listed(node.receivers)}"
    return line, _channel_body(node.body)


def _send(node: tree.Send) -> str:
    return (f"send {_target(node.target)} by {expression(node.player)}{_knowing(node.knowing)}"
            f"{' mixed' if node.mixed else ''}")


def _attend(node: tree.Attend) -> tuple[str, Block]:
    knowing = _knowing(node.knowing) if node.knowing else ""
    line = f"attend {_target(node.target)} : {expression(node.player)} to {listed(node.to)}{knowing}"
    return line, _channel_body(node.body)


def _solve(node: tree.Solve) -> str:
    return (f"solve {_target(node.target)}{_range(node.low, node.high, node.low_closed, node.high_closed)} : "
            f"{expression(node.left)} = {expression(node.right)}")


def _constrain(node: tree.Constrain) -> str:
    return (f"constrain {expression(node.left, Binding.SUM)} {node.relation} {expression(node.right, Binding.SUM)} "
            f"by {expression(node.player)}")


def _stage(node: tree.Stage) -> tuple[str, Block]:
    discount = "" if node.discount is None else f" discount {expression(node.discount)}"
    low, high = expression(node.low, Binding.SUM), expression(node.high, Binding.SUM)
    return f"stage {node.binder} in {low}..{high}{discount}", _statements(node.block, node.span, node.body)


def _for(node: tree.For) -> tuple[str, Block]:
    return f"for {node.binder} in {expression(node.domain)}", _statements(node.block, node.span, node.body)


def _when(node: tree.When) -> tuple[str, Block]:
    return f"when {expression(node.condition)}", _statements(node.block, node.span, node.body)


def _known(node: tree.Known) -> str:
    text = f"{node.kind} {expression(node.quantity, Binding.APPLIED)} {node.relation} {expression(node.value)}"
    if node.within is not None:
        text += f" within {_tolerance(node.within)}"
    if node.when is not None:
        text += f" when {expression(node.when)}"
    return text + _quoted("from ", node.reference)


def _tolerance(node: tree.Tolerance) -> str:
    """The shortest text that reads back as the same value; a share is written in percent."""
    if not node.relative:
        return repr(node.value).removesuffix(".0")
    shares = (f"{float(f'{node.value * 100:.{digits}g}')!r}".removesuffix(".0") for digits in range(1, 18))
    return next((f"{share}%" for share in shares if float(share) / 100 == node.value), f"{node.value * 100!r}%")


def _setting(entry: tree.Setting) -> str:
    value = expression(entry.value)
    return value if entry.subject is None else f"{expression(entry.subject)} : {value}"


def _train(node: tree.Train) -> tuple[str, Block]:
    pieces = tuple(Piece(entry.span, f"{entry.key} {_setting(entry)}") for entry in node.settings)
    return "train", Block(node.block or node.span, pieces, compact=True)


_STATEMENTS: Mapping[type, Callable[[Any], str | tuple[str, Block]]] = {
    tree.GameHeader: lambda n: f"game {n.name}{_quoted('', n.title)}",
    tree.Cite: lambda n: f'cite "{n.reference}"{_quoted("doi ", n.doi)}',
    tree.Use: _use,
    tree.Param: _param,
    tree.Def: lambda n: f"def {n.name}({', '.join(n.parameters)}) = {expression(n.body)}",
    tree.Player: _player,
    tree.Team: lambda n: f"team {n.name} = {listed(n.members)}",
    tree.Random: lambda n: f"random {_target(n.target)} ~ {expression(n.distribution, Binding.APPLIED)}",
    tree.Let: lambda n: f"let {_target(n.target)} = {expression(n.value)}",
    tree.Decide: _decide,
    tree.Channel: _channel,
    tree.Send: _send,
    tree.Attend: _attend,
    tree.TotalBudget: lambda n: f"budget total({listed(n.channels)}) <= {_budget(n.budget)}",
    tree.Solve: _solve,
    tree.Payment: lambda n: f"{n.kind} {expression(n.payer)} = {expression(n.value)}",
    tree.Constrain: _constrain,
    tree.Commit: lambda n: f"commit {expression(n.player)}",
    tree.State: lambda n: f"state {_target(n.target)} = {expression(n.value)}",
    tree.Next: lambda n: f"next {_target(n.target)} = {expression(n.value)}",
    tree.Stage: _stage,
    tree.Halt: lambda n: f"halt when {expression(n.condition)}",
    tree.Delay: lambda n: f"delay {expression(n.factor)}",
    tree.For: _for,
    tree.When: _when,
    tree.Measure: lambda n: f"measure {n.name} = {expression(n.value)}",
    tree.Known: _known,
    tree.Tap: lambda n: f"tap {expression(n.quantity)}",
    tree.Policy: lambda n: f"policy {expression(n.subject)} : {expression(n.family, Binding.APPLIED)}",
    tree.Gradient: lambda n: ("gradient", _gradient_block(n)),
    tree.Train: _train,
    tree.Plot: lambda n: f"plot {expression(n.value)} against {expression(n.against)}",
}
