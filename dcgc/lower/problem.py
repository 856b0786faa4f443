"""A game made ready to compute: simplified, analysed, with the accounts of every player."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax.numpy as jnp
from jax import Array

from ..core.expression import Constant, Expression, Information, Moment, Over, Reference, Root, walk
from ..core.site import Constraint, Decision, Game, Others, Payment, Random
from ..information.dependence import Dependence, mentioned
from ..information.reduction import FINITE_LAWS, Coordinate, Reduction, reduce_information
from ..information.sisters import alike
from ..information.structure import linear_quadratic_gaussian, nested
from ..passes import Unrepresentable, own_policies, representative, simplify, simplify_again
from ..primitives.relaxations import Relaxation
from .evaluate import evaluate
from .grid import Grid
from .strategy import Multiplier
from .variable import Variable, constant, lift
from .world import Rule, World

JUMPING = frozenset({"gt", "ge", "lt", "le", "sign", "floor", "argmax", "mod"})


@dataclass(frozen=True)
class Person:
    """A player, or a member of a family (counted from 0)."""

    name: str
    member: int | None = None

    @property
    def label(self) -> str:
        return self.name if self.member is None else f"{self.name}[{self.member + 1}]"


@dataclass(frozen=True)
class Problem:
    """``source``: the game as elaborated (loops intact); ``game``: simplified. ``groups``: decisions (of ``game``) that share one
    policy, by the name of the first. ``apart``: why the members of a large family are all kept, in words (elsewhere one stands for all)."""

    source: Game
    game: Game
    parameters: Mapping[str, Array]
    apart: str = ""
    _cache: dict[str, object] = field(default_factory=dict)

    def once(self, key: str, make: Callable[[Problem], Any], refusal: type[Exception] | tuple[()] = ()) -> Any:
        """What ``make`` finds, worked out at the first call; a ``refusal`` that it raises is raised at every call."""
        if key not in self._cache:
            try:
                self._cache[key] = make(self)
            except refusal as why:
                self._cache[key] = why
        found = self._cache[key]
        if isinstance(found, refusal):
            raise found
        return found

    @cached_property
    def dependence(self) -> Dependence:
        return Dependence(self.game)

    @cached_property
    def reduction(self) -> Reduction:
        """Coordinates in which what every decision knows is a set of dimensions."""
        return reduce_information(self.game, self.dependence)

    @cached_property
    def natural(self) -> Reduction:
        """Coordinates as nature draws: every draw and every finite decision its own."""
        r = Reduction()
        for site in self.game.sites:
            if isinstance(site, Random):
                role = "finite" if site.distribution in FINITE_LAWS else "nature"
                r.coordinates[site.name] = Coordinate(site.name, role, site.name)  # type: ignore[arg-type]
            elif isinstance(site, Decision) and site.enumerable:
                r.coordinates[site.name] = Coordinate(site.name, "finite", site.name, size=site.options)
            elif isinstance(site, Others):
                r.coordinates[site.name] = Coordinate(site.name, "finite", site.name)
        return r

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """All players; of a family each member, of a large one the first alone (members are exchangeable)."""
        out = []
        for p in self.source.players:
            if p.size is None:
                out.append(Person(p.name))
            else:
                out.extend(Person(p.name, i) for i in range(p.size if self.unrolled(p.name) else 1))
        return tuple(out)

    def unrolled(self, family: str) -> bool:
        return not any(a.family == family for s in self.game.sites for a in s.axes) and self.crowd_of(family) is None

    def crowd_of(self, family: str) -> int | None:
        """The size of a large family of which one member stands for all, else None."""
        return next((c.size for c in self.game.crowds if c.family == family), None)

    def actor(self, site: Decision | Payment) -> Person | None:
        """Who acts or pays; None for a member of a large family, whose site stands for all members."""
        member = site.actor.member
        if member is None:
            return Person(site.actor.name)
        return Person(site.actor.name, round(float(member.value)) - 1) if isinstance(member, Constant) else None  # type: ignore[arg-type]

    @cached_property
    def teams(self) -> Mapping[str, frozenset[Person]]:
        return {t.name: frozenset(Person(n, i) for n, i in t.members) for t in self.game.teams}

    @cached_property
    def pooled(self) -> Mapping[Person, str]:
        """The team with whose members a player shares all that is charged to any of them alone (``--team``)."""
        return {Person(n, i): t.name for t in self.game.teams if t.pooled for n, i in t.members}

    @cached_property
    def leaders(self) -> tuple[Person, ...]:
        """Who announces a policy to which others respond, in order; nobody where nobody responds, or one team decides all."""
        committed = tuple(Person(n, i) for n, i in self.game.committed)
        deciders = {self.decider(d) for d in self.game.decisions}
        leading = tuple(p for p in committed if p in deciders)
        return leading if not self.is_team and deciders - set(leading) else ()

    def announced(self, d: Decision) -> bool:
        """Whether the policy of a decision is announced before others choose theirs."""
        return self.decider(d) in self.leaders

    @cached_property
    def followers(self) -> tuple[Decision, ...]:
        """The decisions whose policies respond to what is announced, in time order."""
        return tuple(d for d in self.game.decisions if self.leaders and not self.announced(d))

    def pays(self, person: Person) -> tuple[Payment, ...]:
        """The payments that count for a player: its own, its teams', and its share of a large family's."""
        everybody = [p for p in self.pooled if self.pooled[p] == self.pooled[person]] if person in self.pooled else [person]
        return tuple(p for p in self.game.payments if any(self.counts(p, x) for x in everybody))

    def counts(self, p: Payment, person: Person) -> bool:
        if p.actor.name in self.teams:
            return person in self.teams[p.actor.name]
        payer = self.actor(p)
        if payer is None:
            return p.actor.name == person.name
        if payer.member is None and person.member is not None and payer.name == person.name:
            return True
        return payer == person

    @cached_property
    def is_team(self) -> bool:
        """One team, and nobody with a cost of their own: everybody who decides is charged for the same payments."""
        if any(d.axes for d in self.game.decisions) and any(
                p.axes and p.actor.member is not None for p in self.game.payments):
            return False  # the first member of a large family stands for rivals
        deciders = [self.decider(d) for d in self.game.decisions]
        paid = {tuple(p.name for p in self.pays(x)) for x in deciders}
        return len(paid) <= 1

    def decider(self, d: Decision) -> Person:
        actor = self.actor(d)
        return actor if actor is not None else Person(d.actor.name, 0)

    @cached_property
    def groups(self) -> Mapping[str, tuple[Decision, ...]]:
        """Decisions that share one policy: those of a symmetric family, copy by copy."""
        symmetric = {p.name for p in self.source.players if p.symmetric}
        out: dict[str, list[Decision]] = {}
        for d in self.game.decisions:
            first = d.name
            if d.actor.name in symmetric and not d.axes:
                base = d.name.split("[", 1)[0]
                first = next((k for k in out if k.split("[", 1)[0] == base), d.name)
            out.setdefault(first, []).append(d)
        return {k: tuple(v) for k, v in out.items()}

    @cached_property
    def leader_of(self) -> Mapping[str, str]:
        """The name under which each decision's policy is kept."""
        return {d.name: k for k, ds in self.groups.items() for d in ds}

    @cached_property
    def copied(self) -> frozenset[str]:
        """Decisions of members of symmetric families about which nothing need be said: another member, with whom theirs can change places
        in the game, takes the same one."""
        def copy(d: Decision) -> bool:
            first, second = self.decider(self.game.site(self.leader_of[d.name])), self.decider(d)  # type: ignore[arg-type]
            return first != second and alike(self.game, d.actor.name, first.member or 0, second.member or 0)

        return frozenset(d.name for d in self.game.decisions if self.leader_of[d.name] != d.name and copy(d))

    def rules_of(self, profile: Mapping[str, Rule]) -> dict[str, Rule]:
        """The rule of every decision: its own, or its group's."""
        return {d.name: profile[d.name if d.name in profile else self.leader_of[d.name]] for d in self.game.decisions}

    @cached_property
    def members(self) -> int:
        """How many values the largest family of sites has, at least 1: what one stage of one play takes."""
        return max((math.prod(a.size for a in s.axes) for s in self.game.sites), default=1)

    def world(self, grid: Grid, reduction: Reduction, profile: Mapping[str, Rule],
              relaxation: Relaxation | None = None, parameters: Mapping[str, Array] | None = None,
              stopped: frozenset[str] = frozenset()) -> World:
        """The game on a grid under a profile: a rule for every group, or for single decisions. ``stopped``: values through which no
        gradient goes back."""
        rules = {}
        for d in self.game.decisions:
            name = d.name if d.name in profile else self.leader_of[d.name]
            if name in profile:
                rules[d.name] = profile[name]
        values = dict(parameters or self.parameters)
        values.update({k: m.value for k, m in profile.items() if isinstance(m, Multiplier)})  # type: ignore[attr-defined]
        return World(self.game, self.dependence, reduction, grid, rules, values, relaxation or Relaxation(), stopped)

    def cost(self, world: World, person: Person) -> Array:
        """What a player minimises, (), in the game's units: expected cost J, and the multipliers of its constraints."""
        return total_cost(world, self.pays(person), person)

    def excess(self, world: World, c: Constraint) -> Array:
        """E[excess] of a constraint, (): positive where it is violated; of a family the sum over its members."""
        return jnp.sum(world.expectation(world.loop(c, lambda: evaluate(world, c.excess))).data)

    def paid(self, world: World, person: Person) -> Array:
        """Expected cost J of a player, (), without multipliers."""
        return total_cost(world, tuple(p for p in self.pays(person) if p.constraint is None), person)

    def account(self, world: World, name: str, member: int | None) -> Array:
        """Expected cost of a player, a member or a team: a team's counts each of its payments once. Of whoever minimises a sum with
        others (``--team``) it is what the text charges that one."""
        if name in self.teams:
            pooling = {x for x, team in self.pooled.items() if team == name}
            own = tuple(p for p in self.game.payments if p.constraint is None and (
                p.actor.name == name or any(self.counts(p, x) for x in pooling)))
            return total_cost(world, own, None)
        person = Person(name, member if member is None or self.crowd_of(name) is None else 0)
        return total_cost(world, tuple(p for p in self.game.payments if p.constraint is None and self.counts(p, person)), person)

    def charges(self, d: Decision) -> tuple[Payment, ...]:
        """The payments of a decision's player on the information that this very decision gives away as a finite message."""
        return tuple(p for p in self.pays(self.decider(d)) if p.information is not None and d.finite
                     and self.dependence.inline(p.information.message) == Reference(d.name))

    @cached_property
    def randomises(self) -> bool:
        """Whether somebody mixes to be unpredictable (an encoder that pays for what it tells mixes to tell less)."""
        return any(d.mixed and not self.charges(d) for d in self.game.decisions)

    def charged(self, world: World, d: Decision) -> Array:
        """What d's player pays for a nat that d tells, ()."""
        return sum((evaluate(world, p.price).data for p in self.charges(d) if p.price is not None), jnp.zeros(()))

    # ------------------------------------------------------------ structure that choices depend on

    @cached_property
    def has_jumps(self) -> bool:
        """Whether a comparison (or the like) of something a decision influences stands in the game."""
        from ..core.expression import Apply

        moved = {d.name for d in self.game.decisions}
        for site in self.game.sites:
            for e in mentioned(site):
                for x in walk(self.dependence.inline(e)):
                    if isinstance(x, Apply) and x.function in JUMPING and self.dependence.of(x) & moved:
                        return True
        return False

    @cached_property
    def searches(self) -> bool:
        """Whether some value is found by a search at every node: the root of an equation, a maximum over an interval."""
        texts = [e for site in self.game.sites for e in mentioned(site)]
        return any(isinstance(x, Root) or (isinstance(x, Over) and x.operation not in ("integral", "mean")) for e in texts for x in walk(e))

    @cached_property
    def has_steps(self) -> bool:
        """Whether any comparison (or the like) of something continuous stands in the game: Gauss rules are then not sharp. Of a
        measure only what is inside of its expectations is integrated: ``abs(Cov[x, y])`` is no kink."""
        from ..core.expression import Apply

        kinked = JUMPING | {"abs", "maximum", "minimum", "clip", "max", "min", "and", "or", "not"}
        texts = [e for site in self.game.sites for e in mentioned(site)]
        reported = [m.value for m in self.game.measures] + [p.quantity for p in self.game.published]
        texts += [x for e in reported for x in walk(e) if isinstance(x, Moment)]
        return any(x.function in kinked if isinstance(x, Apply) else isinstance(x, Over) and x.operation not in ("integral", "mean")
                   for e in texts for x in walk(e))

    @cached_property
    def is_lqg(self) -> bool:
        """Linear, quadratic and Gaussian: a best reply to affine policies is affine."""
        return linear_quadratic_gaussian(self.game, self.dependence)

    @cached_property
    def is_nested(self) -> bool:
        """Partially nested information."""
        return nested(self.game, self.dependence, self.reduction)

    @cached_property
    def has_finite_decisions(self) -> bool:
        return any(d.finite for d in self.game.decisions)

    @cached_property
    def loops(self) -> bool:
        """Whether a loop over many members is left."""
        return any(s.axes for s in self.game.sites)

    def dims_of(self, e: Expression | None, reduction: Reduction) -> frozenset[str]:
        """Coordinates on which an expression can depend."""
        if e is None:
            return frozenset()
        up = self.dependence.of(e)
        return frozenset(n for n, c in reduction.coordinates.items() if n in up or (c.site is not None and c.site in up))


