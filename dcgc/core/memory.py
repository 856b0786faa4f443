"""What decisions remember in stages that are elaborated once: histories as arrays with an entry for every stage.

``history(x)`` is a state (T, ..): blank (0) where nothing is determined yet, its entry t what x is in stage t. Whoever knows a history
knows the stage, since its length tells. What a player recalls are the histories of all that its decisions see, and of what they decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Span
from ..syntax import tree
from . import expression as core
from . import repeated, stages
from .folding import ONE, ZERO
from .scope import Scope, Unlowered
from .shapes import Kind
from .site import Decision, Let, Observation

if TYPE_CHECKING:
    from .resolve import Resolver

REDUCTIONS = frozenset({"sum", "mean", "prod", "max", "min"})
ONE_HOT = 16  # categories whose history is remembered one-hot
EMPTY = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -1e300, "min": 1e300}


def numbers(el: Resolver, rank: int = 0) -> core.Constant:
    """1..T along a first axis, with ``rank`` axes of size 1 behind it."""
    def nested(value: float, depth: int) -> float | tuple:
        return value if depth == 0 else (nested(value, depth - 1),)

    return core.Constant(tuple(nested(float(k), rank) for k in range(1, el.time.total + 1)))


def binder(el: Resolver, span: Span | None = None) -> core.Reference:
    assert el.time.binder is not None
    return core.Reference(el.time.binder, span=span)


def with_entry(el: Resolver, before: core.Expression, value: core.Expression, rank: int, span: Span | None) -> core.Expression:
    """A history (T, ..) in which the entry of this stage is ``value``, of ``rank`` axes."""
    now = core.Apply("eq", (numbers(el, rank), binder(el)))
    return core.Apply("where", (now, value, before), span=span)


def history(el: Resolver, name: str, e: tree.Call, scope: Scope) -> core.Expression:
    """``history(x)``, ``history(x[i])`` inside of a stage: what has been determined so far."""
    if el.time.total == 0:
        raise Unlowered("L001", "the history of stages without end cannot be lowered yet", e.span,
                        "carry what matters in a `state`, or write a number of stages")
    if name in el.decoders and not el.observing and el.kinds[name].kind == "choice":
        raise Unlowered("L001", f"the history of the tokens of `{name}` as a value, in stages that are not written out, cannot be lowered "
                        "yet", e.span, "let a decision know it, or carry what matters in a `state`")
    argument = e.arguments[0].value
    if name not in el.time.shapes:  # the first walk: kinds are not known yet
        return core.Constant(repeated.filled(foretold(el, name, argument), 0.0), span=e.span)
    site = keep(el, name, argument.span)
    kind, axes = el.time.shapes[name]
    if name in el.kinds:  # made in this stage by now
        own = with_entry(el, stages.own_entry(site, axes), stages.own_entry(name, axes), len(kind.shape), e.span)
        site = so_far(el, name, own, axes, e.span)
    elif axes == () and isinstance(argument, tree.Name):
        return core.Reference(site, span=e.span)
    return read(el, name, site, argument, scope, e.span)


def foretold(el: Resolver, name: str, argument: tree.Expression) -> tuple[int, ...]:
    """The shape of a history of a name that no site has yet."""
    symbol = el.checked.symbols[name]
    indices = len(argument.indices) if isinstance(argument, tree.Index) else 0
    own = tuple(d.size for d in symbol.domains) + (symbol.type.shape if symbol.type is not None else ())
    return (el.time.total, *own[indices:])


def keep(el: Resolver, name: str, span: Span) -> str:
    """The state that is the history of a name up to the stage before."""
    site = f"history({name})"
    kind, axes = el.time.shapes[name]
    if site not in el.kinds:
        value = stages.own_entry(name, axes)
        before = stages.own_entry(site, axes)
        shape = (el.time.total, *kind.shape)
        following = with_entry(el, before, value, len(kind.shape), span)
        repeated.carry(el, site, core.Constant(repeated.filled(shape, 0.0)), following, Kind("real", shape), axes, span, True)  # type: ignore[arg-type]
    return site


def so_far(el: Resolver, name: str, value: core.Expression, axes: tuple[core.Axis, ...], span: Span) -> str:
    """A site for the history with this stage's entry."""
    site = f"history({name}) so far"
    if site not in el.kinds:
        el.let_sizes[site] = 1 + el.sizes.get(id(value), 1)
        el.add(Let(site, axes, (), span, value), repeated.own_kind(el, f"history({name})"))  # type: ignore[attr-defined]
    return site


def read(el: Resolver, name: str, site: str, argument: tree.Expression, scope: Scope, span: Span) -> core.Expression:
    """The argument with its name's history in the place of its value, stages first."""
    with el.known_as(name, site):
        value = el.expression(argument, scope)
    fixed = sum(not isinstance(i, (core.Whole, core.Others)) for i in value.indices) if isinstance(value, core.Select) else 0
    members = len(el.site_axes[site]) - fixed
    if members > 1:
        raise Unlowered("L001", "the history of a name with two indices cannot be lowered yet, in stages that are not written out", span,
                        "ask for one member at a time")
    return core.Apply("swapped", (value,), span=span) if members == 1 else value


