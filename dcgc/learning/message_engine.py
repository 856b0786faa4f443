"""Policies that speak in vectors: Adam on fresh samples at every step.

The engine for messages that no grid can hold: vectors of reals, long strings of tokens. Gradients reach a sender through what its
message does to its listeners (pathwise through Gaussian noise, straight through hard tokens). A finite choice at the end is not
trained on its expected cost, whose gradient vanishes while it is rarely right, but on minus the logarithm of the share that it wins of
all that can be won: for a cost of 0 or 1 the log-loss, with the same best policies where everything can be won.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from ..core.site import Decision, Payment
from ..lower.enumerated import EnumeratedReply, enumerated_reply
from ..lower.grid import Grid
from ..lower.plans import sampled_grid
from ..lower.problem import Problem, tells, total_cost
from ..lower.strategy import Multiplier, Strategy, finite_sizes
from ..lower.variable import Variable, constant, contract, lift
from ..lower.world import World, law_as_value
from ..primitives.relaxations import Relaxation
from .engine import Engine, Found, State
from .estimating import estimated_gradient, situations_of
from .fresh import columns_that_are_normal, renewed
from .network_engine import family_of, fitting, spec
from .objective import Objective, objective_of
from .own import own_gradient
from .regularisers import with_terms
from .relevance import attended
from .settings import Progress, Reporter, Settings
from .smoothing import relax, way_of_steps
from .starting import keys, layout_of, pick
from .sweep_engine import cached

BATCH = 256
STEPS = 4000
CHUNK = 250
RATE, RATE_OF_TOKENS = 3e-3, 8e-3
WARMING = 100  # steps
PATIENCE = 0.05  # of all steps: how fast multipliers follow
CORNERS = 64  # random choices tried to learn what is at stake
HELD_OUT = 4096


def speaks_in_vectors(problem: Problem) -> bool:
    """Whether some message is more than one real, or too many words to list."""
    return any((d.kind == "real" and math.prod(d.shape) > 1) or (d.finite and not d.enumerable) for d in problem.game.decisions
               if d.channel is not None)


class MessageEngine(Engine):
    """The state has the strategies of all restarts, stacked, the optimiser's moments and the multipliers."""

    name = "messages"
    fresh = True
    title = "parametric policies that speak in vectors, Adam on fresh samples"

    def refuses(self, problem: Problem) -> str | None:
        if not speaks_in_vectors(problem):
            return "no message is a vector"
        for d in problem.game.decisions:
            if d.axes:
                return f"{d.name} is a decision of a large family"
            if d.finite and not d.enumerable and d.channel is None:
                return f"{d.name} is an array of choices"
        return None

    def way(self, problem: Problem) -> str:
        return way_of_steps(sampled_grid(problem, 2, 0))

    def way_of_choices(self, problem: Problem) -> str:
        return "its probabilities stand for it where payments are linear in them, else summed out; words are sent straight through"

    def relaxed_world(self, problem: Problem, settings: Settings, state: State, profile: dict[str, Any]) -> World | None:
        grid = sampled_grid(problem, HELD_OUT, settings.seed + 77)
        return problem.world(grid, problem.natural, profile, relax(problem, grid, 1.0))

    def heeds(self, problem: Problem) -> bool:
        return True

    def replies(self, problem: Problem) -> dict[str, EnumeratedReply]:
        """Groups whose exact best reply is known, where the text does not ask for a family."""
        out = {}
        for k, ds in problem.groups.items():
            asked = [c.family for c in problem.game.policies if c.subject in (ds[0].name, ds[0].actor.name)]
            rule = enumerated_reply(problem, ds[0]) if len(ds) == 1 and problem.is_team and set(asked) <= {"best_response"} else None
            if rule is not None:
                out[k] = rule
        return out

    def start(self, problem: Problem, settings: Settings) -> State:
        restarts = settings.restarts or 1
        grid = sampled_grid(problem, 1024, 0)
        replies = self.replies(problem)
        stacked = {}
        for i, (k, ds) in enumerate(problem.groups.items()):
            if k in replies:
                continue
            family, options = speaking_family(problem, settings, ds[0])
            made = [fitting(problem, grid, ds[0], family, key, options) for key in keys(settings.seed * 7907 + i, restarts)]
            stacked[k] = jax.tree.map(lambda *x: jnp.stack(x), *made)
        moments = jax.vmap(optax.scale_by_adam().init)(eqx.filter(stacked, spec(stacked)))
        prices = {c.multiplier: jnp.full(restarts, 0.1) for c in problem.game.constraints}
        return {"step": 0, "done": False, "strategies": stacked, "moments": jax.tree.leaves(moments), "prices": prices,
                "costs": np.full(restarts, np.nan)}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        steps = settings.steps or STEPS
        batch = settings.batch or BATCH
        run, template = stepper(problem, settings, objective_of(problem, settings), self.replies(problem), state["strategies"], steps,
                                batch)
        moments = jax.tree.unflatten(jax.tree.structure(template), state["moments"])
        length = min(CHUNK, steps - state["step"])
        grid = sampled_grid(problem, batch, settings.seed)
        check = sampled_grid(problem, HELD_OUT, settings.seed + 77)
        with jax.enable_x64(False):  # single precision is enough to follow noisy gradients; figures are computed in double
            given = in_precision(jnp.float32, (grid, check, state["strategies"], moments, state["prices"]))
            numbers = jnp.arange(state["step"], state["step"] + length)
            out = run(given[0], given[1], jax.random.key(settings.seed), *given[2:], numbers)
        strategies, moments, prices, costs = in_precision(jnp.float64, out)
        strategies = attended(problem, strategies, self.replies(problem), settings.seed + 31 * state["step"], state["step"] == 0)
        end = state["step"] + length
        costs = np.asarray(costs)
        report(Progress(self.name, f"{len(costs)} start{'s' * (len(costs) > 1)}, {batch} fresh samples a step, "
                                   f"{end * batch} in all", end, steps, float(np.nanmin(costs)) if np.isfinite(costs).any() else math.nan))
        if not np.isfinite(costs).any():
            raise FloatingPointError("every start ended in a cost that is not a number")
        return {"step": end, "done": end >= steps, "strategies": strategies, "moments": jax.tree.leaves(moments), "prices": prices,
                "costs": costs}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        order = np.argsort(np.where(np.isfinite(state["costs"]), state["costs"], np.inf))
        found = []
        for r in order[:2]:
            profile: dict[str, Any] = dict(self.replies(problem))
            profile |= {name: Multiplier(x[int(r)]) for name, x in state["prices"].items()}
            for k, s in state["strategies"].items():
                one, d = pick(s, int(r)), problem.groups[k][0]
                profile[k] = replace(one, hard=True) if d.enumerable and not d.mixed else one
            found.append(Found(profile, 1))
        return found


