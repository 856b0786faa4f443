"""What a player could gain, from below: deviations at every stage at once, sought on some plays and judged on others.

A deviation adds to what a policy does an affine function of its standardised real inputs, with coefficients of its own for each
combination of finite inputs (so for each stage, where the policy knows it; of a history the last entries and the sum of all count); to the
logits of a finite decision likewise, and it may always take one option. It is sought by L-BFGS on common random numbers and judged on
independent plays, with and without it on the same draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from ..core.site import Decision, StageBlock
from ..lower.evaluate import evaluate
from ..lower.problem import Person, Problem
from ..lower.stages import Account, Stages, priced
from ..lower.strategy import Deviator, Strategy, finite_sizes, inputs, real_inputs, stage_of_combinations
from ..lower.variable import Variable, lift, take
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .dynamic_programming import Judged
from .figures import Regret


def with_bounds(rows: tuple[Regret, ...], judged: Mapping[str, Judged]) -> tuple[Regret, ...]:
    """Lower bounds with what dynamic programming says from above (where states are finitely many) and at unreached inputs."""
    def row(r: Regret) -> Regret:
        j = judged.get(r.player)
        if j is None or not j.decides:
            return r
        most = f"; at most {j.bound:.2g} by dynamic programming" if j.everywhere and math.isfinite(j.bound) else ""
        return replace(r, unreached=j.unreached, method=r.method + most)

    return tuple(row(r) for r in rows)


LARGEST = 20_000  # coefficients of a deviation
OPTIONS = 64  # of a finite decision, that are tried as constants


class Shifted(eqx.Module):
    """A rule plus an affine function of its inputs. ``coefficients`` (combinations, outputs, f + 1); ``mix`` (combinations, f, d): what of
    the inputs counts (None: all, f = d)."""

    base: Any
    coefficients: Array
    location: Array
    scale: Array
    mix: Array | None = None

    def __call__(self, world: World, d: Decision) -> Variable:
        return self.moved(world, d, self.base(world, d), *inputs(world, d))

    def of_first(self, world: World, d: Decision) -> Variable:
        """The first member's decision alone."""
        dim = d.axes[0].name
        chosen = self.base.of_first(world, d) if isinstance(self.base, Strategy) else take(self.base(world, d), dim, 0)
        return self.moved(world, d, chosen, *(take(v, dim, 0) for v in inputs(world, d)))

    def moved(self, world: World, d: Decision, chosen: Variable, index: Variable, reals: Variable) -> Variable:
        coefficients = self.coefficients
        if self.mix is not None:  # slopes by feature as slopes by input
            slopes = jnp.einsum("cof,cfd->cod", coefficients[..., :-1], self.mix)
            coefficients = jnp.concatenate([slopes, coefficients[..., -1:]], -1)
        table = Variable(index.dims, coefficients[index.data.astype(int)])

        def shift(c: Array, x: Array) -> Array:
            z = (x - self.location) / self.scale
            return jnp.sum(c[..., :-1] * z[..., None, :], -1) + c[..., -1]

        dims = tuple(sorted({*table.dims, *reals.dims}))
        full = [Variable(dims, v.data.reshape(tuple(v.size(x) if x in v.dims else 1 for x in dims) + v.own)) for v in (table, reals)]
        value = shift(full[0].data, full[1].data)
        if not d.finite:
            value = value.reshape((*value.shape[:-1], *d.shape))
        by = Variable(dims, value)
        if d.finite:
            return lift(lambda p, s: jax.nn.softmax(jnp.log(jnp.maximum(p, 1e-4)) + s, -1), chosen, by)
        moved = lift(jnp.add, chosen, by)
        for bound, keep in ((d.low, jnp.maximum), (d.high, jnp.minimum)):
            if bound is not None:
                limit = evaluate(world, bound)
                moved = lift(keep, moved, take(limit, d.axes[0].name, 0) if d.axes else limit)
        return moved


class Always(eqx.Module):
    """One option, whatever is known: its number, () from 0."""

    option: Array

    def __call__(self, world: World, d: Decision) -> Variable:
        return Variable((), jax.nn.one_hot(self.option, d.options))


LAGS = 3  # entries of a history that a deviation looks at, one by one


def mixed(d: Decision, block: StageBlock) -> np.ndarray | None:
    """(combinations, f, d): of every history what a deviation looks at; None where no history is seen."""
    stages = stage_of_combinations(d, block.binder)
    seen = [o for o in d.observations if o.size is None]
    past = [bool(o.shape) and o.shape[0] == block.length and block.length > LAGS + 1 for o in seen]
    if stages is None or not any(past):
        return None
    rows = []
    for t in stages:
        own = []
        for o, long in zip(seen, past, strict=True):
            each = np.eye(math.prod(o.shape)).reshape(*o.shape, -1)
            if long:
                lags = [each[t - k] if t >= k else np.zeros_like(each[0]) for k in range(LAGS)]
                each = np.stack([*lags, each.sum(0)])
            own.append(each.reshape(-1, each.shape[-1]))
        width = sum(x.shape[1] for x in own)
        placed, at = [], 0
        for x in own:
            placed.append(np.pad(x, ((0, 0), (at, width - at - x.shape[1]))))
            at += x.shape[1]
        rows.append(np.concatenate(placed))
    return np.stack(rows)


