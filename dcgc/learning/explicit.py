"""Exact best responses written out as policies, for whoever needs a function that can be called anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..lower.plans import Resolution, information_grid
from ..lower.problem import Problem
from ..lower.resolve import resolution
from ..lower.strategy import BestResponse
from ..primitives.relaxations import Relaxation
from .tables import as_table, to_strategy

FINE = Resolution(hidden=160, seen=800, observation=800, derived=65, cells=True)
BUDGET = 1_000_000


def explicit(problem: Problem, profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile with every best response as a lattice of its values."""
    replies = [k for k, s in profile.items() if isinstance(s, BestResponse)]
    if not replies:
        return dict(profile)
    fine = resolution(problem, FINE, BUDGET)
    assert fine is not None, "a best response was found on a grid"
    grid = information_grid(problem, profile, fine)
    world = problem.world(grid, problem.reduction, profile, Relaxation("cells"))
    out = dict(profile)
    for k in replies:
        d = problem.groups[k][0]
        table = as_table(problem, d, world.choice(d.name), grid)
        out[k] = to_strategy(problem, world, d, np.asarray(table), False, False)
    return out
