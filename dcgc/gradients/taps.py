"""Taps: a zero is added to the message, and its cotangent is the gradient of each sample's cost by that sample's message.

Samples must not mix: if a cost of one sample depends on another's message, a tap is the gradient of all samples' costs together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class Tapped(NamedTuple):
    """``costs`` (players, n) and ``taps`` (players, n, *message): d cost / d message of each payer and sample."""

    costs: Array
    taps: Array


class Norms(NamedTuple):
    """``samples`` (players, n), over the whole message; ``tokens`` (players, n, *tokens), over each token of it. Euclidean."""

    samples: Array
    tokens: Array


class Response(NamedTuple):
    """``jacobians`` (n, *action, *message); ``singular_values`` (n, min of the two sizes), falling."""

    jacobians: Array
    singular_values: Array


def tapped(function: Callable[[Array], Array], message: Array, in_turn: bool = False) -> Tapped:
    """The costs (players, n) of a message (n, *message), and their taps: one forward pass, and one backward pass per payer.

    ``in_turn``: the payers one after the other, with the memory of one backward pass. Raises ValueError if the costs' shape is not
    (players, n)."""
    costs, back = jax.vjp(function, message)
    if costs.ndim != 2 or costs.shape[1] != message.shape[0]:
        raise ValueError(f"costs of shape {costs.shape} are not (players, {message.shape[0]})")

    def of_payer(chosen: Array) -> Array:
        return back(jnp.broadcast_to(chosen[:, None], costs.shape))[0]

    payers = jnp.eye(costs.shape[0], dtype=costs.dtype)
    return Tapped(costs, jax.lax.map(of_payer, payers) if in_turn else jax.vmap(of_payer)(payers))


def taps(costs: Callable[[Array], Array], shape: tuple[int, ...], dtype: Any = None, in_turn: bool = False) -> Array:
    """(players, n, *message): the taps of costs that add the zero themselves, wherever the message is made.

    ``costs``: a zero (n, *message) -> (players, n). ``shape``: (n, *message). ``dtype``: the message's; JAX's default float if None."""
    return tapped(costs, jnp.zeros(shape, dtype), in_turn).taps


def norms(taps: Array, token_axes: int = 1) -> Norms:
    """Norms of taps (players, n, *tokens, *token), the last ``token_axes`` axes being one token. With none, a token is a number.

    Raises ValueError if the message has fewer axes."""
    if not 0 <= token_axes <= taps.ndim - 2:
        raise ValueError(f"a message of {taps.ndim - 2} axes has no tokens of {token_axes}")
    squares = jnp.square(taps)
    samples = jnp.sqrt(jnp.sum(squares, axis=tuple(range(2, taps.ndim))))
    return Norms(samples, jnp.sqrt(jnp.sum(squares, axis=tuple(range(taps.ndim - token_axes, taps.ndim)))))


def jacobian_response(act: Callable[..., Array], message: Array, *situations: Any) -> Response:
    """d action / d message of each sample, for ``act(message_i, *situation_i)`` -> action, vmapped over the first axes n."""
    jacobians = jax.vmap(jax.jacrev(act))(message, *situations)
    size = message[0].size
    matrices = jacobians.reshape(jacobians.shape[0], -1, size)
    return Response(jacobians, jnp.linalg.svd(matrices, compute_uv=False))
