"""A quick, independent judgement of a profile: every player's cost and the largest regret, over what is at stake."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.expression import Apply, Expression
from ..core.site import Let, Payment, Site
from ..lower.factored import expected
from ..lower.plans import information_grid, natural_grid
from ..lower.problem import Problem
from ..lower.quiet import unheard
from ..lower.resolve import resolution
from ..lower.strategy import BestResponse
from ..lower.variable import Variable, constant, lift
from ..lower.world import World
from .regrets import player_regrets
from .scoring import BUDGET, DENSE, SCRAMBLES, choose_ground, information, sampled

NEGLIGIBLE = 1e-6  # of what is at stake: a regret below it needs no second look
CANCELLED = 0.01  # part of the terms of a payment that counts as at stake where they cancel
MOST_TERMS = 16


@dataclass(frozen=True)
class Judgement:
    """``costs`` by player; ``total``: of the team, of whoever announces first, or their sum, and its numerical ``error``; ``regret``: over
    the stakes, the largest ex ante one or, but for a team, conditional one; ``sharp``: whether all regrets are exact."""

    costs: Mapping[str, float]
    total: float
    regret: float
    sharp: bool
    error: float = 0.0


def judge(problem: Problem, profile: Mapping[str, Any]) -> Judgement:
    """Costs on the finest grid of the scorecard, regrets by best replies at every input."""
    if problem.game.block is not None:
        from .stage_scoring import judged_stages

        return Judgement(*judged_stages(problem, profile))
    left = unheard(problem, profile)
    if left is not None:
        return judge(*left)
    ground = choose_ground(problem, profile, thorough=False)
    worlds = ground.worlds()
    by_world = {p.label: np.asarray([float(problem.paid(w, p)) for w in worlds]) for p in problem.people}
    costs = {k: float(v.mean() if ground.random else v[-1]) for k, v in by_world.items()}
    at_stake = {p.label: stakes(problem, worlds[-1], p.label) for p in problem.people}
    rows, _ = player_regrets(problem, profile)
    parts = []
    leading = {p.label for p in problem.leaders}
    for r in rows:
        who = r.player if r.player in costs else next(iter(costs))  # a member of a large family: its first stands for what is at stake
        if math.isnan(r.ex_ante) and (r.player in leading or math.isfinite(costs[who])):
            continue  # deviations could not be judged: the scorecard says so
        scale = max(at_stake[who], 1e-12)
        # an equilibrium is sequential: replies off the path count; a team has a cost and no threats
        most = r.ex_ante if math.isnan(r.unreached) or problem.is_team else float(np.maximum(r.ex_ante, r.unreached))
        if most > NEGLIGIBLE * scale:
            # whoever is held to nothing (a surplus less the price that takes it all) has what cancels at stake
            scale = max(scale, CANCELLED * stakes(problem, worlds[-1], who, term_by_term=True))
        parts.append(most / scale)
    worst = float(np.max(parts, initial=0.0))  # nan if one of them is
    first = problem.decider(problem.game.decisions[0]).label if problem.game.decisions else ""
    total = costs.get(first, math.nan) if problem.is_team else \
        costs[problem.leaders[0].label] if problem.leaders else sum(costs.values())
    people = [first] if problem.is_team else [problem.leaders[0].label] if problem.leaders else list(costs)
    error = expectation_error(sum((by_world[k] for k in people if k in by_world), np.zeros(len(worlds))), ground.random)
    return Judgement(costs, total, worst if math.isfinite(worst) else math.inf, all(r.exact for r in rows), error)


def expectation_error(values: np.ndarray, random: bool) -> float:
    """The error of an expectation: 95% of what independent samples disagree by, or the change from the coarser grid to the finer."""
    if random:
        return 2.36 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return abs(float(values[-1] - values[0]))


def costlier(problem: Problem, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether a team surely pays more under one profile than under another, on the same nodes: by more than 95% of what independent
    samples of nature disagree by; where somebody replies exactly, by more than the difference changes from a coarser grid to a finer."""
    person = problem.decider(problem.game.decisions[0])
    if problem.game.block is not None:
        from .stage_scoring import surely_more

        return surely_more(problem, a, b, person)
    random = not any(isinstance(s, BestResponse) for s in (*a.values(), *b.values()))
    if random:
        pairs = [(sampled(problem, a, s), sampled(problem, b, s)) for s in range(SCRAMBLES)]
    else:
        fine = resolution(problem, DENSE, BUDGET)
        assert fine is not None  # or nobody could reply exactly
        grids = [information_grid(problem, b, r) for r in (fine.finer(0.5), fine)]
        pairs = [(information(problem, a, g), information(problem, b, g)) for g in grids]
    more = np.asarray([float(problem.paid(x, person) - problem.paid(y, person)) for x, y in pairs])
    return bool((more.mean() if random else more[-1]) > expectation_error(more, random))


def stakes(problem: Problem, world: World, label: str, term_by_term: bool = False) -> float:
    """The root mean square of what a player is charged, payment by payment, or also ``term_by_term`` of the sums that these are."""
    person = next(p for p in problem.people if p.label == label)
    total = 0.0
    for p in problem.pays(person):
        if p.constraint is not None:
            continue
        if not term_by_term:
            total += root_mean_square(world, p)
            continue
        parts = terms(p.cost if p.axes else problem.dependence.inline(p.cost))
        total += sum(root_mean_square(world, replace(p, cost=e)) for e in parts)
    return total


def root_mean_square(world: World, p: Payment) -> float:
    def squared() -> Variable:
        return lift(lambda x: x**2, world.payment(p))

    square = world.expectation(squared()) if p.guards or p.axes else expected(world, Apply("mul", (p.cost, p.cost)), squared)
    return math.sqrt(max(float(jnp.mean(square.data)), 0.0))


def terms(e: Expression) -> tuple[Expression, ...]:
    """The terms of a sum, products of sums multiplied out (not beyond ``MOST_TERMS``)."""
    if not isinstance(e, Apply):
        return (e,)
    if e.function in ("add", "sub", "neg"):
        found = tuple(t for a in e.arguments for t in terms(a))
    elif e.function == "mul":
        left, right = (terms(a) for a in e.arguments)
        found = tuple(Apply("mul", (a, b)) for a in left for b in right)
    else:
        return (e,)
    return found if len(found) <= MOST_TERMS else (e,)


def first_not_finite(problem: Problem) -> Site | None:
    """The first site in time whose value is not finite everywhere when everybody does nothing in particular."""
    if problem.game.block is not None:
        return None  # states are given by the stages
    if problem.game.block is not None:
        return None  # values of a stage are those of states that only a play has
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
