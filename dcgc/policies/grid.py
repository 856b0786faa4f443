"""The grid: a free function of one continuous input, by its values at fixed nodes."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_matrix

Interpolation = Literal["linear", "constant"]
Extrapolation = Literal["flat", "linear"]


class Grid(Policy):
    """Values at sorted nodes of one continuous input, own ones for each combination of the finite inputs.

    ``linear``: straight lines between nodes, and beyond the outer nodes ``flat`` or going on ``linear``ly.
    ``constant``: the value of the cell that holds the input; cells meet halfway between neighbouring nodes.

    ``values`` (combinations, n, k) are trained; ``nodes`` (n,) are fixed.
    """

    fixed: ClassVar[tuple[str, ...]] = ("nodes",)

    values: jax.Array
    nodes: jax.Array
    interpolation: Interpolation = eqx.field(static=True)
    extrapolation: Extrapolation = eqx.field(static=True)

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike,
        cells: int = 129, span: float = 5.0, nodes: ArrayLike | None = None,
        interpolation: Interpolation = "linear", extrapolation: Extrapolation = "linear",
        scale: float = 0.5, jitter: float = 0.05,
    ) -> Self:  # fmt: skip
        """Nodes are ``cells`` equally spaced ones on [-span, span], or the sorted ``nodes`` given. Values start on a
        random line (slope and height of spread ``scale``) with ``jitter`` at every node.

        Raises ValueError unless there is exactly one continuous input, if nodes are not sorted or too few, or for an
        unknown way to inter- or extrapolate.
        """
        if inputs != 1:
            raise ValueError(f"a grid needs exactly one continuous input, not {inputs}")
        if interpolation not in get_args(Interpolation) or extrapolation not in get_args(Extrapolation):
            raise ValueError("interpolation is linear or constant, extrapolation flat or linear")
        places = np.linspace(-span, span, cells) if nodes is None else np.asarray(nodes, dtype=float)
        if places.ndim != 1 or len(places) < 2 or not np.all(np.diff(places) > 0):
            raise ValueError("a grid needs at least two nodes, in increasing order")
        line_key, jitter_key = jax.random.split(key)
        height, slope = normal_matrix(line_key, (2, combinations, 1, outputs), 1, dtype, scale)
        noise = normal_matrix(jitter_key, (combinations, len(places), outputs), 1, dtype, jitter)
        line = height + slope * jnp.asarray(places, dtype)[None, :, None]
        return cls(line + noise, jnp.asarray(places, dtype), interpolation, extrapolation)

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        nodes, values, x = jax.lax.stop_gradient(self.nodes), self.values[finite_index], inputs[0]
        if self.interpolation == "constant":
            return values[jnp.searchsorted((nodes[1:] + nodes[:-1]) / 2, x, side="right")]
        left = jnp.clip(jnp.searchsorted(nodes, x, side="right") - 1, 0, nodes.shape[0] - 2)
        if self.extrapolation == "flat":
            x = jnp.clip(x, nodes[0], nodes[-1])
        weight = (x - nodes[left]) / (nodes[left + 1] - nodes[left])
        return (1 - weight) * values[left] + weight * values[left + 1]
