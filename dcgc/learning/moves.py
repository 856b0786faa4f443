"""One move of a game, solved at every input: a best reply, or an equilibrium of the moves that are simultaneous, with all that follows
already solved.

Inputs are a product grid over what the movers know and what matters to them. The world in which candidates are judged is made of
nature's own draws (``problem.natural``): acts that are known are put in as values along a coordinate of their own, policies of later
decisions are asked at what really is done, so that a reply that jumps does so where it does and not between two nodes of a grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision, Random
from ..information.subgames import Move
from ..lower.conditional import conditional, told_by_conditions
from ..lower.evaluate import evaluate
from ..lower.grid import Grid, GridBuilder
from ..lower.minimise import nested
from ..lower.plans import draw_axis, finite_axis, finite_size
from ..lower.problem import Problem
from ..lower.strategy import Tabular
from ..lower.variable import Variable, along, constant, expand, lift
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .crowd_replies import alike
from .forms import Form
from .matrix_games import equilibrium

NODES = {0: 1, 1: 513, 2: 97, 3: 25}  # of a known real number, by how many of them matter
HIDDEN = {0: 1, 1: 60, 2: 24, 3: 12}  # of a draw that nobody has seen yet, by how many of them matter
SHARES = {0: 16, 1: 4}  # times as many where a jump is a share of the cells of one such draw, by how many numbers are known
CANDIDATE = "candidate"  # prefix of the coordinates along which acts are tried
COURTESY = 1e-9  # weight of what others pay, where a reply is a matter of indifference
TREMBLE = 1e-6  # part of the chance with which a finite act of one's own is taken to go wrong, while the next is considered
ROUNDS, SETTLED = 200, 1e-9  # of replies to each other

Later = Mapping[str, Callable[[World], Variable]]


@dataclass
class MoveSolver:
    """``sizes``: nodes of a known real number, by how many of them matter. ``Later``: for payments that stand for stages to come what
    they come to."""

    problem: Problem
    move: Move
    sizes: Mapping[int, int] = field(default_factory=lambda: NODES)
    forms: dict[str, Form] = field(default_factory=dict)
    told: dict[str, Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        game = self.problem.dependence.sites
        self.decisions: list[Decision] = [game[x] for x in self.move.decisions]  # type: ignore[misc]
        self.leaders = [d for d in self.decisions if self.problem.leader_of[d.name] == d.name or
                        self.problem.leader_of[d.name] not in self.move.decisions]
        coordinates = self.problem.reduction.coordinates
        self.dims = tuple(sorted(self.move.relevant))
        self.acts = [x for x in self.move.relevant if coordinates[x].role == "derived"]
        self.draws = [x for x in self.move.relevant if coordinates[x].role == "nature"]
        self.count = self.sizes[len(self.acts) + len(self.draws)]
        self.grid = self.make_grid()
        self.told = told_by_conditions(self.problem.world(self.grid, self.problem.natural, {}), self.decisions, self.move.pinned) \
            if self.move.pinned else {}
        self.forms = {d.name: Form.of(self.problem, d, self.move.relevant, self.grid) for d in self.leaders}

    def make_grid(self) -> Grid:
        builder = GridBuilder()
        smooth = not self.problem.has_steps and not self.problem.has_finite_decisions
        for name, c in self.problem.natural.coordinates.items():
            if c.role == "finite":
                builder.axes[name] = finite_axis(finite_size(self.problem, name))
                continue
            site = self.problem.dependence.sites[name]
            assert isinstance(site, Random)
            hidden = [x for x in self.move.hidden if self.problem.natural.coordinates[x].role == "nature"]
            if name in self.draws:
                builder.axes[name] = draw_axis(site, self.count, True)
            elif name in hidden:
                finer = SHARES.get(len(self.acts) + len(self.draws), 1) if not smooth and len(hidden) == 1 else 1
                builder.axes[name] = draw_axis(site, HIDDEN[min(len(hidden), 3)] * finer, not smooth)
            else:  # it does not matter from here on
                builder.axes[name] = draw_axis(site, 1, False)
        return builder.grid()

    # ------------------------------------------------------------ the world

    def nodes(self, act: str, ranges: Mapping[str, Array]) -> Array:
        low, high = ranges[act]
        return low + (high - low) * jnp.linspace(0.0, 1.0, self.count)

    def world(self, rules: Mapping[str, Any], ranges: Mapping[str, Array], parameters: Mapping[str, Array] | None = None) -> World:
        """The game from this move on: what is known along coordinates of its own, what must be so for the move to be reached."""
        reached = {d.name: nothing(d) for d in self.problem.game.decisions  # earlier ones: what matters of them is put in below
                   if self.problem.leader_of[d.name] not in rules and d.name not in self.move.decisions and d.name not in self.dims}
        reached |= {x: constant(1.0) for x in self.move.reached}
        reached |= {x: along(x, self.nodes(x, ranges)) for x in self.acts}
        reached |= self.told
        relaxation = Relaxation("cells", frozenset(self.dims)) if self.grid.continuous - set(self.dims) else Relaxation("exact")
        values = {**self.problem.parameters, **(parameters or {})}
        return self.problem.world(self.grid, self.problem.natural, rules, relaxation, values).vary(reached)

    def costs(self, world: World, d: Decision, keep: tuple[str, ...], courtesy: bool, later: Later) -> Variable:
        """What d's player pays from here on, expected given ``keep``; with ``courtesy`` plus a trace of what others pay."""
        person = self.problem.decider(d)
        own = {p.name for p in self.problem.pays(person)}
        touched = self.problem.dependence.payments_of(d.name)
        others = set(self.move.courtesy[self.decisions.index(d)]) if courtesy else set()
        total: Variable = constant(0.0)
        for p in self.problem.game.payments:
            weight = 1.0 if p.name in own and p.name in touched else COURTESY if p.name in others else 0.0
            if weight:
                value = later[p.name](world) if p.name in later else world.payment(p)
                total = lift(lambda t, x, w=weight: t + w * x, total, conditional(world, value, keep))
        return total

    # ------------------------------------------------------------ replies

    def solve(self, rules: Mapping[str, Any], ranges: Mapping[str, Array], later: Later | None = None,
              parameters: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """For every decision (of a symmetric family: the first) its raw outputs at every input, (*inputs, outputs)."""
        base, later = self.world(rules, ranges, parameters), later or {}
        shape = tuple(self.size(base, x) for x in self.dims)
        start = {d.name: self.start(base, d, ranges, shape) for d in self.leaders}
        players = {self.problem.decider(d) for d in self.decisions}
        if all(d.finite for d in self.decisions) and len(self.decisions) > 1:
            chosen = self.matrix_game(base, shape, later)
        elif len(self.decisions) == 1:
            d = self.decisions[0]
            chosen = start if d.finite else self.replies(base, start, [d], ranges, shape, later)
        else:
            crowd = all(self.problem.crowd_of(d.actor.name) for d in self.decisions)  # who takes steps of their own
            weight = 1.0 if len(players) == 1 or crowd else 1.0 / len(players)
            chosen = self.settle(base, start, ranges, shape, later, weight)
        out = {}
        for d in self.leaders:
            if not d.finite:
                out[d.name] = chosen[d.name][..., None]
                continue
            law = chosen[d.name]
            q = self.options(self.with_acts(base, chosen), d, shape, later) if not d.mixed or len(self.decisions) == 1 else None
            out[d.name] = raw_output(d, q, law if len(self.decisions) > 1 else None)
        return out

    def size(self, world: World, dim: str) -> int:
        return self.count if dim in self.acts else self.grid.sizes[dim] if dim in self.grid.sizes else next(
            v.size(dim) for v in world.overrides.values() if dim in v.dims)

    def start(self, world: World, d: Decision, ranges: Mapping[str, Array], shape: tuple[int, ...]) -> Array:
        if d.finite:
            return jnp.full((*shape, d.options), 1.0 / d.options)
        low, high = self.bounds(world, d, ranges, shape)
        return (low + high) / 2

    def bounds(self, world: World, d: Decision, ranges: Mapping[str, Array], shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Between what a decision is sought (*shape,): its bounds, on an open side the range of its acts."""
        names = self.dims
        span = ranges[d.name][1] - ranges[d.name][0]
        sides = []
        for e, default in ((d.low, ranges[d.name][0] - span), (d.high, ranges[d.name][1] + span)):
            v = constant(default) if e is None else evaluate(world, e)
            sides.append(jnp.broadcast_to(expand(v, names, 0), shape))
        return sides[0], sides[1]

    def with_acts(self, base: World, chosen: Mapping[str, Array]) -> World:
        """The world in which everybody in the move acts as chosen."""
        rules, values = dict(base.rules), {}
        for d in self.decisions:
            data = chosen[self.problem.leader_of[d.name]]
            if d.finite:
                rules[d.name] = Tabular(self.dims, data)
            else:
                values[d.name] = Variable(self.dims, data)
        fresh = World(base.game, base.dependence, base.reduction, base.grid, rules, base.parameters, base.relaxation)
        return fresh.vary({**base.overrides, **values})

    def replies(self, world: World, chosen: Mapping[str, Array], own: list[Decision], ranges: Mapping[str, Array],
                shape: tuple[int, ...], later: Later) -> dict[str, Array]:
        """The best of one player's real decisions, together, against what is chosen."""
        names = [f"{CANDIDATE} {i}" for i in range(len(own))]
        bounds = [self.bounds(world, d, ranges, shape) for d in own]

        def function(candidates: list[Array]) -> Array:
            tried = names[:candidates[0].ndim - len(shape)]
            order = (*self.dims, *tried)
            dims = tuple(sorted(order))
            turn = [order.index(x) for x in dims]
            varied = world.vary({d.name: Variable(dims, jnp.transpose(c, turn)) for d, c in zip(own, candidates, strict=True)})
            total = self.costs(varied, own[0], dims, False, later)
            data = jnp.broadcast_to(expand(total, dims, 0), tuple(candidates[0].shape[i] for i in turn))
            return jnp.transpose(data, [dims.index(x) for x in order])

        points = nested(function, bounds)
        return {**chosen, **{d.name: x for d, x in zip(own, points, strict=True)}}

    def options(self, world: World, d: Decision, shape: tuple[int, ...], later: Later) -> Array:
        """What each option of a finite decision costs (*shape, options)."""
        keep = (*self.dims, d.name)
        q = self.costs(world, d, keep, True, later)
        dims = tuple(sorted(keep))
        sizes = dict(zip(self.dims, shape, strict=True)) | {d.name: d.options}
        data = jnp.broadcast_to(expand(q, dims, 0), tuple(sizes[x] for x in dims))
        return jnp.moveaxis(data, dims.index(d.name), -1)

    def matrix_game(self, world: World, shape: tuple[int, ...], later: Later) -> dict[str, Array]:
        """Simultaneous finite decisions: an equilibrium of the game that they are, at every input."""
        keep = (*self.dims, *self.move.decisions)
        dims = tuple(sorted(keep))
        sizes = dict(zip(self.dims, shape, strict=True)) | {d.name: d.options for d in self.decisions}
        turn = [dims.index(x) for x in keep]
        tables = []
        for d in self.decisions:
            q = self.costs(world, d, keep, False, later)
            tables.append(jnp.transpose(jnp.broadcast_to(expand(q, dims, 0), tuple(sizes[x] for x in dims)), turn))
        laws = equilibrium(tables, all(d.mixed for d in self.decisions))
        return {d.name: law for d, law in zip(self.decisions, laws, strict=True)}

    def settle(self, base: World, start: Mapping[str, Array], ranges: Mapping[str, Array], shape: tuple[int, ...],
               later: Later, weight: float) -> dict[str, Array]:
        """Everybody's best reply to the others, ``weight`` of the way in each round, until nobody moves."""
        people = list(dict.fromkeys(self.problem.decider(d) for d in self.leaders))

        def once(chosen: dict[str, Array]) -> dict[str, Array]:
            new = dict(chosen)
            for person in people:
                own = [d for d in self.leaders if self.problem.decider(d) == person]
                reals = [d for d in own if not d.finite]
                here = new if len(people) == 1 else chosen
                if reals:
                    found = self.replies(self.with_acts(base, here), here, reals, ranges, shape, later)
                    for d in reals:
                        new[d.name] = here[d.name] + weight * (found[d.name] - here[d.name])
                for d in own:
                    if d.finite:
                        here = new if len(people) == 1 else chosen
                        best = jnp.argmin(self.options(self.with_acts(base, here), d, shape, later), -1)
                        new[d.name] = (1 - TREMBLE) * jax.nn.one_hot(best, d.options) + TREMBLE / d.options
            return new

        def change(new: Mapping[str, Array], old: Mapping[str, Array]) -> Array:
            return jnp.max(jnp.stack([jnp.max(jnp.abs(new[k] - x)) / (1 + jnp.max(jnp.abs(x))) for k, x in old.items()]))

        if all(self.problem.crowd_of(d.actor.name) for d in self.decisions):
            return alike(once, start, {d.name: self.bounds(base, d, ranges, shape) for d in self.leaders}, change)

        def going_on(state: tuple[dict[str, Array], Array, Array]) -> Array:
            return (state[1] > SETTLED) & (state[2] < ROUNDS)

        def body(state: tuple[dict[str, Array], Array, Array]) -> tuple[dict[str, Array], Array, Array]:
            new = once(state[0])
            return new, change(new, state[0]), state[2] + 1

        chosen, _, _ = jax.lax.while_loop(going_on, body, (dict(start), jnp.asarray(jnp.inf), jnp.asarray(0)))
        return chosen

    def policies(self, tables: Mapping[str, Array], ranges: Mapping[str, Array]) -> dict[str, Any]:
        """Policies that hold the tables."""
        nodes = {x: self.nodes(x, ranges) for x in self.acts}
        return {d.name: self.forms[d.name].strategy(tables[d.name], nodes) for d in self.leaders}


def raw_output(d: Decision, q: Array | None, law: Array | None) -> Array:
    """A finite policy's raw outputs (*shape, outputs) from the costs of its options and, where these leave it open, its law."""
    if d.mixed and law is not None:
        scores = jnp.log(jnp.maximum(law, 1e-12))
    else:
        assert q is not None
        scores = -q
        if law is not None:  # the equilibrium that was chosen, where an option is as good
            scores = scores + COURTESY * law * jnp.maximum(1.0, jnp.abs(q))
        elif d.mixed:
            scores = jnp.log(jnp.maximum(jax.nn.one_hot(jnp.argmax(scores, -1), d.options), 1e-12))
    return scores[..., 1:] - scores[..., :1] if d.kind == "bool" else scores


def nothing(d: Decision) -> Variable:
    """Some value of a decision on which nothing depends."""
    return constant(jnp.eye(d.options)[0]) if d.kind == "choice" else constant(0.0)
