"""Parametric policies by simultaneous gradient steps: every player moves its own coefficients down its own cost's gradient (Adam).

The engine for what the others refuse: many observations, vectors, large families, or families of policies that the game's text asks
for. All restarts run in one program of ``lax.scan`` steps; where nodes are scattered each chunk has fresh ones, so that no
policy can learn its nodes.
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

from ..core.naming import written
from ..core.site import Decision
from ..information.reduction import Reduction
from ..lower.grid import Grid
from ..lower.plans import Infeasible, Resolution, information_grid, natural_grid, sampled_grid
from ..lower.problem import Problem
from ..lower.resolve import resolution
from ..lower.samples import resized
from ..lower.strategy import Strategy, finite_sizes, real_inputs
from ..lower.world import World
from ..source import Diagnostic, GameError
from .coefficients import units
from .engine import Engine, Found, State
from .estimating import estimated_gradient, situations_of
from .fresh import columns_that_are_normal, renewed
from .objective import Objective, objective_of
from .own import own_gradient, trembling
from .regularisers import with_terms
from .relevance import attended
from .settings import Progress, Reporter, Settings
from .smoothing import relax, way_of_steps
from .starting import keys, neutral_rule, pick, strategy
from .sweep_engine import cached, exact_replies

CHUNK = 200
STEPS = 2000
BUDGET = 16_000
SAMPLES = 2048
TERM_SAMPLES = 512
REPLY_GRID = Resolution(hidden=40, seen=96, observation=160, derived=17, cells=True)


class NetworkEngine(Engine):
    """The state has the strategies of all restarts, stacked, and the optimiser's moments."""

    name = "networks"
    title = "parametric policies, simultaneous Adam"

    def refuses(self, problem: Problem) -> str | None:
        symmetric = {p.name for p in problem.source.players if p.symmetric}
        if any(d.channel is not None and ((d.kind == "real" and math.prod(d.shape) > 1) or (d.finite and not d.enumerable))
               for d in problem.game.decisions):
            return "a message is a vector"
        for d in problem.game.decisions:
            if d.axes and d.actor.name not in symmetric:
                return f"{d.actor.name} is a large family whose members have policies of their own (write `symmetric`)"
            if d.axes and d.finite:
                return f"{d.name} is a finite decision of a large family, no member of which can stand for all: {problem.apart}"
            if d.finite and len(d.shape) > 1:
                return f"{d.name} is an array of choices"
        return None

    def way(self, problem: Problem) -> str:
        return way_of_steps(self.ground(problem, Settings(), 0)[0])

    def relaxed_world(self, problem: Problem, settings: Settings, state: State, profile: dict[str, Any]) -> World | None:
        grid, reduction = self.ground(problem, settings, settings.seed * 100_003 + state["step"], profile)
        return problem.world(grid, reduction, profile, relax(problem, grid, 1.0))

    def heeds(self, problem: Problem) -> bool:
        return not problem.game.constraints  # their multipliers stay where they are here

    def others(self, problem: Problem, settings: Settings) -> dict[str, Any]:
        """Exact best responses. They are computed in information coordinates, where no value is drawn and no route can be stopped; and
        what a term asks for is computed on samples, so that no such reply may come before its message."""
        objective = objective_of(problem, settings)
        if objective.sites or objective.shut:
            return {}
        found = self.replies(problem, settings)
        before = {n for t in objective.terms for c in t.channels for n in problem.dependence.ancestors[c.encoder]}
        return {} if before & set(found) else found

    def replies(self, problem: Problem, settings: Settings) -> dict[str, Any]:
        if not problem.reduction.complete or problem.loops or resolution(problem, REPLY_GRID, 400_000) is None:
            return {}
        return exact_replies(problem, settings)

    def ground(self, problem: Problem, settings: Settings, seed: int, profile: Mapping[str, Any] | None = None,
               ) -> tuple[Grid, Reduction]:
        """The nodes of a chunk."""
        if self.others(problem, settings):
            fine = resolution(problem, REPLY_GRID, 400_000)
            assert fine is not None
            rules = profile or {k: neutral_rule for k in problem.groups}
            try:
                return information_grid(problem, rules, fine), problem.reduction
            except Infeasible:
                pass
        grid, _ = natural_grid(problem, settings.batch or BUDGET, seed=seed, largest=settings.nodes or 32,
                               samples=settings.samples or SAMPLES)
        return grid, problem.natural

    def start(self, problem: Problem, settings: Settings) -> State:
        restarts = settings.restarts or 4
        grid, _ = natural_grid(problem, 4000, largest=8, samples=512)
        others = self.others(problem, settings)
        stacked = {}
        for i, (k, ds) in enumerate(problem.groups.items()):
            if k in others:
                continue
            family, options = family_of(problem, settings, ds[0])
            made = [fitting(problem, grid, ds[0], family, key, options) for key in keys(settings.seed * 7907 + i, restarts)]
            stacked[k] = jax.tree.map(lambda *x: jnp.stack(x), *made)
        if not stacked:  # everything is an exact best response: there is nothing to train
            return {"step": 0, "done": True, "strategies": {}, "moments": [], "costs": np.zeros(1)}
        trained = eqx.filter(stacked, spec(stacked))
        moments = jax.vmap(optax.scale_by_adam().init)(trained)
        flat = jax.tree.leaves(moments)
        return {"step": 0, "done": False, "strategies": stacked, "moments": flat, "costs": np.full(restarts, np.nan)}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        steps = settings.steps or STEPS
        best = int(np.nanargmin(state["costs"])) if np.isfinite(state["costs"]).any() else 0
        now = {k: pick(s, best) for k, s in state["strategies"].items()}
        others = self.others(problem, settings)
        grid, reduction = self.ground(problem, settings, settings.seed * 100_003 + state["step"], {**now, **others})
        objective = objective_of(problem, settings)
        run, template = stepper(problem, settings, objective, others, reduction, state["strategies"], steps)
        moments = jax.tree.unflatten(jax.tree.structure(template), state["moments"])
        length = min(CHUNK, steps - state["step"])
        samples = scattered(problem, settings, objective, len(state["costs"]))
        strategies, moments, costs = run(grid, state["strategies"], moments, jnp.arange(state["step"], state["step"] + length), samples)
        strategies = attended(problem, strategies, others, settings.seed + 31 * state["step"], state["step"] == 0)
        end = state["step"] + length
        costs = np.asarray(costs)
        report(Progress(self.name, f"{len(costs)} start{'s' * (len(costs) > 1)}, {math.prod(grid.sizes.values())} nodes", end, steps,
                        float(np.nanmin(costs)) if np.isfinite(costs).any() else math.nan))
        if not np.isfinite(costs).any():
            raise FloatingPointError("every start ended in a cost that is not a number")
        return {"step": end, "done": end >= steps, "strategies": strategies, "moments": jax.tree.leaves(moments), "costs": costs}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        others = self.others(problem, settings)
        order = np.argsort(np.where(np.isfinite(state["costs"]), state["costs"], np.inf))
        found = []
        for r in order[:4]:
            profile: dict[str, Any] = dict(others)
            for k, s in state["strategies"].items():
                one = pick(s, int(r))
                d = problem.groups[k][0]
                if d.finite and not d.mixed:
                    one = Strategy(one.policy, one.head, one.location, one.scale, one.sizes, True)
                profile[k] = one
            found.append(Found(profile, 1))
        return found


