"""Affine policies by Newton's method on the stacked first-order conditions.

Linear-quadratic games have affine equilibria; here every decision's policy is affine in what it sees, the derivative of each
player's own cost in its own coefficients is stacked, and the root is found by pseudo-transient continuation (Kelley and Keyes
1998: implicit Euler steps along the players' gradient flow that grow as the residual falls, hence Newton at the end) from several
starts at once. A root is a candidate only with a residual near rounding and its own second-order conditions; whether it is an
equilibrium among all policies is for the regret to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from ..lower.grid import Grid
from ..lower.plans import natural_grid
from ..lower.problem import Problem
from ..lower.stages import Stages
from ..lower.strategy import Multiplier, Strategy
from ..lower.world import World
from .affine_moments import Moments, moments, random_starts
from .own import own_gradient
from .starting import keys, neutral_rule, strategy, strategy_in

STARTS = 6
ITERATIONS = 80
RESIDUAL = 1e-9
CONVERGED = 1e-12
LARGEST = 400  # coefficients
MOST_BY_MOMENTS = 3000  # where no grid is carried along
DESCENT = 500  # steps towards a team's least cost, before Newton's
AT_ONCE = 16  # columns of a Jacobian
SEARCHED = 30_000  # coefficients times nodes of a game in which every node is a search: the root of an equation, a maximum
CORNERED = 200  # nodes a draw where the best place may lie at an end for some and inside for others
FEWER_STARTS = 2  # where nodes had to be left out for that


@dataclass(frozen=True)
class Root:
    """A solution of the first-order conditions: strategies by group, residual, least own second derivative (relative)."""

    profile: Mapping[str, Strategy]
    residual: float
    curvature: float


@dataclass(frozen=True)
class Unknowns:
    """The coefficients of all affine policies as one vector (n,), and behind them the constraints' multipliers.

    ``text``: what was integrated on. ``trained``, ``fixed``: the parts of the strategies that move and that do not, by group.
    """

    problem: Problem
    grid: Grid
    text: str
    seed: int
    trained: Mapping[str, Strategy]
    fixed: Mapping[str, Strategy]
    spec: Mapping[str, Strategy]
    tries: int = STARTS

    @classmethod
    def of(cls, problem: Problem, seed: int, budget: int) -> Unknowns:
        # with matched moments few points are exact for quadratic costs of affine policies
        samples = 256 if problem.is_lqg and not problem.loops else 2048
        largest = CORNERED if problem.has_steps and problem.searches else 10
        grid, text = natural_grid(problem, budget, seed=0, largest=largest, samples=samples)
        template = {k: strategy(problem, grid, ds[0], "affine", keys(seed, 1)[0], free=True) for k, ds in problem.groups.items()}
        affordable = SEARCHED // max(ravel_pytree(eqx.filter(template, {k: s.trainable() for k, s in template.items()}))[0].size, 1)
        starts = STARTS
        if problem.searches and math.prod(grid.sizes.values()) > affordable:
            grid, text = natural_grid(problem, affordable, seed=0, largest=largest, samples=min(samples, max(affordable, 256)))
            starts = FEWER_STARTS
        spec = {k: s.trainable() for k, s in template.items()}
        return cls(problem, grid, text, seed, *eqx.partition(template, spec), spec, starts)

    @property
    def count(self) -> int:
        return ravel_pytree(self.trained)[0].size

    def profile(self, theta: Array) -> dict[str, Any]:
        held = {c.multiplier: Multiplier(x) for c, x in zip(self.problem.game.constraints, theta[self.count:], strict=True)}
        return {**eqx.combine(ravel_pytree(self.trained)[1](theta[:self.count]), self.fixed), **held}

    def own_gradients(self, theta: Array) -> Array:
        """(n,) every policy's derivative of its own player's cost; of twins the mean of theirs."""
        profile, parts = self.profile(theta), {}
        for k, decisions in self.problem.groups.items():
            gradients = [eqx.filter(own_gradient(self.problem, self.grid, profile, d), self.spec[k]) for d in decisions]
            parts[k] = jax.tree.map(lambda *g: sum(g) / len(g), *gradients)
        return ravel_pytree(parts)[0]

    def places(self, groups: frozenset[str]) -> np.ndarray:
        """Where the coefficients of some groups stand in the vector."""
        marked = {k: jax.tree.map(lambda x, k=k: jnp.full(x.shape, float(k in groups)), s) for k, s in self.trained.items()}
        return np.flatnonzero(np.asarray(ravel_pytree(marked)[0]))

    def starts(self) -> Array:
        """(starts, unknowns) random policies, every multiplier 1."""
        prices = jnp.ones(len(self.problem.game.constraints))
        return jnp.stack([jnp.concatenate([ravel_pytree(eqx.filter({
            k: strategy(self.problem, self.grid, ds[0], "affine", key, free=True) for k, ds in self.problem.groups.items()},
            self.spec))[0], prices]) for key in keys(self.seed, self.tries)])


def solve(problem: Problem, seed: int, budget: int = 40_000) -> tuple[list[Root], str]:
    """Roots of the first-order conditions from ``STARTS`` random starts, distinct ones only, and what was integrated on."""
    by_moments = moments(problem)
    if by_moments is not None:
        return solve_by_moments(problem, by_moments, seed), "second moments, exactly"
    unknowns = Unknowns.of(problem, seed, budget)
    if unknowns.count > LARGEST:
        return [], unknowns.text

    def residual(theta: Array) -> Array:
        world = problem.world(unknowns.grid, problem.natural, unknowns.profile(theta))
        return jnp.concatenate([unknowns.own_gradients(theta), constrained(problem, world, theta[unknowns.count:])])

    starts = unknowns.starts()
    if problem.is_team and not problem.game.constraints and len(problem.groups) > 1:
        person = problem.decider(problem.game.decisions[0])
        starts = descended(lambda t: problem.cost(problem.world(unknowns.grid, problem.natural, unknowns.profile(t)), person), starts)
    found: list[Root] = []
    for theta, norm, j in roots(residual, starts):
        prices = theta[unknowns.count:]
        if problem.game.constraints and (prices < -1e-9).any() and not all(c.equality for c in problem.game.constraints):
            continue
        found.append(Root(bounded(problem, unknowns.grid, unknowns.profile(jnp.asarray(theta))), norm,
                          own_curvature(unknowns.trained, j)))
    return found, unknowns.text


def descended(cost: Callable[[Array], Array], starts: Array) -> Array:
    """Where a team's cost is least near each start (starts, unknowns), by L-BFGS. Newton's method alone also ends at saddles, at which no
    policy alone is at fault: a look that nobody uses, a reader of a look that says nothing."""
    both = jax.jit(jax.value_and_grad(cost))

    def numbers(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = both(jnp.asarray(theta))
        return (float(value), np.asarray(slope, float)) if np.isfinite(float(value)) else (1e300, np.zeros_like(theta))

    ends = []
    for start in np.asarray(starts):
        end = minimize(numbers, start, jac=True, method="L-BFGS-B", options={"maxiter": DESCENT, "maxfun": 2 * DESCENT}).x
        ends.append(end if np.isfinite(end).all() else start)
    return jnp.asarray(np.stack(ends))


def solve_by_moments(problem: Problem, m: Moments, seed: int) -> list[Root]:
    """Roots in a linear-quadratic game, by its matrices."""
    if m.layout.count > MOST_BY_MOMENTS:
        return []
    starts = random_starts(m, seed, STARTS)
    if problem.is_team and len(problem.groups) > 1:
        starts = descended(lambda t: m.expected(t)[0], starts)
    found = []
    for theta, norm, j in roots(m.residual, starts):
        profile = m.profile(problem, jnp.asarray(theta))
        if any(d.low is not None or d.high is not None for d in problem.game.decisions):
            grid, _ = natural_grid(problem, 4000, seed=0, largest=10, samples=256)
            profile = bounded(problem, grid, profile)
        found.append(Root(profile, norm, curvature_of([size for _, _, size in m.layout.blocks], j)))
    return found


def roots(residual: Callable[[Array], Array], starts: Array, accuracy: float = CONVERGED, enough: float = RESIDUAL,
          ) -> list[tuple[np.ndarray, float, np.ndarray]]:
    """Distinct roots (n,) of a system, each with its residual's norm and the Jacobian there, by pseudo-transient continuation. A search
    ends at ``accuracy``; what is not ``enough`` is no root."""
    jacobian = derivative(residual, starts.shape[-1])

    def search(theta: Array) -> tuple[Array, Array, Array]:
        def body(carry: tuple) -> tuple:
            t, f, damping, n = carry
            j = jacobian(t)
            size = jnp.maximum(jnp.abs(jnp.diagonal(j)), 1e-8)
            move = -jnp.linalg.solve(j + damping * jnp.diag(size), f)
            new = t + jnp.where(jnp.all(jnp.isfinite(move)), move, 0.0)
            g = residual(new)
            ratio = jnp.linalg.norm(g) / jnp.maximum(jnp.linalg.norm(f), 1e-300)
            worse = ~jnp.isfinite(ratio) | (ratio > 10)
            return (jnp.where(worse, t, new), jnp.where(worse, f, g),
                    jnp.where(worse, 10 * damping + 1e-3, damping * jnp.clip(ratio, 0.1, 2.0)), n + 1)

        def unfinished(carry: tuple) -> Array:
            t, f, _, n = carry
            return (n < ITERATIONS) & (jnp.linalg.norm(f) > accuracy * (1 + jnp.max(jnp.abs(t))))

        t, f, _, _ = jax.lax.while_loop(unfinished, body, (theta, residual(theta), jnp.asarray(1.0), 0))
        return t, jnp.linalg.norm(f), jacobian(t)

    thetas, norms, jacobians = jax.jit(lambda s: jax.lax.map(search, s))(starts)
    found: list[tuple[np.ndarray, float, np.ndarray]] = []
    for theta, norm, j in zip(np.asarray(thetas), np.asarray(norms), np.asarray(jacobians), strict=True):
        if not np.isfinite(norm) or norm > enough * (1 + np.abs(theta).max()):
            continue
        if not any(np.allclose(theta, other, rtol=1e-6, atol=1e-8) for other, _, _ in found):
            found.append((theta, float(norm), j))
    return found


def derivative(residual: Callable[[Array], Array], unknowns: int) -> Callable[[Array], Array]:
    """The Jacobian (n, n) of a system, some columns at a time: what is kept for each of them grows with the nodes."""
    if unknowns <= AT_ONCE:
        return jax.jacfwd(residual)
    columns = np.eye(-(-unknowns // AT_ONCE) * AT_ONCE, unknowns)  # whole blocks: the last directions are 0

    def jacobian(theta: Array) -> Array:
        rows = jax.lax.map(lambda e: jax.jvp(residual, (theta,), (e,))[1], jnp.asarray(columns), batch_size=AT_ONCE)
        return rows[:unknowns].T

    return jacobian


def constrained(problem: Problem, world: World, multipliers: Array) -> Array:
    """The conditions on the multipliers: E[excess] <= 0, multiplier >= 0 and one of them 0 (Fischer 1992); = 0 of an equality."""
    out = []
    for c, price in zip(problem.game.constraints, multipliers, strict=True):
        excess = problem.excess(world, c)
        out.append(-excess if c.equality else price - excess - jnp.sqrt(price**2 + excess**2 + 1e-24))
    return jnp.asarray(out) if out else jnp.zeros(0)


def own_curvature(trained: Mapping[str, Any], jacobian: np.ndarray) -> float:
    """The least eigenvalue of any policy's own second derivative, over the largest entry: negative at a saddle or a maximum."""
    return curvature_of([ravel_pytree(trained[k])[0].size for k in sorted(trained)], jacobian)


