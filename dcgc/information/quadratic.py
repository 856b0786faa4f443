"""A linear-quadratic game as matrices.

Every draw is its mean and its spread times a variable of mean 0 and variance 1, uncorrelated with all others, and every value of the
game is a polynomial of degree two at most in z = (1, these variables, entries of the decisions): what a decision sees is rows of z, what a
player pays is z' Q z. While policies are affine, expected payments need no more of the draws' laws than that. Bounds of decisions do not
stand in the matrices. The number of operations that solve such a game does not depend on how many stages or players wrote it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.expression import (
    Apply,
    Constant,
    Expression,
    Fold,
    Member,
    Others,
    Parameter,
    Reference,
    Select,
    Stack,
    Whole,
)
from ..core.site import Decision, Game, Let, Random, Site
from ..semantics.functions import FUNCTIONS

LARGEST = 40_000_000  # numbers in one value: an array of quadratic forms


class NotQuadratic(Exception):
    """Something is no polynomial of degree two in draws and decisions, or stands in a loop over many members."""


@dataclass(frozen=True)
class Form:
    """An array of polynomials. ``data``: the array's own shape, then as many axes of length n as the ``degree`` (of two: symmetric)."""

    degree: int
    data: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape[:self.data.ndim - self.degree]

    def raised(self, degree: int, n: int) -> Form:
        """The same as a form of a higher degree: the first entry of z is 1."""
        data, at = self.data, self.degree
        while at < degree:
            room(data.size * n)
            one = np.eye(1, n)[0]
            data = data[..., None] * one if at == 0 else (data[..., :, None] * one + one[:, None] * data[..., None, :]) / 2
            at += 1
        return Form(degree, data)


@dataclass(frozen=True)
class QuadraticGame:
    """``count`` (n): entries of z. ``acts``: where each decision's entries stand in z. ``seen``: for each decision the rows (inputs, n) of
    its real inputs in order. ``paid``: for each payment Q (n, n), symmetric; who pays it pays z' Q z."""

    count: int
    acts: Mapping[str, slice]
    seen: Mapping[str, np.ndarray]
    paid: Mapping[str, np.ndarray]


#: (distribution, its arguments) -> mean and standard deviation, or None for a law that has none.
Law = Callable[[str, list[np.ndarray]], tuple[np.ndarray, np.ndarray] | None]


def quadratic_game(game: Game, law: Law) -> QuadraticGame:
    """The matrices of a game without loops over many members. ``law`` says what is needed of laws other than the normal one. Raises
    NotQuadratic where it has none."""
    reader = Reader(game, law)
    seen = {d.name: reader.rows(d) for d in game.decisions}
    paid = {}
    for p in game.payments:
        if p.information is not None:
            raise NotQuadratic(f"{p.name} is charged on information")
        form = reader.read(p.cost, {})
        for guard in p.guards:
            form = reader.product(form, reader.read(guard, {}))
        if form.shape:
            raise NotQuadratic(f"{p.name} is an array")
        paid[p.name] = form.raised(2, reader.count).data
    return QuadraticGame(reader.count, reader.acts, seen, paid)


