"""How comparisons are smoothed while one trains."""

from __future__ import annotations

from jax import Array

from ..lower.grid import Grid
from ..lower.problem import Problem
from ..primitives.relaxations import Relaxation


def relax(problem: Problem, grid: Grid, progress: Array) -> Relaxation:
    """Jumps: spread over cells on a product grid, a logistic step that sharpens on scattered nodes."""
    if not problem.has_steps:
        return Relaxation("exact")
    if grid.scattered:
        return Relaxation("sigmoid", temperature=0.3 * (0.02 / 0.3) ** progress)  # type: ignore[arg-type]
    return Relaxation("cells")
