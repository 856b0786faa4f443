"""Dirichlet(a): a random point of the simplex."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, xlogy
from jax.typing import ArrayLike

from .beta import beta_logit
from .law import Continuous, floating
from .log_concave import BETA, base_of


def _rest(values: jax.Array) -> jax.Array:
    """For each entry but the last the sum of all later ones."""
    return jnp.flip(jnp.cumsum(jnp.flip(values[..., 1:], -1), axis=-1), -1)


class Dirichlet(Continuous):
    """Stick-breaking: entry i takes the share Beta(a_i, a_{i+1} + .. + a_n) of what entries before it have left, so
    that n - 1 normal base variables make one draw. Densities are with respect to the first n - 1 entries."""

    name = "Dirichlet"
    parameters = ("a",)
    parameter_ranks = (1,)
    base = "normal"

    def event_shape(self, *args: ArrayLike) -> tuple[int, ...]:
        return jnp.shape(args[0])[-1:]

    def dimension(self, *args: ArrayLike) -> int:
        return jnp.shape(args[0])[-1] - 1

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, a = floating(base_values, *args)
        shares = beta_logit(base_values, a[..., :-1], _rest(a))
        # On the log scale, so that small entries keep their relative accuracy.
        left = jnp.cumsum(jax.nn.log_sigmoid(-shares), axis=-1)
        start = jnp.zeros_like(left[..., :1])
        taken = jnp.concatenate([jax.nn.log_sigmoid(shares), start], axis=-1)
        return jnp.exp(jnp.concatenate([start, left], axis=-1) + taken)

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, a = floating(value, *args)
        own, rest = a[..., :-1], _rest(a)
        shares = jnp.log(value[..., :-1]) - jnp.log(_rest(value))
        return base_of(BETA, shares - jnp.log(own / rest), own, rest)

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        (a,) = floating(*args)
        return jnp.zeros_like(a), jnp.ones_like(a)

    def mean(self, *args: ArrayLike) -> jax.Array:
        (a,) = floating(*args)
        return a / jnp.sum(a, axis=-1, keepdims=True)

    def variance(self, *args: ArrayLike) -> jax.Array:
        (a,) = floating(*args)
        total = jnp.sum(a, axis=-1, keepdims=True)
        return a * (total - a) / (total**2 * (total + 1))

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, a = floating(value, *args)
        on_simplex = jnp.abs(jnp.sum(value, axis=-1) - 1) <= 8 * jnp.finfo(value.dtype).eps * a.shape[-1]
        inside = jnp.all(value >= 0, axis=-1) & on_simplex
        safe = jnp.where(inside[..., None], value, 0.5)
        density = jnp.sum(xlogy(a - 1, safe) - gammaln(a), axis=-1) + gammaln(jnp.sum(a, axis=-1))
        return jnp.where(inside, density, -jnp.inf)
