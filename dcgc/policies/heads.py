"""Output heads: raw vectors of order one -> a decision of its type.

Policies work on standardised numbers; a head carries the decision's own place and scale. Heads are not trained: their
leaves pass through ``stop_gradient``. Bool and Choice come out as probabilities; drawing, summing out or rounding
them is the caller's business.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

Mode = Literal["projection", "returning", "smooth"]


@jax.custom_vjp
def returning_clip(value: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """Projection on [low, high] whose backward pass lets a descent step come back from outside.

    Where ``value`` lies outside, the plain derivative is zero and a policy that starts there stays there. Here the
    cotangent passes if moving against it brings the value back towards the interval (all objectives are minimised), so
    the stationary points are those of the projected problem. Not a derivative: use it in descent, not in Newton steps.
    """
    return jnp.clip(value, low, high)


def _clip_forward(value: jax.Array, low: jax.Array, high: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    return jnp.clip(value, low, high), (value, low, high)


def _clip_backward(saved: tuple[jax.Array, ...], cotangent: jax.Array) -> tuple[jax.Array, ...]:
    value, low, high = saved
    below, above = value < low, value > high
    passes = ~(below | above) | (below & (cotangent < 0)) | (above & (cotangent > 0))
    return (
        jnp.where(passes, cotangent, 0),
        _unbroadcast(jnp.where(below, cotangent, 0), low),
        _unbroadcast(jnp.where(above, cotangent, 0), high),
    )


def _unbroadcast(cotangent: jax.Array, like: jax.Array) -> jax.Array:
    """The cotangent of an array that was broadcast to the cotangent's shape."""
    extra = cotangent.ndim - like.ndim
    summed = jnp.sum(cotangent, axis=tuple(range(extra)))
    kept = tuple(axis for axis, size in enumerate(like.shape) if size == 1 and summed.shape[axis] != 1)
    return jnp.sum(summed, axis=kept, keepdims=True)


returning_clip.defvjp(_clip_forward, _clip_backward)


class Head(eqx.Module):
    """raw (raw_size,) -> the decision. ``low`` and ``high`` are this situation's bounds, for types that have them."""

    @property
    @abc.abstractmethod
    def raw_size(self) -> int:
        """The number of raw outputs that the policy must have."""

    @abc.abstractmethod
    def __call__(self, raw: jax.Array, low: ArrayLike = -math.inf, high: ArrayLike = math.inf) -> jax.Array:
        """The decision (or the probabilities of a Bool or Choice) in one situation."""


class RealHead(Head):
    """Real[...]: location + scale * raw, both broadcasting to the decision's shape; a square scale of a vector mixes its entries."""

    location: jax.Array
    scale: jax.Array
    shape: tuple[int, ...] = eqx.field(static=True, default=())

    @property
    def raw_size(self) -> int:
        return math.prod(self.shape)

    def __call__(self, raw: jax.Array, low: ArrayLike = -math.inf, high: ArrayLike = math.inf) -> jax.Array:
        location, scale = jax.lax.stop_gradient((self.location, self.scale))
        if scale.ndim == 2 and len(self.shape) == 1:
            return location + scale @ raw
        return location + scale * raw.reshape(self.shape)


def _clip(value: jax.Array, low: jax.Array, high: jax.Array, scale: jax.Array) -> jax.Array:
    return jnp.clip(value, low, high)


def _returning(value: jax.Array, low: jax.Array, high: jax.Array, scale: jax.Array) -> jax.Array:
    return returning_clip(value, low, high)


def _smooth(value: jax.Array, low: jax.Array, high: jax.Array, scale: jax.Array) -> jax.Array:
    # Each side alone is a softplus of width ``scale``; between two finite ends a logistic with slope one in the middle.
    # The inner ``where``s keep infinite ends out of the branches that are not taken (0 * inf would poison gradients).
    has_low, has_high = jnp.isfinite(low), jnp.isfinite(high)
    a, b = jnp.where(has_low, low, value - 1), jnp.where(has_high, high, value + 1)
    width = jnp.where(has_low & has_high, b - a, 1.0)
    positive = jnp.where(width > 0, width, 1.0)
    inside = a + width * jax.nn.sigmoid(4 * (value - (a + b) / 2) / positive)
    above = a + scale * jax.nn.softplus((value - a) / scale)
    under = b - scale * jax.nn.softplus((b - value) / scale)
    one_sided = jnp.where(has_low, above, jnp.where(has_high, under, value))
    return jnp.where(has_low & has_high, inside, one_sided)


