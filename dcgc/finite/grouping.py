"""Which information sets of a tree one statement of a text can state together.

A statement is a *place*: one draw or decision of the text, made in some of the plays. Information sets of one player with the same actions
are one place if they come after the same places and are told apart by values of these that the player knows: then the text says
``knowing`` those. Where no earlier values say what is known, each information set is a place of its own that knows nothing but that it is
reached. Chance moves after the same places are one if their law is always the same, or a function of what came of one of these.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from .tree import CHANCE, FiniteGame

Law = tuple[Fraction, ...]


@dataclass
class Place:
    """``sets``: the information sets. ``actions``: their labels, in the place's order; ``action_of``: of every set the place's number of
    each of its actions. ``knowing``: places whose values are known. ``laws``: of chance a law for each action of ``given`` (None: one law).
    ``free``: no order of the text puts it after all that it follows, so that it is made at once, and counts where it is reached."""

    sets: tuple[int, ...]
    player: int
    actions: tuple[str, ...]
    action_of: dict[int, tuple[int, ...]]
    knowing: tuple[int, ...] = ()
    laws: tuple[Law, ...] = ()
    given: int | None = None
    free: bool = False


@dataclass
class Plan:
    """The places of a tree in the order of the text. ``steps``: of every node the (place, action) pairs on the way to it; moves with a
    single action are none."""

    game: FiniteGame
    places: list[Place] = field(default_factory=list)
    steps: list[tuple[tuple[int, int], ...]] = field(default_factory=list)

    @property
    def place_of(self) -> dict[int, int]:
        return {s: k for k, p in enumerate(self.places) for s in p.sets}


def grouped(game: FiniteGame) -> Plan:
    """The plan of a tree without absent-mindedness."""
    real = [s for s, nodes in enumerate(game.members) if nodes and len(game.sets[s].actions) > 1]
    before = {s: {game.nodes[n].information for k in game.members[s] for n, _ in game.path(k)} & set(real) - {s} for s in real}
    plan = Plan(game)
    waiting = list(real)
    while waiting:
        done = set(plan.place_of)
        ready = [s for s in waiting if before[s] <= done]
        free = not ready
        if free:
            ready = [min(waiting, key=lambda s: min(len(game.path(k)) for k in game.members[s]))]
        plan.steps = steps(plan)
        plan.places += [Place((ready[0],), game.sets[ready[0]].player, game.sets[ready[0]].actions, own_numbers(game, ready[0]),
                              laws=laws(game, ready[0]), free=True)] if free else together(plan, ready)
        waiting = [s for s in waiting if s not in set(plan.place_of)]
    plan.steps = steps(plan)
    return plan


def steps(plan: Plan) -> list[tuple[tuple[int, int], ...]]:
    """(place, action) pairs on the way to every node."""
    place_of = plan.place_of
    out: list[tuple[tuple[int, int], ...]] = [()] * len(plan.game.nodes)
    for k, n in enumerate(plan.game.nodes):
        place = place_of.get(n.information) if n.information is not None else None
        for a, child in enumerate(n.children):
            out[child] = out[k]
            if place is not None and n.information is not None:
                out[child] = (*out[k], (place, plan.places[place].action_of[n.information][a]))
    return out


def own_numbers(game: FiniteGame, s: int) -> dict[int, tuple[int, ...]]:
    return {s: tuple(range(len(game.sets[s].actions)))}


def laws(game: FiniteGame, s: int) -> tuple[Law, ...]:
    return (game.sets[s].probabilities,) if game.sets[s].player == CHANCE else ()


def together(plan: Plan, ready: Sequence[int]) -> list[Place]:
    """Places for information sets all of whose predecessors have one."""
    game = plan.game
    out = []
    left = list(ready)
    for wild in (True, False):  # first whatever the others did, then by what they did
        groups: dict[Hashable, list[int]] = {}
        for s in left:
            if game.sets[s].player != CHANCE:
                groups.setdefault(key(plan, s, wild), []).append(s)
        for group in groups.values():
            knowing = known(plan, group)
            if knowing is not None and (len(group) > 1 or not wild):
                own = game.sets[group[0]]
                out.append(Place(tuple(group), own.player, own.actions, {k: tuple(range(len(own.actions))) for k in group}, knowing))
                left = [x for x in left if x not in group]
    chance = [s for s in left if game.sets[s].player == CHANCE]
    for place in chance_places(plan, chance):
        out.append(place)
        left = [x for x in left if x not in place.sets]
    out += [Place((s,), game.sets[s].player, game.sets[s].actions, own_numbers(game, s), laws=laws(game, s)) for s in left]
    return sorted(out, key=lambda p: (p.player != CHANCE, min(p.sets)))


def key(plan: Plan, s: int, wild: bool) -> Hashable:
    """What two information sets must share to be one place: player, actions, and the places before (with what players did there)."""
    game = plan.game
    contexts = frozenset(
        tuple((p, None if wild or plan.places[p].player == CHANCE else a) for p, a in plan.steps[k]) for k in game.members[s])
    return game.sets[s].player, game.sets[s].actions, contexts


def known(plan: Plan, group: Sequence[int]) -> tuple[int, ...] | None:
    """Earlier places whose values are known at every set of the group and tell the sets apart, as few as may be; None if there are none."""
    game = plan.game
    values = {s: [dict(plan.steps[k]) for k in game.members[s]] for s in group}
    paths = {frozenset(v) for own in values.values() for v in own}
    if len(paths) > 1:
        return () if len(group) == 1 else None
    places = sorted(next(iter(paths)))
    constant = [p for p in places if all(len({v[p] for v in own}) == 1 for own in values.values())]

    def told(by: Sequence[int]) -> bool:
        return len({tuple(own[0][p] for p in by) for own in values.values()}) == len(group)

    if not told(constant):
        return None
    chosen = list(constant)
    for p in constant:  # the earliest are left out first
        rest = [x for x in chosen if x != p]
        if told(rest):
            chosen = rest
    return tuple(chosen)


def chance_places(plan: Plan, ready: Sequence[int]) -> list[Place]:
    """Chance moves after the same places whose law is always the same, or a function of what came of one of these, over shared labels."""
    game = plan.game
    groups: dict[Hashable, list[int]] = {}
    for s in ready:
        if len(set(game.sets[s].actions)) == len(game.sets[s].actions):
            groups.setdefault(frozenset(tuple(p for p, _ in plan.steps[k]) for k in game.members[s]), []).append(s)
    out = []
    for context, group in groups.items():
        labels = [game.sets[s].actions for s in group]
        union = tuple(dict.fromkeys(sorted({x for own in labels for x in own}, key=natural))) if len(set(labels)) > 1 else labels[0]
        if len(group) < 2 or len(context) > 1 or sum(map(len, labels)) == len(union):  # type: ignore[arg-type]
            continue
        law = {s: tuple(dict(zip(game.sets[s].actions, game.sets[s].probabilities, strict=True)).get(x, Fraction(0)) for x in union)
               for s in group}
        found = rests_on(plan, group, law)
        if found is not None:
            numbers = {s: tuple(union.index(x) for x in game.sets[s].actions) for s in group}
            out.append(Place(tuple(group), CHANCE, union, numbers, laws=found[1], given=found[0]))
    return out


def rests_on(plan: Plan, group: Sequence[int], law: Mapping[int, Law]) -> tuple[int | None, tuple[Law, ...]] | None:
    """The place before a group of chance moves whose action says their law (None: they have one law), with a law for each action; the
    latest place, if several do."""
    if len(set(law.values())) == 1:
        return None, (law[group[0]],)
    ways = [(dict(plan.steps[k]), law[s]) for s in group for k in plan.game.members[s]]
    for p in sorted(ways[0][0], reverse=True):
        table: dict[int, Law] = {}
        if not plan.places[p].free and all(table.setdefault(way[p], own) == own for way, own in ways):
            return p, tuple(table.get(a, law[group[0]]) for a in range(len(plan.places[p].actions)))
    return None


def natural(label: str) -> tuple[object, ...]:
    """Numbers by size, before words."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)
