"""Gumbel-softmax: the arg max of logits plus Gumbel noise, relaxed to a softmax with a temperature."""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array

from .estimator import Drawn, Estimator, sampled
from .sites import Categorical, Site, hardest
from .straight import straight


def relaxed(site: Site, noise: Array, temperature: float) -> Array:
    """softmax((logits + noise) / temperature): a point of the simplex, (draws, *batch, K)."""
    assert isinstance(site, Categorical)
    return jax.nn.softmax((site.logits + noise) / temperature)


@dataclass(frozen=True)
class GumbelSoftmax(Estimator):
    """The relaxed point itself goes forward (Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017). Its gradient is that of the
    expected relaxed cost, which needs a cost inside the simplex; towards temperature 0 the bias goes and the variance grows."""

    forms = (Categorical,)
    unbiased = False
    hard = False
    through = True

    temperature: float = 0.5

    def place(self, site: Site, noise: Array) -> Drawn:
        return sampled(relaxed(site, noise, self.temperature))


@dataclass(frozen=True)
class StraightThroughGumbel(Estimator):
    """The hard sample forward, the derivative of the relaxed point with the same noise backward (Jang et al. 2017, section 2.2)."""

    forms = (Categorical,)
    unbiased = False
    hard = True
    through = True

    temperature: float = 0.5

    def place(self, site: Site, noise: Array) -> Drawn:
        soft = relaxed(site, noise, self.temperature)
        return sampled(straight(hardest(jax.lax.stop_gradient(soft)), soft))
