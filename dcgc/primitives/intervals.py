"""Places in many intervals at once: where a function of one number is largest, with the derivatives of that place.

All values are arrays, an interval an entry. The search itself has no derivative. What carries it are Newton's steps on the slope from the
place found, p - f'(p, x) / f''(p, x), which do not move it: the first gives dp/dx = -f'_x / f'' of the implicit function theorem, and the
second makes the second derivatives right, too (see ``roots.py``). At an end of the interval the place moves with that end.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from .roots import NEWTON_STEPS

SCANNED = 64  # equal parts of an interval that are looked at first
ZOOMED = 16  # parts of the two around the best place, in each round after that
ROUNDS = 11  # (2 / 16)^11 / 64 of the interval: 2e-12, also at a corner


def place_of_maximum(function: Callable[[Array], Array], many: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Where ``function`` (entry by entry) is largest between ``low`` and ``high`` (arrays of one shape).

    ``many``: the same function at several places in each interval, along a new first axis. A peak that no part of the first scan sees is
    missed. Where the function has no curvature (a corner, a straight line inside) the place has no derivative.
    """
    held_many, inside = jax.closure_convert(many, jnp.stack([low, high]))
    fixed = jax.lax.stop_gradient(inside)
    bottom, top = jax.lax.stop_gradient((low, high))
    part = search(lambda p: held_many(p, *fixed), bottom, top)
    held, constants = jax.closure_convert(function, low)
    nearest = low + (high - low) * part  # moves with the ends

    def slope(p: Array) -> Array:
        return jax.jvp(lambda q: held(q, *constants), (p,), (jnp.ones_like(p),))[1]

    span = jnp.abs(top - bottom)
    at_end = (part <= 0) | (part >= 1)

    def polish(p: Array, _: None) -> tuple[Array, None]:
        first, second = jax.jvp(slope, (p,), (jnp.ones_like(p),))
        usable = (second < 0) & (jnp.abs(first) <= 1e-4 * span * jnp.abs(second)) & ~at_end
        return p - jnp.where(usable, first, 0.0) / jnp.where(usable, second, -1.0), None

    start = jnp.where(at_end, nearest, jax.lax.stop_gradient(nearest))
    p, _ = jax.lax.scan(polish, start, None, length=NEWTON_STEPS + 1)
    return p


def search(many: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """How far along each interval, in [0, 1], its highest place lies: a scan, then closer ones around the best place so far."""
    shape = low.shape

    def best(parts: Array) -> Array:
        values = many(low + (high - low) * parts)
        k = jnp.argmax(jnp.where(jnp.isnan(values), -jnp.inf, values), axis=0)
        return jnp.take_along_axis(jnp.broadcast_to(parts, (parts.shape[0], *shape)), k[None], axis=0)[0]

    steps = jnp.linspace(-1.0, 1.0, ZOOMED + 1).reshape(-1, *(1,) * len(shape))

    def zoom(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        centre, reach = carry
        return (best(jnp.clip(centre + reach * steps, 0.0, 1.0)), reach * 2 / ZOOMED), None

    first = best(jnp.broadcast_to(jnp.linspace(0.0, 1.0, SCANNED + 1).reshape(-1, *(1,) * len(shape)), (SCANNED + 1, *shape)))
    (centre, _), _ = jax.lax.scan(zoom, (first, jnp.asarray(1.0 / SCANNED)), None, length=ROUNDS)
    return centre
