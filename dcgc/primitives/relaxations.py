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


def width_of_cells(margin: Array, axes: Sequence[int]) -> Array:
    """How much the margin changes across each node's cell, over all the axes together (root sum of squares)."""
    total = jnp.zeros_like(margin)
    for axis in axes:
        if margin.shape[axis] < 2:
            continue
        steps = jnp.diff(margin, axis=axis)
        first = jax.lax.slice_in_dim(steps, 0, 1, axis=axis)
        last = jax.lax.slice_in_dim(steps, steps.shape[axis] - 1, None, axis=axis)
        left, right = jnp.concatenate([first, steps], axis), jnp.concatenate([steps, last], axis)
        total = total + ((left + right) / 2) ** 2
    return jnp.where(total > 0, jnp.sqrt(jnp.where(total > 0, total, 1.0)), 0.0)


def step_in_cells(margin: Array, axes: Sequence[int], at_zero: float) -> Array:
    """The part of each cell where the margin is positive; ``at_zero`` where it vanishes throughout the cell."""
    width = width_of_cells(margin, axes)
    flat = width <= 1e-14 * (1 + jnp.abs(margin))
    hard = jnp.where(margin > 0, 1.0, jnp.where(margin < 0, 0.0, at_zero))
    return jnp.where(flat, hard, jnp.clip(0.5 + margin / jnp.where(flat, 1.0, width), 0.0, 1.0))


def step_exact(margin: Array, at_zero: float) -> Array:
    """1 where the margin is positive, 0 where negative, ``at_zero`` at a tie."""
    return jnp.where(margin > 0, 1.0, jnp.where(margin < 0, 0.0, at_zero))


def step_sigmoid(margin: Array, temperature: float) -> Array:
    """A logistic step, its width a part of the margin's spread over the grid (held fixed for the gradient)."""
    spread = jax.lax.stop_gradient(jnp.std(margin) + 1e-12)
    return jax.nn.sigmoid(margin / (temperature * spread))
