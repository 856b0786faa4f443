"""Every player's own gradient, estimated where values are drawn by the estimators that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
from jax import Array

from ..lower.grid import Grid
from ..lower.problem import Person, Problem
from ..lower.samples import with_samples
from ..lower.variable import Variable
from ..lower.world import World
from ..source import GameError
from .estimated import draws_of, estimated_cost
from .objective import Objective, first_span, misfit
from .own import projecting

LEAST = 8  # situations of a step: baselines and folds need others


def situations_of(problem: Problem, objective: Objective, plays: int) -> int:
    """How many situations a step of so many plays has. Raises GameError (L007) if they are too few."""
    draws = draws_of([objective.chosen(s) for s in objective.sites])
    if plays // draws < LEAST:
        raise GameError((misfit(f"{plays} plays a step are too few for an estimator that plays every situation {draws} times",
                                first_span(problem), f"give at least {LEAST * draws}"),))
    return plays // draws


def estimated_gradient(problem: Problem, objective: Objective, samples: Grid, key: Array, trained: Mapping[str, Any],
                       fixed: Mapping[str, Any], others: Mapping[str, Any], progress: Array, *, together: bool,
                       charge: Callable[[World], Variable] | None = None, parameters: Mapping[str, Array] | None = None) -> dict[str, Any]:
    """By group. ``samples``: fresh ones, as many as there are plays; ``key``: of the noise at the sites. ``others``: rules and multipliers
    that are not trained. ``together``: all who decide pay the same, and one backward pass has everybody's gradient, summed over those
    who share a policy; else it is their mean. ``charge``: see ``estimated_cost``."""
    assert samples.samples is not None
    grid = with_samples(samples, samples.samples[:situations_of(problem, objective, samples.samples.shape[0])])
    named = {d.name: d for d in problem.game.decisions}

    def cost(rules: Mapping[str, Any], person: Person, stopped: frozenset[str]) -> Array:
        return estimated_cost(problem, rules, grid, key, objective.sites, objective.chosen, person, progress, charge=charge, held=True,
                              stopped=stopped, parameters=parameters)

    stops = {n: objective.stopped(problem, d) for n, d in named.items()}
    out: dict[str, Any] = {}
    if together:
        person = problem.decider(problem.game.decisions[0])
        for stopped in dict.fromkeys(stops[k] for k in trained):
            shared = jax.grad(lambda moving, stopped=stopped: cost(
                {**eqx.combine(moving, dict(fixed)), **others}, person, stopped))(dict(trained))
            out.update({k: shared[k] for k in trained if stops[k] == stopped})
        return out
    profile = {k: projecting(s) for k, s in {**eqx.combine(dict(trained), dict(fixed)), **others}.items()}
    for k in trained:
        parts = [jax.grad(lambda moving, d=d, k=k: cost(
            {**profile, d.name: eqx.combine(moving, fixed[k])}, problem.decider(d), stops[d.name]))(trained[k])
            for d in problem.groups[k]]
        out[k] = jax.tree.map(lambda *g: sum(g[1:], g[0]) / len(g), *parts)
    return out
