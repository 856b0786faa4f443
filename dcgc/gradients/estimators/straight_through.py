"""Straight-through: a hard one-hot value forward, the softmax of the logits backward."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from .estimator import Drawn, Estimator, sampled
from .sites import Categorical, Site, hardest
from .straight import straight


def _hard_forward_soft_backward(site: Site, noise: Array) -> Drawn:
    assert isinstance(site, Categorical)
    soft = jnp.broadcast_to(jax.nn.softmax(site.logits), noise.shape)
    return sampled(straight(hardest(jax.lax.stop_gradient(site.logits) + noise), soft))


@dataclass(frozen=True)
class StraightThrough(Estimator):
    """A sample forward, the probabilities backward (Bengio, Leonard and Courville 2013). The gradient is unbiased only
    for a cost that is linear in the one-hot vector."""

    forms = (Categorical,)
    unbiased = False
    hard = True
    through = True

    def place(self, site: Site, noise: Array) -> Drawn:
        return _hard_forward_soft_backward(site, noise)


@dataclass(frozen=True)
class StraightThroughArgmax(Estimator):
    """The likeliest value forward, without noise, the probabilities backward."""

    forms = (Categorical,)
    unbiased = False
    hard = True
    through = True

    def noise(self, key: Array, site: Site) -> Array:
        return jnp.zeros((self.draws, *site[0].shape), site[0].dtype)

    def place(self, site: Site, noise: Array) -> Drawn:
        return _hard_forward_soft_backward(site, noise)
