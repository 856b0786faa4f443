"""Integrals and extrema of functions over an interval, at every point of the grid.

What runs over the interval is one more named coordinate while the body is evaluated. An integral is a Gauss-Legendre sum between the
places at which the integrand has a corner or a jump (where the two sides of a `max`, `min` or comparison meet): between them it is
smooth, and the derivative of a jump's place enters as Leibniz' rule has it. An extremum is the body's value at its place, whose
derivatives are those of the implicit function theorem: of the value they are the envelope theorem's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array

from ..core.expression import Apply, Constant, Expression, Over, Unknown, walk
from ..primitives.intervals import place_of_maximum
from ..primitives.quadrature import gauss_legendre
from ..primitives.relaxations import Relaxation
from ..primitives.roots import bracketed_root
from .equations import at_once
from .evaluate import evaluate
from .variable import Variable, along, dim_to_own, expand, lift, own_to_dim, union

if TYPE_CHECKING:
    from .world import World

NODES = 32  # of a piece
PARTS = 32  # of an interval that are scanned for corners
CORNERS = 2  # places at which one corner's two sides may meet

#: Functions with a corner or a jump, as the differences of their arguments at which it lies.
MEETING: dict[str, tuple[tuple[int, int | None], ...]] = {
    **dict.fromkeys(("maximum", "minimum", "lt", "le", "gt", "ge"), ((0, 1),)), **dict.fromkeys(("abs", "sign"), ((0, None),)),
    "clip": ((0, 1), (0, 2)),
}


def over(world: World, e: Over) -> Variable:
    """The value of ``integral(body for p in [low, high])`` and the like."""
    return at_once(world, e, lambda inside: found_over(inside, e))


def found_over(world: World, e: Over) -> Variable:
    low, high = evaluate(world, e.low), evaluate(world, e.high)
    if e.operation in ("integral", "mean"):
        return integral(world, e, low, high)
    place = extremum(world, e, low, high)
    return place if e.operation.startswith("arg") else at(world, e.unknown, e.body, place)


def at(world: World, unknown: str, body: Expression, place: Variable) -> Variable:
    """The body where the unknown has this value."""
    before = world.unknowns
    world.unknowns = {**before, unknown: place}
    try:
        return evaluate(world, body)
    finally:
        world.unknowns = before


# ---------------------------------------------------------------- integrals


def integral(world: World, e: Over, low: Variable, high: Variable, nodes: int = NODES) -> Variable:
    """A Gauss-Legendre rule on each piece between corners; of ``mean`` the same over the length."""
    rule = gauss_legendre(nodes)
    t, weights = jnp.asarray(rule.nodes[:, 0]), jnp.asarray(rule.weights)
    margins = corners(e.body, e.unknown)
    if not margins:
        total = summed(at(world, e.unknown, e.body, lift(lambda a, b, x: a + (b - a) * x, low, high, along(e.unknown, t))), e.unknown,
                       weights)
        return total if e.operation == "mean" else lift(jnp.multiply, total, lift(jnp.subtract, high, low))
    ends = pieces(world, e, margins, low, high)  # last own axis: the ends of the pieces, in order
    count = ends.data.shape[-1] - 1
    start, end = (own_to_dim(Variable(ends.dims, x), 0, PIECE + e.unknown) for x in (ends.data[..., :-1], ends.data[..., 1:]))
    points = lift(lambda a, b, x: a + (b - a) * x, start, end, along(e.unknown, t))
    each = summed(at(world, e.unknown, e.body, points), e.unknown, weights)
    total = summed(lift(jnp.multiply, each, lift(jnp.subtract, end, start)), PIECE + e.unknown, jnp.ones(count))
    return lift(lambda x, a, b: x / (b - a), total, low, high) if e.operation == "mean" else total


PIECE = "piece of "


def summed(v: Variable, dim: str, weights: Array) -> Variable:
    """The weighted sum along a coordinate."""
    if dim not in v.dims:
        return Variable(v.dims, v.data * jnp.sum(weights))
    inside = dim_to_own(v, dim, weights.shape[0])
    return Variable(inside.dims, inside.data @ weights)


def corners(body: Expression, unknown: str) -> list[Expression]:
    """Differences that vary with the unknown and at whose zeros the body has a corner or a jump."""
    found: list[Expression] = []
    for x in walk(body):
        if not isinstance(x, Apply) or x.function not in MEETING:
            continue
        pairs = MEETING[x.function] if len(x.arguments) <= 3 else ()
        for first, second in pairs:
            this, that = x.arguments[first], Constant(0.0) if second is None else x.arguments[second]
            margin = Apply("sub", (this, that), span=x.span)
            if any(y == Unknown(unknown) for y in walk(margin)) and margin not in found and not inner_unknowns(margin, body):
                found.append(margin)
    return found


def inner_unknowns(margin: Expression, body: Expression) -> bool:
    """Whether a margin speaks of what runs over an inner interval: it is dealt with there."""
    inner = {x.unknown for x in walk(body) if isinstance(x, Over)}
    return any(isinstance(x, Unknown) and x.name in inner for x in walk(margin))


def pieces(world: World, e: Over, margins: list[Expression], low: Variable, high: Variable) -> Variable:
    """The ends of the pieces of each interval, in order along a last own axis: where nothing meets, pieces of length 0 at the end."""
    parts = jnp.linspace(0.0, 1.0, PARTS + 1)
    inner: list[Variable] = []
    for margin in margins:
        def residual(place: Variable, margin: Expression = margin) -> Variable:
            before, world.relaxation = world.relaxation, Relaxation()
            try:
                return at(world, e.unknown, margin, place)
            finally:
                world.relaxation = before

        scan = dim_to_own(residual(lift(lambda a, b, x: a + (b - a) * x, low, high, along(e.unknown, parts))), e.unknown, PARTS + 1)
        signs = jnp.moveaxis(jnp.sign(scan.data), -1, 0)
        turns = signs[1:] * signs[:-1] < 0
        turns |= (signs[1:] == 0) & (signs[:-1] != 0)
        for k in range(CORNERS):
            where = jnp.argmax(jnp.cumsum(turns, axis=0) == k + 1, axis=0)
            exists = jnp.sum(turns, axis=0) > k
            cell = Variable(scan.dims, where.astype(float))
            bounds = [lift(lambda a, b, c, d=d: a + (b - a) * (c + d) / PARTS, low, high, cell) for d in (0.0, 1.0)]
            inner.append(crossing(residual, bounds, Variable(scan.dims, exists), high))
    dims = union([low, high, *inner])
    sizes = {d: v.size(d) for v in (low, high, *inner) for d in v.dims}
    shape = tuple(sizes[d] for d in dims)
    a, b, *rest = (jnp.broadcast_to(expand(v, dims, 0), shape) for v in (low, high, *inner))
    between = jnp.stack(rest, -1)
    forward = (b >= a)[..., None]
    ordered = jnp.where(forward, jnp.sort(between, -1), -jnp.sort(-between, -1))
    return Variable(dims, jnp.concatenate([a[..., None], ordered, b[..., None]], -1))


def crossing(residual: Callable[[Variable], Variable], bounds: list[Variable], exists: Variable, high: Variable) -> Variable:
    """The place within ``bounds`` at which a margin is zero, with its derivative; the interval's end where none exists."""
    parts = [residual(bounds[0]), *bounds, exists, high]
    dims, sizes = union(parts), {d: v.size(d) for v in parts for d in v.dims}
    shape = tuple(sizes[d] for d in dims)
    lower, upper, real, end = (jnp.broadcast_to(expand(v, dims, 0), shape) for v in (*bounds, exists, high))
    lower, upper = jnp.minimum(lower, upper), jnp.maximum(lower, upper)
    found = bracketed_root(lambda p: jnp.broadcast_to(expand(residual(Variable(dims, p)), dims, 0), shape), lower, upper)
    return Variable(dims, jnp.where(real, found, end))


# ---------------------------------------------------------------- extrema


def extremum(world: World, e: Over, low: Variable, high: Variable) -> Variable:
    """The place at which the body is largest (of ``min`` and ``argmin``: smallest)."""
    sign = -1.0 if e.operation.endswith("min") else 1.0
    first = at(world, e.unknown, e.body, low)
    dims = union([low, high, first])
    sizes = {d: v.size(d) for v in (low, high, first) for d in v.dims}
    shape = tuple(sizes[d] for d in dims)
    bottom, top = (jnp.broadcast_to(expand(v, dims, 0), shape).astype(float) for v in (low, high))

    def value(p: Array) -> Array:
        return sign * jnp.broadcast_to(expand(at(world, e.unknown, e.body, Variable(dims, p)), dims, 0), shape)

    def values(p: Array) -> Array:
        place = own_to_dim(Variable(dims, jnp.moveaxis(p, 0, -1)), 0, e.unknown)
        found = dim_to_own(at(world, e.unknown, e.body, place), e.unknown, p.shape[0])
        full = jnp.broadcast_to(expand(found, dims, 1), (*shape, p.shape[0]))
        return sign * jnp.moveaxis(full, -1, 0)

    return Variable(dims, place_of_maximum(value, values, bottom, top))
