"""Rounding to a lattice, with and without a dither that sender and receiver share.

The lattice's step is sd * sqrt(12), so that the rounding error of a dithered message has the site's standard deviation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from .estimator import Drawn, Estimator, sampled
from .sites import Gaussian, Site, spread
from .straight import straight

STEP_PER_SD = math.sqrt(12.0)


@dataclass(frozen=True)
class DitheredRounding(Estimator):
    """Subtractive dither (Schuchman 1964; Zamir and Feder 1992): the integer round(mean / step + u) is sent, u uniform on
    (-1/2, 1/2), and step * (integer - u) received. The error is uniform on (-step/2, step/2) whatever the mean, so the received
    value has the law of mean + step * v, and its pathwise gradient (by the mean and by the step) is exact for the cost smoothed
    by v, which is the hard cost itself. For costs without jumps."""

    forms = (Gaussian,)
    unbiased = True
    hard = True
    through = True

    def noise(self, key: Array, site: Site) -> Array:
        """(draws, *batch, size): the dither, uniform on (-1/2, 1/2), in steps."""
        return jax.random.uniform(key, (self.draws, *site[0].shape), site[0].dtype, -0.5, 0.5)

    def codes(self, site: Gaussian, noise: Array) -> Array:
        """(draws, *batch, size): the integers that are sent."""
        mean, sd = spread(site, noise.shape[0])
        return jnp.round(mean / (sd * STEP_PER_SD) + noise)

    def place(self, site: Site, noise: Array) -> Drawn:
        assert isinstance(site, Gaussian)
        mean, sd = spread(site, noise.shape[0])
        step = sd * STEP_PER_SD
        received = self.codes(site, noise) - noise
        error = jax.lax.stop_gradient(received - mean / step)
        return sampled(straight(step * received, mean + step * error))


@dataclass(frozen=True)
class StraightThroughRounding(Estimator):
    """step * round(mean / step) forward, the mean backward (Bengio et al. 2013). The sd gets no gradient."""

    forms = (Gaussian,)
    unbiased = False
    hard = True
    through = True

    def noise(self, key: Array, site: Site) -> Array:
        return jnp.zeros((self.draws, *site[0].shape), site[0].dtype)

    def place(self, site: Site, noise: Array) -> Drawn:
        assert isinstance(site, Gaussian)
        mean, sd = spread(site, noise.shape[0])
        step = sd * STEP_PER_SD
        return sampled(straight(step * jnp.round(mean / step), mean))
