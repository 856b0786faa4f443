"""Own gradients through the scan over stages: each player's cost in its own policies, everybody else's held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..core.expression import Apply, Expression, Member, Others, Reference, Select, Whole
from ..core.site import Decision, Game, Payment
from ..information.dependence import mentioned
from ..lower.problem import Person, Problem
from ..lower.stages import Account, Stages, excess_of, priced
from ..lower.strategy import Deviator
from ..primitives.relaxations import Relaxation
from .own import projecting


@dataclass(frozen=True)
class Mover:
    """Who moves some decisions, and what it pays."""

    person: Person
    decisions: tuple[Decision, ...]


def movers(problem: Problem) -> tuple[Mover, ...]:
    """Every player with its decisions; of a symmetric family whose members cannot be told apart the first; a team that has nobody beside
    it moves as one."""
    found: dict[Person, list[Decision]] = {}
    alike = {p.name for p in problem.source.players if p.symmetric and exchangeable(problem.source, p.name)}
    for d in problem.game.decisions:
        person = problem.decider(d)
        if person.name not in alike or not person.member:
            found.setdefault(person, []).append(d)
    if problem.is_team and not any(d.axes for d in problem.game.decisions) and found:
        return (Mover(next(iter(found)), tuple(problem.game.decisions)),)
    return tuple(Mover(p, tuple(ds)) for p, ds in found.items())


def exchangeable(source: Game, family: str) -> bool:
    """Whether nothing in a game tells the members of a family apart: their numbers stand only as indices into what the family makes, and
    no member is named."""
    made = {s.name: s.axes for s in source.sites}

    def of_family(e: Expression) -> bool:
        return isinstance(e, Member) and e.axis.family == family

    def alike(e: Expression) -> bool:
        if of_family(e):
            return False
        if isinstance(e, Apply) and e.function in ("ne", "eq") and all(of_family(a) for a in e.arguments):
            return True
        if isinstance(e, Select) and isinstance(e.base, Reference):
            axes = made.get(e.base.site, ())
            own = [i < len(axes) and axes[i].family == family for i in range(len(e.indices))]
            return all((of_family(x) or isinstance(x, (Others, Whole))) if mine else alike(x)
                       for x, mine in zip(e.indices, own, strict=True))
        return all(alike(c) for c in e.children)

    teams = [t for t in source.teams if any(name == family for name, _ in t.members)]
    named = any(s.actor.name == family and s.actor.member is not None and not of_family(s.actor.member)
                for s in source.sites if isinstance(s, (Payment, Decision)))
    whole = all(sum(name == family for name, _ in t.members) == next(p.size for p in source.players if p.name == family) for t in teams)
    return whole and not named and all(alike(e) for s in source.sites for e in mentioned(s))


def own_costs(stages: Stages, profile: Mapping[str, Any], mover: Mover, own: Mapping[str, Any], before: Array, inside: Array,
              relaxation: Relaxation | None, antithetic: bool, moves: Mapping[str, Array] | None = None) -> Array:
    """The cost (samples,) of a mover whose decisions follow ``own`` (by decision), while everybody else follows ``profile``. ``moves``:
    by how much states are moved (``Stages.play``)."""
    problem = stages.problem
    rules = {d.name: projecting(profile[problem.leader_of[d.name]]) for d in problem.game.decisions}
    for d in mover.decisions:
        rules[d.name] = Deviator(own[d.name], rules[d.name]) if d.axes else own[d.name]
    account = Account(problem.pays(mover.person), mover.person)
    return stages.play(rules, before, inside, [account], priced(problem, profile), relaxation, antithetic=antithetic, moves=moves).costs[0]


def excesses(stages: Stages, profile: Mapping[str, Any], before: Array, inside: Array, relaxation: Relaxation | None = None,
             antithetic: bool = False) -> dict[str, Array]:
    """By multiplier the E[excess] of every constraint: (stages,) of one that holds in each of them, else ()."""
    problem = stages.problem
    rules = {d.name: profile[problem.leader_of[d.name]] for d in problem.game.decisions}
    inner = [c for c in problem.game.constraints if c.repeated]
    accounts = [Account((excess_of(c),)) for c in inner]
    played = stages.play(rules, before, inside, accounts, priced(problem, profile), relaxation, antithetic=antithetic)
    out = {c.multiplier: path for c, path in zip(inner, played.paths, strict=True)}
    for c in problem.game.constraints:
        if not c.repeated:
            out[c.multiplier] = problem.excess(played.after, c)
    return out


def own_gradients(stages: Stages, profile: Mapping[str, Any], which: Mapping[str, Any], before: Array, inside: Array,
                  relaxation: Relaxation | None = None, antithetic: bool = False,
                  moves: Mapping[str, Array] | None = None) -> tuple[dict[str, Any], Array]:
    """By group: the mean over twins of d J / d policy, J the cost of the policy's own player; and the sum of all players' costs.
    ``which``: by group, what of a policy moves (a tree of bools)."""
    problem = stages.problem
    found: dict[str, list[Any]] = {k: [] for k in problem.groups}
    total = jnp.zeros(())
    for mover in movers(problem):
        def cost(own: dict[str, Any], mover: Mover = mover) -> Array:
            return jnp.mean(own_costs(stages, profile, mover, own, before, inside, relaxation, antithetic, moves))

        value, gradient = eqx.filter_value_and_grad(cost)({d.name: profile[problem.leader_of[d.name]] for d in mover.decisions})
        total = total + value
        for d in mover.decisions:
            found[problem.leader_of[d.name]].append(gradient[d.name])
    return {k: eqx.filter(jax.tree.map(lambda *g: sum(g) / len(g), *parts), which[k]) for k, parts in found.items()}, total

