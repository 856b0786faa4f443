"""A player's own gradient: its cost differentiated in its own policy, everybody else's (a twin's too) held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from ..core.expression import references
from ..core.site import Decision
from ..information.reduction import Reduction
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Deviator, Strategy
from ..lower.world import TREMBLING
from ..policies.heads import BoundedHead
from ..primitives.relaxations import Relaxation


def projecting(s: Any) -> Any:
    """A strategy that is not the one to move: at a bound its derivative is zero, with no way back (see ``heads.returning_clip``)."""
    if isinstance(s, Strategy) and isinstance(s.head, BoundedHead):
        return replace(s, head=replace(s.head, mode="projection"))
    return s


def trembling(problem: Problem, d: Decision) -> frozenset[str]:
    """Earlier real decisions that ``d`` sees with no noise between: it must reply to whatever they are."""
    information = problem.reduction.information.get(d.name)
    out: set[str] = set()
    for dim in information.dims if information is not None else ():
        c = problem.reduction.coordinates[dim]
        if c.role == "derived" and c.observed is not None:
            out |= {x for x in references(c.observed) if isinstance(problem.dependence.sites[x], Decision)}
    return frozenset(x for x in out if not problem.dependence.sites[x].finite)  # type: ignore[attr-defined]


def with_trembles(grid: Grid, names: frozenset[str], scale: float = 1.0) -> Grid:
    """The grid with a three-point coordinate for the error of each hand."""
    nodes, weights, shape = dict(grid.nodes), dict(grid.weights), list(grid.shape)
    for name in sorted(names):
        nodes[TREMBLING + name] = scale * jnp.asarray([-1.0, 0.0, 1.0]) * 3**0.5
        weights[TREMBLING + name] = jnp.asarray([1 / 6, 2 / 3, 1 / 6])
        shape.append((TREMBLING + name, 3))
    return Grid(nodes, weights, grid.samples, tuple(shape), grid.observed, grid.continuous, grid.slots)


def own_gradient(problem: Problem, grid: Grid, profile: Mapping[str, Any], d: Decision,
                 reduction: Reduction | None = None, relaxation: Relaxation | None = None,
                 stopped: frozenset[str] = frozenset()) -> Strategy:
    """d J / d (the policy of one decision), J its player's cost, every other policy (a twin's too) held fixed. ``stopped``: sites through
    which no gradient goes back."""
    kept = {k: projecting(s) for k, s in profile.items()}
    trembles = trembling(problem, d)
    full = with_trembles(grid, trembles) if trembles else grid

    def cost(own: Strategy) -> Array:
        world = problem.world(full, reduction or problem.natural, kept, relaxation, stopped=stopped)
        world.rules = {**world.rules, d.name: own if not d.axes else Deviator(own, kept[problem.leader_of[d.name]])}
        world.trembles = trembles
        return problem.cost(world, problem.decider(d))

    return eqx.filter_grad(cost)(profile[problem.leader_of[d.name]])