@dataclass
class Reader:
    """Reads expressions as forms; members of loops are in ``env``, by the name of their axis, counted from 0."""

    game: Game
    law: Law
    count: int = 1
    acts: dict[str, slice] = field(default_factory=dict)
    draws: dict[str, slice] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    known: dict[str, Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for s in self.game.sites:
            self.sites[s.name] = s
            if s.axes or (s.guards and isinstance(s, (Random, Decision))):
                raise NotQuadratic(f"{s.name} stands in a loop over many members, or under a condition")
            if isinstance(s, (Random, Decision)):
                place = slice(self.count, self.count + math.prod(s.shape))
                (self.draws if isinstance(s, Random) else self.acts)[s.name] = place
                self.count = place.stop

    def rows(self, d: Decision) -> np.ndarray:
        """(inputs, n) of what a decision sees."""
        parts = [self.read(o.expression, {}) for o in d.observations]
        if any(o.size is not None for o in d.observations) or any(p.degree > 1 for p in parts) or d.kind != "real":
            raise NotQuadratic(f"{d.name} is finite, or sees what is not affine")
        flat = [p.raised(1, self.count).data.reshape(-1, self.count) for p in parts]
        return np.concatenate([np.zeros((0, self.count)), *flat])

    def read(self, e: Expression, env: Mapping[str, int]) -> Form:
        """The form of an expression."""
        reader = READERS.get(type(e))
        if reader is None:
            raise NotQuadratic(type(e).__name__)
        return reader(self, e, env)

    def value(self, e: Expression, env: Mapping[str, int]) -> np.ndarray:
        """A value that neither chance nor anybody moves."""
        form = self.read(e, env)
        if form.degree:
            raise NotQuadratic("it depends on draws or decisions")
        return form.data

    def site(self, name: str) -> Form:
        if name not in self.known:
            s = self.sites[name]
            if isinstance(s, Let):
                form = self.read(s.value, {})
                for guard in s.guards:
                    form = self.product(form, self.read(guard, {}))
            elif isinstance(s, Random):
                form = self.drawn(s)
            else:
                assert isinstance(s, Decision)
                form = self.fresh(self.acts[name], s.shape)
            self.known[name] = form
        return self.known[name]

    def fresh(self, place: slice, shape: tuple[int, ...]) -> Form:
        return Form(1, np.eye(self.count)[place].reshape(*shape, self.count))

    def drawn(self, s: Random) -> Form:
        base = self.fresh(self.draws[s.name], s.shape)
        if s.distribution == "Normal":
            mean, spread = self.read(s.arguments[0], {}), self.value(s.arguments[1], {})
        elif s.distribution == "MvNormal":
            mean, covariance = self.read(s.arguments[0], {}), self.value(s.arguments[1], {})
            base = Form(1, np.einsum("ij,...jn->...in", np.linalg.cholesky(covariance), base.data))
            spread = np.ones(())
        else:
            known = self.law(s.distribution, [self.value(a, {}) for a in s.arguments])
            if known is None or not all(np.isfinite(x).all() for x in known):
                raise NotQuadratic(f"{s.name} has no variance that is known")
            mean, spread = Form(0, known[0]), known[1]
        if mean.degree > 1:
            raise NotQuadratic(f"the mean of {s.name} is not affine")
        return self.total([self.spread_over(mean, s.shape), self.product(Form(0, np.broadcast_to(spread, s.shape)), base)])

    def spread_over(self, f: Form, shape: tuple[int, ...]) -> Form:
        return Form(f.degree, np.broadcast_to(f.data, np.broadcast_shapes(f.shape, shape) + f.data.shape[len(f.shape):]))

    # ------------------------------------------------------------ arithmetic

    def total(self, forms: list[Form]) -> Form:
        degree = max(f.degree for f in forms)
        shape = np.broadcast_shapes(*(f.shape for f in forms))
        room(math.prod(shape) * self.count**degree)
        parts = [self.spread_over(f.raised(degree, self.count), shape).data for f in forms]
        return Form(degree, np.sum(np.stack(parts), axis=0) if len(parts) > 2 else parts[0] + parts[-1] if len(parts) == 2 else parts[0])

    def product(self, a: Form, b: Form) -> Form:
        if a.degree > b.degree:
            a, b = b, a
        shape = np.broadcast_shapes(a.shape, b.shape)
        if a.degree + b.degree > 2:
            raise NotQuadratic("a product of degree more than two")
        room(math.prod(shape) * self.count ** (a.degree + b.degree))
        if a.degree == 0:
            scale = np.broadcast_to(a.data, shape)
            return Form(b.degree, scale.reshape(shape + (1,) * b.degree) * self.spread_over(b, shape).data)
        x, y = self.spread_over(a, shape).data, self.spread_over(b, shape).data
        outer = x[..., :, None] * y[..., None, :]
        return Form(2, (outer + np.swapaxes(outer, -1, -2)) / 2)

    def negative(self, f: Form) -> Form:
        return Form(f.degree, -f.data)

    def folded(self, f: Form, how: str) -> Form:
        """The sum or mean over the whole array."""
        axes = tuple(range(len(f.shape)))
        return Form(f.degree, (np.sum if how == "sum" else np.mean)(f.data, axis=axes))


def room(numbers: float) -> None:
    if numbers > LARGEST:
        raise NotQuadratic("too large to be written as matrices")


def _constant(r: Reader, e: Constant, env: Mapping[str, int]) -> Form:
    return Form(0, np.asarray(e.value, float))


def _parameter(r: Reader, e: Parameter, env: Mapping[str, int]) -> Form:
    if e.name not in r.game.parameters:  # a constraint's multiplier
        raise NotQuadratic(e.name)
    return Form(0, np.asarray(r.game.parameters[e.name], float))


def _reference(r: Reader, e: Reference, env: Mapping[str, int]) -> Form:
    return r.site(e.site)


def _member(r: Reader, e: Member, env: Mapping[str, int]) -> Form:
    return Form(0, np.asarray(float(e.axis.low + env[e.axis.name])))


def _stack(r: Reader, e: Stack, env: Mapping[str, int]) -> Form:
    items = [r.read(i, env) for i in e.items]
    degree = max(f.degree for f in items)
    room(len(items) * r.count**degree)
    return Form(degree, np.stack([f.raised(degree, r.count).data for f in items]))


def _select(r: Reader, e: Select, env: Mapping[str, int]) -> Form:
    base = r.read(e.base, env)
    index: list[Any] = []
    for i, one_hot in zip(e.indices, e.one_hot, strict=True):
        length = base.shape[len(index)]
        if isinstance(i, Whole):
            index.append(slice(None))
        elif isinstance(i, Others):
            index.append([j for j in range(length) if j != env[i.axis.name]])
        elif one_hot:
            raise NotQuadratic("an index that is a choice")
        elif isinstance(i, Member) and length == i.axis.size:
            index.append(env[i.axis.name])
        else:
            index.append(round(float(r.value(i, env))) - 1)
    data = base.data
    for axis in reversed(range(len(index))):  # one axis after the other: numpy pairs lists that stand together
        data = np.take(data, index[axis], axis=axis) if not isinstance(index[axis], slice) else data
    return Form(base.degree, data)


def _fold(r: Reader, e: Fold, env: Mapping[str, int]) -> Form:
    if e.reduction not in ("sum", "mean"):
        raise NotQuadratic(e.reduction)
    items = []
    for j in range(e.axis.size):
        inner = {**env, e.axis.name: j}
        if e.condition is None or r.value(e.condition, inner):
            items.append(r.read(e.body, inner))
    if not items:
        return Form(0, np.zeros(()))
    total = items[0]
    for f in items[1:]:
        total = r.total([total, f])
    return r.product(Form(0, np.asarray(1 / len(items))), total) if e.reduction == "mean" else total


def _power(r: Reader, f: Form, exponent: Form) -> Form:
    n = float(exponent.data) if not exponent.degree and not exponent.shape else math.nan
    if n == 0:
        return Form(0, np.ones(f.shape))
    if n == 1:
        return f
    if n == 2:
        return r.product(f, f)
    raise NotQuadratic("a power")


def _dot(r: Reader, a: Form, b: Form) -> Form:
    if len(a.shape) != 1 or len(b.shape) != 1:
        if a.degree == 0 and b.degree <= 1 and len(a.shape) == 2 and len(b.shape) == 1:  # a matrix times a vector
            return Form(b.degree, np.tensordot(a.data, b.data, axes=(1, 0)))
        if b.degree == 0 and a.degree <= 1 and len(a.shape) == 1 and len(b.shape) == 2:
            return Form(a.degree, np.tensordot(b.data.T, a.data, axes=(1, 0)))
        raise NotQuadratic("a product of arrays")
    return r.folded(r.product(a, b), "sum")


def _where(r: Reader, condition: Form, then: Form, otherwise: Form) -> Form:
    if condition.degree or condition.shape:
        raise NotQuadratic("a condition that is not fixed")
    return then if condition.data else otherwise


ARITHMETIC: Mapping[str, Callable[..., Form]] = {
    "add": lambda r, a, b: r.total([a, b]), "sub": lambda r, a, b: r.total([a, r.negative(b)]),
    "neg": lambda r, a: r.negative(a), "mul": lambda r, a, b: r.product(a, b), "pow": _power, "dot": _dot, "where": _where,
    "sum": lambda r, a: r.folded(a, "sum"), "mean": lambda r, a: r.folded(a, "mean"),
}

#: Operators on numbers and arrays of numbers; the functions of the language are in their own table.
COMPARED: Mapping[str, Callable[..., Any]] = {
    "div": np.divide, "pow": np.power, "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
    "eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
    "maximum": np.maximum, "minimum": np.minimum, "max": np.max, "min": np.min,
}


def _apply(r: Reader, e: Apply, env: Mapping[str, int]) -> Form:
    parts = [r.read(a, env) for a in e.arguments]
    if e.function == "div" and not parts[1].degree:
        with np.errstate(all="ignore"):
            return r.product(Form(0, 1 / parts[1].data), parts[0])
    if all(not f.degree for f in parts):
        values = [f.data for f in parts]
        known = FUNCTIONS.get(e.function)
        with np.errstate(all="ignore"):
            if e.function in COMPARED:
                return Form(0, np.asarray(COMPARED[e.function](*values), float))
            if known is not None and known.array is not None:
                return Form(0, np.asarray(known.array(np, *values), float))
    if e.function in ARITHMETIC:
        return ARITHMETIC[e.function](r, *parts)
    raise NotQuadratic(e.function)


READERS: Mapping[type, Callable[..., Form]] = {
    Constant: _constant, Parameter: _parameter, Reference: _reference, Member: _member, Stack: _stack, Select: _select,
    Fold: _fold, Apply: _apply,
}