def tells(p: Payment) -> bool:
    """Whether a payment is charged on what a message tells."""
    return p.information is not None or (p.constraint is not None and any(isinstance(x, Information) for x in walk(p.cost)))


def total_cost(world: World, payments: tuple[Payment, ...], person: Person | None) -> Array:
    """The expected sum of payments; of a large family's, the share of ``person`` (None: of all)."""
    total: Variable = constant(0.0)
    for p in payments:
        here = world.unstopped() if world.stopped and tells(p) else world  # a price is charged on a law: no listener is on its way
        value = here.expected_payment(p)
        if p.axes:
            own = value.data
            whole_family = person is None or p.actor.member is None
            value = Variable((), jnp.sum(own) if whole_family else own.reshape(-1)[person.member or 0])  # type: ignore[union-attr]
        total = lift(jnp.add, total, value)
    return total.data


def prepare(source: Game) -> Problem:
    """Simplify and analyse an elaborated game."""
    game = simplify(source)
    why = ""
    if any(s.axes for s in game.sites):
        try:
            game = simplify_again(representative(game))
        except Unrepresentable as found:
            why = str(found)
            game = own_policies(game)
    parameters = {n: jnp.asarray(v, float) for n, v in game.parameters.items()}
    return Problem(source, game, parameters, apart=why)