def in_precision(dtype: Any, tree: Any) -> Any:
    """A tree with its real arrays in another precision (what is no array stays as it is)."""
    def cast(x: Any) -> Any:
        real = eqx.is_array(x) and jnp.issubdtype(x.dtype, jnp.floating)
        return jnp.asarray(np.asarray(x), dtype) if real else x

    return jax.tree.map(cast, tree)


def speaking_family(problem: Problem, settings: Settings, d: Decision) -> tuple[str, dict[str, Any]]:
    """What the text asks for; else a pointer where each option is something that is seen, or a wide network."""
    family, options = family_of(problem, settings, d)
    asked = any(c.subject in (d.name, d.channel, d.actor.name) and c.family != "best_response" for c in problem.game.policies)
    if asked or family != "mlp":
        return family, options
    layout, rows = layout_of(d)
    if rows is not None:
        return "pointer", options
    wide = {"width": 256 if math.prod(finite_sizes(d)) > 64 or max((n for n, _ in layout), default=1) > 1 else 128}
    return "mlp", {"activation": "silu", "bend": 1.0, **wide, **options}


def team_cost(problem: Problem, world: World, replies: Mapping[str, EnumeratedReply], soft: bool,
              extremes: tuple[float, float] = (0.0, 1.0)) -> Array:
    """A team's cost on samples. ``soft``: with a finite choice, minus the logarithm of what is won, over all that can be won; where
    the choice is an exact reply, its conditional cost. ``extremes``: the least and the most that can be charged."""
    payments = problem.pays(problem.decider(problem.game.decisions[0]))
    if not world.stopped:
        return charge(problem, world, payments, replies, soft, extremes)
    told = tuple(p for p in payments if tells(p))  # prices are charged on laws: no route to a listener is on their way
    apart = total_cost(world, told, None)
    return charge(problem, world, tuple(p for p in payments if p not in told), replies, soft, extremes) + apart