def curvature_of(sizes: list[int], jacobian: np.ndarray) -> float:
    """The same for policies of so many coefficients, one after the other."""
    start, least, largest = 0, np.inf, max(float(np.abs(jacobian).max(initial=0.0)), 1e-300)
    for size in sizes:
        block = jacobian[start:start + size, start:start + size]
        if size:
            least = min(least, float(np.linalg.eigvalsh((block + block.T) / 2).min()))
        start += size
    return least / largest


def bounded(problem: Problem, grid: Grid, profile: Mapping[str, Strategy]) -> dict[str, Strategy]:
    """The same policies under heads that keep each decision's bounds."""
    out = {}
    for k, decisions in problem.groups.items():
        d = decisions[0]
        s = profile[k]
        if d.low is not None or d.high is not None:
            kept = strategy(problem, grid, d, "affine", keys(0, 1)[0], location=0.0, scale=1.0)
            s = eqx.tree_at(lambda x: x.head, s, kept.head)
        out[k] = s
    return out | {k: s for k, s in profile.items() if k not in out}


def bounded_in(problem: Problem, stages: Stages, profile: Mapping[str, Strategy], seed: int) -> dict[str, Strategy]:
    """The same for stages that are elaborated once."""
    if not any(d.low is not None or d.high is not None for d in problem.game.decisions):
        return dict(profile)
    neutral, key = {d.name: neutral_rule for d in problem.game.decisions}, jax.random.key(seed + 17)
    inside = stages.situations(neutral, key)
    outside = stages.around(neutral, key) if any(not d.repeated for d in problem.game.decisions) else inside
    out = {}
    for k, decisions in problem.groups.items():
        d, s = decisions[0], profile[k]
        world = inside if d.repeated else outside
        if d.low is not None or d.high is not None:
            s = eqx.tree_at(lambda x: x.head, s, strategy_in(problem, world, d, "affine", keys(0, 1)[0], location=0.0, scale=1.0).head)
        out[k] = s
    return out
