"""Policies for stages that are elaborated once: own gradients through a scan over the stages.

``stage_affine``: affine policies. Few coefficients: Newton with pseudo-transient continuation on the stacked first-order conditions, as in
``affine_newton``; many: Adam, then Newton's method with each linear system solved by GMRES (Knoll and Keyes 2004), on common random
numbers. Where all draws together are few their first two moments are matched, so that linear-quadratic games are solved to rounding.
``stages``: the families that the text asks for, or the contract's defaults, by Adam on fresh antithetic samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.scipy.sparse.linalg import gmres
from scipy import special

from ..lower.problem import Problem
from ..lower.stages import Columns, Stages, horizon
from ..lower.strategy import Strategy
from ..primitives.points import sobol_uniform, whitened
from ..primitives.relaxations import Relaxation
from .affine_newton import bounded_in, own_curvature, roots
from .engine import Engine, Found, State
from .network_engine import family_of, spec
from .settings import Progress, Reporter, Settings
from .stage_coordinates import coordinates
from .stage_gradients import own_gradients
from .stage_sweep import backward, places_by_stage
from .starting import keys, neutral_rule, pick, strategy_in

CHUNK = 100
STEPS = 1000
PLAYED = 400_000  # player-stages of one evaluation, about
MATCHED = 240  # draws of all stages together whose moments are matched
DENSE = 64  # coefficients whose Jacobian is built column by column
STARTS = 3
NEWTON = 12
SWEPT = 20_000_000  # player-stages that a backward sweep may cost, over the coefficients of a stage
ERRORS = (0.5, 0.05, 0.005)  # by which hands err while a solution is sought, so that it is one at states that play does not reach, too
KRYLOV = 40


def members(problem: Problem) -> int:
    """The size of the largest family, at least 1."""
    return max((math.prod(a.size for a in s.axes) for s in problem.game.sites), default=1)


def plays(problem: Problem, settings: Settings) -> int:
    """Samples of one evaluation: even, and fewer the larger the game."""
    if settings.samples is not None:
        return 2 * max(1, settings.samples // 2)
    many = PLAYED // (horizon(problem) * members(problem))
    return int(min(1024, max(16, many)) // 2 * 2)


def common_draws(stages: Stages, samples: int, seed: int) -> tuple[Array, Array, bool]:
    """Base values that are kept: (samples, columns) outside, those of all stages or a key, and whether the second half mirrors the
    first. Few draws have their first two moments matched."""
    length = horizon(stages.problem)
    columns = [stages.outside] + [stages.inside] * length
    width = stages.outside.width + length * stages.inside.width
    if 0 < width <= MATCHED:
        count = max(samples, 4 * width)
        matrix = matched(columns, count, seed)
        split = stages.outside.width
        inside = matrix[:, split:].reshape(count, length, stages.inside.width).transpose(1, 0, 2)
        return jnp.asarray(matrix[:, :split]), jnp.asarray(inside), False
    one, two = jax.random.split(jax.random.key(seed))
    return stages.outside.draw(one, samples, True), two, True


def matched(columns: list[Columns], count: int, seed: int) -> np.ndarray:
    """Scrambled Sobol points; normal columns with matched means and covariances, uniform ones with matched means and variances."""
    width = sum(c.width for c in columns)
    points = sobol_uniform(count, width, seed).nodes
    places = np.cumsum([0] + [c.width for c in columns])
    normal = np.concatenate([np.arange(s, s + c.normal) for s, c in zip(places, columns, strict=False)])
    out = 0.5 + (points - points.mean(0)) / np.maximum(points.std(0), 1e-12) / math.sqrt(12)
    out = np.clip(out, 1e-9, 1 - 1e-9)
    out[:, normal.astype(int)] = whitened(special.ndtri(points[:, normal.astype(int)]))
    return out


def relaxed(problem: Problem, share: Array | float) -> Relaxation | None:
    """Jumps become logistic steps that sharpen."""
    return Relaxation("sigmoid", temperature=0.3 * 0.03 ** share) if problem.has_jumps else None  # type: ignore[arg-type]


def fresh_strategies(problem: Problem, stages: Stages, settings: Settings, count: int, affine: bool, free: bool) -> dict[str, Strategy]:
    """Random policies by group, ``count`` of each stacked."""
    world = stages.situations({d.name: neutral_rule for d in problem.game.decisions}, jax.random.key(settings.seed + 17))
    out = {}
    for i, (k, ds) in enumerate(problem.groups.items()):
        family, options = ("affine", {}) if affine else family_of(problem, settings, ds[0])
        made = [strategy_in(problem, world, ds[0], family, key, options, free=free) for key in keys(settings.seed * 7907 + i, count)]
        out[k] = jax.tree.map(lambda *x: jnp.stack(x), *made)
    return out


class StageEngine(Engine):
    """Adam in one ``lax.scan`` over steps, all starts at once. State: the strategies of all starts, stacked, and Adam's moments."""

    name = "stages"
    title = "own gradients through a scan over stages, Adam"
    repeats = True
    fresh = True
    affine = False
    rate = 2e-2

    def refuses(self, problem: Problem) -> str | None:
        symmetric = {p.name for p in problem.source.players if p.symmetric}
        for d in problem.game.decisions:
            if d.axes and d.actor.name not in symmetric:
                return f"{d.actor.name} is a large family whose members have policies of their own (write `symmetric`)"
            if d.axes and d.finite:
                return f"{d.name} is a finite decision of a large family"
            if d.finite and not d.enumerable:
                return f"{d.name} is an array of choices"
        if problem.game.constraints:
            return "a constraint beside stages that are not written out"
        return None

    def start(self, problem: Problem, settings: Settings) -> State:
        stages = Stages(problem)
        count = settings.restarts or STARTS
        stacked = fresh_strategies(problem, stages, settings, count, self.affine, False)
        moments = jax.vmap(optax.scale_by_adam().init)(eqx.filter(stacked, spec(stacked)))
        return {"step": 0, "done": False, "strategies": stacked, "moments": jax.tree.leaves(moments), "costs": np.full(count, np.nan)}

    def steps(self, settings: Settings) -> int:
        return settings.steps or STEPS

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        steps = self.steps(settings)
        length = min(CHUNK, steps - state["step"])
        run, template = stepper(problem, settings, state["strategies"], steps, settings.learning_rate or self.rate)
        moments = jax.tree.unflatten(jax.tree.structure(template), state["moments"])
        key = jax.random.key(settings.seed * 100_003 + 1)
        strategies, moments, costs = run(state["strategies"], moments, jnp.arange(state["step"], state["step"] + length), key)
        costs = np.asarray(costs)
        end = state["step"] + length
        report(Progress(self.name, f"{len(costs)} start{'s' * (len(costs) > 1)}, {plays(problem, settings)} plays a step", end, steps,
                        float(np.nanmin(costs)) if np.isfinite(costs).any() else math.nan))
        if not np.isfinite(costs).any():
            raise FloatingPointError("every start ended in a cost that is not a number")
        return {"step": end, "done": end >= steps, "strategies": strategies, "moments": jax.tree.leaves(moments), "costs": costs}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        order = np.argsort(np.where(np.isfinite(state["costs"]), state["costs"], np.inf))
        found = []
        for r in order[:2]:
            profile: dict[str, Any] = {}
            for k, s in state["strategies"].items():
                one = pick(s, int(r))
                d = problem.groups[k][0]
                hard = d.finite and not d.mixed
                profile[k] = Strategy(one.policy, one.head, one.location, one.scale, one.sizes, True) if hard else one
            found.append(Found(profile, 1))
        return found


