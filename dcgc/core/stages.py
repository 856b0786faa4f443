"""Stages of a fixed number, written out: every stage makes sites of its own, ``u@1``, ``u@2``.

Inside a stage names are resolved as everywhere; at its end its sites are renamed. The number of the stage is a constant, a state is a
value ``x@k`` for each stage k, and what is paid is multiplied by the discount and by the delays so far. A halt multiplies what is paid
later by the chance that no halt has happened, 1 - c (in a loop: the product over its members): acts and draws after it need no condition
of their own, since nothing is paid for them, and each stage is judged as if it were reached. Only values that outlive the stages
(histories, last states) show the halt. A later block has a record of its own (``Stages``) that begins with the states as they are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..source import Span
from ..syntax import tree
from . import expression as core
from . import memory, repeated
from .folding import ONE, fold, number
from .naming import GOING_ON, renamed, renamed_expression, staged
from .scope import Scope, Silenced, Unlowered
from .shapes import Kind
from .site import WRITTEN_OUT, Decision, Let, Observation, Payment, Site

if TYPE_CHECKING:
    from .elaborate import Elaborator
    from .resolve import Resolver

BY_CHANCE = ("after a halt by chance", "let nature draw the halt: `random stop ~ Bernoulli(p)`, `halt when stop`")
MOST_SITES = 400  # of all stages together
MOST_HALTS = 12  # whether play goes on is worked out over all their outcomes together


Delay = tuple[core.Expression, tuple[core.Expression, ...], core.Expression | None]


@dataclass
class Update:
    """One ``next``: the new value, and where it applies."""

    value: core.Expression
    scope: Scope
    span: Span
    survival: core.Expression | None


@dataclass
class Stages:
    """What an elaboration knows about time, in a block of stages and until the next. ``survival``: the chance that no halt has happened
    (None: certain). ``survived``: the same when a site was made, for each that a halt came before. ``delays``: (factor, conditions of its
    ``when``, survival). ``earlier``: blocks that are over."""

    earlier: tuple[Stages, ...] = ()
    binder: str | None = None
    stage: int = 0  # the one that is being written out; 0: outside
    total: int = 0  # how many there are
    length: int = 0  # how many there were, once they have ended
    discount: core.Expression | None = None
    survival: core.Expression | None = None
    halts: int = 0
    by_chance: bool = False  # a halt has a probability: survival is no event
    survived: dict[str, core.Expression] = field(default_factory=dict)
    delays: list[Delay] = field(default_factory=list)
    states: dict[str, list[core.Expression | None]] = field(default_factory=dict)  # survival at each update
    updates: dict[str, list[Update]] = field(default_factory=dict)
    block: frozenset[str] = frozenset()  # names that the stages make
    blanked: dict[str, str] = field(default_factory=dict)  # of a site: what outlives the stages, blank after a halt
    knowing: dict[str, tuple[tree.Expression, ...]] = field(default_factory=dict)  # of a decision of the stages, as the text has it
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # states whose last value is unknown: why, and a hint
    once: bool = False  # the stages are elaborated once (``repeated``), not written out
    shapes: dict[str, tuple[Kind, tuple[core.Axis, ...]]] = field(default_factory=dict)  # of the names of such stages
    carried: list[tuple[str, core.Expression, Span]] = field(default_factory=list)  # states without an update: their next values
    seen: tuple[Decision, ...] = ()  # the decisions of such a stage, for `recall`
    inside: frozenset[str] = frozenset()  # names of sites of such a stage
    stops: list[tuple[core.Expression | None, core.Expression, int]] = field(default_factory=list)  # survival around each halt, delays
    moved: set[str] = field(default_factory=set)  # states with an update in the block
    sites_out: float = 0  # sites and halts that the block has when it is written out
    halts_out: float = 0

    @property
    def number(self) -> int:
        """Which block it is, from 1."""
        return len(self.earlier) + 1

    @property
    def made(self) -> frozenset[str]:
        """Names that any block makes."""
        return self.block.union(*(b.block for b in self.earlier))

    def site(self, name: str, k: int) -> str:
        """The site of a name in stage k: a state goes through several blocks."""
        return staged(name, f"{self.number}.{k}" if name in self.states and self.number > 1 else k)


def after(el: Elaborator, time: Stages) -> Stages:
    """The record of a block that begins when another is over: what follows it happens although a halt ended it."""
    later = Stages(earlier=(*time.earlier, time), refused=time.refused, knowing=time.knowing, survived=time.survived,
                   delays=list(time.delays), states={name: [] for name in time.states})
    el.time = later
    for name in later.states:
        old, new = el.aliases[name], later.site(name, 1)
        axes = el.site_axes[old]
        keep(el, Let(new, axes, (), next(x.span for x in el.sites if x.name == old), own_entry(old, axes)))
        el.aliases[name] = new
    return later


def time_of(el: Resolver, name: str) -> Stages:
    """The block that makes a name; of a state the one at hand, once it is over the last that moves it."""
    blocks = (el.time, *reversed(el.time.earlier))
    if name in el.time.states:
        return el.time if el.time.stage else next((b for b in blocks if name in b.moved), el.time)
    return next((b for b in blocks if name in b.block), el.time)


# ---------------------------------------------------------------- statements


class TooMany(Unlowered):
    """More stages than can be written out."""


def stage(el: Elaborator, s: tree.Stage, scope: Scope) -> None:
    """``stage t in 1..T { .. }``, T fixed before play: written out, or elaborated once where that is not possible or not wanted."""
    length = el.constant(s.high)
    where = s.low.span.to(s.high.span)
    if el.time.length:
        after(el, el.time)
    if repeated.wanted(el, s, length):
        repeated.only_one(el, s.low.span.to(s.high.span))
        repeated.repeat(el, s, scope, length)
        return
    before = repeated.snapshot(el)
    try:
        write_out(el, s, scope, length, where)
    except TooMany:
        if repeated.form_of(el) == "written":
            raise
        repeated.only_one(el, where)
        repeated.restore(el, before)
        repeated.repeat(el, s, scope, length)


def write_out(el: Elaborator, s: tree.Stage, scope: Scope, length: float, where: Span) -> None:
    """Every stage as sites of its own."""
    time = el.time
    time.binder, time.total, time.block = s.binder, round(length), frozenset(made_in(s.body))
    time.discount = None if s.discount is None else el.expression(s.discount, scope)
    before = len(el.ledger.errors)
    for k in range(1, round(length) + 1):
        first = len(el.sites), len(el.channels), len(el.constraints), len(el.equations)
        time.stage, time.halts, el.now = k, 0, {s.binder: float(k)}
        for statement in s.body:
            el.statements((statement,), scope)
            if is_over(time):
                break
        if len(el.ledger.errors) > before:
            time.length = k
            time.stage, el.now = 0, {}
            el.broken |= time.block | set(time.states)
            return
        close(el, k, first)
        count = sum(members(x) for x in el.sites[first[0]:])
        if k == 1:
            time.sites_out, time.halts_out = count * length, time.halts * length
        room = MOST_SITES - sum(b.sites_out for b in time.earlier), MOST_HALTS - sum(b.halts_out for b in time.earlier)
        if k == 1 and time.sites_out > room[0]:
            time.stage, el.now = 0, {}
            el.broken |= time.block | set(time.states)
            raise TooMany("L004", f"{length:g} stages with {count} draws, values, decisions and payments each are too many to write out",
                            where, f"at most {MOST_SITES} in all: `1..{max(1, round(room[0] // count))}` would fit")
        if k == 1 and time.halts_out > room[1]:
            time.stage, el.now = 0, {}
            el.broken |= time.block | set(time.states)
            raise TooMany("L001", f"{time.halts * length:g} halts cannot be lowered yet", where,
                            f"at most {MOST_HALTS} in all: `1..{max(1, round(room[1] // time.halts))}` would fit")
        if is_over(time):
            break
    time.length, time.stage, el.now = round(length), 0, {}
    for name in time.states:
        settle(el, name)
    time.survival, time.delays = None, settled_delays(time.delays, time.by_chance)


def settled_delays(delays: list[Delay], by_chance: bool) -> list[Delay]:
    """Delays as they count after the stages, each where it was reached. A halt by chance leaves chances a_1 >= a_2 >= .. of events each of
    which holds where the next does, so that the product is on average 1 + sum_k a_k (f_k - 1) f_1 .. f_(k-1)."""
    if not by_chance or all(alive is None for _, _, alive in delays):
        return [(factor, conditions if alive is None else (alive, *conditions), None) for factor, conditions, alive in delays]
    total: core.Expression = ONE
    so_far: core.Expression = ONE
    for factor, conditions, alive in delays:
        own = core.Apply("where", (all_of(list(conditions)), factor, ONE), span=factor.span) if conditions else factor
        more = core.Apply("mul", (core.Apply("sub", (own, ONE)), so_far), span=factor.span)
        total = fold(core.Apply("add", (total, more if alive is None else core.Apply("mul", (alive, more))), span=factor.span))
        so_far = fold(core.Apply("mul", (so_far, own), span=factor.span))
    return [(total, (), None)]


def is_over(time: Stages) -> bool:
    """Whether a halt is certain to have happened."""
    return time.survival is not None and number(time.survival) == 0


def close(el: Elaborator, k: int, first: tuple[int, int, int, int]) -> None:
    """The end of stage k: states move on together, and the names of the stage become its own."""
    for name in el.time.states:
        move(el, name, k)
    new = el.sites[first[0]:]
    names = {x.name: staged(x.name, k) for x in new if "@" not in x.name and not x.name.startswith("payment ")}
    el.sites[first[0]:] = [renamed(x, names) for x in new]
    el.channels[first[1]:] = [renamed(x, names) for x in el.channels[first[1]:]]
    el.constraints[first[2]:] = [replace(renamed(x, names), label=f"{x.label} in stage {k}") for x in el.constraints[first[2]:]]
    el.equations[first[3]:] = [renamed(x, names) for x in el.equations[first[3]:]]
    tables: tuple[dict[str, Any], ...] = (el.kinds, el.site_axes, el.let_sizes, el.decoders, el.time.survived)
    for table in tables:
        for old, name in names.items():
            if old in table:
                table[name] = table.pop(old)
    time = el.time
    again: Callable[[core.Expression], core.Expression] = lambda e: renamed_expression(e, names)  # noqa: E731
    time.survival = None if time.survival is None else again(time.survival)
    time.survived = {x: again(e) for x, e in time.survived.items()}
    time.delays = [(again(e), tuple(map(again, g)), None if a is None else again(a)) for e, g, a in time.delays]
    time.states = {x: [None if a is None else again(a) for a in values] for x, values in time.states.items()}


def state(el: Elaborator, s: tree.State, scope: Scope) -> None:
    """The value in stage 1."""
    name = s.target.name
    value = el.expression(s.value, scope)
    el.time.states[name] = []
    site = el.time.site(name, 1)
    keep(el, Let(site, scope.axes, scope.guards, s.span, value))
    el.aliases[name] = site


def keep(el: Elaborator, site: Let) -> None:
    """Add a value of a state: a number, whatever it is made of."""
    el.let_sizes[site.name] = el.sizes.get(id(site.value), 1)
    kind = el.kind(site.value)
    el.add(site, kind if kind.kind == "choice" else Kind("real", kind.shape))


def next_value(el: Elaborator, s: tree.Next, scope: Scope) -> None:
    el.time.moved.add(s.target.name)
    el.time.updates.setdefault(s.target.name, []).append(
        Update(el.expression(s.value, scope), scope, s.span, el.time.survival))


def move(el: Elaborator, name: str, k: int) -> None:
    """The state's value in stage k + 1. After a halt nobody is there to see it: the halt does not stand in it."""
    updates = el.time.updates.pop(name, [])
    if not updates:
        return
    old = el.aliases[name]
    axes = updates[0].scope.axes
    value = updated(el, updates, old, axes)
    new = el.time.site(name, k + 1)
    keep(el, Let(new, axes, (), updates[0].span, value))
    el.aliases[name] = new
    if any(u.survival != updates[0].survival for u in updates):
        raise Unlowered("L001", f"a halt between two updates of `{name}` cannot be lowered yet", updates[-1].span,
                        "let `halt` stand before or after both")
    el.time.states[name].append(updates[0].survival)


