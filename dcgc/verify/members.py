"""A large family whose members have policies of their own: what they pay and could gain, all at once."""

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
from ..lower.evaluate import evaluate
from ..lower.member_costs import OwnViews, own_views
from ..lower.plans import sampled_grid
from ..lower.problem import Problem
from ..lower.strategy import inputs, real_inputs
from ..lower.variable import Variable, lift
from ..lower.world import World
from ..passes import Unrepresentable
from .figures import Regret

SAMPLES = 1024
TRIED, ROUNDS = 33, 8  # acts along the range of each member, which closes in on the best


def views_of(problem: Problem) -> OwnViews | None:
    """The members' own views, where there is such a family."""
    symmetric = {p.name for p in problem.source.players if p.symmetric}
    if problem.game.block is not None or not any(d.axes and d.actor.name not in symmetric for d in problem.game.decisions):
        return None
    try:
        return own_views(problem)
    except Unrepresentable:
        return None


def member_figures(problem: Problem, worlds: Sequence[World]) -> list[tuple[str, list[np.ndarray]]]:
    """The mean of what all members pay or get, and who does worst and best, in words fit for a thousand of them."""
    views = views_of(problem)
    if views is None:
        return []
    costs = [np.asarray(views.costs(w)) for w in worlds]
    mean = np.mean(costs, axis=0)
    least, most = int(mean.argmin()), int(mean.argmax())
    return [(f"mean payoff of {views.size} {views.family}", [-c.mean() for c in costs]),
            (f"least payoff, of {views.family}[{most + 1}]", [-c[most] for c in costs]),
            (f"largest payoff, of {views.family}[{least + 1}]", [-c[least] for c in costs])]


def member_regrets(problem: Problem, profile: Mapping[str, Any]) -> tuple[Regret, ...] | None:
    """The largest regret of a member, all of them sought at once; None where there is no such family."""
    views = views_of(problem)
    if views is None:
        return None
    constant = all(real_inputs(d) == 0 for d in views.decisions)
    grid = sampled_grid(problem, SAMPLES, 77)
    world = problem.world(grid, problem.natural, profile)
    gains = np.zeros(views.size)
    for d in views.decisions:
        found = by_acts(views, world, d) if constant else by_shifts(views, world, d)
        gains = np.maximum(gains, found)
    k = int(np.argmax(gains))
    sought = "every member's best act along its range" if constant else "every member's best deviation quadratic in what it sees"
    more = "" if len(views.decisions) == 1 else ", one decision at a time"
    method = f"{sought}{more}: the largest of {views.size}, their mean is {gains.mean():.1e}"
    return (Regret(f"{views.family}[{k + 1}]", float(gains[k]), math.nan, constant and len(views.decisions) == 1, method),)


def by_acts(views: OwnViews, world: World, d: Decision) -> np.ndarray:
    """What each member (size,) would gain by its best act, the same whatever happens: candidates that close in on it."""
    fixed = {x.name: world.value(x.name) for x in views.decisions}
    now = np.broadcast_to(np.asarray(fixed[d.name].data), (views.size,))

    @jax.jit
    def costs(acts: Array) -> Array:
        return views.costs(world.vary({d.name: Variable((), acts)}), fixed)

    reach = 2 * max(float(np.ptp(now)), float(np.abs(now).max()), 0.5)
    low = np.full(views.size, now.min() - reach) if d.low is None else bound(world, d.low, views.size)
    high = np.full(views.size, now.max() + reach) if d.high is None else bound(world, d.high, views.size)
    low, high = (np.where(np.isfinite(x), x, y) for x, y in ((low, now - reach), (high, now + reach)))
    least = first = np.asarray(costs(jnp.asarray(now)))
    left, right = low, high
    for _ in range(ROUNDS):
        acts = left + (right - left) * np.linspace(0.0, 1.0, TRIED)[:, None]
        values = np.stack([np.asarray(costs(jnp.asarray(a))) for a in acts])
        best = np.take_along_axis(acts, values.argmin(0)[None], 0)[0]
        least = np.minimum(least, values.min(0))
        width = (right - left) / (TRIED - 1) * 1.5
        left, right = np.maximum(low, best - width), np.minimum(high, best + width)
    return np.maximum(first - least, 0.0)


def bound(world: World, e: Any, size: int) -> np.ndarray:
    return np.full(size, float(np.min(np.asarray(evaluate(world, e).data))))


def by_shifts(views: OwnViews, world: World, d: Decision) -> np.ndarray:
    """What each member (size,) would gain by adding a polynomial of degree two in what it sees: a lower bound, by L-BFGS on all at once
    (they do not touch each other, as the others are held fixed)."""
    fixed = {x.name: world.value(x.name) for x in views.decisions}
    axis = d.axes[0].name
    _, reals = inputs(world, d)
    at = reals.dims.index(axis) if axis in reals.dims else None
    spread = tuple(i for i in range(len(reals.dims)) if i != at)
    mean, deviation = reals.data.mean(spread, keepdims=True), reals.data.std(spread, keepdims=True)
    z = (reals.data - mean) / jnp.where(deviation > 1e-9, deviation, 1.0)
    features = Variable(reals.dims, jnp.concatenate([jnp.ones((*z.shape[:-1], 1)), z, z**2], -1))
    width = features.data.shape[-1]

    def costs(c: Array) -> Array:
        own = Variable((axis,), c.reshape(views.size, width))
        shift = lift(jnp.multiply, features, own)

        def moved() -> Variable:
            return Variable(shift.dims, shift.data.sum(-1))

        added = world.loop(d, moved)
        value = lift(jnp.add, fixed[d.name], added)
        for e, keep in ((d.low, jnp.maximum), (d.high, jnp.minimum)):
            if e is not None:
                value = lift(keep, value, evaluate(world, e))
        return views.costs(world.vary({d.name: value}), fixed)

    total = jax.jit(jax.value_and_grad(lambda c: jnp.sum(costs(c))))
    start = np.zeros(views.size * width)
    found = minimize(lambda c: tuple(np.asarray(x, float) for x in total(jnp.asarray(c))), start, jac=True, method="L-BFGS-B",
                     options={"maxiter": 100})
    return np.maximum(np.asarray(costs(jnp.asarray(start)) - costs(jnp.asarray(found.x))), 0.0)