_BOUNDING: Mapping[str, Callable[..., jax.Array]] = MappingProxyType(
    {"projection": _clip, "returning": _returning, "smooth": _smooth}
)


class BoundedHead(Head):
    """Positive, Unit and Interval(low, high): location + scale * raw, brought between the situation's bounds.

    ``projection``: the nearest point, so that the ends can be reached; the derivative outside is zero.
    ``returning``: the same value with a backward pass that finds back inside (``returning_clip``).
    ``smooth``: logistic between two ends, softplus at a single one; the ends are approached, never reached.
    A bound may be infinite.
    """

    location: jax.Array
    scale: jax.Array
    shape: tuple[int, ...] = eqx.field(static=True, default=())
    mode: Mode = eqx.field(static=True, default="projection")

    def __check_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError(f"unknown mode {self.mode!r}; there are {', '.join(get_args(Mode))}")

    @property
    def raw_size(self) -> int:
        return math.prod(self.shape)

    def __call__(self, raw: jax.Array, low: ArrayLike = -math.inf, high: ArrayLike = math.inf) -> jax.Array:
        location, scale = jax.lax.stop_gradient((self.location, self.scale))
        value = location + scale * raw.reshape(self.shape)
        return _BOUNDING[self.mode](value, jnp.asarray(low, value.dtype), jnp.asarray(high, value.dtype), scale)


class BoolHead(Head):
    """Bool: the probability of true, logistic in raw / temperature."""

    temperature: jax.Array
    shape: tuple[int, ...] = eqx.field(static=True, default=())

    @property
    def raw_size(self) -> int:
        return math.prod(self.shape)

    def __call__(self, raw: jax.Array, low: ArrayLike = -math.inf, high: ArrayLike = math.inf) -> jax.Array:
        return jax.nn.sigmoid(raw.reshape(self.shape) / jax.lax.stop_gradient(self.temperature))


class SoftmaxHead(Head):
    """Choice(n), each token of Tokens(L, n) (with shape (L,)) and Simplex(n): softmax(raw / temperature) on the last
    axis.

    Probabilities of a Choice, and the point itself of a Simplex, whose corners are approached and never reached.
    """

    temperature: jax.Array
    size: int = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True, default=())

    @property
    def raw_size(self) -> int:
        return math.prod(self.shape) * self.size

    def __call__(self, raw: jax.Array, low: ArrayLike = -math.inf, high: ArrayLike = math.inf) -> jax.Array:
        logits = raw.reshape(*self.shape, self.size) / jax.lax.stop_gradient(self.temperature)
        return jax.nn.softmax(logits, axis=-1)


def _array(value: ArrayLike) -> jax.Array:
    array = jnp.asarray(value)
    return array.astype(jnp.result_type(float, array))


def _real(shape: tuple[int, ...], size: int, location: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> Head:
    return RealHead(_array(location), _array(scale), shape)


def _bounded(
    shape: tuple[int, ...], size: int, location: ArrayLike = 0.0, scale: ArrayLike = 1.0, mode: Mode = "projection"
) -> Head:
    return BoundedHead(_array(location), _array(scale), shape, mode)


def _bool(shape: tuple[int, ...], size: int, temperature: ArrayLike = 1.0) -> Head:
    return BoolHead(_array(temperature), shape)


def _softmax(shape: tuple[int, ...], size: int, temperature: ArrayLike = 1.0) -> Head:
    return SoftmaxHead(_array(temperature), size, shape)


HEADS: Mapping[str, Callable[..., Head]] = MappingProxyType({
    "real": _real,
    "bounded": _bounded,
    "bool": _bool,
    "choice": _softmax,
    "simplex": _softmax,
})


def head(kind: str, shape: tuple[int, ...] = (), size: int = 1, **options: Any) -> Head:
    """The head of a decision of this kind (a key of ``HEADS``).

    ``shape``: the decision's shape without categories; ``size``: the number of categories of a choice or simplex.
    Options: ``location`` and ``scale`` (real, bounded), ``mode`` (bounded), ``temperature`` (bool, choice, simplex).
    """
    return HEADS[kind](shape, size, **options)


def raw_size(kind: str, shape: tuple[int, ...] = (), size: int = 1) -> int:
    """The number of raw outputs that the head of such a decision reads."""
    return head(kind, shape, size).raw_size
