"""Quantiles of laws with a log-concave density, and their derivatives, by quadrature and Newton's method.

Gamma draws x (in log x), Beta draws (in logit x) and Student draws (in asinh) have densities proportional to exp(l(d)),
d the distance from the mode, l concave with l(0) = 0. Everything follows from one integral, the tail ratio

    M(d) = INT_d^outwards exp(l(t) - l(d)) dt        (Mills' ratio, to the left or to the right)

by the double exponential rule of Takahasi and Mori (1974), t - d = L exp(tau - exp(-tau)): a fixed number of nodes,
relative error about 1e-13 down to tails of 1e-16 and beyond, smooth in d and in the law's parameters to all orders,
no branches. Tails and quantiles are thus never rounded against one, and densities never underflow. Log-concavity
makes log tails concave, so Newton's method on them converges without any bracket.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import digamma, gammaln, log_ndtr
from numpy.typing import NDArray

from .tails import normal_quantile

_MAXIMAL_STEPS = 60


@dataclass(frozen=True)
class LogConcave:
    """A family of log-concave densities in the coordinate d around the mode; all functions broadcast.

    ``log_shape(d, *params)``: l. ``length(d, side, *params)``: roughly the tail's decay length at d, outwards on
    ``side`` (-1 or 1); it sets the scale of the quadrature only. ``split(*params)``: the d at which the two
    tails are parted. ``log_total(*params)``: log of INT exp(l).
    """

    log_shape: Callable[..., jax.Array]
    length: Callable[..., jax.Array]
    split: Callable[..., jax.Array]
    log_total: Callable[..., jax.Array]


@functools.cache
def _double_exponential() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tau = np.arange(-3.6, 5.2, 0.07)
    points = np.exp(tau - np.exp(-tau))
    return points, 0.07 * points * (1 + np.exp(-tau))


def tail_ratio(law: LogConcave, d: jax.Array, side: jax.Array, *params: jax.Array) -> jax.Array:
    """M at d, outwards on ``side``."""
    points, weights = (jnp.asarray(array, d.dtype) for array in _double_exponential())
    # The integral does not depend on the scale of its substitution, so neither do its derivatives.
    length = jax.lax.stop_gradient(law.length(d, side, *params))
    expanded = [param[..., None] for param in params]
    here = law.log_shape(d, *params)[..., None]
    there = law.log_shape(d[..., None] + side[..., None] * length[..., None] * points, *expanded)
    return length * jnp.sum(weights * jnp.exp(there - here), axis=-1)


def log_tail(law: LogConcave, d: jax.Array, side: jax.Array, *params: jax.Array) -> jax.Array:
    """log of the probability beyond d on ``side``."""
    return law.log_shape(d, *params) + jnp.log(tail_ratio(law, d, side, *params)) - law.log_total(*params)


def _side(law: LogConcave, d: jax.Array, *params: jax.Array) -> jax.Array:
    """-1 left of the split, 1 right of it."""
    return jnp.where(d < law.split(*params), -1.0, 1.0).astype(d.dtype)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def quantile(law: LogConcave, z: jax.Array, *arguments: jax.Array) -> jax.Array:
    """The d below which lies the same probability as below z under the standard normal law. Broadcasts.

    Derivatives in z and the parameters are those of the implicit function, to any order.
    """
    z, *params = jnp.broadcast_arrays(z, *arguments)
    split = jnp.broadcast_to(law.split(*params), z.shape)
    one = jnp.ones_like(z)
    side = jnp.where(log_ndtr(z) <= log_tail(law, split, -one, *params), -one, one)
    target = log_ndtr(-side * z)
    tolerance = float(jnp.finfo(z.dtype).eps) ** 0.5

    State = tuple[jax.Array, jax.Array, jax.Array]

    def advance(state: State) -> State:
        count, distance, _ = state
        d = split + side * distance
        ratio = tail_ratio(law, d, side, *params)
        excess = law.log_shape(d, *params) + jnp.log(ratio) - law.log_total(*params) - target
        # A first step from far inside may overshoot by orders of magnitude where tails fall like exp(-exp(d)).
        cap = 2.0 * 2.0**count
        moved = jnp.maximum(distance + jnp.minimum(excess, cap) * ratio, 0)
        # Newton's error after this step is about the square of the step in units of the tail's length.
        return count + 1, moved, jnp.any(jnp.abs(moved - distance) > tolerance * ratio)

    def going(state: State) -> jax.Array:
        return state[2] & (state[0] < _MAXIMAL_STEPS)

    start = (jnp.zeros((), z.dtype), jnp.zeros_like(z), jnp.array(True))
    return split + side * jax.lax.while_loop(going, advance, start)[1]


@quantile.defjvp
def _quantile_jvp(
    law: LogConcave, primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]
) -> tuple[jax.Array, jax.Array]:
    z, *params = jnp.broadcast_arrays(*primals)
    z_dot, *params_dot = (jnp.broadcast_to(tangent, z.shape) for tangent in tangents)
    d = quantile(law, z, *params)
    side = _side(law, d, *params)
    # log tail(d; params) = log Phi(-side z), and d log tail / d d = -side / M.
    _, by_params = jax.jvp(lambda *p: log_tail(law, d, side, *p), tuple(params), tuple(params_dot))
    _, by_z = jax.jvp(lambda z: log_ndtr(-side * z), (z,), (z_dot,))
    return d, side * tail_ratio(law, d, side, *params) * (by_params - by_z)


def base_of(law: LogConcave, d: jax.Array, *arguments: jax.Array) -> jax.Array:
    """The inverse of ``quantile`` in z."""
    d, *params = jnp.broadcast_arrays(d, *arguments)
    side = _side(law, d, *params)
    return -side * normal_quantile(jnp.minimum(log_tail(law, d, side, *params), 0))


@jax.custom_jvp
def scaled_log_gamma(a: jax.Array) -> jax.Array:
    """log Gamma(a) + a - a log a: what is left of the log gamma function when its large part is taken out; by
    Stirling's series for a > 20, where the difference itself would cancel."""
    small, large = jnp.where(a < 20, a, 1.0), jnp.where(a < 20, 20.0, a)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * large**2)) / large**2) / large**2) / large
    return jnp.where(
        a < 20,
        gammaln(small) + small - small * jnp.log(small),
        0.5 * jnp.log(2 * jnp.pi / large) + series,
    )


