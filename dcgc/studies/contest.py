"""The same policies trained from the same starts on the same samples, each time with another estimator at the message sites.

All seeds and learning rates of one estimator are trained at once, in single precision, which is enough to follow noisy gradients. What
is seen of a training on the way is its cost on held-out nodes; gradients are judged, and the final cost is computed, apart and in
double precision, the cost with finite decisions as the game has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from ..core.site import Decision
from ..gradients.estimators import ESTIMATORS, Estimator
from ..learning.estimated import by_decision, draws_of, estimated_cost, prices
from ..learning.fresh import columns_that_are_normal, renewed
from ..learning.message_engine import in_precision, speaking_family
from ..learning.network_engine import fitting
from ..learning.settings import Settings
from ..lower.grid import Grid
from ..lower.message_sites import MessageSite, Unsuitable, misfit_at, sites_of
from ..lower.plans import natural_grid, sampled_grid
from ..lower.problem import Person, Problem
from ..lower.samples import expected_cost, payers, resized
from ..lower.strategy import Strategy, real_inputs
from ..primitives.relaxations import Relaxation

HELD_OUT_POINTS = 4096
HELD_OUT_SAMPLES = 4096
DENSE_POINTS = 200_000
DENSE_SAMPLES, SCRAMBLES = 1 << 13, 8


@dataclass(frozen=True)
class Rules:
    """How a comparison is run. ``batch``: plays a step, whatever the estimator: one that draws k times has batch / k situations.
    ``rates``: learning rates that each estimator tries. ``points``: looks at the held-out cost. ``decisions``: the estimator of finite
    decisions that are no messages. ``width``, ``layers``: of policies that the text leaves open."""

    seeds: int = 5
    batch: int = 256
    steps: int = 1000
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    points: int = 20
    decisions: str = "exact"
    seed: int = 0
    width: int | None = None
    layers: int | None = None


@dataclass(frozen=True)
class Contest:
    """A game, its sites, and everything that does not depend on the estimator."""

    problem: Problem
    rules: Rules

    @cached_property
    def sites(self) -> tuple[MessageSite, ...]:
        return sites_of(self.problem)

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Whose costs are shown: in a team one stands for all."""
        if self.problem.is_team:
            return (self.problem.decider(self.problem.game.decisions[0]),)
        return payers(self.problem)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the accounts."""
        if self.problem.is_team and len(self.problem.teams) == 1 and self.people[0] in next(iter(self.problem.teams.values())):
            return tuple(self.problem.teams)
        return tuple(p.label for p in self.people)

    @cached_property
    def encoders(self) -> tuple[Decision, ...]:
        return tuple(dict.fromkeys(s.decision for s in self.sites if s.message))

    @cached_property
    def starts(self) -> dict[str, Strategy]:
        """Fresh policies by group, all seeds stacked."""
        grid = sampled_grid(self.problem, 1024, 0)
        settings = Settings(width=self.rules.width, layers=self.rules.layers)
        found = {}
        for i, (name, ds) in enumerate(self.problem.groups.items()):
            family, options = speaking_family(self.problem, settings, ds[0])
            made = [fitting(self.problem, grid, ds[0], family, jax.random.fold_in(jax.random.key(self.rules.seed + s), i), options)
                    for s in range(self.rules.seeds)]
            found[name] = jax.tree.map(lambda *x: jnp.stack(x), *made)
        return found

    @cached_property
    def which(self) -> dict[str, Any]:
        return {k: s.trainable() for k, s in self.starts.items()}

    @cached_property
    def keys(self) -> Array:
        """One per seed, the same for every estimator."""
        return jax.vmap(lambda s: jax.random.fold_in(jax.random.key(7), s))(self.rules.seed + jnp.arange(self.rules.seeds))

    @cached_property
    def held_out(self) -> tuple[Grid, str]:
        """Nodes for looks on the way: quadrature where there are few draws."""
        grid, text = natural_grid(self.problem, HELD_OUT_POINTS, largest=48, samples=HELD_OUT_SAMPLES, seed=self.rules.seed + 991)
        return grid, text

    @cached_property
    def dense(self) -> tuple[tuple[Grid, ...], str]:
        """Nodes for the final cost: two sizes of quadrature, or several scrambled sets of points where a decision jumps."""
        jumps = any(d.finite and not d.mixed and real_inputs(d) for d in self.problem.game.decisions)
        fine, text = natural_grid(self.problem, DENSE_POINTS, largest=200)
        if not fine.scattered and not jumps:
            coarse, _ = natural_grid(self.problem, DENSE_POINTS // 2, largest=140)
            return (coarse, fine), text
        grids = tuple(sampled_grid(self.problem, DENSE_SAMPLES, 5000 + self.rules.seed + i) for i in range(SCRAMBLES))
        return grids, f"{SCRAMBLES} x {DENSE_SAMPLES} fresh scrambled Sobol points"

    @cached_property
    def situations(self) -> tuple[Grid, int]:
        """A scattered grid to be renewed, in the precision of the game's parameters, and how many of its columns are normal."""
        precision = jnp.result_type(*self.problem.parameters.values(), jnp.float32)
        with jax.ensure_compile_time_eval():  # it may be asked for first inside a trace
            return in_precision(precision, sampled_grid(self.problem, 2, 0)), columns_that_are_normal(self.problem)

    def estimator_at(self, estimator: Estimator) -> Callable[[MessageSite], Estimator]:
        others = ESTIMATORS[self.rules.decisions]
        return lambda site: estimator if site.message else others

    def fresh(self, key: Array, plays: int, draws: int) -> Grid:
        """Independent situations for so many plays."""
        grid, normal = self.situations
        return renewed(resized(grid, max(2, plays // draws)), key, normal)

    # ------------------------------------------------------------ gradients and costs of one policy

    def gradient(self, estimator: Estimator, trained: Any, fixed: Any, key: Array, progress: Array,
                 only: Sequence[Decision] | None = None) -> dict[str, Any]:
        """By group: every player's estimated gradient of its own cost by its own policies, on fresh samples of ``key``."""
        chosen = self.estimator_at(estimator)
        draws = draws_of([chosen(s) for s in self.sites])
        nature, noise = jax.random.split(key)
        situations = self.fresh(nature, self.rules.batch, draws)

        def cost(rules: Mapping[str, Any], person: Person) -> Array:
            return estimated_cost(self.problem, rules, situations, noise, self.sites, chosen, person, progress)

        return self.own_gradients(cost, trained, fixed, only)

    def exact_gradient(self, trained: Any, fixed: Any, grid: Grid, only: Sequence[Decision] | None = None) -> dict[str, Any]:
        """The same of the exact expected cost on a grid."""
        return self.own_gradients(lambda rules, person: self.cost(rules, grid, person), trained, fixed, only)

    def own_gradients(self, cost: Callable[[Mapping[str, Any], Person], Array], trained: Any, fixed: Any,
                      only: Sequence[Decision] | None) -> dict[str, Any]:
        problem = self.problem
        moving, still = by_decision(problem, trained), by_decision(problem, fixed)
        wanted = [d for d in problem.game.decisions if only is None or d in only]
        found: dict[str, Any] = {}
        for person in dict.fromkeys(self.people[0] if problem.is_team else problem.decider(d) for d in wanted):
            own = [d.name for d in wanted if problem.is_team or problem.decider(d) == person]

            def of_own(part: dict[str, Any], person: Person = person) -> Array:
                return cost(eqx.combine({**moving, **part}, still), person)

            found.update(jax.grad(of_own)({n: moving[n] for n in own}))
        out = {}
        for k, ds in problem.groups.items():
            parts = [found[d.name] for d in ds if d.name in found]
            if parts:
                out[k] = jax.tree.map(lambda *g: sum(g[1:], g[0]) / len(g), *parts)
        return out

    def cost(self, rules: Mapping[str, Any], grid: Grid, person: Person) -> Array:
        """A player's expected cost, prices of information included; finite decisions are summed out."""
        exact = Relaxation("cells" if self.problem.has_steps and not grid.scattered else "exact")
        world = self.problem.world(grid, self.problem.natural, rules, exact)
        return expected_cost(self.problem, world, person) + prices(self.problem, world, person)

    def costs(self, profile: Mapping[str, Strategy], grid: Grid) -> Array:
        """(people,)"""
        return jnp.stack([self.cost(by_decision(self.problem, profile), grid, p) for p in self.people])

    def as_played(self, profile: Mapping[str, Strategy]) -> dict[str, Strategy]:
        """Finite decisions as the game has them: the likeliest option, unless `mixed`."""
        out = dict(profile)
        for k, s in profile.items():
            d = self.problem.groups[k][0]
            if d.finite and d.enumerable and not d.mixed:
                out[k] = replace(s, hard=True)
        return out

    @cached_property
    def look(self) -> Callable[..., Array]:
        """(lanes, people): costs on held-out nodes."""
        return eqx.filter_jit(lambda trained, fixed, grid: jax.vmap(
            lambda t, f: self.costs(eqx.combine(t, f), grid))(trained, fixed))

    @cached_property
    def final(self) -> Callable[..., Array]:
        """(seeds, people): costs as played, on dense nodes."""
        return eqx.filter_jit(lambda trained, fixed, grid: jax.lax.map(
            lambda x: self.costs(self.as_played(eqx.combine(*x)), grid), (trained, fixed)))

    def score(self, trained: Any, fixed: Any) -> tuple[np.ndarray, np.ndarray]:
        """(seeds, people) final costs, and the error of each."""
        grids, _ = self.dense
        values = np.stack([np.asarray(self.final(trained, fixed, g)) for g in grids])
        if grids[0].scattered:
            return values.mean(0), values.std(0, ddof=1) * 2.0 / math.sqrt(len(grids))
        return values[-1], np.abs(values[-1] - values[0])


def suited(contest: Contest, name: str) -> Estimator:
    """The estimator of this name. Raises Unsuitable if it cannot be used at this game's messages."""
    if name not in ESTIMATORS:
        from ..source import near_names

        near = near_names(name, tuple(ESTIMATORS), most=1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(ESTIMATORS)}"
        raise Unsuitable(f"there is no estimator {name!r}; {known}")
    for site in contest.sites:
        why = misfit_at(site, name) if site.message else None
        if why is not None:
            raise Unsuitable(f"{why}; these can: {', '.join(able(contest))}")
    return ESTIMATORS[name]


def able(contest: Contest) -> tuple[str, ...]:
    """The estimators that fit all of a game's message sites."""
    return tuple(n for n in ESTIMATORS if all(misfit_at(s, n) is None for s in contest.sites if s.message))


@dataclass(frozen=True)
class Training:
    """``samples`` (points,) plays used at each look; ``costs`` (rates, seeds, points, people) held out. ``trained`` and ``half``: the
    moving parts at the end and at half time, (rates * seeds, ...)."""

    samples: np.ndarray
    costs: np.ndarray
    trained: Any
    half: Any


def train(contest: Contest, estimator: Estimator, report: Callable[[int, int, float], None]) -> Training:
    """Adam with a cosine decay, from every seed's start at every rate."""
    rules, lanes = contest.rules, len(contest.rules.rates)
    single = replace(contest, problem=replace(
        contest.problem, parameters=in_precision(jnp.float32, dict(contest.problem.parameters)), _cache={}))
    spread = jax.tree.map(lambda x: jnp.tile(x, (lanes, *(1,) * (x.ndim - 1))), contest.starts)
    begun, fixed, grid = in_precision(jnp.float32, (*eqx.partition(spread, contest.which), contest.held_out[0]))
    keys, rates = jnp.tile(contest.keys, lanes), jnp.repeat(jnp.asarray(rules.rates, jnp.float32), rules.seeds)
    adam = optax.scale_by_adam()
    length = max(1, rules.steps // rules.points)
    total = length * rules.points

    def lane(trained: Any, fixed: Any, moments: Any, key: Array, rate: Array, numbers: Array) -> tuple[Any, Any]:
        def body(carry: tuple, step: Array) -> tuple[tuple, None]:
            now, state = carry
            g = single.gradient(estimator, now, fixed, jax.random.fold_in(key, step), step / total)
            updates, state = adam.update(g, state)
            pace = rate * 0.5 * (1 + jnp.cos(jnp.pi * step / total))
            return (jax.tree.map(lambda x, u: x - pace * u, now, updates), state), None

        carry, _ = jax.lax.scan(body, (trained, moments), numbers)
        return carry

    chunk = eqx.filter_jit(lambda t, f, m, k, r, n: jax.vmap(lane, in_axes=(0, 0, 0, 0, 0, None))(t, f, m, k, r, n))
    with jax.enable_x64(False):
        trained, moments = begun, jax.vmap(adam.init)(begun)
        looks = [single.look(trained, fixed, grid)]
        half = trained
        for i in range(rules.points):
            trained, moments = chunk(trained, fixed, moments, keys, rates, jnp.arange(i * length, (i + 1) * length))
            looks.append(single.look(trained, fixed, grid))
            if i + 1 <= rules.points // 2:
                half = trained
            report((i + 1) * length, total, float(np.nanmin(np.sum(np.asarray(looks[-1]), -1))))
    costs = np.stack([np.asarray(x, float) for x in looks], axis=1).reshape(lanes, rules.seeds, rules.points + 1, -1)
    return Training(np.arange(rules.points + 1) * length * rules.batch, costs, *in_precision(jnp.float64, (trained, half)))
