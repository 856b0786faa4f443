"""Sweeps of pointwise best responses over free-form tables.

Every decision is a table over the grid of what it knows. In a sweep each in turn is moved towards its best reply at every input,
the others held fixed: a real decision by trying candidates along its whole range and closing in, a finite one by a step of magnetic
mirror descent on its exact conditional costs (Sokota et al. 2023; with a long step it is the logit response), whose temperature
falls. In a team each undamped sweep lowers the cost; in a game the moves are damped. Many random starts are run by one program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Multiplier, hard_choice, mass
from ..lower.variable import Variable, constant, contract, expand, lift
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .tables import as_table, as_variable, ordered_dims, table_profile

CANDIDATE = "candidate"
COVERAGE = 1e-6  # probability that may leave the grid
Tables = Mapping[str, Array]


@dataclass(frozen=True)
class SweepSettings:
    """``step``: of mirror descent, over the spread of the costs at stake. ``candidates`` on the first grid along a real decision's
    range, then ``rounds - 1`` finer grids. ``sharp``: finite decisions on signals take their best option, cells divided where it
    switches (no temperature). ``gentle``: finite decisions go the part ``damping`` of the way, too."""

    step: float = 1.0
    candidates: int = 25
    rounds: int = 4
    sharp: bool = False
    gentle: bool = False


def own_view(problem: Problem, d: Decision) -> Relaxation:
    """Jumps are spread over the cells of what ``d`` does not know."""
    information = problem.reduction.information[d.name]
    assert information is not None
    return Relaxation("cells", frozenset(information.dims))


def world_of(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], relaxation: Relaxation) -> World:
    return problem.world(grid, problem.reduction, table_profile(problem, tables, others), relaxation)  # type: ignore[arg-type]


def pool(problem: Problem, world: World, d: Decision, v: Variable) -> Variable:
    """Sums over what a mask hides, shared out evenly among the hidden values."""
    information = problem.reduction.information[d.name]
    assert information is not None
    for event, hidden in information.masks:
        seen = evaluate(world, event)
        for dim in hidden:
            if dim in v.dims:
                axis = v.dims.index(dim)
                mean = Variable(v.dims, jnp.broadcast_to(v.data.mean(axis=axis, keepdims=True), v.data.shape))
                v = lift(lambda x, t, e: jnp.where(e > 0.5, x, t), v, mean, seen)
    return v


def conditional(problem: Problem, grid: Grid, world: World, d: Decision, values: Variable | None) -> Variable:
    """E[cost of d's player | what it knows, its action], along ``candidate`` or the decision's own coordinate."""
    dims = ordered_dims(problem, d)
    wanted = problem.dependence.payments_of(d.name)
    here = world if values is None else world.vary({d.name: values})
    keep = dims if values is not None else (*dims, d.name)
    total: Variable = constant(0.0)
    charges = {p.name for p in problem.charges(d)}  # what it pays for what it tells is counted apart
    for p in problem.pays(problem.decider(d)):
        if p.name in wanted and p.name not in charges:
            total = lift(jnp.add, total, here.expected_payment(p, keep, without=None if values is not None else d.name, tremble=True))
    density = pool(problem, world, d, mass(world, dims))  # what it knows came before it
    total = pool(problem, world, d, total)
    q = lift(lambda q, m: q / jnp.where(m > 0, m, 1.0), total, density)
    if values is None:
        return q
    # An action that carries an observation off its grid would seem to cost nothing there: it is no candidate.
    moved = tuple(n for n, c in problem.reduction.coordinates.items() if c.role == "observation" and c.observed is not None
                  and d.name in problem.dependence.of(c.observed))
    if not moved:
        return q
    on_grid = contract([constant(1.0), *here.closure((*dims, *moved), tremble=True)], (*dims, CANDIDATE))
    covered = lift(lambda c, m: c / jnp.where(m > 0, m, 1.0), pool(problem, world, d, on_grid), density)
    return lift(lambda x, c: jnp.where(c > 1 - COVERAGE, x, jnp.inf), q, covered)


def real_reply(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], d: Decision,
               settings: SweepSettings) -> Array:
    """The best reply of a scalar real decision at every input, as a table."""
    return reply_and_gain(problem, grid, tables, others, d, settings)[0]


def reply_and_gain(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], d: Decision,
                   settings: SweepSettings) -> tuple[Array, Array]:
    """The best reply of a scalar real decision at every input, as a table, and what it gains on average (cost units)."""
    best, gains, density = replies(problem, grid, tables, others, d, settings)
    return best, jnp.sum(gains * density)


def replies(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], d: Decision,
            settings: SweepSettings) -> tuple[Array, Array, Array]:
    """The best reply of a scalar real decision at every input, what it gains there, and how likely the input is: three tables."""
    world = world_of(problem, grid, tables, others, own_view(problem, d))
    dims = tuple(sorted(ordered_dims(problem, d)))
    shape = tuple(grid.sizes[x] for x in dims)
    if d.name in grid.nodes:
        reply = coordinate_reply(problem, world, d, grid)
        return reply, jnp.zeros(()), jnp.zeros(())
    now = jnp.broadcast_to(expand(world.choice(d.name), dims, 0), shape)
    low, high = interval(world, d, dims, shape, now)

    def q(values: Array) -> Array:
        names = tuple(sorted((*dims, CANDIDATE)))
        v = Variable(names, jnp.moveaxis(values, -1, names.index(CANDIDATE)))
        out = conditional(problem, grid, world, d, v)
        return jnp.moveaxis(jnp.broadcast_to(expand(out, names, 0), v.data.shape), names.index(CANDIDATE), -1)

    def pick(a: Array, i: Array) -> Array:
        return jnp.take_along_axis(a, i[..., None], -1)[..., 0]

    best, least = now, q(now[..., None])[..., 0]
    first = least
    left, right = low, high
    for r in range(settings.rounds):
        n = settings.candidates if r == 0 else 7
        candidates = left[..., None] + (right - left)[..., None] * jnp.linspace(0.0, 1.0, n)
        values = q(candidates)
        k = jnp.argmin(values, -1)
        better = pick(values, k) < least - 1e-12 * jnp.abs(least)
        best, least = jnp.where(better, pick(candidates, k), best), jnp.where(better, pick(values, k), least)
        middle = jnp.clip(k, 1, n - 2)
        y0, y1, y2 = (pick(values, middle + i) for i in (-1, 0, 1))
        bend = y0 - 2 * y1 + y2
        step = pick(candidates, middle + 1) - pick(candidates, middle)
        vertex = jnp.clip(pick(candidates, middle) + jnp.where(bend > 0, 0.5 * step * (y0 - y2) / jnp.where(bend > 0, bend, 1.0), 0.0),
                          low, high)
        found = q(vertex[..., None])[..., 0]
        better = found < least - 1e-12 * jnp.abs(least)
        best, least = jnp.where(better, vertex, best), jnp.where(better, found, least)
        half = (right - left) / (n - 1) * 1.5
        left, right = jnp.maximum(low, best - half), jnp.minimum(high, best + half)
    gains = jnp.where(jnp.isfinite(first), first - least, 0.0)
    return (as_table(problem, d, Variable(dims, best), grid), as_table(problem, d, Variable(dims, gains), grid),
            as_table(problem, d, mass(world, dims), grid))


def largest_gain(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], settings: SweepSettings) -> Array:
    """The most that any real decision's best reply gains."""
    gains = [reply_and_gain(problem, grid, tables, others, problem.groups[k][0], settings)[1] for k in tables
             if not problem.groups[k][0].finite]
    return jnp.max(jnp.stack(gains))


def coordinate_reply(problem: Problem, world: World, d: Decision, grid: Grid) -> Array:
    """The best reply of a real decision whose value has a coordinate of its own: the least of a parabola through the best node."""
    q = conditional(problem, grid, world, d, None)
    dims = tuple(sorted(ordered_dims(problem, d)))
    names = tuple(sorted((*dims, d.name)))
    full = jnp.broadcast_to(expand(q, names, 0), tuple(grid.sizes[x] for x in names))
    values = jnp.moveaxis(full, names.index(d.name), -1)
    nodes = grid.nodes[d.name]
    k = jnp.argmin(values, -1)
    middle = jnp.clip(k, 1, nodes.shape[0] - 2)
    y0, y1, y2 = (jnp.take_along_axis(values, (middle + i)[..., None], -1)[..., 0] for i in (-1, 0, 1))
    bend, step = y0 - 2 * y1 + y2, nodes[1] - nodes[0]
    vertex = nodes[middle] + jnp.where(bend > 0, 0.5 * step * (y0 - y2) / jnp.where(bend > 0, bend, 1.0), 0.0)
    best = jnp.where(k == middle, vertex, nodes[k])
    return as_table(problem, d, Variable(dims, jnp.clip(best, nodes[0], nodes[-1])), grid)


def interval(world: World, d: Decision, dims: tuple[str, ...], shape: tuple[int, ...], now: Array) -> tuple[Array, Array]:
    """Where candidates lie: between the decision's bounds, or wide around what is played anywhere."""
    width = 1.5 * jnp.maximum(jnp.maximum(jnp.ptp(now), jnp.max(jnp.abs(now))), 0.5)
    low = jnp.full(shape, jnp.min(now) - width) if d.low is None else \
        jnp.broadcast_to(expand(evaluate(world, d.low), dims, 0), shape).astype(float)
    high = jnp.full(shape, jnp.max(now) + width) if d.high is None else \
        jnp.broadcast_to(expand(evaluate(world, d.high), dims, 0), shape).astype(float)
    return low, high


def finite_costs(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], d: Decision) -> Array:
    """Conditional expected costs of a finite decision's options at every input: a table with the options last."""
    world = world_of(problem, grid, tables, others, own_view(problem, d))
    q = conditional(problem, grid, world, d, None)
    if problem.charges(d) and not d.mixed:  # the price of a word that is said with probability p: -log p nats
        q = lift(jnp.add, q, telling(problem, world, d))
    position = q.dims.index(d.name) if d.name in q.dims else None
    if position is None:
        q = Variable(q.dims, jnp.broadcast_to(q.data[..., None], (*q.data.shape, d.options)))
    else:
        rest = tuple(x for x in q.dims if x != d.name)
        q = Variable(rest, jnp.moveaxis(q.data, position, -1))
    return as_table(problem, d, q, grid)


