"""The pointer: for choosing one of several things that are seen, each scored by the same network."""

from __future__ import annotations

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from .mlp import MLP, Activation
from .policy import Policy


class Pointer(Policy):
    """Option k has the score <query(everything else), key(row k)>: whatever the order of the rows, the same thing is chosen.

    (Vinyals, Fortunato and Jaitly 2015, with the query a function of the other observations and the finite inputs.)
    """

    query: MLP
    key: MLP
    start: int = eqx.field(static=True)
    shape: tuple[int, int] = eqx.field(static=True)

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike,
        layout: tuple[tuple[int, int], ...] | None = None, rows: int | None = None, factors: tuple[int, ...] = (),
        width: int = 128, layers: int = 2, activation: Activation = "silu", features: int = 0,
    ) -> Self:  # fmt: skip
        """``features``: length of keys and queries (default: as many as there are other inputs, at least 16).

        Raises ValueError where no observation has a row for every option.
        """
        if layout is None or rows is None or layout[rows][0] != outputs:
            raise ValueError("a pointer needs an observation with a row for every option")
        start = sum(count * size for count, size in layout[:rows])
        count, size = layout[rows]
        rest = inputs - count * size
        length = features or max(16, rest)
        first, second = jax.random.split(key)
        shared: dict[str, Any] = {
            "outputs": length, "dtype": dtype, "width": width, "layers": layers, "activation": activation, "bend": 1.0}
        return cls(
            query=MLP.build(first, inputs=rest, combinations=combinations, factors=factors, scale=1.0, **shared),
            key=MLP.build(second, inputs=size, combinations=1, **shared),
            start=start,
            shape=(count, size),
        )

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        count, size = self.shape
        end = self.start + count * size
        seen = inputs[self.start:end].reshape(count, size)
        rest = jnp.concatenate([inputs[:self.start], inputs[end:]])
        keys = jax.vmap(lambda row: self.key(0, row))(seen)
        return keys @ self.query(finite_index, rest) / keys.shape[-1] ** 0.5
