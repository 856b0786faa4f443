"""Stages solved backward: V_t(state) of every player, and in each stage its moves with what follows at V_{t+1} (Bellman 1957, Shapley
1953).

A stage is compiled once and scanned over; between the nodes of a state values are cubic, so that quadratic games come out to rounding,
and go on as parabolas beyond them. Every stage is solved at all states, those that play does not reach included; at states where there is
no answer (the logarithm of a stock below 0) values go on from those where there is (``filling``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..information.subgames import Move, moves
from ..lower.conditional import conditional
from ..lower.evaluate import evaluate
from ..lower.one_stage import NUMBER, OneStage
from ..lower.plans import natural_grid
from ..lower.strategy import stage_of_combinations
from ..lower.variable import Variable, constant, expand, lift
from ..lower.world import World
from .filling import filled
from .forms import Form
from .interpolation import interpolated
from .moves import Later, MoveSolver

NODES = {0: 1, 1: 97, 2: 25, 3: 11}  # of a known real number, by how many of them matter
STATES = {0: 1, 1: 97, 2: 25, 3: 11}  # of a real state, where values are kept
KEPT = 40  # stages for which a policy of stages without end is kept, between two that are solved

Values = dict[str, Array]
Tables = dict[str, Array]


@dataclass
class Recursion:
    """``solvers``: the moves of a stage, last first. Values are costs to come, by person, over all states (sorted). Raises ValueError where
    more real numbers matter than a grid can hold."""

    stage: OneStage
    discount: float
    solvers: list[MoveSolver] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem = self.stage.problem
        given = frozenset(self.stage.states)
        paid = {d.name: problem.pays(problem.decider(d)) for d in problem.game.decisions if d.name not in given}
        order = moves(problem.dependence, problem.reduction, paid, given)
        if len(self.reals) not in STATES:
            raise ValueError(f"{len(self.reals)} real states are too many for a grid")
        for m in order:
            reals = [x for x in m.relevant if problem.reduction.coordinates[x].role != "finite"]
            if len(reals) not in NODES:
                raise ValueError(f"{len(reals)} real numbers matter to {m.decisions[0]}: too many for a grid")
        self.solvers = [MoveSolver(problem, m, NODES) for m in order]
        draws = tuple(x for x, c in problem.natural.coordinates.items() if x not in given and c.role in ("nature", "finite")
                      and not isinstance(problem.dependence.sites[x], Decision))
        self.whole = MoveSolver(problem, Move((), self.stage.states, (), (), draws, ()), STATES)

    @property
    def reals(self) -> tuple[str, ...]:
        return tuple(x for x in self.stage.states if x not in self.stage.finite)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The nodes of every state."""
        return tuple(self.whole.size(self.whole_world({}, {x: jnp.asarray([0.0, 1.0]) for x in self.reals}, 1.0), x)
                     for x in self.stage.states)

    def whole_world(self, rules: Mapping[str, Any], ranges: Mapping[str, Array], t: Any) -> World:
        return self.whole.world(rules, ranges, {NUMBER: jnp.asarray(t, float)})

    def zeros(self) -> Values:
        return {p.label: jnp.zeros(self.shape) for p in self.stage.problem.people if p.label in self.stage.after}

    # ------------------------------------------------------------ one stage

    def later(self, values: Values, ranges: Mapping[str, Array]) -> Later:
        """What the stages to come are worth to everybody, as the payments after this stage."""
        def of(label: str) -> Any:
            return lambda world: self.to_come(world, values[label], ranges)

        return {name: of(label) for label, name in self.stage.after.items()}

    def to_come(self, world: World, value: Array, ranges: Mapping[str, Array]) -> Variable:
        block = self.stage.block
        nexts = [world.value(self.stage.following[x]) for x in self.stage.states]
        weight: Variable = constant(self.discount)
        if block.delay is not None:
            weight = lift(jnp.multiply, weight, world.value(block.delay))
        at = [self.place(x, v, ranges) for x, v in zip(self.stage.states, nexts, strict=True)]
        there = lift(lambda *parts: interpolated(value, self.kinds, parts), *at) if at else constant(value)
        some = jnp.any(value != 0)  # nothing is to come of the last stage, wherever it leads, be that no number
        total = lift(lambda w, x: jnp.where(some, w * x, 0.0), weight, there)
        if block.survival is None:
            return total
        return lift(lambda x, alive: jnp.where(alive == 0, 0.0, x * alive), total, world.value(block.survival))

    @cached_property
    def kinds(self) -> tuple[bool, ...]:
        """Of every state whether it has finitely many values."""
        return tuple(x in self.stage.finite for x in self.stage.states)

    def place(self, state: str, v: Variable, ranges: Mapping[str, Array]) -> Variable:
        """Where among a state's nodes a value lies: the number of a finite one, a real number in [0, n - 1] on the grid."""
        if state in self.stage.finite:
            return Variable(v.dims, jnp.argmax(v.data, -1).astype(float)) if len(v.own) else v
        low, high = ranges[state]
        n = self.shape[self.stage.states.index(state)]
        return lift(lambda x: (x - low) / (high - low) * (n - 1), v)

    def back(self, values: Values, t: Any, ranges: Mapping[str, Array]) -> tuple[Values, Tables, dict[str, Array], Array]:
        """Stage t: values at its start, tables of its moves, (2, *states) between what each real state lies in the next stage, and
        (*states) where all values are numbers of themselves."""
        rules: dict[str, Any] = {}
        out: Tables = {}
        later = self.later(values, ranges)
        for solver in self.solvers:
            tables = solver.solve(rules, ranges, later, {NUMBER: jnp.asarray(t, float)})
            tables = {k: filled(x, self.real_axes(solver.dims), False) for k, x in tables.items()}
            out |= tables
            rules |= solver.policies(tables, ranges)
        new = self.valued(rules, values, t, ranges)
        sound = jnp.all(jnp.stack([jnp.isfinite(v) for v in new.values()]), 0)
        return self.whole_values(new), out, self.limits(rules, t, ranges), sound

    def whole_values(self, values: Values) -> Values:
        return {k: filled(v, self.real_axes(self.stage.states), True) for k, v in values.items()}

    def real_axes(self, dims: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(i for i, x in enumerate(dims) if x in self.reals)

    def valued(self, rules: Mapping[str, Any], values: Values, t: Any, ranges: Mapping[str, Array]) -> Values:
        """What everybody pays from stage t on, at every state."""
        world = self.whole_world(rules, ranges, t)
        problem, later = self.stage.problem, self.later(values, ranges)
        out = {}
        for p in problem.people:
            if p.label not in self.stage.after:
                continue
            total: Variable = constant(0.0)
            for payment in problem.pays(p):
                value = later[payment.name](world) if payment.name in later else world.payment(payment)
                total = lift(jnp.add, total, conditional(world, value, self.stage.states))
            out[p.label] = spread(total, self.stage.states, self.shape)
        return out

    def limits(self, rules: Mapping[str, Any], t: Any, ranges: Mapping[str, Array]) -> dict[str, Array]:
        world = self.whole_world(rules, ranges, t)
        out = {}
        for x in self.reals:
            v = world.value(self.stage.following[x])
            chance = tuple(i for i, dim in enumerate(v.dims) if dim not in self.stage.states)
            dims = tuple(dim for dim in v.dims if dim in self.stage.states)
            out[x] = jnp.stack([spread(Variable(dims, f(v.data, axis=chance)), self.stage.states, self.shape) for f in (jnp.min, jnp.max)])
        return out

    # ------------------------------------------------------------ all stages

    def all_stages(self, ranges: Mapping[str, Array], length: int) -> tuple[Values, Tables, dict[str, Array], Array]:
        """From the last stage to the first: values in stage 1; tables and limits of every stage, the first one first; (*states) where all
        values of all stages are numbers."""
        def body(values: Values, t: Array) -> tuple[Values, tuple[Tables, dict[str, Array], Array]]:
            new, *found = self.back(values, t, ranges)
            return new, tuple(found)  # type: ignore[return-value]

        values, (tables, limits, sound) = jax.lax.scan(body, self.zeros(), jnp.arange(float(length), 0.0, -1.0))
        return values, {k: x[::-1] for k, x in tables.items()}, {k: x[::-1] for k, x in limits.items()}, jnp.all(sound, 0)

    def further(self, values: Values, ranges: Mapping[str, Array], count: int, kept_for: Array,
                ) -> tuple[Values, Tables, dict[str, Array], Array, Array]:
        """``count`` times: a stage earlier, and the values of its policies if they were kept ``kept_for`` stages more (modified policy
        iteration, Puterman and Shin 1978); then one stage alone, where its values are numbers, and the largest change of one in it."""
        def body(values: Values, step: Array) -> tuple[Values, None]:
            earlier, tables, _, _ = self.back(values, 1.0, ranges)
            rules: dict[str, Any] = {}
            for solver in self.solvers:
                rules |= solver.policies(tables, ranges)
            kept = jax.lax.fori_loop(0, kept_for, lambda _, v: self.whole_values(self.valued(rules, v, 1.0, ranges)), earlier)
            return kept, None

        values, _ = jax.lax.scan(body, values, jnp.arange(count - 1))
        new, tables, limits, sound = self.back(values, 1.0, ranges)
        change = jnp.max(jnp.stack([jnp.max(jnp.abs(new[k] - values[k])) for k in new]))
        return new, tables, limits, sound, change

    # ------------------------------------------------------------ policies of the whole game

    def policies(self, decisions: Mapping[str, Decision], tables: Tables, ranges: Mapping[str, Array], length: int | None,
                 ) -> dict[str, Any]:
        """Policies of the game's own ``decisions``, which know the stage: tables of every stage (length, ..), or (``length`` None) one
        for all."""
        out = {}
        for solver in self.solvers:
            nodes = {x: solver.nodes(x, ranges) for x in solver.acts}
            for d in solver.leaders:
                form = solver.forms[d.name]
                table = tables[d.name]
                if length is None:
                    out[d.name] = form.strategy(table, nodes)
                    continue
                stage = stage_of_combinations(decisions[d.name], self.stage.block.binder)
                assert stage is not None, f"{d.name} does not know the stage"  # the engine refuses it
                out[d.name] = stacked(form.strategy(table[0], nodes), form, table, nodes, stage)
        return out


def stacked(first: Any, form: Form, tables: Array, nodes: Mapping[str, Array], stage: np.ndarray) -> Any:
    """One policy of the policies of all stages: the combination of finite inputs tells which."""
    every = jax.vmap(lambda table: values_of(form.strategy(table, nodes)))(tables)  # (stages, combinations, ..)
    data = every[jnp.asarray(stage), jnp.arange(len(stage))]
    return eqx.tree_at(values_of, first, data)


def values_of(strategy: Any) -> Array:
    policy = strategy.policy
    return policy.values if hasattr(policy, "values") else policy.entries


def spread(v: Variable, states: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    return jnp.broadcast_to(expand(v, states, 0), shape)


def first_values(stage: OneStage, problem: Any) -> dict[str, tuple[float, float]]:
    """Between what every real state lies in stage 1."""
    grid, _ = natural_grid(problem, 50_000, largest=40)
    world = problem.world(grid, problem.natural, {})
    out = {}
    for s in problem.game.states:
        if s.name in stage.states and s.name not in stage.finite:
            data = np.asarray(evaluate(world, s.first).data)
            out[s.name] = (float(data.min()), float(data.max()))
    return out