FAINT = 1e-12


def telling(problem: Problem, world: World, d: Decision) -> Variable:
    """-log p(word | what was known beforehand), times what a nat costs."""
    said = said_with(problem, world, d)
    price = problem.charged(world, d)
    return Variable(said.dims, -price * jnp.log(jnp.maximum(said.data, FAINT)))


def said_with(problem: Problem, world: World, d: Decision) -> Variable:
    """How often each word is said, given what was known beforehand."""
    information = problem.charges(d)[0].information
    assert information is not None
    given: tuple[str, ...] = ()
    for e in information.given:
        given = (*given, *evaluate(world, e).dims)
    together = world.expectation(constant(1.0), (d.name, *given))
    return lift(lambda a, b: a / jnp.maximum(b, FAINT), together, world.expectation(constant(1.0), given)) if given else together


def told_less(problem: Problem, grid: Grid, world: World, d: Decision, q: Array) -> Array:
    """The law of an encoder that pays for information: p(word | x) in proportion to p(word) exp(-Q(x, word) / price) (Blahut 1972,
    Arimoto 1972)."""
    said = said_with(problem, world, d)
    rest = tuple(x for x in said.dims if x != d.name)
    spoken = as_table(problem, d, Variable(rest, jnp.moveaxis(said.data, said.dims.index(d.name), -1)), grid)
    price = jnp.maximum(problem.charged(world, d), FAINT)
    return jax.nn.softmax(jnp.log(jnp.maximum(spoken, 1e-30)) - q / price, axis=-1)


