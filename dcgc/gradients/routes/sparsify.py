"""Gradient edges dropped at random, and how often to keep each for a given price.

An edge is a route by which gradient flows, with a cost of computing it. Kept with probability pi and scaled by 1 / pi it stays
unbiased; its second moment becomes E||g||^2 / pi.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def kept_scale(keep: ArrayLike, key: Array) -> Array:
    """1 / keep with probability keep, else 0; of keep's shape. An edge with keep 0 is never kept, and is biased."""
    chance = jnp.asarray(keep)
    kept = jax.random.uniform(key, chance.shape, chance.dtype) < chance
    return jnp.where(kept, 1 / jnp.where(chance > 0, chance, 1.0), 0.0)


def _scaled(gradient: Any, scale: Array) -> Any:
    return jax.tree.map(lambda leaf: leaf * scale.reshape(*scale.shape, *(1,) * (leaf.ndim - scale.ndim)).astype(leaf.dtype), gradient)


def dropped(gradient: Any, keep: ArrayLike, key: Array) -> Any:
    """The gradient with edges dropped. ``keep`` in (0, 1], of shape (*edges); leaves (*edges, ...): an edge is kept or dropped as a
    whole, in all leaves at once. A scalar makes the whole gradient one edge."""
    return _scaled(gradient, kept_scale(jnp.asarray(keep, float), key))


@jax.custom_vjp
def _gate(value: Any, scale: Array) -> Any:
    return value


def _gate_forward(value: Any, scale: Array) -> tuple[Any, Array]:
    return value, scale


def _gate_backward(scale: Array, cotangent: Any) -> tuple[Any, Array]:
    return _scaled(cotangent, scale), jnp.zeros_like(scale)


_gate.defvjp(_gate_forward, _gate_backward)


def dropping(value: Any, keep: ArrayLike, key: Array) -> Any:
    """The value itself; its cotangent is ``dropped`` on the way back. Leaves and ``keep`` as there."""
    return _gate(value, kept_scale(jnp.asarray(keep, float), key))


def keep_rates(second_moments: Array, costs: Array, budget: ArrayLike, least: float = 0.0) -> Array:
    """(edges,): the rates that minimise sum E||g_e||^2 / pi_e subject to sum pi_e c_e = budget and least <= pi_e <= 1.

    pi_e = clip(sqrt(E||g_e||^2 / (mu c_e)), least, 1), with mu solved exactly: what is spent is linear in 1 / sqrt(mu) between the
    levels at which an edge reaches a bound. ``second_moments`` >= 0 and ``costs`` > 0, (edges,). A budget outside what can be spent
    gives all ones or all ``least``. Where a moment is zero the edge gets what the others leave. Estimated moments want least > 0.
    Raises ValueError for shapes that differ or ``least`` outside [0, 1]."""
    if second_moments.shape != costs.shape or second_moments.ndim != 1:
        raise ValueError(f"second moments {second_moments.shape} and costs {costs.shape} are not both (edges,)")
    if not 0 <= least <= 1:
        raise ValueError(f"a least keep rate of {least} is no probability")
    scale = jnp.max(second_moments)
    relative = second_moments / jnp.where(scale > 0, scale, 1.0)
    slopes = jnp.sqrt(jnp.maximum(relative, 1e-12) / (costs / jnp.max(costs)))
    levels = jnp.sort(jnp.concatenate([jnp.zeros(1, slopes.dtype), least / slopes, 1 / slopes]))
    spent = jnp.clip(levels[:, None] * slopes, least, 1.0) @ costs
    return jnp.clip(jnp.interp(jnp.asarray(budget, slopes.dtype), spent, levels) * slopes, least, 1.0)
