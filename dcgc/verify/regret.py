"""Regret: what a player could still gain, computed apart from what trained it.

For every decision Q(o, u), the conditional expected cost of its player given what it knows, if it took u there and everything else
stayed, is computed on a dense grid in information coordinates; no restriction to a family of policies is made. The regret of the
decision is E[Q(o, policy(o)) - min_u Q(o, u)]. For a player who decides once it is the player's regret exactly (up to the grid);
for one who decides more often it is that of deviations at one decision at a time, a lower bound. Conditional regrets at inputs
that play does not reach are taken with beliefs under a small error of everybody's hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import mass
from ..lower.variable import Variable, constant, contract, expand, lift
from ..lower.world import Rule, World
from ..primitives.relaxations import Relaxation
from .search import saved, widening

CANDIDATE = "candidate"
BEYOND = 0.05  # of the way from the chosen act to the best one: so much further another is looked for, if there is any
LOST = 1e-6  # part of the probability that an action may carry off the grid
REACHED = 1e-9  # part of the largest density below which an input counts as unreached


@dataclass(frozen=True)
class DecisionRegret:
    """``ex_ante``: expected gain of the best deviation at this decision (cost units). ``unreached``: the largest conditional gain at
    inputs that play does not reach (nan if there are none). ``best``: a best reply at every point of the information set's grid.
    ``cut``: the probability of inputs at which better acts than the best may have gone untried: they would carry somebody's observation
    off the grid, or costs still fall at the end of what was tried."""

    decision: str
    ex_ante: float
    unreached: float
    cut: float
    dims: tuple[str, ...]
    best: np.ndarray
    chosen: np.ndarray


def pooled(world: World, d: Decision, v: Variable, dims: tuple[str, ...]) -> Variable:
    """A density-weighted sum over what a masked observation hides: where its event does not hold, all hidden values are one."""
    information = world.reduction.information[d.name]
    assert information is not None
    for event, hidden in information.masks:
        seen = evaluate(world, event)
        for dim in hidden:
            if dim not in v.dims or dim not in dims:
                continue
            total = Variable(v.dims, jnp.broadcast_to(jnp.sum(v.data, axis=v.dims.index(dim), keepdims=True), v.data.shape))
            share = Variable(v.dims, total.data / v.size(dim))
            v = lift(lambda x, t, e: jnp.where(e > 0.5, x, t), v, share, seen)
    return v


def judged(problem: Problem, grid: Grid, d: Decision) -> Relaxation:
    """Jumps spread over cells, but not along what the decision knows: it is judged at each input by itself."""
    information = problem.reduction.information[d.name]
    assert information is not None
    return Relaxation("cells", frozenset(information.dims))


def values_at(problem: Problem, world: World, d: Decision, values: Variable | None, anywhere: bool = False) -> Variable:
    """Density-weighted Q at every point of what ``d`` knows, for given values (along ``candidate``), or, for None, along the
    decision's own coordinate. ``anywhere``: also of acts that carry somebody's observation off the grid, as far as the grid goes."""
    information = problem.reduction.information[d.name]
    assert information is not None
    wanted = problem.dependence.payments_of(d.name)
    charges = {p.name for p in problem.charges(d)}  # what it pays for what it tells is counted apart
    payments = [p for p in problem.pays(problem.decider(d)) if p.name in wanted and p.name not in charges]
    total: Variable = constant(0.0)
    here = world if values is None else world.vary({d.name: values})
    keep = information.dims if values is not None else (*information.dims, d.name)
    for p in payments:
        e = here.expected_payment(p, keep, without=None if values is not None else d.name, tremble=True)
        total = lift(jnp.add, total, e)
    total = pooled(here, d, total, information.dims)
    return total if values is None or anywhere else on_grid_alone(problem, here, d, total, information.dims)


def on_grid_alone(problem: Problem, here: World, d: Decision, cost: Variable, dims: tuple[str, ...]) -> Variable:
    """The cost, infinite for an action that carries somebody's observation off the grid, where nothing is counted."""
    moved = tuple(n for n, c in problem.reduction.coordinates.items()
                  if c.role == "observation" and c.observed is not None and d.name in problem.dependence.of(c.observed))
    if not moved:
        return cost
    kept = pooled(here, d, contract([constant(1.0), *here.closure((*dims, *moved), tremble=True)], (*dims, CANDIDATE)), dims)
    density = pooled(here, d, mass(here, dims), dims)
    return lift(lambda q, k, m: jnp.where(k > (1 - LOST) * m, q, jnp.inf), cost, kept, density)


