"""What the checker knows while it reads a game: the names so far, where it stands, and what it has found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ..source import Diagnostic, Ledger, Note, Span, near_names
from ..syntax import tree
from . import vocabulary
from .checked import Constant, IndexDomain, ParamInfo, PlayerInfo, Symbol, SymbolKind, TeamInfo, ValueType
from .constants import ConstantError, NotConstant, evaluate, frozen
from .distributions import DISTRIBUTIONS
from .functions import FUNCTIONS
from .mistakes import names as N
from .mistakes import types as T

MOST_ENTRIES = 10_000_000
MOST_MEMBERS = 1_000_000

UNKNOWN = ValueType("unknown")
REAL = ValueType("real")
BOOL = ValueType("bool")

Role = Literal["play", "knowing", "report", "plot", "definition"]


@dataclass(frozen=True)
class Loop:
    """A ``for`` that we are in, by the name of its index."""

    binder: str
    domain: IndexDomain
    span: Span


@dataclass
class StageFrame:
    """A block of stages: its length (None: without end), what is made in it, and what is to be checked at its end."""

    binder: str
    length: int | None
    made: set[str] = field(default_factory=set)
    coming: dict[str, tree.Statement] = field(default_factory=dict)
    updated: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Place:
    """Where a statement stands: loops outermost first, the stages it is in, and the name of the innermost block."""

    loops: tuple[Loop, ...] = ()
    stage: StageFrame | None = None
    block: str = ""
    conditional: bool = False


@dataclass(frozen=True)
class View:
    """How an expression is read: where, in which role, with which names of its own.

    ``averaged`` says that we are inside ``E[..]``, or where values that differ from play to play may stand anyway.
    """

    place: Place
    role: Role = "play"
    locals: Mapping[str, ValueType] = field(default_factory=dict)
    averaged: bool = True
    subject: str = ""  # the name that this expression determines
    past: bool = False  # inside history(..) or last(..): names of this stage may be still to come

    def bind(self, **names: ValueType) -> View:
        return replace(self, locals={**self.locals, **names})


@dataclass
class ChannelInfo:
    """A channel, or one for each member of ``domain``; ``type`` is what it carries."""

    statement: tree.Channel
    binder: str | None
    domain: IndexDomain | None
    type: ValueType
    sends: list[tuple[Span, Place]] = field(default_factory=list)


KIND_WORDS: dict[str, str] = {
    "param": "a param",
    "definition": "a function",
    "player": "a player",
    "team": "a team",
    "random": "a draw of nature",
    "let": "a computed value",
    "decision": "a decision",
    "channel": "a channel",
    "attention": "an observation",
    "state": "a state",
    "solution": "a solution",
    "measure": "a measure",
    "stage": "the number of the stage",
    "index": "an index",
}


@dataclass
class Checker:
    """All that is found out about one game. Reports go to ``ledger``; nothing here raises on a bad game."""

    ledger: Ledger
    settings: Mapping[str, object]
    params: dict[str, ParamInfo] = field(default_factory=dict)
    players: dict[str, PlayerInfo] = field(default_factory=dict)
    teams: dict[str, TeamInfo] = field(default_factory=dict)
    definitions: dict[str, tree.Def] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    channels: dict[str, ChannelInfo] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)
    depends: dict[str, frozenset[str]] = field(default_factory=dict)  # of a constant: the params behind it
    fixed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    stages: dict[str, StageFrame] = field(default_factory=dict)  # of a name made in stages: its block
    lets: dict[str, tree.Let] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)  # lets that are whole numbers by construction
    broken: set[str] = field(default_factory=set)  # functions whose own text has a mistake
    hears: dict[str, frozenset[str]] = field(default_factory=dict)  # of a let: channels and looks that it is made of
    owners: dict[str, str] = field(default_factory=dict)  # of an observation: the player who looks
    later: dict[str, tuple[Span, tree.Statement]] = field(default_factory=dict)  # every name that the text declares
    circles: set[frozenset[str]] = field(default_factory=set)  # names that wait for each other, reported once
    dormant: set[str] = field(default_factory=set)  # declared in a `when` that does not hold
    acting: set[str] = field(default_factory=set)  # players that decide, send or attend
    hearing: set[str] = field(default_factory=set)
    known_channels: set[str] = field(default_factory=set)
    deciding: dict[str, Span] = field(default_factory=dict)
    priced: bool = False  # a private look has a price
    dormant_players: set[str] = field(default_factory=set)  # they act in a `when` that does not hold
    frames: list[StageFrame] = field(default_factory=list)
    committed: dict[str, tuple[object, Span]] = field(default_factory=dict)
    policies: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)
    inputs: dict[str, int] = field(default_factory=dict)  # of a decision or send: how many values it knows
    foretold: Mapping[str, Symbol] = field(default_factory=dict)  # names of a stage, from an earlier reading
    looked_ahead: bool = False  # a name's past was used before the name is made
    ended: list[StageFrame] = field(default_factory=list)  # blocks of stages that are over
    instances: dict[tuple[str, tuple[ValueType, ...]], ValueType] = field(default_factory=dict)
    instance_depth: int = 0

    # ------------------------------------------------------------ reports

    def report(self, diagnostic: Diagnostic) -> ValueType:
        """Note a mistake; what has it is of unknown type, which silences all that follows from it."""
        self.ledger.add(diagnostic)
        return UNKNOWN

    # ------------------------------------------------------------ names

    @property
    def families(self) -> dict[str, int]:
        return {player.name: player.size for player in self.players.values() if player.size is not None}

    def describe(self, name: str) -> str:
        """What a declared name is, in words."""
        symbol = self.symbols.get(name)
        if symbol is None:
            return "unknown"
        if symbol.kind == "player" and self.players[name].size is not None:
            return "a family of players"
        return KIND_WORDS[symbol.kind]

    def declare(
        self, name: str, kind: SymbolKind, span: Span, type: ValueType | None = None, place: Place | None = None
    ) -> bool:
        """Enter a name; False (and a report) if it is taken or reserved."""
        if name in vocabulary.reserved():
            self.report(N.RESERVED.at(span, name=name))
            return False
        before = self.symbols.get(name)
        if before is not None:
            self.report(
                N.TWICE.at(
                    span,
                    name=name,
                    kind=KIND_WORDS[before.kind].split(" ", 1)[1],
                    notes=(Note("it is declared here", before.span),),
                )
            )
            return False
        loops = place.loops if place is not None else ()
        for loop in loops:
            if loop.binder == name:
                self.report(N.HIDES.at(loop.span, name=name, kind=KIND_WORDS[kind].split(" ", 1)[1]))
        domains = tuple(loop.domain for loop in loops)
        self.symbols[name] = Symbol(name, kind, span, type, domains)
        if place is not None and place.stage is not None:
            self.stages[name] = place.stage
            place.stage.made.add(name)
        if type is not None and type.kind != "unknown":
            self.bounded(math.prod(domain.size for domain in domains) * math.prod(type.shape), f"`{name}`", span)
        return True

    def unknown_name(self, name: str, span: Span, kinds: tuple[str, ...] = ()) -> ValueType:
        """Report a name that nothing declares; ``kinds`` limits what may have been meant."""
        if name in self.dormant:
            return UNKNOWN
        known = [key for key, symbol in self.symbols.items() if not kinds or symbol.kind in kinds]
        return self.report(N.UNKNOWN_NAME.at(span, name=name, near=near_names(name, known)))

    # ------------------------------------------------------------ constants

    def constant(self, expression: tree.Expression) -> Constant | None:
        """The value of an expression that is fixed before play, else None; never reports."""
        try:
            return frozen(evaluate(expression, self.constants, self.definitions, self.families))
        except (ConstantError, RecursionError):
            return None

    def demand(self, expression: tree.Expression, what: str) -> Constant | None:
        """The value of an expression that must be fixed before play; reports and returns None if it has none."""
        self.used.update(names_of(expression))
        try:
            return frozen(evaluate(expression, self.constants, self.definitions, self.families))
        except NotConstant as error:
            self._not_constant(error, what)
        except ConstantError as error:
            self.report(T.NO_VALUE.at(error.span, what=f"`{' '.join(error.span.text.split())}`", why=error.message))
        except RecursionError:
            self.report(T.TOO_DEEP.at(expression.span, most=MOST_DEPTH))
        return None

    def _not_constant(self, error: NotConstant, what: str) -> None:
        name = " ".join(error.span.text.split())
        declared = self.later.get(name)
        if name in self.dormant or (
            declared is not None and name not in self.symbols and declared[0].start < error.span.start
        ):
            return  # its own statement has a report
        symbol = self.symbols.get(name)
        if symbol is not None and symbol.kind == "param":
            return
        if name.isidentifier() and symbol is None and declared is None and name not in FUNCTIONS:
            self.unknown_name(name, error.span)
            return
        self.report(T.NOT_CONSTANT.at(error.span, what=what, name=name))

    def size(self, expression: tree.Expression, what: str, least: int = 1, most: int = MOST_ENTRIES) -> int | None:
        """A whole number that is fixed before play; the params in it are fixed from now on."""
        self.fix(expression)
        value = self.demand(expression, what)
        if value is None:
            return None
        if isinstance(value, tuple) or not math.isfinite(value) or value != int(value) or value < least:
            self.report(T.BAD_SIZE.at(expression.span, what=what, least=least, value=written(value)))
            return None
        if value > most:
            self.report(T.TOO_LARGE.at(expression.span, what=what, value=int(value), most=most))
            return None
        return int(value)

    def bounded(self, entries: int, what: str, span: Span) -> bool:
        if entries > MOST_ENTRIES:
            self.report(T.TOO_LARGE.at(span, what=what, value=entries, most=MOST_ENTRIES))
            return False
        return True

    def fix(self, expression: tree.Expression) -> None:
        """The params that this expression depends on fix a shape, a size or a condition."""
        for name in names_of(expression):
            self.fixed |= self.depends.get(name, frozenset())


MOST_DEPTH = 120


def written(value: Constant) -> str:
    """A constant as an author would write it."""
    if isinstance(value, tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)


def children(node: tree.Node) -> list[tree.Node]:
    """The nodes right below a node, in order."""
    found: list[tree.Node] = []
    for key in node.__dataclass_fields__:
        value = getattr(node, key)
        if isinstance(value, tree.Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(item for item in value if isinstance(item, tree.Node))
    return found


def nodes_of(node: tree.Node) -> list[tree.Node]:
    """A node and everything below it, without recursion."""
    found, waiting = [], [node]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting.extend(reversed(children(current)))
    return found


def names_of(node: tree.Node) -> list[str]:
    """The names that an expression mentions."""
    return [part.name for part in nodes_of(node) if isinstance(part, tree.Name)]


def known_words() -> tuple[str, ...]:
    return (*FUNCTIONS, *DISTRIBUTIONS, *vocabulary.TYPES)
