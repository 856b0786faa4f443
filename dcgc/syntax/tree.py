"""The abstract syntax of ``.dcg``: frozen dataclasses, each with its span.

Spans do not take part in equality, so two trees are equal when they mean the same text. Expressions, types and
statements follow sections 1 to 6 of docs/language.md, in their order.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeVar, cast, dataclass_transform

from ..source import Span

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def node(kind: _Class) -> _Class:
    """Make a class a frozen dataclass whose methods are ``Node``'s.

    ``dataclass`` alone would compile six methods for each of the 70 classes, 35 ms of every start of the program.
    """
    if kind.__doc__ is None:
        kind.__doc__ = kind.__name__  # else dataclass computes a signature to put there
    made: Any = dataclass(init=False, repr=False, eq=False)(kind)
    members = fields(made)
    made._fields = tuple((f.name, f.default) for f in members)
    made._positional = tuple(f.name for f in members if not f.kw_only)
    made._compared = tuple(f.name for f in members if f.compare)
    made._shown = tuple(f.name for f in members if f.repr)
    return cast(_Class, made)


@node
class Node:
    """A piece of the tree; it cannot be changed."""

    _fields: ClassVar[tuple[tuple[str, Any], ...]]
    _positional: ClassVar[tuple[str, ...]]
    _compared: ClassVar[tuple[str, ...]]
    _shown: ClassVar[tuple[str, ...]]

    span: Span = field(compare=False, repr=False, kw_only=True)

    def __init__(self, *values: Any, **named: Any) -> None:
        own = self.__dict__
        if len(values) > len(self._positional):
            raise TypeError(f"{type(self).__name__} takes {len(self._positional)} values, not {len(values)}")
        own.update(zip(self._positional, values, strict=False))
        for name, default in self._fields:
            if name in named:
                if name in own:
                    raise TypeError(f"{type(self).__name__} got {name} twice")
                own[name] = named.pop(name)
            elif name not in own:
                if default is MISSING:
                    raise TypeError(f"{type(self).__name__} needs {name}")
                own[name] = default
        if named:
            raise TypeError(f"{type(self).__name__} has no {', '.join(named)}")

    def __setattr__(self, name: str, _: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self.__dict__, other.__dict__
        return all(mine[name] == theirs[name] for name in self._compared)

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self._compared)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={self.__dict__[name]!r}' for name in self._shown)})"


# ---------------------------------------------------------------- expressions


@node
class Expression(Node):
    pass


@node
class Number(Expression):
    """``3``, ``0.2``, ``1e-3``, ``2%``, ``inf``, ``pi``; ``text`` is how it was written."""

    value: float
    text: str = field(compare=False)


@node
class Text(Expression):
    """A string in double quotes (the value, without quotes)."""

    value: str


@node
class Name(Expression):
    """A name, or one of the reserved words that stand for a value: true false nothing recall others all.

    A dotted name of a used module (``std.f``) keeps its dots.
    """

    name: str


@node
class ArrayLiteral(Expression):
    items: tuple[Expression, ...]


@node
class Unary(Expression):
    operator: Literal["-", "+", "not"]
    operand: Expression


@node
class Binary(Expression):
    """Arithmetic, comparison or logic: ``+ - * / ^ == != < <= > >= and or`` (``**`` is read as ``^``)."""

    operator: str
    left: Expression
    right: Expression


@node
class Conditional(Expression):
    condition: Expression
    then: Expression
    otherwise: Expression


@node
class Argument(Node):
    """An argument of a call; ``keyword`` is None if it is given by position."""

    keyword: str | None
    value: Expression


@node
class Call(Expression):
    """``f(a, b)``, ``awgn(power = 1)``, ``S[i](p)``."""

    function: Expression
    arguments: tuple[Argument, ...]


@node
class Range(Expression):
    """``lo..hi``, both ends included."""

    low: Expression
    high: Expression


@node
class Comprehension(Expression):
    """The argument of ``sum(EXPR for j in DOMAIN if CONDITION)``; stands only as the single argument of a reduction."""

    body: Expression
    binder: str
    domain: Expression  # a Name (family) or a Range
    condition: Expression | None


@node
class Index(Expression):
    """``a[i, j]``; an index may be the Name ``others`` or ``all``, or a Binder in a channel's declaration."""

    base: Expression
    indices: tuple[Expression, ...]


