"""The lattice: a free function of a few continuous inputs, by its values on a product of nodes."""

from __future__ import annotations

from itertools import product
from typing import ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_matrix


class Lattice(Policy):
    """Multilinear interpolation between nodes, going on linearly beyond the outer ones; own values for each combination of the
    finite inputs.

    ``values`` (combinations, n_1, ..., n_d, k) are trained; ``nodes`` (d arrays (n_i,), increasing) are fixed. ``columns``: which
    entry of the inputs each node axis reads.

    With one axis the function may jump between neighbouring nodes: where ``breaks`` (combinations, n - 1) is positive, the lines on
    both sides go on to the place breaks in (0, 1) of the gap, and the right one holds from there.
    """

    fixed: ClassVar[tuple[str, ...]] = ("nodes", "breaks")

    values: jax.Array
    nodes: tuple[jax.Array, ...]
    breaks: jax.Array
    columns: tuple[int, ...] = eqx.field(static=True)

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike,
        cells: int = 33, span: float = 4.0, scale: float = 0.5,
    ) -> Self:  # fmt: skip
        """``cells`` equally spaced nodes on [-span, span] for each input; values start on a random plane.

        Raises ValueError without a real input, or for a product of more than a million nodes.
        """
        if inputs < 1 or cells < 2 or cells**inputs > 1_000_000:
            raise ValueError(f"a lattice of {cells} nodes for each of {inputs} real inputs cannot be made")
        points = jnp.linspace(-span, span, cells, dtype=dtype)
        height, *slopes = normal_matrix(key, (1 + inputs, combinations, outputs), 1, dtype, scale)
        shape = (combinations, *(1,) * inputs, outputs)
        values = jnp.broadcast_to(height.reshape(shape), (combinations, *(cells,) * inputs, outputs))
        for axis, slope in enumerate(slopes):
            along = points.reshape((1, *(1,) * axis, cells, *(1,) * (inputs - axis - 1), 1))
            values = values + slope.reshape(shape) * along
        return cls(values, (points,) * inputs, jnp.zeros((combinations, cells - 1), dtype), tuple(range(inputs)))

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        nodes = jax.lax.stop_gradient(self.nodes)
        if len(nodes) == 1:
            breaks = jax.lax.stop_gradient(self.breaks)[finite_index]
            return self.curve(self.values[finite_index], nodes[0], breaks, inputs[self.columns[0]])
        lefts, weights = [], []
        for points, column in zip(nodes, self.columns, strict=True):
            left, weight = place(points, inputs[column])
            lefts.append(left)
            weights.append(weight)
        total = jnp.zeros(self.values.shape[-1:], self.values.dtype)
        for corner in product((0, 1), repeat=len(nodes)):
            share = jnp.ones((), self.values.dtype)
            for bit, weight in zip(corner, weights, strict=True):
                share = share * (weight if bit else 1 - weight)
            # the combination and the corner at once: under vmap no table is copied for each situation
            place_in_table = (finite_index, *(left + bit for left, bit in zip(lefts, corner, strict=True)))
            total = total + share * self.values[place_in_table]
        return total

    def curve(self, values: jax.Array, nodes: jax.Array, breaks: jax.Array, x: jax.Array) -> jax.Array:
        left, weight = place(nodes, x)
        last = nodes.shape[0] - 1
        here, there = values[left], values[left + 1]
        line = here + weight * (there - here)
        # slopes of the neighbouring gaps, flat at a second jump or at the end
        before, after = jnp.maximum(left - 1, 0), jnp.minimum(left + 2, last)
        gap = nodes[left + 1] - nodes[left]
        jumps_before = (breaks[jnp.maximum(left - 1, 0)] > 0) | (left == 0)
        jumps_after = (breaks[jnp.minimum(left + 1, last - 1)] > 0) | (left + 1 == last)
        slope_before = jnp.where(jumps_before, 0.0, (here - values[before]) / jnp.maximum(nodes[left] - nodes[before], 1e-300))
        slope_after = jnp.where(jumps_after, 0.0, (values[after] - there) / jnp.maximum(nodes[after] - nodes[left + 1], 1e-300))
        from_left = here + slope_before * weight * gap
        from_right = there - slope_after * (1 - weight) * gap
        jumped = jnp.where(weight < breaks[left], from_left, from_right)
        return jnp.where(breaks[left] > 0, jumped, line)


def place(nodes: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The gap that holds x, and how far along it x lies (outside [0, 1] beyond the outer nodes; 0 in a gap without width, as between the
    nodes of a bounded law's tail that rounding has made equal)."""
    left = jnp.clip(jnp.searchsorted(nodes, x, side="right") - 1, 0, nodes.shape[0] - 2)
    gap = nodes[left + 1] - nodes[left]
    return left, jnp.where(gap > 0, (x - nodes[left]) / jnp.where(gap > 0, gap, 1.0), 0.0)
