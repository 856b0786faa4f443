"""Regret of whoever announces a policy: what another announcement would bring, the followers responding to it anew.

Announcements are tried one change at a time, from the profile's own and, where all that is announced is finite, from others: of a
finite decision some probability moved to one option in one situation (all of it where the decision does not mix), of a real one a
polynomial of degree two in what it sees. What is found is a lower bound, unless all have been tried or a linear program says that there
is no more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Person, Problem
from ..lower.strategy import Tabular, inputs
from .deviation import Deviation
from .figures import Margin, Regret
from .recommendations import least_cost
from .responses import SETTLED, TIE, Responses

SHARES = (1.0, 0.5, 0.2, 0.05, 0.01, 1e-3)
MOST_MOVES = 1500
PASSES = 12
OTHER_STARTS = 12
ENOUGH = 20_000  # announcements, beyond which no other start is tried
MOST_PURE = 1024
BATCH = 64
CERTAIN = 1e-8  # how near a bound from above is to what was found, for the regret to be exact

Announcement = Mapping[str, Array]  # by decision: probabilities (*points, options), or coefficients of a deviation


@dataclass(frozen=True)
class Announcing:
    """What one leader can announce, and what that brings it."""

    responses: Responses
    person: Person
    profile: Mapping[str, Any]
    scales: Mapping[str, tuple[Array, Array]]  # mean and spread of the real inputs of every real decision, on the grid
    units: Mapping[str, float]  # the size of what every real decision decides

    @classmethod
    def of(cls, responses: Responses, person: Person, profile: Mapping[str, Any]) -> Announcing:
        world, scales, units = responses.world(profile), {}, {}
        for d in responses.problem.game.decisions:
            if responses.problem.decider(d) == person and not d.finite:
                _, reals = inputs(world, d)
                width = reals.data.shape[-1]
                flat = np.asarray(reals.data).reshape(-1, width) if width else np.zeros((1, 0))
                spread = flat.std(0) / 3  # a grid reaches far into the tails
                scales[d.name] = (jnp.asarray(flat.mean(0)), jnp.asarray(np.where(spread > 1e-9, spread, 1.0)))
                units[d.name] = float(np.abs(np.asarray(world.choice(d.name).data)).mean()) or 1.0
        return cls(responses, person, profile, scales, units)

    @property
    def problem(self) -> Problem:
        return self.responses.problem

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.problem.game.decisions if self.problem.decider(d) == self.person)

    def own(self) -> Announcement:
        """What the profile announces."""
        world = self.responses.world(self.profile)
        out: dict[str, Array] = {}
        for d in self.decisions:
            if d.finite:
                out[d.name] = self.responses.table(world.choice(d.name), d)
            else:
                _, reals = inputs(world, d)
                out[d.name] = jnp.zeros((1 + 2 * reals.data.shape[-1], int(np.prod(d.shape)) if d.shape else 1))
        return out

    def rules(self, a: Announcement) -> dict[str, Any]:
        """Rules of everybody who announces, this player's as in ``a``."""
        out: dict[str, Any] = {}
        for d in self.problem.game.decisions:
            if not self.problem.announced(d):
                continue
            rule = self.profile[self.problem.leader_of[d.name]]
            if d.name not in a:
                out[d.name] = rule
            elif d.finite:
                out[d.name] = Tabular(self.responses.dims(d), a[d.name])
            else:
                out[d.name] = Deviation(rule, a[d.name], *self.scales[d.name])
        return out

    def value(self, a: Announcement, start: Mapping[str, Array]) -> Array:
        """What the leader pays, (), if followers respond to ``a``, searching from ``start``; infinite if they do not settle."""
        rules, moved = self.responses.respond(self.rules(a), start)
        return jnp.where(moved < SETTLED, self.responses.cost(rules, self.person), jnp.inf)


