"""Affine policies in coordinates in which what is decided varies by the same amount in every direction.

A stage's state hardly varies given the stage: slopes and levels of a plain affine policy are then all but collinear. With features
z = (standardised inputs, 1), and G = E[z z^T] over what a combination of finite inputs sees when everybody does nothing in particular, the
coefficients are W phi with W W^T = G^-1: a unit of phi moves the decision by a unit (root mean square).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.problem import Problem
from ..lower.stages import Stages, horizon
from ..lower.strategy import Strategy, inputs
from ..lower.variable import expand, union
from .starting import neutral_rule

FLAT = 1e-9  # of the largest eigenvalue: a direction in which nothing varies
SEEN = 400_000  # situations


@dataclass(frozen=True)
class Coordinates:
    """``frames`` (combinations, d + 1, d + 1) by group, ``policies``: the strategies whose coefficients are replaced."""

    frames: Mapping[str, Array]
    policies: Mapping[str, Strategy]

    def profile(self, phi: Mapping[str, Array]) -> dict[str, Strategy]:
        """The policies of coordinates (combinations, k, d + 1) by group."""
        out = {}
        for k, s in self.policies.items():
            coefficients = jnp.einsum("ckj,cij->cki", phi[k], self.frames[k])
            out[k] = eqx.tree_at(lambda x: (x.policy.gains, x.policy.offsets), s, (coefficients[..., :-1], coefficients[..., -1]))
        return out

    def gradient(self, gradients: Mapping[str, Any]) -> dict[str, Array]:
        """Gradients by the policies' coefficients as gradients by coordinates."""
        out = {}
        for k, g in gradients.items():
            own = jnp.concatenate([g.policy.gains, g.policy.offsets[..., None]], -1)
            out[k] = jnp.einsum("cki,cij->ckj", own, self.frames[k])
        return out

    def place(self) -> dict[str, Array]:
        """The coordinates of the policies themselves."""
        own = {k: jnp.concatenate([s.policy.gains, s.policy.offsets[..., None]], -1) for k, s in self.policies.items()}  # type: ignore[attr-defined]
        return {k: jnp.einsum("cki,cji->ckj", own[k], jnp.linalg.inv(self.frames[k])) for k in own}

    def start(self, key: Array) -> dict[str, Array]:
        """Coordinates of random policies with small slopes: large ones make the states explode."""
        out = {}
        for i, (k, s) in enumerate(self.policies.items()):
            d = s.location.shape[0]
            size = jnp.asarray([0.05] * d + [0.5])
            plain = size * jax.random.normal(jax.random.fold_in(key, i), (*s.policy.offsets.shape, d + 1))  # type: ignore[attr-defined]
            out[k] = jnp.einsum("cki,cji->ckj", plain, jnp.linalg.inv(self.frames[k]))
        return out


def coordinates(problem: Problem, stages: Stages, policies: Mapping[str, Strategy], seed: int,
                moves: Mapping[str, Array], played: bool = False) -> Coordinates:
    """The frames from plays in which everybody does nothing in particular (or, ``played``, follows the policies), and states are moved."""
    members = max((np.prod([a.size for a in d.axes]) for d in problem.game.decisions), default=1)
    length = horizon(problem)
    plays = int(np.clip(SEEN // (length * members), 4, 64))
    rules = {d.name: policies[problem.leader_of[d.name]] if played else neutral_rule for d in problem.game.decisions}
    world = stages.situations(rules, jax.random.key(seed + 29), plays * length, plays, moves)
    outside = stages.around(rules, jax.random.key(seed + 31)) if any(not d.repeated for d in problem.game.decisions) else world
    frames = {}
    for k, s in policies.items():
        d = problem.groups[k][0]
        index, reals = inputs(world if d.repeated else outside, d)
        dims = union([index, reals])
        shape = tuple(next(v.size(x) for v in (index, reals) if x in v.dims) for x in dims)
        at = np.broadcast_to(np.asarray(expand(index, dims, 0)), shape).reshape(-1).astype(int)
        x = np.broadcast_to(np.asarray(expand(reals, dims, 1)), (*shape, reals.own[0])).reshape(at.size, -1)
        z = np.concatenate([(x - np.asarray(s.location)) / np.asarray(s.scale), np.ones((at.size, 1))], 1)
        frames[k] = jnp.asarray(framed(at, z, s.policy.offsets.shape[0]))  # type: ignore[attr-defined]
    return Coordinates(frames, policies)


def framed(at: np.ndarray, z: np.ndarray, combinations: int) -> np.ndarray:
    """(combinations, n, n): W of each combination; of one that was never seen that of all together."""
    width = z.shape[1]
    sums = np.zeros((combinations, width, width))
    for i in range(width):
        for j in range(width):
            sums[:, i, j] = np.bincount(at, z[:, i] * z[:, j], combinations)
    counts = np.bincount(at, minlength=combinations).astype(float)
    pooled = sums.sum(0) / max(counts.sum(), 1.0)
    gram = np.where(counts[:, None, None] > 0, sums / np.maximum(counts, 1.0)[:, None, None], pooled)
    values, vectors = np.linalg.eigh(gram)
    largest = values[:, -1:]
    return vectors / np.sqrt(np.where(values > FLAT * largest, values, largest))[:, None, :]