def updated(el: Elaborator, updates: list[Update], old: str, axes: tuple[core.Axis, ...]) -> core.Expression:
    """The next value of a state for the member at hand: what is written where it applies, else the old one."""
    value: core.Expression = own_entry(old, axes)
    for u in reversed(updates):
        mine = aligned(u.value, u.scope.axes, axes)
        if u.scope.guards:
            holds = [aligned(g, u.scope.axes, axes) for g in u.scope.guards]
            value = el.measured(core.Apply("where", (all_of(holds), mine, value), span=u.span), u.span)
        else:
            value = mine
    return value


def own_entry(site: str, axes: tuple[core.Axis, ...]) -> core.Expression:
    """A site's value for the member at hand."""
    if not axes:
        return core.Reference(site)
    return core.Select(core.Reference(site), tuple(core.Member(a) for a in axes), (False,) * len(axes))


def aligned(e: core.Expression, axes: tuple[core.Axis, ...], to: tuple[core.Axis, ...]) -> core.Expression:
    """An expression of one loop in another over the same members."""
    if axes == to:
        return e
    pairs = dict(zip(axes, to, strict=True))

    def moved(x: core.Expression) -> core.Expression:
        if isinstance(x, (core.Member, core.Others)):
            return replace(x, axis=pairs.get(x.axis, x.axis))
        return core.rebuild(x, moved)

    return moved(e)


