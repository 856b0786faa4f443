"""First-order conditions of stages solved backward: the coefficients of the last stage, then those of the one before, and so on.

What a policy of stage t does best depends on later policies, and in linear-quadratic games on no others: one sweep then ends at the
solution. Newton's method on all stages at once from afar is drawn to policies under which later states do not vary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from ..lower.problem import Problem
from ..lower.strategy import stage_of_combinations

DAMPING = 1e-6


def places_by_stage(problem: Problem, example: Mapping[str, Array]) -> np.ndarray | None:
    """(stages, n) where each stage's coefficients stand in the vector of all of them; None where a policy serves several stages."""
    block = problem.game.block
    assert block is not None
    marked = {}
    for k, v in example.items():
        d = problem.groups[k][0]
        stages = stage_of_combinations(d, block.binder) if d.repeated else None
        if stages is None:
            return None
        marked[k] = jnp.broadcast_to(jnp.asarray(stages, float).reshape(-1, *(1,) * (v.ndim - 1)), v.shape)
    order = np.asarray(ravel_pytree(marked)[0]).round().astype(int)
    rows = [np.flatnonzero(order == t) for t in range(order.max() + 1)]
    return np.stack(rows) if len({len(r) for r in rows}) == 1 else None


def backward(residual: Callable[[Array], Array], theta: Array, places: np.ndarray, rounds: int = 1) -> Array:
    """One sweep (or more): ``rounds`` Newton steps on each stage's own conditions, the last stage first."""
    n, width = theta.shape[0], places.shape[1]

    def step(theta: Array, own: Array) -> tuple[Array, None]:
        f = residual(theta)[own]
        directions = jax.vmap(lambda i: jnp.zeros(n).at[own[i]].set(1.0))(jnp.arange(width))
        j = jax.lax.map(lambda e: jax.jvp(residual, (theta,), (e,))[1][own], directions).T
        j = j + DAMPING * jnp.max(jnp.abs(jnp.diagonal(j))) * jnp.eye(width)
        move = -jnp.linalg.solve(j, f)
        return theta.at[own].add(jnp.where(jnp.all(jnp.isfinite(move)), move, 0.0)), None

    order = jnp.asarray(np.repeat(places[::-1], rounds, axis=0))
    return jax.jit(lambda t: jax.lax.scan(step, t, order)[0])(theta)


def alike_in_all_stages(problem: Problem, frames: Mapping[str, Array], example: Mapping[str, Array],
                        ) -> tuple[Callable[[Array], Array], int] | None:
    """Policies that do the same in all stages as a linear map from fewer coefficients, and their number. ``frames``: as in
    ``stage_coordinates``. None where a policy does not know the stage."""
    block = problem.game.block
    assert block is not None
    groups, shapes = {}, {}
    for k, v in example.items():
        d = problem.groups[k][0]
        stages = stage_of_combinations(d, block.binder) if d.repeated else None
        if stages is None:
            return None
        rest = np.zeros(len(stages), int)  # the number of the combination of all other finite inputs
        for t in np.unique(stages):
            rest[stages == t] = np.arange((stages == t).sum())
        groups[k] = (rest, jnp.linalg.inv(frames[k]))
        shapes[k] = jnp.zeros((rest.max() + 1, *v.shape[1:]))
    flat, restore = ravel_pytree(shapes)

    def spread(few: Array) -> Array:
        plain = restore(few)
        return ravel_pytree({k: jnp.einsum("cki,cji->ckj", plain[k][rest], inverse) for k, (rest, inverse) in groups.items()})[0]

    return spread, flat.shape[0]
