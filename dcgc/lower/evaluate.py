"""Core expressions as random variables on the grid: one small function a node, in a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core import expression as core
from ..primitives import functions, relaxations
from ..primitives.relaxations import Relaxation
from .variable import Variable, constant, dim_to_own, expand, lift, own_to_dim, rename, stack, take, union, whole

if TYPE_CHECKING:
    from .grid import Grid
    from .world import World


def evaluate(world: World, e: core.Expression, raw: bool = False) -> Variable:
    """The value of an expression. An expression that is a coordinate of the grid has the coordinate's value, unless ``raw``."""
    if not raw and world.grid.observed and not world.axes and isinstance(e, (core.Apply, core.Select, core.Fold)):
        dim = world.coordinate_of(world.dependence.inline(e))
        if dim is not None:
            return world.nodes(dim)
    return HANDLERS[type(e)](world, e)


def step(margin: Variable, at_zero: float, relaxation: Relaxation, grid: Grid) -> Variable:
    """The step function of a margin, relaxed as asked."""
    if relaxation.kind == "cells" and not grid.scattered:
        axes = [i for i, d in enumerate(margin.dims) if d in grid.continuous and d not in relaxation.excluded]
        return Variable(margin.dims, relaxations.step_in_cells(margin.data, axes, at_zero))
    if relaxation.kind == "sigmoid":
        return Variable(margin.dims, relaxations.step_sigmoid(margin.data, relaxation.temperature))
    return Variable(margin.dims, relaxations.step_exact(margin.data, at_zero))


def _constant(world: World, e: core.Constant) -> Variable:
    return Variable((), np.asarray(e.value, float))  # type: ignore[arg-type]  # stays known in a trace: Categorical(n) needs its n


def _parameter(world: World, e: core.Parameter) -> Variable:
    return constant(world.parameters[e.name])


def _reference(world: World, e: core.Reference) -> Variable:
    return world.value(e.site)


def _member(world: World, e: core.Member) -> Variable:
    return Variable((e.axis.name,), jnp.arange(e.axis.low, e.axis.low + e.axis.size, dtype=float))


def _stack(world: World, e: core.Stack) -> Variable:
    return stack([evaluate(world, i) for i in e.items])


def _select(world: World, e: core.Select) -> Variable:
    base = evaluate(world, e.base)
    position = 0  # own axis that the next index speaks of
    for index, one_hot in zip(e.indices, e.one_hot, strict=True):
        if isinstance(index, core.Whole):
            position += 1
        elif isinstance(index, core.Others):
            base = others(base, position, index.axis)
            position += 1
        elif isinstance(index, core.Member) and base.own[position] == index.axis.size:
            base = own_to_dim(base, position, index.axis.name) if index.axis.name not in base.dims else \
                diagonal(base, position, index.axis.name)
        else:
            base = picked(base, position, evaluate(world, index), one_hot)
    return base


def diagonal(base: Variable, position: int, dim: str) -> Variable:
    """Entry i along an own axis where a coordinate has the value i."""
    at = base.dims.index(dim)
    data = jnp.diagonal(base.data, axis1=at, axis2=len(base.dims) + position)
    return Variable(base.dims, jnp.moveaxis(data, -1, at))


def others(base: Variable, position: int, axis: core.Axis) -> Variable:
    """For every member of a loop the entries of all others, in order: the own axis shrinks by one."""
    n = axis.size
    index = np.array([[j for j in range(n) if j != i] for i in range(n)])
    data = jnp.take(base.data, index, axis=len(base.dims) + position)  # ..., n, n - 1, ...
    return own_to_dim(Variable(base.dims, data), position, axis.name)


def picked(base: Variable, position: int, index: Variable, one_hot: bool) -> Variable:
    """``base[index]`` along one own axis, for a number counted from 1 or a one-hot vector."""
    if not index.dims and not one_hot and index.data.ndim == 0 and position == 0:
        return Variable(base.dims, jnp.take(base.data, jnp.round(index.data).astype(int) - 1, axis=len(base.dims)))
    size = base.own[position]
    moved = Variable(base.dims, jnp.moveaxis(base.data, len(base.dims) + position, -1))
    weights = index if one_hot else lift(lambda i: (jnp.abs(i[..., None] - jnp.arange(1, size + 1)) < 0.5) * 1.0, index)
    rest = len(moved.own) - 1
    dims = union([moved, weights])
    a = expand(moved, dims, rest + 1)
    w = weights.data.reshape(tuple(weights.size(d) if d in weights.dims else 1 for d in dims) + (1,) * rest + (size,))
    return Variable(dims, jnp.sum(a * w, axis=-1))


def _apply(world: World, e: core.Apply) -> Variable:
    if e.function in JUMPS:
        return JUMPS[e.function](world, [evaluate(world, a) for a in e.arguments])
    if e.function in ("sum", "mean") and isinstance(e.arguments[0], core.Select) and \
            any(isinstance(i, core.Others) for i in e.arguments[0].indices):
        total = all_but_own(world, e.arguments[0])
        return total if e.function == "sum" else Variable(total.dims, total.data / entries_of_others(world, e.arguments[0]))
    if e.function == "pow" and isinstance(e.arguments[1], core.Constant) and not isinstance(e.arguments[1].value, tuple):
        return lift(functions.fixed_power(e.arguments[1].value), evaluate(world, e.arguments[0]))
    arguments = [evaluate(world, a) for a in e.arguments]
    if e.function in functions.ELEMENTWISE:
        return lift(functions.ELEMENTWISE[e.function], *arguments)
    if e.function in functions.LOGIC:
        return lift(functions.LOGIC[e.function], *arguments)
    if e.function == "where":
        return where(*arguments)
    if e.function == "dot":
        return whole(jnp.dot, *arguments)
    return whole(functions.WHOLE[e.function], *arguments)


