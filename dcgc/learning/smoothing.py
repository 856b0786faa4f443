"""How comparisons are smoothed while one trains."""

from __future__ import annotations

from jax import Array

from ..lower.grid import Grid
from ..lower.problem import Problem
from ..primitives.relaxations import Relaxation

WARM, COLD = 0.3, 0.02  # temperatures of the logistic step at first and in the end


def temperature(progress: Array | float) -> Array | float:
    """Of the logistic step, in units of the spread of what is compared, after a part ``progress`` of the training."""
    return WARM * (COLD / WARM) ** progress


def relax(problem: Problem, grid: Grid, progress: Array | float) -> Relaxation:
    """Jumps: spread over cells on a product grid, a logistic step that sharpens on scattered nodes."""
    if not problem.has_steps:
        return Relaxation("exact")
    if grid.scattered:
        return Relaxation("sigmoid", temperature=temperature(progress))  # type: ignore[arg-type]
    return Relaxation("cells")


LOGISTIC = f"relaxed to a logistic step, annealed from {WARM:g} to {COLD:g} of the spread of what is compared"


def way_of_steps(grid: Grid) -> str:
    """The same in words."""
    if grid.scattered:
        return LOGISTIC
    return "integrated over cells (the part of each cell in which it holds); no temperature"
