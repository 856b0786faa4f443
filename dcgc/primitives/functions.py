"""What the functions of the language mean numerically: one table, entry by entry unless said otherwise.

Functions with a jump (comparisons, sign, floor, argmax) are not here alone: they ask a *step*, because a comparison on a
gradient's way is treated in a way that the expectation strategy chooses (see ``relaxations.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jax import Array


def fixed_power(exponent: float) -> Callable[[Array], Array]:
    """``base ^ exponent`` for a known exponent; a whole one takes negative bases, with a finite gradient."""
    if exponent == int(exponent) and abs(exponent) <= 64:
        return lambda base: base ** int(exponent)
    if exponent == 0.5:
        return safe_sqrt
    return lambda base: jnp.power(base, exponent)


def safe_sqrt(x: Array) -> Array:
    """The square root with gradient 0 at 0 in place of inf, which a product with 0 would turn into NaN."""
    positive = x > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, x, 1.0)), jnp.where(x < 0, jnp.nan, 0.0))


def between(x: Array, low: Array, high: Array) -> Array:
    """What solves an equation, kept within its interval."""
    return jnp.clip(x, low, high)


def inside(x: Array, y: Array, low: Array, high: Array) -> Array:
    """That of two roots which lies in the interval (or nearer to it)."""
    out_of = [jnp.maximum(low - r, r - high) for r in (x, y)]
    return jnp.where(out_of[0] <= jnp.maximum(out_of[1], 0.0), x, y)


#: Entry by entry.
ELEMENTWISE: Mapping[str, Callable[..., Array]] = {
    "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": jnp.divide, "pow": jnp.power, "neg": jnp.negative,
    "exp": jnp.exp, "log": jnp.log, "sqrt": safe_sqrt, "abs": jnp.abs, "sin": jnp.sin, "cos": jnp.cos, "tanh": jnp.tanh,
    "floor": jnp.floor, "mod": jnp.mod, "maximum": lambda *xs: _chain(jnp.maximum, xs),
    "minimum": lambda *xs: _chain(jnp.minimum, xs), "clip": lambda x, low, high: jnp.clip(x, low, high),
    "between": between, "above": jnp.maximum, "inside": inside,
    "sigmoid": jax.nn.sigmoid, "mask": lambda x, b: jnp.where(b == 0, 0.0, jnp.where(b == 0, 0.0, x) * b),
}

#: Multilinear forms of logic on events, exact on 0 and 1 and on probabilities of independent events.
LOGIC: Mapping[str, Callable[..., Array]] = {
    "and": lambda a, b: a * b, "or": lambda a, b: a + b - a * b, "not": lambda a: 1.0 - a,
}

def project(message: Array, power: Array) -> Array:
    """A message (any shape) brought to a mean square of at most ``power``, by scaling: each message by itself."""
    square = jnp.mean(message**2)
    over = square > power
    return message * jnp.where(over, jnp.sqrt(power / jnp.where(over, square, 1.0)), 1.0)


STOP_LATE = 4.0  # logit by which an untrained sender rather goes on than stops


def going_on(logits: Array) -> Array:
    """Soft STOP: the probability (L,) that a message has not stopped before each of its tokens, by stick breaking.

    Token l stands with weight prod over k <= l of (1 - sigmoid(logit_k)): the weights of stopping after 0, 1, .., L tokens sum to one.
    """
    return jnp.cumprod(jax.nn.sigmoid(STOP_LATE - logits))


def faded(raw: Array, power: Array) -> Array:
    """Tokens (L, d) from raw (L, d + 1), whose last column are STOP logits: later tokens fade out, then the power limit."""
    return project(raw[:, :-1] * going_on(raw[:, -1])[:, None], power)


def bells(weights: Array, x: Array, low: Array, high: Array) -> Array:
    """A sum of bells at ``x`` (any shape): ``weights`` (n,) for centres equally spaced on [low, high], one spacing wide."""
    n = weights.shape[0]
    centres = jnp.linspace(low, high, n) if n > 1 else jnp.asarray([(low + high) / 2])
    z = (x[..., None] - centres) / ((high - low) / max(n - 1, 1))
    return jnp.exp(-(z**2) / 2) @ weights


def hidden_layer(coefficients: Array, x: Array) -> Array:
    """A network of one hidden layer at ``x`` (any shape): n slopes, n places, n weights and a constant, (3 n + 1,)."""
    slopes, places, weights = coefficients[:-1].reshape(3, -1)
    return jnp.tanh(slopes * x[..., None] + places) @ weights + coefficients[-1]


def polynomial(coefficients: Array, x: Array) -> Array:
    """``coefficients`` (n + 1,) of the powers 0..n, at ``x`` (any shape)."""
    return jnp.polyval(coefficients[::-1], x)


def ridge(features: Array, target: Array, penalty: Array) -> Array:
    """argmin_b |target - features b|^2 + penalty |b|^2: features (n, d), target (n,), coefficients (d,) (Hoerl and Kennard 1970)."""
    return jnp.linalg.solve(features.T @ features + penalty * jnp.eye(features.shape[1]), features.T @ target)


def gaussian_kernel(x: Array, y: Array, width: Array) -> Array:
    """exp(-|x_i - y_j|^2 / (2 width^2)) of points x (..., n, d) and y (m, d)."""
    return jnp.exp(-jnp.sum((x[..., :, None, :] - y) ** 2, -1) / (2 * width**2))


def kernel_ridge(points: Array, target: Array, penalty: Array, width: Array) -> Array:
    """The function that minimises sum (target - f(point))^2 + penalty |f|^2 in the space of the Gaussian kernel (Saunders, Gammerman and
    Vovk 1998): points (n,) or (n, d), target (n,). Rows (n, 2 + d): the point's weight, the width, and the point."""
    places = points[:, None] if points.ndim == 1 else points
    count = places.shape[0]
    weights = jnp.linalg.solve(gaussian_kernel(places, places, width) + penalty * jnp.eye(count), target)
    return jnp.concatenate([weights[:, None], jnp.broadcast_to(width, (count, 1)), places], axis=1)


