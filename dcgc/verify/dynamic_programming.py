"""Stages judged by dynamic programming: every player's expected cost by policy evaluation, and a bound on what anybody could gain.

Costs to come are kept on a grid of states of their own (not that of any search), every draw of a stage summed out. In each stage every
decision is compared with all others at every state and every input, reached or not, with the costs to come of the profile. By the one-shot
deviation principle (Blackwell 1965) no deviation, at however many stages, gains more than the discounted sum of the largest of these
gains.
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

from ..core.expression import Reference
from ..core.site import Decision, Random
from ..information.subgames import Entangled, Move, moves
from ..lower.conditional import conditional
from ..lower.evaluate import evaluate
from ..lower.grid import Grid, GridBuilder, cubic_weights
from ..lower.one_stage import NUMBER, OneStage, Unstageable, depends_on_stage, one_stage
from ..lower.plans import draw_axis, finite_axis, finite_size, natural_grid
from ..lower.problem import Problem
from ..lower.stages import discount_of
from ..lower.strategy import Strategy
from ..lower.variable import Variable, along, constant, expand, lift, union
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .figures import Regret
from .regret import tabulated
from .search import widening_traced

STATES = {0: 1, 1: 121, 2: 31}  # nodes of a real state, by how many there are
INPUTS = {0: 1, 1: 61, 2: 31, 3: 13}  # nodes of a real number that a decision sees, by how many matter
DRAWN = {0: 1, 1: 24, 2: 16, 3: 8}  # Gauss nodes of a draw that nobody has seen, by how many there are
CELLS = {0: 1, 1: 240, 2: 40, 3: 14}  # the same where something jumps
MARGIN = 0.15  # of what play reaches
FOLLOWED = 400  # stages, through which it is followed how far states go
STILL = 1e-3 * MARGIN  # of that range: what a stage adds to it while it is still growing
LEFT = 1e-10  # of the discounted sum: what is left beyond the last stage of stages without end
CANDIDATE = "candidate"
SHARP = 1e-4  # of what is at stake: a bound below it is taken for the regret


@dataclass(frozen=True)
class Judged:
    """Of a player, all in discounted cost units: expected ``cost`` and its numerical ``error``; ``stake``: the largest cost to come at any
    state. ``decides``: whether all its decisions were judged; it has none, or its sister's stand for them, where not. If so, ``bound``:
    no deviation gains more; ``unreached``: the largest gain of one decision at any state and input, when it is reached (both nan where
    some cost is no number, inf where costs fall without end)."""

    cost: float
    error: float
    stake: float
    decides: bool
    bound: float = math.nan
    unreached: float = math.nan

    @property
    def scale(self) -> float:
        """What is at stake, in cost units."""
        return max(abs(self.cost), self.stake)

    @property
    def settled(self) -> bool:
        """Whether there is nothing to gain: the bound is finite, and nothing beside what is at stake."""
        return not self.decides or (math.isfinite(self.unreached) and self.bound <= SHARP * self.scale)


def judged_regrets(judged: Mapping[str, Judged]) -> tuple[Regret, ...] | None:
    """Regrets that are so small that the bound says all; None where it does not."""
    if not all(j.settled for j in judged.values()):
        return None
    method = "dynamic programming: no deviation at any stages gains more"
    return tuple(Regret(k, j.bound, j.unreached, True, method) for k, j in judged.items() if j.decides)


def by_dynamic_programming(problem: Problem, profile: Mapping[str, Any]) -> dict[str, Judged] | None:
    """Every player judged, by label; None where stages are no games that can be judged one by one."""
    if problem.leaders or any(not isinstance(s, Strategy) for s in profile.values()):
        return None
    block = problem.game.block
    assert block is not None
    if math.isfinite(block.length) and block.length > 1 and not all(
            any(o.expression == Reference(block.binder) for o in d.observations) for d in problem.game.decisions):
        return None  # who does not know the stage cannot deviate in one of them alone
    try:
        fine = Evaluation(problem, profile, 1.0)
        coarse = Evaluation(problem, profile, 0.5, fine.box)
    except (Unstageable, Entangled, Unbounded):
        return None
    costs, gains, stakes = fine.run(True)
    less, _, _ = coarse.run(False)
    out = {}
    for p in problem.people:
        if p.label not in costs:
            continue
        own = [d.name for d in problem.game.decisions if problem.decider(d) == p]
        decides = bool(own) and all(x in gains for x in own)
        mine = np.asarray([np.maximum(gains[x], 0.0) for x in own]) if decides else np.full((1, 1), math.nan)  # (decisions, stages)
        bound, worst = float(np.sum(fine.weights * mine)), float(np.max(mine))  # numpy's sums and maxima of nan are nan
        out[p.label] = Judged(costs[p.label], abs(costs[p.label] - less[p.label]), stakes[p.label], decides, bound, worst)
    return out


class Unbounded(Exception):
    """States that a grid cannot hold."""


class Evaluation:
    """A profile on one grid of states, ``finer`` times as fine as the standard one."""

    def __init__(self, problem: Problem, profile: Mapping[str, Any], finer: float, box: Mapping[str, tuple[float, float]] | None = None):
        self.problem, self.profile, self.finer = problem, profile, finer
        self.stage: OneStage = one_stage(problem)
        inner = self.stage.problem
        paid = {d.name: inner.pays(inner.decider(d)) for d in inner.game.decisions if d.name not in self.stage.states}
        self.order = moves(inner.dependence, inner.reduction, paid, frozenset(self.stage.states))
        self.discount = discount_of(problem)
        length = self.stage.block.length
        if math.isinf(length) and depends_on_stage(self.stage):
            raise Unbounded("stages are not alike")
        self.length = round(length) if math.isfinite(length) else max(1, math.ceil(math.log(LEFT) / math.log(self.discount)))
        self.endless = math.isinf(length)
        self.weights = np.asarray([1 / (1 - self.discount)]) if self.endless else self.discount ** np.arange(self.length)
        self.reals = tuple(x for x in self.stage.states if x not in self.stage.finite)
        most = max((sum(inner.reduction.coordinates[x].role != "finite" for x in m.relevant) for m in self.order), default=0)
        if len(self.reals) > 2 or most > 3:
            raise Unbounded("too many real states")
        self.count = max(8, round(STATES[len(self.reals)] * finer))
        self.box = dict(box) if box is not None else self.reached()

    # ------------------------------------------------------------ grids and worlds

    def grid(self, seen: tuple[str, ...]) -> Grid:
        builder = GridBuilder()
        inner = self.stage.problem
        smooth = not inner.has_steps and not inner.has_finite_decisions
        natures = [x for x, c in inner.natural.coordinates.items() if c.role == "nature" and x not in seen]
        for name, c in inner.natural.coordinates.items():
            site = inner.dependence.sites[name]
            if c.role == "finite":
                builder.axes[name] = finite_axis(finite_size(inner, name))
            elif c.role == "nature":
                assert isinstance(site, Random)
                most = (DRAWN if smooth else CELLS)[min(3, len(natures))]
                n = INPUTS[min(3, len(seen))] if name in seen else max(4, round(most * self.finer))
                builder.axes[name] = draw_axis(site, n, not smooth)
        return builder.grid()

    def world(self, t: Any, values: Mapping[str, Variable], seen: tuple[str, ...] = ()) -> World:
        inner = self.stage.problem
        smooth = not inner.has_steps and not inner.has_finite_decisions
        parameters = {**inner.parameters, NUMBER: jnp.asarray(t, float)}
        relaxation = Relaxation("exact") if smooth or not any(c.role == "nature" for c in inner.natural.coordinates.values()) else \
            Relaxation("cells", frozenset(seen))
        return inner.world(self.grid(seen), inner.natural, self.profile, relaxation, parameters).vary(values)

    def nodes(self, x: str, count: int) -> Array:
        low, high = self.box[x]
        return jnp.linspace(low, high, count)

    def at_states(self, t: Any) -> World:
        return self.world(t, {x: along(x, self.nodes(x, self.count)) for x in self.reals})

    # ------------------------------------------------------------ what is paid

    def to_come(self, world: World, value: Array) -> Variable:
        """Discounted costs of later stages, where play goes on."""
        block, stage = self.stage.block, self.stage
        total: Variable = constant(value)
        for x in reversed(stage.states):  # the last axis of the values first
            v = world.value(stage.following[x])
            if x in stage.finite:
                w = v if v.own else lift(lambda b: jnp.stack([1 - b, b], -1), v)
            else:
                low, high = self.box[x]
                wide = high - low
                w = lift(lambda y, x=x, low=low, high=high, wide=wide: cubic_weights(jnp.clip(y, low - wide, high + wide),
                                                                                     self.nodes(x, self.count)), v)
            total = contracted(total, w)
        for name in (block.delay, block.survival):
            if name is not None:
                total = lift(lambda x, a: jnp.where(a == 0, 0.0, x * a), total, world.value(name))
        return Variable(total.dims, self.discount * total.data)

    def paid(self, world: World, label: str, value: Array, keep: tuple[str, ...], touched: frozenset[str] | None = None) -> Variable:
        """What a player pays in the stage and later, expected given ``keep``; of payments in ``touched`` alone (None: all)."""
        inner = self.stage.problem
        person = next(p for p in inner.people if p.label == label)
        total: Variable = constant(0.0)
        for p in inner.pays(person):
            if touched is not None and p.name not in touched:
                continue
            v = self.to_come(world, value) if p.name == self.stage.after.get(label) else world.payment(p)
            total = lift(jnp.add, total, conditional(world, v, keep))
        return total

    def run(self, with_gains: bool) -> tuple[dict[str, float], dict[str, np.ndarray], dict[str, float]]:
        """Expected costs by player, of every decision the largest gain in each stage, and the largest costs to come."""
        inner = self.stage.problem
        shape = tuple(self.count if x in self.reals else finite_size(inner, x) for x in self.stage.states)
        people = [p.label for p in inner.people if p.label in self.stage.after]

        def gains_of(values: dict[str, Array], t: Array) -> dict[str, Array]:
            gains: dict[str, Array] = {}
            for move in self.order if with_gains else ():
                for name in move.decisions:
                    if inner.leader_of[name] == name or inner.leader_of[name] not in move.decisions:
                        gains[name] = self.gain(move, inner.game.site(name), values, t)  # type: ignore[arg-type]
            return gains

        def body(values: dict[str, Array], t: Array) -> tuple[dict[str, Array], dict[str, Array]]:
            world = self.at_states(t)
            new = {k: tabulated(self.paid(world, k, values[k], self.stage.states), self.stage.states, shape) for k in people}
            return new, {} if self.endless else gains_of(values, t)

        times = jnp.arange(float(self.length), 0.0, -1.0)
        start = {k: jnp.zeros(shape) for k in people}
        values, gains = jax.jit(lambda v: jax.lax.scan(body, v, times))(start)
        if self.endless:  # one stage is like another
            gains = {k: g[None] for k, g in jax.jit(lambda v: gains_of(v, jnp.asarray(1.0)))(values).items()}
        largest = {k: float(jnp.max(jnp.abs(v))) for k, v in values.items()}
        return self.at_first(values), {k: np.asarray(g)[::-1] for k, g in gains.items()}, largest

    def at_first(self, values: Mapping[str, Array]) -> dict[str, float]:
        """The expectation of the values over where the states start."""
        grid, _ = natural_grid(self.problem, 200_000, largest=64, scattered=False)
        world = self.problem.world(grid, self.problem.natural, {})
        firsts = {s.name: evaluate(world, s.first) for s in self.problem.game.states if s.name in self.stage.states}
        out = {}
        for k, value in values.items():
            total: Variable = constant(value)
            for x in reversed(self.stage.states):
                v = firsts[x]
                if x in self.stage.finite:
                    w = v if v.own else lift(lambda b: jnp.stack([1 - b, b], -1), v)
                else:
                    w = lift(lambda y, x=x: cubic_weights(y, self.nodes(x, self.count)), v)
                total = contracted(total, w)
            out[k] = float(world.expectation(total).data)
        return out

    # ------------------------------------------------------------ deviations

    def gain(self, move: Move, d: Decision, values: Mapping[str, Array], t: Array) -> Array:
        """The largest gain of another act at any input of a decision."""
        inner = self.stage.problem
        roles = inner.reduction.coordinates
        information = inner.reduction.information[d.name]
        assert information is not None
        keep = tuple(sorted({*move.relevant, *(x for x in information.dims if roles[x].role == "finite")}))
        reals = [x for x in move.relevant if roles[x].role != "finite"]
        draws = tuple(x for x in reals if roles[x].role == "nature")
        count = INPUTS[len(reals)]
        put: dict[str, Variable] = {x: constant(1.0) for x in move.reached}
        plain = self.at_states(t)
        for x in {*move.relevant, *information.dims, *self.reals}:
            if x in draws or roles[x].role == "finite" or x == d.name:
                continue
            if roles[x].role == "nature":  # known, but it does not matter: at its median
                put[x] = constant(jnp.median(plain.value(x).data))
                continue
            low, high = self.box[x] if x in self.reals else self.act_range(plain, inner.game.site(x))  # type: ignore[arg-type]
            put[x] = along(x, low + (high - low) * jnp.linspace(0.0, 1.0, count)) if x in reals else constant((low + high) / 2)
        world = self.world(t, put, draws)
        shape = tuple(count if x in reals else world.grid.sizes[x] for x in keep)
        label = inner.decider(d).label
        touched = inner.dependence.payments_of(d.name)
        if d.finite:
            own = (*keep, d.name)
            q = tabulated(self.paid(world, label, values[label], own, touched), own, (*shape, d.options))
            law = tabulated(conditional(world, world.factor(d.name), own), own, (*shape, d.options))
            return jnp.max(jnp.sum(jnp.where(law > 0, law * q, 0.0), -1) - jnp.min(jnp.where(jnp.isnan(q), jnp.inf, q), -1))
        chosen = tabulated(world.choice(d.name), keep, shape)
        order = tuple(sorted((*keep, CANDIDATE)))
        turn = [(*keep, CANDIDATE).index(x) for x in order]

        def q_of(acts: Array) -> Array:
            varied = world.vary({d.name: Variable(order, jnp.transpose(acts, turn))})
            return tabulated(self.paid(varied, label, values[label], (*keep, CANDIDATE), touched), (*keep, CANDIDATE), acts.shape)

        low, high = self.act_range(plain, d)
        bottom = jnp.broadcast_to(tabulated(constant(low) if d.low is None else evaluate(world, d.low), keep, shape), shape)
        top = jnp.broadcast_to(tabulated(constant(high) if d.high is None else evaluate(world, d.high), keep, shape), shape)
        at_chosen = q_of(chosen[..., None])[..., 0]
        least, open_still = widening_traced(q_of, bottom, top, chosen, at_chosen, d.low is None, d.high is None)
        return jnp.max(jnp.where(open_still, jnp.inf, at_chosen - least))

    def act_range(self, world: World, d: Decision) -> tuple[Array, Array]:
        """Between what an act is tried at first: its bounds, on an open side twice as far as it is played at any state."""
        played = world.choice(d.name).data
        width = jnp.maximum(jnp.max(jnp.abs(played)), 1e-3)
        low = jnp.min(played) - width if d.low is None else jnp.min(evaluate(world, d.low).data)
        high = jnp.max(played) + width if d.high is None else jnp.max(evaluate(world, d.high).data)
        return low, high

    # ------------------------------------------------------------ where play goes

    def reached(self) -> dict[str, tuple[float, float]]:
        """Boxes that hold the states of all stages, with a margin. Raises Unbounded."""
        if not self.reals:
            return {}
        grid, _ = natural_grid(self.problem, 50_000, largest=40)
        outside = self.problem.world(grid, self.problem.natural, {})
        box = {}
        for s in self.problem.game.states:
            if s.name in self.reals:
                data = np.asarray(evaluate(outside, s.first).data)
                box[s.name] = (float(data.min()), float(data.max()))
        total = dict(box)

        @jax.jit
        def step(t: Array, ends: Array) -> Array:
            put = {x: along(x, jnp.linspace(ends[i, 0], ends[i, 1], 15)) for i, x in enumerate(self.reals)}
            world = self.world(t, put)
            values = [world.value(self.stage.following[x]).data for x in self.reals]
            return jnp.stack([jnp.stack([jnp.min(v), jnp.max(v)]) for v in values])

        ends = np.asarray([box[x] for x in self.reals])
        widened = False
        for t in range(1, min(self.length, FOLLOWED)):
            ends = np.asarray(step(jnp.asarray(float(t)), jnp.asarray(ends)))
            if not np.isfinite(ends).all():
                raise Unbounded("a state leaves every bound")
            before = dict(total)
            for x, (low, high) in zip(self.reals, ends, strict=True):
                total[x] = (min(total[x][0], float(low)), max(total[x][1], float(high)))
            widened = any(max(before[x][0] - total[x][0], total[x][1] - before[x][1]) > STILL * (total[x][1] - total[x][0]) for x in total)
        if widened and self.length > FOLLOWED:
            raise Unbounded(f"a state still goes further after {FOLLOWED} stages")
        out = {}
        for x, (low, high) in total.items():
            margin = MARGIN * max(high - low, 1e-3 * max(abs(low), abs(high), 1e-3))
            out[x] = (low - margin, high + margin)
        return out


def contracted(values: Variable, weights: Variable) -> Variable:
    """The values' last own axis weighted by the last own axis of the weights."""
    dims = union([values, weights])
    rank = len(values.own)
    a = expand(values, dims, rank)
    w = expand(weights, dims, 1)
    w = w.reshape((*w.shape[:len(dims)], *(1,) * (rank - 1), w.shape[-1]))
    return Variable(dims, jnp.sum(a * w, -1))
