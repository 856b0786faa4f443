"""Regret where beliefs are not needed: every decision judged at every input, reached or not, with the policies as they really reply.

In games whose moves can be taken one after the other (``information/subgames.py``) the expected cost from a decision on depends only on
what it knows. Acts that are seen are put in as they are, not between the nodes of a grid, so that a reply that jumps jumps where it
does. The one-shot deviation principle (Blackwell 1965) bounds what a player could gain by several deviations together by the sum of
the largest gains of single ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision, Random
from ..information.subgames import Entangled, Move, moves
from ..lower.conditional import conditional, told_by_conditions
from ..lower.evaluate import evaluate
from ..lower.grid import Grid, GridBuilder
from ..lower.plans import draw_axis, finite_axis, finite_size
from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..lower.variable import Variable, along, constant, lift
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .figures import Regret
from .regret import CANDIDATE, tabulated
from .search import FAR, saved, widening, without_nan

INPUTS = {0: 1, 1: 401, 2: 45, 3: 13}  # of a known real number, by how many matter; not the nodes of any search
DRAWN = 32  # nodes of a draw that nobody has seen
POINTS = 2_000_000
AT_ONCE = 9  # candidates: always as many, so that one compiled program serves all
ROUNDS, CANDIDATES = 16, 65
SHARP = 1e-6  # of what is at stake: where the bound on joint deviations lies no further from the gain of a single one, it is exact


@dataclass(frozen=True)
class Gains:
    """Of one decision, in cost units. ``ex_ante``: expected gain of the best deviation at it. ``worst``: the largest gain at any input
    tried, as the move is judged when it is reached. ``stake``: the largest difference that the decision can make there.
    ``inside``: whether the best acts lie inside what was tried, or costs still fall at an open end. nan where a cost is no number."""

    ex_ante: float
    worst: float
    stake: float
    inside: bool

    @property
    def known(self) -> bool:
        return self.inside and math.isfinite(self.ex_ante) and math.isfinite(self.worst)


def subgame_moves(problem: Problem, profile: Mapping[str, Any]) -> tuple[Move, ...] | None:
    """The moves, last first, of a game that this kind of judgement is for: there are several, and policies are functions of what they
    see (None: it is another game)."""
    if problem.loops or problem.leaders or problem.is_team or problem.game.channels or problem.game.constraints:
        return None
    if any(not isinstance(s, Strategy) for s in profile.values()) or any(r.shape or r.axes for r in problem.game.randoms):
        return None
    if any(d.kind == "simplex" or (d.kind != "choice" and d.shape) or len(d.shape) > 1 for d in problem.game.decisions):
        return None
    try:
        order = moves(problem.dependence, problem.reduction, {d.name: problem.pays(problem.decider(d)) for d in problem.game.decisions})
    except Entangled:
        return None
    roles = problem.reduction.coordinates
    reals = [sum(roles[x].role != "finite" for x in m.relevant) for m in order]
    return order if len(order) > 1 and max(reals) <= 3 else None


def subgame_regrets(problem: Problem, profile: Mapping[str, Any], order: tuple[Move, ...]) -> tuple[Regret, ...]:
    """Every player's regret, and the largest gain at inputs that play does not reach."""
    judged: dict[str, Gains] = {}
    for move in order:
        for name in move.decisions:
            if name not in problem.copied:
                judged[name] = gains(problem, profile, move, problem.game.site(name))  # type: ignore[arg-type]
    rows = []
    for person in problem.people:
        own = [judged[d.name] for d in problem.game.decisions if problem.decider(d) == person and d.name in judged]
        if not own:
            continue
        gains_alone = np.asarray([[g.ex_ante, g.worst] for g in own])  # numpy's maxima of nan are nan
        most, worst = (float(x) for x in gains_alone.max(0))
        bound = float(gains_alone.max(1).sum())
        method = "best reply at every input, acts as they are" + ("" if len(own) == 1 else ", one decision at a time")
        sharp, known = len(own) == 1, all(g.known for g in own)
        if not any(sum(problem.decider(problem.game.site(x)) == person for x in m.decisions) > 1 for m in order):  # type: ignore[arg-type]
            sharp = sharp or bound - most <= SHARP * max(g.stake for g in own)
            method += "" if len(own) == 1 or not known else f"; all together at most {bound:.2g}"
        if not all(g.inside for g in own):
            method += "; lower bound: costs still fall at the end of what was tried"
        if math.isnan(most) or math.isnan(worst):
            method += "; some cost is not a number"
        rows.append(Regret(person.label, most, worst, sharp and known, method))
    return tuple(rows)


