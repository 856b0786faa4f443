"""Values between the nodes of a grid of states, and beyond it.

Multilinear, and along every real state what a cubic (Hermite) has beside the line, in turn: exact for quadratics, and for smooth values of
fourth order. Values have kinks where somebody's act meets a bound; a cubic through them swings, makes dents where there are none, and acts
jump into these. So slopes lie between those of the lines on both sides, and bend no gap both ways where its ends bend alike (as
Fritsch and Carlson 1980 for what is monotone).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array


def interpolated(values: Array, finite: tuple[bool, ...], places: tuple[Array, ...]) -> Array:
    """Values on a grid at some places (numbers of nodes), as the module says; beyond the grid along each state the parabola with the
    slope and the curvature at its edge."""
    firsts, lines, within = [], [], []
    for axis, (is_finite, x) in enumerate(zip(finite, places, strict=True)):
        first = jnp.round(x) if is_finite else jnp.clip(jnp.floor(x), 0, values.shape[axis] - 2)
        t = x - first
        kept = jnp.clip(t, 0.0, 1.0)
        firsts.append(first.astype(int))
        lines.append([jnp.ones_like(t)] if is_finite else [1 - t, t])
        within.append([jnp.ones_like(t)] if is_finite else [1 - kept, kept])
    total = weighted(values, firsts, lines)
    for axis, is_finite in enumerate(finite):
        if is_finite:
            continue
        others = [[jnp.ones_like(places[axis])] if i == axis else w for i, w in enumerate(within)]
        left, right = (weighted(x, firsts, others) for x in bends(values, axis))
        total = total + beside_the_line(places[axis] - firsts[axis], left, right)
    return total


def weighted(table: Array, firsts: list[Array], weights: list[list[Array]]) -> Array:
    total: Any = 0.0
    for corner in product(*(enumerate(w) for w in weights)):
        share: Any = 1.0
        for _, w in corner:
            share = share * w
        total = total + share * table[tuple(f + k for f, (k, _) in zip(firsts, corner, strict=True))]
    return total


def beside_the_line(t: Array, left: Array, right: Array) -> Array:
    """What a cubic has beside the line through the ends of the gap [0, 1], with slopes ``left`` more at 0 and ``right`` less at 1; beyond
    it what the parabola has."""
    s = jnp.clip(t, 0.0, 1.0)
    d = t - s
    curvature = jnp.where(left * right > 0, -2 * jnp.sign(left) * jnp.minimum(jnp.abs(left), jnp.abs(right)), 0.0)
    return s * (1 - s)**2 * left + s**2 * (1 - s) * right + d * jnp.where(d > 0, -right, left) + curvature * d**2 / 2


def bends(values: Array, axis: int) -> tuple[Array, Array]:
    """In every gap of an axis by how much the slope at its first end is larger than the line's, and at its last end smaller."""
    v = jnp.moveaxis(values, axis, 0)
    line = v[1:] - v[:-1]
    slope = jnp.tensordot(jnp.asarray(slopes(v.shape[0])), v, (1, 0))
    between = jnp.clip(slope[1:-1], jnp.minimum(line[:-1], line[1:]), jnp.maximum(line[:-1], line[1:]))
    left = jnp.concatenate([slope[:1], between]) - line
    right = line - jnp.concatenate([between, slope[-1:]])
    left = left.at[0].set(jnp.where(left[0] * right[0] > 0, left[0], 0.0))  # at the ends there is no line on the other side
    right = right.at[-1].set(jnp.where(left[-1] * right[-1] > 0, right[-1], 0.0))
    alike = left * right > 0
    a, b = jnp.abs(left), jnp.abs(right)
    new_left = jnp.where(alike, jnp.sign(left) * jnp.minimum(a, 2 * b), left)
    new_right = jnp.where(alike, jnp.sign(right) * jnp.minimum(b, 2 * a), right)
    return jnp.moveaxis(new_left, 0, axis), jnp.moveaxis(new_right, 0, axis)


def slopes(n: int) -> np.ndarray:
    """The matrix (n, n) of derivatives on n >= 5 nodes one apart, exact for polynomials of degree 4."""
    out = np.zeros((n, n))
    for i in range(n):
        first = min(max(i - 2, 0), n - 5)
        x = np.arange(first, first + 5) - i
        out[i, first:first + 5] = np.linalg.solve(np.vander(x, 5, increasing=True).T.astype(float), np.eye(5)[1])
    return out
