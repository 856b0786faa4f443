"""Where a value is drawn: the two forms of a site's distribution, and the noise that both are drawn with."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class Gaussian(NamedTuple):
    """value = mean + sd * standard normal. ``mean`` (*batch, size); ``sd`` > 0, broadcasts to the mean, in the mean's units."""

    mean: Array
    sd: Array


class Categorical(NamedTuple):
    """One of K values, as a vector (*batch, K) with one 1. ``logits`` (*batch, K), natural logarithms up to a constant; minus
    infinity shuts a value out."""

    logits: Array


Site = Gaussian | Categorical


def batch_shape(site: Site) -> tuple[int, ...]:
    """(*batch): the situations of a site. Its last axis is the value's own."""
    return site[0].shape[:-1]


def spread(site: Gaussian, draws: int) -> Gaussian:
    """Mean and sd, both (draws, *batch, size)."""
    shape = (draws, *site.mean.shape)
    return Gaussian(jnp.broadcast_to(site.mean, shape), jnp.broadcast_to(jnp.asarray(site.sd, site.mean.dtype), shape))


def standard_noise(key: Array, site: Site, draws: int) -> Array:
    """(draws, *batch, size): standard normal for a Gaussian site, standard Gumbel for a categorical one."""
    shape, dtype = (draws, *site[0].shape), site[0].dtype
    return jax.random.normal(key, shape, dtype) if isinstance(site, Gaussian) else jax.random.gumbel(key, shape, dtype)


def hardest(logits: Array) -> Array:
    """One-hot vector of the largest of the last axis; of ``logits`` plus Gumbel noise, it is a sample (the Gumbel-max trick)."""
    return jax.nn.one_hot(jnp.argmax(logits, axis=-1), logits.shape[-1], dtype=logits.dtype)


def log_density(site: Site, value: Array) -> Array:
    """Natural logarithm of the site's density or probability at a value (..., *batch, size), summed over the last axis."""
    if isinstance(site, Gaussian):
        standard = (value - site.mean) / site.sd
        return jnp.sum(-jnp.square(standard) / 2 - jnp.log(site.sd) - jnp.log(2 * jnp.pi) / 2, axis=-1)
    # the inner where keeps a value that is shut out (minus infinity) out of the product with its zero
    logarithms = jax.nn.log_softmax(site.logits)
    return jnp.sum(jnp.where(value > 0, value * jnp.where(value > 0, logarithms, 0.0), 0.0), axis=-1)
