"""A profile's costs to come in every stage, on a grid of states of its own, every draw of a stage summed out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision, Random
from ..information.subgames import moves
from ..lower.conditional import conditional
from ..lower.evaluate import evaluate
from ..lower.grid import Grid, GridBuilder, cubic_weights
from ..lower.one_stage import NUMBER, OneStage, depends_on_stage, one_stage
from ..lower.plans import draw_axis, finite_axis, finite_size, natural_grid
from ..lower.problem import Person, Problem
from ..lower.stages import discount_of
from ..lower.variable import Variable, along, constant, expand, lift, union
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .boxes import Box, Unbounded, reached
from .regret import tabulated
from .stage_gains import INPUTS, stage_gains

STATES = {0: 1, 1: 121, 2: 31}  # nodes of a real state, by how many there are
DRAWN = {0: 1, 1: 24, 2: 16, 3: 8}  # Gauss nodes of a draw that nobody has seen, by how many there are
CELLS = {0: 1, 1: 240, 2: 40, 3: 14}  # the same where something jumps
LEFT = 1e-10  # of the discounted sum: what is left beyond the last stage of stages without end


class Evaluation:
    """A profile on one grid of states, ``finer`` times as fine as the standard one."""

    def __init__(self, problem: Problem, profile: Mapping[str, Any], finer: float, box: Box | None = None):
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
        self.left = self.discount**self.length if self.endless else 0.0  # of the costs to come, in the last stage that is counted
        self.reals = tuple(x for x in self.stage.states if x not in self.stage.finite)
        most = max((sum(inner.reduction.coordinates[x].role != "finite" for x in m.relevant) for m in self.order), default=0)
        if len(self.reals) > 2 or most > 3:
            raise Unbounded("too many real states")
        self.count = max(8, round(STATES[len(self.reals)] * finer))
        self.box = dict(box) if box is not None else reached(self)

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

    def own_moves(self, person: Person) -> list[list[str]]:
        """What a player decides in each move of a stage."""
        own = [[x for x in m.decisions if self.problem.decider(self.problem.game.site(x)) == person] for m in self.order]  # type: ignore[arg-type]
        return [x for x in own if x]

    def act_range(self, world: World, d: Decision) -> tuple[Array, Array]:
        """Between what an act is tried at first: its bounds, on an open side twice as far as it is played at any state."""
        played = world.choice(d.name).data
        width = jnp.maximum(jnp.max(jnp.abs(played)), 1e-3)
        low = jnp.min(played) - width if d.low is None else jnp.min(evaluate(world, d.low).data)
        high = jnp.max(played) + width if d.high is None else jnp.max(evaluate(world, d.high).data)
        return low, high

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
        some = jnp.any(value != 0)  # nothing is to come of the last stage, wherever it leads, be that no number
        return Variable(total.dims, jnp.where(some, self.discount * total.data, 0.0))

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
            return stage_gains(self, values, t) if with_gains else {}

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


def contracted(values: Variable, weights: Variable) -> Variable:
    """The values' last own axis weighted by the last own axis of the weights."""
    dims = union([values, weights])
    rank = len(values.own)
    a = expand(values, dims, rank)
    w = expand(weights, dims, 1)
    w = w.reshape((*w.shape[:len(dims)], *(1,) * (rank - 1), w.shape[-1]))
    return Variable(dims, jnp.sum(a * w, -1))
