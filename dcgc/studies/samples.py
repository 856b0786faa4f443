"""What each player pays at every single sample: the ground on which gradients of messages are taken.

Finite decisions that follow a message are summed out with their probabilities; those that come before it are played, one option a
sample. Prices of information and multipliers are left out: they are charged on a law, not on one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision, Payment, Random
from ..learning.message_engine import columns_that_are_normal, renewed
from ..learning.network_engine import relax
from ..lower.enumerated import EnumeratedReply
from ..lower.grid import Grid
from ..lower.plans import sampled_grid
from ..lower.problem import Person, Problem
from ..lower.rollout import SAMPLE, drawn
from ..lower.strategy import Strategy
from ..lower.variable import Variable, constant, lift
from ..lower.world import World


def independent_grid(problem: Problem, samples: int, seed: int) -> Grid:
    """Independent samples of all that nature draws (Sobol points are not independent of each other)."""
    grid = resized(sampled_grid(problem, 2, 0), samples)
    return renewed(grid, jax.random.key(seed), columns_that_are_normal(problem))


def resized(grid: Grid, samples: int) -> Grid:
    """A scattered grid for another number of samples; its samples are zeros."""
    assert grid.samples is not None
    return with_samples(grid, jnp.zeros((samples, grid.samples.shape[1]), grid.samples.dtype))


def with_samples(grid: Grid, samples: Array) -> Grid:
    """The grid at other samples (n, columns), of equal weight."""
    n = samples.shape[0]
    shape = tuple((name, n if name == SAMPLE else k) for name, k in grid.shape)
    return replace(grid, samples=samples, weights={**grid.weights, SAMPLE: jnp.full(n, 1.0 / n)}, shape=shape)


def softened(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile as training moves it: a finite decision is a distribution, not yet the likeliest option of it."""
    return {k: replace(s, hard=False) if isinstance(s, Strategy) and s.hard else s for k, s in profile.items()}


def world_of(problem: Problem, profile: Mapping[str, Any], grid: Grid) -> World:
    """The game on a grid in nature's coordinates, finite decisions as distributions, comparisons as at the end of a training."""
    return problem.world(grid, problem.natural, softened(profile), relax(problem, grid, jnp.asarray(1.0)))


def charged(problem: Problem, person: Person) -> tuple[Payment, ...]:
    """A player's payments that a single message can move."""
    return tuple(p for p in problem.pays(person) if p.constraint is None and p.information is None)


def payers(problem: Problem) -> tuple[Person, ...]:
    """The players that pay anything."""
    return tuple(p for p in problem.people if charged(problem, p))


def person_cost(problem: Problem, world: World, person: Person) -> Variable:
    """What a player pays: a variable without own axes.

    Where a listener's reply is Bayes' rule by enumeration, the conditional cost of what it chooses stands for the cost: the same mean,
    and differentiable in the message."""
    total = constant(0.0)
    counted: set[str] = set()
    wanted = charged(problem, person)
    for d in problem.game.decisions:
        rule = world.rules.get(d.name)
        if isinstance(rule, EnumeratedReply) and any(p.name in rule.payments for p in wanted):
            q = rule.conditional_costs(world, d)
            total = lift(jnp.add, total, Variable(q.dims, jnp.min(q.data, axis=-1)))
            counted |= set(rule.payments)
    for p in wanted:
        if p.name in counted:
            continue
        value = world.payment(p)
        if p.axes:
            everybody = p.actor.member is None
            flat = value.data.reshape((*value.data.shape[:len(value.dims)], -1))
            value = Variable(value.dims, jnp.sum(flat, -1) if everybody else flat[..., person.member or 0])
        total = lift(jnp.add, total, value)
    return total


def expected_cost(problem: Problem, world: World, person: Person) -> Array:
    """A player's expected cost, (), without prices of information and multipliers."""
    return world.expectation(person_cost(problem, world, person)).data


def sample_costs(problem: Problem, world: World, people: Iterable[Person], keep: tuple[str, ...] = ()) -> Array:
    """(players, n, *kept): cost of every sample. ``keep``: coordinates of trial values, kept in their order by name."""
    samples = world.grid.sizes[SAMPLE]
    rows = []
    for person in people:
        v = world.expectation(person_cost(problem, world, person), keep=(SAMPLE,))
        missing = tuple(x for x in keep if x not in v.dims)
        data = v.data if not missing else jnp.broadcast_to(v.data[..., None], (*v.data.shape, *(1 for _ in missing)))
        rows.append(jnp.moveaxis(data, v.dims.index(SAMPLE), 0) * samples)
    shape = jnp.broadcast_shapes(*(r.shape for r in rows))
    return jnp.stack([jnp.broadcast_to(r, shape) for r in rows])


def full(world: World, v: Variable) -> Array:
    """A variable that depends on nothing but the samples, at every sample: (n, *own)."""
    samples = world.grid.sizes[SAMPLE]
    data = v.data if SAMPLE in v.dims else v.data[None]
    return jnp.broadcast_to(data, (samples, *data.shape[1:]))


def finite_before(problem: Problem, name: str) -> frozenset[str]:
    """The finite decisions on which a site can depend."""
    up = problem.dependence.ancestors[name]
    return frozenset(d.name for d in problem.game.decisions if d.enumerable and d.name in up)


def played(problem: Problem, world: World, names: Iterable[str], seed: int) -> World:
    """The world in which these finite decisions are one option a sample, drawn with their probabilities."""
    wanted = frozenset(names)
    samples = world.grid.sizes[SAMPLE]
    uniform = np.random.default_rng(seed).random((len(problem.game.decisions), samples))
    for i, d in enumerate(problem.game.decisions):
        if d.name in wanted:
            world = world.vary({d.name: drawn(d, jax.lax.stop_gradient(world.choice(d.name)), jnp.asarray(uniform[i]), samples)})
    return world


def options_of(problem: Problem, world: World, name: str) -> Array | None:
    """The values (K, *own) of a site with finitely many; None for any other."""
    from ..lower.evaluate import evaluate
    from ..primitives.distributions import DISTRIBUTIONS

    site = problem.dependence.sites[name]
    if isinstance(site, Decision) and site.enumerable:
        return jnp.arange(2.0) if site.kind == "bool" else jnp.eye(site.options)
    if isinstance(site, Random) and not site.shape and not site.axes:
        law: Any = DISTRIBUTIONS[site.distribution]
        if law.finite:
            arguments = [evaluate(world, a) for a in site.arguments]
            if site.distribution == "Discrete" and any(a.dims for a in arguments):
                return None
            return jnp.asarray(law.support_values(*(a.data for a in arguments)))
    return None
