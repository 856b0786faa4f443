"""Fresh nodes at every training step: rules moved by a random shift, so that no policy can learn the nodes.

JAX functions of a shift, uniform on [0, 1) (an entry per variable); everything else is static. Over the shift each
rule is unbiased (the trapezoid rule: to its own accuracy), and each single shift is nearly as accurate as the rule
itself.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jax.typing import ArrayLike

from .cells import TRAPEZOID_REACH


def rotated(points: ArrayLike, shift: ArrayLike) -> jax.Array:
    """Points (n, d) of [0, 1)^d moved by ``shift`` (d,) around the torus (Cranley and Patterson 1976), kept inside
    (0, 1) so that quantiles stay finite. Turns any uniform rule, Sobol points included, into fresh ones."""
    points = jnp.asarray(points)
    edge = jnp.finfo(points.dtype).eps / 2
    return jnp.clip(jnp.mod(points + shift, 1), edge, 1 - edge)


def rotated_normal(points: ArrayLike, shift: ArrayLike, match_moments: bool = True) -> jax.Array:
    """Uniform points (n, d) moved by ``shift`` and mapped to N(0, I), equally weighted; whitened to mean 0 and
    covariance I if ``match_moments`` and there are more points than dimensions."""
    nodes = ndtri(rotated(points, shift))
    n, dimension = nodes.shape
    if not match_moments or not 0 < dimension < n:
        return nodes
    centred = nodes - jnp.mean(nodes, axis=0)
    factor = jnp.linalg.cholesky(centred.T @ centred / n)
    return jax.scipy.linalg.solve_triangular(factor, centred.T, lower=True).T


def shifted_uniform(n: int, shift: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """n strata of [0, 1], one node in each at the same place: nodes (n,) and weights (n,)."""
    shift = jnp.asarray(shift, jnp.result_type(float))
    nodes = (jnp.arange(n, dtype=shift.dtype) + shift) / n
    return nodes, jnp.full((n,), 1 / n, shift.dtype)


def shifted_normal(n: int, shift: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """n equally spaced nodes of N(0, 1) about [-9, 9], moved by ``shift`` of their spacing, weights proportional to the
    density: the trapezoid rule is exponentially accurate wherever its nodes begin. Nodes (n,) and weights (n,)."""
    shift = jnp.asarray(shift, jnp.result_type(float))
    spacing = 2 * TRAPEZOID_REACH / n
    nodes = -TRAPEZOID_REACH + spacing * (jnp.arange(n, dtype=shift.dtype) + shift)
    return nodes, jax.nn.softmax(-0.5 * nodes**2)


def shifted_normal_strata(n: int, shift: ArrayLike) -> tuple[jax.Array, jax.Array]:
    """n cells of equal probability, one node in each at the same rank: nodes (n,) and weights (n,). Rougher than
    ``shifted_normal`` for smooth integrands; no node is wasted on the tails."""
    uniform, weights = shifted_uniform(n, shift)
    edge = jnp.finfo(uniform.dtype).eps / 2
    return ndtri(jnp.clip(uniform, edge, 1 - edge)), weights
