"""``solve``: the root of an equation at every point of the grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array

from ..core.expression import Expression, Root, references
from ..primitives.relaxations import Relaxation
from ..primitives.roots import bracketed_root
from .evaluate import evaluate
from .variable import Variable, expand, lift, union

if TYPE_CHECKING:
    from .world import World


def sides(world: World, e: Root) -> tuple[Callable[[Variable], Variable], Variable, Variable]:
    """left - right as a function of the unknown, and the interval's ends.

    A comparison inside the equation is taken as it is written: what the unknown is at each point is not a matter of cells. Everything
    that the equation mentions is worked out here, so that the function can be called inside of loops and traces.
    """
    for name in sorted(references(e)):
        world.value(name)

    def difference(unknown: Variable) -> Variable:
        before = world.relaxation, world.unknowns
        world.relaxation, world.unknowns = Relaxation(), {**world.unknowns, e.unknown: unknown}
        try:
            return lift(jnp.subtract, evaluate(world, e.left), evaluate(world, e.right))
        finally:
            world.relaxation, world.unknowns = before

    return difference, evaluate(world, e.low), evaluate(world, e.high)


def solution(world: World, e: Root) -> Variable:
    """The unknown at every point: see ``bracketed_root``."""
    return at_once(world, e, lambda inside: root(inside, e))


def at_once(world: World, e: Expression, work: Callable[[World], Variable]) -> Variable:
    """``work`` compiled as a whole: step by step, outside of a trace, it would be compiled in dozens of pieces at every call.

    What ``e`` mentions is worked out before and handed over, so that it is no constant of the program.
    """
    names = sorted(references(e))
    known = {name: world.value(name) for name in names}

    def compiled(values: dict[str, Variable], unknowns: Mapping[str, Variable], parameters: Mapping[str, Array]) -> Variable:
        return work(replace(world, _values={**world._values, **values}, unknowns=unknowns, parameters=parameters))

    return jax.jit(compiled)(known, dict(world.unknowns), world.parameters)


def root(world: World, e: Root) -> Variable:
    difference, low, high = sides(world, e)
    parts = [difference(low), low, high]
    dims, sizes = union(parts), {d: v.size(d) for v in parts for d in v.dims}
    shape = tuple(sizes[d] for d in dims)

    def residual(p: Array) -> Array:
        return jnp.broadcast_to(difference(Variable(dims, p)).data, shape)

    ends = [jnp.broadcast_to(expand(v, dims, 0), shape).astype(float) for v in (low, high)]
    return Variable(dims, bracketed_root(residual, *ends))
