"""A game with its stages and families written out, for questions about who knows what.

Large families are alike, and so are late stages: a few stand for all. What is looked at then says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ..core.expression import Apply, Axis, Constant, Expression, Member, Reference, Select, rebuild
from ..core.naming import GOING_ON
from ..core.site import SO_FAR, Decision, Game, Let, Payment, Record, Site, State
from ..passes.unroll import unroll

MEMBERS = 64  # members of a loop that are all written out; of a larger one three are
REPRESENTATIVES = 3
SITES = 6000  # sites of all stages that are written out


@dataclass(frozen=True)
class Written:
    """``game``: without loops and stages. ``rules``: of a decision in stages that one policy serves, the decision of the text (several
    share it). ``shrunk``: families of which a few members stand for all, with their sizes; ``stages``: how many stages stand for how
    many."""

    game: Game
    rules: dict[str, str]
    shrunk: dict[str, int]
    stages: tuple[int, float] | None = None


def written(game: Game) -> Written:
    """The game as sites without loops, every stage with sites of its own."""
    shrunk: dict[str, int] = {}
    game = smaller(game, shrunk)
    stages: tuple[int, float] | None = None
    rules: dict[str, str] = {}
    if game.block is not None:
        count = sum(s.repeated for s in game.sites)
        most = max(3, SITES // max(1, count))
        number = int(min(game.block.length, most)) if math.isfinite(game.block.length) else REPRESENTATIVES
        stages = (number, game.block.length)
        game, rules = stage_by_stage(game, number)
    return Written(unroll(game, MEMBERS), rules, shrunk, stages)


def smaller(game: Game, shrunk: dict[str, int]) -> Game:
    """The game with a few members of every large loop. ``shrunk`` takes their sizes."""
    def axis(a: Axis) -> Axis:
        if a.size <= MEMBERS:
            return a
        shrunk[a.family or a.name] = a.size
        return replace(a, size=REPRESENTATIVES)

    def change(value: Any) -> Any:
        if isinstance(value, Axis):
            return axis(value)
        if isinstance(value, tuple):
            return tuple(change(v) for v in value) if any(isinstance(v, tuple) or is_dataclass(v) for v in value) else value
        if isinstance(value, Constant):
            return value
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: change(v) for f in fields(value) if f.init and not isinstance(v := getattr(value, f.name), str)
                                     and (isinstance(v, tuple) or is_dataclass(v)) and f.name != "span"})
        return value

    if not any(a.size > MEMBERS for a in axes_of(game)):
        return game
    sites = tuple(change(s) for s in game.sites)
    return bare(replace(game, sites=sites, channels=tuple(change(c) for c in game.channels)))


def axes_of(game: Game) -> list[Axis]:
    """Axes of all sites."""
    return [a for s in game.sites for a in s.axes]


def stage_by_stage(game: Game, stages: int) -> tuple[Game, dict[str, str]]:
    """The game with this many of its stages written out, and the decisions that share a policy."""
    block = game.block
    assert block is not None
    inside = [s for s in game.sites if s.repeated]
    names = {s.name for s in inside}
    first = next(k for k, s in enumerate(game.sites) if s.repeated)
    out: list[Site] = [s for s in game.sites[:first] if not s.repeated]
    rules: dict[str, str] = {}
    alive: str | None = None
    for t in range(1, stages + 1):
        for site in inside:
            made = in_stage(site, t, names, block.binder)
            if isinstance(made, Let) and made.value == Reference(made.name):
                continue  # where a state starts goes by this name already
            if isinstance(made, Payment) and alive is not None:
                made = replace(made, guards=(Reference(alive), *made.guards))
            out.append(made)
            if isinstance(site, Decision):
                rules[made.name] = site.name
        if block.survival is not None:
            now: Expression = Reference(f"{block.survival}@{t}")
            out.append(Let(f"{GOING_ON} after {t}", (), (), block.span, now if alive is None else Apply("mul", (Reference(alive), now))))
            alive = out[-1].name
    for site in game.sites[first:]:
        if isinstance(site, Record):
            value = recorded(site, stages, inside, block.binder)
            if value.name not in {s.name for s in out}:  # a stage's value goes by the name that it has here
                out.append(value)
        elif not site.repeated:
            out.append(site)
    return bare(replace(game, sites=tuple(out), block=None, channels=())), rules


def bare(game: Game) -> Game:
    """The game without what is asked of it: that may name members and stages which are not there."""
    return replace(game, measures=(), published=(), plots=(), constraints=(), equations=())


def in_stage(site: Site, t: int, names: set[str], binder: str) -> Site:
    """A site of the block in stage t."""
    def change(e: Expression) -> Expression:
        return Reference(f"{e.site}@{t}", span=e.span) if isinstance(e, Reference) and e.site in names else rebuild(e, change)

    if isinstance(site, State):
        if site.name == binder:
            value: Expression = Constant(float(t))
        else:
            value = site.first if t == 1 else Reference(f"{site.following}@{t - 1}")
            if t > 1 and site.axes:
                value = own_entry(site, value)
        return Let(f"{site.name}@{t}", site.axes, site.guards, site.span, value)
    updates: dict[str, Any] = {"name": f"{site.name}@{t}", "repeated": False}
    for f in fields(site):
        value = getattr(site, f.name)
        if isinstance(value, Expression):
            updates[f.name] = change(value)
        elif f.name == "observations":
            updates[f.name] = tuple(replace(o, expression=change(o.expression)) for o in value)
        elif isinstance(value, tuple) and value and all(isinstance(v, Expression) for v in value):
            updates[f.name] = tuple(change(v) for v in value)
    if "channel" in {f.name for f in fields(site)}:
        updates["channel"] = None
    return replace(site, **updates)


def own_entry(site: Site, array: Expression) -> Expression:
    """A member's entry of an array over the members of a site's loops."""
    return Select(array, tuple(Member(a) for a in site.axes), (False,) * len(site.axes))


def recorded(site: Record, stages: int, inside: list[Site], binder: str) -> Let:
    """What a stage leaves behind, as a value."""
    if site.of == SO_FAR:
        return Let(site.name, site.axes, site.guards, site.span, Constant(1.0))
    source = next((s for s in inside if s.name == site.of), None)
    stage = stages if site.stage is None else min(site.stage, stages)
    of = source.following if isinstance(source, State) and site.stage is None and site.of != binder else site.of
    value: Expression = Reference(f"{of}@{stage}")
    if site.axes:
        value = own_entry(site, value)
    return Let(site.name, site.axes, site.guards, site.span, value)
