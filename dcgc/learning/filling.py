"""Values and acts at states where there are none: no numbers, or infinite ones, go on from where they are numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array


def filled(x: Array, axes: tuple[int, ...], costs: bool) -> Array:
    """``x`` with every entry that is no number, or infinite, replaced along the ``axes`` in turn: by the nearest that is one; with
    ``costs`` by what they come to if they go on as before, never flatter than a line, so that nobody is drawn to where there is no answer.
    Where nothing along any axis is a number, it stays."""
    for axis in axes:
        moved = jnp.moveaxis(x, axis, 0)
        up, far_up = going_on(moved, costs)
        down, far_down = going_on(moved[::-1], costs)
        down, far_down = down[::-1], far_down[::-1]
        nearest = jnp.where(far_up <= far_down, up, down)
        moved = jnp.where(jnp.isfinite(moved), moved, jnp.where(jnp.isfinite(nearest), nearest, moved))
        x = jnp.moveaxis(moved, 0, axis)
    return x


def going_on(x: Array, costs: bool) -> tuple[Array, Array]:
    """(n, ..): along the first axis what follows from the last entries before that are numbers, and how far away these are."""
    n = x.shape[0]
    place = jnp.arange(n).reshape((-1, *(1,) * (x.ndim - 1)))
    last = jax.lax.cummax(jnp.where(jnp.isfinite(x), place, -1), axis=0)
    far = jnp.where(last < 0, n, place - last)

    def before(k: int) -> Array:
        return jnp.take_along_axis(x, jnp.maximum(last - k, 0), 0)

    at = jnp.where(last < 0, jnp.nan, before(0))
    if not costs:
        return at, far
    slope = jnp.where((last >= 1) & jnp.isfinite(before(1)), at - before(1), 0.0)
    bend = jnp.where((last >= 2) & jnp.isfinite(before(1)) & jnp.isfinite(before(2)), at - 2 * before(1) + before(2), 0.0)
    return at + far * slope + far * (far + 1) / 2 * jnp.maximum(bend, 0.0), far
