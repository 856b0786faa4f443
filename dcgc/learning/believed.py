"""What a receiver does who believes something, as a differentiable function of what it believes and saw."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ..lower.signals import SenderGame

STARTS = 33  # places of a bounded reply from which Newton's method may start
STEPS = 24
SLACK = 1e-8


def slope(f: Callable[[Array], Array], x: Array) -> Array:
    """The derivative of a function that works entry by entry."""
    return jax.jvp(f, (x,), (jnp.ones_like(x),))[1]


def best_reply(game: SenderGame, cost: Callable[[Array], Array], shape: tuple[int, ...]) -> Array:
    """The least point of ``cost``, a function of replies that works entry by entry on arrays of this shape; its derivative is that of the
    implicit function theorem."""
    d = game.receiver
    if d.finite:
        return jnp.argmin(jnp.stack([cost(jnp.full(shape, float(k))) for k in range(d.options)]), 0).astype(float)
    low, high = game.bounds(d)
    if math.isfinite(low) and math.isfinite(high):
        places = jnp.linspace(low, high, STARTS)
        values = jax.lax.map(lambda r: cost(jnp.full(shape, r)), places)
        start, reach = places[jnp.argmin(values, 0)], (high - low) / (STARTS - 1)
    else:
        start, reach = jnp.full(shape, min(max(0.0, low), high)), 1e3

    def step(_: int, r: Array) -> Array:
        first = slope(cost, r)
        second = slope(lambda x: slope(cost, x), r)
        move = jnp.where(second > 0, -first / jnp.where(second > 0, second, 1.0), -jnp.sign(first) * reach / 8)
        move = jnp.clip(move, -2 * reach, 2 * reach)
        tried = jnp.stack([jnp.clip(r + part * move, low, high) for part in (1.0, 0.25, 0.0)])
        values = jnp.stack([cost(x) for x in tried])
        return jnp.take_along_axis(tried, jnp.argmin(values, 0)[None], 0)[0]

    r = jax.lax.stop_gradient(jax.lax.fori_loop(0, STEPS, step, start))
    first, bend = jax.lax.stop_gradient((slope(cost, r), slope(lambda x: slope(cost, x), r)))
    # a reply that only just reaches its bound moves with what is believed
    free = (bend > 0) & (jnp.abs(first) <= SLACK * bend * (1 + jnp.abs(r)))
    return r - jnp.where(free, slope(cost, r) / jnp.where(free, bend, 1.0), 0.0)
