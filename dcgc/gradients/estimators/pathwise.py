"""Reparameterisation: the noise is drawn first, the value is a smooth function of it and of the site."""

from __future__ import annotations

from dataclasses import dataclass

from jax import Array

from .estimator import Drawn, Estimator, sampled
from .sites import Gaussian, Site


@dataclass(frozen=True)
class Pathwise(Estimator):
    """value = mean + sd * noise (Kingma and Welling 2014, section 2.4). Unbiased for costs without jumps; blind to jumps."""

    forms = (Gaussian,)
    unbiased = True
    hard = True
    through = True

    def place(self, site: Site, noise: Array) -> Drawn:
        assert isinstance(site, Gaussian)
        return sampled(site.mean + site.sd * noise)
