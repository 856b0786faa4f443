"""What a player could gain, from below: deviations at every stage at once, sought on some plays and judged on others.

A deviation adds to what a policy does an affine function of its standardised real inputs, with coefficients of its own for each combination
of finite inputs (so for each stage, where the policy knows it); to the logits of a finite decision likewise, and it may always take
one option. It is sought by L-BFGS on common random numbers and judged on independent plays, with and without it on the same draws.
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

from ..core.site import Decision
from ..lower.evaluate import evaluate
from ..lower.problem import Person, Problem
from ..lower.stages import Account, Stages
from ..lower.strategy import Deviator, Strategy, finite_sizes, inputs, real_inputs
from ..lower.variable import Variable, lift, take
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from .dynamic_programming import Judged
from .figures import Regret


def with_bounds(rows: tuple[Regret, ...], judged: Mapping[str, Judged]) -> tuple[Regret, ...]:
    """Lower bounds with what dynamic programming says from above, and at inputs that play does not reach."""
    return tuple(replace(r, unreached=judged[r.player].unreached, method=f"{r.method}; at most {judged[r.player].bound:.2g} by dynamic "
                         f"programming{judged[r.player].within}") if r.player in judged else r for r in rows)


LARGEST = 20_000  # coefficients of a deviation


class Shifted(eqx.Module):
    """A rule plus an affine function of its inputs. ``coefficients`` (combinations, outputs, d + 1)."""

    base: Any
    coefficients: Array
    location: Array
    scale: Array

    def __call__(self, world: World, d: Decision) -> Variable:
        return self.moved(world, d, self.base(world, d), *inputs(world, d))

    def of_first(self, world: World, d: Decision) -> Variable:
        """The first member's decision alone."""
        dim = d.axes[0].name
        chosen = self.base.of_first(world, d) if isinstance(self.base, Strategy) else take(self.base(world, d), dim, 0)
        return self.moved(world, d, chosen, *(take(v, dim, 0) for v in inputs(world, d)))

    def moved(self, world: World, d: Decision, chosen: Variable, index: Variable, reals: Variable) -> Variable:
        table = Variable(index.dims, self.coefficients[index.data.astype(int)])

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
    """One option, whatever is known."""

    option: int = eqx.field(static=True)

    def __call__(self, world: World, d: Decision) -> Variable:
        return Variable((), jax.nn.one_hot(self.option, d.options))


def shifted(rule: Any, d: Decision) -> Shifted:
    """A rule with a deviation of size 0."""
    count, width = math.prod(finite_sizes(d)), real_inputs(d)
    outputs = d.options if d.finite else math.prod(d.shape)
    location, scale = (rule.location, rule.scale) if isinstance(rule, Strategy) else (jnp.zeros(width), jnp.ones(width))
    return Shifted(rule, jnp.zeros((count, outputs, width + 1)), location, scale)


def stage_regrets(problem: Problem, profile: Mapping[str, Any], train: int, judge: int, iterations: int,
                  ) -> tuple[tuple[Regret, ...], list[str]]:
    """A lower bound for every player who decides (of twins: the first), from ``train`` plays, judged on ``judge`` others."""
    rules = {d.name: profile[d.name if d.name in profile else problem.leader_of[d.name]] for d in problem.game.decisions}
    out: list[Regret] = []
    for person in problem.people:
        own = [d for d in problem.game.decisions if problem.decider(d) == person]
        if own and not (problem.groups.get(own[0].name) is None and any(r.player.split("[")[0] == person.name for r in out)):
            out.append(regret(problem, rules, person, own, train, judge, iterations))
    return tuple(out), []


def regret(problem: Problem, rules: Mapping[str, Any], person: Person, own: list[Decision], train: int, judge: int,
           iterations: int) -> Regret:
    """The best of the deviations that were tried."""
    stages, fair = Stages(problem), Stages(problem, figures=True)
    account = Account(tuple(p for p in problem.pays(person) if p.constraint is None), person)
    one, two = jax.random.split(jax.random.key(71_000_003))
    before = stages.outside.draw(one, train, True)
    smooth = Relaxation("sigmoid", temperature=0.02) if problem.has_jumps else Relaxation("exact")

    def played(s: Stages, mine: Mapping[str, Any], before: Array, key: Array, relaxation: Relaxation) -> Array:
        moved = {d.name: Deviator(mine[d.name], rules[d.name]) if d.axes else mine[d.name] for d in own}
        return s.play({**rules, **moved}, before, key, [account], relaxation=relaxation, antithetic=True).costs[0]

    start = {d.name: shifted(rules[d.name], d) for d in own if d.kind in ("real", "bool", "choice")}
    size, restore = ravel_pytree({k: s.coefficients for k, s in start.items()})
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
    tried += [{**{d.name: rules[d.name] for d in own}, d.name: Always(k)} for d in own if d.finite for k in range(min(d.options, 8))]
    gains = [gain(fair, played, rules, own, mine, judge) for mine in tried] or [(0.0, 0.0)]
    value, half = max(gains)
    text = f"lower bound: {size.shape[0]} coefficients of affine deviations in all stages, sought on {train} plays, judged on " \
           f"{4 * judge} others (+- {half:.1e})"
    return Regret(person.label, max(0.0, value), math.nan, False, text)


def gain(fair: Stages, played: Any, rules: Mapping[str, Any], own: list[Decision], mine: Mapping[str, Any], judge: int,
         ) -> tuple[float, float]:
    """What a deviation saves on independent plays, on average and the half-width of 95%."""
    @eqx.filter_jit
    def difference(mine: Any, before: Array, key: Array) -> Array:
        base = {d.name: rules[d.name] for d in own}
        return jnp.mean(played(fair, base, before, key, Relaxation("exact")) - played(fair, mine, before, key, Relaxation("exact")))

    values = []
    for seed in range(4):
        one, two = jax.random.split(jax.random.key(72_000_007 + seed))
        values.append(float(difference(dict(mine), fair.outside.draw(one, judge, True), two)))
    return float(np.mean(values)), 3.18 * float(np.std(values, ddof=1)) / 2

