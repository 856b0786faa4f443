"""How fine a grid in information coordinates a budget of points allows."""

from __future__ import annotations

from dataclasses import replace

from .plans import Resolution, widest
from .problem import Problem

LEAST = Resolution(hidden=5, seen=10, observation=24, derived=9)


def resolution(problem: Problem, wanted: Resolution, budget: int) -> Resolution | None:
    """The wanted resolution, coarsened evenly until the widest expectation fits the budget; None if even the coarsest does not."""
    now = wanted
    for _ in range(60):
        if widest(problem, now) <= budget:
            return now
        smaller = Resolution(*(max(least, int(0.9 * n)) for n, least in zip(
            (now.hidden, now.seen, now.observation, now.derived),
            (LEAST.hidden, LEAST.seen, LEAST.observation, LEAST.derived), strict=True)), now.cells)
        if smaller == now:
            return None
        now = smaller
    return None


def with_observation(r: Resolution, n: int) -> Resolution:
    return replace(r, observation=n)
