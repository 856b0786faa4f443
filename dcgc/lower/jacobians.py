"""What arrives over a channel, differentiated by what the encoder knows: the Jacobians behind the Fisher information of a message."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Channel, Decision, Random
from .evaluate import evaluate
from .rollout import SAMPLE
from .samples import full
from .strategy import inputs
from .variable import Variable
from .world import World


def each_jacobian(function: Callable[[Array], Array], at: Array) -> Array:
    """(n, out, in) of a function (n, in) -> (n, out) that does not mix samples: one backward pass an output."""
    value, back = jax.vjp(function, at)
    rows = jax.vmap(lambda chosen: back(jnp.broadcast_to(chosen, value.shape))[0])(jnp.eye(value.shape[1], dtype=value.dtype))
    return jnp.moveaxis(rows, 0, 1)


def whitened_jacobians(world: World, channel: Channel, d: Decision) -> Array:
    """(n, rows, inputs): A with A_i^T A_i the information of sample i about the encoder's real inputs, each in units of its own spread.

    ``world``: on scattered samples, finite decisions before the message played; the encoder's rule is a ``Strategy``. Rows are reals of
    the message over the noise's standard deviation, or words: the information of a law p is the sum of (dp)^2 / p. Erased messages
    count as if they had arrived, and without noise the standard deviation is taken for 1."""
    index, reals = inputs(world, d)
    at, known = full(world, reals), full(world, index)
    spread = jnp.where(jnp.std(at, axis=0) > 1e-9, jnp.std(at, axis=0), 1.0)
    rule = world.rules[d.name]
    _, low, high = rule.situations(world, d)  # type: ignore[attr-defined]
    bounds = [jnp.broadcast_to(b, (at.shape[0], *b.shape[1:])) if b.ndim and SAMPLE in reals.dims else
              jnp.broadcast_to(b, (at.shape[0], *b.shape)) for b in (low, high)]

    def arrives(standard: Array) -> Array:
        raw = jax.vmap(rule.raw)(known, standard * spread)  # type: ignore[attr-defined]
        chosen = jax.vmap(rule.head)(raw, *bounds)  # type: ignore[attr-defined]
        if d.finite:
            return law_of_words(world, channel, d, chosen)
        sent = evaluate(world.vary({d.name: Variable((SAMPLE,), chosen)}), channel.sent)
        return full(world, sent).reshape(at.shape[0], -1) / (channel.sd or 1.0)

    out = each_jacobian(arrives, at / spread)
    if d.finite:  # here over any number of positions
        p = arrives(at / spread)
        out = out / jnp.sqrt(jnp.maximum(p, 1e-12))[..., None]
    return out


def law_of_words(world: World, channel: Channel, d: Decision, chosen: Array) -> Array:
    """(n, words): the probabilities of what arrives, from those of what is sent (position by position for long messages)."""
    n = chosen.shape[0]
    p = jnp.stack([1 - chosen, chosen], -1) if d.kind == "bool" else chosen
    site = world.dependence.sites[channel.name]
    if isinstance(site, Random):
        row = evaluate(world.vary({d.name: Variable((SAMPLE,), p)}), site.arguments[0])
        p = full(world, row)
    return p.reshape(n, -1)
