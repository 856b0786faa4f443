"""Values between the nodes of a grid of states, and beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array


def interpolated(values: Array, finite: tuple[bool, ...], places: tuple[Array, ...]) -> Array:
    """Values on a grid at some places (numbers of nodes): along real states cubic Hermite, with slopes of fourth order (smooth, exact
    for cubics); beyond the grid the parabola with the slope and the curvature at its edge (exact for quadratics)."""
    firsts, parts, beyond = [], [], []
    for axis, (is_finite, x) in enumerate(zip(finite, places, strict=True)):
        n = values.shape[axis]
        if is_finite:
            firsts.append(jnp.round(x).astype(int))
            parts.append([(0, 0, jnp.ones_like(x))])
            continue
        left = jnp.clip(jnp.floor(x), 0, n - 2)
        d = x - jnp.clip(x, 0, n - 1)
        t = x - d - left
        firsts.append(left.astype(int))
        parts.append([(0, 0, (1 + 2 * t) * (1 - t)**2), (1, 0, t**2 * (3 - 2 * t)),
                      (0, 1, t * (1 - t)**2 + jnp.where(d < 0, d, 0.0)), (1, 1, t**2 * (t - 1) + jnp.where(d > 0, d, 0.0))])
        beyond.append((axis, d))
    tables: dict[tuple[int, ...], Array] = {(): values}
    for axis, is_finite in enumerate(finite):  # mixed slopes along all real states
        wider = {(*k, 0): v for k, v in tables.items()}
        if not is_finite:
            slope = jnp.asarray(slopes(values.shape[axis]))
            wider |= {(*k, 1): jnp.moveaxis(jnp.tensordot(slope, v, (1, axis)), 0, axis) for k, v in tables.items()}
        tables = wider
    total = weighted(tables, firsts, parts)
    for axis, d in beyond:
        bent = {(0,) * len(finite): edge_curvature(values, axis)}
        at = [*firsts[:axis], (d > 0).astype(int), *firsts[axis + 1:]]
        along = [[(0, 0, d**2 / 2)] if i == axis else [x for x in part if x[1] == 0] for i, part in enumerate(parts)]
        total = total + weighted(bent, at, along)
    return total


def weighted(tables: Mapping[tuple[int, ...], Array], firsts: list[Array], parts: list[list[tuple[int, int, Array]]]) -> Array:
    """The sum over all corners of their weights times the entries of the tables (by the orders of their derivatives) there."""
    total: Any = 0.0
    for corner in product(*parts):
        share: Any = 1.0
        for _, _, weight in corner:
            share = share * weight
        table = tables[tuple(m for _, m, _ in corner)]
        total = total + share * table[tuple(f + k for f, (k, _, _) in zip(firsts, corner, strict=True))]
    return total


def edge_curvature(values: Array, axis: int) -> Array:
    """Second derivatives at both ends of an axis, (.., 2, ..): the smaller of the last two second differences, 0 where they differ in
    sign, since far beyond the grid a kink near its end would count for too much."""
    v = jnp.moveaxis(values, axis, 0)
    bends = v[:-2] - 2 * v[1:-1] + v[2:]
    ends = []
    for first, second in ((bends[0], bends[1]), (bends[-1], bends[-2])):
        smaller = jnp.where(jnp.abs(first) < jnp.abs(second), first, second)
        ends.append(jnp.where(first * second > 0, smaller, 0.0))
    return jnp.moveaxis(jnp.stack(ends), 0, axis)


def slopes(n: int) -> np.ndarray:
    """The matrix (n, n) of derivatives on n >= 5 nodes one apart, exact for polynomials of degree 4."""
    out = np.zeros((n, n))
    for i in range(n):
        first = min(max(i - 2, 0), n - 5)
        x = np.arange(first, first + 5) - i
        out[i, first:first + 5] = np.linalg.solve(np.vander(x, 5, increasing=True).T.astype(float), np.eye(5)[1])
    return out
