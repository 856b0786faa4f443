"""The game graph: sites in time order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..source import Span
from .expression import Axis, Expression, Information, Root, show

WRITTEN_OUT = 8  # a loop of no more members becomes as many sites

DecisionKind = Literal["real", "bool", "choice", "simplex"]


@dataclass(frozen=True)
class Site:
    """A node of the game graph. ``axes``: the loops it stands in, outermost first; it happens for every member at once.
    ``guards``: it exists only where all of these hold. ``repeated``: it happens in every stage of the game's ``StageBlock``."""

    name: str
    axes: tuple[Axis, ...]
    guards: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)
    repeated: bool = field(default=False, kw_only=True)


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
    channel: str | None = None  # the channel that this encoder fills, or the private look that it is
    function: str | None = None  # of a whole function, whose coefficients are decided: how it is written

    @property
    def finite(self) -> bool:
        return self.kind in ("bool", "choice")

    @property
    def enumerable(self) -> bool:
        """Whether its options are few enough to be a coordinate: long token messages are one choice a position."""
        return self.finite and not self.axes and (len(self.shape) <= 1 if self.kind == "choice" else not self.shape)

    @property
    def options(self) -> int:
        """Number of values of a finite decision."""
        return 2 if self.kind == "bool" else self.shape[-1]


@dataclass(frozen=True)
class Payment(Site):
    """``cost`` of an actor (a payoff is a cost with the sign changed).

    ``information``: what a channel's price is charged on, ``price`` per nat. ``constraint``: the multiplier's name of a payment that
    is none, but holds its actor to a constraint.
    """

    actor: Actor
    cost: Expression
    information: Information | None = None
    price: Expression | None = None
    constraint: str | None = None


@dataclass(frozen=True)
class State(Site):
    """A value that stages carry: ``first`` in stage 1 (an expression over what came before the stages), in every later stage what the
    site ``following`` was in the stage before. The number of the stage is one. ``survival``: the chance that no halt has come when it
    is updated, a site of the stage (None: certain)."""

    first: Expression
    following: str
    survival: str | None = None
    memory: bool = False  # what somebody remembers: nobody errs in it


@dataclass(frozen=True)
class Record(Site):
    """What the stages leave behind for the statements after them: of a repeated site its value in ``stage`` (0 after a halt); without
    ``stage``, of a state its last value, and of ``SO_FAR`` the product of all delays."""

    of: str
    stage: int | None = None


@dataclass(frozen=True)
class Others(Site):
    """How many of the ``size`` other members of a family take the finite decision ``of`` (that of a copy of one of them): of a Bool the
    number who say yes, of a choice one number an option. They draw and mix independently, alike but for their own draws: given what is
    common, the number is binomial (multinomial). ``private``: sites of the copy."""

    of: str
    size: int
    options: int
    yes_or_no: bool
    private: tuple[str, ...]


SO_FAR = "delay so far"


@dataclass(frozen=True)
class StageBlock:
    """A block of stages that is elaborated once: its sites are the ``repeated`` ones of the game, states and ``binder`` (the number of
    the stage) among them as values that are given.

    ``length``: how many stages (inf: without end). ``discount``: of one stage (None: 1). Names of repeated sites: ``survival``, the
    chance that a stage which is reached ends with no halt; ``delay``, what multiplies all that is paid in later stages, if none came;
    ``ended``, the chance that a halt came in this stage, times the delays before it (None: 1, 1 and 0). Payments of the stage have the
    survival and the delays of their own stage in them, but nothing of earlier ones and no discount.
    """

    binder: str
    length: float
    discount: Expression | None
    survival: str | None
    delay: str | None
    ended: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Constraint:
    """``actor`` must hold E[excess] <= 0 (or = 0). ``scale``: the units of the excess (nats of a budget: 1)."""

    name: str
    label: str
    actor: Actor
    excess: Expression
    equality: bool
    axes: tuple[Axis, ...]
    span: Span = field(compare=False, repr=False)
    repeated: bool = False  # it holds in every stage of the game's block, with a multiplier for each

    @property
    def multiplier(self) -> str:
        return f"multiplier({self.name})"


