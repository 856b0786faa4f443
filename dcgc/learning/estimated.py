"""A player's cost on a batch, estimated so that its derivative is the estimator's gradient.

Every situation (what nature draws, but for the noise of messages) is played ``draws`` times. The message sites draw their values one
after the other, each given the earlier ones; decisions are summed out. The scores of all sites multiply the same cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..gradients.estimators import Drawn, Estimator
from ..gradients.estimators.enumeration import Exact
from ..lower.grid import Grid
from ..lower.message_sites import MessageSite, law, placed, readers, samples_last, through, values_of, variable
from ..lower.problem import Person, Problem, tells
from ..lower.rollout import SAMPLE
from ..lower.samples import person_cost, with_samples
from ..lower.strategy import Strategy
from ..lower.variable import Variable, constant, lift
from ..lower.world import World
from .smoothing import relax

Chosen = Callable[[MessageSite], Estimator]
Charge = Callable[[World], Variable]


def draws_of(estimators: Sequence[Estimator]) -> int:
    """How often each situation is played."""
    return max((e.draws for e in estimators if not isinstance(e, Exact)), default=1)


def estimated_cost(problem: Problem, rules: Mapping[str, Any], situations: Grid, key: Array, sites: Sequence[MessageSite],
                   chosen: Chosen, person: Person, progress: Array, *, charge: Charge | None = None, held: bool = False,
                   stopped: frozenset[str] = frozenset(), parameters: Mapping[str, Array] | None = None) -> Array:
    """Scalar. ``situations``: scattered, (n, columns). ``chosen``: the estimator at a site.

    ``charge``: what stands for the player's cost, along the samples alone, where no score has another coordinate. ``held``: the
    multipliers of its constraints are charged, too. ``stopped``: values through which no gradient goes back. ``parameters``: the
    game's, in another precision."""
    draws = draws_of([chosen(s) for s in sites])
    assert situations.samples is not None
    grid = with_samples(situations, jnp.tile(situations.samples, (draws, 1)))
    start = problem.world(grid, problem.natural, rules, relax(problem, grid, progress), parameters, stopped)
    world = start
    scores: dict[Estimator, Variable] = {}
    readings: dict[str, dict[str, tuple[Variable, Variable]]] = {}
    for i, site in enumerate(sites):
        estimator = chosen(site)
        if isinstance(estimator, Exact):
            continue
        shut = site.name in stopped or site.label in stopped
        world, score = drawn_at(problem, world, site, estimator, jax.random.fold_in(key, i), readings, shut)
        scores[estimator] = lift(jnp.add, scores[estimator], score) if estimator in scores else score
    kept = tuple(sorted({x for v in scores.values() for x in v.dims} | {SAMPLE}))
    if charge is not None and kept == (SAMPLE,):
        cost = charge(world)
    else:
        cost = world.expectation(person_cost(problem, world, person, held), keep=kept)
        cost = Variable(cost.dims, cost.data * grid.sizes[SAMPLE])
    return folded(world, cost, scores, draws) + prices(problem, start, person, held)


def drawn_at(problem: Problem, world: World, site: MessageSite, estimator: Estimator, key: Array,
             readings: dict[str, dict[str, tuple[Variable, Variable]]], shut: bool = False) -> tuple[World, Variable]:
    """The world in which a site has drawn its values, and the scores of these. ``readings`` grows with what listeners must read.
    ``shut``: no gradient goes back through the site."""
    dims, at = law(site, world)
    single = replace(estimator, draws=1)
    made = single.draw(key, at)
    value, score = made.value[0], made.score[0]
    if shut:
        value, score = jax.lax.stop_gradient((value, score))
    if site.form == "positions":
        score = jnp.sum(score, axis=-1)
    moved = world.vary({site.name: placed(site, world, dims, value)})
    if estimator.through and not site.gaussian and site.form != "positions":
        weights, words = variable(dims, value), values_of(site, value.shape[-1])
        for d in readers(problem, site):
            readings.setdefault(d.name, {})[site.name] = (words, weights)
        moved = replace(moved, rules=through(world.base.rules if world.base is not None else world.rules, readings))
    return moved, variable(dims, score)


def folded(world: World, cost: Variable, scores: Mapping[Estimator, Variable], draws: int) -> Array:
    """The mean over situations, with each estimator's score part as its derivative. Where a message depends on a decision that is
    summed out, each of the options is a problem of its own."""
    samples = world.grid.sizes[SAMPLE]
    everything = lift(lambda *x: sum(x[1:], x[0]), cost, *(Variable(s.dims, 0.0 * s.data) for s in scores.values()))
    dims, _ = samples_last(world, everything)

    def rows(v: Variable) -> Array:
        whole = lift(lambda x, e: x + 0.0 * jax.lax.stop_gradient(e), v, everything)
        _, data = samples_last(world, whole)
        return data.reshape((-1, draws, samples // draws))

    costs = rows(cost)
    total = jnp.sum(costs) / samples
    for estimator, score in scores.items():
        given = rows(score)
        weight = jnp.full(given.shape[1:], 1.0 / draws)
        surrogate = jax.vmap(lambda s, c, estimator=estimator, weight=weight: estimator.surrogate(Drawn(s, s, weight), c))
        total = total + jnp.sum(surrogate(given, costs)) / (samples // draws)
    return total


def prices(problem: Problem, world: World, person: Person, held: bool = False) -> Array:
    """What a player pays for information: charged on the laws themselves, without any draw."""
    total = constant(0.0)
    free = world.unstopped()
    for p in problem.pays(person):
        if tells(p) and (held or p.constraint is None):
            total = lift(jnp.add, total, free.expectation(free.payment(p)))
    return jnp.sum(total.data)


def by_decision(problem: Problem, profile: Mapping[str, Strategy]) -> dict[str, Strategy]:
    """A strategy for every decision: copies share theirs."""
    return {d.name: profile[problem.leader_of[d.name]] for d in problem.game.decisions}
