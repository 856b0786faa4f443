"""Jumps: what a comparison is worth at a point of the grid.

``exact``: 0 or 1 at every node. ``cells``: the part of the node's cell in which it holds, from the margin's differences between
neighbouring nodes: exact for margins that are linear in one coordinate, error O(h^2) otherwise, and with a gradient that knows where
the jump lies. ``sigmoid``: smoothed with a temperature, for grids of scattered samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array


@dataclass(frozen=True)
class Relaxation:
    """``excluded``: coordinates along which a jump is not spread over the cell. ``temperature``: of the sigmoid, in units of
    the margin's standard deviation over the grid."""

    kind: Literal["exact", "cells", "sigmoid"] = "exact"
    excluded: frozenset[str] = frozenset()
    temperature: float = 0.1


def widths_of_cells(margin: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """The two largest changes of the margin across each node's cell, along one axis each."""
    first, second = jnp.zeros_like(margin), jnp.zeros_like(margin)
    for axis in axes:
        if margin.shape[axis] < 2:
            continue
        steps = jnp.diff(margin, axis=axis)
        start = jax.lax.slice_in_dim(steps, 0, 1, axis=axis)
        end = jax.lax.slice_in_dim(steps, steps.shape[axis] - 1, None, axis=axis)
        width = jnp.abs(jnp.concatenate([start, steps], axis) + jnp.concatenate([steps, end], axis)) / 2
        first, second = jnp.maximum(first, width), jnp.maximum(second, jnp.minimum(first, width))
    return first, second


def step_in_cells(margin: Array, axes: Sequence[int], at_zero: float) -> Array:
    """The part of each cell where the margin is positive; ``at_zero`` where it vanishes throughout the cell.

    For a margin linear in the two coordinates along which it changes most: the distribution function of the sum of two uniforms. As
    a kernel it sums to one along either of the two, whatever their widths, so that the gradient sees the right density too.
    """
    a, b = widths_of_cells(margin, axes)
    flat = a <= 1e-14 * (1 + jnp.abs(margin))
    hard = jnp.where(margin > 0, 1.0, jnp.where(margin < 0, 0.0, at_zero))
    wide = jnp.where(flat, 1.0, a)
    box = jnp.clip(0.5 + margin / wide, 0.0, 1.0)
    narrow = b <= 1e-4 * wide
    other = jnp.where(narrow, wide, b)

    def ramp(x: Array) -> Array:
        return jnp.square(jnp.maximum(x, 0.0))

    far, near = (wide + other) / 2, (wide - other) / 2
    both = (ramp(margin + far) - ramp(margin + near) - ramp(margin - near) + ramp(margin - far)) / (2 * wide * other)
    # beyond the cell the squares cancel only up to rounding
    both = jnp.where(margin >= far, 1.0, jnp.where(margin <= -far, 0.0, both))
    return jnp.where(flat, hard, jnp.where(narrow, box, both))


def step_exact(margin: Array, at_zero: float) -> Array:
    """1 where the margin is positive, 0 where negative, ``at_zero`` at a tie."""
    return jnp.where(margin > 0, 1.0, jnp.where(margin < 0, 0.0, at_zero))


def step_sigmoid(margin: Array, temperature: float) -> Array:
    """A logistic step, its width a part of the margin's spread over the grid (held fixed for the gradient)."""
    spread = jax.lax.stop_gradient(jnp.std(margin) + 1e-12)
    return jax.nn.sigmoid(margin / (temperature * spread))
