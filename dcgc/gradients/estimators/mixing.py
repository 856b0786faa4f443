"""Weights for a mixture of two unbiased gradients, cross-fitted so that the mixture is unbiased too."""

from __future__ import annotations

from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from .baselines import folds_of

Rule = Literal["inverse_variance", "regression"]


def _inverse_variance(pathwise: Array, score: Array, kept: Array) -> tuple[Array, Array]:
    def scatter(rows: Array) -> Array:
        mean = jnp.sum(kept[:, None] * rows, axis=0) / jnp.sum(kept)
        return jnp.sum(kept[:, None] * jnp.square(rows - mean))

    return scatter(score), scatter(pathwise)


def _regression(pathwise: Array, score: Array, kept: Array) -> tuple[Array, Array]:
    difference = kept[:, None] * (pathwise - score)
    return -jnp.sum(score * difference), jnp.sum(pathwise * difference)


_RULES = {"inverse_variance": _inverse_variance, "regression": _regression}


def pathwise_weights(pathwise: Array, score: Array, folds: int, rule: Rule = "inverse_variance") -> Array:
    """(rows,): the weight of each row's pathwise gradient, in [0, 1]; the score gradient has the rest. Both gradients (rows, ...).

    A row's weight comes from the other folds' rows only. ``inverse_variance``: Var score / (Var score + Var pathwise), traces over
    rows (Parmas, Rasmussen, Peters and Doya 2018, total propagation); what differs between situations counts as variance of both and
    pulls the weight towards one half. ``regression``: the same with the covariance taken off both, from E<pathwise, difference>
    and -E<score, difference>: the best weight, and free of what differs between situations because the difference has mean zero in
    each. Unbiased if a fold's gradients do not depend on another fold's noise (use ``mean_of_others_in_fold`` as baseline).
    Raises ValueError if the folds have fewer than two rows.
    """
    rows = pathwise.shape[0]
    fold = folds_of(rows, folds)
    pathwise, score = jax.lax.stop_gradient((pathwise.reshape(rows, -1), score.reshape(rows, -1)))

    def outside(own: Array) -> Array:
        of_score, of_pathwise = _RULES[rule](pathwise, score, (fold != own).astype(pathwise.dtype))
        total = of_score + of_pathwise
        return jnp.where(total > 0, jnp.clip(of_score / jnp.where(total > 0, total, 1.0), 0.0, 1.0), 0.5)

    return jax.vmap(outside)(jnp.arange(folds))[fold]


def mixed(pathwise: Any, score: Any, folds: int, rule: Rule = "inverse_variance") -> Any:
    """The mixture of two pytrees of per-row gradients, leaves (rows, ...); each leaf is a parameter vector with its own weights."""

    def mix(one: Array, other: Array) -> Array:
        weight = pathwise_weights(one, other, folds, rule).reshape(-1, *(1,) * (one.ndim - 1))
        return weight * one + (1 - weight) * other

    return jax.tree.map(mix, pathwise, score)
