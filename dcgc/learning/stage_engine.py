"""Policies for stages that are elaborated once: own gradients through a scan over the stages.

``stage_affine``: affine policies. Few coefficients: Newton with pseudo-transient continuation on the stacked first-order conditions, as in
``affine_newton``, after a sweep backward over the stages. Many: first the same policy in all stages, then accelerated steps. Both on
common random numbers; where all draws together are few their first two moments are matched, so that linear-quadratic games are
solved to rounding.
``stages``: the families that the text asks for, or the contract's defaults, by Adam on fresh antithetic samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.flatten_util import ravel_pytree
from scipy import special

from ..core.expression import Reference
from ..lower.columns import Columns
from ..lower.problem import Problem
from ..lower.stages import Stages, discount_of, horizon
from ..lower.strategy import Multiplier, Strategy
from ..primitives.points import sobol_uniform, whitened
from ..primitives.relaxations import Relaxation
from .affine_newton import bounded_in, own_curvature, roots
from .anderson import accelerated
from .engine import Engine, Found, State
from .network_engine import family_of, spec
from .refusals import not_smooth
from .settings import Progress, Reporter, Settings
from .smoothing import LOGISTIC, temperature
from .stage_coordinates import Coordinates, coordinates
from .stage_gradients import excesses, own_gradients
from .stage_sweep import alike_in_all_stages, backward, places_by_stage
from .starting import keys, neutral_rule, pick, strategy_in

CHUNK = 100
STEPS = 1000
PLAYED = 120_000  # player-stages of one evaluation, about
MATCHED = 240  # draws of all stages together whose moments are matched
DENSE = 64  # coefficients whose Jacobian is built column by column
FIRST = 0.1  # a multiplier
PATIENCE = 0.3  # how fast multipliers follow, a step
STARTS = 3
PROBES = 6
ITERATIONS = 60
ERRORS = (0.3, 0.03, 0.003)  # of its spread, by which a state is moved while a solution is sought: it is one at unreached states, too


def plays(problem: Problem, settings: Settings) -> int:
    """Samples of one evaluation: even, and fewer the larger the game."""
    if settings.samples is not None:
        return 2 * max(1, settings.samples // 2)
    words = math.prod(d.options for d in problem.game.decisions if d.channel is not None and d.enumerable)  # each is played on
    many = PLAYED // (horizon(problem) * problem.members * words)
    return int(min(1024, max(8, many)) // 2 * 2)


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
    return Relaxation("sigmoid", temperature=temperature(share)) if problem.has_jumps else None  # type: ignore[arg-type]


def fresh_strategies(problem: Problem, stages: Stages, settings: Settings, count: int, affine: bool, free: bool) -> dict[str, Strategy]:
    """Random policies by group, ``count`` of each stacked."""
    neutral, key = {d.name: neutral_rule for d in problem.game.decisions}, jax.random.key(settings.seed + 17)
    inside = stages.situations(neutral, key)
    outside = stages.around(neutral, key) if any(not d.repeated for d in problem.game.decisions) else inside
    out = {}
    for i, (k, ds) in enumerate(problem.groups.items()):
        world = inside if ds[0].repeated else outside
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
                return f"{d.name} is a finite decision of a large family, no member of which can stand for all: {problem.apart}"
            if d.finite and not d.enumerable:
                return f"{d.name} is an array of choices"
        if any(c.axes for c in problem.game.constraints):
            return "a constraint of every member of a large family"
        return None

    def way(self, problem: Problem) -> str:
        return f"{LOGISTIC}; what that made of the figures is not measured in plays of stages"

    def way_of_choices(self, problem: Problem) -> str:
        drawn = Stages(problem).drawn
        return f"drawn, with the derivative of the score ({', '.join(sorted(drawn))}), else summed out exactly over its options" if drawn \
            else super().way_of_choices(problem)

    def start(self, problem: Problem, settings: Settings) -> State:
        stages = Stages(problem)
        count = settings.restarts or STARTS
        stacked = fresh_strategies(problem, stages, settings, count, self.affine, False)
        moments = jax.vmap(optax.scale_by_adam().init)(eqx.filter(stacked, spec(stacked)))
        held = {c.multiplier: jnp.full((count, horizon(problem)) if c.repeated else (count,), 0.0 if c.equality else FIRST)
                for c in problem.game.constraints}
        return {"step": 0, "done": False, "strategies": stacked, "moments": jax.tree.leaves(moments), "costs": np.full(count, np.nan),
                "held": held}

    def steps(self, settings: Settings) -> int:
        return settings.steps or STEPS

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        steps = self.steps(settings)
        length = min(CHUNK, steps - state["step"])
        run, template = stepper(problem, settings, state["strategies"], steps, settings.learning_rate or self.rate)
        moments = jax.tree.unflatten(jax.tree.structure(template), state["moments"])
        key = jax.random.key(settings.seed * 100_003 + 1)
        numbers = jnp.arange(state["step"], state["step"] + length)
        strategies, moments, held, costs = run(state["strategies"], moments, state["held"], numbers, key)
        costs = np.asarray(costs)
        end = state["step"] + length
        report(Progress(self.name, f"{len(costs)} start{'s' * (len(costs) > 1)}, {plays(problem, settings)} plays a step", end, steps,
                        float(np.nanmin(costs)) if np.isfinite(costs).any() else math.nan))
        if not np.isfinite(costs).any():
            raise FloatingPointError("every start ended in a cost that is not a number")
        return {"step": end, "done": end >= steps, "strategies": strategies, "moments": jax.tree.leaves(moments), "costs": costs,
                "held": held}

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
            profile |= {name: Multiplier(x[int(r)]) for name, x in state["held"].items()}
            found.append(Found(profile, 1))
        return found


class StageAffineEngine(Engine):
    """State: the roots that were found."""

    name = "stage_affine"
    title = "affine policies through a scan over stages, Newton on the stacked first-order conditions"
    repeats = True
    fresh = True

    def refuses(self, problem: Problem) -> str | None:
        if problem.game.constraints:
            return "a constraint stands beside what is no function of second moments"
        return not_smooth(problem) or StageEngine().refuses(problem)

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "strategies": fresh_strategies(problem, Stages(problem), settings, 1, True, True), "roots": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        search = Search.of(problem, settings, {k: pick(s, 0) for k, s in state["strategies"].items()})
        report(Progress(self.name, f"{search.count} coefficients, {search.before.shape[0]} plays", 0, 1, float("nan")))
        found = search.few() if search.count <= DENSE else search.many()
        out = [bounded_in(problem, search.stages, profile, settings.seed) for profile in found]
        report(Progress(self.name, f"{len(out)} solution{'s' * (len(out) != 1)} of the first-order conditions", 1, 1, float("nan")))
        return {**state, "done": True, "roots": out}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(p, 1) for p in state["roots"]]


@dataclass(frozen=True)
class Search:
    """Affine policies that solve every player's first-order conditions on common draws while states are moved a little. Unknowns are
    coordinates in a frame (``stage_coordinates``)."""

    problem: Problem
    stages: Stages
    settings: Settings
    frame: Coordinates
    start: list[dict[str, Array]]
    spreads: dict[str, Array]
    before: Array
    inside: Array
    mirrored: bool

    @classmethod
    def of(cls, problem: Problem, settings: Settings, policies: Mapping[str, Strategy]) -> Search:
        stages = Stages(problem, moving=True)
        draws = common_draws(stages, plays(problem, settings), settings.seed)
        spreads = stages.spreads({d.name: neutral_rule for d in problem.game.decisions}, jax.random.key(settings.seed + 5))
        frame = coordinates(problem, stages, policies, settings.seed, {k: ERRORS[0] * v for k, v in spreads.items()})
        start = [frame.start(key) for key in keys(settings.seed * 7907 + 3, settings.restarts or STARTS)]
        return cls(problem, stages, settings, frame, start, spreads, *draws)

    @property
    def count(self) -> int:
        return ravel_pytree(self.start[0])[0].shape[0]

    @cached_property
    def places(self) -> np.ndarray | None:
        with jax.ensure_compile_time_eval():
            return places_by_stage(self.problem, self.start[0])

    @cached_property
    def early(self) -> np.ndarray:
        """What the conditions of every stage are multiplied by to count as if it were the first."""
        out = np.ones(self.count)
        for t, own in enumerate(self.places if self.places is not None else ()):
            out[own] = discount_of(self.problem) ** -t
        return out

    def profile(self, phi: Array) -> dict[str, Strategy]:
        return self.frame.profile(ravel_pytree(self.start[0])[1](phi))

    def moves(self, error: float) -> dict[str, Array]:
        return {k: error * v for k, v in self.spreads.items()}

    def residual(self, phi: Array, error: float) -> Array:
        which = spec(self.frame.policies)
        gradients, _ = own_gradients(self.stages, self.profile(phi), which, self.before, self.inside, None, self.mirrored,
                                     self.moves(error))
        return ravel_pytree(self.frame.gradient(gradients))[0] * self.early

    @property
    def errors(self) -> tuple[float, ...]:
        """Best replies in a linear-quadratic game do not depend on how much states vary, where everybody sees all of them that do."""
        moved = {Reference(s.name) for s in self.stages.moved}
        seen = all(moved <= {o.expression for o in d.observations} for d in self.problem.game.decisions if not d.axes)
        return ERRORS[:1] if self.problem.is_lqg and seen else ERRORS

    def few(self) -> list[dict[str, Strategy]]:
        """Backward over the stages where policies know them, then Newton with pseudo-transient continuation, as errors shrink."""
        good = jnp.stack([ravel_pytree(x)[0] for x in self.start])
        if self.places is not None:
            good = backward(partial(self.residual, error=ERRORS[0]), good[0], self.places, 2)[None]
        ended = False
        for error in self.errors:
            found = [x for x, _, j in roots(partial(self.residual, error=error), good) if own_curvature(self.start[0], j) > -1e-7]
            if not found:
                break
            good, ended = jnp.asarray(np.stack(found)), True
        return [self.profile(phi) for phi in good] if ended else []

    def many(self) -> list[dict[str, Strategy]]:
        """Policies that do the same in all stages, where there are such, else some way along the players' gradients; then accelerated
        steps, in frames of what is seen by then."""
        at = partial(self.residual, error=ERRORS[0])
        profile = self.profile(self.alike(at) if self.places is not None else approach(at, self.first))
        for error in self.errors:
            frame = coordinates(self.problem, self.stages, profile, self.settings.seed, self.moves(error), played=True)
            there = replace(self, frame=frame)
            phi = iterated(partial(there.residual, error=error), ravel_pytree(frame.place())[0], self.settings.seed)
            if phi is None:
                return []
            profile = there.profile(phi)
        return [profile]

    @property
    def first(self) -> Array:
        return ravel_pytree(self.start[0])[0]

    def alike(self, at: Callable[[Array], Array]) -> Array:
        """The solution among policies that do the same in all stages."""
        same = alike_in_all_stages(self.problem, self.frame.frames, self.start[0])
        if same is not None and same[1] <= DENSE:
            spread, count = same

            def summed(few: Array) -> Array:
                phi, back = jax.vjp(spread, few)
                return back(at(phi) / self.early)[0]

            found = roots(summed, 0.1 * jax.random.normal(jax.random.key(0), (1, count)), 1e-4, 1e-2)
            if found:
                return spread(jnp.asarray(found[0][0]))
        return approach(at, self.first)


def approach(residual: Callable[[Array], Array], start: Array) -> Array:
    """Some way along the players' gradients, by Adam."""
    adam = optax.adam(optax.cosine_decay_schedule(0.05, 300, alpha=0.02))

    def step(carry: Any, _: Any) -> tuple[Any, None]:
        t, moments = carry
        f = residual(t)
        moves, moments = adam.update(jnp.where(jnp.isfinite(f), f, 0.0), moments)
        return (optax.apply_updates(t, moves), moments), None

    return jax.jit(lambda t: jax.lax.scan(step, (t, adam.init(t)), None, 300)[0][0])(start)


