"""Bernoulli(p): a Bool that is true with probability p."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from .law import Finite, floating


class Bernoulli(Finite):
    """Values 0 (false) and 1 (true), in this order."""

    name = "Bernoulli"
    parameters = ("p",)
    parameter_ranks = (0,)

    def support_values(self, *args: ArrayLike) -> jax.Array:
        return jnp.array([0.0, 1.0])

    def probabilities(self, *args: ArrayLike) -> jax.Array:
        (p,) = floating(*args)
        return jnp.stack([1 - p, p], axis=-1)
