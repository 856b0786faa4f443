"""Payments as sums of products, so that expectations over independent draws factor.

``win * (v - b)`` with ``win = b > max(b_2, .., b_n)`` is a product of n - 1 comparisons, each with one rival: its expectation given
one's own value costs n - 1 small sums in place of one over all rivals at once. The same for a price that is a sum of quantities. A
product of relaxed comparisons differs from the relaxed comparison with the largest by what two rivals in one cell make: O(h^2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import jax.numpy as jnp

from ..core.expression import Apply, Constant, Expression, Fold, Reference, Select, Stack
from ..core.site import Let, Payment
from ..information.dependence import Dependence
from .evaluate import evaluate
from .variable import Variable, constant, contract, lift, union

if TYPE_CHECKING:
    from .world import World

MOST = 24  # products in a sum

T = TypeVar("T")
Product = tuple[T, ...]

#: comparisons with an extreme: (function, side of the extreme, extreme) for which they hold with all entries at once
ALL = frozenset({("gt", 1, "max"), ("ge", 1, "max"), ("lt", 0, "max"), ("le", 0, "max"),
                 ("lt", 1, "min"), ("le", 1, "min"), ("gt", 0, "min"), ("ge", 0, "min")})
EXTREMES = {"max": "max", "maximum": "max", "min": "min", "minimum": "min"}


@dataclass(frozen=True)
class Algebra(Generic[T]):
    """What an expansion is made of: ``leaf`` the value of an expression, ``scaled`` its product with a number, ``summed`` one value for
    a sum of products, ``dims`` the coordinates on which a value depends, ``whole`` whether an expression must not be taken apart."""

    dependence: Dependence
    leaf: Callable[[Expression], T]
    scaled: Callable[[T, float], T]
    summed: Callable[[list[Product[T]]], T]
    dims: Callable[[T], frozenset[str]]
    whole: Callable[[Expression], bool]


def expand(a: Algebra[T], e: Expression) -> list[Product[T]]:
    """The expression as a sum of products of values; sums whose terms depend on no more together than one of them does are one."""
    if a.whole(e):
        return [(a.leaf(e),)]
    if isinstance(e, Reference):
        site = a.dependence.sites[e.site]
        if isinstance(site, Let) and not site.axes and not site.guards:
            return expand(a, site.value)
        return [(a.leaf(e),)]
    if isinstance(e, Select) and isinstance(e.base, Stack) and len(e.indices) == 1 and isinstance(e.indices[0], Constant) and \
            isinstance(e.indices[0].value, float) and not e.one_hot[0]:
        return expand(a, e.base.items[round(e.indices[0].value) - 1])
    if not isinstance(e, Apply):
        return [(a.leaf(e),)]
    parts = e.arguments
    if e.function == "neg":
        return scaled(a, expand(a, parts[0]), -1.0)
    if e.function == "add":
        return gathered(a, [t for x in parts for t in expand(a, x)])
    if e.function == "sub":
        return gathered(a, [*expand(a, parts[0]), *scaled(a, expand(a, parts[1]), -1.0)])
    if e.function == "sum" and isinstance(parts[0], Stack):
        return gathered(a, [t for x in parts[0].items for t in expand(a, x)])
    if e.function in ("mul", "and") or (e.function == "prod" and isinstance(parts[0], Stack)):
        return multiplied(a, e, parts[0].items if e.function == "prod" else parts)  # type: ignore[attr-defined]
    if e.function == "div":
        below = a.leaf(Apply("div", (Constant(1.0), parts[1])))
        return [(*t, below) for t in expand(a, parts[0])]
    if e.function == "not":
        return gathered(a, [(a.leaf(Constant(1.0)),), *scaled(a, expand(a, parts[0]), -1.0)])
    if e.function in ("gt", "ge", "lt", "le"):
        return compared(a, e)
    if e.function in EXTREMES:
        return one_of(a, e)
    return [(a.leaf(e),)]


def one_of(a: Algebra[T], e: Apply) -> list[Product[T]]:
    """The largest (least) of three or more as the sum of each where it is that, the first of equal ones."""
    items = entries(e)
    if items is None or not 2 < len(items) <= MOST:
        return [(a.leaf(e),)]
    values = [a.leaf(x) for x in items]
    if any(a.dims(x) & a.dims(y) for i, x in enumerate(values) for y in values[:i]):
        return [(a.leaf(e),)]
    strict, weak = ("gt", "ge") if EXTREMES[e.function] == "max" else ("lt", "le")
    return [(x, *(a.leaf(Apply(weak if i < j else strict, (items[i], items[j]))) for j in range(len(items)) if j != i))
            for i, x in enumerate(values)]


def entries(e: Apply) -> tuple[Expression, ...] | None:
    """What an extreme is taken of; None if that is not written out."""
    if e.function in ("max", "min"):
        return e.arguments[0].items if isinstance(e.arguments[0], Stack) else None
    return e.arguments


def scaled(a: Algebra[T], terms: list[Product[T]], factor: float) -> list[Product[T]]:
    return [(a.scaled(t[0], factor), *t[1:]) for t in terms]


def gathered(a: Algebra[T], terms: list[Product[T]]) -> list[Product[T]]:
    """A sum as one value where that depends on no more than one of its factors does."""
    together = frozenset().union(*(a.dims(x) for t in terms for x in t))
    return [(a.summed(terms),)] if len(terms) > MOST or any(a.dims(x) == together for t in terms for x in t) else terms


def multiplied(a: Algebra[T], e: Expression, parts: Iterable[Expression]) -> list[Product[T]]:
    out: list[Product[T]] = [()]
    for part in parts:
        terms = expand(a, part)
        if len(out) * len(terms) > MOST:
            return [(a.leaf(e),)]
        out = [(*x, *y) for x in out for y in terms]
    return out


def compared(a: Algebra[T], e: Apply) -> list[Product[T]]:
    """A comparison with the largest or least of several as the product of comparisons with each."""
    for side in (0, 1):
        extreme = inlined(a, e.arguments[side])
        if not isinstance(extreme, Apply) or (e.function, side, EXTREMES.get(extreme.function)) not in ALL:
            continue
        items = entries(extreme)
        if items is None:
            continue
        other = e.arguments[1 - side]
        pairs = [Apply(e.function, (x, other) if side == 0 else (other, x)) for x in items]
        return [tuple(f for p in pairs for f in compared(a, p)[0])]
    return [(a.leaf(e),)]


def inlined(a: Algebra[T], e: Expression) -> Expression:
    """The expression behind the names of lets that may be taken apart."""
    while isinstance(e, Reference) and not a.whole(e):
        site = a.dependence.sites[e.site]
        if not isinstance(site, Let) or site.axes or site.guards:
            return e
        e = site.value
    return e


def products(world: World, e: Expression) -> list[Product[Variable]]:
    """An expression in a world as a sum of products of scalar variables."""
    def summed(terms: list[Product[Variable]]) -> Variable:
        total = constant(0.0)
        for t in terms:
            total = lift(jnp.add, total, together(t))
        return total

    def whole(x: Expression) -> bool:
        return isinstance(x, (Apply, Select, Fold, Reference)) and bool(world.grid.observed) and \
            world.coordinate_of(world.dependence.inline(x)) is not None

    return expand(Algebra(world.dependence, lambda x: evaluate(world, x), lambda v, c: Variable(v.dims, c * v.data), summed,
                          lambda v: frozenset(v.dims), whole), e)


def together(product: Product[Variable]) -> Variable:
    total = product[0]
    for v in product[1:]:
        total = lift(jnp.multiply, total, v)
    return total


def expected_payment(world: World, p: Payment, keep: tuple[str, ...] = (), without: str | None = None,
                     tremble: bool = False) -> Variable:
    """E of what a payment charges (see ``World.expectation``), product by product."""
    if p.guards or p.axes:
        return world.expectation(world.payment(p), keep, without, tremble)
    return expected(world, p.cost, lambda: world.payment(p), keep, without, tremble)


def expected(world: World, e: Expression, joint: Callable[[], Variable], keep: tuple[str, ...] = (), without: str | None = None,
             tremble: bool = False) -> Variable:
    """E of an expression, product by product; of ``joint()``, its value on all coordinates at once, where it is none."""
    if world.axes or world.stopped or world.grid.scattered:
        return world.expectation(joint(), keep, without, tremble)
    terms = products(world, e)
    values = [v for t in terms for v in t]
    if any(v.own for v in values) or any(set(v.dims) == set(union(values)) for v in values):  # nothing comes apart
        return world.expectation(joint(), keep, without, tremble)
    total = constant(0.0)
    for t in terms:
        factors = world.closure((*(d for v in t for d in v.dims), *keep), without, tremble)
        extra = tuple(d for d in union([*t, *factors]) if d not in world.grid.sizes)
        total = lift(jnp.add, total, contract([*t, *factors], (*keep, *extra)))
    return total


def product_dims(dependence: Dependence, e: Expression, dims: Callable[[Expression], frozenset[str]],
                 whole: Callable[[Expression], bool] = lambda x: False) -> list[frozenset[str]]:
    """The coordinates of every factor in the expansion of an expression, known before there is a grid."""
    def summed(terms: list[Product[frozenset[str]]]) -> frozenset[str]:
        return frozenset().union(*(x for t in terms for x in t))

    terms = expand(Algebra(dependence, dims, lambda v, c: v, summed, lambda v: v, whole), e)
    return [x for t in terms for x in t]