def all_of(conditions: list[core.Expression]) -> core.Expression:
    value = conditions[0]
    for c in conditions[1:]:
        value = core.Apply("mul", (value, c))
    return value


def settle(el: Elaborator, name: str) -> None:
    """After the stages a state is what it was when the halt came."""
    history = el.time.states[name]
    last = el.aliases[name]
    if all(a is None for a in history):
        return
    if el.time.by_chance:
        el.time.refused[name] = BY_CHANCE
        return
    axes = el.site_axes[last]
    value = own_entry(el.time.site(name, 1), axes)
    updated = [k for k in range(1, el.time.length + 1) if el.time.site(name, k + 1) in el.kinds]
    for k, alive in zip(updated, history, strict=True):
        entry = own_entry(el.time.site(name, k + 1), axes)
        value = entry if alive is None else core.Apply("where", (alive, entry, value))
    span = next(x.span for x in el.sites if x.name == last)
    site = at_the_end(el, name)
    keep(el, Let(site, axes, (), span, value))
    el.aliases[name] = site


def at_the_end(el: Resolver, name: str) -> str:
    """The site of a state's last value in a block."""
    return f"{name} at the end" + (f" of block {el.time.number}" if el.time.number > 1 else "")


def over_members(el: Elaborator, e: core.Expression, scope: Scope, span: Span) -> core.Expression:
    """The product of a factor over the members of the loops it stands in: what happens for all of them at once."""
    for axis in reversed(scope.axes):
        e = core.Fold("prod", axis, e, None, span=span)
    return el.measured(e, span) if scope.axes else e


