"""Fresh independent samples of all that nature draws, inside of a compiled step."""

from __future__ import annotations

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Random
from ..lower.grid import Grid
from ..lower.plans import sampled_grid
from ..lower.problem import Problem
from ..primitives.distributions import DISTRIBUTIONS


def columns_that_are_normal(problem: Problem) -> int:
    """How many of a scattered grid's columns, the first ones, are normal."""
    grid = sampled_grid(problem, 2, 0)
    return sum(math.prod(shape) for name, _, shape in grid.slots if getattr(
        DISTRIBUTIONS[law_of(problem, name)], "base", "uniform") == "normal")


def law_of(problem: Problem, name: str) -> str:
    site = problem.dependence.sites[name]
    assert isinstance(site, Random)
    return site.distribution


def renewed(grid: Grid, key: Array, normal: int) -> Grid:
    """The grid with independent new samples."""
    assert grid.samples is not None
    count, width = grid.samples.shape
    one, two = jax.random.split(key)
    fresh = jnp.concatenate([jax.random.normal(one, (count, normal), grid.samples.dtype),
                             jax.random.uniform(two, (count, width - normal), grid.samples.dtype, 1e-7, 1 - 1e-7)], axis=1)
    return replace(grid, samples=fresh)