@scaled_log_gamma.defjvp
def _scaled_log_gamma_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (a,), (tangent,) = primals, tangents
    small, large = jnp.where(a < 20, a, 1.0), jnp.where(a < 20, 20.0, a)
    series = -(1 / 12 - (1 / 120 - (1 / 252 - 1 / (240 * large**2)) / large**2) / large**2) / large**2
    slope = jnp.where(a < 20, digamma(small) - jnp.log(small), -0.5 / large + series)
    return scaled_log_gamma(a), slope * tangent


def _decay_length(slope: jax.Array, curvature: jax.Array, steepest: jax.Array) -> jax.Array:
    """The tail's length if l falls like -slope u - curvature u^2 / 2; at least 1 / (the steepest slope anywhere)."""
    return jnp.maximum(2 / (slope + jnp.sqrt(slope**2 + 4 * curvature)), 1 / steepest)


def _gamma_log_shape(d: jax.Array, a: jax.Array) -> jax.Array:
    # Beyond 40 the density is 0 in any float; stopping there keeps infinities out of derivatives.
    d = jnp.where(d < 40, d, 40.0)
    return a * (d - jnp.expm1(d))


def _gamma_length(d: jax.Array, side: jax.Array, a: jax.Array) -> jax.Array:
    rate = a * jnp.exp(jnp.minimum(d, 40))
    # To the left l approaches a line of slope a; to the right it steepens without end.
    return _decay_length(jnp.abs(rate - a), rate, jnp.where(side < 0, a, jnp.inf))


def _gamma_split(a: jax.Array) -> jax.Array:
    # At x = max(a, 1): for a < 1 a plateau reaches from the mode x = a to x = 1, where the density breaks off; a rule
    # that looks outwards from the plateau's end sees no bend on either side, and so needs few nodes.
    return jnp.log(jnp.maximum(a, 1) / a)


GAMMA = LogConcave(_gamma_log_shape, _gamma_length, _gamma_split, scaled_log_gamma)
"""d = log(x / a) for x of Gamma(a, 1); parameter a. Checked for a in [0.01, 1e5]."""


def _beta_log_shape(d: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    # l = a log s(d) + b log s(-d) relative to the mode, in the form that does not overflow on its side.
    left, right = jnp.where(d <= 0, d, 0.0), jnp.where(d > 0, d, 0.0)
    n = a + b
    below = a * left - n * jnp.log1p(a / n * jnp.expm1(left))
    above = -b * right - n * jnp.log1p(b / n * jnp.expm1(-right))
    return jnp.where(d <= 0, below, above)


def _beta_length(d: jax.Array, side: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    x = jax.nn.sigmoid(jnp.log(a / b) + d)
    y = jax.nn.sigmoid(-jnp.log(a / b) - d)
    return _decay_length(jnp.abs(a * y - b * x), (a + b) * x * y, jnp.where(side < 0, a, b))


def _beta_log_total(a: jax.Array, b: jax.Array) -> jax.Array:
    return scaled_log_gamma(a) + scaled_log_gamma(b) - scaled_log_gamma(a + b)


def _beta_split(a: jax.Array, b: jax.Array) -> jax.Array:
    # As for Gamma draws, with one plateau for a < 1 and another for b < 1; the mode where neither is.
    return jnp.log(jnp.maximum(a, 1) / a) - jnp.log(jnp.maximum(b, 1) / b)


BETA = LogConcave(_beta_log_shape, _beta_length, _beta_split, _beta_log_total)
"""d = logit(x) - log(a / b) for x of Beta(a, b); parameters a, b. Checked for a, b in [0.05, 1e4]."""
