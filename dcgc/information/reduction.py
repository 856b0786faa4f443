"""Information as coordinates: the static reduction of a game by change of measure (Witsenhausen 1988).

Where a decision observes y = f(...) + c w with a noise w of its own, y itself can serve as the coordinate of the grid in place of
w: the law of w becomes a density factor, and whatever is decided on y depends on the coordinate y alone. Conditional expectations
given what a decision knows are then sums over the other coordinates, whatever the policies are. Draws that are observed as they
are, finite draws and finite decisions are coordinates anyway; an observed action, or an observation that no noise blurs, becomes
a *derived* coordinate, whose factor says where on its grid the value lies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.expression import Apply, Constant, Expression, Reference, Select, Stack, references, show
from ..core.folding import ONE, ZERO
from ..core.site import Decision, Game, Observation, Others, Random
from .dependence import Dependence, affine

Role = Literal["nature", "finite", "observation", "derived", "event"]

FINITE_LAWS = frozenset({"Bernoulli", "Categorical", "Discrete"})
VECTOR_LIMIT = 8


@dataclass(frozen=True)
class Coordinate:
    """One dimension of the grid.

    ``nature``: a continuous draw (``site``). ``finite``: a finite draw or decision (``site``).
    ``observation``: the observed expression = offset + slope * (the noise ``site``), of which this is the coordinate.
    ``derived``: an observed real expression that no noise of its own blurs; if it is the value of a decision, ``site``.
    ``event``: an observed expression with finitely many ``values``.
    """

    name: str
    role: Role
    site: str | None = None
    observed: Expression | None = None
    offset: Expression | None = None
    slope: Expression | None = None
    size: int = 0
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class InformationSet:
    """What a decision knows, as coordinates. ``masks``: (event, coordinates): where the event does not hold the decision does
    not see these. ``order``: for every observation, in the game's order, its coordinates."""

    dims: tuple[str, ...]
    masks: tuple[tuple[Expression, tuple[str, ...]], ...]
    order: tuple[tuple[str, ...], ...]


