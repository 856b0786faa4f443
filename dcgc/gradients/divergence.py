"""What a message's distribution costs against a standard normal."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def kl_to_standard_normal(mean: Array, sd: ArrayLike) -> Array:
    """(...), nats: KL(N(mean, sd^2) || N(0, 1)) summed over the last axis of mean (..., D); ``sd`` > 0 broadcasts to it
    (Kingma and Welling 2014, appendix B)."""
    scale = jnp.broadcast_to(jnp.asarray(sd), mean.shape)
    return jnp.sum((jnp.square(mean) + jnp.square(scale) - 1) / 2 - jnp.log(scale), axis=-1)