def leader_regret(problem: Problem, profile: Mapping[str, Any], person: Person, grid: Grid | None) -> Regret:
    """What the best other announcement that was found gains, in cost units."""
    own = [d for d in problem.game.decisions if problem.decider(d) == person]
    plain = all((d.finite and d.enumerable) or (d.kind == "real" and not d.axes) for d in own)
    judged = all((d.finite and d.enumerable) or (d.kind == "real" and not d.shape) for d in problem.followers)
    if grid is None or not plain or not judged or not problem.reduction.complete:
        return Regret(person.label, math.nan, math.nan, False, "not computed: followers' responses need a grid")
    if any(problem.charges(d) for d in problem.followers):
        return Regret(person.label, math.nan, math.nan, False, "not computed: a follower pays for what it tells")
    announcing = Announcing.of(Responses(problem, grid, profile), person, profile)
    starts = announcing.responses.starts()
    together = {k: jnp.stack([s[k] for s in starts]) for k in starts[0]}

    def best_of(a: Announcement) -> Array:
        return jnp.min(jax.lax.map(lambda s: announcing.value(a, s), together)) if together else announcing.value(a, {})

    many = jax.jit(lambda batch: jax.lax.map(best_of, batch))
    here = announcing.own()
    now = float(announcing.responses.cost(dict(profile), person))
    if not math.isfinite(now):
        return Regret(person.label, math.nan, math.nan, False, "not computed: what is announced costs no finite number")
    pure = all_pure(announcing, here)
    if pure and len(problem.followers) == 1:
        values = evaluated(many, pure)
        if np.isfinite(values).all():
            gain = max(0.0, now - float(values.min()))
            return Regret(person.label, gain, math.nan, True, f"all {len(pure)} announcements, the follower responding anew to each")
    floor = least_cost(problem, grid, person)
    promising = [{own[0].name: jnp.asarray(law.reshape(here[own[0].name].shape))} for law in (floor.laws if floor is not None else ())
                 if own[0].mixed or np.allclose(law, np.round(law), atol=1e-9)]
    least, tried, random = now, 0, np.random.default_rng(7)
    for first in [here, *promising, *other_starts(announcing, here, random)]:
        if tried > ENOUGH or floor is not None and least - floor.cost < CERTAIN * max(1.0, abs(now)):
            break
        found, count = climbed(announcing, many, first, 1e-13 * max(1.0, abs(now)), random)
        least, tried = min(least, found), tried + count
    gain, how = max(0.0, now - least), f"{tried} other announcements tried, followers responding anew to each"
    if floor is None:
        return Regret(person.label, gain, math.nan, False, how)
    most = max(0.0, now - floor.cost)
    if most - gain <= CERTAIN * max(1.0, abs(now)):
        return Regret(person.label, most, math.nan, True, "a linear program's bound on every announcement, met by one that was tried")
    return Regret(person.label, gain, math.nan, False, f"{how}; no announcement gains more than {most:.3g}")


def all_pure(announcing: Announcing, here: Announcement) -> list[dict[str, np.ndarray]]:
    """All announcements of a player who does not mix and decides on finite things alone; none if they are more than ``MOST_PURE``."""
    if any(d.mixed or not d.finite for d in announcing.decisions):
        return []
    shapes = {d.name: here[d.name].shape for d in announcing.decisions}
    if math.prod(float(s[-1]) ** math.prod(s[:-1]) for s in shapes.values()) > MOST_PURE:
        return []
    each = [[np.eye(s[-1])[list(options)].reshape(s) for options in itertools.product(range(s[-1]), repeat=math.prod(s[:-1]))]
            for s in shapes.values()]
    return [dict(zip(shapes, tables, strict=True)) for tables in itertools.product(*each)]


def climbed(announcing: Announcing, many: Any, first: Announcement, worth: float, random: np.random.Generator) -> tuple[float, int]:
    """The least cost that changes worth more than ``worth`` lead to from an announcement, and how many announcements were tried."""
    at, reach, least, tried = {k: np.asarray(v) for k, v in first.items()}, 1.0, math.inf, 0
    for _ in range(PASSES):
        moves = moved(announcing, at, reach, random)
        values = evaluated(many, moves)
        tried += len(values)
        k = int(np.argmin(values))
        if values[k] < least - worth:
            at, least = moves[k], float(values[k])
        else:
            reach /= 4
            if reach < 1e-3:
                break
    return least, tried