@node
class Binder(Expression):
    """``i in Firm``, as in ``channel s[i in Firm]``."""

    name: str
    domain: Expression


@node
class Moment(Expression):
    """``E[x | c]``, ``Var[x | c]``, ``Cov[x, y | c]``."""

    kind: Literal["E", "Var", "Cov"]
    arguments: tuple[Expression, ...]
    given: Expression | None


# ---------------------------------------------------------------- types


@node
class Type(Node):
    """``Real[2, 3]`` has dims, ``Interval(0, v)`` and ``Choice(left, right)`` have arguments.

    Labels of a Choice are Names; whether a Name is a label or a number is decided by the semantics.
    """

    name: str
    dims: tuple[Expression, ...] = ()
    arguments: tuple[Expression, ...] = ()


@node
class FunctionType(Node):
    """``Function(Real -> Real, rbf(8, 0, 1))``; the basis is a Name or a Call."""

    domain: Type
    codomain: Type
    basis: Expression


# ---------------------------------------------------------------- statements


@node
class Statement(Node):
    pass


@node
class GameHeader(Statement):
    name: str
    title: str | None
    name_span: Span = field(compare=False, repr=False)


@node
class Cite(Statement):
    reference: str
    doi: str | None


@node
class Use(Statement):
    """``use "other.dcg" as NAME`` (``path`` set) or ``use std.channels.awgn`` (``module`` set).

    ``filled`` says what stands for params and players of what is used: ``use std.channels.awgn(Sender = A, power = 2)``.
    """

    path: str | None
    module: str | None
    alias: str | None
    filled: tuple[Argument, ...] = ()


@node
class Interval(Node):
    """The range of a parameter; each end is closed or open."""

    low: Expression
    high: Expression
    low_closed: bool
    high_closed: bool


@node
class Param(Statement):
    name: str
    integer: bool  # written ``: int``
    value: Expression
    interval: Interval | None
    name_span: Span = field(compare=False, repr=False)


@node
class Def(Statement):
    name: str
    parameters: tuple[str, ...]
    body: Expression
    name_span: Span = field(compare=False, repr=False)


@node
class PlayerItem(Node):
    name: str
    size: Expression | None  # Firm[N]
    symmetric: bool


@node
class Player(Statement):
    players: tuple[PlayerItem, ...]


@node
class Team(Statement):
    name: str
    members: tuple[Expression, ...]  # Name or Index
    name_span: Span = field(compare=False, repr=False)


@node
class Target(Node):
    """What a statement names: ``x``, ``x[n]`` (dims) or, inside ``for``, ``x[i]`` (the loop's index)."""

    name: str
    indices: tuple[Expression, ...]


@node
class Random(Statement):
    target: Target
    distribution: Expression  # a Call, or a Name


@node
class Let(Statement):
    target: Target
    value: Expression


@node
class Decide(Statement):
    target: Target
    type: Type | FunctionType
    player: Expression  # Name or Index
    knowing: tuple[Expression, ...]  # empty for ``knowing nothing``
    mixed: bool


@node
class Budget(Node):
    """``6 bits``, ``6 bits on average``; unit is "bits" or "nats"."""

    amount: Expression
    unit: Literal["bits", "nats"]
    average: bool


@node
class Price(Node):
    """``0.01 per bit paid by Listener``."""

    amount: Expression
    unit: Literal["bit", "nat"]
    paid_by: Expression | None


@node
class ChannelBody(Node):
    """What stands in the ``{ }`` of a channel or of ``attend``; ``order`` has each entry as written: field, place."""

    carries: Type | FunctionType | None = None
    budget: Budget | None = None
    price: Price | None = None
    noise: Expression | None = None
    stop: str | None = None
    heard_by: tuple[Expression, ...] = ()
    order: tuple[tuple[str, Span], ...] = field(default=(), compare=False, repr=False)