def charge(problem: Problem, world: World, payments: tuple[Payment, ...], replies: Mapping[str, EnumeratedReply], soft: bool,
           extremes: tuple[float, float]) -> Array:
    """Some payments of a team's cost on samples, ().""" 
    total, value = replied_and_paid(problem, world, payments, replies)
    if not soft or not chooses(problem, replies):
        return world.expectation(lift(jnp.add, total, value)).data
    share, stakes = share_won(world, value, extremes)
    return -jnp.mean(jnp.log(share)) * stakes + world.expectation(total).data


def sample_charges(problem: Problem, world: World, replies: Mapping[str, EnumeratedReply], extremes: tuple[float, float]) -> Variable:
    """The same sample by sample, with a finite choice at the end; without what is charged on the law of a message."""
    payments = tuple(p for p in problem.pays(problem.decider(problem.game.decisions[0])) if not tells(p))
    total, value = replied_and_paid(problem, world, payments, replies)
    share, stakes = share_won(world, value, extremes)
    return lift(jnp.add, Variable(("sample",), -jnp.log(share) * stakes), total)


def chooses(problem: Problem, replies: Mapping[str, EnumeratedReply]) -> bool:
    """Whether somebody's finite choice is trained."""
    return any(d.enumerable and d.name not in replies for d in problem.game.decisions)


def replied_and_paid(problem: Problem, world: World, payments: tuple[Payment, ...],
                     replies: Mapping[str, EnumeratedReply]) -> tuple[Variable, Variable]:
    """The conditional costs of exact replies, and the payments that are not part of these."""
    total = constant(0.0)
    counted: set[str] = set()
    for k, rule in replies.items():
        q = rule.conditional_costs(world, problem.groups[k][0])
        total = lift(jnp.add, total, Variable(q.dims, jnp.min(q.data, axis=-1)))
        counted |= set(rule.payments)
    value: Variable = constant(0.0)
    for p in payments:
        if p.name not in counted:
            value = lift(jnp.add, value, world.payment(p))
    return total, value


def share_won(world: World, value: Variable, extremes: tuple[float, float]) -> tuple[Array, float]:
    """(samples,) of all that can be won the share that is won, expected over the options draw by draw; and what is at stake."""
    factors = [f for f in world.closure(value.dims) if f.dims != ("sample",)]
    mean = contract([value, *factors], ("sample",))
    low, high = jax.lax.stop_gradient(extremes)
    share = (high - mean.data) / jnp.maximum(high - low, 1e-12)
    return jnp.maximum(share, 1e-12), high - low


def extremes_of(problem: Problem, world: World, replies: Mapping[str, EnumeratedReply]) -> tuple[float, float]:
    """The least and the most that a team can be charged, over the draws of a grid and all options."""
    counted = {n for r in replies.values() for n in r.payments}
    chosen = [d for d in problem.game.decisions if d.enumerable and d.name not in world.grid.nodes and d.channel is None]
    value: Variable = constant(0.0)
    corners = [constant(0.0)]
    for corner in range(CORNERS if chosen else 1):
        rng = np.random.default_rng(corner)
        picked = {d.name: law_as_value(d.kind, Variable(("sample",), jnp.eye(d.options)[rng.integers(
            d.options, size=world.grid.sizes["sample"])])) for d in chosen}
        here = world.vary(picked) if picked else world
        value = constant(0.0)
        for p in problem.pays(problem.decider(problem.game.decisions[0])):
            if p.name not in counted:
                value = lift(jnp.add, value, here.payment(p))
        corners.append(value)
    return float(min(jnp.min(v.data) for v in corners[1:])), float(max(jnp.max(v.data) for v in corners[1:]))