def halt(el: Elaborator, s: tree.Halt, scope: Scope) -> None:
    """Survival is multiplied by 1 - c, for every member of a loop."""
    condition = el.expression(s.condition, scope)
    kind = el.kind(condition).kind
    fixed = el.static(s.condition, scope)
    if fixed is not None:
        condition = core.Constant(fixed, span=s.condition.span)
    time = el.time
    if kind not in ("bool", "choice") and fixed not in (0.0, 1.0):
        time.by_chance = True
    if scope.guards:
        condition = core.Apply("mul", (all_of(list(scope.guards)), condition), span=s.condition.span)
    going = over_members(el, fold(core.Apply("sub", (ONE, condition), span=s.span)), scope, s.span)
    value = going if time.survival is None or number(going) == 0 else fold(core.Apply("mul", (time.survival, going), span=s.span))
    if number(value) is None:
        time.halts += 1
        site = f"{GOING_ON} {time.halts}" + (f" in block {time.number}" if time.number > 1 else "")
        el.let_sizes[site] = 1 + el.sizes.get(id(going), el.sizes.get(id(condition), 1))
        el.add(Let(site, (), (), s.span, value), Kind("real"))
        value = core.Reference(site, span=s.span)
    time.stops.append((time.survival, value, len(time.delays)))
    time.survival = None if number(value) == 1 else value


