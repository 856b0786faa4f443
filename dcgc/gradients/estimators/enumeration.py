"""Enumeration: every value is tried and the expectation summed out."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from .estimator import Drawn, Estimator
from .sites import Categorical, Site, log_density


@dataclass(frozen=True)
class Exact(Estimator):
    """The values are the K one-hot vectors, (K, *batch, K), weighted with their probabilities; no noise, no variance. ``draws`` is
    not used: the costs must be computed K times over."""

    forms = (Categorical,)
    unbiased = True
    hard = True
    through = False

    def noise(self, key: Array, site: Site) -> Array:
        """The one-hot vectors themselves; the key is not used."""
        values = site[0].shape[-1]
        every = jnp.eye(values, dtype=site[0].dtype).reshape(values, *(1,) * (site[0].ndim - 1), values)
        return jnp.broadcast_to(every, (values, *site[0].shape))

    def place(self, site: Site, noise: Array) -> Drawn:
        assert isinstance(site, Categorical)
        density = log_density(site, noise)
        weight = jnp.sum(noise * jax.lax.stop_gradient(jax.nn.softmax(site.logits)), axis=-1)
        return Drawn(noise, density - jax.lax.stop_gradient(density), weight)
