"""Score function estimators: the cost times the gradient of the log density, for any site and any cost, jumps and all."""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax import Array

from .baselines import mean_of_others
from .estimator import Drawn, Estimator, sampled
from .sites import Categorical, Gaussian, Site, hardest, log_density


@dataclass(frozen=True)
class Reinforce(Estimator):
    """(cost - baseline) * d log density (Williams 1992). The baseline of a row is the mean cost of all other rows of the batch;
    rows must be independent given their situations. Two rows or more, else ValueError."""

    forms = (Gaussian, Categorical)
    unbiased = True
    hard = True
    through = False

    def place(self, site: Site, noise: Array) -> Drawn:
        value = site.mean + site.sd * noise if isinstance(site, Gaussian) else hardest(site.logits + noise)
        value = jax.lax.stop_gradient(value)
        density = log_density(site, value)
        return sampled(value, density - jax.lax.stop_gradient(density))

    def baseline(self, cost: Array) -> Array:
        return mean_of_others(cost)


@dataclass(frozen=True)
class ReinforceLeaveOneOut(Reinforce):
    """Several draws per situation, each with the mean cost of the situation's other draws as its baseline (Kool, van Hoof and
    Welling 2019). What differs between situations is no noise here. Two draws or more, else ValueError."""

    draws: int = 4

    def baseline(self, cost: Array) -> Array:
        return mean_of_others(cost, axis=0)
