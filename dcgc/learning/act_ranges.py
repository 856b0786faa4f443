"""Between what real acts are looked for when moves are solved the last first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jax import Array

from .moves import MoveSolver


def act_ranges(solvers: Sequence[MoveSolver], wide: Mapping[str, list[float]], given: Mapping[str, Array]) -> dict[str, Array]:
    """(2,) for every real act, first moves first: its bounds at all inputs, on an open side what ``wide`` has. ``given``: of states."""
    out = dict(given)
    for solver in reversed(solvers):
        reals = [d for d in solver.decisions if not d.finite]
        if not reals:
            continue
        base = solver.world({}, out)
        shape = tuple(solver.size(base, x) for x in solver.dims)
        for d in reals:
            out[d.name] = jnp.asarray(wide[d.name])
        for d in reals:
            low, high = solver.bounds(base, d, out, shape)
            a = wide[d.name][0] if d.low is None else float(low.min())
            b = wide[d.name][1] if d.high is None else float(high.max())
            out[d.name] = jnp.asarray([a, b if b > a else a + 1.0])
    return out
