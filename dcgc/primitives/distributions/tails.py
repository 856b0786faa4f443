"""Tails of the normal law on a logarithmic scale, accurate relative to the smaller tail."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr, ndtr


def log1mexp(value: jax.Array) -> jax.Array:
    """log(1 - exp(value)) for value <= 0, without cancellation at either end."""
    near = jnp.where(value > -0.7, value, -0.7)
    far = jnp.where(value > -0.7, -0.7, value)
    return jnp.where(value > -0.7, jnp.log(-jnp.expm1(near)), jnp.log1p(-jnp.exp(far)))


def log_normal_survival(z: jax.Array) -> jax.Array:
    """log P(Z > z). For z < 0 (a small number, minus the lower tail) JAX's ``log_ndtr`` rounds; ``log1p`` does not."""
    low, high = jnp.where(z < 0, z, -1.0), jnp.where(z < 0, 1.0, z)
    return jnp.where(z < 0, jnp.log1p(-ndtr(low)), log_ndtr(-high))


@jax.custom_jvp
def normal_quantile(log_probability: jax.Array) -> jax.Array:
    """The z with log P(Z < z) = log_probability <= 0, by Newton steps on the log of the smaller tail.

    log Phi is concave and the start -sqrt(-2 log p) lies to the left of the root, so the steps rise monotonically.
    """
    upper = log_probability > -0.6931471805599453
    target = jnp.where(upper, log1mexp(log_probability), log_probability)

    def step(_: int, z: jax.Array) -> jax.Array:
        return z - (log_ndtr(z) - target) * jnp.exp(log_ndtr(z) - _log_normal_density(z))

    z = jax.lax.fori_loop(0, 8, step, -jnp.sqrt(-2 * target))
    return jnp.where(upper, -z, z)


@normal_quantile.defjvp
def _normal_quantile_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (log_probability,), (tangent,) = primals, tangents
    z = normal_quantile(log_probability)
    return z, jnp.exp(log_probability - _log_normal_density(z)) * tangent


def _log_normal_density(z: jax.Array) -> jax.Array:
    return -0.5 * z**2 - 0.9189385332046727
