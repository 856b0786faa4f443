"""The order in which a game can be solved backwards: subgames, last first.

A *move* is a decision, or several that are simultaneous: none of them knows another and a payment depends on both. A move can be solved
for itself, at every input, if whoever decides knows all that is still open and can matter: what was decided before is known to all of
them, or told by the move's being reached at all (``when``, ``halt``), or without effect on what they pay; and what nature has drawn
unseen is independent of all that they see, so that nothing anybody did tells about it. Then no beliefs are needed (Kuhn 1953; Selten
1975), and backward induction gives the sequential equilibria.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.expression import Apply, Expression, Reference, references, walk
from ..core.site import Decision, Let, Payment, Random
from .dependence import Dependence
from .reduction import Reduction


@dataclass(frozen=True)
class Move:
    """``decisions``: simultaneous ones. ``relevant``: the coordinates among those that they know on which what they pay depends.
    ``reached``: lets (survival of halts) that are 1 where the move is reached. ``pinned``: finite decisions that its ``when`` tells,
    not known otherwise. ``hidden``: draws that still count and are not seen. ``courtesy``: of each decision the payments of others which
    these inputs settle too; ties are broken in their favour."""

    decisions: tuple[str, ...]
    relevant: tuple[str, ...]
    reached: tuple[str, ...]
    pinned: tuple[str, ...]
    hidden: tuple[str, ...]
    courtesy: tuple[tuple[str, ...], ...]


class Entangled(Exception):
    """The game has no order in which its decisions can be solved one by one; the message says why."""


def moves(dependence: Dependence, reduction: Reduction, paid: Mapping[str, tuple[Payment, ...]],
          given: frozenset[str] = frozenset()) -> tuple[Move, ...]:
    """The moves of a game, last first. ``paid``: for every decision the payments that count for its player. ``given``: decisions whose
    values are put in from outside (states).

    Raises Entangled.
    """
    return _Order(dependence, reduction, paid, given).run()


class _Order:
    def __init__(self, dependence: Dependence, reduction: Reduction, paid: Mapping[str, tuple[Payment, ...]],
                 given: frozenset[str]):
        self.dependence, self.reduction = dependence, reduction
        self.decisions = tuple(d for d in dependence.game.decisions if d.name not in given)
        self.counted = {d.name: tuple(p for p in paid[d.name] if d.name in dependence.ancestors[p.name]) for d in self.decisions}
        self.relevant: dict[str, frozenset[str]] = {}

    def run(self) -> tuple[Move, ...]:
        for d in self.decisions:
            self.check(d)
        self.gates = {d.name: self.gates_of(d) for d in self.decisions}
        self.before = self.precedence()
        out = []
        for group in self.ordered(self.grouped()):
            out.append(self.move(group))
        return tuple(out)

    def check(self, d: Decision) -> None:
        information = self.reduction.information[d.name]
        if information is None:
            raise Entangled(f"what {d.name} knows is no set of coordinates ({self.reduction.reasons[d.name]})")
        if information.masks:
            raise Entangled(f"{d.name} knows something that is masked")
        for x in information.dims:
            c = self.reduction.coordinates[x]
            if c.site is None or c.role not in ("finite", "nature", "derived"):
                raise Entangled(f"{d.name} knows {x}, which is neither a draw nor a decision as it is")
        if any(p.information is not None or p.constraint is not None for p in self.counted[d.name]):
            raise Entangled(f"{d.name} pays for information, or is held to a constraint")

    # ------------------------------------------------------------ precedence

    def gates_of(self, d: Decision) -> frozenset[str]:
        """Lets that guard all that d can change: where they are 0, nothing that it does counts."""
        if not self.counted[d.name]:
            return frozenset()
        common = frozenset.intersection(*(self.factors(p) for p in self.counted[d.name]))
        return frozenset(x for x in common if d.name not in self.dependence.ancestors[x])

    def factors(self, p: Payment) -> frozenset[str]:
        """The lets that a payment's guards are products of."""
        out: set[str] = set()
        pending: list[Expression] = list(p.guards)
        while pending:
            e = pending.pop()
            if isinstance(e, Reference) and isinstance(site := self.dependence.sites[e.site], Let) and not site.axes:
                out.add(site.name)
                pending.append(site.value)
            elif isinstance(e, Apply) and e.function == "mul":
                pending.extend(e.arguments)
        return frozenset(out)

    def precedence(self) -> dict[str, frozenset[str]]:
        """For every decision those before it: what it sees, and what its being reached depends on, depends on them."""
        names = {d.name for d in self.decisions}
        out: dict[str, frozenset[str]] = {}
        for d in self.decisions:
            direct = set(self.dependence.ancestors[d.name])
            for gate in self.gates[d.name]:
                direct |= self.dependence.ancestors[gate]
            direct &= names
            out[d.name] = frozenset(direct).union(*(out.get(x, frozenset()) for x in direct))
        return out

    def grouped(self) -> list[tuple[str, ...]]:
        """Simultaneous decisions together."""
        parent = {d.name: d.name for d in self.decisions}

        def root(x: str) -> str:
            while parent[x] != x:
                x = parent[x]
            return x

        for i, a in enumerate(self.decisions):
            for b in self.decisions[i + 1:]:
                if a.name in self.before[b.name] or b.name in self.before[a.name]:
                    continue
                both = {p.name for p in self.counted[a.name]} | {p.name for p in self.counted[b.name]}
                if any(a.name in self.dependence.ancestors[p] and b.name in self.dependence.ancestors[p] for p in both):
                    parent[root(b.name)] = root(a.name)
        groups: dict[str, list[str]] = {}
        for d in self.decisions:
            groups.setdefault(root(d.name), []).append(d.name)
        for members in groups.values():
            for early in members:
                for late in members:
                    if early in self.before[late]:
                        other = next(x for x in members if x not in (early, late))
                        raise Entangled(f"{late} follows {early}, and {other} is simultaneous with both")
        return [tuple(m) for m in groups.values()]

    def ordered(self, groups: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Last first."""
        out: list[tuple[str, ...]] = []
        left = list(groups)
        while left:
            last = next((g for g in reversed(left) if not any(
                x in self.before[y] for other in left if other is not g for x in g for y in other)), None)
            if last is None:
                raise Entangled(f"{left[-1][0]} and {left[0][0]} each come before the other")
            out.append(last)
            left.remove(last)
        return out

    # ------------------------------------------------------------ one move

    def move(self, group: tuple[str, ...]) -> Move:
        pinned = frozenset().union(*(self.pinned(self.site(x)) for x in group))
        reached = frozenset.intersection(*(self.gates[x] for x in group))
        relevant: set[str] = set()
        hidden: set[str] = set()
        for name in group:
            known, unseen = self.walk(self.site(name), group, reached, pinned, self.counted[name])
            relevant |= known
            hidden |= unseen
        for name in group:
            information = self.reduction.information[name]
            assert information is not None
            missing = relevant - set(information.dims)
            if missing:
                raise Entangled(f"{name} does not know {sorted(missing)[0]}, which a simultaneous decision knows")
            self.relevant[name] = frozenset(relevant)
        courtesy = tuple(self.settled(self.site(x), group, reached, pinned, relevant) for x in group)
        return Move(group, tuple(sorted(relevant)), tuple(sorted(reached)), tuple(sorted(pinned)), tuple(sorted(hidden)), courtesy)

    def settled(self, d: Decision, group: tuple[str, ...], reached: frozenset[str], pinned: frozenset[str], relevant: set[str],
                ) -> tuple[str, ...]:
        out = []
        own = {p.name for p in self.counted[d.name]}
        for p in self.dependence.game.payments:
            if d.name not in self.dependence.ancestors[p.name] or p.name in own or p.information is not None or p.constraint is not None:
                continue
            try:
                known, _ = self.walk(d, group, reached, pinned, (p,))
            except Entangled:
                continue
            if known <= relevant:
                out.append(p.name)
        return tuple(out)

    def site(self, name: str) -> Decision:
        site = self.dependence.sites[name]
        assert isinstance(site, Decision)
        return site

    def pinned(self, d: Decision) -> frozenset[str]:
        """Finite decisions in d's own conditions that it does not know."""
        information = self.reduction.information[d.name]
        assert information is not None
        used = {x for g in d.guards for x in references(self.dependence.inline(g))}
        return frozenset(x for x in used if x not in information.dims and isinstance(s := self.dependence.sites[x], Decision) and s.finite)

    def walk(self, d: Decision, group: tuple[str, ...], reached: frozenset[str], pinned: frozenset[str], payments: tuple[Payment, ...],
             ) -> tuple[set[str], set[str]]:
        """The known coordinates, and the draws not seen, on which what d's player pays depends once later decisions are solved."""
        information = self.reduction.information[d.name]
        assert information is not None
        known: set[str] = set()
        hidden: set[str] = set()
        pending = [x for p in payments for e in (*p.guards, p.cost) for x in references(e)]
        pending += [x for e in (d.low, d.high) if e is not None for x in references(e)]
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen or name in reached or name in pinned or name in group:
                continue
            seen.add(name)
            site = self.dependence.sites[name]
            if name in information.dims:
                known.add(name)
            elif isinstance(site, Random):
                hidden.add(name)
                pending += [x for a in site.arguments for x in references(a)]
            elif isinstance(site, Let):
                pending += [x for e in (*site.guards, site.value) for x in references(e)]
            elif isinstance(site, Decision) and name in self.relevant:
                pending += [x for e in (site.low, site.high, *site.guards) if e is not None for x in references(e)]
                pending += list(self.relevant[name])
            else:
                raise Entangled(f"{d.name} does not know {name}, which was decided before it")
        told = hidden & self.dependence.ancestors[d.name]
        if told:
            raise Entangled(f"what {d.name} knows tells something about {sorted(told)[0]}, which it does not see")
        for name in pinned:
            if any(isinstance(x, Reference) and x.site == name for p in payments for x in walk(self.dependence.inline(p.cost))):
                raise Entangled(f"{d.name} does not know {name}, on which what it pays depends")
        return known, hidden
