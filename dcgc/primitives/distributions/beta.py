"""Beta(a, b)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import betaln, xlog1py, xlogy
from jax.typing import ArrayLike

from ..quadrature import Rule, gauss_jacobi
from .law import Continuous, floating
from .log_concave import BETA, base_of, quantile


def beta_logit(base_values: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    """logit of the draw, which keeps what x itself would round away near 1."""
    return quantile(BETA, base_values, a, b) + jnp.log(a / b)


class Beta(Continuous):
    """x = quantile of the same rank as z, solved in logit x. The base is normal: from a uniform base the ends would be
    algebraic singularities u^(1/a), which Gauss-Legendre nodes resolve badly."""

    name = "Beta"
    parameters = ("a", "b")
    parameter_ranks = (0, 0)
    base = "normal"

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        return jax.nn.sigmoid(beta_logit(*floating(base_values, *args)))

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, a, b = floating(value, *args)
        return base_of(BETA, jnp.log(value) - jnp.log1p(-value) - jnp.log(a / b), a, b)

    def gauss_rule(self, n: int, *args: Any) -> Rule:
        return gauss_jacobi(n, float(args[0]), float(args[1]))

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        shape = self.batch_shape(*args)
        return jnp.zeros(shape), jnp.ones(shape)

    def mean(self, *args: ArrayLike) -> jax.Array:
        a, b = floating(*args)
        return a / (a + b)

    def variance(self, *args: ArrayLike) -> jax.Array:
        a, b = floating(*args)
        return a * b / ((a + b) ** 2 * (a + b + 1))

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, a, b = floating(value, *args)
        inside = (value >= 0) & (value <= 1)
        x = jnp.where(inside, value, 0.5)
        return jnp.where(inside, xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b), -jnp.inf)