def delay(el: Elaborator, s: tree.Delay, scope: Scope) -> None:
    factor, conditions = el.expression(s.factor, scope), scope.guards
    if scope.axes:
        own = core.Apply("where", (all_of(list(conditions)), factor, ONE), span=factor.span) if conditions else factor
        factor, conditions = over_members(el, own, scope, s.span), ()
    el.time.delays.append((factor, conditions, el.time.survival))


# ---------------------------------------------------------------- what is paid


def due(el: Elaborator, p: Payment) -> list[Payment]:
    """A payment as it counts at this moment: discounted, delayed, and made only if no halt has happened."""
    time = el.time
    guards = p.guards
    if time.stage and time.survival is not None:
        if number(time.survival) == 0:
            return []
        guards = (time.survival, *guards)
    factors: list[core.Expression] = []
    if time.stage > 1 and time.discount is not None:
        factors += [time.discount] * (time.stage - 1)
    for factor, conditions, _ in time.delays:
        open_ = [c for c in conditions if c not in p.guards]
        factors.append(core.Apply("where", (all_of(open_), factor, ONE), span=factor.span) if open_ else factor)
    if not factors:
        return [replace(p, guards=guards)]
    total: core.Expression = ONE
    for factor, times in Counter(factors).items():
        power = factor if times == 1 else fold(core.Apply("pow", (factor, core.Constant(float(times))), span=factor.span))
        total = fold(core.Apply("mul", (total, power), span=factor.span))
    scaled = lambda e: fold(core.Apply("mul", (total, e), span=e.span))  # noqa: E731
    return [replace(p, guards=guards, cost=scaled(p.cost), price=None if p.price is None else scaled(p.price))]


# ---------------------------------------------------------------- the past


def base_of(e: tree.Expression) -> str:
    base = e.base if isinstance(e, tree.Index) else e
    assert isinstance(base, tree.Name)
    return base.name


def knows_stage(el: Resolver, knowing: tuple[tree.Expression, ...]) -> bool:
    """Whether inputs tell the stage: its number, or a history, whose length does."""
    return any((isinstance(k, tree.Name) and k.name in (el.time.binder, "recall")) or is_history(k) for k in knowing)


def rule_in(el: Resolver, name: str, inputs: list[tree.Expression], e: tree.Call) -> tuple[str, list[tree.Expression]]:
    """The decision, and the inputs of its policy, that ``rule(u, a, t)`` speaks of: those of a stage. In stage 1 nothing is last."""
    time = time_of(el, name)
    knowing = time.knowing[name]
    at = next((i for i, k in enumerate(knowing) if isinstance(k, tree.Name) and k.name == time.binder), None)
    if any(is_history(k) or (isinstance(k, tree.Name) and k.name == "recall") for k in knowing) or (
            at is None and time.total > 1 and not time.once):
        raise Unlowered("L003", "the rule of a decision that knows a history cannot be asked yet", e.span,
                        f"`rule` is for decisions that know `{time.binder}` and values of their stage")
    if time.once:
        return name, inputs
    stage = 1 if at is None else round(el.constant(inputs[at]))
    if staged(name, stage) not in el.kinds:
        raise Unlowered("L003", f"`{name}` is not decided in stage {stage}", inputs[at or 0].span, f"there are {time.length}")
    kept = [x for i, (k, x) in enumerate(zip(knowing, inputs, strict=True)) if i != at and not (stage == 1 and is_last(k))]
    return staged(name, stage), kept


