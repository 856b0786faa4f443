"""Time and repetition: states, stages, halting, delay, loops over members, and what exists only under a condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..syntax import tree
from . import expressions
from .checked import ValueType
from .context import MOST_MEMBERS, UNKNOWN, Checker, Loop, Place, StageFrame, View, written
from .mistakes import knowledge as K
from .mistakes import names as N
from .mistakes import types as T
from .moves import target_sizes
from .shapes import broadcast, shown

MOST_BLOCKS = 60

Walk = Callable[[Checker, tuple[tree.Statement, ...], Place], None]


def check_state(c: Checker, node: tree.State, place: Place) -> None:
    if place.stage is not None:
        c.report(K.STATE_INSIDE.at(node.target.span, name=node.target.name))
    sizes = target_sizes(c, node.target, place)
    type = expressions.infer_number(c, node.value, View(place, subject=node.target.name))
    kept = ValueType("real", type.shape) if type.kind not in ("unknown", "choice") else type
    c.declare(node.target.name, "state", node.target.span, kept if sizes is not None else UNKNOWN, place)


def check_next(c: Checker, node: tree.Next, place: Place) -> None:
    name = node.target.name
    type = expressions.infer_number(c, node.value, View(place))
    if place.stage is None:
        c.report(K.OUTSIDE_STAGES.at(node.span, statement="next"))
        return
    symbol = c.symbols.get(name)
    if symbol is None:
        if name in c.later and name not in c.dormant and c.later[name][0].start > node.target.span.start:
            c.report(K.TOO_EARLY.at(node.target.span, name=name, line=c.later[name][0].line))
        else:
            c.unknown_name(name, node.target.span, ("state",))
        return
    if symbol.kind != "state":
        c.report(K.NOT_A_STATE.at(node.target.span, name=name, kind=c.describe(name)))
        return
    binders = {loop.binder: loop.domain for loop in place.loops}
    given = [binders.get(index.name) if isinstance(index, tree.Name) else None for index in node.target.indices]
    if tuple(given) != symbol.domains or len(place.loops) != len(symbol.domains):
        more = f"`{name}` is updated in the same loops in which it is declared"
        text = ", ".join(" ".join(index.span.text.split()) for index in node.target.indices)
        c.report(T.WRONG_TARGET.at(node.target.span, name=name, indices=f"[{text}]", more=more))
        return
    if name in place.stage.updated and not place.conditional:
        c.report(K.NEXT_TWICE.at(node.target.span, name=name))
        return
    place.stage.updated.add(name)
    before = symbol.type or UNKNOWN
    if "unknown" not in (before.kind, type.kind) and broadcast(before.shape, type.shape) != before.shape:
        c.report(
            T.STATE_SHAPE.at(
                node.value.span,
                what=f"the next value of `{name}`",
                left=shown(type.shape),
                other="the first value",
                right=shown(before.shape),
            )
        )


def check_halt(c: Checker, node: tree.Halt, place: Place) -> None:
    if place.stage is None:
        c.report(K.OUTSIDE_STAGES.at(node.span, statement="halt"))
    # A Bool, or a probability.
    expressions.infer_scalar(c, node.condition, View(place), "what stands after `halt when`")


def check_delay(c: Checker, node: tree.Delay, place: Place) -> None:
    expressions.infer_scalar(c, node.factor, View(place), "a delay")


def check_stage(c: Checker, node: tree.Stage, place: Place, walk: Walk) -> None:
    if place.stage is not None or place.loops:
        c.report(K.NESTED_STAGES.at(node.span, block=place.block))
        return
    low, length, endless = _stages(c, node)
    if node.discount is not None:
        _check_discount(c, node.discount, endless)
    elif endless and low:
        c.report(
            T.BAD_STAGES.at(
                node.high.span,
                what="infinitely many stages need a discount",
                more=f"write `stage {node.binder} in 1..inf discount 0.9`",
            )
        )
    frame = StageFrame(node.binder, length, coming={name: statement for name, statement in _made(node.body)})
    symbol = c.symbols.get(node.binder)
    if symbol is not None and symbol.kind != "stage":
        c.report(N.HIDES.at(node.span, name=node.binder, kind=c.describe(node.binder).split(" ", 1)[1]))
        return
    type = ValueType("category", (), length) if length is not None else ValueType("real")
    c.symbols.pop(node.binder, None)
    c.declare(node.binder, "stage", node.low.span, type if low else UNKNOWN)
    c.whole.add(node.binder)
    c.stages[node.binder] = frame
    walk(c, node.body, replace(place, stage=frame, block="stage"))
    c.ended.append(frame)


def _stages(c: Checker, node: tree.Stage) -> tuple[bool, int | None, bool]:
    """(whether the range is sound, the number of stages or None, whether they are without end)."""
    for end in (node.low, node.high):
        c.fix(end)
        if expressions.infer_number(c, end, View(Place())).kind == "unknown":
            return False, None, False
    low, high = c.demand(node.low, "the first stage"), c.demand(node.high, "the last stage")
    if not isinstance(low, float) or not isinstance(high, float):
        return False, None, False
    if low != 1:
        c.report(
            T.BAD_STAGES.at(
                node.low.span,
                what=f"stages are numbered from 1, not from {written(low)}",
                more=f"write `stage {node.binder} in 1..{' '.join(node.high.span.text.split())}`",
            )
        )
        return False, None, False
    if high == float("inf"):
        return True, None, True
    length = c.size(node.high, "the number of stages", most=MOST_MEMBERS)
    return length is not None, length, False


def _check_discount(c: Checker, node: tree.Expression, endless: bool) -> None:
    if expressions.infer_scalar(c, node, View(Place()), "a discount").kind == "unknown":
        return
    value = c.demand(node, "a discount")
    if not isinstance(value, float):
        return
    if not 0 < value <= 1 or (endless and value == 1):
        more = "without end it must be below 1" if endless else ""
        c.report(T.BAD_DISCOUNT.at(node.span, value=written(value), more=more))


def _made(statements: tuple[tree.Statement, ...]) -> list[tuple[str, tree.Statement]]:
    """The names that statements and their blocks make."""
    found: list[tuple[str, tree.Statement]] = []
    for statement in statements:
        if isinstance(statement, (tree.For, tree.When)):
            found.extend(_made(statement.body))
        elif isinstance(statement, (tree.Random, tree.Let, tree.Decide, tree.Solve, tree.Attend)):
            found.append((statement.target.name, statement))
    return found


def check_for(c: Checker, node: tree.For, place: Place, walk: Walk) -> None:
    domain = expressions.domain_of(c, node.domain, "loop")
    if isinstance(node.domain, tree.Range):
        c.fix(node.domain)
    if domain is None:
        c.dormant.update(name for name, _ in _made(node.body))
        return
    if domain.size < 1:
        c.report(T.BAD_SIZE.at(node.domain.span, what="the number of members of this loop", least=1, value=domain.size))
        return
    if domain.size > MOST_MEMBERS:
        c.report(T.TOO_LARGE.at(node.domain.span, what="this loop", value=domain.size, most=MOST_MEMBERS))
        return
    taken = c.symbols.get(node.binder)
    if taken is not None or any(loop.binder == node.binder for loop in place.loops):
        kind = c.describe(node.binder).split(" ", 1)[1] if taken is not None else "index"
        c.report(N.HIDES.at(node.span, name=node.binder, kind=kind))
        c.dormant.update(name for name, _ in _made(node.body))
        return
    loop = Loop(node.binder, domain, node.span)
    walk(c, node.body, replace(place, loops=(*place.loops, loop), block="for"))


def check_when(
    c: Checker, node: tree.When, place: Place, walk: Walk, quiet: Callable[[Checker, tree.When, Place], None]
) -> None:
    """A condition that is fixed before play keeps or drops its block; any other makes it conditional."""
    type = expressions.infer_condition(c, node.condition, View(place))
    c.fix(node.condition)
    value = None if type.kind == "unknown" else c.constant(node.condition)
    if value == 0.0:
        quiet(c, node, place)
        return
    if isinstance(value, float):
        walk(c, node.body, replace(place, block=place.block or ""))
        return
    walk(c, node.body, replace(place, conditional=True, block="when"))