def kernel_at_vector(rows: Array, x: Array) -> Array:
    """The function of ``kernel_ridge`` at ``x`` (..., d)."""
    weights, width, places = rows[:, 0], rows[0, 1], rows[:, 2:]
    return gaussian_kernel(x[..., None, :], places, width)[..., 0, :] @ weights


def kernel_at(rows: Array, x: Array) -> Array:
    """The function of ``kernel_ridge`` at numbers ``x`` (any shape)."""
    return kernel_at_vector(rows, x[..., None])


#: The whole value at once: all own axes of its arguments.
WHOLE: Mapping[str, Callable[..., Array]] = {
    "project": project, "faded": faded, "length": lambda raw: jnp.sum(going_on(raw[:, -1])),
    "ridge": ridge, "kernel_ridge": kernel_ridge, "kernel_at": kernel_at, "kernel_at_vector": kernel_at_vector,
    "predictions": lambda rows: kernel_at_vector(rows, rows[:, 2:]),
    "bells": bells, "hidden_layer": hidden_layer, "polynomial": polynomial,
    "swapped": lambda x: jnp.swapaxes(x, 0, 1),
    "rows": lambda heard, message: jnp.broadcast_to(heard[:, None], message.shape),
    "sum": jnp.sum, "mean": jnp.mean, "prod": jnp.prod, "max": jnp.max, "min": jnp.min,
    "norm": lambda x: safe_sqrt(jnp.sum(x**2)), "softmax": lambda x: jax.nn.softmax(x, axis=-1),
    "argmax": lambda x: jnp.argmax(x.reshape(-1)) + 1.0,
}


def _chain(function: Callable[[Array, Array], Array], values: tuple[Array, ...]) -> Array:
    total = values[0]
    for value in values[1:]:
        total = function(total, value)
    return total