def iterated(residual: Callable[[Array], Array], start: Array, seed: int) -> Array | None:
    """A solution of a large system near a start: steps along it, each coefficient in units of its own curvature (Hutchinson's estimate of
    the diagonal, Bekas, Kokiopoulou and Saad 2007), accelerated."""
    @jax.jit
    def solve(theta: Array) -> tuple[Array, Array, Array]:
        probes = jax.random.rademacher(jax.random.key(seed), (PROBES, theta.shape[0]), theta.dtype)
        rows = jax.lax.map(lambda z: z * jax.jvp(residual, (theta,), (z,))[1], probes)
        curvature = jnp.mean(rows, 0)
        typical = jnp.maximum(jnp.median(curvature), 1e-12)
        curvature = jnp.clip(curvature, typical / 2, 4 * typical)
        size = jnp.linalg.norm(residual(jnp.zeros_like(theta)) / curvature)
        return accelerated(lambda t: residual(t) / curvature, theta, ITERATIONS, 1e-9 * size)

    theta, norm, _ = solve(start)
    return theta if math.isfinite(float(norm)) else None


def stepper(problem: Problem, settings: Settings, stacked: Mapping[str, Strategy], steps: int, rate: float) -> tuple[Any, Any]:
    """A compiled chunk for all starts, and the shape of its optimiser state."""
    which = spec(stacked)
    stages = Stages(problem)
    samples = plays(problem, settings)
    schedule = optax.cosine_decay_schedule(rate, steps, alpha=1e-3)
    adam = optax.scale_by_adam()

    equal = {c.multiplier: c.equality for c in problem.game.constraints}

    def one(trained: Any, fixed: Any, moments: Any, held: Any, numbers: Array, key: Array) -> tuple[Any, Any, Any, Array]:
        def step(carry: tuple[Any, Any, Any], number: Array) -> tuple[tuple[Any, Any, Any], Array]:
            now, moments, held = carry
            outside, inside = jax.random.split(jax.random.fold_in(key, number))
            before = stages.outside.draw(outside, samples, True)
            profile = {**eqx.combine(now, fixed), **{k: Multiplier(x) for k, x in held.items()}}
            smooth = relaxed(problem, number / steps)
            gradient, cost = own_gradients(stages, profile, which, before, inside, smooth, True)
            if held:
                pace = PATIENCE * schedule(number) / rate
                over = excesses(stages, profile, before, inside, smooth, True)
                held = {k: x + pace * jnp.tanh(over[k]) if equal[k] else x * jnp.exp(pace * jnp.tanh(over[k])) for k, x in held.items()}
            finite = jax.tree.reduce(lambda a, g: a & jnp.all(jnp.isfinite(g)), gradient, jnp.asarray(True))
            gradient = jax.tree.map(lambda g: jnp.where(finite, g, 0.0), gradient)
            moves, moments = adam.update(gradient, moments)
            now = jax.tree.map(lambda p, m: p - schedule(number) * m, now, moves)
            return (now, moments, held), cost

        (trained, moments, held), costs = jax.lax.scan(step, (trained, moments, held), numbers)
        return trained, moments, held, jnp.mean(costs[-min(20, costs.shape[0]):])

    @eqx.filter_jit
    def run(strategies: Any, moments: Any, held: Any, numbers: Array, key: Array) -> tuple[Any, Any, Any, Array]:
        trained, fixed = eqx.partition(strategies, which)
        trained, moments, held, costs = jax.vmap(one, in_axes=(0, 0, 0, 0, None, None))(trained, fixed, moments, held, numbers, key)
        return eqx.combine(trained, fixed), moments, held, costs

    template = jax.eval_shape(jax.vmap(adam.init), eqx.filter(stacked, which))
    cached = problem._cache.setdefault("stage stepper", {})
    return cached.setdefault((settings, steps, rate), run), template  # type: ignore[attr-defined]
