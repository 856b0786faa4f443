"""Expectations given some coordinates, whatever the probability of these."""

from __future__ import annotations

from .variable import Variable, contract, union
from .world import World


def given(world: World, v: Variable, keep: tuple[str, ...]) -> Variable:
    """E of a variable given ``keep``: the weights of what is not known."""
    pending, seen, factors = list(v.dims), set(keep), []
    while pending:
        dim = pending.pop()
        if dim not in seen and dim in world.grid.sizes:
            seen.add(dim)
            factors.append(world.factor(dim))
            pending.extend(factors[-1].dims)
    outside = tuple(x for x in union([v, *factors]) if x not in world.grid.sizes)
    return contract([v, *factors], (*keep, *outside))
