"""Continuous draws as a few equally likely points: the means of their quantile cells."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy import special

from ..primitives.cells import normal_cells, uniform_cells
from ..primitives.distributions import Continuous
from ..primitives.quadrature import gauss_legendre

NODES = 96  # within a cell; towards an open end they crowd as the fourth power, so that a tail's mean is right to six digits
CROWDING = 4.0


def cell_means(law: Continuous, count: int, arguments: Sequence[Array]) -> np.ndarray:
    """(histories, count) means of a scalar law between its quantiles k / count and (k + 1) / count. ``arguments``: (histories,) each.

    The mean of the law is kept; the variance is the law's less the mean variance within a cell. nan where the law has no mean.
    """
    own = [a[:, None] for a in arguments]
    mean = np.asarray(law.mean(*own))
    if count == 1 or not np.all(np.isfinite(mean)):
        return np.broadcast_to(np.where(np.isfinite(mean), mean, np.nan), (len(mean), count))
    if law.affine_in_base:
        rule = normal_cells(count, "probability", "mean") if law.base == "normal" else uniform_cells(count)
        return np.asarray(law.transform(jnp.asarray(rule.nodes[:, 0])[None], *own))
    base, weights = nodes_in_cells(count, law.base)
    inner = [a[..., None] for a in own]
    return np.asarray(jnp.sum(law.transform(jnp.asarray(base)[None], *inner) * jnp.asarray(weights), -1))


def nodes_in_cells(count: int, base: str) -> tuple[np.ndarray, np.ndarray]:
    """Base values (count, nodes) in every quantile cell, and their weights (count, nodes), which sum to one in each."""
    rule = gauss_legendre(NODES)
    t, w = rule.nodes.reshape(-1), rule.weights.reshape(-1)
    lower, upper, weights = (np.empty((count, NODES)) for _ in range(3))  # probabilities below and above, kept apart for the tails
    for k in range(count):
        below = (k + t) / count
        lower[k], upper[k], weights[k] = below, 1 - below, w
    crowded, density = t**CROWDING / count, w * CROWDING * t ** (CROWDING - 1)
    lower[0], upper[0], weights[0] = crowded, 1 - crowded, density
    if count > 1:
        lower[-1], upper[-1], weights[-1] = 1 - crowded, crowded, density
    if base == "normal":
        return np.where(lower < 0.5, special.ndtri(lower), -special.ndtri(upper)), weights
    return np.clip(lower, 2.0**-54, 1 - 2.0**-53), weights
