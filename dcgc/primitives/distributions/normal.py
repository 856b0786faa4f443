"""Normal(mean, sd)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.stats
import numpy as np
from jax.typing import ArrayLike

from ..quadrature import Rule, gauss_hermite
from .law import Continuous, floating


class Normal(Continuous):
    """The normal law: mean + sd * z. ``sd`` is a standard deviation, not a variance; 0 gives a constant."""

    name = "Normal"
    parameters = ("mean", "sd")
    parameter_ranks = (0, 0)
    base = "normal"
    affine_in_base = True

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, mean, sd = floating(base_values, *args)
        return mean + sd * base_values

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, mean, sd = floating(value, *args)
        return (value - mean) / sd

    def gauss_rule(self, n: int, *args: Any) -> Rule:
        mean, sd = args
        rule = gauss_hermite(n)
        return Rule(nodes=float(mean) + float(sd) * rule.nodes, weights=rule.weights)

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        shape = self.batch_shape(*args)
        return jnp.full(shape, -np.inf), jnp.full(shape, np.inf)

    def mean(self, *args: ArrayLike) -> jax.Array:
        mean, _ = jnp.broadcast_arrays(*floating(*args))
        return mean

    def variance(self, *args: ArrayLike) -> jax.Array:
        _, sd = jnp.broadcast_arrays(*floating(*args))
        return sd**2

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, mean, sd = floating(value, *args)
        return jax.scipy.stats.norm.logpdf(value, mean, sd)