def fitting(problem: Problem, grid: Grid, d: Decision, family: str, key: Array, options: dict[str, Any]) -> Strategy:
    """A fresh strategy; raises GameError (L005) where the family cannot decide this."""
    location, scale = units(problem, grid, d) if d.function is not None else (None, None)
    try:
        return strategy(problem, grid, d, family, key, options, location=location, scale=scale)
    except (KeyError, TypeError, ValueError) as why:
        raise GameError((misfit(problem, d, str(why).strip("'\"")),)) from None


def misfit(problem: Problem, d: Decision, why: str) -> Diagnostic:
    """L005 at the text's `policy` line, or at the decision."""
    asked = [c for c in problem.game.policies if c.subject in (d.name, written(d.name), d.actor.name)]
    return Diagnostic("L005", f"this policy does not fit {d.name}: {why}", asked[0].span if asked else d.span,
                      "leave the family to the compiler, or name one that can read these inputs")


def spec(stacked: Mapping[str, Strategy]) -> dict[str, Any]:
    return {k: s.trainable() for k, s in stacked.items()}


def family_of(problem: Problem, settings: Settings, d: Decision) -> tuple[str, dict[str, Any]]:
    """The family that the text asks for (of a decision, else of its player), else the contract's default."""
    for subject in (d.name, written(d.name), d.channel, written(d.channel or d.name), d.actor.name):
        for choice in problem.game.policies:
            if choice.subject == subject and choice.family != "best_response":
                return choice.family, {n: int(v) if isinstance(v, float) and v.is_integer() else v for n, v in choice.options}
    if real_inputs(d) == 0:
        return ("table" if finite_sizes(d) else "constant"), {}
    options = {n: v for n, v in (("width", settings.width), ("layers", settings.layers)) if v is not None}
    return "mlp", options


