"""How fine a grid in information coordinates a budget of points allows."""

from __future__ import annotations

from dataclasses import replace

from .plans import Resolution, widest
from .problem import Problem

ENOUGH = (32, 40, 64, 17)  # nodes that smooth work needs of each kind: what has most in excess is coarsened first
LEAST = (14, 10, 24, 9)  # a hidden draw with fewer nodes than its law has features would be learned by heart


def resolution(problem: Problem, wanted: Resolution, budget: int, figures: bool = False) -> Resolution | None:
    """The wanted resolution, coarsened until the widest expectation (with ``figures``: of measures, too) fits the budget; None if even
    the coarsest does not."""
    sizes = [wanted.hidden, wanted.seen, wanted.observation, wanted.derived]
    while widest(problem, Resolution(*sizes, wanted.cells), figures) > budget:
        able = [i for i in range(4) if sizes[i] > LEAST[i]]
        if not able:
            return None
        i = max(able, key=lambda k: sizes[k] / ENOUGH[k])
        sizes[i] = max(LEAST[i], int(0.9 * sizes[i]))
    return Resolution(*sizes, wanted.cells)


def with_observation(r: Resolution, n: int) -> Resolution:
    return replace(r, observation=n)
