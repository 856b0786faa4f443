"""Pathwise and score function gradients of one Gaussian site, mixed within one backward pass.

The draw has two outputs, the value and a zero. Going back, the value's cotangent is the pathwise gradient and the zero's cotangent
is the cost less its baseline, which ``surrogate`` multiplied it with; the two meet where both gradients of each row are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from .baselines import mean_of_others_in_fold
from .estimator import Drawn, Estimator, sampled
from .mixing import Rule, mixed
from .sites import Gaussian, Site, spread


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _placed(mean: Array, sd: Array, noise: Array, folds: int, rule: Rule) -> tuple[Array, Array]:
    return mean + sd * noise, jnp.zeros(mean.shape[:-1], mean.dtype)


def _forward(mean: Array, sd: Array, noise: Array, folds: int, rule: Rule) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    return _placed(mean, sd, noise, folds, rule), (sd, noise)


def _backward(folds: int, rule: Rule, saved: tuple[Array, Array], cotangents: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    sd, noise = saved
    by_value, advantage = cotangents[0], cotangents[1][..., None]
    pathwise = (by_value, by_value * noise)
    score = (advantage * noise / sd, advantage * (jnp.square(noise) - 1) / sd)
    rows = jax.tree.map(lambda leaf: leaf.reshape(-1, leaf.shape[-1]), (pathwise, score))
    by_mean, by_sd = mixed(rows[0], rows[1], folds, rule)
    return by_mean.reshape(sd.shape), by_sd.reshape(sd.shape), jnp.zeros_like(noise)


_placed.defvjp(_forward, _backward)


@dataclass(frozen=True)
class Mixture(Estimator):
    """Total propagation (Parmas, Rasmussen, Peters and Doya 2018): rows of mean and sd gradients, each with its own weights, see
    ``mixing.pathwise_weights``. The rows are those of the draws and the batch; ValueError unless each fold has two. Hundreds of
    rows are wanted: with few the weights are noise. Reverse differentiation only; the mixture of a sum of costs is not the sum of
    the costs' mixtures. Unbiased for costs without jumps that do not mix rows."""

    forms = (Gaussian,)
    unbiased = True
    hard = True
    through = True

    folds: int = 4
    rule: Rule = "inverse_variance"

    def place(self, site: Site, noise: Array) -> Drawn:
        assert isinstance(site, Gaussian)
        mean, sd = spread(site, noise.shape[0])
        return sampled(*_placed(mean, sd, noise, self.folds, self.rule))

    def baseline(self, cost: Array) -> Array:
        return mean_of_others_in_fold(cost, self.folds)