@dataclass(frozen=True)
class Equation:
    """A ``solve`` statement as it was written; the site of this name has its solution, in closed form where there is one."""

    name: str
    root: Root
    axes: tuple[Axis, ...]
    guards: tuple[Expression, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Channel:
    """A channel in use, or a private look (``attention``).

    ``carrier``: tokens or reals of ``shape``. ``power``: largest mean square of the reals of one message. ``sd``: of the Gaussian
    noise; ``p``: of an erasure or a flip. ``budget`` in bits, ``average``: over draws, by a multiplier. ``nominal``: the bits that
    the carrier holds; ``capacity``: the most that noise and budget let through. ``words``: the tokens of every word that may be
    sent. ``sent`` and ``message``: before and after the noise.
    """

    name: str
    axes: tuple[Axis, ...]
    sender: Actor
    listeners: tuple[str, ...]
    carrier: Literal["tokens", "reals"]
    shape: tuple[int, ...]
    noise: Literal["none", "awgn", "gaussian", "erasure", "bsc"]
    power: float
    sd: float
    p: float
    budget: float | None
    average: bool
    nominal: float
    capacity: float
    price: Expression | None
    stop: bool
    attention: bool
    words: tuple[tuple[int, ...], ...]
    encoder: str
    sent: Expression
    message: Expression
    information: Information
    lengths: Expression | None = None
    span: Span = field(compare=False, repr=False, kw_only=True)
    declared: Span | None = field(default=None, compare=False, repr=False, kw_only=True)

    @property
    def place(self) -> Span:
        """Where the text declares it (else where it is sent)."""
        return self.declared or self.span


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
class Route:
    """``route SUBJECT -> TARGET : ORDER``: which gradients go back through a value (of a family: of every member); ``target``: whose
    costs are meant, a player, a family or a team (None: everybody's)."""

    subject: str
    target: str | None
    order: Literal["full", "first", "stop"]
    span: Span = field(compare=False, repr=False)

    @property
    def label(self) -> str:
        return f"route {self.subject}{f' -> {self.target}' if self.target is not None else ''} : {self.order}"


@dataclass(frozen=True)
class Crowd:
    """A large symmetric family of which the graph has one member, and a copy for the others (``passes/representative.py``)."""

    family: str
    size: int


@dataclass(frozen=True)
class PlayerEntry:
    name: str
    size: int | None
    symmetric: bool


@dataclass(frozen=True)
class TeamEntry:
    """``pooled``: its members also share whatever is charged to one of them alone."""

    name: str
    members: tuple[tuple[str, int | None], ...]  # member counted from 0
    pooled: bool = False


@dataclass(frozen=True)
class Game:
    """A game whose every name is resolved; ``sites`` are in time order. ``committed`` are players and members (of teams and whole
    families each), who announce together."""

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
    channels: tuple[Channel, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    equations: tuple[Equation, ...] = ()
    routes: tuple[Route, ...] = ()
    gradient_budget: Span | None = field(default=None, compare=False, repr=False)  # where one is asked for
    divided: tuple[tuple[tuple[str, ...], float], ...] = ()  # channels under one hard budget, in bits, of which each has an equal part
    committed: tuple[tuple[str, int | None], ...] = ()  # who announces its policy first, in order; member counted from 0
    block: StageBlock | None = None  # stages that are not written out
    crowds: tuple[Crowd, ...] = ()  # families of which one member stands for all

    @property
    def states(self) -> tuple[State, ...]:
        return tuple(s for s in self.sites if isinstance(s, State))

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
            text = f"decide {site.name}{over} : {site.function or f'{site.kind}{list(site.shape) if site.shape else str()}'} by " \
                   f"{show_actor(site.actor)} knowing {seen}{' mixed' if site.mixed else ''}"
        elif isinstance(site, Payment):
            text = f"cost{over} {show_actor(site.actor)} = {show(site.cost)}"
        elif isinstance(site, State):
            text = f"state {site.name}{over} = {show(site.first)}, then {site.following}"
        elif isinstance(site, Others):
            text = f"let {site.name} = how many of {site.size} others decide as {site.of}"
        elif isinstance(site, Record):
            text = f"let {site.name}{over} = {site.of} {'at the end' if site.stage is None else f'in stage {site.stage}'}"
        else:
            text = site.name
        each = "each stage: " if site.repeated else ""
        lines.append(f"  {each}{text}{when}")
    lines += [f"  commit {name if member is None else f'{name}[{member + 1}]'}" for name, member in game.committed]
    return "\n".join(lines)


def show_actor(actor: Actor) -> str:
    return actor.name if actor.member is None else f"{actor.name}[{show(actor.member)}]"
