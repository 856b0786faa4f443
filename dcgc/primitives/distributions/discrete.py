"""Discrete(values, probabilities): finitely many given numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from .law import Finite, floating


class Discrete(Finite):
    """The k-th value with the k-th probability, both on the last axis; probabilities are divided by their sum."""

    name = "Discrete"
    parameters = ("values", "probs")
    parameter_ranks = (1, 1)

    def support_values(self, *args: ArrayLike) -> jax.Array:
        return floating(*args)[0]

    def probabilities(self, *args: ArrayLike) -> jax.Array:
        probs = floating(*args)[1]
        return probs / jnp.sum(probs, axis=-1, keepdims=True)