def is_history(e: tree.Expression) -> bool:
    return isinstance(e, tree.Call) and isinstance(e.function, tree.Name) and e.function.name == "history"


def is_last(e: tree.Expression) -> bool:
    return isinstance(e, tree.Call) and isinstance(e.function, tree.Name) and e.function.name == "last"


def is_over_for(el: Resolver, time: Stages) -> bool:
    """Whether a block is over: what it has made is known as a whole."""
    return time is not el.time or not time.stage


def site_in(el: Resolver, name: str, k: int) -> str | None:
    """The site of a name in stage k, if that stage has made it by now."""
    time = time_of(el, name)
    over = is_over_for(el, time)
    if time.once and over:
        return repeated.record(el, name, k)
    if k == time.stage and not over and name not in time.states:
        return name if name in el.kinds else None
    while name in time.states and time.site(name, k) not in el.kinds and k > 1:  # it was not updated
        k -= 1
    site = time.site(name, k)
    if over:
        site = time.blanked.get(site, site)
    return site if site in el.kinds else None


def in_stage(el: Resolver, argument: tree.Expression, k: int, read: Callable[[tree.Expression], object]) -> object | None:
    """What ``read`` makes of an expression with its name as it was in stage k; None if the stage has not made it."""
    name = base_of(argument)
    if name in el.broken:
        raise Silenced
    site = site_in(el, name, k)
    if site is None:
        return None
    with el.known_as(name, site):
        return read(argument)


def stages_so_far(el: Resolver, name: str) -> range:
    time = time_of(el, name)
    return range(1, (time.length if is_over_for(el, time) else time.stage) + 1)


