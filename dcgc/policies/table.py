"""The table: a policy whose inputs all take finitely many values, with an entry for every combination."""

from __future__ import annotations

from typing import Self

import jax
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_matrix


class Table(Policy):
    """An entry per combination of the finite inputs: any function of them. ``entries`` (combinations, k)."""

    entries: jax.Array

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike, scale: float = 1.0
    ) -> Self:
        """Entries start as independent normals of standard deviation ``scale``: of order one, since equal rows are a
        stationary point (babbling) wherever the entries are messages.

        Raises ValueError if there is a continuous input.
        """
        if inputs:
            raise ValueError(f"a table needs inputs with finitely many values, but {inputs} of them are continuous")
        return cls(normal_matrix(key, (combinations, outputs), 1, dtype, scale))

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        return self.entries[finite_index]