# ---------------------------------------------------------------- one decision


def gains(problem: Problem, profile: Mapping[str, Any], move: Move, d: Decision) -> Gains:
    """What d's player could gain at one decision of a move, everything else as in the profile (cost units): expected over play, and at
    every input that is tried."""
    base = reached_world(problem, profile, move)
    information = problem.reduction.information[d.name]
    assert information is not None  # a policy may look at what does not matter, too
    keep = tuple(sorted({*move.relevant, *(x for x in information.dims if problem.reduction.coordinates[x].role == "finite")}))
    shape = tuple(size(base, x) for x in keep)
    q_policy, q_best, difference, inside = compared(problem, base, d, keep, shape, known=True)
    worst = float(np.max(saved(q_policy, q_best)))
    stake = float(np.max(difference))
    path = problem.world(grid_of(problem, move, ()), problem.natural, profile, relaxation(problem, move, ()))
    varying = tuple(sorted({x for e in observed(d, path) for x in e.dims}))
    shape = tuple(size(path, x) for x in varying)
    q_policy, q_best, _, inside_too = compared(problem, path, d, varying, shape, known=False)
    return Gains(float(np.sum(saved(q_policy, q_best))), worst, stake, inside and inside_too)


def observed(d: Decision, world: World) -> list[Variable]:
    return [world.seen(o.expression) for o in d.observations]


def grid_of(problem: Problem, move: Move, seen: tuple[str, ...]) -> Grid:
    """Nature's own draws, those that are ``seen`` on as many nodes as inputs are tried."""
    builder = GridBuilder()
    natures = [x for x, c in problem.natural.coordinates.items() if c.role == "nature"]
    hidden = max(1, len(natures) - len(seen))
    smooth = not problem.has_steps and not problem.has_finite_decisions
    for name, c in problem.natural.coordinates.items():
        site = problem.dependence.sites[name]
        if c.role == "finite":
            builder.axes[name] = finite_axis(finite_size(problem, name))
        else:
            assert isinstance(site, Random)
            count = INPUTS[len(seen)] if name in seen else max(6, int(DRAWN ** (1.0 if hidden < 3 else 2 / hidden)))
            finer = 1 if smooth or name in seen else 2 if hidden > 1 or len(seen) > 1 else 32 if not seen else 8
            builder.axes[name] = draw_axis(site, count * finer, not smooth)
    return builder.grid()


def relaxation(problem: Problem, move: Move, seen: tuple[str, ...]) -> Relaxation:
    smooth = not problem.has_steps and not problem.has_finite_decisions
    return Relaxation("exact") if smooth else Relaxation("cells", frozenset(seen))


def reached_world(problem: Problem, profile: Mapping[str, Any], move: Move) -> World:
    """The game from a move on, what its movers know along coordinates of its own; what they know and does not matter is fixed, a draw
    at its median, an act in the middle of where it may be."""
    roles = problem.reduction.coordinates
    acts = [x for x in move.relevant if roles[x].role == "derived"]
    draws = tuple(x for x in move.relevant if roles[x].role == "nature")
    world = problem.world(grid_of(problem, move, draws), problem.natural, profile, relaxation(problem, move, move.relevant))
    count = INPUTS[len(acts) + len(draws)]
    values: dict[str, Variable] = {x: constant(1.0) for x in move.reached}
    known = {x for name in move.decisions for x in problem.reduction.information[name].dims}  # type: ignore[union-attr]
    for x in known - set(move.relevant):
        if roles[x].role == "nature":
            values[x] = constant(jnp.median(world.value(x).data))
        elif roles[x].role == "derived":
            values[x] = constant(sum(act_range(world, problem.game.site(x))) / 2)  # type: ignore[arg-type]
    for x in acts:
        low, high = act_range(world, problem.game.site(x))  # type: ignore[arg-type]
        values[x] = along(x, jnp.linspace(low, high, count))
    if move.pinned:
        values |= told_by_conditions(world, [problem.game.site(x) for x in move.decisions], move.pinned)  # type: ignore[misc]
    return world.vary(values)