def shifted(rule: Any, d: Decision, block: StageBlock | None = None) -> Shifted:
    """A rule with a deviation of size 0."""
    mix = None if block is None else mixed(d, block)
    count, width = math.prod(finite_sizes(d)), real_inputs(d)
    outputs = d.options if d.finite else math.prod(d.shape)
    location, scale = (rule.location, rule.scale) if isinstance(rule, Strategy) else (jnp.zeros(width), jnp.ones(width))
    features = width if mix is None else mix.shape[1]
    return Shifted(rule, jnp.zeros((count, outputs, features + 1)), location, scale, None if mix is None else jnp.asarray(mix))


def stage_regrets(problem: Problem, profile: Mapping[str, Any], train: int, judge: int, iterations: int) -> tuple[Regret, ...]:
    """A lower bound for every player who decides (of members alike: the first), from ``train`` plays, judged on ``judge`` others."""
    rules = problem.rules_of(profile)
    out: list[Regret] = []
    for person in problem.people:
        own = [d for d in problem.game.decisions if problem.decider(d) == person]
        if not all(d.name in problem.copied for d in own):
            out.append(regret(problem, rules, person, own, train, judge, iterations, priced(problem, profile)))
    return tuple(out)


def regret(problem: Problem, rules: Mapping[str, Any], person: Person, own: list[Decision], train: int, judge: int,
           iterations: int, held: Mapping[str, Array] | None = None) -> Regret:
    """What the deviation saves on other plays that is the best of those tried on the first ones. ``held``: parameters with the multipliers
    of constraints."""
    stages, fair = Stages(problem), Stages(problem, figures=True)
    account = Account(problem.pays(person), person)  # with what it is charged for what constraints exceed
    one, two = jax.random.split(jax.random.key(71_000_003))
    before = stages.outside.draw(one, train, True)
    smooth = Relaxation("sigmoid", temperature=0.02) if problem.has_jumps else Relaxation("exact")

    def played(s: Stages, mine: Mapping[str, Any], before: Array, key: Array, relaxation: Relaxation) -> Array:
        moved = {d.name: Deviator(mine[d.name], rules[d.name]) if d.axes else mine[d.name] for d in own}
        return s.play({**rules, **moved}, before, key, [account], held, relaxation, antithetic=True).costs[0]

    start = {d.name: shifted(rules[d.name], d, stages.block) for d in own if d.kind in ("real", "bool", "choice")}
    size, restore = ravel_pytree({k: s.coefficients for k, s in start.items()})
    unmoved = {d.name: rules[d.name] for d in own}
    tried: list[dict[str, Any]] = []

    def with_coefficients(x: Array) -> dict[str, Any]:
        values = restore(x)
        return {d.name: eqx.tree_at(lambda s: s.coefficients, start[d.name], values[d.name]) if d.name in start else rules[d.name]
                for d in own}

    if 0 < size.shape[0] <= LARGEST:
        cost = jax.jit(jax.value_and_grad(lambda x: jnp.mean(played(stages, with_coefficients(x), before, two, smooth))))

        def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = cost(jnp.asarray(x))
            good = bool(np.isfinite(value) and np.isfinite(gradient).all())
            return (float(value), np.asarray(gradient, float)) if good else (1e30, np.zeros_like(x))

        best = minimize(objective, np.zeros(size.shape[0]), jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x
        tried.append(with_coefficients(jnp.asarray(best)))
    listed = [d for d in own if d.finite and d.enumerable]
    tried += [{**unmoved, d.name: Always(jnp.asarray(k))} for d in listed for k in range(min(d.options, OPTIONS))]
    if not tried:
        return Regret(person.label, math.nan, math.nan, False, "not computed: its decisions are too many, or not of a kind to be moved")
    trial = eqx.filter_jit(lambda mine: jnp.mean(played(stages, mine, before, two, Relaxation("exact"))))
    costs = [float(trial(mine)) for mine in tried] if len(tried) > 1 else [0.0]
    value, half = gain(fair, played, unmoved, tried[int(np.nanargmin(costs))], judge) if np.isfinite(costs).any() else (math.nan, math.nan)
    text = f"lower bound: {said(size.shape[0], start, own, listed)} sought on {train} plays, the best judged on {4 * judge} others " \
           f"(+- {half:.1e})"
    return Regret(person.label, float(np.maximum(0.0, value)), math.nan, False, text)


def said(size: int, start: Mapping[str, Any], own: list[Decision], listed: list[Decision]) -> str:
    """Which deviations are tried, and which are not."""
    parts = [f"{size} coefficients of affine deviations in all stages" if 0 < size <= LARGEST else "no affine deviations"]
    parts += [f"of {d.name} the first {OPTIONS} of {d.options} options" for d in listed if d.options > OPTIONS]
    parts += [f"{d.name} not moved" for d in own if d not in listed and (d.name not in start or size > LARGEST)]
    return ", ".join(parts) + ","


def gain(fair: Stages, played: Any, unmoved: Mapping[str, Any], mine: Mapping[str, Any], judge: int) -> tuple[float, float]:
    """What a deviation saves on independent plays (cost units), on average and the half-width of 95%; nan where a cost is no number."""
    @eqx.filter_jit
    def difference(mine: Any, before: Array, key: Array) -> Array:
        return jnp.mean(played(fair, unmoved, before, key, Relaxation("exact")) - played(fair, mine, before, key, Relaxation("exact")))

    values = []
    for seed in range(4):
        one, two = jax.random.split(jax.random.key(72_000_007 + seed))
        values.append(float(difference(dict(mine), fair.outside.draw(one, judge, True), two)))
    return float(np.mean(values)), 3.18 * float(np.std(values, ddof=1)) / 2
