"""Scattered samples of a game: other numbers of them, and what each player pays at every single one.

Finite decisions that follow a message are summed out with their probabilities; those that come before it are played, one option a
sample. Prices of information and multipliers are left out: they are charged on a law, not on one message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Payment
from .enumerated import EnumeratedReply
from .grid import Grid
from .problem import Person, Problem, tells
from .rollout import SAMPLE, drawn
from .variable import Variable, constant, lift
from .world import World


def resized(grid: Grid, samples: int) -> Grid:
    """A scattered grid for another number of samples; its samples are zeros."""
    assert grid.samples is not None
    return with_samples(grid, jnp.zeros((samples, grid.samples.shape[1]), grid.samples.dtype))


def with_samples(grid: Grid, samples: Array) -> Grid:
    """The grid at other samples (n, columns), of equal weight."""
    n = samples.shape[0]
    shape = tuple((name, n if name == SAMPLE else k) for name, k in grid.shape)
    return replace(grid, samples=samples, weights={**grid.weights, SAMPLE: jnp.full(n, 1.0 / n)}, shape=shape)


def charged(problem: Problem, person: Person, held: bool = False) -> tuple[Payment, ...]:
    """A player's payments that a single message can move. ``held``: with the multipliers of its constraints."""
    return tuple(p for p in problem.pays(person) if not tells(p) and (held or p.constraint is None))


def payers(problem: Problem) -> tuple[Person, ...]:
    """The players that pay anything."""
    return tuple(p for p in problem.people if charged(problem, p))


def person_cost(problem: Problem, world: World, person: Person, held: bool = False) -> Variable:
    """What a player pays: a variable without own axes.

    Where a listener's reply is Bayes' rule by enumeration, the conditional cost of what it chooses stands for the cost: the same mean,
    and differentiable in the message."""
    total = constant(0.0)
    counted: set[str] = set()
    wanted = charged(problem, person, held)
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