def observe(el: Resolver, e: tree.Call, scope: Scope) -> list[Observation]:
    """A history as an input, and the stage, which its length tells."""
    name = stages.base_of(e.arguments[0].value)
    before, el.observing = el.observing, True
    try:
        value = el.expression(e, scope)
    finally:
        el.observing = before
    if isinstance(value, core.Constant):
        return [stage_number(el)]
    kind, _ = el.time.shapes.get(name, (Kind("real"), ()))
    if kind.kind == "category" and kind.size is not None and kind.size <= ONE_HOT:
        options = tuple(core.Apply("where", (core.Apply("eq", (value, core.Constant(float(kind.low + k)))), ONE, ZERO))
                        for k in range(kind.size))
        value = core.Stack(options, span=e.span)
    return [Observation(value, "real", el.kind(value).shape), stage_number(el)]


def stage_number(el: Resolver) -> Observation:
    kind = el.kinds[el.time.binder or ""]
    return Observation(binder(el), kind.kind, kind.shape, kind.size, kind.low)  # type: ignore[arg-type]


def reduced(el: Resolver, function: str, argument: core.Expression, span: Span) -> core.Expression | None:
    """A reduction over a history: over the stages in which there is an entry, as if it had no others. None for anything else."""
    if not el.time.once or not el.time.stage or function not in REDUCTIONS or not el.time.total:
        return None
    names = core.references(argument)
    made = {x for x in names if x.startswith("history(") and x.endswith(" so far")}
    past = {x for x in names if x.startswith("history(") and x.endswith(")")}
    shape = el.kind(argument).shape
    if not made | past or not shape or shape[0] != el.time.total:
        return None
    if made and past:
        raise Unlowered("L001", f"a {function} over histories of different lengths cannot be lowered yet", span,
                        "take them apart: one has this stage's entry already")
    upto = binder(el) if made else core.Apply("sub", (binder(el), ONE))
    there = core.Apply("le", (numbers(el, len(shape) - 1), upto))
    own = core.Apply("where", (there, argument, core.Constant(EMPTY[function])), span=span)
    entries = 1
    for n in shape[1:]:
        entries *= n
    nobody = core.Apply("eq", (upto, ZERO))
    if function == "mean":
        count = core.Apply("mul", (core.Apply("maximum", (upto, ONE)), core.Constant(float(entries))))
        return core.Apply("div", (core.Apply("sum", (own,)), count), span=span)
    total = core.Apply(function, (own,), span=span)
    return total if made or function == "sum" else core.Apply("where", (nobody, ZERO, total), span=span)


# ---------------------------------------------------------------- recall


def recall(el: Resolver, word: tree.Name) -> list[Observation]:
    """All that a player's decisions saw and decided in earlier stages, and in this stage so far."""
    if el.time.total == 0:
        raise Unlowered("L001", "`recall` in stages without end cannot be lowered yet", word.span,
                        "carry what matters in a `state`, or write a number of stages")
    out: list[Observation] = []
    for o in elementary(el, list(el.time.seen)):  # earlier stages
        out.extend(x for x in past(el, o, word.span) if x not in out)
    if el.time.seen:
        out.append(stage_number(el))
    for o in elementary(el, [s for s in el.sites if isinstance(s, Decision)]):
        if o not in out:
            out.append(o)
    return out


def elementary(el: Resolver, decisions: list[Decision]) -> list[Observation]:
    """What decisions of whoever decides now see and decide, but for what is history already."""
    out: list[Observation] = []
    for d in decisions:
        if d.actor != el.deciding or d.axes:
            continue
        seen = el.kinds.get(d.name) or el.time.shapes[d.name][0]
        own = Observation(core.Reference(d.name), seen.kind, seen.shape, seen.size, seen.low)  # type: ignore[arg-type]
        for o in (*d.observations, own):
            old = any(x.startswith("history(") for x in core.references(o.expression))
            if not old and o.expression != binder(el) and o not in out:
                out.append(o)
    return out


def past(el: Resolver, o: Observation, span: Span) -> list[Observation]:
    """The observations of earlier stages."""
    made_before = {s.name for s in el.sites if not s.repeated and s.name not in el.time.inside}
    if core.references(o.expression) <= made_before:
        return [o]  # it stands outside of the stages
    if isinstance(o.expression, core.Reference) and o.expression.site in el.time.shapes:
        site = keep(el, o.expression.site, span)
    else:
        site = f"history({core.show(o.expression)})"
        if site not in el.kinds:
            shape = (el.time.total, *o.shape)
            following = with_entry(el, core.Reference(site), o.expression, len(o.shape), span)
            nothing = core.Constant(repeated.filled(shape, 0.0))
            repeated.carry(el, site, nothing, following, Kind("real", shape), (), span, True)  # type: ignore[arg-type]
    return [Observation(core.Reference(site), "real", el.kinds[site].shape)]