@node
class Channel(Statement):
    target: Target  # s[i in Firm] has one Binder
    sender: Expression
    receivers: tuple[Expression, ...]
    body: ChannelBody


@node
class Send(Statement):
    target: Target
    player: Expression
    knowing: tuple[Expression, ...]
    mixed: bool


@node
class Attend(Statement):
    target: Target
    player: Expression
    to: tuple[Expression, ...]
    knowing: tuple[Expression, ...]
    body: ChannelBody


@node
class TotalBudget(Statement):
    """``budget total(m, n) <= 3 bits``."""

    channels: tuple[Expression, ...]
    budget: Budget


@node
class Solve(Statement):
    target: Target
    low: Expression
    high: Expression
    low_closed: bool
    high_closed: bool
    left: Expression
    right: Expression


@node
class Payment(Statement):
    """``cost P = EXPR`` or ``payoff P = EXPR``."""

    kind: Literal["cost", "payoff"]
    payer: Expression  # Name or Index
    value: Expression


@node
class Constrain(Statement):
    left: Expression
    relation: Literal["<=", ">=", "="]
    right: Expression
    player: Expression


@node
class Commit(Statement):
    player: Expression


@node
class State(Statement):
    target: Target
    value: Expression


@node
class Next(Statement):
    target: Target
    value: Expression


@node
class Stage(Statement):
    binder: str
    low: Expression
    high: Expression
    discount: Expression | None
    body: tuple[Statement, ...]
    block: Span | None = field(default=None, compare=False, repr=False)  # from { to }


@node
class Halt(Statement):
    condition: Expression


@node
class Delay(Statement):
    factor: Expression


@node
class For(Statement):
    binder: str
    domain: Expression  # a Name (family) or a Range
    body: tuple[Statement, ...]
    block: Span | None = field(default=None, compare=False, repr=False)  # from { to }


@node
class When(Statement):
    condition: Expression
    body: tuple[Statement, ...]
    block: Span | None = field(default=None, compare=False, repr=False)  # from { to }


@node
class Measure(Statement):
    name: str
    value: Expression
    name_span: Span = field(compare=False, repr=False)


@node
class Tolerance(Node):
    value: float  # 0.01 for ``1%``
    relative: bool


@node
class Known(Statement):
    """``known``, ``record`` or ``bound``: a published figure for a measure, cost(P), payoff(P) or rate(m)."""

    kind: Literal["known", "record", "bound"]
    quantity: Expression
    relation: Literal["=", ">=", "<="]
    value: Expression
    within: Tolerance | None
    when: Expression | None
    reference: str | None


@node
class Tap(Statement):
    quantity: Expression  # Name or Index


@node
class Policy(Statement):
    subject: Expression  # Name or Index
    family: Expression  # Call or Name


@node
class Route(Node):
    """``route price -> Firm : first``; target None is everybody."""

    subject: Expression
    target: Expression | None
    order: str  # full | first | stop


@node
class Gradient(Statement):
    """``budget`` is the flop per sample (already multiplied by its unit)."""

    budget: Expression | None
    budget_unit: str | None  # "flop" | "kflop" | "Mflop" | "Gflop"
    routes: tuple[Route, ...]
    block: Span | None = field(default=None, compare=False, repr=False)  # from { to }


@node
class Setting(Node):
    """``KEY VALUE`` in a train block, or ``KEY SUBJECT : VALUE`` for what is set for a part of the game only."""

    key: str
    value: Expression
    subject: Expression | None = None


@node
class Train(Statement):
    settings: tuple[Setting, ...]
    block: Span | None = field(default=None, compare=False, repr=False)  # from { to }


@node
class Plot(Statement):
    value: Expression
    against: Expression


# ---------------------------------------------------------------- files


@node
class Comment(Node):
    """``# text`` up to the end of the line, kept with its place."""

    text: str


@node
class File(Node):
    """One ``.dcg`` file. ``comments`` are in order of appearance and do not take part in equality."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(compare=False, default=())
