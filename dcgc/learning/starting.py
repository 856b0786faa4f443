"""Where training starts: standardised inputs, heads that fit a decision's type, policies of a family."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Reference, references
from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Strategy, finite_sizes, inputs, real_inputs
from ..lower.variable import Variable, constant
from ..lower.world import World
from ..policies import build, head


def neutral_rule(world: World, d: Decision) -> Variable:
    """A decision that does nothing in particular: the middle of its bounds, or 0, or every option alike."""
    if d.finite:
        return constant(jnp.full((*d.shape[:-1], d.options) if d.kind == "choice" else (*d.shape, 2), 1.0 / d.options))
    if d.kind == "simplex":
        return constant(jnp.full(d.shape, 1.0 / d.shape[-1]))
    low, high = bounds(world, d)
    middle = (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else low + 1 if math.isfinite(low) else \
        high - 1 if math.isfinite(high) else 0.0
    return constant(jnp.full(d.shape, middle))


def pick(stacked: Strategy, r: int) -> Strategy:
    """The strategy of the r-th of several starts that are stacked."""
    return jax.tree.map(lambda x: x[r], stacked)


def bounds(world: World, d: Decision) -> tuple[float, float]:
    """The widest range of a decision's bounds over the grid."""
    from ..lower.evaluate import evaluate

    fixed = not any(references(e) for e in (d.low, d.high) if e is not None)
    with jax.ensure_compile_time_eval() if fixed else nullcontext():  # numbers, also while something is traced
        low = -math.inf if d.low is None else float(jnp.min(evaluate(world, d.low).data))
        high = math.inf if d.high is None else float(jnp.max(evaluate(world, d.high).data))
    return low, high


def input_scales(problem: Problem, grid: Grid, d: Decision) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (or 1 if it does not vary) of every real input, when everybody does nothing in particular."""
    return scales_in(problem, problem.world(grid, problem.natural, {k: neutral_rule for k in problem.groups}), d)


def scales_in(problem: Problem, world: World, d: Decision) -> tuple[np.ndarray, np.ndarray]:
    """The same in a world."""
    grid = world.grid
    _, reals = inputs(world, d)
    data = np.asarray(reals.data)
    if data.shape[-1] == 0:
        return np.zeros(0), np.ones(0)
    weights = np.ones(data.shape[:-1])
    for dim in reals.dims:
        if dim in grid.weights and world.factor(dim).dims == (dim,):
            shape = [1] * len(reals.dims)
            shape[reals.dims.index(dim)] = -1
            weights = weights * np.asarray(world.factor(dim).data).reshape(shape)
    weights = np.broadcast_to(weights, data.shape[:-1]).reshape(-1)
    weights = weights / max(weights.sum(), 1e-300)
    flat = data.reshape(-1, data.shape[-1])
    location = weights @ flat
    scale = np.sqrt(np.maximum(weights @ (flat - location) ** 2, 0.0))
    location, scale = location, np.where(scale > 1e-9, scale, 1.0)
    location, scale = tokens_apart(problem, d, location, scale)
    return location, loud_signals(problem, d, scale)


def tokens_apart(problem: Problem, d: Decision, location: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of a long message, read one-hot, have the mean and spread that they have when all are as likely."""
    start = 0
    for o in d.observations:
        if o.size is not None:
            continue
        width = math.prod(o.shape)
        site = problem.dependence.sites.get(o.expression.site) if isinstance(o.expression, Reference) else None
        if isinstance(site, Decision) and site.finite and not site.enumerable:
            n = site.options
            location[start:start + width], scale[start:start + width] = 1 / n, math.sqrt((1 - 1 / n) / n) if n > 1 else 1.0
        start += width
    return location, scale


def loud_signals(problem: Problem, d: Decision, scale: np.ndarray) -> np.ndarray:
    """Where a message is louder than its noise, the reals that arrive spread as far as its power lets them, not as silence does."""
    start = 0
    for o in d.observations:
        if o.size is not None:
            continue
        width = math.prod(o.shape)
        named = references(o.expression)
        for c in problem.game.channels:
            if c.carrier == "reals" and c.sd**2 < c.power < math.inf and named & references(c.message):
                scale[start:start + width] = math.sqrt(c.power + c.sd**2)
        start += width
    return scale


def layout_of(d: Decision) -> tuple[tuple[tuple[int, int], ...], int | None]:
    """How the real inputs fall into observations, (tokens, reals per token) each, and which of them has a row for every option."""
    layout = tuple((o.shape[0], math.prod(o.shape[1:])) if len(o.shape) > 1 else (1, math.prod(o.shape)) for o in d.observations
                   if o.size is None)
    arrays = [i for i, o in enumerate(o for o in d.observations if o.size is None) if len(o.shape) > 1]
    rows = next((i for i in arrays if d.kind == "choice" and d.enumerable and layout[i][0] == d.options), None)
    return layout, rows


def strategy(problem: Problem, grid: Grid, d: Decision, family: str, key: Array, options: dict[str, Any] | None = None,
             free: bool = False, location: Any = None, scale: Any = None) -> Strategy:
    """A fresh strategy of a family for a decision. ``free``: bounds are left to whoever uses it (a Newton step knows no ends).

    Raises what ``policies.build`` raises for options or inputs that the family cannot have.
    """
    world = problem.world(grid, problem.natural, {k: neutral_rule for k in problem.groups})
    return strategy_in(problem, world, d, family, key, options, free, location, scale)


def strategy_in(problem: Problem, world: World, d: Decision, family: str, key: Array, options: dict[str, Any] | None = None,
                free: bool = False, location: Any = None, scale: Any = None) -> Strategy:
    """The same from a world in which everybody does nothing in particular."""
    where, spread = scales_in(problem, world, d)
    low, high = bounds(world, d)
    count = d.shape[:-1] if d.kind in ("choice", "simplex") else d.shape
    if d.kind == "real" and (free or (d.low is None and d.high is None)):
        output = head("real", count, location=0.0 if location is None else location, scale=1.0 if scale is None else scale)
    elif d.kind == "real":
        if location is None:
            both = math.isfinite(low) and math.isfinite(high)
            location = (low + high) / 2 if both else low + 1 if math.isfinite(low) else high - 1 if math.isfinite(high) else 0.0
            scale = (high - low) / 4 if both else 1.0
        output = head("bounded", count, location=location, scale=scale, mode="returning")
    else:
        output = head(d.kind, count, d.shape[-1] if d.kind != "bool" else 1)
    sizes = finite_sizes(d)
    layout, rows = layout_of(d)
    policy = build(family, key, inputs=real_inputs(d), outputs=output.raw_size, combinations=math.prod(sizes), layout=layout,
                   factors=sizes, rows=rows, **(options or {}))
    return Strategy(policy, output, jnp.asarray(where), jnp.asarray(spread), sizes, False)


def keys(seed: int, count: int) -> Array:
    return jax.random.split(jax.random.key(seed), count)
