"""A checked game: the tree and what the checker found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..source import Source, Span
from ..syntax import tree
from .variant import Variant

if TYPE_CHECKING:
    import numpy as np

# A constant is a float, or an array as nested tuples, rows first: numpy is not needed to hold one.
Constant: TypeAlias = float | tuple["Constant", ...]

# "unknown" is the kind of what a mistake left without a type; a CheckedGame has none.
ValueKind = Literal["real", "bool", "choice", "category", "tokens", "message", "function", "label", "unknown"]
SymbolKind = Literal[
    "param",
    "definition",
    "player",
    "team",
    "random",
    "let",
    "decision",
    "channel",
    "attention",
    "state",
    "solution",
    "measure",
    "stage",
    "index",
]


@dataclass(frozen=True)
class ValueType:
    """What a value is: its kind and its shape (without the members of families whose index it carries).

    ``size`` is the number of categories of a choice (then ``shape`` ends with it: a one-hot vector) or of a
    category (a number 1..size, ``shape`` as drawn), or the vocabulary of tokens (``shape`` is (length, vocabulary),
    one-hot). A function has the shape of what it returns; its domain stands in ``type``; one that a regression made has as ``size`` the
    number of its points, and stands for its predictions there where a number is wanted. ``low`` and ``high`` are
    the bounds of a decision's Interval, Positive or Unit as expressions, None where unbounded. ``labels`` are a
    Choice's labels in order.
    """

    kind: ValueKind = "real"
    shape: tuple[int, ...] = ()
    size: int | None = None
    labels: tuple[str, ...] = ()
    low: tree.Expression | None = None
    high: tree.Expression | None = None
    simplex: bool = False
    type: tree.Type | tree.FunctionType | None = None


@dataclass(frozen=True)
class IndexDomain:
    """What the index of a ``for`` (or of a sum) runs over: members of a family, or the range low..low+size-1."""

    family: str | None
    size: int
    low: int = 1


@dataclass(frozen=True)
class Symbol:
    """A name of the game. ``domains``: the index domains its value carries (made inside ``for``), outermost first."""

    name: str
    kind: SymbolKind
    span: Span
    type: ValueType | None = None
    domains: tuple[IndexDomain, ...] = ()


@dataclass(frozen=True)
class ParamInfo:
    """A parameter with the value it has in this compilation (after ``--set``). ``fixed``: it fixes a shape, a size or
    a condition, so it cannot be differentiated."""

    name: str
    value: Constant
    integer: bool
    fixed: bool
    span: Span


@dataclass(frozen=True)
class PlayerInfo:
    """A player, or a family of ``size`` players."""

    name: str
    size: int | None
    symmetric: bool
    span: Span


@dataclass(frozen=True)
class TeamInfo:
    """A team; members are (player, member index counted from 1, or None for a player that is no family). ``pooled``: they also
    share whatever is charged to one of them alone (``--team``)."""

    name: str
    members: tuple[tuple[str, int | None], ...]
    span: Span
    pooled: bool = False


@dataclass(frozen=True)
class CheckedGame:
    """A game without errors.

    ``statements`` are the game's own and those of the files it uses (definitions and channels, under the names by which
    this game knows them), in order, header, cite and use statements removed. ``when`` statements are still in place.
    ``constants`` are the parameters and the lets that depend on nothing else, by name. ``settings`` are the
    parameters that were replaced from outside, ``variant`` what else was said beside the text.
    """

    name: str
    title: str | None
    source: Source
    file: tree.File
    statements: tuple[tree.Statement, ...]
    params: dict[str, ParamInfo]
    players: dict[str, PlayerInfo]
    teams: dict[str, TeamInfo]
    definitions: dict[str, tree.Def]
    symbols: dict[str, Symbol]
    citations: tuple[tree.Cite, ...]
    sources: tuple[Source, ...]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    variant: Variant = Variant()


def as_array(value: Constant) -> np.ndarray:
    """A constant as a numpy array of float64."""
    import numpy as np

    return np.asarray(value, dtype=np.float64)


def shape_of(value: Constant) -> tuple[int, ...]:
    """The shape of a constant: () for a float."""
    shape: list[int] = []
    while isinstance(value, tuple):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)