def scattered(problem: Problem, settings: Settings, objective: Objective, restarts: int) -> dict[str, Any]:
    """What terms and estimators need beside the nodes: samples to be renewed at every step, a key for every restart. Empty without."""
    if not (objective.terms or objective.sites):
        return {}
    plays = settings.samples or (SAMPLES if objective.sites else TERM_SAMPLES)
    if objective.sites:
        situations_of(problem, objective, plays)
    return {"grid": resized(sampled_grid(problem, 2, 0), plays), "keys": keys(settings.seed * 7919 + 1, restarts)}


def stepper(problem: Problem, settings: Settings, objective: Objective, others: Mapping[str, Any], reduction: Reduction,
            stacked: Mapping[str, Strategy], steps: int) -> tuple[Callable[..., Any], Any]:
    """A compiled chunk for all restarts, and the shape of its optimiser state."""
    which = spec(stacked)
    rate = settings.learning_rate or 1e-2
    schedule = optax.cosine_decay_schedule(rate, steps, alpha=1e-3)
    adam = optax.scale_by_adam()
    together = problem.is_team and not problem.loops and not any(
        trembling(problem, d) or d.low is not None or d.high is not None for d in problem.game.decisions)

    stops = {d.name: objective.stopped(problem, d) for d in problem.game.decisions}
    normal = columns_that_are_normal(problem) if objective.terms or objective.sites else 0

    def averaged(shared: Any) -> Any:
        return {k: jax.tree.map(partial(jnp.multiply, 1.0 / len(problem.groups[k])), shared[k]) for k in shared}

    def gradient(grid: Grid, trained: Any, fixed: Any, step: Array, samples: Any, key: Any) -> Any:
        if samples is None:
            return direct_gradient(grid, trained, fixed, step)
        own = jax.random.fold_in(key, step)
        fresh = renewed(samples, own, normal)
        if objective.sites:
            noise = jax.random.fold_in(own, 1)
            found = estimated_gradient(problem, objective, fresh, noise, trained, fixed, others, step / steps, together=together)
            found = averaged(found) if together else found
        else:
            found = direct_gradient(grid, trained, fixed, step)
        return with_terms(problem, objective.terms, found, fresh, trained, fixed, others, False) if objective.terms else found

    def direct_gradient(grid: Grid, trained: Any, fixed: Any, step: Array) -> Any:
        relaxation = relax(problem, grid, step / steps)
        if together:  # all who decide pay the same: one backward pass has everybody's own gradient
            out: dict[str, Any] = {}
            for stopped in dict.fromkeys(stops[k] for k in trained):  # unless routes stop for some of a team only
                def cost(moving: Any, stopped: frozenset[str] = stopped) -> Array:
                    world = problem.world(grid, reduction, {**eqx.combine(moving, fixed), **others}, relaxation, stopped=stopped)
                    return problem.cost(world, problem.decider(problem.game.decisions[0]))

                shared = jax.grad(cost)(trained)
                out.update({k: shared[k] for k in trained if stops[k] == stopped})
            return averaged(out)
        profile = {**eqx.combine(trained, fixed), **others}
        out = {}
        for k in trained:
            parts = [eqx.filter(own_gradient(problem, grid, profile, d, reduction, relaxation, stops[d.name]), which[k])
                     for d in problem.groups[k]]
            out[k] = jax.tree.map(lambda *g: sum(g) / len(g), *parts)
        return out

    def one(grid: Grid, strategies: Any, moments: Any, numbers: Array, samples: Any, key: Any) -> tuple[Any, Any, Array]:
        trained, fixed = eqx.partition(strategies, which)

        def body(carry: tuple, step: Array) -> tuple[tuple, None]:
            now, state = carry
            updates, state = adam.update(gradient(grid, now, fixed, step, samples, key), state)
            return (jax.tree.map(lambda x, u: x - schedule(step) * u, now, updates), state), None

        (trained, moments), _ = jax.lax.scan(body, (trained, moments), numbers)
        after = eqx.combine(trained, fixed)
        world = problem.world(grid, reduction, {**after, **others}, relax(problem, grid, numbers[-1] / steps))
        people = problem.people[:1] if problem.is_team else problem.people
        return after, moments, sum((problem.cost(world, p) for p in people), jnp.zeros(()))

    def build() -> Any:
        return jax.jit(lambda grid, strategies, moments, numbers, samples: jax.lax.map(
            lambda x: one(grid, x[0], x[1], numbers, samples.get("grid"), x[2]), (strategies, moments, samples.get("keys"))))

    template = jax.eval_shape(jax.vmap(adam.init), eqx.filter(dict(stacked), which))
    return cached(problem, ("networks", settings.learning_rate, steps, *objective.key), build), template
