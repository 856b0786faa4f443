"""A quick, independent judgement of a profile: every player's cost and the largest regret, over what is at stake."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.site import Let, Payment, Site
from ..lower.plans import natural_grid
from ..lower.problem import Problem
from ..lower.variable import constant, lift
from ..lower.world import World
from .regrets import player_regrets
from .scoring import choose_ground


@dataclass(frozen=True)
class Judgement:
    """``costs`` by player; ``total``: of the team, of whoever announces first, or their sum; ``regret``: over the stakes, the largest ex
    ante one or, but for a team, conditional one; ``sharp``: whether all regrets are exact."""

    costs: Mapping[str, float]
    total: float
    regret: float
    sharp: bool


def judge(problem: Problem, profile: Mapping[str, Any]) -> Judgement:
    """Costs on the finest grid of the scorecard, regrets by best replies at every input."""
    if problem.game.block is not None:
        from .stage_scoring import judged_stages

        return Judgement(*judged_stages(problem, profile))
    ground = choose_ground(problem, profile, thorough=False)
    worlds = ground.worlds() if ground.random else ground.worlds()[-1:]
    costs = {p.label: float(np.mean([float(problem.paid(w, p)) for w in worlds])) for p in problem.people}
    at_stake = {p.label: stakes(problem, worlds[-1], p.label) for p in problem.people}
    rows, _ = player_regrets(problem, profile)
    parts = []
    leading = {p.label for p in problem.leaders}
    for r in rows:
        if r.player in leading and math.isnan(r.ex_ante):
            continue  # other announcements could not be judged: the scorecard says so
        scale = max(at_stake.get(r.player, 1.0), 1e-12)
        parts.append(r.ex_ante / scale)
        if not math.isnan(r.unreached) and not problem.is_team:
            parts.append(r.unreached / scale)  # an equilibrium is sequential: replies off the path count; a team has a cost and no threats
    worst = max(parts, default=0.0)
    first = problem.decider(problem.game.decisions[0]).label if problem.game.decisions else ""
    total = costs.get(first, math.nan) if problem.is_team else \
        costs[problem.leaders[0].label] if problem.leaders else sum(costs.values())
    return Judgement(costs, total, worst if math.isfinite(worst) else math.inf, all(r.exact for r in rows))


def stakes(problem: Problem, world: World, label: str) -> float:
    """The root mean square of what a player is charged, payment by payment."""
    person = next(p for p in problem.people if p.label == label)
    total = 0.0
    for p in problem.pays(person):
        if p.constraint is not None:
            continue
        value = world.payment(p)
        square = world.expectation(lift(lambda x: x**2, value))
        total += math.sqrt(max(float(jnp.mean(square.data)), 0.0))
    return total


def first_not_finite(problem: Problem) -> Site | None:
    """The first site in time whose value is not finite everywhere when everybody does nothing in particular."""
    grid, _ = natural_grid(problem, 2000, largest=7, samples=64)
    rules = {k: (lambda world, d: constant(jnp.zeros(d.shape) if not d.finite else
                                           jnp.full((d.options,), 1.0 / d.options))) for k in problem.groups}
    world = problem.world(grid, problem.natural, rules)
    for site in problem.game.sites:
        if isinstance(site, (Let, Payment)):
            value = world.payment(site) if isinstance(site, Payment) else world.value(site.name)
            if not bool(jnp.all(jnp.isfinite(value.data))):
                return site
    return None