def decision_regret(problem: Problem, grid: Grid, profile: Mapping[str, Rule], d: Decision,
                    candidates: int = 33) -> DecisionRegret:
    """The regret of one scalar or finite decision on a grid in information coordinates."""
    information = problem.reduction.information[d.name]
    assert information is not None
    dims = information.dims
    world = problem.world(grid, problem.reduction, profile, judged(problem, grid, d))
    density = pooled(world, d, mass(world, dims), dims)
    cut = np.zeros(1, bool)
    if d.name in grid.nodes:
        q = lift(jnp.add, values_at(problem, world, d, None), Variable((d.name,), jnp.zeros(world.grid.sizes[d.name])))
        if problem.charges(d) and float(problem.charged(world, d)) > 0:
            gain, best, chosen = told(problem, world, d, q, density, dims)
        else:
            gain, best, chosen = on_own_coordinate(world, d, q, dims)
    else:
        gain, best, chosen, cut = by_candidates(problem, world, d, dims, candidates)
    weights = np.asarray(broadcast_to(density, dims, gain.shape))
    reached = weights > REACHED * weights.max()
    conditional = gain / np.where(weights > 0, weights, 1.0)
    off = conditional[~reached & likely_in_slice(problem, dims, weights)]
    return DecisionRegret(d.name, float(gain[reached].sum()), float(off.max()) if off.size else float("nan"),
                          float((weights * cut).sum() / weights.sum()), dims, best, chosen)


def likely_in_slice(problem: Problem, dims: tuple[str, ...], weights: np.ndarray) -> np.ndarray:
    """Points that are likely given what others did: the far tails of noise are the grid's end, not unreached play."""
    chance = tuple(i for i, x in enumerate(sorted(dims)) if problem.reduction.coordinates[x].role in ("nature", "observation"))
    most = weights.max(axis=chance, keepdims=True) if chance else weights
    return (weights > 1e-6 * most) & (weights > 0)


