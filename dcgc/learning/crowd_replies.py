"""What all members of a large family do when each replies to all others doing the same: the root of a member's best reply less the act.

A member's best reply R(x) to all others doing x lies between the bounds of the act, so R(x) - x is positive at the lower one and negative
at the upper one: there is a root between them, which a bracket keeps. If all moved to their reply at once, acts that are substitutes
would go (members - 1) / 2 times too far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

ROUNDS, SETTLED = 120, 1e-10
APART = 1e-6  # how far apart two acts must be, over what they are, to tell a slope
HALVED = 3  # one round in so many halves the bracket

Acts = dict[str, Array]


def alike(replies: Callable[[Acts], Acts], start: Mapping[str, Array], bounds: Mapping[str, tuple[Array, Array]],
          change: Callable[[Acts, Acts], Array]) -> Acts:
    """Acts (by decision, an array over all inputs) to which they are themselves the best reply, entry by entry: secants in a bracket.
    ``change``: how far two are apart, ()."""
    def body(state: tuple[Any, ...]) -> tuple[Any, ...]:
        now, before, short_before, low, high, _, count = state
        found = replies(now)
        short = {k: found[k] - x for k, x in now.items()}
        low = {k: jnp.where(short[k] >= 0, x, low[k]) for k, x in now.items()}
        high = {k: jnp.where(short[k] <= 0, x, high[k]) for k, x in now.items()}
        halved = count % HALVED == HALVED - 1
        new = {k: nearer(x, short[k], before[k], short_before[k], low[k], high[k], halved) for k, x in now.items()}
        return new, now, short, low, high, change(found, now), count + 1

    nothing = {k: jnp.full_like(x, jnp.nan) for k, x in start.items()}
    sides = [{k: jnp.broadcast_to(bounds[k][i], x.shape) for k, x in start.items()} for i in (0, 1)]
    begun = (dict(start), nothing, nothing, *sides, jnp.asarray(jnp.inf), jnp.asarray(0))
    def going_on(state: tuple[Any, ...]) -> Array:
        return (state[-2] > SETTLED) & (state[-1] < ROUNDS)

    end: Any = jax.lax.while_loop(going_on, body, begun)
    return dict(end[0])


def nearer(x: Array, short: Array, before: Array, short_before: Array, low: Array, high: Array, halved: Array) -> Array:
    """The next act to try: along the secant, or the middle of the bracket where that leads out of it."""
    apart = jnp.abs(x - before) > APART * (1 + jnp.abs(x))
    slope = (short - short_before) / jnp.where(apart, x - before, 1.0)
    along = x - short / jnp.where(slope == 0, 1.0, slope)
    inside = apart & (slope != 0) & (along > low) & (along < high) & ~halved
    settled = jnp.abs(short) <= SETTLED * (1 + jnp.abs(x))
    near = jnp.clip(x + short * 0.5, low, high)  # two acts too close to tell: rounding
    return jnp.where(settled, x, jnp.where(inside, along, jnp.where(apart | halved | jnp.isnan(before), (low + high) / 2, near)))
