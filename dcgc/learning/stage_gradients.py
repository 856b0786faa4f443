"""Own gradients through the scan over stages: each player's cost in its own policies, everybody else's held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision
from ..lower.problem import Person, Problem
from ..lower.stages import Account, Stages
from ..lower.strategy import Deviator, Erring
from ..primitives.relaxations import Relaxation
from .own import projecting


@dataclass(frozen=True)
class Mover:
    """Who moves some decisions, and what it pays."""

    person: Person
    decisions: tuple[Decision, ...]


def movers(problem: Problem) -> tuple[Mover, ...]:
    """Every player with its decisions; a team that has nobody beside it moves as one."""
    found: dict[Person, list[Decision]] = {}
    for d in problem.game.decisions:
        found.setdefault(problem.decider(d), []).append(d)
    if problem.is_team and not any(d.axes for d in problem.game.decisions) and found:
        return (Mover(next(iter(found)), tuple(problem.game.decisions)),)
    return tuple(Mover(p, tuple(ds)) for p, ds in found.items())


def own_costs(stages: Stages, profile: Mapping[str, Any], mover: Mover, own: Mapping[str, Any], before: Array, inside: Array,
              relaxation: Relaxation | None, antithetic: bool, error: Array | float | None = None) -> Array:
    """The cost (samples,) of a mover whose decisions follow ``own`` (by decision), while everybody else follows ``profile``. ``error``:
    by how much real decisions err, in units of their heads."""
    problem = stages.problem
    rules = {d.name: projecting(profile[problem.leader_of[d.name]]) for d in problem.game.decisions}
    for d in mover.decisions:
        rules[d.name] = Deviator(own[d.name], rules[d.name]) if d.axes else own[d.name]
    if error is not None:
        rules |= {d.name: Erring(rules[d.name], jnp.asarray(error)) for d in problem.game.decisions if d.kind == "real"}
    account = Account(problem.pays(mover.person), mover.person)
    return stages.play(rules, before, inside, [account], relaxation=relaxation, antithetic=antithetic).costs[0]


def own_gradients(stages: Stages, profile: Mapping[str, Any], which: Mapping[str, Any], before: Array, inside: Array,
                  relaxation: Relaxation | None = None, antithetic: bool = False,
                  error: Array | float | None = None) -> tuple[dict[str, Any], Array]:
    """By group: the mean over twins of d J / d policy, J the cost of the policy's own player; and the sum of all players' costs.
    ``which``: by group, what of a policy moves (a tree of bools)."""
    problem = stages.problem
    found: dict[str, list[Any]] = {k: [] for k in problem.groups}
    total = jnp.zeros(())
    for mover in movers(problem):
        def cost(own: dict[str, Any], mover: Mover = mover) -> Array:
            return jnp.mean(own_costs(stages, profile, mover, own, before, inside, relaxation, antithetic, error))

        value, gradient = eqx.filter_value_and_grad(cost)({d.name: profile[problem.leader_of[d.name]] for d in mover.decisions})
        total = total + value
        for d in mover.decisions:
            found[problem.leader_of[d.name]].append(gradient[d.name])
    return {k: eqx.filter(jax.tree.map(lambda *g: sum(g) / len(g), *parts), which[k]) for k, parts in found.items()}, total
