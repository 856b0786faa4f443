"""Moves: what nature draws, what is computed, what players decide, and what an equation determines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..syntax import tree
from . import draws, expressions, hearing, indexing, players
from .checked import ValueType
from .context import UNKNOWN, Checker, Place, View, names_of, written
from .mistakes import knowledge as K
from .mistakes import missing as M
from .mistakes import types as T
from .names import VARYING, base_name
from .types import resolve_type
from .vocabulary import MOMENTS


def target_sizes(c: Checker, target: tree.Target, place: Place, sizes: bool = False) -> tuple[int, ...] | None:
    """Check that a new name carries the indices of the loops around it; the sizes that come after them.

    None after a report. ``sizes`` says that sizes may follow, as in ``random x[n]``.
    """
    binders = [loop.binder for loop in place.loops]
    given = [index.name if isinstance(index, tree.Name) else None for index in target.indices]
    if given[: len(binders)] != binders:
        if not target.indices:
            c.report(T.MISSING_INDEX.at(target.span, name=target.name, binder=", ".join(binders)))
        else:
            c.report(
                T.WRONG_TARGET.at(
                    target.span,
                    name=target.name,
                    indices=_listed(target.indices),
                    more=f"write `{target.name}[{', '.join(binders)}]`",
                )
            )
        return None
    rest = target.indices[len(binders) :]
    if rest and not sizes:
        more = f"write `{target.name}[{', '.join(binders)}]`" if binders else f"write `{target.name}`"
        c.report(T.WRONG_TARGET.at(target.span, name=target.name, indices=_listed(target.indices), more=more))
        return None
    found = [c.size(index, f"a size of `{target.name}`") for index in rest]
    known = tuple(size for size in found if size is not None)
    return known if len(known) == len(found) else None


def _listed(indices: tuple[tree.Expression, ...]) -> str:
    return f"[{', '.join(' '.join(index.span.text.split()) for index in indices)}]"


# ---------------------------------------------------------------- nature


def check_random(c: Checker, node: tree.Random, place: Place) -> None:
    sizes = target_sizes(c, node.target, place, sizes=True)
    type = draws.draw(c, node.distribution, View(place, subject=node.target.name))
    if type.kind != "unknown" and sizes is not None:
        type = replace(type, shape=sizes + type.shape)
    c.declare(node.target.name, "random", node.target.span, type if sizes is not None else UNKNOWN, place)


# ---------------------------------------------------------------- what is computed


def check_let(c: Checker, node: tree.Let, place: Place) -> None:
    sizes = target_sizes(c, node.target, place)
    name = node.target.name
    view = View(place, subject=name)
    type = expressions.infer(c, node.value, view)
    if not c.declare(name, "let", node.target.span, type if sizes is not None else UNKNOWN, place):
        return
    c.lets[name] = node
    names = names_of(node.value)
    heard = [
        frozenset({other})
        for other in names
        if c.symbols.get(other) is not None and c.symbols[other].kind in ("channel", "attention")
    ]
    c.hears[name] = frozenset().union(*heard, *(c.hears.get(other, frozenset()) for other in names))
    if type.kind == "unknown":
        return
    if type.kind in ("category", "bool") or indexing.is_whole(c, node.value, view):
        c.whole.add(name)
    value = None if place.loops or place.stage is not None or place.conditional else c.constant(node.value)
    if value is not None:
        c.constants[name] = value
        c.depends[name] = frozenset().union(*(c.depends.get(other, frozenset()) for other in names))


def check_solve(c: Checker, node: tree.Solve, place: Place) -> None:
    sizes = target_sizes(c, node.target, place)
    name, view = node.target.name, View(place)
    for end in (node.low, node.high):
        expressions.infer_scalar(c, end, view, "the end of an interval")
    low, high = c.constant(node.low), c.constant(node.high)
    if isinstance(low, float) and isinstance(high, float) and low >= high:
        c.report(T.EMPTY_INTERVAL.at(node.low.span.to(node.high.span), low=written(low), high=written(high)))
    type = ValueType("real", low=node.low, high=node.high)
    declared = c.declare(name, "solution", node.target.span, type if sizes is not None else UNKNOWN, place)
    inside = view if place.loops else view.bind(**{name: type})
    for side in (node.left, node.right):
        expressions.infer_scalar(c, side, inside, "each side of an equation")
    if declared and name not in names_of(node.left) + names_of(node.right):
        c.report(M.NOT_IN_EQUATION.at(node.span, name=name))
    c.used.discard(name)


# ---------------------------------------------------------------- decisions


def check_knowing(
    c: Checker, knowing: tuple[tree.Expression, ...], subject: str, who: players.PlayerRef | None, place: Place
) -> None:
    """Check an information set: everything in it is determined, and may be known by this player."""
    view = View(place, "knowing", subject=subject)
    varies = False
    for expression in knowing:
        if isinstance(expression, tree.Name) and expression.name == "recall":
            varies = True
            continue
        before = len(c.ledger.entries)
        type = expressions.infer(c, expression, view)
        varies = varies or type.kind == "unknown" or not _is_fixed(c, expression)
        if len(c.ledger.entries) == before and who is not None:
            hearing.check_hearing(c, expression, who, place)
    if not any(isinstance(e, tree.Name) and e.name == "recall" for e in knowing):
        c.inputs[subject] = len(knowing)
    if knowing and not varies:
        c.report(M.KNOWS_CONSTANTS.at(knowing[0].span.to(knowing[-1].span)))


def _is_fixed(c: Checker, expression: tree.Expression) -> bool:
    return all(name in c.params or name in c.constants for name in names_of(expression))


def check_decide(c: Checker, node: tree.Decide, place: Place) -> None:
    sizes = target_sizes(c, node.target, place)
    name = node.target.name
    who = players.resolve(c, node.player, place, "decides")
    check_knowing(c, node.knowing, name, who, place)
    type = resolve_type(c, node.type, View(place, subject=name))
    if type.kind != "unknown":
        _check_ends(c, node, type, place)
    if who is not None:
        c.acting.add(who.name)
        c.deciding.setdefault(who.name, node.player.span)
    c.declare(name, "decision", node.target.span, type if sizes is not None else UNKNOWN, place)


def _check_ends(c: Checker, node: tree.Decide, type: ValueType, place: Place) -> None:
    """The ends of an interval are made of params and of what the decision knows."""
    recall = any(isinstance(expression, tree.Name) and expression.name == "recall" for expression in node.knowing)
    for end in (type.low, type.high):
        if end is None or recall or isinstance(node.type, tree.FunctionType):
            continue
        for part in _unknown_parts(c, end, node.knowing, place):
            c.report(K.UNKNOWN_END.at(part.span, name=" ".join(part.span.text.split())))


def _unknown_parts(
    c: Checker, node: tree.Expression, knowing: tuple[tree.Expression, ...], place: Place, depth: int = 0
) -> Iterator[tree.Expression]:
    """The parts of an expression that are neither fixed before play nor made of what is known."""
    if node in knowing:
        return
    name = base_name(node)
    if name is not None:
        symbol = c.symbols.get(name.name)
        if symbol is None or symbol.kind not in VARYING or name.name in c.constants:
            return
        let = c.lets.get(name.name)
        if let is None or depth > 8 or any(True for _ in _unknown_parts(c, let.value, knowing, place, depth + 1)):
            yield node
        return
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.name not in MOMENTS:
        parts = [argument.value for argument in node.arguments]
    else:
        parts = [
            part
            for part in (
                getattr(node, key)
                for key in ("operand", "left", "right", "condition", "then", "otherwise", "body")
                if hasattr(node, key)
            )
            if isinstance(part, tree.Expression)
        ]
        parts.extend(getattr(node, "items", ()))
    for part in parts:
        yield from _unknown_parts(c, part, knowing, place, depth)
