"""What each player pays at every single sample of a trained profile: the ground on which gradients of messages are taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision, Random
from ..learning.fresh import columns_that_are_normal, renewed
from ..learning.smoothing import relax
from ..lower.grid import Grid
from ..lower.plans import sampled_grid
from ..lower.problem import Person, Problem
from ..lower.rollout import SAMPLE
from ..lower.samples import person_cost, resized
from ..lower.strategy import Strategy
from ..lower.world import World


def independent_grid(problem: Problem, samples: int, seed: int) -> Grid:
    """Independent samples of all that nature draws (Sobol points are not independent of each other)."""
    grid = resized(sampled_grid(problem, 2, 0), samples)
    return renewed(grid, jax.random.key(seed), columns_that_are_normal(problem))


def softened(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile as training moves it: a finite decision is a distribution, not yet the likeliest option of it."""
    return {k: replace(s, hard=False) if isinstance(s, Strategy) and s.hard else s for k, s in profile.items()}


def world_of(problem: Problem, profile: Mapping[str, Any], grid: Grid) -> World:
    """The game on a grid in nature's coordinates, finite decisions as distributions, comparisons as at the end of a training."""
    return problem.world(grid, problem.natural, softened(profile), relax(problem, grid, jnp.asarray(1.0)))


def sample_costs(problem: Problem, world: World, people: Iterable[Person], keep: tuple[str, ...] = ()) -> Array:
    """(players, n, *kept): cost of every sample. ``keep``: coordinates of trial values, kept in their order by name."""
    samples = world.grid.sizes[SAMPLE]
    rows = []
    for person in people:
        v = world.expectation(person_cost(problem, world, person), keep=(SAMPLE,))
        missing = tuple(x for x in keep if x not in v.dims)
        data = v.data if not missing else jnp.broadcast_to(v.data[..., None], (*v.data.shape, *(1 for _ in missing)))
        rows.append(jnp.moveaxis(data, v.dims.index(SAMPLE), 0) * samples)
    shape = jnp.broadcast_shapes(*(r.shape for r in rows))
    return jnp.stack([jnp.broadcast_to(r, shape) for r in rows])


def options_of(problem: Problem, world: World, name: str) -> Array | None:
    """The values (K, *own) of a site with finitely many; None for any other."""
    from ..lower.evaluate import evaluate
    from ..primitives.distributions import DISTRIBUTIONS

    site = problem.dependence.sites[name]
    if isinstance(site, Decision) and site.enumerable:
        return jnp.arange(2.0) if site.kind == "bool" else jnp.eye(site.options)
    if isinstance(site, Random) and not site.shape and not site.axes:
        law: Any = DISTRIBUTIONS[site.distribution]
        if law.finite:
            arguments = [evaluate(world, a) for a in site.arguments]
            if site.distribution == "Discrete" and any(a.dims for a in arguments):
                return None
            return jnp.asarray(law.support_values(*(a.data for a in arguments)))
    return None
