"""Large families whose members have policies of their own: everybody's own first-order conditions at once, by Newton's method without a
matrix.

Policies are affine in what is seen, with coefficients for each member: thousands of unknowns. The residual is one derivative of all
members' payments, each in its own policy (``lower/member_costs.py``), projected at bounds; the Jacobian, a diagonal and what a few sums
tie together, is only multiplied with vectors, and GMRES (Saad and Schultz 1986) needs few of them (Knoll and Keyes 2004).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from ..lower.member_costs import OwnViews, own_views
from ..lower.plans import sampled_grid
from ..lower.problem import Problem
from ..lower.strategy import Strategy, real_inputs
from ..passes import Unrepresentable
from .engine import Engine, Found, State
from .refusals import not_smooth
from .settings import Progress, Reporter, Settings
from .starting import bounds, keys, neutral_rule, strategy

SAMPLES, DRAWN = 2048, 4_000_000  # of every draw; of all draws together
STEPS, TOLERANCE, CLOSE = 40, 1e-11, 1e-7
KRYLOV = 40


class MemberEngine(Engine):
    """State: the strategies, and how far from a solution they are."""

    name = "members"
    title = "affine policies of every member's own, Newton-Krylov on all first-order conditions at once"

    def refuses(self, problem: Problem) -> str | None:
        symmetric = {p.name for p in problem.source.players if p.symmetric}
        if not any(d.axes and d.actor.name not in symmetric for d in problem.game.decisions):
            return "no large family has policies of its members' own"
        why = not_smooth(problem)
        if why is not None:
            return why
        if problem.game.constraints or problem.game.channels:
            return "there are channels or constraints"
        if any(d.shape for d in problem.game.decisions):
            return "a decision is a vector"
        if any(real_inputs(d) and (d.low is not None or d.high is not None) for d in problem.game.decisions):
            return "a policy of real inputs is bounded"
        try:
            own_views(problem)
        except Unrepresentable as unfit:
            return str(unfit)
        return None

    def start(self, problem: Problem, settings: Settings) -> State:
        grid = sampled_grid(problem, 64, settings.seed)
        made = {d.name: strategy(problem, grid, d, "affine" if real_inputs(d) else "table", key, free=True)
                for d, key in zip(problem.game.decisions, keys(settings.seed * 7907 + 1, len(problem.game.decisions)), strict=True)}
        return {"done": False, "strategies": made, "residual": np.inf}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        views = own_views(problem)
        width = sum(r.axes[0].size if r.axes else 1 for r in problem.game.randoms)
        samples = settings.samples or int(min(SAMPLES, max(64, DRAWN // max(width, 1))))
        solved, residual, steps = solution(problem, views, state["strategies"], samples, settings.seed)
        report(Progress(self.name, f"{views.size} members, residual {residual:.1e} after {steps} steps", 1, 1, float("nan")))
        return {"done": True, "strategies": solved, "residual": residual}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(dict(state["strategies"]), 1)] if np.isfinite(state["residual"]) else []


def solution(problem: Problem, views: OwnViews, start: dict[str, Strategy], samples: int, seed: int,
             ) -> tuple[dict[str, Strategy], float, int]:
    """Strategies at which everybody's own derivative vanishes (at a bound: points outwards), the residual, and the steps taken."""
    grid = sampled_grid(problem, samples, seed)
    world = problem.world(grid, problem.natural, {k: neutral_rule for k in problem.groups})
    ends = {d.name: bounds(world, d) for d in views.decisions}
    free, back = ravel_pytree({k: s.policy for k, s in start.items()})

    def profile(x: Array) -> dict[str, Strategy]:
        policies = back(x)
        return {k: Strategy(policies[k], s.head, s.location, s.scale, s.sizes, s.hard) for k, s in start.items()}

    def gradient(x: Array) -> Array:
        everybody = problem.world(grid, problem.natural, profile(x))
        fixed = {d.name: everybody.value(d.name) for d in views.decisions}
        return jax.grad(lambda y: jnp.sum(views.costs(problem.world(grid, problem.natural, profile(y)), fixed)))(x)

    constant = all(real_inputs(d) == 0 for d in views.decisions)
    sides = [ravel_pytree({k: jax.tree.map(lambda a, k=k, i=i: jnp.full_like(a, ends[k][i]), s.policy) for k, s in start.items()})[0]
             for i in (0, 1)]
    low, high = sides if constant else (jnp.full_like(free, -jnp.inf), jnp.full_like(free, jnp.inf))

    def residual(x: Array) -> Array:
        return x - jnp.clip(x - gradient(x), low, high)

    @jax.jit
    def step(x: Array) -> tuple[Array, Array]:
        r, multiply = jax.linearize(residual, x)
        towards, _ = jax.scipy.sparse.linalg.gmres(multiply, -r, tol=1e-10, restart=min(KRYLOV, x.size), maxiter=10,
                                                   solve_method="batched")
        lengths = 0.5 ** jnp.arange(8.0)
        sizes = jax.lax.map(lambda t: jnp.linalg.norm(residual(x + t * towards)), lengths)
        best = jnp.argmin(jnp.where(jnp.isfinite(sizes), sizes, jnp.inf))
        return x + lengths[best] * towards, sizes[best]

    x = jnp.clip(free, low, high)
    size, count = np.inf, 0
    while count < STEPS:
        count += 1
        new, after = step(x)
        if not np.isfinite(float(after)) or float(after) >= size:
            break
        x, size = new, float(after)
        if size < TOLERANCE * (1 + float(jnp.linalg.norm(x))):
            break
    return profile(x), size if size < CLOSE * (1 + float(jnp.linalg.norm(x))) else np.inf, count
