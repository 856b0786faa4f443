"""Whether every ``solve`` of stages that are elaborated once had one root, at stages and states that play reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.carry import full
from ..lower.rollout import SAMPLE
from ..lower.stages import Stages, horizon
from ..lower.variable import Variable
from ..lower.world import Rule, World
from ..primitives.relaxations import Relaxation
from .equations import equation_alarms

PLAYS = 512
LOOKED_AT = 24  # stages, the first and the last among them


def stage_equation_alarms(stages: Stages, rules: Mapping[str, Rule], after: World) -> list[str]:
    """R002 and R003 of a profile's plays: of equations in a stage how likely, given that the stage is reached; of those outside of the
    stages in the world ``after`` them."""
    equations = stages.problem.game.equations
    if not equations:
        return []
    inside = {e.name for e in equations if stages.problem.dependence.sites[e.name].repeated}
    out = equation_alarms(stages.problem, [after], only=frozenset(e.name for e in equations) - inside)
    return out + (equation_alarms(stages.problem, [stage_world(stages, rules)], only=frozenset(inside)) if inside else [])


def stage_world(stages: Stages, rules: Mapping[str, Rule]) -> World:
    """A world of single stages, each sample one that a play has reached, weighted by the chance that it has."""
    one, two, three = jax.random.split(jax.random.key(83_000_009), 3)
    before = stages.outside.draw(one, PLAYS, True)
    survival = stages.block.survival
    names = tuple(s.name for s in stages.states)
    exact = Relaxation("exact")
    played = stages.play(rules, before, two, [], relaxation=exact, watched=(*names, *([survival] if survival else [])))
    length = horizon(stages.problem)
    at = np.unique(np.round(np.linspace(0, length - 1, min(length, LOOKED_AT))).astype(int))
    count = at.size * PLAYS
    outer, _ = stages.world(rules, stages.outside, before, {}, None, exact)

    def repeated(v: Variable) -> Array:
        return jnp.tile(full(v, PLAYS), (at.size,) + (1,) * len(v.own))

    given = {n: Variable((SAMPLE,), repeated(outer.value(n))) for n in stages.from_before}
    given |= {k: Variable((SAMPLE,), played.seen[k][at].reshape(count, *played.seen[k].shape[2:])) for k in names}
    given[stages.block.binder] = Variable((SAMPLE,), jnp.repeat(jnp.asarray(at + 1.0), PLAYS))
    world, _ = stages.world(rules, stages.inside, stages.inside.draw(three, count, False), given, None, exact)
    if survival is not None:
        alive = jnp.concatenate([jnp.ones((1, PLAYS)), played.seen[survival][:-1]])[at].reshape(count)
        world = replace(world, grid=replace(world.grid, weights={**world.grid.weights, SAMPLE: alive / jnp.sum(alive)}), _factors={})
    return world
