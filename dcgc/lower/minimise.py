"""The least point of many functions at once, each of one number in an interval: candidates along all of it, then ever closer to the best.

Functions may jump: what is returned is always a point that was tried, so it lies on the cheaper side of a jump, as near to it as the
rounds allow.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

COARSE, FINE, ROUNDS = 65, 17, 12  # each round narrows the interval to 3 / (FINE - 1) of what it was


def least_point(function: Callable[[Array], Array], low: Array, high: Array, coarse: int = COARSE, fine: int = FINE,
                rounds: int = ROUNDS) -> tuple[Array, Array]:
    """(points, values) (*shape,) of the least of ``function``: (*shape, n) candidates -> (*shape, n) values, between ``low`` and ``high``
    (*shape,). Of equal values the lowest point counts."""
    def among(left: Array, right: Array, n: int) -> tuple[Array, Array]:
        tried = left[..., None] + (right - left)[..., None] * jnp.linspace(0.0, 1.0, n)
        values = function(tried)
        values = jnp.where(jnp.isnan(values), jnp.inf, values)
        k = jnp.argmin(values, axis=-1)[..., None]
        return jnp.take_along_axis(tried, k, -1)[..., 0], jnp.take_along_axis(values, k, -1)[..., 0]

    best, least = among(low, high, coarse)
    half = (high - low) / (coarse - 1) * 1.5

    def closer(_: int, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        best, least, half = state
        point, value = among(jnp.maximum(low, best - half), jnp.minimum(high, best + half), fine)
        better = value < least
        return jnp.where(better, point, best), jnp.where(better, value, least), half * (3.0 / (fine - 1))

    best, least, _ = jax.lax.fori_loop(0, rounds, closer, (best, least, half))
    return vertex(function, low, high, best, least)


def vertex(function: Callable[[Array], Array], low: Array, high: Array, best: Array, least: Array) -> tuple[Array, Array]:
    """The vertex of a parabola around the best point, on the widest step at which it is as good: near a smooth minimum values alone tell
    the place to the root of rounding only."""
    steps = (high - low)[..., None] * jnp.asarray([1e-1, 1e-2, 1e-3])
    middle = jnp.clip(best[..., None], low[..., None] + steps, high[..., None] - steps)
    n = steps.shape[-1]
    values = function(jnp.concatenate([middle - steps, middle, middle + steps], -1))
    left, centre, right = values[..., :n], values[..., n:2 * n], values[..., 2 * n:]
    curvature = left + right - 2 * centre
    smooth = jnp.isfinite(curvature) & (curvature > 0)
    points = middle + jnp.where(smooth, 0.5 * steps * (left - right) / jnp.where(smooth, curvature, 1.0), 0.0)
    points = jnp.where(smooth & (jnp.abs(points - middle) <= steps), points, best[..., None])
    found = function(points)
    good = (found <= least[..., None] + 1e-14 * (1 + jnp.abs(least[..., None]))) & (points >= low[..., None]) & (points <= high[..., None])
    first = jnp.argmax(good, -1)[..., None]
    better = good.any(-1)
    return (jnp.where(better, jnp.take_along_axis(points, first, -1)[..., 0], best),
            jnp.where(better, jnp.take_along_axis(found, first, -1)[..., 0], least))


def nested(function: Callable[[list[Array]], Array], bounds: list[tuple[Array, Array]]) -> list[Array]:
    """The least point of functions of several numbers, one inside the other: along the first, at the best of the rest. ``function``
    takes candidates for each, (*shape, n_1, .., n_k), all of the same shape, and ``bounds`` are (*shape,)."""
    def inner(fixed: list[Array], bounds: list[tuple[Array, Array]]) -> tuple[list[Array], Array]:
        (low, high), rest = bounds[0], bounds[1:]
        if not rest:
            point, value = least_point(lambda x: function([*(jnp.broadcast_to(f[..., None], x.shape) for f in fixed), x]), low, high)
            return [point], value

        def best_of_rest(x: Array) -> tuple[list[Array], Array]:
            wider = [tuple(jnp.broadcast_to(b[..., None], x.shape) for b in pair) for pair in rest]
            return inner([*(jnp.broadcast_to(f[..., None], x.shape) for f in fixed), x], wider)  # type: ignore[arg-type]

        point, _ = least_point(lambda x: best_of_rest(x)[1], low, high)
        others, value = best_of_rest(point[..., None])
        return [point, *(o[..., 0] for o in others)], value[..., 0]

    return inner([], bounds)[0]
