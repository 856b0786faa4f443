"""Student(df)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betaln
from jax.typing import ArrayLike

from .law import Continuous, floating
from .log_concave import BETA, base_of, quantile


class Student(Continuous):
    """t = sqrt(df) sinh(d / 2), where d is the logit of a Beta(df/2, df/2) draw: there the density is log-concave and
    the heavy tails are exponential ones. The base is normal: the law tends to it, and its tails go on where a
    uniform's end. The mean exists for df > 1 and the variance for df > 2 (nan and infinite below)."""

    name = "Student"
    parameters = ("df",)
    parameter_ranks = (0,)
    base = "normal"

    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        base_values, df = floating(base_values, *args)
        return jnp.sqrt(df) * jnp.sinh(quantile(BETA, base_values, df / 2, df / 2) / 2)

    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, df = floating(value, *args)
        return base_of(BETA, 2 * jnp.arcsinh(value / jnp.sqrt(df)), df / 2, df / 2)

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        shape = self.batch_shape(*args)
        return jnp.full(shape, -np.inf), jnp.full(shape, np.inf)

    def mean(self, *args: ArrayLike) -> jax.Array:
        (df,) = floating(*args)
        return jnp.where(df > 1, 0.0, jnp.nan)

    def variance(self, *args: ArrayLike) -> jax.Array:
        (df,) = floating(*args)
        return jnp.where(df > 2, df / jnp.where(df > 2, df - 2, 1), jnp.where(df > 1, jnp.inf, jnp.nan))

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        value, df = floating(value, *args)
        return -(df + 1) / 2 * jnp.log1p(value**2 / df) - jnp.log(df) / 2 - betaln(df / 2, jnp.full_like(df, 0.5))
