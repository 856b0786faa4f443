"""MvNormal(mean, covariance)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jax.typing import ArrayLike

from .law import Continuous, floating


class MvNormal(Continuous):
    """mean + C z with C the Cholesky factor of the covariance, which must be positive definite (nan otherwise)."""

    name = "MvNormal"
    parameters = ("mean", "covariance")
    parameter_ranks = (1, 2)
    base = "normal"
    affine_in_base = True

    def event_shape(self, *args: ArrayLike) -> tuple[int, ...]:
        return jnp.shape(args[1])[-1:]

    def dimension(self, *args: ArrayLike) -> int:
        return jnp.shape(args[1])[-1]

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, mean, covariance = floating(base_values, *args)
        return mean + jnp.einsum("...ij,...j->...i", jnp.linalg.cholesky(covariance), base_values)

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, mean, covariance = floating(value, *args)
        deviation = value - mean
        factor = jnp.linalg.cholesky(covariance)
        batch = jnp.broadcast_shapes(deviation.shape[:-1], factor.shape[:-2])
        factor = jnp.broadcast_to(factor, batch + factor.shape[-2:])
        deviation = jnp.broadcast_to(deviation, batch + deviation.shape[-1:])
        return solve_triangular(factor, deviation[..., None], lower=True)[..., 0]

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        mean = self.mean(*args)
        return jnp.full(mean.shape, -np.inf), jnp.full(mean.shape, np.inf)

    def mean(self, *args: ArrayLike) -> jax.Array:
        mean, covariance = floating(*args)
        return jnp.broadcast_to(mean, self.batch_shape(*args) + covariance.shape[-1:])

    def variance(self, *args: ArrayLike) -> jax.Array:
        diagonal = jnp.diagonal(floating(*args)[1], axis1=-2, axis2=-1)
        return jnp.broadcast_to(diagonal, self.batch_shape(*args) + diagonal.shape[-1:])

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        base = self.invert(value, *args)
        diagonal = jnp.diagonal(jnp.linalg.cholesky(floating(*args)[1]), axis1=-2, axis2=-1)
        return -0.5 * jnp.sum(base**2 + np.log(2 * np.pi), axis=-1) - jnp.sum(jnp.log(diagonal), axis=-1)
