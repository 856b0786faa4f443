"""Uniform(low, high)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from ..quadrature import Rule, gauss_legendre
from .law import Continuous, floating


class Uniform(Continuous):
    """The uniform law on [low, high]: low + (high - low) u with u uniform on [0, 1]."""

    name = "Uniform"
    parameters = ("low", "high")
    parameter_ranks = (0, 0)
    base = "uniform"
    affine_in_base = True

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, low, high = floating(base_values, *args)
        return low + (high - low) * base_values

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, low, high = floating(value, *args)
        return (value - low) / (high - low)

    def gauss_rule(self, n: int, *args: Any) -> Rule:
        low, high = float(args[0]), float(args[1])
        rule = gauss_legendre(n)
        return Rule(nodes=low + (high - low) * rule.nodes, weights=rule.weights)

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        low, high = jnp.broadcast_arrays(*floating(*args))
        return low, high

    def mean(self, *args: ArrayLike) -> jax.Array:
        low, high = floating(*args)
        return (low + high) / 2

    def variance(self, *args: ArrayLike) -> jax.Array:
        low, high = floating(*args)
        return (high - low) ** 2 / 12

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, low, high = floating(value, *args)
        return jnp.where((value >= low) & (value <= high), -jnp.log(high - low), -jnp.inf)
