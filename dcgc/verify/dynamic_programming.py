"""Stages judged by dynamic programming: every player's expected cost by policy evaluation, and a bound on what anybody could gain.

Costs to come are kept on a grid of states of their own (not that of any search), every draw of a stage summed out. In each stage every
decision is compared with all others at every state and every input, reached or not, with the costs to come of the profile. By the one-shot
deviation principle (Blackwell 1965) no deviation, at however many stages, gains more than the discounted sum of the largest of these
gains. Where a deviation can leave the states that are looked at, this is said of those that do not. All is worked out on a second grid,
whose nodes lie elsewhere, too, and the larger gain and the largest change of a cost count: values with a kink that one grid happens to
hold, or to miss, are told by the other.
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
from .subgames import given

STATES = {0: 1, 1: 121, 2: 31}  # nodes of a real state, by how many there are
INPUTS = {0: 1, 1: 61, 2: 31, 3: 13}  # nodes of a real number that a decision sees, by how many matter
DRAWN = {0: 1, 1: 24, 2: 16, 3: 8}  # Gauss nodes of a draw that nobody has seen, by how many there are
CELLS = {0: 1, 1: 240, 2: 40, 3: 14}  # the same where something jumps
TRIED, CLOSER, ROUNDS = 65, 9, 8
MARGIN = 0.15  # of what play reaches
AWAY = (0.37, 0.21)  # nodes by which a second grid goes further on either side
LEFT = 1e-10  # of the discounted sum: what is left beyond the last stage of stages without end
CANDIDATE = "candidate"
SHARP = 1e-4  # of what is at stake: a bound below it is taken for the regret


@dataclass(frozen=True)
class Judged:
    """Of a player: expected ``cost`` and its error; ``bound``: no deviation gains more; ``unreached``: the largest gain of one decision
    at any state and input, when it is reached; ``stake``: the largest cost to come at any state; ``within``: states beyond which deviations
    are not looked at, in words ("": there are none)."""

    cost: float
    error: float
    bound: float
    unreached: float
    stake: float
    within: str = ""


def judged_regrets(judged: Mapping[str, Judged]) -> tuple[Regret, ...] | None:
    """Regrets that are so small that the bound says all; None where it does not."""
    if any(j.bound > SHARP * max(abs(j.cost), j.stake) for j in judged.values()):
        return None
    method = "dynamic programming: no deviation at any stages gains more"
    return tuple(Regret(k, j.bound, j.unreached, True, method + j.within) for k, j in judged.items())


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
        moved = Evaluation(problem, profile, 1.0, fine.elsewhere()) if fine.reals else None
    except (Unstageable, Entangled, Unbounded):
        return None
    costs, gains, stakes = fine.run(True)
    others = [coarse.run(False)[0]]
    if moved is not None:
        there, more, _ = moved.run(True)
        others.append(there)
        gains = {k: np.maximum(g, more[k]) for k, g in gains.items()}
    within = fine.escapes()
    out = {}
    for p in problem.people:
        if p.label in costs:
            mine = [g for name, g in gains.items() if problem.decider(problem.game.site(name)) == p]  # type: ignore[arg-type]
            bound = sum(float(np.sum(fine.weights * np.maximum(g, 0.0))) for g in mine)
            worst = max((float(np.max(g)) for g in mine), default=0.0)
            error = max(abs(costs[p.label] - other[p.label]) for other in others)
            out[p.label] = Judged(costs[p.label], error, bound, max(0.0, worst), stakes[p.label], within)
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
            total = lift(jnp.add, total, given(world, v, keep))
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
            new = {k: on(self.paid(world, k, values[k], self.stage.states), self.stage.states, shape) for k in people}
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
            low, high = self.box[x] if x in self.reals else self.act_range(plain, inner.game.site(x))  # type: ignore[arg-type]
            put[x] = along(x, low + (high - low) * jnp.linspace(0.0, 1.0, count)) if x in reals else constant((low + high) / 2)
        world = self.world(t, put, draws)
        shape = tuple(count if x in reals else world.grid.sizes[x] for x in keep)
        label = inner.decider(d).label
        touched = inner.dependence.payments_of(d.name)
        if d.finite:
            own = (*keep, d.name)
            q = on(self.paid(world, label, values[label], own, touched), own, (*shape, d.options))
            law = on(given(world, world.factor(d.name), own), own, (*shape, d.options))
            return jnp.max(jnp.sum(jnp.where(law > 0, law * q, 0.0), -1) - jnp.min(q, -1))
        chosen = on(world.choice(d.name), keep, shape)
        order = tuple(sorted((*keep, CANDIDATE)))
        turn = [(*keep, CANDIDATE).index(x) for x in order]

        def q_of(acts: Array) -> Array:
            varied = world.vary({d.name: Variable(order, jnp.transpose(acts, turn))})
            return on(self.paid(varied, label, values[label], (*keep, CANDIDATE), touched), (*keep, CANDIDATE), acts.shape)

        low, high = self.act_range(plain, d)
        bottom = jnp.broadcast_to(on(constant(low) if d.low is None else evaluate(world, d.low), keep, shape), shape)
        top = jnp.broadcast_to(on(constant(high) if d.high is None else evaluate(world, d.high), keep, shape), shape)
        at_chosen = q_of(chosen[..., None])[..., 0]

        def among(left: Array, right: Array, n: int) -> tuple[Array, Array]:
            acts = left[..., None] + (right - left)[..., None] * jnp.linspace(0.0, 1.0, n)
            costs = q_of(acts)
            costs = jnp.where(jnp.isnan(costs), jnp.inf, costs)
            k = jnp.argmin(costs, -1)[..., None]
            return jnp.take_along_axis(acts, k, -1)[..., 0], jnp.take_along_axis(costs, k, -1)[..., 0]

        best, least = among(bottom, top, TRIED)

        def closer(i: int, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            best, least, half = state
            act, cost = among(jnp.maximum(bottom, best - half), jnp.minimum(top, best + half), CLOSER)
            better = cost < least
            return jnp.where(better, act, best), jnp.where(better, cost, least), half * (3.0 / (CLOSER - 1))

        _, least, _ = jax.lax.fori_loop(0, ROUNDS, closer, (best, least, 1.5 * (top - bottom) / (TRIED - 1)))
        return jnp.max(at_chosen - jnp.minimum(least, at_chosen))

    def act_range(self, world: World, d: Decision) -> tuple[Array, Array]:
        """Between what an act is tried: its bounds, on an open side twice as far as it is played at any state."""
        played = world.choice(d.name).data
        width = jnp.maximum(jnp.max(jnp.abs(played)), 1e-3)
        low = jnp.min(played) - width if d.low is None else jnp.min(evaluate(world, d.low).data)
        high = jnp.max(played) + width if d.high is None else jnp.max(evaluate(world, d.high).data)
        return low, high

    # ------------------------------------------------------------ where play goes

    def elsewhere(self) -> dict[str, tuple[float, float]]:
        """Wider boxes, whose nodes fall between those of these."""
        step = {x: (high - low) / (self.count - 1) for x, (low, high) in self.box.items()}
        return {x: (low - AWAY[0] * step[x], high + AWAY[1] * step[x]) for x, (low, high) in self.box.items()}

    def escapes(self) -> str:
        """Which states one act can bring out of their box, in words; "" where there is none. Acts stand at their ends, or, without one,
        are never held in."""
        decisions = [d for d in self.stage.problem.game.decisions if d.name not in self.stage.states and d.kind == "real"]
        left = set()
        for d in decisions:
            moving = [x for x in self.reals if d.name in self.stage.problem.dependence.ancestors[self.stage.following[x]]]
            for end in (d.low, d.high):
                plain = self.at_states(1.0)
                world = plain if end is None else plain.vary({d.name: evaluate(plain, end)})
                for x in moving:
                    low, high = self.box[x]
                    next_ones = world.value(self.stage.following[x]).data
                    slack = 1e-9 * (high - low)
                    if end is None or float(jnp.min(next_ones)) < low - slack or float(jnp.max(next_ones)) > high + slack:
                        left.add(x)
        if not left:
            return ""
        boxes = ", ".join(f"{x} in [{self.box[x][0]:.4g}, {self.box[x][1]:.4g}]" for x in sorted(left))
        return f", of those that keep {boxes}"

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
        for t in range(1, min(self.length, 400)):
            ends = np.asarray(step(jnp.asarray(float(t)), jnp.asarray(ends)))
            if not np.isfinite(ends).all():
                raise Unbounded("a state leaves every bound")
            for x, (low, high) in zip(self.reals, ends, strict=True):
                total[x] = (min(total[x][0], float(low)), max(total[x][1], float(high)))
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


def on(v: Variable, names: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """A value at every point of ``names``, in their order."""
    order = tuple(sorted(names))
    full = jnp.broadcast_to(expand(v, order, 0), tuple(shape[names.index(x)] for x in order))
    return jnp.transpose(full, [order.index(x) for x in names])
