"""The affine policy: optimal in linear-quadratic Gaussian games, and the shape of their equilibria."""

from __future__ import annotations

from typing import Self

import jax
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_matrix


class Affine(Policy):
    """gain @ inputs + offset, with own coefficients for each combination of the finite inputs.

    ``gains`` (combinations, k, d), ``offsets`` (combinations, k).
    """

    gains: jax.Array
    offsets: jax.Array

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike, scale: float = 0.5
    ) -> Self:
        """Gains and offsets start as independent normals, so that outputs have a spread of order ``scale``."""
        gain_key, offset_key = jax.random.split(key)
        return cls(
            normal_matrix(gain_key, (combinations, outputs, inputs), inputs, dtype, scale),
            normal_matrix(offset_key, (combinations, outputs), 1, dtype, scale),
        )

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        return self.gains[finite_index] @ inputs + self.offsets[finite_index]
