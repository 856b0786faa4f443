"""Categorical(n), uniform on 1..n, or Categorical(p) with the probabilities p of 1..n."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from .law import Finite, floating


class Categorical(Finite):
    """A number 1..n. The argument is one number n, known when the game is compiled, or an array whose last axis has the
    probabilities (divided by their sum, which rounding may leave a little off one)."""

    name = "Categorical"
    parameters = ("p",)
    parameter_ranks = (1,)

    def batch_shape(self, *args: ArrayLike) -> tuple[int, ...]:
        return jnp.shape(args[0])[:-1]

    def size(self, *args: ArrayLike) -> int:
        """The number n of categories. Raises ValueError unless n is a whole number of at least one."""
        (argument,) = args
        if jnp.ndim(argument):
            return jnp.shape(argument)[-1]
        n = float(np.asarray(argument))
        if n != round(n) or n < 1:
            raise ValueError(f"Categorical(n) needs a whole number n >= 1, not {n:g}")
        return int(n)

    def support_values(self, *args: ArrayLike) -> jax.Array:
        return jnp.arange(1.0, self.size(*args) + 1)

    def probabilities(self, *args: ArrayLike) -> jax.Array:
        n = self.size(*args)
        if not jnp.ndim(args[0]):
            return jnp.full((n,), 1.0 / n)
        (p,) = floating(*args)
        return p / jnp.sum(p, axis=-1, keepdims=True)
