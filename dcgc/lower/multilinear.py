"""Choices in which what is paid is linear: their expectation is taken by putting probabilities in their place.

A payment such as 1 - first[a] * second[b] is linear in each of two independent choices, so that its expectation over all pairs of
options is its value at the two laws: no sum over pairs is needed. Whether it is so is found by trying: the sum over all options and the
value at random laws agree, at random draws, only if it is (up to rounding).
"""

from __future__ import annotations

import math

import jax
import numpy as np

from .problem import Problem
from .variable import Variable
from .world import law_as_value

MOST_OPTIONS = 64  # of all finite decisions together: fewer are summed over as they are
LARGEST = 40_000
TRIED = 6
AGREEMENT = 1e-9


def multilinear(problem: Problem) -> frozenset[str]:
    """The finite decisions that need no coordinate on scattered samples: all of them, or none."""
    return problem.once("multilinear", _find)  # type: ignore[no-any-return]


def _find(problem: Problem) -> frozenset[str]:
    from .plans import sampled_grid

    chosen = [d for d in problem.game.decisions if d.enumerable and d.channel is None]
    count = math.prod(d.options for d in chosen)
    if not MOST_OPTIONS < count <= LARGEST or any(problem.dependence.observers(d.name) for d in chosen):
        return frozenset()
    if any(d.enumerable and d.channel is not None for d in problem.game.decisions):
        return frozenset()
    grid = sampled_grid(problem, TRIED, 3, summed=frozenset())
    key = jax.random.key(0)
    laws = {}
    for i, d in enumerate(problem.game.decisions):
        draw = jax.random.normal(jax.random.fold_in(key, i), (TRIED, *(d.shape if d.kind != "bool" else (2,))))
        laws[d.name] = Variable(("sample",), jax.nn.softmax(draw, -1) if d.finite else draw)
    rules = {d.name: (lambda world, site: laws[site.name]) for d in problem.game.decisions}
    world = problem.world(grid, problem.natural, rules)
    relaxed = world.vary({d.name: law_as_value(d.kind, laws[d.name]) for d in chosen})
    for p in problem.game.payments:
        one, two = world.expectation(world.payment(p)), relaxed.expectation(relaxed.payment(p))
        if not np.allclose(np.asarray(one.data), np.asarray(two.data), rtol=AGREEMENT, atol=AGREEMENT):
            return frozenset()
    return frozenset(d.name for d in chosen)
