"""How much of a stack of gradient estimates is signal: its gradient signal-to-noise ratio, and what it owes to an exact gradient.

All figures are invariant to the order of rows, which must be independent. Gradients are in units of cost per parameter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from .blocks import Naming, rows_by_block
from .jackknife import standard_error


class Signal(NamedTuple):
    """``ratio`` = ``squared_norm`` / ``trace``, of one sample. ``standard_error`` of the ratio. ``squared_norm``: ||E g||^2, unbiased,
    below zero by chance if there is little signal. ``trace``: tr Cov(g) of one sample, unbiased. Scalars all."""

    ratio: Array
    standard_error: Array
    squared_norm: Array
    trace: Array


class Agreement(NamedTuple):
    """The mean gradient against the exact one. ``squared_bias``: ||E g - exact||^2, unbiased, below zero by chance if there is
    none. ``slope``: <E g, exact> / ||exact||^2, one without bias. ``cosine`` of the rows' mean with the exact gradient, noise included;
    ``row_cosine``: the mean of the rows' own. Standard errors by the jackknife. Scalars all."""

    squared_bias: Array
    squared_bias_error: Array
    slope: Array
    slope_error: Array
    cosine: Array
    cosine_error: Array
    row_cosine: Array


class _Moments(NamedTuple):
    """Squared norm of the mean, and per row, with r the row less the mean: ||r||^2 and <mean, r>. They add up over blocks."""

    mean: Array
    residuals: Array
    products: Array


def _moments(rows: Array) -> _Moments:
    mean = jnp.mean(rows, axis=0)
    residuals = rows - mean
    return _Moments(jnp.sum(jnp.square(mean)), jnp.sum(jnp.square(residuals), axis=1), residuals @ mean)


def _without_each(moments: _Moments) -> tuple[Array, Array]:
    """Squared norm of the mean less tr Cov / (n - 1), and tr Cov; (n,) each, with the row left out."""
    n = moments.residuals.shape[0]
    trace = (jnp.sum(moments.residuals) - moments.residuals * n / (n - 1)) / (n - 2)
    mean = moments.mean - 2 * moments.products / (n - 1) + moments.residuals / (n - 1) ** 2
    return mean - trace / (n - 1), trace


def _debiased(moments: _Moments) -> tuple[Array, Array]:
    n = moments.residuals.shape[0]
    trace = jnp.sum(moments.residuals) / (n - 1)
    return moments.mean - trace / n, trace


def _signal(moments: _Moments, batch: int) -> Signal:
    squared, trace = _debiased(moments)
    squares, traces = _without_each(moments)
    return Signal(squared / trace / batch, standard_error(squares / traces) / batch, squared, trace * batch)


def _total(parts: list[_Moments]) -> _Moments:
    return jax.tree.map(lambda *leaves: sum(leaves), *parts)


def _at_least_three(rows: int) -> None:
    if rows < 3:
        raise ValueError(f"a standard error by the jackknife needs three rows or more, not {rows}")


def signals(gradients: Any, batch: int = 1, block: Naming | None = None) -> dict[str, Signal]:
    """The signal of each block of a pytree with leaves (n, ...): per leaf, or by the names that ``block`` gives the leaves' paths.

    ``batch``: how many samples each row is the mean of; ratio and trace are still those of one sample.
    Raises ValueError for fewer than three rows."""
    found = {name: _total([_moments(leaf) for leaf in leaves]) for name, leaves in rows_by_block(gradients, block).items()}
    _at_least_three(next(iter(found.values())).residuals.shape[0])
    return {name: _signal(moments, batch) for name, moments in found.items()}


def signal(gradients: Any, batch: int = 1) -> Signal:
    """The signal of all leaves together: ||E g||^2 / tr Cov(g), with the bias tr Cov(g) / n of the mean's squared norm taken off."""
    return signals(gradients, batch, lambda path: "")[""]


def agreements(gradients: Any, exact: Any, block: Naming | None = None) -> dict[str, Agreement]:
    """Each block's rows (n, ...) against an exact gradient, a pytree of the same structure with leaves (...).

    Raises ValueError for fewer than three rows or another structure."""
    shapes: list[Any] = [jax.tree.structure(gradients), jax.tree.structure(exact)]
    if shapes[0] != shapes[1]:
        raise ValueError("the exact gradient has another structure than the gradients")
    against = rows_by_block(jax.tree.map(lambda leaf: leaf[None], exact), block)
    return {
        name: _agreement(jnp.concatenate(leaves, axis=1), jnp.concatenate(against[name], axis=1)[0])
        for name, leaves in rows_by_block(gradients, block).items()
    }


def agreement(gradients: Any, exact: Any) -> Agreement:
    """All leaves together, see ``agreements``."""
    return agreements(gradients, exact, lambda path: "")[""]


def _agreement(rows: Array, exact: Array) -> Agreement:
    n = rows.shape[0]
    _at_least_three(n)
    off = _moments(rows - exact)
    size = jnp.linalg.norm(exact)
    along = rows @ exact
    mean_along, means_along = jnp.mean(along), (jnp.sum(along) - along) / (n - 1)
    own = _moments(rows)
    norms = jnp.sqrt(own.mean - 2 * own.products / (n - 1) + own.residuals / (n - 1) ** 2)
    return Agreement(
        squared_bias=_debiased(off)[0],
        squared_bias_error=standard_error(_without_each(off)[0]),
        slope=mean_along / size**2,
        slope_error=standard_error(means_along / size**2),
        cosine=mean_along / (size * jnp.sqrt(own.mean)),
        cosine_error=standard_error(means_along / (size * norms)),
        row_cosine=jnp.mean(along / (size * jnp.linalg.norm(rows, axis=1))),
    )