def stepper(problem: Problem, settings: Settings, objective: Objective, replies: Mapping[str, EnumeratedReply],
            stacked: Mapping[str, Strategy], steps: int, batch: int) -> tuple[Callable[..., Any], Any]:
    """A compiled chunk for all restarts, and the shape of its optimiser state."""
    which = spec(stacked)
    long_words = any(d.finite and not d.enumerable for d in problem.game.decisions)
    schedule = optax.warmup_cosine_decay_schedule(
        0.0, settings.learning_rate or (RATE_OF_TOKENS if long_words else RATE), min(WARMING, steps // 10 + 1), steps, 0.0)
    adam = optax.scale_by_adam(b2=0.99)
    normal = columns_that_are_normal(problem)
    constraints = problem.game.constraints
    single = in_precision(jnp.float32, dict(problem.parameters))
    probe = sampled_grid(problem, 256, 5)
    stakes = extremes_of(problem, problem.world(probe, problem.natural, {
        **{k: pick(s, 0) for k, s in stacked.items()}, **replies}), replies) if problem.is_team else (0.0, 1.0)

    stops = {d.name: objective.stopped(problem, d) for d in problem.game.decisions}
    losses = partial(sample_charges, problem, replies=replies, extremes=stakes) if problem.is_team and chooses(problem, replies) else None
    if objective.sites:
        situations_of(problem, objective, batch)

    def world_of(grid: Grid, profile: Mapping[str, Any], progress: Array | float, stopped: frozenset[str] = frozenset()) -> World:
        relaxation = relax(problem, grid, jnp.asarray(progress)) if problem.has_steps else Relaxation("exact")
        return problem.world(grid, problem.natural, profile, relaxation, single, stopped)

    def gradient(grid: Grid, trained: Any, fixed: Any, held: dict[str, Any], progress: Array, key: Array) -> Any:
        if objective.sites:
            noise = jax.random.fold_in(key, 1)
            found = estimated_gradient(problem, objective, grid, noise, trained, fixed, {**replies, **held}, progress,
                                       together=problem.is_team, charge=losses, parameters=single)
        else:
            found = direct_gradient(grid, trained, fixed, held, progress)
        if objective.terms:
            found = with_terms(problem, objective.terms, found, grid, trained, fixed, {**replies, **held}, problem.is_team, single)
        return found

    def direct_gradient(grid: Grid, trained: Any, fixed: Any, held: dict[str, Any], progress: Array) -> Any:
        if problem.is_team:
            out = {}
            for stopped in dict.fromkeys(stops[k] for k in trained):  # one backward pass, unless routes stop for some of a team only
                shared = jax.grad(lambda moving, stopped=stopped: team_cost(
                    problem, world_of(grid, {**eqx.combine(moving, fixed), **replies, **held}, progress, stopped), replies, True,
                    stakes))(trained)
                out.update({k: shared[k] for k in trained if stops[k] == stopped})
            return out
        profile = {**eqx.combine(trained, fixed), **replies, **held}
        relaxation = relax(problem, grid, progress) if problem.has_steps else Relaxation("exact")
        out = {}
        for k in trained:
            parts = [eqx.filter(own_gradient(problem, grid, profile, d, problem.natural, relaxation, stops[d.name]), which[k])
                     for d in problem.groups[k]]
            out[k] = jax.tree.map(lambda *g: sum(g) / len(g), *parts)
        return out

    def one(grid: Grid, check: Grid, key: Array, strategies: Any, moments: Any, prices: Any, numbers: Array) -> tuple:
        trained, fixed = eqx.partition(strategies, which)

        def body(carry: tuple, step: Array) -> tuple[tuple, None]:
            now, state, price = carry
            own = jax.random.fold_in(key, step)
            fresh = renewed(grid, own, normal)
            held = {n: Multiplier(x) for n, x in price.items()}
            updates, state = adam.update(gradient(fresh, now, fixed, held, step / steps, own), state)
            now = jax.tree.map(lambda x, u: x - schedule(step) * u, now, updates)
            if constraints:
                world = world_of(fresh, {**eqx.combine(now, fixed), **replies, **held}, step / steps)
                pace = 1.0 / (PATIENCE * steps)
                price = {c.multiplier: price[c.multiplier] * jnp.exp(pace * 10 * jnp.tanh(problem.excess(world, c)))
                         for c in constraints}
            return (now, state, price), None

        (trained, moments, prices), _ = jax.lax.scan(body, (trained, moments, prices), numbers)
        after = {**eqx.combine(trained, fixed), **replies}
        world = world_of(check, after, 1.0)
        total = team_cost(problem, world, replies, False) if problem.is_team else \
            sum((problem.cost(world, p) for p in problem.people), jnp.zeros(()))
        return eqx.combine(trained, fixed), moments, prices, total

    def build() -> Any:
        return jax.jit(lambda grid, check, key, strategies, moments, prices, numbers: jax.lax.map(
            lambda x: one(grid, check, jax.random.fold_in(key, x[3]), x[0], x[1], x[2], numbers),
            (strategies, moments, prices, jnp.arange(len(jax.tree.leaves(strategies)[0])))))

    template = jax.eval_shape(jax.vmap(adam.init), eqx.filter(dict(stacked), which))
    return cached(problem, ("messages", settings.learning_rate, steps, batch, *objective.key), build), template