def history(el: Resolver, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
    """The values so far, in order; after the stages all of them, blank after a halt."""
    name = base_of(arguments[0])
    if name in el.broken:
        raise Silenced
    if name in el.silent:
        return core.Constant(0.0, span=e.span)
    time = time_of(el, name)
    over = is_over_for(el, time)
    if el.time.stage and el.time.once and time is el.time:
        return memory.history(el, name, e, scope)
    if over and time.once:
        repeated.allow_history(el, name, e)
    elif over:
        if time.by_chance and any(site_in(el, name, k) in time.survived for k in stages_so_far(el, name)):
            raise Unlowered("L001", "a history after a halt by chance cannot be lowered yet", e.span,
                            "let nature draw the halt: `random stop ~ Bernoulli(p)`, `halt when stop`")
        for k in stages_so_far(el, name):
            blank_after_halt(el, name, k)
    values: list[core.Expression | None] = []
    for k in stages_so_far(el, name):
        value = in_stage(el, arguments[0], k, lambda a: el.expression(a, scope))
        if value is not None or over or k < time.stage:
            values.append(value)  # type: ignore[arg-type]
    made = next((v for v in values if v is not None), None)
    if made is None:
        return core.Constant(0.0, span=e.span)
    nothing = core.Constant(zeros(el.kind(made).shape), span=e.span)
    return core.Stack(tuple(nothing if v is None else v for v in values), span=e.span)


def zeros(shape: tuple[int, ...]) -> float | tuple:
    return 0.0 if not shape else (zeros(shape[1:]),) * shape[0]


def blank_after_halt(el: Resolver, name: str, k: int) -> None:
    """Put in the place of a site its value where no halt came before it (once)."""
    site, time = site_in(el, name, k), time_of(el, name)
    alive = time.survived.get(site) if site is not None else None
    if site is not None and alive is not None:
        shown = f"history({site})"
        axes = el.site_axes[site]
        span = next(x.span for x in el.sites if x.name == site)
        el.sites.append(Let(shown, axes, (alive,), span, own_entry(site, axes)))
        el.kinds[shown], el.site_axes[shown] = el.kinds[site], axes
        el.let_sizes[shown] = el.let_sizes.get(site, 1)
        if site in el.decoders:
            el.decoders[shown] = el.decoders[site]
        time.blanked[site] = shown


def last(el: Resolver, e: tree.Call, arguments: list[tree.Expression], scope: Scope) -> core.Expression:
    """The previous stage's value, the second argument in stage 1."""
    argument, start = arguments
    name = base_of(argument)
    if name in el.broken:
        raise Silenced
    if time_of(el, name) is not el.time:
        raise Unlowered("L001", f"`{name}` belongs to stages that are over: there is no stage before this one", e.span,
                        f"take one of its values: `history({name})[1]`")
    if el.time.once and name in el.time.shapes:
        return repeated.last(el, name, argument, start, scope)
    k = el.time.stage - 1
    if k >= 1:
        value = in_stage(el, argument, k, lambda a: el.expression(a, scope))
        return value if value is not None else core.Constant(0.0, span=e.span)  # type: ignore[return-value]
    type = el.checked.symbols[name].type
    if type is not None and type.kind == "choice" and isinstance(start, tree.Name) and start.name in type.labels:
        return first_choice(el, name, type.labels, start, e)
    return el.expression(start, scope)


def observe_past(el: Elaborator, e: tree.Call, scope: Scope) -> list[Observation]:
    """The inputs that ``history(x)`` and ``last(x, d)`` are: a value a stage, as the policy would see it there."""
    argument = e.arguments[0].value
    name = base_of(argument)
    if name in el.silent:
        return []
    if el.time.once:
        return memory.observe(el, e, scope) if is_history(e) else el.observed(el.expression(e, scope))
    if el.shared is not None and not is_history(e) and el.time.stage == 1:  # a rule for all stages sees what stands for the one before
        first = el.expression(e, scope)
        return [Observation(first, "real", el.kind(first).shape)]
    earlier = stages_so_far(el, name) if is_history(e) else range(max(1, el.time.stage - 1), el.time.stage)
    out: list[Observation] = []
    for k in earlier:
        seen = in_stage(el, argument, k, lambda a: el.observe(a, scope))
        out.extend(o for o in (seen or []) if o not in out)  # type: ignore[attr-defined]
    return out


def first_choice(el: Resolver, name: str, labels: tuple[str, ...], start: tree.Name, e: tree.Call) -> core.Expression:
    """A label in the place of a choice that has not been made yet, as a value of its own: comparisons know its labels."""
    site = f"last({name}, {start.name})"
    if site not in el.kinds:
        one_hot = tuple(float(x == start.name) for x in labels)
        el.sites.append(Let(site, (), (), e.span, core.Constant(one_hot, span=start.span)))
        el.kinds[site] = Kind("choice", (len(labels),), len(labels), labels=labels)
        el.site_axes[site] = ()
        el.let_sizes[site] = 1
    return core.Reference(site, span=e.span)


def made_in(statements: tuple[tree.Statement, ...]) -> set[str]:
    """The names that statements and their blocks make."""
    out: set[str] = set()
    for s in statements:
        target = getattr(s, "target", None)
        if isinstance(target, tree.Target) and not isinstance(s, tree.Next):
            out.add(target.name)
        body = getattr(s, "body", ())
        if isinstance(body, tuple):
            out |= made_in(body)
    return out


def members(site: Site) -> int:
    """How many sites it becomes when small loops are written out."""
    count = math.prod(a.size for a in site.axes)
    return count if count <= WRITTEN_OUT else 1
