"""Stages elaborated once: the body of the block with the states and the number of the stage as values that are given.

For stages that cannot be written out, for those without end, and where one policy serves all stages. The body's sites are marked
``repeated``; what it carries from stage to stage, ``last`` included, are ``State`` sites with their next values beside them, and what
the statements after it ask for are ``Record`` sites. Whoever evaluates the game loops over stages (``lower/stages.py``) or goes
backward over them with ``stage_game``.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from ..source import Span
from ..syntax import tree
from . import expression as core
from . import stages
from .folding import ONE, fold, number
from .scope import Scope, Unlowered
from .shapes import Kind
from .site import SO_FAR, Decision, Let, Record, StageBlock, State

if TYPE_CHECKING:
    from .elaborate import Elaborator
    from .resolve import Resolver


# ---------------------------------------------------------------- which form


def wanted(el: Elaborator, s: tree.Stage, length: float) -> bool:
    """Whether stages are to be elaborated once before anything else is tried: without end, asked for, or a policy that serves all."""
    form = form_of(el)
    if form == "scanned" and el.block is not None:  # one block is
        form = "auto"
    if math.isinf(length) or form == "scanned":
        return True
    before, el.time.binder = el.time.binder, s.binder
    one_for_all = any(not stages.knows_stage(el, k) for k in inputs_of(s.body))
    el.time.binder = before
    return form == "auto" and length > 1 and one_for_all and remembers(s.body) is None


def form_of(el: Elaborator) -> str:
    """The form that the caller or the text's ``train`` block asks for: written, scanned or auto."""
    if el.form != "auto":
        return el.form
    for s in el.checked.statements:
        for x in s.settings if isinstance(s, tree.Train) else ():
            if x.key == "stages":
                return str(el.setting(x.value, Scope(indices={}, arguments={})))
    return "auto"


def inputs_of(statements: tuple[tree.Statement, ...]) -> Iterator[tuple[tree.Expression, ...]]:
    """What each decision, encoder and private look of some statements knows."""
    for s in statements:
        if isinstance(s, (tree.Decide, tree.Send)):
            yield s.knowing
        elif isinstance(s, tree.Attend):
            yield (*s.to, *s.knowing)
        elif isinstance(s, (tree.For, tree.When)):
            yield from inputs_of(s.body)


def remembers(part: Any) -> Span | None:
    """Where statements speak of a history or of all that a player recalls, else None."""
    if isinstance(part, tuple):
        return next((found for x in part if (found := remembers(x)) is not None), None)
    if not isinstance(part, tree.Node):
        return None
    if isinstance(part, tree.Name) and part.name == "recall" or isinstance(part, tree.Expression) and stages.is_history(part):
        return part.span
    return next((found for f in fields(part) if (found := remembers(getattr(part, f.name))) is not None), None)  # type: ignore[arg-type]


def snapshot(el: Elaborator) -> dict[str, Any]:
    """All that an elaboration has made, to go back to."""
    return {name: copied(value) for name, value in vars(el).items()}


