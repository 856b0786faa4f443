"""What several finite decisions gain together: every plan for all of them tried, where there are not too many.

Costs are linear in what each decision does in each situation, so that a plan without chance is among the best of those that mix; this
holds for players who forget and for teams whose members know different things, too (Kuhn 1953; Radner 1962).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Person, Problem, tells
from ..lower.strategy import BestResponse, Tabular
from ..primitives.relaxations import Relaxation

MOST = 4096  # plans
WORK = 30_000_000  # plans times points


def best_plan_gain(problem: Problem, profile: Mapping[str, Any], grid: Grid | None, person: Person, own: Sequence[Decision],
                   ) -> float | None:
    """What the best plan for some decisions saves ``person`` over what is played (cost units); None where plans are too many, decisions
    or what they know are no finite things, or somebody pays for what is told or replies exactly."""
    informations = [problem.reduction.information[d.name] for d in own]
    if grid is None or problem.loops or any(i is None or i.masks for i in informations) or not all(d.enumerable for d in own):
        return None
    if any(isinstance(s, BestResponse) for s in profile.values()) or any(tells(p) for p in problem.pays(person)):
        return None
    dims = {d.name: tuple(sorted(i.dims)) for d, i in zip(own, informations, strict=True)}  # type: ignore[union-attr]
    known = {x for i in dims.values() for x in i}
    if any(problem.reduction.coordinates[x].role != "finite" for x in known):
        return None
    shapes = {d.name: tuple(grid.sizes[x] for x in dims[d.name]) for d in own}
    count = math.prod(float(d.options) ** math.prod(shapes[d.name]) for d in own)
    if count > MOST or count * math.prod(grid.sizes.values()) > WORK:
        return None

    def cost(rules: Mapping[str, Any]) -> Array:
        return problem.paid(problem.world(grid, problem.reduction, rules, Relaxation("cells", frozenset(known))), person)

    rules = problem.rules_of(profile)

    def planned(number: Array) -> Array:
        """What is paid under the plan of a number, whose digits are what is done in each situation."""
        moved = {}
        for d in own:
            size = math.prod(shapes[d.name])
            digits = number // jnp.asarray([d.options**k for k in range(size)]) % d.options
            number = number // d.options**size
            moved[d.name] = Tabular(dims[d.name], jax.nn.one_hot(digits, d.options).reshape((*shapes[d.name], d.options)))
        return cost({**rules, **moved})

    costs = np.asarray(jax.jit(lambda numbers: jax.lax.map(planned, numbers))(jnp.arange(round(count))))
    return float(np.maximum(float(cost(rules)) - np.nanmin(costs), 0.0))
