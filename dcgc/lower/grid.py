"""The nodes and weights on which a game is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array


@partial(jax.tree_util.register_dataclass, data_fields=["nodes", "weights", "samples"],
         meta_fields=["shape", "observed", "continuous", "slots"])
@dataclass(frozen=True)
class Grid:
    """A product grid over coordinates, or scattered samples of all draws at once (coordinate ``sample``).

    ``nodes``: for draws from nature their base values, for other coordinates their values. ``weights``: probabilities of nature's
    nodes, spacings of the others. ``observed``: coordinates that stand for an observed expression. ``continuous``: coordinates whose
    nodes have cells around them. ``samples`` (samples, columns) and ``slots`` (first column and shape of every draw): where the
    grid is scattered.
    """

    nodes: Mapping[str, Array]
    weights: Mapping[str, Array]
    samples: Array | None
    shape: tuple[tuple[str, int], ...]
    observed: tuple[str, ...] = ()
    continuous: frozenset[str] = frozenset()
    slots: tuple[tuple[str, int, tuple[int, ...]], ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        return dict(self.shape)

    @property
    def scattered(self) -> bool:
        return self.samples is not None

    def columns(self, name: str) -> Array:
        """The base values of a draw at every sample: (samples, *shape)."""
        assert self.samples is not None
        start, shape = next((s, shape) for n, s, shape in self.slots if n == name)
        width = 1
        for n in shape:
            width *= n
        return self.samples[:, start:start + width].reshape((-1, *shape))


@dataclass(frozen=True)
class Axis:
    """One coordinate of a product grid to be: nodes, weights, whether its nodes have cells."""

    nodes: Array
    weights: Array
    cells: bool = False


@dataclass
class GridBuilder:
    """Collects coordinates one by one; an observation's range may depend on those before it."""

    axes: dict[str, Axis] = field(default_factory=dict)
    observed: list[str] = field(default_factory=list)

    def grid(self) -> Grid:
        return Grid({n: a.nodes for n, a in self.axes.items()}, {n: a.weights for n, a in self.axes.items()}, None,
                    tuple((n, a.nodes.shape[0]) for n, a in self.axes.items()), tuple(self.observed),
                    frozenset(n for n, a in self.axes.items() if a.cells))


def cubic_weights(x: Array, nodes: Array) -> Array:
    """Weights (..., n) of cubic interpolation at x on n >= 4 equally spaced nodes; exact for cubics, inside and outside."""
    n = nodes.shape[0]
    place = (x - nodes[0]) / (nodes[1] - nodes[0])
    first = jnp.clip(jnp.floor(jax.lax.stop_gradient(place)) - 1, 0, n - 4)
    t = place - first
    basis = (-(t - 1) * (t - 2) * (t - 3) / 6, t * (t - 2) * (t - 3) / 2, -t * (t - 1) * (t - 3) / 2, t * (t - 1) * (t - 2) / 6)
    return sum(b[..., None] * jax.nn.one_hot((first + k).astype(int), n, dtype=nodes.dtype) for k, b in enumerate(basis))  # type: ignore[return-value]


def linear_weights(x: Array, nodes: Array) -> Array:
    """Weights (..., n) of linear interpolation at x on sorted nodes, flat outside; all of them nonnegative."""
    n = nodes.shape[0]
    x = jnp.clip(x, nodes[0], nodes[-1])
    left = jnp.clip(jnp.searchsorted(nodes, x, side="right") - 1, 0, n - 2)
    t = (x - nodes[left]) / (nodes[left + 1] - nodes[left])
    return (1 - t)[..., None] * jax.nn.one_hot(left, n, dtype=nodes.dtype) + t[..., None] * jax.nn.one_hot(left + 1, n,
                                                                                                       dtype=nodes.dtype)


def interpolation_weights(x: Array, nodes: Array, tremble: bool) -> Array:
    """Where on a coordinate's grid a value lies: cubic weights. With ``tremble`` linear ones, and a small error of the value: a
    kernel with polynomial tails, so that a value which nobody intends is explained by those who intend something near it."""
    if not tremble:
        return cubic_weights(x, nodes) if nodes.shape[0] >= 4 else linear_weights(x, nodes)
    spread = nodes[1] - nodes[0]
    kernel = (1 + ((nodes - x[..., None]) / spread) ** 2) ** -8.0
    return linear_weights(x, nodes) + 1e-9 * kernel


def cell_weights(log_density: Array, slope: Array, spacing: Array) -> Array:
    """Probability of a coordinate's cell: the density of the noise there, over |slope|, times the spacing."""
    return jnp.exp(log_density) / jnp.abs(slope) * spacing
