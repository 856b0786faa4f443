"""What a player gains who moves all its decisions at once, where theory says that affine rules are enough.

Draws are Gaussian, payments quadratic, everybody else's policy affine. If the player's own decisions are partially nested (whoever of them
is acted upon by an earlier one knows all that it knew) and its cost is convex in what it decides, its best reply is affine in all that it
knows, and every stationary point is one (Radner 1962, theorem 5; Ho and Chu 1972, theorems 1 and 2). The least cost over affine rules
is then the least cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import minimize

from ..core.site import Decision
from ..information.structure import knows_all
from ..lower.determined import without_coordinate
from ..lower.plans import natural_grid, natural_probe
from ..lower.problem import Person, Problem
from ..lower.strategy import inputs
from ..lower.variable import Variable
from ..lower.world import Rule
from ..policies import Affine, Constant
from .deviation import Deviation

FLAT = 1e-9  # a curvature, over the largest, that rounding alone can make negative
METHOD = "best affine reply at all its decisions together (quadratic costs, Gaussian draws, nested information)"


def joint_gain(problem: Problem, profile: Mapping[str, Any], own: Sequence[Decision]) -> float | None:
    """The regret (cost units) of a player over all policies for its decisions ``own``; None where affine ones need not be enough."""
    if not (problem.is_lqg and all(isinstance(getattr(s, "policy", None), (Affine, Constant)) for s in profile.values())):
        return None
    if any(d.axes for d in own) or not nested_within(problem, own):
        return None
    person = problem.decider(own[0])
    if not convex(problem, profile, own, person):
        return None
    return gain(problem, profile, own, person)


def nested_within(problem: Problem, own: Sequence[Decision]) -> bool:
    """Whether each of these decisions knows all that those knew which can have moved what it sees."""
    return all(knows_all(later, earlier, problem.dependence, problem.reduction)
               for later in own for earlier in own
               if earlier.name != later.name and earlier.name in problem.dependence.ancestors[later.name])


def convex(problem: Problem, profile: Mapping[str, Any], own: Sequence[Decision], person: Person) -> bool:
    """Whether the cost, a quadratic form in draws and these decisions while all others answer by their rules, is convex in the latter."""
    sizes = [math.prod(d.shape) for d in own]
    ends = np.cumsum(sizes)

    def cost(acts: Array) -> Array:
        world = problem.world(natural_probe(problem), problem.natural, profile)
        parts = [acts[e - n:e].reshape(d.shape) for d, n, e in zip(own, sizes, ends, strict=True)]
        world.rules = {**world.rules, **{d.name: fixed(a) for d, a in zip(own, parts, strict=True)}}
        return problem.cost(world, person)

    curvature = np.linalg.eigvalsh(np.asarray(jax.jit(jax.hessian(cost))(jnp.zeros(int(ends[-1])))))
    return bool(np.isfinite(curvature).all() and curvature[0] >= -FLAT * max(1.0, abs(curvature[-1])))


def fixed(act: Array) -> Rule:
    """The same act whatever is seen."""
    return lambda world, d: Variable((), act)


def gain(problem: Problem, profile: Mapping[str, Any], own: Sequence[Decision], person: Person) -> float:
    """By L-BFGS over the coefficients of all affine changes together, on samples whose first two moments are exact."""
    grid, _ = natural_grid(problem, 60_000, seed=5, largest=16, samples=1024, summed=without_coordinate(problem, profile))
    world = problem.world(grid, problem.natural, profile)
    moves = []  # for each decision the location and spread of what it sees, and the place of its coefficients
    count = 0
    for d in own:
        _, reals = inputs(world, d)
        *situations, seen = reals.data.shape
        flat = np.asarray(reals.data).reshape(math.prod(situations), seen)  # nothing seen: no columns
        spread = flat.std(0)
        rows, width = 1 + flat.shape[-1], math.prod(d.shape)
        moves.append((jnp.asarray(flat.mean(0)), jnp.asarray(np.where(spread > 1e-9, spread, 1.0)), rows, width, count))
        count += rows * width

    def cost(c: Array) -> Array:
        w = problem.world(grid, problem.natural, profile)
        rules = {}
        for d, (location, scale, rows, width, start) in zip(own, moves, strict=True):
            linear = c[start:start + rows * width].reshape(rows, width)
            full = jnp.concatenate([linear, jnp.zeros((rows - 1, width))])  # nothing in the squares
            rules[d.name] = Deviation(profile[problem.leader_of[d.name]], full, location, scale)
        w.rules = {**w.rules, **rules}
        return problem.cost(w, person)

    both = jax.jit(jax.value_and_grad(cost))
    start = np.zeros(count)
    found = minimize(lambda c: tuple(np.asarray(x, float) for x in both(jnp.asarray(c))), start, jac=True, method="L-BFGS-B",
                     options={"maxiter": 400, "ftol": 0.0, "gtol": 1e-10})
    return max(0.0, float(both(jnp.asarray(start))[0]) - float(found.fun))
