"""The multilayer perceptron, with an affine path beside it."""

from __future__ import annotations

import itertools
from typing import Literal, Self, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from .policy import Policy, normal_arrays, one_hot, several_hot

Activation = Literal["tanh", "gelu", "relu", "silu"]


MOST_COMBINATIONS = 256


class MLP(Policy):
    """A plain network of the inputs and the one-hot finite combination, plus an affine function of both.

    The affine path carries what linear-quadratic games need, and the network only what bends; the last layer starts at
    zero, so that every start is an affine policy with coefficients of order one.
    """

    hidden: tuple[tuple[jax.Array, jax.Array], ...]
    head: jax.Array
    skip: jax.Array
    offset: jax.Array
    combinations: int = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    factors: tuple[int, ...] = eqx.field(static=True, default=())

    @classmethod
    def build(
        cls, key: jax.Array, *, inputs: int, outputs: int, combinations: int, dtype: DTypeLike,
        factors: tuple[int, ...] = (), width: int = 64, layers: int = 2, activation: Activation = "tanh",
        scale: float = 0.5, bend: float = 0.0,
    ) -> Self:  # fmt: skip
        """``layers`` hidden layers of ``width`` units. ``scale``: spread of the affine start. ``bend``: spread of the
        network's output at the start. ``factors``: the numbers of values of the finite inputs; above ``MOST_COMBINATIONS``
        combinations they are read one by one.

        Raises ValueError if width or layers are below one, or the activation is unknown.
        """
        if width < 1 or layers < 1:
            raise ValueError("an mlp needs width >= 1 and layers >= 1")
        if activation not in get_args(Activation):
            raise ValueError(f"unknown activation {activation!r}; there are {', '.join(get_args(Activation))}")
        factors = factors if combinations > MOST_COMBINATIONS else ()
        fan_in = inputs + (sum(factors) if factors else combinations if combinations > 1 else 0)
        sizes = [fan_in] + [width] * layers
        shapes = [(size_out, size_in) for size_in, size_out in itertools.pairwise(sizes)]
        *weights, head, skip, offset, biases = normal_arrays(
            key, [*shapes, (outputs, width), (outputs, fan_in), (outputs,), (layers, width)], dtype
        )
        # Biases of order one spread the bends over the standardised inputs.
        hidden = [
            (1.4 / max(weight.shape[1], 1) ** 0.5 * weight, 0.7 * bias)
            for weight, bias in zip(weights, biases, strict=True)
        ]
        return cls(
            hidden=tuple(hidden),
            head=bend / width**0.5 * head,
            skip=scale / max(inputs, 1) ** 0.5 * skip,
            offset=scale * offset,
            combinations=combinations,
            activation=activation,
            factors=tuple(factors),
        )

    def __call__(self, finite_index: ArrayLike, inputs: jax.Array) -> jax.Array:
        finite = several_hot(finite_index, self.factors, inputs.dtype) if self.factors else \
            one_hot(finite_index, self.combinations, inputs.dtype)
        seen = jnp.concatenate([inputs, finite])
        bend = {"tanh": jnp.tanh, "gelu": jax.nn.gelu, "relu": jax.nn.relu, "silu": jax.nn.silu}[self.activation]
        value = seen
        for weight, bias in self.hidden:
            value = bend(value @ weight.T + bias)
        # vectors from the left: under vmap activations then keep their layout
        return value @ self.head.T + seen @ self.skip.T + self.offset