def all_but_own(world: World, e: core.Select) -> Variable:
    """``sum(x[others])`` as the total less one's own: linear in the number of members."""
    plain = tuple(core.Whole() if isinstance(i, core.Others) else i for i in e.indices)
    axis = next(i.axis for i in e.indices if isinstance(i, core.Others))
    own = tuple(core.Member(axis) if isinstance(i, core.Others) else i for i in e.indices)
    total = whole(jnp.sum, _select(world, core.Select(e.base, plain, e.one_hot)))
    mine = _select(world, core.Select(e.base, own, e.one_hot))
    mine = whole(jnp.sum, mine) if mine.own else mine
    return lift(jnp.subtract, total, mine)


def entries_of_others(world: World, e: core.Select) -> int:
    """How many numbers ``x[others]`` has."""
    base = evaluate(world, e.base).own
    sizes = [i.axis.size - 1 if isinstance(i, core.Others) else n for i, n in zip(e.indices, base, strict=False)
             if isinstance(i, (core.Others, core.Whole))]
    return math.prod((*sizes, *base[len(e.indices):]))


def where(condition: Variable, then: Variable, otherwise: Variable) -> Variable:
    """``if``: a relaxed condition mixes; what is not chosen does not count, be it infinite."""
    def choose(c: Array, a: Array, b: Array) -> Array:
        mix = c * jnp.where(c == 0, 0.0, a) + (1 - c) * jnp.where(c == 1, 0.0, b)
        return jnp.where(c == 1, a, jnp.where(c == 0, b, mix))

    return lift(choose, condition, then, otherwise)


def _fold(world: World, e: core.Fold) -> Variable:
    outer, world.axes = world.axes, (*world.axes, e.axis.name)
    body = evaluate(world, e.body)
    neutral = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -jnp.inf, "min": jnp.inf}[e.reduction]
    count: Variable | None = None
    if e.condition is not None:
        condition = evaluate(world, e.condition)
        if e.reduction == "sum" and excludes_own(e):
            world.axes = outer
            return less_own(body, e)
        body = where(condition, body, constant(neutral))
        count = Variable(condition.dims, condition.data)
    world.axes = outer
    gathered = dim_to_own(body, e.axis.name, e.axis.size)
    reduce = {"sum": jnp.sum, "mean": jnp.sum, "prod": jnp.prod, "max": jnp.max, "min": jnp.min}[e.reduction]
    total = Variable(gathered.dims, reduce(gathered.data, axis=len(gathered.dims)))
    if e.reduction != "mean":
        return total
    if count is None:
        return Variable(total.dims, total.data / e.axis.size)
    members = dim_to_own(count, e.axis.name, e.axis.size)
    return lift(jnp.divide, total, Variable(members.dims, members.data.sum(axis=len(members.dims))))


def excludes_own(e: core.Fold) -> bool:
    """Whether the condition is ``j != i`` with i the index of a loop of the same size."""
    c = e.condition
    return isinstance(c, core.Apply) and c.function == "ne" and all(isinstance(a, core.Member) for a in c.arguments) and \
        len({a.axis.size for a in c.arguments}) == 1 and any(a.axis == e.axis for a in c.arguments)  # type: ignore[attr-defined]


def less_own(body: Variable, e: core.Fold) -> Variable:
    """The total over all members less the loop's own term."""
    assert isinstance(e.condition, core.Apply)
    own = next(a.axis for a in e.condition.arguments if isinstance(a, core.Member) and a.axis != e.axis)
    gathered = dim_to_own(body, e.axis.name, e.axis.size)
    total = Variable(gathered.dims, gathered.data.sum(axis=len(gathered.dims)))
    mine = diagonal(gathered, 0, own.name) if own.name in body.dims else rename(body, e.axis.name, own.name)
    return lift(jnp.subtract, total, mine)


def compare(sign: float, at_zero: float) -> Callable[[World, list[Variable]], Variable]:
    def handler(world: World, arguments: list[Variable]) -> Variable:
        return world.step(lift(lambda a, b: sign * (a - b), *arguments), at_zero)

    return handler


def equal(world: World, arguments: list[Variable]) -> Variable:
    return lift(lambda a, b: jnp.where(jnp.abs(a - b) <= 1e-9, 1.0, 0.0), *arguments)


def sign(world: World, arguments: list[Variable]) -> Variable:
    above = world.step(arguments[0], 0.5)
    return Variable(above.dims, 2 * above.data - 1)


#: Functions with a jump.
JUMPS: Mapping[str, Callable[[World, list[Variable]], Variable]] = {
    "gt": compare(1.0, 0.0), "ge": compare(1.0, 1.0), "lt": compare(-1.0, 0.0), "le": compare(-1.0, 1.0), "eq": equal,
    "ne": lambda w, a: lift(lambda x: 1.0 - x, equal(w, a)), "sign": sign,
}

def _unknown(world: World, e: core.Unknown) -> Variable:
    return world.unknowns[e.name]


def _root(world: World, e: core.Root) -> Variable:
    from .equations import solution

    return solution(world, e)


def _over(world: World, e: core.Over) -> Variable:
    from .intervals import over

    return over(world, e)


def _information(world: World, e: core.Information) -> Variable:
    return world.information(e)


HANDLERS: Mapping[type, Callable[[World, core.Expression], Variable]] = {
    core.Constant: _constant, core.Parameter: _parameter, core.Reference: _reference, core.Member: _member,
    core.Stack: _stack, core.Select: _select, core.Apply: _apply, core.Fold: _fold,
    core.Information: _information, core.Unknown: _unknown, core.Root: _root, core.Over: _over,
}  # type: ignore[dict-item]

__all__ = ["evaluate", "step", "take"]
