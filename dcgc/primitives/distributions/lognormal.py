"""LogNormal(mean, sd): mean and sd of the logarithm."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jax.scipy.stats
from jax.typing import ArrayLike

from .law import Continuous, floating


class LogNormal(Continuous):
    """exp(mean + sd * z): with the normal base an entire function, so Gauss-Hermite nodes converge fast."""

    name = "LogNormal"
    parameters = ("mean", "sd")
    parameter_ranks = (0, 0)
    base = "normal"

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, mean, sd = floating(base_values, *args)
        return jnp.exp(mean + sd * base_values)

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, mean, sd = floating(value, *args)
        return (jnp.log(value) - mean) / sd

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        shape = self.batch_shape(*args)
        return jnp.zeros(shape), jnp.full(shape, jnp.inf)

    def mean(self, *args: ArrayLike) -> jax.Array:
        mean, sd = floating(*args)
        return jnp.exp(mean + sd**2 / 2)

    def variance(self, *args: ArrayLike) -> jax.Array:
        mean, sd = floating(*args)
        return jnp.expm1(sd**2) * jnp.exp(2 * mean + sd**2)

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, mean, sd = floating(value, *args)
        inside = value > 0
        log_value = jnp.log(jnp.where(inside, value, 1))
        return jnp.where(inside, jax.scipy.stats.norm.logpdf(log_value, mean, sd) - log_value, -jnp.inf)
