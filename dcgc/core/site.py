"""The game graph: sites in time order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..source import Span
from .expression import Axis, Expression, show

DecisionKind = Literal["real", "bool", "choice", "simplex"]


@dataclass(frozen=True)
class Site:
    """A node of the game graph. ``axes``: the loops it stands in, outermost first; it happens for every member at once.
    ``guards``: it exists only where all of these hold."""

    name: str
    axes: tuple[Axis, ...]
    guards: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Random(Site):
    """Nature draws an array of ``shape`` (of independent entries, but for Dirichlet and MvNormal) for every member."""

    distribution: str
    arguments: tuple[Expression, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Let(Site):
    value: Expression


@dataclass(frozen=True)
class Actor:
    """Who acts or pays: a player, a member of a family (an expression over the loops' indices), or a team."""

    name: str
    member: Expression | None = None


@dataclass(frozen=True)
class Observation:
    """One thing that a policy sees. ``size`` is the number of values if they are finitely many, in ``kind``'s coding:
    a bool is 0 or 1, a choice is one-hot, a category is 1..size, an index is low..low+size-1,
    values are the numbers listed."""

    expression: Expression
    kind: Literal["real", "bool", "choice", "category", "index", "values"]
    shape: tuple[int, ...]
    size: int | None = None
    low: int = 1
    values: tuple[float, ...] = ()

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values of a finite observation, in order (of a choice: the numbers of its options)."""
        first = 0 if self.kind == "bool" else 1 if self.kind == "choice" else self.low
        return self.values or tuple(float(first + k) for k in range(self.size or 0))


@dataclass(frozen=True)
class Decision(Site):
    """A decision by a policy whose inputs are exactly ``observations``.

    ``shape`` is the shape of the value (of a choice: ending with its number of options); ``low`` and ``high`` bound the
    entries of a real one (None: unbounded).
    """

    kind: DecisionKind
    shape: tuple[int, ...]
    low: Expression | None
    high: Expression | None
    labels: tuple[str, ...]
    actor: Actor
    observations: tuple[Observation, ...]
    mixed: bool

    @property
    def finite(self) -> bool:
        return self.kind in ("bool", "choice")

    @property
    def options(self) -> int:
        """Number of values of a finite decision."""
        return 2 if self.kind == "bool" else self.shape[-1]


@dataclass(frozen=True)
class Payment(Site):
    """``cost`` of an actor (a payoff is a cost with the sign changed)."""

    actor: Actor
    cost: Expression


@dataclass(frozen=True)
class Measure:
    name: str
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Published:
    """A ``known``, ``record`` or ``bound`` line; ``active`` is False where its ``when`` does not hold."""

    kind: Literal["known", "record", "bound"]
    label: str
    quantity: Expression
    relation: Literal["=", ">=", "<="]
    value: Expression
    tolerance: float
    relative: bool
    active: bool
    reference: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Plot:
    value: Expression
    against: Expression
    value_label: str
    against_label: str
    axes: tuple[Axis, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class PolicyChoice:
    """``policy NAME : FAMILY(options)`` for a player or a decision."""

    subject: str
    family: str
    options: tuple[tuple[str, float | bool | str], ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class PlayerEntry:
    name: str
    size: int | None
    symmetric: bool


@dataclass(frozen=True)
class TeamEntry:
    name: str
    members: tuple[tuple[str, int | None], ...]  # member counted from 0


@dataclass(frozen=True)
class Game:
    """A game whose every name is resolved; ``sites`` are in time order."""

    name: str
    title: str | None
    sites: tuple[Site, ...]
    players: tuple[PlayerEntry, ...]
    teams: tuple[TeamEntry, ...]
    parameters: dict[str, float | tuple]
    measures: tuple[Measure, ...]
    published: tuple[Published, ...]
    plots: tuple[Plot, ...]
    taps: tuple[str, ...]
    policies: tuple[PolicyChoice, ...]
    settings: tuple[tuple[str, float | bool | str], ...]
    citations: tuple[str, ...]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(s for s in self.sites if isinstance(s, Decision))

    @property
    def randoms(self) -> tuple[Random, ...]:
        return tuple(s for s in self.sites if isinstance(s, Random))

    @property
    def payments(self) -> tuple[Payment, ...]:
        return tuple(s for s in self.sites if isinstance(s, Payment))

    def site(self, name: str) -> Site:
        return next(s for s in self.sites if s.name == name)


def show_game(game: Game) -> str:
    """The whole graph as text, a line a site."""
    lines = [f"game {game.name}" + (f"  {game.title}" if game.title else "")]
    for site in game.sites:
        over = "".join(f"[{a.name} in {a.family or f'{a.low}..{a.low + a.size - 1}'}]" for a in site.axes)
        when = "".join(f" when {show(g)}" for g in site.guards)
        if isinstance(site, Random):
            shape = "x".join(map(str, site.shape))
            text = f"random {site.name}{over}{f' ({shape})' if shape else ''} ~ " \
                   f"{site.distribution}({', '.join(show(a) for a in site.arguments)})"
        elif isinstance(site, Let):
            text = f"let {site.name}{over} = {show(site.value)}"
        elif isinstance(site, Decision):
            seen = ", ".join(show(o.expression) for o in site.observations) or "nothing"
            text = f"decide {site.name}{over} : {site.kind}{list(site.shape) if site.shape else ''} by " \
                   f"{show_actor(site.actor)} knowing {seen}{' mixed' if site.mixed else ''}"
        elif isinstance(site, Payment):
            text = f"cost{over} {show_actor(site.actor)} = {show(site.cost)}"
        else:
            text = site.name
        lines.append(f"  {text}{when}")
    return "\n".join(lines)


def show_actor(actor: Actor) -> str:
    return actor.name if actor.member is None else f"{actor.name}[{show(actor.member)}]"
