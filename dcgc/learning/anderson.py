"""Anderson acceleration of a fixed-point iteration (Anderson 1965; Walker and Ni 2011), as one compiled loop."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

MEMORY = 8


def accelerated(residual: Callable[[Array], Array], start: Array, steps: int, tolerance: float) -> tuple[Array, Array, Array]:
    """(x, |residual|, evaluations): x - residual(x) is iterated, each time from the combination of the last ``MEMORY`` points whose
    residuals, were they linear, would cancel best. Ends at ``tolerance``; the best point that was met is returned."""
    n = start.shape[0]

    def body(carry: tuple) -> tuple:
        x, f, xs, fs, best, kept, least, k = carry
        slot = k % MEMORY
        new_x, new_f = xs.at[slot].set(x), fs.at[slot].set(f)
        used = jnp.minimum(k + 1, MEMORY)
        mask = (jnp.arange(MEMORY) < used) & (jnp.arange(MEMORY) != slot)
        df, dx = jnp.where(mask[:, None], new_f - f, 0.0), jnp.where(mask[:, None], new_x - x, 0.0)
        gram = df @ df.T
        size = jnp.maximum(jnp.trace(gram), 1e-300)
        weights = jnp.linalg.solve(gram + 1e-12 * size * jnp.eye(MEMORY), -df @ f)
        move = weights @ dx - (f + weights @ df)
        move = jnp.where(jnp.all(jnp.isfinite(move)), move, -f)
        x = x + move
        f = residual(x)
        norm = jnp.linalg.norm(f)
        lost = ~jnp.isfinite(norm) | (norm > 1e3 * least)
        x, f = jnp.where(lost, best, x), jnp.where(lost, kept, f)
        kept = jnp.where(norm < least, f, kept)
        best = jnp.where(norm < least, x, best)
        return x, f, new_x, new_f, best, kept, jnp.where(norm < least, norm, least), k + 1

    def unfinished(carry: tuple) -> Array:
        return (carry[-1] < steps) & (carry[-2] > tolerance)

    f = residual(start)
    first = (start, f, jnp.zeros((MEMORY, n)), jnp.zeros((MEMORY, n)), start, f, jnp.linalg.norm(f), jnp.asarray(0))
    _, _, _, _, best, _, least, k = jax.lax.while_loop(unfinished, body, first)
    return best, least, k
