"""What every estimator is: a draw, and a way to fold the draws' costs so that one backward pass gives the gradient.

    drawn = estimator.draw(key, site)           # value (draws, *batch, size)
    cost = costs(drawn.value)                   # (draws, *batch), smaller is better
    loss = objective(estimator, drawn, cost)    # jax.grad of it is the estimated gradient, by both paths at once

The gradient has two paths. The pathwise part runs through ``drawn.value`` (estimators that do not want it stop it there). The score
part runs through ``drawn.score``, zeros whose derivative is that of the log density; ``surrogate`` multiplies them with the costs,
held fixed. What the costs depend on directly (a receiver's parameters) gets its gradient through ``cost`` as always.

Sites in a chain: a later site sees the earlier one's draws as part of its batch, (draws_1, *batch), and its value has an axis more,
(draws_2, draws_1, *batch, size). Fold the costs in the opposite order: ``cost = later.expectation(drawn_2, cost)`` first.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from .sites import Site, standard_noise


class Drawn(NamedTuple):
    """``value`` (draws, *batch, size). ``score`` (draws, *batch), zeros that carry the score. ``weight`` (draws, *batch), constants
    that sum to one over the draws: the expected cost is estimated by the weighted sum."""

    value: Array
    score: Array
    weight: Array


@dataclass(frozen=True)
class Estimator(abc.ABC):
    """``forms``: the sites it can be used at. ``hard``: whether the forward value is one that the site can really send.
    ``unbiased``: whether the gradient's expectation is that of the expected hard cost. ``through``: whether the derivative of the
    cost by the value is used; an unbiased estimator that uses it presumes a cost without jumps. ``draws``: values per situation."""

    forms: ClassVar[tuple[type, ...]]
    unbiased: ClassVar[bool]
    hard: ClassVar[bool]
    through: ClassVar[bool]

    draws: int = 1

    @abc.abstractmethod
    def place(self, site: Site, noise: Array) -> Drawn:
        """The values that the site takes at the given noise (draws, *batch, size), as ``noise`` returns it."""

    def noise(self, key: Array, site: Site) -> Array:
        """(draws, *batch, size): standard normal for a Gaussian site, standard Gumbel for a categorical one."""
        return standard_noise(key, site, self.draws)

    def draw(self, key: Array, site: Site) -> Drawn:
        """Values at every situation of the site. Raises TypeError for a site of the wrong form."""
        if not isinstance(site, self.forms):
            names = " or ".join(form.__name__ for form in self.forms)
            raise TypeError(f"{type(self).__name__} needs a {names} site, not {type(site).__name__}")
        return self.place(site, self.noise(key, site))

    def baseline(self, cost: Array) -> Array:
        """What is taken from the costs (draws, *batch) before they multiply the score: independent of the row's own noise."""
        return jnp.zeros_like(cost)

    def surrogate(self, drawn: Drawn, cost: Array) -> Array:
        """(*batch): zeros whose derivative is the score part. ``cost`` (draws, *batch) is held fixed here."""
        fixed = jax.lax.stop_gradient(cost)
        return jnp.sum(drawn.weight * drawn.score * (fixed - jax.lax.stop_gradient(self.baseline(fixed))), axis=0)

    def expectation(self, drawn: Drawn, cost: Array) -> Array:
        """(*batch): the estimated expected cost of each situation, with the estimated gradient as its derivative."""
        return jnp.sum(drawn.weight * cost, axis=0) + self.surrogate(drawn, cost)


def objective(estimator: Estimator, drawn: Drawn, cost: Array) -> Array:
    """Scalar: the mean over situations of the estimated expected cost. ``cost`` (draws, *batch)."""
    return jnp.mean(estimator.expectation(drawn, cost))


def sampled(value: Array, score: Array | None = None) -> Drawn:
    """Independent draws of equal weight, without a score part unless one is given."""
    rows = value.shape[:-1]
    return Drawn(value, jnp.zeros(rows, value.dtype) if score is None else score, jnp.full(rows, 1 / rows[0], value.dtype))
