"""The jackknife (Efron and Stein 1981): how far a figure would move with another sample, from leaving each row out in turn."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array


def standard_error(without: Array) -> Array:
    """Scalar, from the figure's values (n,) with one row left out. Its square errs upwards on average; for a squared norm whose
    true value is zero by a factor of about two."""
    rows = without.shape[0]
    return jnp.sqrt((rows - 1) / rows * jnp.sum(jnp.square(without - jnp.mean(without))))
