"""Random starts for free-form tables: near nothing, affine, quantised, or the residual of a quantiser."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import inputs
from ..lower.variable import Variable, expand
from .starting import bounds, neutral_rule
from .tables import as_table, ordered_dims

KINDS = ("residual", "residual", "affine", "residual", "levels", "residual", "residual", "near nothing")
CERTAIN = 4.0  # logit of the word of an interval
FEWEST, MOST = 2.0, 8.0  # levels of a quantiser over six standard deviations


def start_table(problem: Problem, grid: Grid, d: Decision, key: Array, restart: int, seed: int = 0) -> Array:
    """A random table for a decision: different in kind from restart to restart, so that symmetric solutions do not hold all starts.

    A finite message of a game starts at random, or, every other time, as intervals of the first input. Of a real decision,
    ``residual``: minus the distance to the nearest of a few levels of the first input (what is added to a signal to make it
    discrete); ``levels``: the levels themselves; ``affine``; ``near nothing``: the middle of the range, jittered.
    """
    world = problem.world(grid, problem.reduction, {k: neutral_rule for k in problem.groups})
    dims = ordered_dims(problem, d)
    shape = tuple(grid.sizes[x] for x in dims)
    coefficient, jitter, place = jax.random.split(key, 3)
    if d.finite or d.kind == "simplex":
        logits = 2.0 * jax.random.normal(key, (*shape, *(d.shape if d.kind != "bool" else (2,))))
        _, reals = inputs(world, d)
        if restart % 2 and d.channel is not None and d.enumerable and not problem.is_team and reals.data.shape[-1]:
            signal, _ = first_signal(problem, grid, d, reals, shape)
            logits = logits / 4 + CERTAIN * jax.nn.one_hot(intervals(signal, d.options, place, restart // 2), logits.shape[-1])
        return jax.nn.softmax(logits, -1)
    low, high = bounds(world, d)
    _, reals = inputs(world, d)
    signal, scale = first_signal(problem, grid, d, reals, shape)
    kind = KINDS[restart % len(KINDS)]
    noise = jax.random.normal(jitter, (*shape, *d.shape))
    signal = signal.reshape(shape + (1,) * len(d.shape))
    if math.isfinite(low) and math.isfinite(high):
        rank = (signal - jnp.min(signal)) / jnp.maximum(jnp.ptp(signal), 1e-12) if np.ptp(np.asarray(signal)) > 0 else \
            jax.random.uniform(place)
        slope = jax.random.uniform(coefficient, minval=0.2, maxval=1.0)
        base = low + (high - low) * slope * rank
        return jnp.clip(base + 0.02 * (high - low) * noise, low, high) * jnp.ones((*shape, *d.shape))
    # numbers of levels are spread evenly over the starts, whatever the seed: a golden section sequence from a random origin
    origin = jax.random.uniform(jax.random.fold_in(jax.random.key(0), seed))
    width = 6.0 * scale / (FEWEST + (MOST - FEWEST) * jnp.mod(origin + 0.6180339887498949 * restart, 1.0))
    shift = jax.random.uniform(place) * width
    levels = (jnp.floor((signal - shift) / width) + 0.5) * width + shift
    slope = jnp.clip(jax.random.normal(coefficient), -1.5, 1.5)
    base = {"residual": levels - signal, "levels": levels, "affine": slope * signal, "near nothing": 0.0 * signal}[kind]
    if not dims:
        base = scale * slope
    centre = low + 1 if math.isfinite(low) else high - 1 if math.isfinite(high) else 0.0
    table = centre + base + 0.05 * scale * noise
    return jnp.clip(table, low, high) * jnp.ones((*shape, *d.shape))


def intervals(signal: Array, words: int, key: Array, turn: int) -> Array:
    """A word for every value of a signal, the same along an interval: two intervals, three, up to as many as there are words, by turns.
    Senders whose interests differ a little group what they know like this (Crawford and Sobel 1982)."""
    count = 2 + turn % max(1, words - 1)
    rank = (signal - jnp.min(signal)) / jnp.maximum(jnp.ptp(signal), 1e-12)
    cuts = (jnp.arange(1, count) + 0.5 * (jax.random.uniform(key, (count - 1,)) - 0.5)) / count
    return jnp.sum(rank[..., None] > cuts, -1)


def first_signal(problem: Problem, grid: Grid, d: Decision, reals: Variable, shape: tuple[int, ...]) -> tuple[Array, float]:
    """The first real input at every point of the table, and its scale (1 if there is none)."""
    if reals.data.shape[-1] == 0:
        return jnp.zeros(shape), 1.0
    first = Variable(reals.dims, reals.data[..., 0])
    table = as_table(problem, d, Variable(first.dims, expand(first, first.dims, 0)), grid)
    values = np.asarray(table)
    spread = float(np.ptp(values)) / 17.0 if any(
        problem.reduction.coordinates[x].role == "nature" for x in reals.dims) else float(np.ptp(values)) / 6.0
    return table, max(spread, 1e-6)