def act_range(world: World, d: Decision) -> tuple[float, float]:
    """Between what an act is tried: its bounds, on an open side twice as far as it is played."""
    played = np.asarray(world.choice(d.name).data)
    width = max(float(np.abs(played).max()), 1e-3)
    low = float(played.min()) - width if d.low is None else float(np.min(np.asarray(evaluate(world, d.low).data)))
    high = float(played.max()) + width if d.high is None else float(np.max(np.asarray(evaluate(world, d.high).data)))
    return low, high


def size(world: World, dim: str) -> int:
    return world.grid.sizes[dim] if dim in world.grid.sizes else next(v.size(dim) for v in world.overrides.values() if dim in v.dims)


def compared(problem: Problem, world: World, d: Decision, keep: tuple[str, ...], shape: tuple[int, ...], known: bool,
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """(cost under the policy, least cost, largest difference), each an array (*shape) of cost units at every point of ``keep``: expected
    given the point, or (not ``known``) weighted by its probability; and whether the least costs lie inside what was tried."""
    names = keep
    if d.finite:
        own = (*keep, d.name)
        table = table_of(cost(problem, world, d, own, known, without=d.name), own, (*shape, d.options))
        law = table_of(conditional(world, world.factor(d.name), own), own, (*shape, d.options))
        policy = np.sum(np.where(law > 0, law * table, 0.0), -1)
        least = without_nan(table).min(-1)
        return policy, least, table.max(-1) - least, True
    chosen = table_of(world.choice(d.name), names, shape)

    order = tuple(sorted((*names, CANDIDATE)))

    @jax.jit
    def some(values: Array) -> Array:
        turn = [(*names, CANDIDATE).index(x) for x in order]
        varied = world.vary({d.name: Variable(order, jnp.transpose(values, turn))})
        return tabulated(cost(problem, varied, d, (*names, CANDIDATE), known), (*names, CANDIDATE), values.shape)

    def q(values: np.ndarray) -> np.ndarray:
        wide = np.broadcast_to(values, (*shape, values.shape[-1]))
        step = min(AT_ONCE, max(1, POINTS // max(1, math.prod(shape) * math.prod(world.grid.sizes.values()))))
        parts = []
        for i in range(0, wide.shape[-1], step):
            part = wide[..., i:i + step]
            if part.shape[-1] < step:
                part = np.concatenate([part, np.repeat(part[..., -1:], step - part.shape[-1], -1)], -1)
            parts.append(np.asarray(some(jnp.asarray(part))))
        return np.concatenate(parts, -1)[..., :wide.shape[-1]]

    low, high = act_range(world, d)
    bottom = table_of(constant(low) if d.low is None else evaluate(world, d.low), names, shape)
    top = table_of(constant(high) if d.high is None else evaluate(world, d.high), names, shape)
    at_chosen = q(chosen[..., None])[..., 0]
    ends = q(np.stack([bottom, top, (bottom + top) / 2], -1))
    _, least, falls = widening(q, bottom, top, chosen, at_chosen, CANDIDATES, (d.low is None, d.high is None), ROUNDS, FAR)
    return at_chosen, least, np.maximum(ends.max(-1), at_chosen) - least, not falls.any()


def cost(problem: Problem, world: World, d: Decision, keep: tuple[str, ...], known: bool, without: str | None = None) -> Variable:
    """What d's player pays of what d can change (cost units) at every point of ``keep``: expected given the point (``known``), or weighted
    by its probability, but for the law of ``without``."""
    touched = problem.dependence.payments_of(d.name)
    total: Variable = constant(0.0)
    for p in problem.pays(problem.decider(d)):
        if p.name in touched:
            value = world.payment(p)
            total = lift(jnp.add, total, conditional(world, value, keep) if known else world.expectation(value, keep, without=without))
    return total


def table_of(v: Variable, names: tuple[str, ...], shape: tuple[int, ...]) -> np.ndarray:
    """``tabulated`` as numbers."""
    return np.asarray(tabulated(v, names, shape), float)
