"""Followers' exact responses to an announced policy, computed apart from what trained anybody.

On a grid in information coordinates every follower decision replies to the rest of the profile, the last mover first, until nobody
moves: a finite one by the least conditional cost, within ``TIE`` of it by what favours the first committed player; a real one by the
conditional mean where its cost is quadratic, else by candidates along its range that close in on the least. What is not reached is
judged under small errors of everybody's hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision
from ..information.closed_forms import closed_forms
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Person, Problem
from ..lower.strategy import BestResponse, Tabular
from ..lower.variable import Variable, constant, contract, expand, lift
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .regret import CANDIDATE, pooled, values_at

TIE = 1e-9  # of what is at stake: the tolerance within which a follower is indifferent
REACHED = 1e-12  # of the largest probability: below it an input counts as not reached
ROUNDS = 60
SETTLED = 1e-7
COVERED = 1e-5  # part of the probability that may leave the grid
CANDIDATES, CLOSER = 33, 5


@dataclass(frozen=True)
class Responses:
    """The followers of a game on one grid. ``profile``: where their search for a mutual best reply starts."""

    problem: Problem
    grid: Grid
    profile: Mapping[str, Any]

    @cached_property
    def exact(self) -> dict[str, BestResponse]:
        """Followers whose reply is a conditional mean."""
        p = self.problem
        own = {d.name: p.pays(p.decider(d)) if d in p.followers else () for d in p.game.decisions}
        forms = closed_forms(p.game, p.dependence, own)
        return {d.name: BestResponse(forms[d.name].payments) for d in p.followers
                if d.name in forms and not p.reduction.information[d.name].masks}  # type: ignore[union-attr]

    @cached_property
    def searched(self) -> tuple[Decision, ...]:
        """The others, the last mover first."""
        return tuple(d for d in reversed(self.problem.followers) if d.name not in self.exact)

    def starts(self) -> list[dict[str, Array]]:
        """Where the followers' search begins: at their policies, and, where several of them choose among options, at every option."""
        world = self.world({**self.profile})
        own = {d.name: self.table(world.choice(d.name), d) for d in self.searched}
        if len(self.searched) < 2 or not any(d.finite for d in self.searched):
            return [own]
        most = max(d.options for d in self.searched if d.finite)
        return [own, *({d.name: jnp.broadcast_to(jnp.eye(d.options)[min(k, d.options - 1)], own[d.name].shape) if d.finite
                        else own[d.name] for d in self.searched} for k in range(most))]

    def world(self, rules: Mapping[str, Any], seen: tuple[str, ...] = ()) -> World:
        """``seen``: coordinates along which a jump is not spread: whoever is judged knows them."""
        return self.problem.world(self.grid, self.problem.reduction, rules, Relaxation("cells", frozenset(seen)))

    def dims(self, d: Decision) -> tuple[str, ...]:
        information = self.problem.reduction.information[d.name]
        assert information is not None
        return tuple(sorted(information.dims))

    def table(self, v: Variable, d: Decision) -> Array:
        """A choice at every point of what a decision knows."""
        shape = tuple(self.grid.sizes[x] for x in self.dims(d))
        return jnp.broadcast_to(expand(v, self.dims(d), len(v.own)), (*shape, *v.own))

    def rules(self, announced: Mapping[str, Any], tables: Mapping[str, Array]) -> dict[str, Any]:
        """Everybody's rule, by decision."""
        replies = {d.name: Tabular(self.dims(d), tables[d.name]) for d in self.searched}
        return {**announced, **self.exact, **replies}

    def respond(self, announced: Mapping[str, Any], start: Mapping[str, Array]) -> tuple[dict[str, Any], Array]:
        """Rules of everybody under an announcement, and by how much the last round still moved somebody (0: mutual best replies)."""
        once = len(self.searched) == 1 and not self.exact  # it replies to all that there is

        def one_round(carry: tuple) -> tuple:
            tables, _, n = carry
            new, moved = dict(tables), jnp.zeros(())
            for d in self.searched:
                new[d.name] = self.reply(self.world(self.rules(announced, new), self.dims(d)), d, new[d.name])
                moved = jnp.maximum(moved, jnp.max(jnp.abs(new[d.name] - tables[d.name])))
            return new, jnp.zeros(()) if once else moved, n + 1

        if not self.searched:
            return self.rules(announced, {}), jnp.zeros(())
        first = ({k: jnp.asarray(v, float) for k, v in start.items()}, jnp.asarray(jnp.inf), 0)
        tables, moved, _ = jax.lax.while_loop(lambda c: (c[1] > SETTLED / 10) & (c[2] < ROUNDS), one_round, first)
        return self.rules(announced, tables), moved

    def reply(self, world: World, d: Decision, now: Array) -> Array:
        return self.finite_reply(world, d) if d.finite else self.real_reply(world, d, now)

    # ------------------------------------------------------------ one decision

    def conditional(self, world: World, d: Decision, person: Person) -> tuple[Array, Array]:
        """What a player pays at every point of what a finite decision knows, by its option (last axis), conditional on that point:
        (*points, options); and the probability of the points, under errors where they are not reached (*points)."""
        dims = self.dims(d)
        affected = self.problem.dependence.payments_of(d.name)
        payments = [p for p in self.problem.pays(person) if p.name in affected and p.constraint is None]

        def weighted(tremble: bool) -> tuple[Array, Array]:
            total: Variable = constant(0.0)
            for p in payments:
                total = lift(jnp.add, total, world.expectation(world.payment(p), (*dims, d.name), without=d.name, tremble=tremble))
            total = pooled(world, d, lift(jnp.add, total, Variable((d.name,), jnp.zeros(d.options))), dims)
            mass = pooled(world, d, world.expectation(constant(1.0), dims, tremble=tremble), dims)
            names = tuple(sorted((*dims, d.name)))
            sizes = self.grid.sizes
            cost = jnp.broadcast_to(expand(total, names, 0), tuple(sizes[x] for x in names))
            chance = jnp.broadcast_to(expand(mass, dims, 0), tuple(sizes[x] for x in dims))
            return jnp.moveaxis(cost, names.index(d.name), -1), chance

        (cost, chance), (off_cost, off_chance) = weighted(False), weighted(True)
        reached = chance > REACHED * jnp.max(chance)
        cost = jnp.where(reached[..., None], cost, off_cost)
        chance = jnp.where(reached, chance, off_chance)
        return cost / jnp.where(chance > 0, chance, 1.0)[..., None], chance

    def finite_reply(self, world: World, d: Decision) -> Array:
        """(*points, options) the best option, one-hot; among those within the tolerance the one that is best for the first leader."""
        own, _ = self.conditional(world, d, self.problem.decider(d))
        first, _ = self.conditional(world, d, self.problem.leaders[0])
        allowed = own <= jnp.min(own, -1, keepdims=True) + TIE * self.scale(own)
        chosen = jnp.argmin(jnp.where(allowed, first, jnp.inf), -1)
        return jnp.eye(d.options)[chosen]

    @staticmethod
    def scale(conditional: Array) -> Array:
        """What is at stake in a decision: the widest spread of its options' costs."""
        return jnp.max(jnp.ptp(conditional, axis=-1)) + 1e-300

    def real_reply(self, world: World, d: Decision, now: Array) -> Array:
        """(*points) the best value by a grid of candidates that closes in, with the vertex of a parabola at each stage."""
        dims = self.dims(d)
        shape = now.shape
        width = 2 * jnp.maximum(jnp.maximum(jnp.ptp(now), jnp.max(jnp.abs(now))), 1.0)

        def bound(e: object, otherwise: Array) -> Array:
            return jnp.full(shape, otherwise) if e is None else jnp.broadcast_to(
                expand(evaluate(world, e), dims, 0), shape)  # type: ignore[arg-type]

        low, high = bound(d.low, jnp.min(now) - width), bound(d.high, jnp.max(now) + width)

        def q(values: Array) -> Array:
            names = tuple(sorted((*dims, CANDIDATE)))
            at = names.index(CANDIDATE)
            v = values_at(self.problem, world, d, Variable(names, jnp.moveaxis(values, -1, at)))
            full = jnp.broadcast_to(expand(v, names, 0), jnp.moveaxis(values, -1, at).shape)
            return jnp.moveaxis(full, at, -1)

        left, right, best = low, high, now
        for r in range(CLOSER):
            n = CANDIDATES if r == 0 else 9
            grid = left[..., None] + (right - left)[..., None] * jnp.linspace(0, 1, n)
            values = q(grid)
            k = jnp.clip(jnp.argmin(values, -1), 1, n - 2)
            take = lambda a, i: jnp.take_along_axis(a, i[..., None], -1)[..., 0]  # noqa: E731
            a, c = take(values, k - 1), take(values, k + 1)
            step, bend = (right - left) / (n - 1), a - 2 * take(values, k) + c
            vertex = take(grid, k) + 0.5 * step * jnp.where(bend > 0, (a - c) / jnp.where(bend > 0, bend, 1.0), 0.0)
            vertex = jnp.clip(jnp.where(jnp.isfinite(vertex), vertex, take(grid, k)), low, high)
            both = jnp.stack([take(grid, jnp.argmin(values, -1)), vertex], -1)
            best = take(both, jnp.argmin(q(both), -1))
            left, right = jnp.maximum(low, best - 1.5 * step), jnp.minimum(high, best + 1.5 * step)
        return best

    # ------------------------------------------------------------ what it is worth

    def cost(self, rules: Mapping[str, Any], person: Person) -> Array:
        """What a player pays, (); infinite where some probability has left the grid."""
        world = self.world(rules)
        everything = tuple(x for x in self.problem.reduction.coordinates if x in self.grid.sizes)
        mass = contract([constant(1.0), *world.closure(everything)], ()).data
        return jnp.where(jnp.abs(mass - 1) < COVERED, self.problem.paid(world, person), jnp.inf)