def copied(value: Any) -> Any:
    if isinstance(value, stages.Stages):
        return replace(value, **{f.name: copied(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, dict):
        return {k: list(v) if isinstance(v, list) else v for k, v in value.items()}
    return copy.copy(value) if isinstance(value, (list, set)) else value


def restore(el: Elaborator, before: dict[str, Any]) -> None:
    vars(el).update(before)


# ---------------------------------------------------------------- the block


def only_one(el: Elaborator, where: Span) -> None:
    """Refuse a second block in this form."""
    if el.block is not None:
        raise Unlowered("L001", "a second block of stages that is not written out cannot be lowered yet", where,
                        "fewer stages in one of the blocks, in which every decision knows the stage, can be written out")


def repeat(el: Elaborator, s: tree.Stage, scope: Scope, length: float) -> None:
    """The body walked twice: once for the kinds of its names, which ``last`` asks before they are made, then for its sites."""
    before = snapshot(el)
    kinds = walk_body(el, s, scope, length, {})
    if kinds is None:
        el.broken |= el.time.block | set(el.time.states)
        return
    seen, inside = el.time.seen, el.time.inside
    restore(el, {k: copied(v) for k, v in before.items()})
    el.time.seen, el.time.inside = seen, inside
    first, delays = len(el.sites), len(el.time.delays)
    counts = len(el.constraints), len(el.channels)
    if walk_body(el, s, scope, length, kinds) is None:
        el.broken |= el.time.block | set(el.time.states)
        return
    if len(el.constraints) > counts[0] and math.isinf(length):
        raise Unlowered("L001", "a constraint in stages without end cannot be lowered yet", el.constraints[-1].span,
                        "write a number of stages")
    el.constraints[counts[0]:] = [replace(c, label=f"{c.label} in each stage", repeated=True) for c in el.constraints[counts[0]:]]
    for c in el.channels[counts[1]:]:
        beforehand = frozenset().union(*(core.references(e) for e in c.information.given)) - {s.binder}
        if beforehand and (c.price is not None or c.average):
            raise Unlowered("L001", "a look that is paid for what it tells beyond what is known already cannot be lowered yet, in stages "
                            "that are not written out", c.span, "look at the difference from what is known: `attend z : P to x - known`")
    close(el, s, first, delays)


def walk_body(el: Elaborator, s: tree.Stage, scope: Scope, length: float,
              kinds: dict[str, tuple[Kind, tuple[core.Axis, ...]]]) -> dict[str, tuple[Kind, tuple[core.Axis, ...]]] | None:
    """The body's statements; the kinds and loops of the names that they made, None if something could not be lowered."""
    time, first, errors = el.time, len(el.sites), len(el.ledger.errors)
    time.binder, time.stage, time.once, time.shapes = s.binder, 1, True, kinds
    time.total = 0 if math.isinf(length) else round(length)
    time.length = max(time.total, 1)
    time.block = frozenset(stages.made_in(s.body))
    time.discount, time.carried = None, []
    carry(el, s.binder, ONE, core.Apply("add", (core.Reference(s.binder), ONE)),
          Kind("real") if math.isinf(length) else Kind("category", (), time.total), (), s.low.span)
    for name in time.states:
        old = el.aliases[name]
        axes = el.site_axes[old]
        el.add(State(name, axes, (), next(x.span for x in el.sites if x.name == old), stages.own_entry(old, axes),
                     f"next({name})"), own_kind(el, old))
        el.let_sizes[name] = 1
        del el.aliases[name]
    el.statements(s.body, scope)
    time.stage = 0
    if len(el.ledger.errors) > errors:
        return None
    if not kinds:
        time.seen = tuple(x for x in el.sites[first:] if isinstance(x, Decision))
        time.inside = frozenset(x.name for x in el.sites[first:])
    made = {x.name for x in el.sites[first:]}
    return {name: (own_kind(el, name), el.site_axes[name]) for name in made if name in el.kinds}


def own_kind(el: Resolver, name: str) -> Kind:
    """The kind of a site's value for one member."""
    kind = el.kinds[name]
    return replace(kind, shape=kind.shape[len(el.site_axes[name]):])


def carry(el: Elaborator, name: str, first: core.Expression, following: core.Expression, kind: Kind, axes: tuple[core.Axis, ...],
          span: Span, memory: bool = False) -> None:
    """A state; its next value becomes a site at the end of the stage."""
    el.add(State(name, axes, (), span, first, f"next({name})", memory=memory), kind)
    el.let_sizes[name] = 1
    el.time.carried.append((name, following, span))


def close(el: Elaborator, s: tree.Stage, first: int, delays: int) -> None:
    """Next values, survival and delays as sites; then the states' names are their last values."""
    time = el.time
    for name, value, span in time.carried:
        follow(el, name, value, el.site_axes[name], span)
    for name in time.states:
        update(el, name)
    going = time.survival
    passed = time.delays[delays:]
    survival = delay = ended = None
    if going is not None:
        survival = value_site(el, "survival", going, s.span)
        parts = [core.Apply("mul", (core.Apply("sub", (ONE if a is None else a, b)), delays_of(passed[:n - delays])))
                 for a, b, n in time.stops]
        total: core.Expression = parts[0]
        for part in parts[1:]:
            total = core.Apply("add", (total, part))
        ended = value_site(el, "ended", fold(total), s.span)  # type: ignore[arg-type]
    if passed:
        delay = value_site(el, "delay", delays_of(passed), s.span)
    el.sites[first:] = [replace(x, repeated=True) for x in el.sites[first:]]
    discount = None if s.discount is None else el.expression(s.discount, Scope(indices={}, arguments={}))
    endless = math.isinf(el.constant(s.high))
    el.block = StageBlock(s.binder, math.inf if endless else time.total, discount, survival, delay, ended, s.span)
    time.survival = None
    time.delays = time.delays[:delays]
    if passed:
        el.add(Record(SO_FAR, (), (), s.span, SO_FAR), Kind("real"))
        time.delays.append((core.Reference(SO_FAR, span=s.span), (), None))
    for name in time.states:
        if endless:
            time.refused[name] = ("of stages without end", "ask for it in a stage, or write a number of stages")
        elif time.by_chance and any(x.survival is not None for x in el.sites if isinstance(x, State) and x.name == name):
            time.refused[name] = stages.BY_CHANCE
        else:
            axes = el.site_axes[name]
            end = stages.at_the_end(el, name)
            el.add(Record(end, axes, (), s.span, name), own_kind(el, name))
            el.let_sizes[end] = 1
            el.aliases[name] = end


def delays_of(passed: list[tuple[core.Expression, tuple[core.Expression, ...], core.Expression | None]]) -> core.Expression:
    """The product of delays, each where its conditions hold."""
    total: core.Expression = ONE
    for factor, conditions, _ in passed:
        own = core.Apply("where", (stages.all_of(list(conditions)), factor, ONE), span=factor.span) if conditions else factor
        total = fold(core.Apply("mul", (total, own), span=factor.span))
    return total


def value_site(el: Elaborator, name: str, value: core.Expression, span: Span) -> str:
    site = f"{name} of the stage"
    el.let_sizes[site] = 1 + el.sizes.get(id(value), 1)
    el.sites.append(Let(site, (), (), span, value))
    el.kinds[site], el.site_axes[site] = Kind("real"), ()
    return site


def update(el: Elaborator, name: str) -> None:
    """A state's next value; without an update it stays as it is."""
    updates = el.time.updates.pop(name, [])
    span = updates[0].span if updates else next(x.span for x in el.sites if x.name == name)
    survival = updates[0].survival if updates else None
    if any(u.survival != survival for u in updates):
        raise Unlowered("L001", f"a halt between two updates of `{name}` cannot be lowered yet", updates[-1].span,
                        "let `halt` stand before or after both")
    axes = updates[0].scope.axes if updates else el.site_axes[name]
    follow(el, name, stages.updated(el, updates, name, axes), axes, span)
    if survival is not None and number(survival) is None:
        assert isinstance(survival, core.Reference)
        at = next(i for i, x in enumerate(el.sites) if x.name == name)
        el.sites[at] = replace(el.sites[at], survival=survival.site)  # type: ignore[call-arg]


def follow(el: Elaborator, name: str, value: core.Expression, axes: tuple[core.Axis, ...], span: Span) -> None:
    """The site of a state's next value."""
    site = f"next({name})"
    el.let_sizes[site] = el.sizes.get(id(value), 1)
    el.sites.append(Let(site, axes, (), span, value))
    el.kinds[site], el.site_axes[site] = el.kinds[name], axes


def last(el: Resolver, name: str, argument: tree.Expression, start: tree.Expression, scope: Scope) -> core.Expression:
    """The previous stage's value of a name: a state whose next value is what the stage makes."""
    kind, axes = el.time.shapes[name]
    symbol = el.checked.symbols[name].type
    label = start.name if isinstance(start, tree.Name) and symbol is not None and start.name in symbol.labels else None
    fixed = None if label is not None else el.static(start, scope)
    if label is not None:
        first: core.Expression = core.Constant(tuple(float(x == label) for x in kind.labels), span=start.span)
        site = f"last({name}, {label})"
    else:
        first = core.Constant(filled(kind.shape, fixed or 0.0), span=start.span)
        site = f"last({name}, {fixed:g})" if fixed is not None else f"last({name})"
    within = kind.kind == "bool" and fixed in (0.0, 1.0) or kind.kind == "category" and fixed is not None and \
        kind.low <= fixed < kind.low + (kind.size or 0)
    if kind.kind != "real" and label is None and not within:
        kind = Kind("real", kind.shape)
    if site not in el.kinds:
        carry(el, site, first, stages.own_entry(name, axes), kind, axes, argument.span)  # type: ignore[arg-type]
    with el.known_as(name, site):
        value = el.expression(argument, scope)
    if label is not None or fixed is not None:
        return value
    assert el.time.binder is not None
    in_first = core.Apply("eq", (core.Reference(el.time.binder), ONE), span=start.span)
    return core.Apply("where", (in_first, el.expression(start, scope), value), span=argument.span)


def filled(shape: tuple[int, ...], value: float) -> float | tuple:
    return value if not shape else (filled(shape[1:], value),) * shape[0]


# ---------------------------------------------------------------- after the stages


def allow_history(el: Resolver, name: str, e: tree.Call) -> None:
    """Refuse histories that nobody can tell."""
    time = stages.time_of(el, name)
    if time.total == 0:
        raise Unlowered("L001", "the history of stages without end cannot be lowered yet", e.span, "write a number of stages")
    if time.by_chance and name in time.survived:
        raise Unlowered("L001", "a history after a halt by chance cannot be lowered yet", e.span, stages.BY_CHANCE[1])


def record(el: Resolver, name: str, k: int) -> str | None:
    """The site that is a name's value in stage k, once the stages are over."""
    if name not in el.kinds:
        return None
    time = stages.time_of(el, name)
    site = time.site(name, k)
    if name in time.states and k == 1:
        return site
    if site not in el.kinds:
        axes = el.site_axes[name]
        span = next(x.span for x in el.sites if x.name == name)
        of, alive = name, time.survived.get(name)
        if alive is not None:
            of = f"{name} where it is reached"
            if of not in el.kinds:
                el.sites.append(Let(of, axes, (alive,), span, stages.own_entry(name, axes), repeated=True))
                el.kinds[of], el.site_axes[of], el.let_sizes[of] = el.kinds[name], axes, 1
        el.sites.append(Record(site, axes, (), span, of, k))
        el.kinds[site], el.site_axes[site], el.let_sizes[site] = el.kinds[name], axes, 1
        if name in el.decoders:
            el.decoders[site] = el.decoders[name]
    return site
