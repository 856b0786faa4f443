"""Exponential(rate)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from ..quadrature import Rule, gauss_laguerre
from .law import Continuous, floating
from .tails import log_normal_survival, normal_quantile


class Exponential(Continuous):
    """-log P(Z > z) / rate. With the normal base both tails keep their relative accuracy, and the transform is smooth
    with quadratic growth; from a uniform base it would have a logarithmic singularity at u = 1, where floats end at
    37."""

    name = "Exponential"
    parameters = ("rate",)
    parameter_ranks = (0,)
    base = "normal"

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, rate = floating(base_values, *args)
        return -log_normal_survival(base_values) / rate

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, rate = floating(value, *args)
        return -normal_quantile(-rate * value)

    def gauss_rule(self, n: int, *args: Any) -> Rule:
        rule = gauss_laguerre(n, 1.0)
        return Rule(nodes=rule.nodes / float(args[0]), weights=rule.weights)

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        shape = self.batch_shape(*args)
        return jnp.zeros(shape), jnp.full(shape, jnp.inf)

    def mean(self, *args: ArrayLike) -> jax.Array:
        (rate,) = floating(*args)
        return 1 / rate

    def variance(self, *args: ArrayLike) -> jax.Array:
        (rate,) = floating(*args)
        return 1 / rate**2

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, rate = floating(value, *args)
        return jnp.where(value >= 0, jnp.log(rate) - rate * value, -jnp.inf)
