"""Finite games by their plans: what a player does in every situation that it may come to know.

Costs are linear in what each decision does in each situation, so that a table of costs over all profiles of plans holds the whole game.

- Where nobody mixes, all profiles of plans are looked at: the optimum of a team, all equilibria of a game.
- Two players, zero-sum: the minimax theorem (von Neumann 1928), one linear program; with perfect recall the weights of plans are turned
  into what is done in each situation (Kuhn 1953).
- Two players of few plans: all pairs of supports of one size (Dickhaut and Kaplan 1993); that is all equilibria of a nondegenerate game.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import linprog

from ..core.site import Decision
from ..information.reduction import FINITE_LAWS
from ..learning.starting import neutral_rule
from ..learning.tables import ordered_dims, to_strategy
from ..lower.evaluate import evaluate
from ..lower.plans import Resolution, information_grid
from ..lower.problem import Person, Problem, tells
from ..lower.strategy import Tabular
from ..lower.variable import constant, expand, lift
from ..lower.world import World
from .stationary import Unsolved

MOST_PLANS = 4096  # of one player
MOST_PROFILES = 40_000
MOST_SUPPORTS = 60_000  # pairs of supports
SURE = 1e-9  # of what is at stake: a gain that is none


@dataclass(frozen=True)
class FiniteGame:
    """A game in which every draw and decision takes finitely many values, on the grid of all of them."""

    problem: Problem

    def __post_init__(self) -> None:
        p = self.problem
        if p.loops or p.game.constraints or p.game.block is not None:
            raise Unsolved("it has a large family, constraints, or stages that are not written out")
        if any(len(ds) > 1 for ds in p.groups.values()):
            raise Unsolved("members of a symmetric family share a policy")
        for d in p.game.decisions:
            known = p.reduction.information[d.name]
            if not d.enumerable or known is None or known.masks or any(
                    p.reduction.coordinates[x].role not in ("finite", "event") for x in known.dims):
                raise Unsolved(f"{d.name}, or what it knows, has no list of values")
        if any(r.distribution not in FINITE_LAWS for r in p.game.randoms):
            raise Unsolved("a draw of nature is continuous")
        if any(tells(x) for x in p.game.payments):
            raise Unsolved("somebody pays for what is told")

    @cached_property
    def grid(self) -> Any:
        return information_grid(self.problem, {k: neutral_rule for k in self.problem.groups}, Resolution(cells=True))

    @cached_property
    def people(self) -> tuple[Person, ...]:
        return tuple(dict.fromkeys(self.problem.decider(d) for d in self.problem.game.decisions))

    def own(self, person: Person) -> list[Decision]:
        return [d for d in self.problem.game.decisions if self.problem.decider(d) == person]

    def shape(self, d: Decision) -> tuple[int, ...]:
        """How many values each coordinate has that a decision knows, in the order of their names."""
        return tuple(self.grid.sizes[x] for x in self.dims(d))

    def dims(self, d: Decision) -> tuple[str, ...]:
        return tuple(sorted(self.problem.reduction.information[d.name].dims))  # type: ignore[union-attr]

    def count(self, person: Person) -> float:
        return math.prod(float(d.options) ** math.prod(self.shape(d)) for d in self.own(person))

    def plan(self, person: Person, number: Array) -> dict[str, Tabular]:
        """The plan of a number, whose digits are what is done in each situation."""
        out = {}
        for d in self.own(person):
            size = math.prod(self.shape(d))
            digits = number // jnp.asarray([d.options**k for k in range(size)]) % d.options
            number = number // d.options**size
            out[d.name] = Tabular(self.dims(d), jax.nn.one_hot(digits, d.options).reshape((*self.shape(d), d.options)))
        return out

    def world(self, rules: Mapping[str, Any]) -> World:
        return self.problem.world(self.grid, self.problem.reduction, rules)

    @cached_property
    def costs(self) -> np.ndarray:
        """(players, plans of the first, plans of the second, ..). Raises Unsolved where they are too many."""
        counts = [self.count(x) for x in self.people]
        if max(counts) > MOST_PLANS or math.prod(counts) > MOST_PROFILES:
            raise Unsolved(f"its plans are too many to be looked at one by one ({' x '.join(f'{c:.3g}' for c in counts)})")
        shape = tuple(round(c) for c in counts)
        numbers = jnp.asarray(np.stack(np.unravel_index(np.arange(math.prod(shape)), shape), 1))

        def paid(profile: Array) -> Array:
            rules: dict[str, Any] = {}
            for person, number in zip(self.people, profile, strict=True):
                rules |= self.plan(person, number)
            world = self.world(rules)
            return jnp.stack([self.problem.cost(world, x) for x in self.people])

        found = jax.jit(lambda rows: jax.lax.map(paid, rows, batch_size=min(64, len(rows))))(numbers)
        return np.moveaxis(np.asarray(found).reshape(*shape, len(shape)), -1, 0)

    def reaches(self, person: Person) -> dict[str, np.ndarray]:
        """By decision (plans, situations): how likely a situation is under each plan, the others choosing every option alike."""
        own = self.own(person)
        even = {d.name: neutral_rule for d in self.problem.game.decisions}

        def likely(number: Array) -> list[Array]:
            world = self.world({**even, **self.plan(person, number)})
            out = []
            for d in own:
                asked = constant(1.0)
                for guard in d.guards:
                    asked = lift(jnp.multiply, asked, evaluate(world, guard))
                v = world.expectation(asked, self.dims(d))
                out.append(jnp.broadcast_to(expand(v, self.dims(d), 0), self.shape(d)).reshape(-1))
            return out

        found = jax.jit(lambda rows: jax.lax.map(likely, rows))(jnp.arange(round(self.count(person))))
        return {d.name: np.asarray(x) for d, x in zip(own, found, strict=True)}

    def behaviour(self, person: Person, weights: np.ndarray) -> dict[str, np.ndarray]:
        """By decision (situations, options): what weights of plans do in each situation (any law where they do not come)."""
        reach = self.reaches(person)
        tables = jax.vmap(lambda k: {n: t.data for n, t in self.plan(person, k).items()})(jnp.arange(len(weights)))
        out = {}
        for d in self.own(person):
            acts = np.asarray(tables[d.name]).reshape(len(weights), -1, d.options)
            law = np.einsum("k,ks,kso->so", weights, reach[d.name], acts)
            total = law.sum(1, keepdims=True)
            out[d.name] = np.where(total > 1e-12, law / np.where(total > 1e-12, total, 1.0), acts.mean(0))
        return out

    def profile(self, laws: Sequence[Mapping[str, np.ndarray]]) -> dict[str, Any]:
        """Strategies from what is done in each situation."""
        world = self.world({k: neutral_rule for k in self.problem.groups})
        out = {}
        for law in laws:
            for d in [x for x in self.problem.game.decisions if x.name in law]:
                order = ordered_dims(self.problem, d)
                table = np.transpose(law[d.name].reshape(*self.shape(d), d.options),
                                     (*(self.dims(d).index(x) for x in order), len(order)))
                logits = np.log(np.maximum(table, 1e-300)) if d.mixed else table
                if d.kind == "bool":
                    logits = (logits[..., 1] - logits[..., 0]).clip(-600, 600)
                out[d.name] = to_strategy(self.problem, world, d, logits, hard=not d.mixed, mixed=d.mixed)
        return out

    @property
    def mixing(self) -> bool:
        return any(d.mixed for d in self.problem.game.decisions)


def pure(costs: np.ndarray) -> np.ndarray:
    """(equilibria, players): the profiles of plans from which nobody gains by another plan; exact up to rounding."""
    scale = np.abs(costs).max() + 1e-300
    stable = np.ones(costs.shape[1:], bool)
    for i, own in enumerate(costs):
        stable &= own <= own.min(axis=i, keepdims=True) + 1e-12 * scale
    return np.argwhere(stable)


def zero_sum(costs: np.ndarray) -> bool:
    return len(costs) == 2 and bool(np.abs(costs[0] + costs[1]).max() <= 1e-12 * (np.abs(costs).max() + 1e-300))


def minimax(costs: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Weights of the first player's plans (who pays ``costs``) and of the second's, and the value."""
    def weights(matrix: np.ndarray) -> tuple[np.ndarray, float]:
        n, m = matrix.shape  # least v with x' matrix <= v
        program = linprog(np.eye(1, n + 1, n)[0], A_ub=np.concatenate([matrix.T, -np.ones((m, 1))], 1), b_ub=np.zeros(m),
                          A_eq=np.concatenate([np.ones((1, n)), np.zeros((1, 1))], 1), b_eq=[1.0],
                          bounds=[(0, None)] * n + [(None, None)], method="highs-ds")
        x = np.maximum(program.x[:n], 0.0)
        return x / x.sum(), float(program.fun)

    x, value = weights(costs)
    y, other = weights(-costs.T)
    if abs(value + other) > SURE * (np.abs(costs).max() + 1e-300):
        raise Unsolved("the linear programs of the two players do not meet")
    return x, y, value