class StageAffineEngine(Engine):
    """State: the roots that were found."""

    name = "stage_affine"
    title = "affine policies through a scan over stages, Newton on the stacked first-order conditions"
    repeats = True
    fresh = True

    def refuses(self, problem: Problem) -> str | None:
        if problem.has_finite_decisions:
            return "some decisions are finite"
        if problem.has_jumps:
            return "payments jump with what is decided"
        if any(d.kind == "simplex" or d.mixed for d in problem.game.decisions):
            return "some decisions are mixed or on a simplex"
        return StageEngine().refuses(problem)

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "strategies": fresh_strategies(problem, Stages(problem), settings, 1, True, True), "roots": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        stages = Stages(problem, erring=True)
        before, inside, mirrored = common_draws(stages, plays(problem, settings), settings.seed)
        first = {k: pick(s, 0) for k, s in state["strategies"].items()}
        which = spec(first)
        frame = coordinates(problem, stages, first, settings.seed, ERRORS[0])
        start = [frame.start(key) for key in keys(settings.seed * 7907 + 3, settings.restarts or STARTS)]
        unravel = ravel_pytree(start[0])[1]

        def residual(phi: Array, error: float) -> Array:
            gradients, _ = own_gradients(stages, frame.profile(unravel(phi)), which, before, inside, None, mirrored, error)
            return ravel_pytree(frame.gradient(gradients))[0]

        good = jnp.stack([ravel_pytree(x)[0] for x in start])
        report(Progress(self.name, f"{good.shape[-1]} coefficients, {before.shape[0]} plays", 0, 1, float("nan")))
        dense = good.shape[-1] <= DENSE
        places = places_by_stage(problem, start[0])
        sweepable = horizon(problem) ** 2 * members(problem) * before.shape[0] <= SWEPT
        for i, error in enumerate(ERRORS if not problem.is_lqg else ERRORS[:1]):
            at = partial(residual, error=error)
            if places is not None and i == 0 and sweepable:
                good = jnp.stack([backward(at, theta, places, 2) for theta in good[:1]])
            if dense:
                found = [x for x, _, j in roots(at, good) if own_curvature(start[0], j) > -1e-7]
            else:
                found = krylov(at, good, i == 0 and not (places is not None and sweepable))
            if not found:
                break
            good = jnp.asarray(np.stack(found))
        out = [bounded_in(problem, stages, frame.profile(unravel(t)), settings.seed) for t in good] if found or i > 0 else []
        report(Progress(self.name, f"{len(out)} solution{'s' * (len(out) != 1)} of the first-order conditions", 1, 1, float("nan")))
        return {**state, "done": True, "roots": out}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(p, 1) for p in state["roots"]]