def by_chance(problem: Problem, d: Decision) -> tuple[int, ...]:
    """The axes of a decision's table along which chance moves: signals, and observations that are blurred."""
    return tuple(i for i, x in enumerate(ordered_dims(problem, d))
                 if problem.reduction.coordinates[x].role in ("nature", "observation"))


def spread(problem: Problem, grid: Grid, world: World, d: Decision, q: Array) -> Array:
    """What is at stake: the difference that an option makes on average over what chance shows, where it is largest among what else is
    known (moves, finite draws). The largest anywhere would be that of the far tails, of a normal signal hundreds of times the rest."""
    dims, chance = ordered_dims(problem, d), by_chance(problem, d)
    made = q.max(-1) - q.min(-1)
    if not chance:
        return jnp.max(made)
    density = as_table(problem, d, mass(world, dims), grid)
    total = jnp.sum(density, chance)
    return jnp.max(jnp.where(total > 0, jnp.sum(made * density, chance) / jnp.where(total > 0, total, 1.0), 0.0))


def sharpened(problem: Problem, grid: Grid, world: World, d: Decision, q: Array) -> Array:
    """The best option at every input, and in a cell through which a switch passes the part of it in which each option is best: a
    switch between two nodes stays where it belongs."""
    scores = q[..., 0] - q[..., 1] if d.kind == "bool" else -q
    raw = as_variable(problem, d, scores)
    raw = Variable(raw.dims, raw.data[..., None]) if d.kind == "bool" else raw
    return as_table(problem, d, hard_choice(world, d, raw), grid)