@dataclass
class Reduction:
    """Coordinates of a game, and for every decision what it knows in them (None: ``reasons`` says why not)."""

    coordinates: dict[str, Coordinate] = field(default_factory=dict)
    information: dict[str, InformationSet | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return all(i is not None for i in self.information.values())


class Irreducible(Exception):
    """An observation that cannot be made a coordinate."""


def continuous(site: object) -> bool:
    return isinstance(site, Random) and site.distribution not in FINITE_LAWS


def scalars(o: Observation) -> list[Expression]:
    """The entries of an observed value, in order."""
    return _entries(o.expression, o.shape if o.kind != "choice" else o.shape[:-1])


def _entries(e: Expression, shape: tuple[int, ...]) -> list[Expression]:
    if not shape:
        return [e]
    if isinstance(e, Stack):
        return [x for item in e.items for x in _entries(item, shape[1:])]
    if shape[0] > VECTOR_LIMIT:
        raise Irreducible(f"{show(e)} has {shape[0]} entries")
    return [x for k in range(shape[0])
            for x in _entries(Select(e, (Constant(float(k + 1)),), (False,)), shape[1:])]


def reduce_information(game: Game, dependence: Dependence | None = None) -> Reduction:
    """Coordinates in which the information of every decision is a set of dimensions."""
    return _Reducer(game, dependence or Dependence(game)).run()


class _Reducer:
    def __init__(self, game: Game, dependence: Dependence):
        self.game, self.dependence = game, dependence
        self.result = Reduction()
        self.by_expression: dict[Expression, str] = {}
        self.pivots: set[str] = set()
        self.replaced: dict[str, frozenset[str]] = {}

    def run(self) -> Reduction:
        decisions = self.game.decisions
        for d in decisions:  # draws that somebody sees as they are keep their own coordinate
            for o in d.observations:
                for e in self.observed(o):
                    if isinstance(e, Reference) and isinstance(self.dependence.sites[e.site], Random):
                        self.draw(e.site, seen=True)
        for d in decisions:
            if d.enumerable:
                self.add(Coordinate(d.name, "finite", d.name, Reference(d.name), size=d.options))
        for s in self.game.sites:
            if isinstance(s, Others):
                self.add(Coordinate(s.name, "finite", s.name, Reference(s.name)))
        for d in decisions:
            try:
                self.result.information[d.name] = self.information(d)
            except Irreducible as why:
                self.result.information[d.name] = None
                self.result.reasons[d.name] = str(why)
        for r in self.game.randoms:
            if r.name not in self.pivots and r.name not in self.result.coordinates:
                self.draw(r.name)
        return self.result

    def observed(self, o: Observation) -> list[Expression]:
        try:
            return [self.dependence.inline(e) for e in scalars(o)]
        except Irreducible:
            return []

    def add(self, c: Coordinate) -> str:
        self.result.coordinates.setdefault(c.name, c)
        if c.observed is not None:
            self.by_expression.setdefault(c.observed, c.name)
        return c.name

    def draw(self, name: str, seen: bool = False) -> str:
        site = self.dependence.sites[name]
        assert isinstance(site, Random)
        if seen and continuous(site) and not site.shape and any(references(a) for a in site.arguments):
            # its law depends on other draws or acts: who sees the value does not know the base variable behind it
            self.pivots.add(name)
            return self.add(Coordinate(name, "observation", name, Reference(name), ZERO, ONE))
        role: Role = "nature" if continuous(site) else "finite"
        return self.add(Coordinate(name, role, name, Reference(name)))

    def information(self, d: Decision) -> InformationSet:
        if d.axes:
            raise Irreducible("a loop over many members")
        order: list[tuple[str, ...]] = []
        masks: list[tuple[Expression, tuple[str, ...]]] = []
        for o in d.observations:
            if isinstance(o.expression, Apply) and o.expression.function == "mask":
                seen, event = o.expression.arguments
                dims = self.dims(Observation(seen, "real", o.shape), d)
                masks.append((event, dims))
            else:
                dims = self.dims(o, d)
            order.append(dims)
        known = tuple(sorted({x for dims in order for x in dims}))
        return InformationSet(known, tuple(masks), tuple(order))

    def dims(self, o: Observation, d: Decision) -> tuple[str, ...]:
        out = []
        for entry in scalars(o):
            e = self.dependence.inline(entry)
            if not references(e):
                continue
            if e in self.by_expression:
                out.append(self.by_expression[e])
            elif o.kind == "real":
                out.append(self.real(e, entry, d))
            else:
                out.append(self.add(Coordinate(self.label(entry, d), "event", None, e, size=o.size or 2, values=o.numbers)))
        return tuple(dict.fromkeys(out))

    def real(self, e: Expression, entry: Expression, d: Decision) -> str:
        """A coordinate for an observed real expression: noise first, then an action's own error, else the expression itself."""
        mentioned = [s.name for s in self.game.sites if s.name in references(e)]
        arrays = [n for n in mentioned if getattr(self.dependence.sites[n], "shape", ()) and getattr(
            self.dependence.sites[n], "kind", "real") == "real"]
        if arrays and not (isinstance(e, Select) and isinstance(e.base, Reference)):
            raise Irreducible(f"{show(entry)} is computed from the whole of {', '.join(arrays)}")
        for name in reversed(mentioned):
            site = self.dependence.sites[name]
            if not continuous(site) or name in self.pivots or name in self.result.coordinates or site.shape:  # type: ignore[attr-defined]
                continue
            parts = affine(e, name)
            if parts is None or parts[1] == ZERO:
                continue
            offset, slope = parts
            behind = self.behind(self.dependence.of(offset) | self.dependence.of(slope))
            if name in behind:
                continue  # somebody saw the noise and acts on it, or it was already used to explain another observation
            self.pivots.add(name)
            self.replaced[name] = behind
            return self.add(Coordinate(self.label(entry, d), "observation", name, e, offset, slope))
        if len(mentioned) == 1 and isinstance(self.dependence.sites[mentioned[0]], Decision):
            parts = affine(e, mentioned[0])
            if parts is not None and parts[1] != ZERO and not (references(parts[0]) | references(parts[1])):
                action = mentioned[0]  # an action seen through a fixed affine map tells the action itself
                site = self.dependence.sites[action]
                if isinstance(site, Decision) and not site.finite and not site.shape:
                    name = self.add(Coordinate(action, "derived", action, Reference(action)))
                    self.by_expression.setdefault(e, name)
                    return name
        return self.add(Coordinate(self.label(entry, d), "derived", None, e))

    def behind(self, sites: frozenset[str]) -> frozenset[str]:
        """Sites with what stands for those of them that an observation has replaced."""
        return sites.union(*(self.replaced.get(s, frozenset()) for s in sites))

    def label(self, entry: Expression, d: Decision) -> str:
        base = entry.site if isinstance(entry, Reference) else show(entry)
        while base in self.result.coordinates:
            base += "'"
        return base