def supports(first: np.ndarray, second: np.ndarray) -> tuple[list[tuple[np.ndarray, np.ndarray]], bool]:
    """The equilibria of a bimatrix game of costs (k, m) on supports of one size, and whether the game is free of ties, so that they are
    all. Raises Unsolved where the pairs of supports are too many."""
    k, m = first.shape
    if sum(math.comb(k, s) * math.comb(m, s) for s in range(1, min(k, m) + 1)) > MOST_SUPPORTS:
        raise Unsolved("its pairs of supports are too many to be looked at one by one")
    scale = np.abs(first).max() + np.abs(second).max() + 1e-300
    found: list[tuple[np.ndarray, np.ndarray]] = []
    regular = True
    for size in range(1, min(k, m) + 1):
        for rows, columns in product(combinations(range(k), size), combinations(range(m), size)):
            y = indifferent(first[np.ix_(rows, columns)])
            x = indifferent(second[np.ix_(rows, columns)].T)
            if x is None or y is None or x.min() < -1e-12 or y.min() < -1e-12:
                continue
            p, q = np.zeros(k), np.zeros(m)
            p[list(rows)], q[list(columns)] = x, y
            one, two = first @ q, second.T @ p
            if one[list(rows)].max() > one.min() + SURE * scale or two[list(columns)].max() > two.min() + SURE * scale:
                continue
            ties = (one < one.min() + SURE * scale).sum() > size or (two < two.min() + SURE * scale).sum() > size
            regular &= not ties and min(x.min(), y.min()) > SURE
            if not any(np.abs(p - a).max() + np.abs(q - b).max() < 1e-9 for a, b in found):
                found.append((p, q))
    return found, regular


def indifferent(matrix: np.ndarray) -> np.ndarray | None:
    """The law over columns under which all rows cost alike; None if there is not exactly one."""
    n = len(matrix)
    system = np.block([[matrix, -np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    if np.linalg.cond(system) > 1e12:
        return None
    return np.linalg.solve(system, np.eye(1, n + 1, n)[0])[:n]

