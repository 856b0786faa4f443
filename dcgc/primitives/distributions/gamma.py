"""Gamma(shape, rate)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, xlogy
from jax.typing import ArrayLike

from ..quadrature import Rule, gauss_laguerre
from .law import Continuous, floating
from .log_concave import GAMMA, base_of, quantile


class Gamma(Continuous):
    """x = quantile of the same rank as z, solved in log x. The base is normal: both tails keep their relative accuracy
    and the transform is smooth, close to quadratic (Wilson and Hilferty: the cube root of x is nearly normal)."""

    name = "Gamma"
    parameters = ("shape", "rate")
    parameter_ranks = (0, 0)
    base = "normal"

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, shape, rate = floating(base_values, *args)
        return shape * jnp.exp(quantile(GAMMA, base_values, shape)) / rate

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, shape, rate = floating(value, *args)
        return base_of(GAMMA, jnp.log(rate * value / shape), shape)

    def gauss_rule(self, n: int, *args: Any) -> Rule:
        rule = gauss_laguerre(n, float(args[0]))
        return Rule(nodes=rule.nodes / float(args[1]), weights=rule.weights)

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        shape = self.batch_shape(*args)
        return jnp.zeros(shape), jnp.full(shape, jnp.inf)

    def mean(self, *args: ArrayLike) -> jax.Array:
        shape, rate = floating(*args)
        return shape / rate

    def variance(self, *args: ArrayLike) -> jax.Array:
        shape, rate = floating(*args)
        return shape / rate**2

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, shape, rate = floating(value, *args)
        x = rate * jnp.where(value >= 0, value, 1)
        density = xlogy(shape - 1, x) - x - gammaln(shape) + jnp.log(rate)
        return jnp.where(value >= 0, density, -jnp.inf)