def other_starts(announcing: Announcing, here: Announcement, random: np.random.Generator) -> list[Announcement]:
    """Other announcements to begin with, where all that is announced is finite: some at random."""
    if not all(d.finite for d in announcing.decisions):
        return []
    out: list[Announcement] = []
    for i in range(OTHER_STARTS):
        start = {}
        for d in announcing.decisions:
            shape = here[d.name].shape
            options = shape[-1]
            if d.mixed and i % 2:
                start[d.name] = jnp.asarray(random.dirichlet(np.ones(options), shape[:-1]))
            else:
                start[d.name] = jnp.asarray(np.eye(options)[random.integers(options, size=shape[:-1])])
        out.append(start)
    return out


def moved(announcing: Announcing, at: Mapping[str, np.ndarray], reach: float, random: np.random.Generator) -> list[dict[str, np.ndarray]]:
    """The announcement itself and its neighbours, one change each."""
    out = [dict(at)]
    for d in announcing.decisions:
        table = at[d.name]
        if not d.finite:
            size = reach * max(0.5 * announcing.units[d.name], float(np.abs(table).max()))
            for j in np.ndindex(table.shape):
                for sign in (-1.0, 1.0):
                    new = table.copy()
                    new[j] += sign * size
                    out.append({**at, d.name: new})
            continue
        flat = table.reshape(-1, table.shape[-1])
        pairs = [(s, o) for s in range(flat.shape[0]) for o in range(flat.shape[1])]
        shares = [x * reach for x in SHARES] if d.mixed else [1.0]
        most = max(1, MOST_MOVES // len(shares))
        if len(pairs) > most:
            pairs = [pairs[i] for i in random.choice(len(pairs), most, replace=False)]
        for s, o in pairs:
            for share in shares:
                new = flat.copy()
                new[s] = (1 - share) * new[s] + share * np.eye(flat.shape[1])[o]
                out.append({**at, d.name: new.reshape(table.shape)})
    return out


def evaluated(many: Any, moves: list[dict[str, np.ndarray]]) -> np.ndarray:
    """Values of many announcements, in batches of one size."""
    values = []
    for begin in range(0, len(moves), BATCH):
        part = moves[begin:begin + BATCH]
        padded = part + [part[-1]] * (BATCH - len(part))
        batch = {k: jnp.asarray(np.stack([m[k] for m in padded])) for k in padded[0]}
        values.append(np.asarray(many(batch))[:len(part)])
    found = np.concatenate(values)
    return np.where(np.isfinite(found), found, np.inf)


def margins(problem: Problem, profile: Mapping[str, Any], grid: Grid | None) -> tuple[Margin, ...]:
    """What followers who are indifferent within the tolerance give up by favouring the first committed player."""
    if grid is None or not problem.leaders or not problem.reduction.complete:
        return ()
    responses = Responses(problem, grid, profile)
    out = []
    for d in problem.followers:
        if not d.enumerable:
            continue
        world = responses.world(profile, responses.dims(d))
        own, chance = (np.asarray(x) for x in responses.conditional(world, d, problem.decider(d)))
        first, _ = (np.asarray(x) for x in responses.conditional(world, d, problem.leaders[0]))
        reached = chance > 1e-12 * chance.max()
        within = own <= own.min(-1, keepdims=True) + TIE * float(responses.scale(jnp.asarray(own)))
        spread = np.where(within, first, -np.inf).max(-1) - np.where(within, first, np.inf).min(-1)
        tied = reached & (within.sum(-1) > 1) & (spread > 1e-9 * max(1e-300, np.abs(first).max()))
        chosen = np.asarray(responses.table(world.choice(d.name), d))
        favoured = np.where(chosen > 0, own, 0.0)
        lost = ((chosen * favoured).sum(-1) - own.min(-1)) * chance
        if tied.any():
            out.append(Margin(problem.decider(d).label, d.name, float(chance[tied].sum()), float(lost[tied].sum()), TIE))
    return tuple(out)