def broadcast_to(v: Variable, dims: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """The data on all of ``dims`` (sorted)."""
    return jnp.broadcast_to(expand(v, tuple(sorted(dims)), len(v.own)), shape + v.own)


def tabulated(v: Variable, names: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """A scalar's value at every point of ``names``, in their order: (*shape)."""
    order = tuple(sorted(names))
    full = jnp.broadcast_to(expand(v, order, 0), tuple(shape[names.index(x)] for x in order))
    return jnp.transpose(full, [order.index(x) for x in names])


def on_own_coordinate(world: World, d: Decision, q: Variable, dims: tuple[str, ...],
                      ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain, best option and chosen value where the decision has a coordinate of its own."""
    factor = world.factor(d.name)
    chosen = lift(lambda cost, chance: jnp.where(chance > 0, cost * chance, 0.0), q, factor)
    own = q.dims.index(d.name)
    rest = tuple(x for x in q.dims if x != d.name)
    taken = Variable(tuple(x for x in chosen.dims if x != d.name), chosen.data.sum(axis=chosen.dims.index(d.name)))
    others = jnp.where(jnp.isnan(q.data), jnp.inf, q.data)  # nobody deviates to what is no number
    least = Variable(rest, others.min(axis=own))
    argument = Variable(rest, jnp.argmin(others, axis=own).astype(float))
    sizes = tuple(world.grid.sizes[x] for x in sorted(dims))
    paid, cheapest = (np.asarray(broadcast_to(v, dims, sizes)) for v in (taken, least))
    nodes = world.grid.nodes[d.name]
    best = np.asarray(nodes)[np.asarray(broadcast_to(argument, dims, sizes)).astype(int)]
    picked = broadcast_to(world.choice(d.name), dims, sizes)
    return saved(paid, cheapest), best, np.asarray(picked)


def told(problem: Problem, world: World, d: Decision, q: Variable, density: Variable, dims: tuple[str, ...],
         ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain, best word and its law where an encoder pays for what it tells.

    A mixed encoder minimises the convex E[Q] + price I. Blahut's bound (1972, theorem 4) says from one law how far the least can lie
    below it: least >= price E[-log sum_w p(w) exp(-Q / price)] - price log max_w c(w), c(w) = E[exp(-Q(., w) / price) / sum].
    The gain is an upper bound on the regret. An encoder that does not mix pays -log p(w) nats for a word.
    """
    information = problem.charges(d)[0].information
    assert information is not None
    price = problem.charged(world, d)
    given: tuple[str, ...] = ()
    for e in information.given:
        given = (*given, *evaluate(world, e).dims)
    before = world.expectation(constant(1.0), given) if given else constant(1.0)
    said = lift(lambda a, b: a / jnp.maximum(b, 1e-300), world.expectation(constant(1.0), (d.name, *given)), before)
    if not d.mixed:
        shifted = lift(lambda total, m, p: total - m * price * jnp.log(jnp.maximum(p, 1e-300)), q, density, said)
        return on_own_coordinate(world, d, shifted, dims)
    conditional = lift(lambda total, m: total / jnp.maximum(m, 1e-300), q, density)
    scores = lift(lambda p, c: jnp.log(jnp.maximum(p, 1e-300)) - c / price, said, conditional)
    own = scores.dims.index(d.name)
    rest = tuple(x for x in scores.dims if x != d.name)
    log_sum = Variable(rest, jax.scipy.special.logsumexp(scores.data, axis=own))
    weight = lift(lambda c, z, m: m * jnp.exp(-c / price - z), conditional, log_sum, density)
    unused = tuple(x for x in weight.dims if x not in (d.name, *given))
    c = contract([weight], tuple(x for x in weight.dims if x not in unused))
    c = lift(lambda a, b: a / jnp.maximum(b, 1e-300), c, before)
    slack = Variable(tuple(x for x in c.dims if x != d.name), jnp.log(jnp.max(c.data, axis=c.dims.index(d.name))))
    law = world.factor(d.name)
    paid = lift(lambda p, total, m, s: p * (total + m * price * (jnp.log(jnp.maximum(p, 1e-300)) - jnp.log(jnp.maximum(s, 1e-300)))),
                law, q, density, said)
    taken = Variable(tuple(x for x in paid.dims if x != d.name), paid.data.sum(axis=paid.dims.index(d.name)))
    gain = lift(lambda t, z, m, s: t + m * price * (z + s), taken, log_sum, density, slack)
    sizes = tuple(world.grid.sizes[x] for x in sorted(dims))
    best = Variable(rest, jnp.argmax(scores.data, axis=own).astype(float))
    return (np.maximum(np.asarray(broadcast_to(gain, dims, sizes)), 0.0), np.asarray(broadcast_to(best, dims, sizes)),
            np.asarray(broadcast_to(world.choice(d.name), dims, sizes)))


def by_candidates(problem: Problem, world: World, d: Decision, dims: tuple[str, ...], count: int,
                  ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gain, best reply and chosen value of a real decision, by a global grid of candidates that closes in on the least; and where better
    ones may have gone untried."""
    shape = tuple(world.grid.sizes[x] for x in sorted(dims))
    names = tuple(sorted(dims))
    chosen = np.asarray(broadcast_to(world.choice(d.name), dims, shape))
    q = evaluator(problem, world, d, names)
    low, high = search_interval(world, d, dims, shape, chosen)
    # what is chosen in the far tails may end off the grid: it is judged by what is on it, its rivals must stay on it
    at_chosen = evaluator(problem, world, d, names, anywhere=True)(chosen[..., None])[..., 0]
    best, least, falls = widening(q, low, high, chosen, at_chosen, count, (d.low is None, d.high is None))
    further = best + BEYOND * (best - chosen)
    forbidden = (further < low) & (d.low is not None) | (further > high) & (d.high is not None)
    at_end = (best != chosen) & ~forbidden & np.isinf(q(further[..., None])[..., 0])
    return saved(at_chosen, least), best, chosen, falls | at_end


def evaluator(problem: Problem, world: World, d: Decision, names: tuple[str, ...], anywhere: bool = False,
              ) -> Callable[[np.ndarray], np.ndarray]:
    """Q on the grid of ``names`` for an array of candidates (*grid, candidates), a few at a time."""
    shape = tuple(world.grid.sizes[x] for x in names)

    @jax.jit
    def some(values: Array) -> Array:
        dims = tuple(sorted((*names, CANDIDATE)))
        data = jnp.moveaxis(values, -1, dims.index(CANDIDATE))
        v = values_at(problem, world, d, Variable(dims, data), anywhere)
        full = jnp.broadcast_to(expand(v, dims, 0), data.shape)
        return jnp.moveaxis(full, dims.index(CANDIDATE), -1)

    def run(values: np.ndarray) -> np.ndarray:
        values = np.broadcast_to(values, (*shape, values.shape[-1]))
        step = 1 if values.shape[-1] == 1 else max(1, min(values.shape[-1], 2_000_000 // max(1, heavy)))
        parts = []
        for start in range(0, values.shape[-1], step):
            chunk = values[..., start:start + step]
            if chunk.shape[-1] < step:
                chunk = np.concatenate([chunk, np.repeat(chunk[..., -1:], step - chunk.shape[-1], -1)], -1)
            parts.append(np.asarray(some(jnp.asarray(chunk))))
        return np.concatenate(parts, -1)[..., :values.shape[-1]]

    for other in problem.game.decisions:  # best responses belong to the profile, whatever candidate is tried
        if other.name != d.name and getattr(world.rules[other.name], "depends_on_profile", False):
            world.choice(other.name)
    for p in problem.pays(problem.decider(d)):
        if p.information is not None:
            world.payment(p)  # what others expect of the message is the profile's, too
    heavy = max(1, int(np.prod([n for n in world.grid.sizes.values()])))
    return run


def search_interval(world: World, d: Decision, dims: tuple[str, ...], shape: tuple[int, ...], chosen: np.ndarray,
                    ) -> tuple[np.ndarray, np.ndarray]:
    """Where candidates are looked for: the decision's bounds, or wide around what is chosen anywhere."""
    width = 2 * max(float(np.ptp(chosen)), float(np.abs(chosen).max()), 1.0)
    low = np.full(shape, chosen.min() - width) if d.low is None else \
        np.asarray(broadcast_to(evaluate(world, d.low), dims, shape), float)
    high = np.full(shape, chosen.max() + width) if d.high is None else \
        np.asarray(broadcast_to(evaluate(world, d.high), dims, shape), float)
    return low, high
