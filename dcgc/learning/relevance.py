"""What matters downstream: how much each token that a policy attends to moves what its player pays.

The relevance of token j is |<dJ/dm_j, m_j>| averaged over plays, m_j the token's reals as the policy sees them (standardised): to first
order, what replacing the token by its mean would cost. A gradient-aware transformer attends with a prior in proportion to it. It is
measured on plays of its own between the chunks of a training and averaged over them, and is a constant afterwards: no gradient of the
play at hand ever enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.plans import sampled_grid
from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..lower.variable import Variable
from ..lower.world import World
from ..policies.transformer import Transformer
from .smoothing import relax
from .starting import pick
from .sweep_engine import cached

PLAYS = 512
KEPT = 0.5  # of the earlier average, a chunk


def aware(strategies: Mapping[str, Strategy]) -> tuple[str, ...]:
    """The groups whose policies attend by relevance."""
    return tuple(k for k, s in strategies.items() if isinstance(s.policy, Transformer) and s.policy.gradient_aware)


class Nudged(eqx.Module):
    """A strategy whose standardised real inputs are moved a little, play by play: the zero by whose cotangent they are tapped."""

    strategy: Strategy
    nudge: Array

    def __call__(self, world: World, d: Decision) -> Variable:
        return self.strategy.moved(world, d, Variable(("sample",), self.nudge))


def measured(problem: Problem, profile: Mapping[str, Any], groups: tuple[str, ...], grid: Grid) -> dict[str, Array]:
    """By group: the relevance (tokens,) of what its policy reads, on scattered plays."""
    relaxation = relax(problem, grid, jnp.asarray(1.0))
    found = {}
    for k in groups:
        d, strategy = problem.groups[k][0], profile[k]
        policy = strategy.policy
        plays, width = grid.sizes["sample"], strategy.location.shape[0]

        def cost(nudge: Array, d: Decision = d, strategy: Strategy = strategy) -> tuple[Array, Variable]:
            world = problem.world(grid, problem.natural, profile, relaxation)
            world.rules = {**world.rules, d.name: Nudged(strategy, nudge)}
            return problem.cost(world, problem.decider(d)), strategy.standardised(world, d)

        gradient, seen = jax.grad(cost, has_aux=True)(jnp.zeros((plays, width)))
        tokens = by_play(seen, plays)
        parts, start = [], 0
        for count, size in policy.layout:
            product = (gradient * tokens)[:, start:start + count * size].reshape((plays, count, size))
            parts.append(jnp.sum(jnp.abs(jnp.sum(product, -1)), 0))
            start += count * size
        found[k] = jnp.concatenate(parts)
    return found


def by_play(v: Variable, plays: int) -> Array:
    """A vector (width,) at every play, the mean over whatever else it depends on: (plays, width)."""
    data = v.data if "sample" in v.dims else jnp.broadcast_to(v.data, (plays, *v.data.shape))
    data = jnp.moveaxis(data, v.dims.index("sample"), 0) if "sample" in v.dims else data
    return jnp.mean(data.reshape((plays, -1, data.shape[-1])), axis=1)


def attended(problem: Problem, strategies: Mapping[str, Strategy], others: Mapping[str, Any], seed: int,
             first: bool) -> dict[str, Strategy]:
    """Stacked strategies with the relevances of now averaged in; as they are where nobody attends by relevance."""
    groups = aware(strategies)
    if not groups:
        return dict(strategies)

    def build() -> Any:
        def of_one(grid: Grid, one: Mapping[str, Strategy]) -> dict[str, Array]:
            return measured(problem, {**one, **others}, groups, grid)

        return jax.jit(of_one)

    run = cached(problem, ("relevance", groups), build)
    grid = sampled_grid(problem, PLAYS, seed)
    out = dict(strategies)
    restarts = len(jax.tree.leaves(strategies[groups[0]])[0])
    found = [run(grid, {k: pick(s, r) for k, s in strategies.items()}) for r in range(restarts)]
    for k in groups:
        policy = strategies[k].policy
        assert isinstance(policy, Transformer)
        now = jnp.stack([f[k] for f in found])
        now = now / jnp.maximum(jnp.sum(now, -1, keepdims=True), 1e-30)
        before = policy.relevance / jnp.maximum(jnp.sum(policy.relevance, -1, keepdims=True), 1e-30)
        mixed = now if first else KEPT * before + (1 - KEPT) * now
        good = jnp.all(jnp.isfinite(mixed), -1, keepdims=True)
        out[k] = replace(strategies[k], policy=policy.with_relevance(jnp.where(good, mixed, before)))
    return out
