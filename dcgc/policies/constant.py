"""The constant policy: a decision that looks at no continuous input."""

from __future__ import annotations

from typing import Self

import jax
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_matrix


class Constant(Policy):
    """One level per combination of the finite inputs; continuous inputs, if any, are not looked at.

    ``levels`` (combinations, k).
    """

    levels: jax.Array

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike, scale: float = 0.5
    ) -> Self:
        """Levels start as independent normals of standard deviation ``scale``."""
        return cls(normal_matrix(key, (combinations, outputs), 1, dtype, scale))

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        return self.levels[finite_index]
