"""The most that any announcement could bring: one linear program over joint laws, with a certificate.

Suppose the leader could add to its one decision a private recommendation, a whole plan for the one follower. By the revelation
principle no announcement brings it more than the best law z(what it knows, what it does, plan) under which the follower obeys every
recommendation (Bergemann and Morris 2016; for commitment to a mixed strategy Conitzer and Korzhyk 2011, where the recommendation is
of no help). The bound is computed from the program's multipliers by weak duality: any multipliers give a bound, whatever the solver.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import linprog

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Person, Problem
from ..lower.strategy import Tabular
from ..lower.variable import Variable, expand, lift
from ..primitives.relaxations import Relaxation

LARGEST = 20_000  # unknowns


@dataclass(frozen=True)
class Floor:
    """``cost``: less the leader pays under no announcement. ``laws``: announcements that may come to it, (what it knows, options)."""

    cost: float
    laws: tuple[np.ndarray, ...]


def least_cost(problem: Problem, grid: Grid, person: Person) -> Floor | None:
    """A lower bound on what the leader pays under any announcement; None where the game has not one finite decision on either side, or
    too many plans."""
    own = [d for d in problem.game.decisions if problem.announced(d)]
    followers = problem.followers
    if len(own) != 1 or len(followers) != 1 or not own[0].enumerable or not followers[0].enumerable:
        return None
    leader, follower = own[0], followers[0]
    if problem.charges(leader) or problem.charges(follower):
        return None
    dims = {d.name: tuple(sorted(problem.reduction.information[d.name].dims)) for d in (leader, follower)}  # type: ignore[union-attr]
    if follower.name in dims[leader.name]:
        return None
    if any(problem.reduction.coordinates[x].role not in ("finite", "event") for x in dims[follower.name] if x != leader.name):
        return None
    beside = tuple(x for x in dims[follower.name] if x != leader.name)
    inputs = math.prod(grid.sizes[x] for x in beside)
    situations = math.prod(grid.sizes[x] for x in dims[leader.name])
    if situations * leader.options * follower.options ** inputs > LARGEST:
        return None
    sees = leader.name in dims[follower.name]
    paid, owed = (joint(problem, grid, leader, follower, dims[leader.name], beside, p) for p in (person, problem.decider(follower)))
    return bound(paid, owed, sees)


def joint(problem: Problem, grid: Grid, leader: Decision, follower: Decision, knows: tuple[str, ...], beside: tuple[str, ...],
          person: Person) -> np.ndarray:
    """What a player pays where the leader knows o and does a, and the follower knows i beside and does b, times the probability of o
    and i: (o, a, i, b). Coordinates that both know stand in o and in i: where they differ the probability is 0."""
    rules: dict[str, Any] = {d.name: Tabular((), jnp.full(d.options, 1.0 / d.options)) for d in (leader, follower)}
    world = problem.world(grid, problem.reduction, rules, Relaxation("cells", frozenset((*knows, *beside))))
    names = tuple(sorted({*knows, *beside, leader.name, follower.name}))
    total = Variable(names, jnp.zeros(tuple(grid.sizes[x] for x in names)))
    for p in problem.pays(person):
        if p.constraint is None:
            everywhere = lift(jnp.add, world.payment(p), Variable(names, jnp.zeros_like(total.data)))  # its weight varies with all of them
            total = lift(jnp.add, total, world.expectation(everywhere, names, without=follower.name))
    sizes = grid.sizes
    full = np.asarray(jnp.broadcast_to(expand(total, names, 0), tuple(sizes[x] for x in names))) * leader.options
    both = [x for x in knows if x in beside]
    letters = {x: chr(97 + n) for n, x in enumerate(names)}
    inner = "".join(letters[x] for x in names)
    twin = {x: chr(110 + n) for n, x in enumerate(both)}
    out = "".join(letters[x] for x in (*knows, leader.name)) + "".join(twin.get(x, letters[x]) for x in (*beside, follower.name))
    eyes = [np.eye(sizes[x]) for x in both]
    spread = np.einsum(",".join([inner, *(letters[x] + twin[x] for x in both)]) + "->" + out, full, *eyes)
    return spread.reshape((math.prod(sizes[x] for x in knows), leader.options, math.prod(sizes[x] for x in beside), follower.options))


def bound(paid: np.ndarray, owed: np.ndarray, sees: bool) -> Floor | None:
    """The least cost of the leader over laws z(o, a, plan) that the follower obeys; ``sees``: it knows a. (o, a, i, b) each."""
    o, a, i, b = paid.shape
    plans = np.asarray(list(itertools.product(range(b), repeat=i)))  # (plans, i)
    cost = np.stack([paid[:, :, np.arange(i), plan].sum(-1) for plan in plans], -1)  # (o, a, plans)
    rows = []
    for k, plan in enumerate(plans):
        for at in range(i):
            for other in range(b):
                if other == plan[at]:
                    continue
                gain = owed[:, :, at, plan[at]] - owed[:, :, at, other]
                for kept in (np.eye(a) if sees else [np.ones(a)]):
                    row = np.zeros((o, a, len(plans)))
                    row[:, :, k] = gain * kept
                    rows.append(row.reshape(-1))
    obey = np.asarray(rows)
    size = np.abs(obey).max(1)
    obey = obey[size > 1e-14] / size[size > 1e-14, None]
    sums = np.kron(np.eye(o), np.ones(a * len(plans)))
    found = linprog(cost.reshape(-1), A_ub=obey if len(obey) else None, b_ub=np.zeros(len(obey)) if len(obey) else None,
                    A_eq=sums, b_eq=np.ones(o), bounds=(0, None), method="highs")
    if not found.success:
        return None
    multipliers = np.maximum(-found.ineqlin.marginals, 0.0) if len(obey) else np.zeros(0)
    priced = cost.reshape(-1) + (multipliers @ obey if len(obey) else 0.0)
    return Floor(float(priced.reshape((o, -1)).min(1).sum()), announcements(found.x.reshape((o, a, len(plans))), sees))


def announcements(law: np.ndarray, sees: bool) -> tuple[np.ndarray, ...]:
    """Announcements (o, a) in which a law z(o, a, plan) shows: one for each plan that it recommends; or, where the follower sees the
    leader's word, the one that says another word for each plan, if there are words enough."""
    shares = law.sum((0, 1))
    used = np.flatnonzero(shares > 1e-12)
    if sees:
        if len(used) > law.shape[1]:
            return ()
        words = np.zeros(law.shape[:2])
        words[:, :len(used)] = law.sum(1)[:, used]
        return (words / words.sum(1, keepdims=True),)
    parts = [law[:, :, k] for k in used]
    return tuple(x / x.sum(1, keepdims=True) for x in parts if (x.sum(1) > 1e-12).all())