def mirror_step(p: Array, q: Array, stakes: Array, step: float, temperature: Array) -> Array:
    """One step of magnetic mirror descent on a table of probabilities, with the uniform magnet; ``step`` and ``temperature`` in units
    of ``stakes`` (the most that was ever at stake: near a mixed equilibrium next to nothing is)."""
    stakes = jnp.maximum(stakes, 1e-12)
    eta, tau = step / stakes, temperature * stakes
    return jax.nn.softmax((jnp.log(jnp.maximum(p, 1e-30)) - eta * q) / (1 + eta * tau), axis=-1)


def smoother(nodes: Array, share: float) -> Array:
    """A matrix (n, n) that replaces each value by that of a local quadratic through the nearest ``share`` of all nodes (Savitzky and
    Golay 1964, at the ends too). Best replies against a grid of opponents are rough where the truth is smooth."""
    x = np.asarray(nodes)
    n = len(x)
    width = max(5, int(share * n) | 1)
    if share <= 0 or n <= width:
        return jnp.eye(n)
    out = np.zeros((n, n))
    for i in range(n):
        start = int(np.clip(i - width // 2, 0, n - width))
        window = slice(start, start + width)
        z = (x[window] - x[i]) / (x[window][-1] - x[window][0])
        out[i, window] = np.linalg.pinv(np.stack([np.ones(width), z, z**2], 1))[0]
    return jnp.asarray(out)


def sweep(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object], settings: SweepSettings,
          temperature: Array, damping: Array, smoothers: Mapping[str, Array], before: Tables,
          stakes: Tables) -> tuple[dict[str, Array], Tables, Tables]:
    """Every table moved once: finite ones at an entropy ``temperature`` (in units of what is at stake), real ones by the part
    ``damping`` of the way to the best reply.

    Where a finite decision is mixed the steps are simultaneous and optimistic (each counts the last change of its costs once more,
    ``before`` holding the costs of the last sweep), which is what converges in zero-sum games; else the last decision moves first.
    """
    new, costs, stakes = dict(tables), dict(before), dict(stakes)
    others = {**others, **multipliers(problem, stakes)}
    optimistic = problem.randomises
    for k in reversed([k for k in problem.groups if k in tables]):
        d = problem.groups[k][0]
        seen = tables if optimistic else new
        if d.finite:
            q = finite_costs(problem, grid, seen, others, d)
            if d.mixed and problem.charges(d):
                world = world_of(problem, grid, seen, others, own_view(problem, d))
                stakes[k], costs[k] = jnp.maximum(stakes[k], spread(problem, grid, world, d, q)), q
                new[k] = told_less(problem, grid, world, d, q)
                continue
            ahead = 2 * q - before[k] if optimistic else q
            world = world_of(problem, grid, seen, others, Relaxation("cells"))
            stakes[k] = jnp.maximum(stakes[k], spread(problem, grid, world, d, q))
            if settings.sharp and not d.mixed and by_chance(problem, d):
                new[k] = new[k] + damping * (sharpened(problem, grid, world, d, q) - new[k])
            else:
                moved = mirror_step(new[k], ahead, stakes[k], settings.step, temperature)
                new[k] = new[k] + damping * (moved - new[k]) if settings.gentle else moved
            costs[k] = q
        else:
            reply = real_reply(problem, grid, seen, others, d, settings)
            for axis, dim in enumerate(ordered_dims(problem, d)):
                if dim in smoothers:
                    reply = jnp.moveaxis(jnp.tensordot(smoothers[dim], reply, (1, axis)), 0, axis)
            new[k] = new[k] + damping * (reply - new[k])
    if problem.game.constraints:
        world = world_of(problem, grid, new, others, Relaxation("cells"))
        for c in problem.game.constraints:
            excess = problem.excess(world, c)
            stakes[c.multiplier] = stakes[c.multiplier] * jnp.exp(damping * jnp.tanh(excess))
    return new, costs, stakes


def multipliers(problem: Problem, stakes: Tables) -> dict[str, Multiplier]:
    """The prices of the constraints, which are moved beside what is at stake: up where a constraint is violated, else down."""
    return {c.multiplier: Multiplier(stakes[c.multiplier]) for c in problem.game.constraints}


def mean_cost(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, object]) -> Array:
    """Sum over players of their cost (a team's is counted once for everybody in it)."""
    world = world_of(problem, grid, tables, others, Relaxation("cells"))
    if problem.is_team:
        return problem.cost(world, problem.decider(problem.game.decisions[0]))
    return sum((problem.cost(world, p) for p in problem.people), jnp.zeros(()))
