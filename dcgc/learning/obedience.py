"""Announcements by linear programs: for every pure reply of the followers the best announcement under which it is obeyed.

What a leader's finite decision announces, x(situation, option), enters every expected cost linearly as long as nobody else's policy
moves. So for each profile s of the followers' pure policies

    minimise  c_s . x   over laws x   such that  no follower gains by another option at any input,

and the best of all is the announcement (Conitzer and Sandholm 2006 for mixed commitments in bimatrix games; with messages whose words
are recommendations it is Kamenica and Gentzkow's concavification, 2011; Bergemann and Morris 2016 for obedience). Where a follower is
indifferent the program chooses, hence in favour of the leader. A decision that does not mix makes it a program in zeros and ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from ..core.expression import Expression, references
from ..core.site import Decision, Let
from ..information.dependence import mentioned
from ..lower.grid import Grid
from ..lower.plans import Resolution, information_grid
from ..lower.problem import Problem
from ..lower.strategy import Tabular
from ..lower.variable import Variable, constant, expand, lift
from ..primitives.relaxations import Relaxation
from .sequence_form import behaviour, chained, restrictions
from .starting import neutral_rule

SEEN = Resolution(hidden=24, seen=120, observation=120, cells=True)
MOST_PROFILES = 5000
MOST_UNKNOWNS = 4000
BATCH = 32


@dataclass(frozen=True)
class Programs:
    """One finite decision of a leader, and followers whose replies can be listed. ``given``: rules of what else is announced. ``before``:
    earlier decisions of the leader, each known to the next with all that it knew; what is announced are then weights of sequences.

    Replies are profiles of pure policies: for each follower decision the option at each of its inputs, flat.
    """

    problem: Problem
    grid: Grid
    leader: Decision
    followers: tuple[Decision, ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Decision, ...] = ()

    @property
    def chain(self) -> tuple[Decision, ...]:
        return (*self.before, self.leader)

    def restrictions(self) -> tuple[np.ndarray, np.ndarray]:
        """(A, b) of the weights of all sequences, those of the last decision last; of one decision alone its laws sum to 1."""
        return restrictions(self.chain, {d.name: self.dims(d) for d in self.chain}, self.grid.sizes)

    def dims(self, d: Decision) -> tuple[str, ...]:
        information = self.problem.reduction.information[d.name]
        assert information is not None
        return tuple(sorted(information.dims))

    def points(self, d: Decision) -> tuple[int, ...]:
        return tuple(self.grid.sizes[x] for x in self.dims(d))

    def size(self, d: Decision) -> int:
        return math.prod(self.points(d))

    @property
    def unknowns(self) -> int:
        return self.size(self.leader) * self.leader.options

    def exchangeable(self) -> int | None:
        """The place of the leader's word among what the only follower knows, if words have no meaning but what is said with them."""
        if self.before or self.leader.channel is None or len(self.followers) != 1 or self.leader.name not in self.dims(self.followers[0]):
            return None
        follower, inline = self.followers[0], self.problem.dependence.inline
        for site in self.problem.game.sites:
            if site.name in (self.leader.name, follower.name) or isinstance(site, Let):
                continue
            if any(self.leader.name in references(inline(e)) for e in mentioned(site)):
                return None
        if any(self.leader.name in references(inline(b)) for b in (follower.low, follower.high) if isinstance(b, Expression)):
            return None
        return self.dims(follower).index(self.leader.name)

    def count(self) -> int:
        """The number of followers' profiles to be tried, words that can be exchanged counted once."""
        place = self.exchangeable()
        if place is None:
            return math.prod(d.options ** self.size(d) for d in self.followers)
        d = self.followers[0]
        words = self.points(d)[place]
        each = d.options ** (self.size(d) // words)
        return math.comb(each + words - 1, words)

    def replies(self) -> Iterator[tuple[np.ndarray, ...]]:
        place = self.exchangeable()
        if place is None:
            ranges = [itertools.product(range(d.options), repeat=self.size(d)) for d in self.followers]
            for profile in itertools.product(*ranges):
                yield tuple(np.asarray(p, int) for p in profile)
            return
        d = self.followers[0]
        points = self.points(d)
        others = points[:place] + points[place + 1:]
        each = list(itertools.product(range(d.options), repeat=math.prod(others)))
        for rows in itertools.combinations_with_replacement(each, points[place]):
            table = np.moveaxis(np.asarray(rows, int).reshape((points[place], *others)), 0, place)
            yield (table.reshape(-1),)

    def expected(self, x: Array, replies: tuple[Array, ...]) -> tuple[Array, Array]:
        """What the leader pays, (), and by how much each option of each follower at each input is better than its reply there, weighted
        by the probability of the input, (inputs and options of all followers)."""
        leader, problem = self.leader, self.problem
        early = {d.name: Tabular(self.dims(d), jnp.ones((*self.points(d), d.options))) for d in self.before}  # the last has their weights
        # what only an earlier decision moves has the weights of the whole sequence, too
        whole = Variable((leader.name,), jnp.zeros(leader.options)) if self.before else constant(0.0)
        announced = Tabular(self.dims(leader), x.reshape((*self.points(leader), leader.options)))
        rules: dict[str, Any] = {**self.given, **early, leader.name: announced}
        for d, reply in zip(self.followers, replies, strict=True):
            rules[d.name] = Tabular(self.dims(d), jnp.eye(d.options)[reply].reshape((*self.points(d), d.options)))
        gains = []
        for d, reply in zip(self.followers, replies, strict=True):
            world = problem.world(self.grid, problem.reduction, rules, Relaxation("cells", frozenset(self.dims(d))))
            total: Variable = Variable((d.name,), jnp.zeros(d.options))
            affected = problem.dependence.payments_of(d.name)
            for p in problem.pays(problem.decider(d)):
                if p.name in affected:
                    total = lift(jnp.add, total, world.expectation(
                        lift(jnp.add, world.payment(p), whole), (*self.dims(d), d.name), without=d.name))
            names = tuple(sorted((*self.dims(d), d.name)))
            cost = jnp.broadcast_to(expand(total, names, 0), tuple(self.grid.sizes[n] for n in names))
            cost = jnp.moveaxis(cost, names.index(d.name), -1).reshape((self.size(d), d.options))
            gains.append((jnp.take_along_axis(cost, reply[:, None], 1) - cost).reshape(-1))
        world = problem.world(self.grid, problem.reduction, rules, Relaxation("cells"))
        if not self.before:
            return problem.cost(world, problem.decider(leader)), jnp.concatenate(gains)
        paid = [world.expectation(lift(jnp.add, world.payment(p), whole)).data for p in problem.pays(problem.decider(leader))]
        return jnp.sum(jnp.stack(paid)), jnp.concatenate(gains)

    def is_linear(self) -> bool:
        """Whether all that is expected is linear in what is announced (a second decision of the leader, or a price on information,
        would make it not so), found by trying."""
        random = np.random.default_rng(3)
        a, b = (jnp.asarray(random.dirichlet(np.ones(self.leader.options), self.size(self.leader)).reshape(-1)) for _ in range(2))
        reply = tuple(jnp.asarray(random.integers(d.options, size=self.size(d))) for d in self.followers)
        ends, middle = [self.expected(x, reply) for x in (a, b)], self.expected((a + b) / 2, reply)
        return all(bool(jnp.all(jnp.abs((u + v) / 2 - m) <= 1e-10 * (1 + jnp.abs(u) + jnp.abs(v))))
                   for u, v, m in zip(*ends, middle, strict=True))


def programs(problem: Problem) -> Programs | str:
    """The programs of a game, or why it has none."""
    if len(problem.leaders) > 1:
        return "several players announce together"
    if any(len(ds) > 1 for ds in problem.groups.values()):
        return "members of a symmetric family share a policy"
    own = [d for d in problem.game.decisions if problem.announced(d)]
    everybody = (*own, *problem.followers)
    for d in everybody:
        if not d.enumerable:
            return f"{d.name} is not finite"
    if problem.game.constraints or problem.loops or not problem.reduction.complete:
        return "a constraint, a large family or an observation that is no coordinate stands in the way"
    if len(own) > 1:
        knows = {d.name: problem.reduction.information[d.name].dims for d in own}  # type: ignore[union-attr]
        if not chained(own, knows):
            return "what is announced are several decisions, of which a later one does not know all that an earlier one knew and did"
        if len({d.mixed for d in own}) > 1 or any(problem.charges(d) for d in own):
            return "what is announced are several decisions, some of which mix or pay for what they tell"
    if len(problem.followers) > 1 and any(d.mixed for d in problem.followers):
        return "several followers mix"
    for d in problem.followers:
        information = problem.reduction.information[d.name]
        assert information is not None
        if any(problem.reduction.coordinates[x].role not in ("finite", "event") for x in information.dims):
            return f"what {d.name} knows has no list of values"
    grid = information_grid(problem, {k: neutral_rule for k in problem.groups}, SEEN)
    found = Programs(problem, grid, own[-1], problem.followers, before=tuple(own[:-1]))
    if sum(found.size(d) * d.options for d in found.chain) > MOST_UNKNOWNS:
        return "what is announced has too many situations"
    if not found.is_linear():
        return "costs are not linear in what is announced"
    return found


@dataclass(frozen=True)
class Solution:
    """``laws`` (situations, options) of what is announced, ``replies`` by follower decision, ``cost`` of the leader, ``feasible`` of
    ``tried`` profiles of replies."""

    laws: tuple[np.ndarray, ...]
    replies: tuple[np.ndarray, ...]
    cost: float
    feasible: int
    tried: int


def coefficients(p: Programs, replies: tuple[Array, ...]) -> tuple[Array, Array]:
    """The leader's cost (unknowns,) and every gain of a follower by disobeying (gains, unknowns), per unit of what is announced."""
    start = jnp.full(p.unknowns, 1.0 / p.leader.options)
    slopes = jax.jacrev(lambda x: p.expected(x, replies))(start)
    # what does not depend on the announcement is shared out among the situations, in each of which a law sums to 1
    return jax.tree.map(lambda j, v: j + ((v - j @ start) / p.size(p.leader))[..., None], slopes, p.expected(start, replies))


def best_for(p: Programs, replies: tuple[np.ndarray, ...]) -> np.ndarray | None:
    """The best announcement (unknowns,) that has these replies; None if none has."""
    cost, obey = jax.jit(lambda r: coefficients(p, r))(tuple(jnp.asarray(r) for r in replies))
    x = program(np.asarray(cost), np.asarray(obey), p.restrictions(), p.leader.mixed)
    return None if x is None else behaviour(x, p.chain, [p.size(d) for d in p.chain])[-1].reshape(-1)


def solve(p: Programs, report: Callable[[int, int], None] = lambda done, total: None) -> Solution | None:
    """The best announcement over all profiles of replies; None if no profile is obeyed under any."""
    sums = p.restrictions()
    many = jax.jit(lambda batch: jax.lax.map(lambda r: coefficients(p, r), batch))
    total, tried, feasible = p.count(), 0, 0
    best: tuple[float, np.ndarray, tuple[np.ndarray, ...]] | None = None
    waiting = p.replies()
    while part := list(itertools.islice(waiting, BATCH)):
        padded = part + [part[-1]] * (BATCH - len(part))
        costs, rows = many(tuple(jnp.asarray(np.stack(column)) for column in zip(*padded, strict=True)))
        for replies, cost, obey in zip(part, np.asarray(costs), np.asarray(rows), strict=False):
            x = program(cost, obey, sums, p.leader.mixed)
            if x is not None:
                feasible += 1
                value = float(cost @ x[-p.unknowns:])
                if best is None or value < best[0] - 1e-12 * (1 + abs(best[0])):
                    best = (value, x, replies)
        tried += len(part)
        report(tried, total)
    if best is None:
        return None
    return Solution(behaviour(best[1], p.chain, [p.size(d) for d in p.chain]), best[2], best[0], feasible, tried)


def program(cost: np.ndarray, obey: np.ndarray, sums: tuple[np.ndarray, np.ndarray], mixed: bool) -> np.ndarray | None:
    """The weights x of all sequences that minimise cost . y where obey y <= 0 and A x = b, y the last of them; None if there are none.

    Rows are scaled: an input that is rarely reached binds like any other.
    """
    equal, right = sums
    early = equal.shape[1] - len(cost)
    size = np.abs(obey).max(1)
    rows = np.pad(obey[size > 1e-14] / size[size > 1e-14, None], ((0, 0), (early, 0)))
    wide = np.pad(cost, (early, 0))
    if mixed:
        found = linprog(wide, A_ub=rows if len(rows) else None, b_ub=np.zeros(len(rows)) if len(rows) else None, A_eq=equal,
                        b_eq=right, bounds=(0, 1), method="highs-ds")
        x = found.x
    else:
        limits = [LinearConstraint(equal, right, right)] + ([LinearConstraint(rows, -np.inf, 0)] if len(rows) else [])
        found = milp(wide, constraints=limits, integrality=np.ones(len(wide)), bounds=Bounds(0, 1))
        x = None if found.x is None else np.round(found.x)
    if not found.success or x is None or (len(rows) and (rows @ x).max() > 1e-8):
        return None
    return np.maximum(x, 0.0)
