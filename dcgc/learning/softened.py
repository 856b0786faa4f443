"""Announcements by descent through softened replies.

What a leader announces is a table; every finite follower replies with the logit response to it at a temperature (McKelvey and Palfrey
1995), a real one with its conditional mean, and the leader's cost is differentiated through all of it. As the temperature falls the
replies become best replies. For games in which followers' pure replies are too many to be tried one by one, or real.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.grid import Grid
from ..lower.problem import Person, Problem
from ..lower.strategy import mass
from ..primitives.relaxations import Relaxation
from .descent import descend
from .starting import neutral_rule
from .sweeps import finite_costs, world_of
from .tables import as_table, ordered_dims

TEMPERATURES = (0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3)
STEPS = 60  # at each temperature
FAINT = 1e-9  # a probability that can still grow


def laws(problem: Problem, announced: Mapping[str, Array]) -> dict[str, Array]:
    """Tables from what is descended on: of a finite decision logits."""
    return {k: jax.nn.softmax(x, -1) if problem.groups[k][0].finite else x for k, x in announced.items()}


def at_stake(q: Array) -> Array:
    """The largest difference that an option makes anywhere, of costs or their derivatives (last axis: the options)."""
    return jnp.max(q.max(-1) - q.min(-1))


def replies(problem: Problem, grid: Grid, lead: Mapping[str, Array], others: Mapping[str, Any], start: Mapping[str, Array],
            temperature: Array) -> dict[str, Array]:
    """Tables of all finite followers: the logit response of each to everything else, the last mover first, in rounds."""
    tables = dict(start)
    for _ in range(1 if len(start) == 1 else 2 * len(start)):
        for k in reversed([k for k in problem.groups if k in start]):
            q = finite_costs(problem, grid, {**lead, **tables}, others, problem.groups[k][0])
            tables[k] = jax.nn.softmax(-q / (temperature * jnp.maximum(jax.lax.stop_gradient(at_stake(q)), 1e-12)), -1)
    return tables


def cost(problem: Problem, grid: Grid, announced: Mapping[str, Array], others: Mapping[str, Any], start: Mapping[str, Array],
         temperature: Array, leader: Person) -> Array:
    """What the leader pays if followers reply to what is announced, ()."""
    lead = laws(problem, announced)
    tables = {**lead, **replies(problem, grid, lead, others, start, temperature)}
    return problem.cost(world_of(problem, grid, tables, others, Relaxation("cells")), leader)


def lowered(problem: Problem, grid: Grid, announced: Mapping[str, Array], others: Mapping[str, Any], start: Mapping[str, Array],
            temperature: float, leader: Person) -> tuple[dict[str, Array], np.ndarray]:
    """All restarts (first axis of every table) after ``STEPS`` at one temperature, and their costs: of L-BFGS where something real is
    announced, else of mirror descent on probabilities."""
    def one(tables: dict[str, Array], heat: Array) -> tuple[dict[str, Array], Array]:
        def objective(t: dict[str, Array]) -> Array:
            return cost(problem, grid, t, others, start, heat, leader)

        if all(problem.groups[k][0].finite for k in tables):
            return mirrored(problem, grid, objective, tables)
        after, _ = descend(objective, tables, STEPS)
        return after, objective(after)

    key = "softened descent"
    if key not in problem._cache:
        problem._cache[key] = jax.jit(lambda many, heat: jax.lax.map(lambda t: one(t, heat), many))
    after, costs = problem._cache[key](dict(announced), jnp.asarray(temperature))  # type: ignore[operator]
    return after, np.asarray(costs)


def mirrored(problem: Problem, grid: Grid, objective: Callable[[dict[str, Array]], Array], tables: dict[str, Array],
             ) -> tuple[dict[str, Array], Array]:
    """Mirror descent in every situation at once: log p falls by a step times the derivative per unit of the situation's probability. A
    step that does not lower the cost is taken back, and the next one is shorter; with a long one this is Lloyd's iteration (1982)."""
    def derivative(logs: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        value, gradient = jax.value_and_grad(lambda p: objective({k: jnp.log(jnp.maximum(x, FAINT)) for k, x in p.items()}))(
            {k: jax.nn.softmax(x, -1) for k, x in logs.items()})
        return value, {k: g / chances[k][..., None] for k, g in gradient.items()}

    chances = {}
    world = world_of(problem, grid, laws(problem, tables), {k: neutral_rule for k in problem.groups if k not in tables},
                     Relaxation("cells"))
    for k in tables:
        d = problem.groups[k][0]
        table = as_table(problem, d, mass(world, tuple(sorted(ordered_dims(problem, d)))), grid)
        chances[k] = jnp.maximum(table, 1e-9 * jnp.max(table))

    def body(carry: tuple, _: None) -> tuple[tuple, None]:
        at, value, slope, step = carry
        size = {k: jnp.maximum(at_stake(g), 1e-12) for k, g in slope.items()}
        new = {k: jax.nn.log_softmax(at[k] - step * slope[k] / size[k], -1) for k in at}
        new = {k: jnp.maximum(x, jnp.log(FAINT)) for k, x in new.items()}
        found, ahead = derivative(new)
        better = found <= value
        pick = lambda a, b: jax.tree.map(lambda x, y: jnp.where(better, x, y), a, b)  # noqa: E731
        return (pick(new, at), jnp.where(better, found, value), pick(ahead, slope),
                jnp.clip(step * jnp.where(better, 1.5, 0.3), 1e-4, 1e3)), None

    first = {k: jax.nn.log_softmax(x, -1) for k, x in tables.items()}
    (after, value, _, _), _ = jax.lax.scan(body, (first, *derivative(first), jnp.asarray(3.0)), None, length=STEPS)
    return after, value
