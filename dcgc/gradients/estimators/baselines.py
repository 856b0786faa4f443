"""Means of the other rows' costs: baselines that keep the score function's gradient unbiased."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array


def mean_of_others(cost: Array, axis: int | None = None) -> Array:
    """For each entry, the mean of all other entries along an axis (of the whole array if None). The entry's own cost would pull
    the gradient towards zero by a factor 1 - 1/n. Raises ValueError if there are no others."""
    count = cost.size if axis is None else cost.shape[axis]
    if count < 2:
        raise ValueError("a mean baseline needs two costs or more")
    return (jnp.sum(cost, axis=axis, keepdims=True) - cost) / (count - 1)


def folds_of(rows: int, folds: int) -> Array:
    """(rows,): the fold of each row, in turn. Raises ValueError unless there are two folds or more, of two rows or more each."""
    if folds < 2 or rows < 2 * folds:
        raise ValueError(f"{rows} rows do not make {folds} folds of two or more")
    return jnp.arange(rows) % folds


def mean_of_others_in_fold(cost: Array, folds: int) -> Array:
    """For each entry, the mean of the other entries of its fold; the rows are the flattened array's."""
    fold = folds_of(cost.size, folds)
    flat = cost.reshape(-1)
    totals = jax.ops.segment_sum(flat, fold, folds)
    counts = jax.ops.segment_sum(jnp.ones_like(flat), fold, folds)
    return ((totals[fold] - flat) / (counts[fold] - 1)).reshape(cost.shape)
