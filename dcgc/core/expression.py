"""Core expressions: what a ``.dcg`` expression means once every name is resolved.

Definitions are inlined, labels are numbers, loop indices are explicit axes. Expressions are immutable trees with structural
equality (spans apart), so that two observations that are written alike are recognised as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace

from ..source import Span


@dataclass(frozen=True)
class Axis:
    """What a loop index runs over: ``size`` members of ``family`` (or the numbers low..low+size-1 if it is None)."""

    name: str  # unique in the game
    size: int
    family: str | None = None
    low: int = 1


@dataclass(frozen=True)
class Expression:
    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)

    @property
    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True)
class Constant(Expression):
    """A number or a nested tuple of numbers, rows first."""

    value: float | tuple


@dataclass(frozen=True)
class Parameter(Expression):
    """A parameter of the game: a differentiable leaf."""

    name: str


@dataclass(frozen=True)
class Reference(Expression):
    """The value of a site; of a site made in a loop, the array over its members."""

    site: str


@dataclass(frozen=True)
class Member(Expression):
    """The number of a loop index, low..low+size-1."""

    axis: Axis


@dataclass(frozen=True)
class Apply(Expression):
    """A function of the table in ``primitives/functions.py``."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.arguments


@dataclass(frozen=True)
class Stack(Expression):
    """An array literal."""

    items: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.items


@dataclass(frozen=True)
class Whole(Expression):
    """The index ``all``: the whole extent of a dimension."""


@dataclass(frozen=True)
class Others(Expression):
    """The index ``others``: all members but the loop's own, in order."""

    axis: Axis


@dataclass(frozen=True)
class Select(Expression):
    """``base[indices]``, counted from ``low`` of each dimension (1 unless a loop over a range says otherwise).

    An index that is a choice (``one_hot``) selects by the dot product with its one-hot vector.
    """

    base: Expression
    indices: tuple[Expression, ...]
    one_hot: tuple[bool, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.base, *self.indices)


@dataclass(frozen=True)
class Fold(Expression):
    """``sum(body for i in axis if condition)``; also mean, prod, max, min."""

    reduction: str
    axis: Axis
    body: Expression
    condition: Expression | None

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.body,) if self.condition is None else (self.body, self.condition)


@dataclass(frozen=True)
class Moment(Expression):
    """``E``, ``Var`` or ``Cov`` over the distribution that the policies induce, given an event (or nothing)."""

    kind: str
    arguments: tuple[Expression, ...]
    given: Expression | None

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.arguments if self.given is None else (*self.arguments, self.given)


@dataclass(frozen=True)
class Account(Expression):
    """``cost(P)`` or ``payoff(P)``: expected, of a player, a member of a family (counted from 0) or a team."""

    kind: str
    name: str
    member: int | None


@dataclass(frozen=True)
class Rule(Expression):
    """``rule(u, a, b)``: the policy of a decision (of member counted from 0) at given inputs."""

    decision: str
    member: int | None
    inputs: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.inputs


@dataclass(frozen=True)
class Information(Expression):
    """The information density log p(m | what the encoder knew) - log p(m | given), in nats, of one use of a channel.

    Its mean is the mutual information I(m; source | given). ``message``: what arrives; ``source``: what the encoder knew; ``given``:
    what was known beforehand (of a private look). ``signal``: the reals that were sent, before Gaussian noise of standard deviation
    ``sd`` (None: no Gaussian noise). ``kept``: the probability that a token is not erased, ``flipped``: that one of two is taken for the
    other, where ``message`` is what was sent.
    """

    channel: str
    message: Expression
    source: tuple[Expression, ...]
    given: tuple[Expression, ...] = ()
    signal: Expression | None = None
    sd: float = 0.0
    kept: float = 1.0
    flipped: float = 0.0

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.message, *self.source, *self.given, *(() if self.signal is None else (self.signal,)))


@dataclass(frozen=True)
class Unknown(Expression):
    """What the equation around it is solved for."""

    name: str


@dataclass(frozen=True)
class Root(Expression):
    """The value of ``unknown`` in [low, high] at which left = right."""

    unknown: str
    low: Expression
    high: Expression
    left: Expression
    right: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.low, self.high, self.left, self.right)


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything below it."""
    yield expression
    for child in expression.children:
        yield from walk(child)


def references(expression: Expression) -> frozenset[str]:
    """Names of the sites that an expression mentions."""
    return frozenset(e.site for e in walk(expression) if isinstance(e, Reference))


def rebuild(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with ``change`` applied to each of its direct children."""
    updates: dict[str, object] = {}
    for f in fields(expression):
        value = getattr(expression, f.name)
        if isinstance(value, Expression):
            updates[f.name] = change(value)
        elif isinstance(value, tuple) and value and all(isinstance(v, Expression) for v in value):
            updates[f.name] = tuple(change(v) for v in value)
    return replace(expression, **updates) if updates else expression  # type: ignore[arg-type]


def bind(expression: Expression, axis: Axis, member: float) -> Expression | None:
    """The expression of a loop for one of its members; None where it speaks of all others."""
    if any(isinstance(e, Others) and e.axis == axis for e in walk(expression)):
        return None

    def bound(e: Expression) -> Expression:
        return Constant(member, span=e.span) if isinstance(e, Member) and e.axis == axis else rebuild(e, bound)

    return bound(expression)


def show(expression: Expression) -> str:
    """One line of readable text, for ``dcgc show``."""
    e = expression
    infix = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "eq": "==", "ne": "!=", "lt": "<", "le": "<=",
             "gt": ">", "ge": ">=", "and": "and", "or": "or"}
    if isinstance(e, Constant):
        return f"{e.value:g}" if isinstance(e.value, (int, float)) else str(e.value)
    if isinstance(e, Parameter):
        return e.name
    if isinstance(e, Reference):
        return e.site
    if isinstance(e, Member):
        return e.axis.name
    if isinstance(e, Apply):
        parts = [show(a) for a in e.arguments]
        if e.function in infix and len(parts) == 2:
            return f"({parts[0]} {infix[e.function]} {parts[1]})"
        if e.function == "neg":
            return f"-{parts[0]}"
        return f"{e.function}({', '.join(parts)})"
    if isinstance(e, Stack):
        return "[" + ", ".join(show(i) for i in e.items) + "]"
    if isinstance(e, Whole):
        return "all"
    if isinstance(e, Others):
        return "others"
    if isinstance(e, Select):
        return f"{show(e.base)}[{', '.join(show(i) for i in e.indices)}]"
    if isinstance(e, Fold):
        tail = f" if {show(e.condition)}" if e.condition is not None else ""
        return f"{e.reduction}({show(e.body)} for {e.axis.name} in {e.axis.family or f'{e.axis.low}..'}{tail})"
    if isinstance(e, Moment):
        tail = f" | {show(e.given)}" if e.given is not None else ""
        return f"{e.kind}[{', '.join(show(a) for a in e.arguments)}{tail}]"
    if isinstance(e, Account):
        return f"{e.kind}({e.name}{'' if e.member is None else f'[{e.member + 1}]'})"
    if isinstance(e, Rule):
        return f"rule({e.decision}{''.join(', ' + show(i) for i in e.inputs)})"
    if isinstance(e, Information):
        return f"information({e.channel})"
    if isinstance(e, Unknown):
        return e.name
    if isinstance(e, Root):
        return f"solve({e.unknown} in [{show(e.low)}, {show(e.high)}] : {show(e.left)} = {show(e.right)})"
    raise AssertionError(type(e).__name__)
