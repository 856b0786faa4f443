"""What a game puts in place of the params and players of a file that it uses.

``use std.channels.awgn(Sender = A, Receiver = B, power = 2 * P)`` makes a channel from A to B out of the one in the
file. A param that is filled keeps its range, under a name with a dot that no game can declare (``awgn.power``, or
``NAME.power`` with ``as NAME``), so that ``--set`` still reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from ..source import Ledger
from ..syntax import tree
from .context import nodes_of
from .mistakes import use as U

Taken = tree.Def | tree.Channel | tree.Param
Some = TypeVar("Some", bound=tree.Node)


def name_of(item: Taken) -> str:
    return item.target.name if isinstance(item, tree.Channel) else item.name


def mentions(item: tree.Node) -> set[str]:
    return {node.name for node in nodes_of(item) if isinstance(node, tree.Name)}


def renamed(taken: Iterable[Taken], names: Mapping[str, str]) -> tuple[Taken, ...]:
    """The same items with these names exchanged, where they are declared and where they name each other."""
    return tuple(_renamed_item(item, names) for item in taken)


def filled(taken: tuple[Taken, ...], statement: tree.Use, ledger: Ledger) -> tuple[Taken, ...]:
    """The items with the arguments of ``use`` in place; reports an argument that stands for nothing."""
    params = {item.name for item in taken if isinstance(item, tree.Param)}
    players = sorted(set().union(*(_players(item) for item in taken if isinstance(item, tree.Channel))) - {name_of(i) for i in taken})
    values: dict[str, tree.Expression] = {}
    for argument in statement.filled:
        word = argument.keyword
        known = [*players, *sorted(params)]
        if word is None or word not in known or word in values:
            what = statement.module or statement.path
            why = "is no `NAME = VALUE`" if word is None else "is given twice" if word in values else f"is nothing in `{what}`"
            ledger.add(U.NOTHING_TO_FILL.at(argument.span, text=word or argument.span.text, why=why, known=", ".join(known) or "nothing"))
            continue
        values[word] = argument.value
    if not values:
        return taken
    own = statement.alias or (statement.module or statement.path or "").removesuffix(".dcg").replace("/", ".").split(".")[-1]
    dotted = {name: f"{own}.{name}" for name in values if name in params}
    given = {dotted[name]: value for name, value in values.items() if name in params}
    put = {name: value for name, value in values.items() if name not in params}
    out: list[Taken] = []
    for item in renamed(taken, dotted):
        if isinstance(item, tree.Param) and item.name in given:
            item = replace(item, value=given[item.name])
        elif isinstance(item, tree.Channel):
            item = _substituted(item, put)
        out.append(item)
    return tuple(out)


def _players(channel: tree.Channel) -> set[str]:
    """The names that stand for players in a channel: who sends, hears or pays, and whose members it runs over."""
    paid = channel.body.price.paid_by if channel.body.price is not None else None
    binders = [index for index in channel.target.indices if isinstance(index, tree.Binder)]
    parts: list[tree.Node] = [channel.sender, *channel.receivers, *channel.body.heard_by, *(b.domain for b in binders)]
    found = {name for part in (*parts, *([paid] if paid is not None else [])) for name in mentions(part)}
    return found - {binder.name for binder in binders} - {"others", "all"}


def _renamed_item(item: Taken, names: Mapping[str, str]) -> Taken:
    if isinstance(item, tree.Def):
        free = {old: new for old, new in names.items() if old not in item.parameters}
        return replace(item, name=names.get(item.name, item.name), body=_renamed(item.body, free))
    if isinstance(item, tree.Param):
        return replace(_renamed(item, names), name=names.get(item.name, item.name))
    noise = item.body.noise  # the word of the noise is no name of the module, though a channel may be called like it
    channel = _renamed(item, names)
    if noise is not None:
        channel = replace(channel, body=replace(channel.body, noise=_renamed_noise(noise, names)))
    return replace(channel, target=replace(channel.target, name=names.get(item.target.name, item.target.name)))


def _renamed_noise(noise: tree.Expression, names: Mapping[str, str]) -> tree.Expression:
    if isinstance(noise, tree.Call):
        return replace(noise, arguments=tuple(_renamed(argument, names) for argument in noise.arguments))
    return noise


def _renamed(node: Some, names: Mapping[str, str]) -> Some:
    """A tree with its names exchanged; the index of a sum hides a name of the module."""
    inner = names
    if isinstance(node, tree.Comprehension) and node.binder in names:
        inner = {old: new for old, new in names.items() if old != node.binder}
    changes = _below(node, lambda part: _renamed(part, inner))
    if isinstance(node, tree.Name):
        changes["name"] = names.get(node.name, node.name)
    return replace(node, **changes)


def _substituted(node: Some, values: Mapping[str, tree.Expression]) -> Any:
    """A tree with expressions in place of names."""
    if isinstance(node, tree.Name):
        return values.get(node.name, node)
    return replace(node, **_below(node, lambda part: _substituted(part, values)))


def _below(node: tree.Node, change: Any) -> dict[str, Any]:
    """The fields of a node that hold nodes, each changed."""
    changes: dict[str, Any] = {}
    for part in fields(node):
        value = getattr(node, part.name)
        if isinstance(value, tree.Node):
            changes[part.name] = change(value)
        elif isinstance(value, tuple):
            changes[part.name] = tuple(change(item) if isinstance(item, tree.Node) else item for item in value)
    return changes
