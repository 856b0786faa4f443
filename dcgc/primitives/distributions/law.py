"""What a distribution offers: the two abstract classes behind every ``random x ~ DIST(...)``.

A continuous law is described by a *base variable*: a standard normal or a uniform on [0, 1], turned into a draw by a
differentiable transform of the law's arguments. Quadrature, Sobol points and Monte Carlo then need nodes for base
variables only, arguments may be earlier draws, and derivatives with respect to arguments are pathwise and exact.
A finite law lists its values and their probabilities, so that expectations are exact sums.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from ..quadrature import Rule, gauss_hermite, gauss_legendre

Base = Literal["normal", "uniform"]


def floating(*values: ArrayLike) -> tuple[jax.Array, ...]:
    """The values as arrays of one common floating type (float64 if JAX has it enabled and the values do not say
    otherwise)."""
    arrays = [jnp.asarray(value) for value in values]
    dtype = jnp.result_type(*arrays)
    if not jnp.issubdtype(dtype, jnp.floating):
        dtype = jnp.result_type(float)
    return tuple(array.astype(dtype) for array in arrays)


class Distribution(abc.ABC):
    """A law of the language. Without state: one instance of each stands in the table ``DISTRIBUTIONS``.

    ``parameter_ranks`` has for each parameter the number of trailing axes that belong to one draw (a mean vector 1, a
    covariance 2, a number 0); all axes before them are batch axes, which broadcast among the arguments.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    parameter_ranks: ClassVar[tuple[int, ...]]
    finite: ClassVar[bool]

    def event_shape(self, *args: ArrayLike) -> tuple[int, ...]:
        """The shape of one draw: () for scalar laws."""
        return ()

    def batch_shape(self, *args: ArrayLike) -> tuple[int, ...]:
        """The shape over which the arguments repeat the law."""
        shapes = [jnp.shape(arg)[: jnp.ndim(arg) - rank] for arg, rank in zip(args, self.parameter_ranks, strict=True)]
        return jnp.broadcast_shapes(*shapes)

    @abc.abstractmethod
    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        """The least and the greatest value, entry by entry (infinite where unbounded)."""

    @abc.abstractmethod
    def mean(self, *args: ArrayLike) -> jax.Array:
        """The exact mean; infinite or nan where it does not exist."""

    @abc.abstractmethod
    def variance(self, *args: ArrayLike) -> jax.Array:
        """The exact variance, entry by entry; infinite or nan where it does not exist."""

    @abc.abstractmethod
    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        """The log density (of a finite law: the log probability) in nats, -inf outside the support."""

    @abc.abstractmethod
    def sample(self, key: jax.Array, shape: tuple[int, ...], *args: ArrayLike) -> jax.Array:
        """Independent draws, of shape ``shape + batch_shape(*args) + event_shape(*args)``."""


class Continuous(Distribution):
    """A law with a density, generated from standard base variables.

    ``affine_in_base``: the transform is affine in the base variable, so that moments of polynomials of a draw are exact
    under a Gauss rule of the base.
    """

    finite: ClassVar[bool] = False
    base: ClassVar[Base] = "normal"
    affine_in_base: ClassVar[bool] = False

    def dimension(self, *args: ArrayLike) -> int:
        """The number of scalar base variables that one draw takes."""
        return 1

    def base_shape(self, *args: ArrayLike) -> tuple[int, ...]:
        """The shape of the base variables of one draw: () for a scalar law, (dimension,) for a vector law."""
        return (self.dimension(*args),) if self.event_shape(*args) else ()

    @abc.abstractmethod
    def transform(self, base_values: ArrayLike, *args: ArrayLike) -> jax.Array:
        """Base values -> draws. Scalar laws: elementwise, broadcasting against the arguments. Vector laws: the last
        axis of ``base_values`` has length ``dimension``; the axes before it broadcast against the arguments' batch
        axes."""

    @abc.abstractmethod
    def invert(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        """Draws -> base values: the inverse of ``transform``."""

    def base_rule(self, n: int) -> Rule:
        """The n-point Gauss rule of one base variable: its nodes are base values, its weights sum to one."""
        return gauss_hermite(n) if self.base == "normal" else gauss_legendre(n)

    def gauss_rule(self, n: int, *args: Any) -> Rule | None:
        """For plain numbers as arguments, a native n-point Gauss rule whose nodes are *values* of the law (exact for
        polynomials of degree 2n - 1), or None where there is none."""
        return None

    def sample(self, key: jax.Array, shape: tuple[int, ...], *args: ArrayLike) -> jax.Array:
        dtype = jnp.result_type(float) if not args else floating(*args)[0].dtype
        full = tuple(shape) + self.batch_shape(*args) + self.base_shape(*args)
        draw = jax.random.normal if self.base == "normal" else jax.random.uniform
        return self.transform(draw(key, full, dtype), *args)


class Finite(Distribution):
    """A law with finitely many values, which expectations sum over."""

    finite: ClassVar[bool] = True

    @abc.abstractmethod
    def support_values(self, *args: ArrayLike) -> jax.Array:
        """The values, on the last axis (their number is fixed when the game is compiled)."""

    @abc.abstractmethod
    def probabilities(self, *args: ArrayLike) -> jax.Array:
        """The probabilities of the values, on the last axis; they sum to one. Differentiable in the arguments."""

    def support(self, *args: ArrayLike) -> tuple[jax.Array, jax.Array]:
        values = self.support_values(*args)
        return jnp.min(values, axis=-1), jnp.max(values, axis=-1)

    def mean(self, *args: ArrayLike) -> jax.Array:
        return jnp.sum(self.probabilities(*args) * self.support_values(*args), axis=-1)

    def variance(self, *args: ArrayLike) -> jax.Array:
        deviations = self.support_values(*args) - self.mean(*args)[..., None]
        return jnp.sum(self.probabilities(*args) * deviations**2, axis=-1)

    def log_density(self, value: ArrayLike, *args: ArrayLike) -> jax.Array:
        # A value that is listed twice has the sum of both probabilities.
        hits = jnp.asarray(value)[..., None] == self.support_values(*args)
        return jnp.log(jnp.sum(jnp.where(hits, self.probabilities(*args), 0), axis=-1))

    def sample(self, key: jax.Array, shape: tuple[int, ...], *args: ArrayLike) -> jax.Array:
        probabilities = self.probabilities(*args)
        values = self.support_values(*args)
        full = tuple(shape) + self.batch_shape(*args)
        index = jax.random.categorical(key, jnp.log(probabilities), shape=full)
        values = jnp.broadcast_to(values, full + values.shape[-1:])
        return jnp.take_along_axis(values, index[..., None], axis=-1)[..., 0]
