"""Whether every ``solve`` had one root: its interval is scanned at every point of the grid."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Root
from ..core.site import Equation, Let
from ..lower.equations import sides
from ..lower.evaluate import evaluate
from ..lower.problem import Problem
from ..lower.variable import Variable, constant, expand, lift, union
from ..lower.world import World

SCANNED = 128  # parts of the interval
ACCURACY = 1e-8  # of the largest difference of both sides on the interval: what counts as none
RARE = 1e-9  # probability that is no matter


def equation_alarms(problem: Problem, worlds: list[World], only: frozenset[str] | None = None) -> list[str]:
    """R002 and R003 with their places: how likely an equation (None: all) has no root in its interval, or several."""
    out = []
    for e in problem.game.equations:
        if only is not None and e.name not in only:
            continue
        missing, several = np.mean([[float(x) for x in chances(w, e)] for w in worlds], axis=0)
        text = f"[R00{{}}] {e.span.place}: `{e.name}`"
        if missing > RARE:
            out.append(f"{text.format(2)} has no solution in its interval with probability {missing:.3g}")
        if several > RARE:
            out.append(f"{text.format(3)} has several solutions in its interval with probability {several:.3g}; one of them was taken")
    return out


def chances(world: World, e: Equation) -> tuple[Array, Array]:
    """The probabilities, (), that an equation which has to hold has no root in its interval, and that it has several (of a large
    family: the mean over its members)."""
    site = world.dependence.sites[e.name]
    assert isinstance(site, Let)
    outer, world.axes = world.axes, (*world.axes, *(a.name for a in e.axes))
    found = roots_of(world, e.root, evaluate(world, site.value, raw=True))  # what the equation gives, also where others see it
    exists = constant(1.0)
    for guard in e.guards:
        exists = lift(lambda x, g: x * (g != 0), exists, evaluate(world, guard, raw=True))
    world.axes = outer
    missing, several = (jnp.mean(world.expectation(lift(jnp.multiply, x, exists)).data) for x in found)
    return missing, several


def roots_of(world: World, root: Root, found: Variable) -> tuple[Variable, Variable]:
    """1 where the equation has no root in its interval, and 1 where it has several.

    There is none where ``found``, brought to the interval, does not make both sides equal; sides that jump past each other are not.
    Several are told by the signs at the ends of ``SCANNED`` equal parts: two roots within one part are not seen.
    """
    difference, low, high = sides(world, root)
    inside = lift(jnp.clip, found, low, high)
    gap = difference(inside)
    dims, sizes = union([gap, low, high]), {d: v.size(d) for v in (gap, low, high) for d in v.dims}
    shape = tuple(sizes[d] for d in dims)

    def at(fraction: Array) -> Array:
        p = lift(lambda a, b: a + (b - a) * fraction, low, high)
        v = difference(p)
        return jnp.broadcast_to(expand(v, dims, 0), shape)

    def step(carry: tuple[Array, Array, Array], fraction: Array) -> tuple[tuple[Array, Array, Array], None]:
        before, roots, largest = carry
        here = at(fraction)
        crossed = ((before <= 0) & (here > 0)) | ((before >= 0) & (here < 0)) | ((before == 0) & (here == 0))
        return (here, roots + crossed, jnp.maximum(largest, jnp.where(jnp.isfinite(here), jnp.abs(here), 0.0))), None

    first = at(jnp.asarray(0.0))
    start = (first, jnp.zeros(shape), jnp.where(jnp.isfinite(first), jnp.abs(first), 0.0))
    (last, roots, largest), _ = jax.lax.scan(step, start, jnp.linspace(0, 1, SCANNED + 1)[1:])
    roots = roots + (last == 0)
    solved = jnp.abs(jnp.broadcast_to(expand(gap, dims, 0), shape)) <= ACCURACY * largest
    several = roots > 1
    return Variable(dims, jnp.where(several | solved, 0.0, 1.0)), Variable(dims, several * 1.0)
