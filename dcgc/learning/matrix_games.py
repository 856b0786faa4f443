"""Nash equilibria of many small games at once, in pure strategies where there are some, else in mixed ones.

Pure equilibria are found by looking at every profile, mixed ones of two players by support enumeration (Dickhaut and Kaplan 1993): on
every pair of supports of one size, the probabilities that make the other indifferent.
"""

from __future__ import annotations

from itertools import combinations, product

import jax.numpy as jnp
import numpy as np
from jax import Array

MOST_OPTIONS = 6  # of a player in a game that may need mixing: 923 pairs of supports


def equilibrium(costs: list[Array], may_mix: bool) -> list[Array]:
    """For every player its probabilities (*shape, k_i). ``costs``: of every player (*shape, k_1, .., k_n).

    Of several pure equilibria the one of least total cost (the first of equals). Where there is none and nobody may mix, or more than
    two would have to, the profile in which the largest gain of a deviation is least.
    """
    n = len(costs)
    shape = costs[0].shape[:-n]
    options = costs[0].shape[-n:]
    scale = sum(jnp.max(jnp.abs(c), axis=tuple(range(-n, 0)), keepdims=True) for c in costs) + 1e-300
    gains = [c - jnp.min(c, axis=i - n, keepdims=True) for i, c in enumerate(costs)]
    worst = jnp.max(jnp.stack(gains), axis=0)
    stable = worst <= 1e-12 * scale
    total = sum(costs)
    place = jnp.where(stable, total, jnp.inf).reshape((*shape, -1))
    exists = jnp.isfinite(place).any(-1)
    chosen = jnp.where(exists, jnp.argmin(place, -1), jnp.argmin(worst.reshape((*shape, -1)), -1))
    at = jnp.unravel_index(chosen, options)
    pure = [jnp.eye(k)[a] for k, a in zip(options, at, strict=True)]
    if not may_mix or n != 2:
        return pure
    mixed = two_player_mixed(costs[0], costs[1])
    return [jnp.where(exists[..., None], p, m) for p, m in zip(pure, mixed, strict=True)]


def two_player_mixed(first: Array, second: Array) -> list[Array]:
    """An equilibrium of every bimatrix game of costs (*shape, k, m), the one of least total cost on the smallest supports."""
    k, m = first.shape[-2:]
    shape = first.shape[:-2]
    best = jnp.full(shape, jnp.inf)
    answer = [jnp.full((*shape, k), 1.0 / k), jnp.full((*shape, m), 1.0 / m)]
    scale = jnp.max(jnp.abs(first), (-1, -2)) + jnp.max(jnp.abs(second), (-1, -2)) + 1e-300
    for size in range(1, min(k, m) + 1):
        pairs = np.asarray(list(product(combinations(range(k), size), combinations(range(m), size))))  # (pairs, 2, size)
        rows, columns = pairs[:, 0, :, None], pairs[:, 1, None, :]
        q, value1 = indifferent(first[..., rows, columns])
        p, value2 = indifferent(jnp.swapaxes(second[..., rows, columns], -1, -2))
        full_p = jnp.einsum("...rs,rsk->...rk", p, np.eye(k)[pairs[:, 0]])
        full_q = jnp.einsum("...rs,rsm->...rm", q, np.eye(m)[pairs[:, 1]])
        gain = jnp.maximum(value1 - jnp.min(jnp.einsum("...km,...rm->...rk", first, full_q), -1),
                           value2 - jnp.min(jnp.einsum("...km,...rk->...rm", second, full_p), -1))
        good = (gain <= 1e-9 * scale[..., None]) & (jnp.min(p, -1) >= -1e-12) & (jnp.min(q, -1) >= -1e-12)
        costs = jnp.where(good, value1 + value2 + size * 1e9 * scale[..., None], jnp.inf)
        at = jnp.argmin(costs, -1)[..., None]
        cost = jnp.take_along_axis(costs, at, -1)
        better = cost < best[..., None]
        best = jnp.where(better, cost, best[..., None])[..., 0]
        answer = [jnp.where(better, jnp.take_along_axis(a, at[..., None], -2)[..., 0, :], b)
                  for a, b in zip((full_p, full_q), answer, strict=True)]
    return [jnp.clip(a, 0.0, 1.0) / jnp.sum(jnp.clip(a, 0.0, 1.0), -1, keepdims=True) for a in answer]


def indifferent(costs: Array) -> tuple[Array, Array]:
    """The opponent's probabilities (*shape, n) at which all rows of costs (*shape, n, n) cost the same, and that cost (*shape,)."""
    n = costs.shape[-1]
    shape = costs.shape[:-2]
    matrix = jnp.zeros((*shape, n + 1, n + 1)).at[..., :n, :n].set(costs).at[..., :n, n].set(-1.0).at[..., n, :n].set(1.0)
    right = jnp.zeros((*shape, n + 1, 1)).at[..., n, 0].set(1.0)
    solution = jnp.linalg.solve(matrix, right)[..., 0]
    solution = jnp.where(jnp.isfinite(solution), solution, -1.0)
    return solution[..., :n], solution[..., n]
