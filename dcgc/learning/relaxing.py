"""How jumps are relaxed while networks are trained, and one start out of a stack of them."""

from __future__ import annotations

import jax
from jax import Array

from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..primitives.relaxations import Relaxation


def pick(stacked: Strategy, r: int) -> Strategy:
    """The strategy of the r-th start."""
    return jax.tree.map(lambda x: x[r], stacked)


def relax(problem: Problem, grid: Grid, progress: Array) -> Relaxation:
    """Jumps: spread over cells on a product grid, a logistic step that sharpens on scattered nodes."""
    if not problem.has_steps:
        return Relaxation("exact")
    if grid.scattered:
        return Relaxation("sigmoid", temperature=0.3 * (0.02 / 0.3) ** progress)  # type: ignore[arg-type]
    return Relaxation("cells")