def krylov(residual: Callable[[Array], Array], starts: Array, far: bool) -> list[np.ndarray]:
    """Solutions of a large system: Adam steps along it from the first start (if that is ``far``), then Newton's method with GMRES and
    backtracking."""
    adam = optax.adam(optax.cosine_decay_schedule(0.05, 300, alpha=0.02))

    @jax.jit
    def approach(theta: Array) -> Array:
        def step(carry: Any, _: Any) -> tuple[Any, Array]:
            t, moments = carry
            f = residual(t)
            moves, moments = adam.update(jnp.where(jnp.isfinite(f), f, 0.0), moments)
            return (optax.apply_updates(t, moves), moments), jnp.linalg.norm(f)

        return jax.lax.scan(step, (theta, adam.init(theta)), None, 300)[0][0]

    @jax.jit
    def newton(theta: Array, f: Array) -> tuple[Array, Array]:
        _, derivative = jax.linearize(residual, theta)
        move, _ = gmres(derivative, -f, tol=1e-3, restart=KRYLOV, maxiter=1, solve_method="batched")

        def shorter(carry: tuple) -> tuple:
            share, _, _ = carry
            new = theta + share * move
            return share / 2, new, residual(new)

        def worse(carry: tuple) -> Array:
            share, _, g = carry
            norm = jnp.linalg.norm(g)
            return (~jnp.isfinite(norm) | (norm > jnp.linalg.norm(f))) & (share > 1e-3)

        _, new, g = jax.lax.while_loop(worse, shorter, shorter((jnp.asarray(1.0), theta, f)))
        better = jnp.linalg.norm(g) < jnp.linalg.norm(f)
        return jnp.where(better, new, theta), jnp.where(better, g, f)

    theta = approach(starts[0]) if far else starts[0]
    f = residual(theta)
    size = float(jnp.linalg.norm(residual(starts[0])))
    for _ in range(NEWTON):
        before = float(jnp.linalg.norm(f))
        theta, f = newton(theta, f)
        after = float(jnp.linalg.norm(f))
        if not math.isfinite(after) or after <= 1e-9 * size or after > 0.9 * before:
            break
    return [np.asarray(theta)] if np.isfinite(np.asarray(theta)).all() else []


def stepper(problem: Problem, settings: Settings, stacked: Mapping[str, Strategy], steps: int, rate: float) -> tuple[Any, Any]:
    """A compiled chunk for all starts, and the shape of its optimiser state."""
    which = spec(stacked)
    stages = Stages(problem)
    samples = plays(problem, settings)
    schedule = optax.cosine_decay_schedule(rate, steps, alpha=1e-3)
    adam = optax.scale_by_adam()

    def one(trained: Any, fixed: Any, moments: Any, numbers: Array, key: Array) -> tuple[Any, Any, Array]:
        def step(carry: tuple[Any, Any], number: Array) -> tuple[tuple[Any, Any], Array]:
            now, moments = carry
            outside, inside = jax.random.split(jax.random.fold_in(key, number))
            before = stages.outside.draw(outside, samples, True)
            gradient, cost = own_gradients(stages, eqx.combine(now, fixed), which, before, inside, relaxed(problem, number / steps), True)
            finite = jax.tree.reduce(lambda a, g: a & jnp.all(jnp.isfinite(g)), gradient, jnp.asarray(True))
            gradient = jax.tree.map(lambda g: jnp.where(finite, g, 0.0), gradient)
            moves, moments = adam.update(gradient, moments)
            now = jax.tree.map(lambda p, m: p - schedule(number) * m, now, moves)
            return (now, moments), cost

        (trained, moments), costs = jax.lax.scan(step, (trained, moments), numbers)
        return trained, moments, jnp.mean(costs[-min(20, costs.shape[0]):])

    @eqx.filter_jit
    def run(strategies: Any, moments: Any, numbers: Array, key: Array) -> tuple[Any, Any, Array]:
        trained, fixed = eqx.partition(strategies, which)
        trained, moments, costs = jax.vmap(one, in_axes=(0, 0, 0, None, None))(trained, fixed, moments, numbers, key)
        return eqx.combine(trained, fixed), moments, costs

    template = jax.eval_shape(jax.vmap(adam.init), eqx.filter(stacked, which))
    cached = problem._cache.setdefault("stage stepper", {})
    return cached.setdefault((settings, steps, rate), run), template  # type: ignore[attr-defined]
