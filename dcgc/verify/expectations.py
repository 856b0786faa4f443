"""Measures and accounts as numbers on one grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core import expression as core
from ..lower.evaluate import evaluate
from ..lower.factored import expected
from ..lower.intervals import NODES
from ..lower.problem import Problem
from ..lower.variable import Variable, lift
from ..lower.world import World
from ..primitives.quadrature import gauss_legendre


@dataclass(frozen=True)
class Reader:
    """Reads figures off a world. ``rule``: the value of a decision's policy at inputs."""

    problem: Problem
    world: World
    rule: Callable[[str, int | None, tuple[float, ...]], Any]

    def number(self, e: core.Expression) -> np.ndarray:
        """The value of a measure: moments, accounts and rules become numbers, the rest is arithmetic; what still depends on
        chance is averaged."""
        value = evaluate(self.world, self.resolved(e))
        if value.dims:
            value = self.mean(value)
        return np.asarray(value.data)

    def mean(self, v: Variable) -> Variable:
        return self.world.expectation(v)

    def resolved(self, e: core.Expression) -> core.Expression:
        handler = RESOLVERS.get(type(e))
        if handler is not None:
            return constant_of(getattr(self, handler)(e))  # by name: a reader of another kind has its own
        if isinstance(e, (core.Fold, core.Over)) and any(isinstance(x, core.Rule) for x in core.walk(e.body)):
            return self.resolved(written_out(e))  # a policy is asked at numbers
        return core.rebuild(e, self.resolved)

    def moment(self, e: core.Moment) -> np.ndarray:
        if e.kind == "E":
            return self.average(self.resolved(e.arguments[0]), None if e.given is None else self.resolved(e.given))
        values = [evaluate(self.world, self.resolved(a)) for a in e.arguments]
        given = None if e.given is None else evaluate(self.world, self.resolved(e.given))
        mean = self.averager(given)
        second = values[0] if e.kind == "Var" else values[1]
        a, b = mean(values[0]), mean(second)
        centred = lift(lambda x, y: (x - a) * (y - b), values[0], second)
        return mean(centred)

    def average(self, e: core.Expression, given: core.Expression | None) -> np.ndarray:
        """The mean where an event holds; nan if it never does."""
        if given is None:
            return np.asarray(expected(self.world, e, lambda: evaluate(self.world, e)).data)
        chance = float(expected(self.world, given, lambda: evaluate(self.world, given)).data)

        def held() -> Variable:
            return lift(lambda x, g: jnp.where(g == 0, 0.0, x * g), *(evaluate(self.world, x) for x in (e, given)))

        if chance <= 0:
            return np.full(evaluate(self.world, e).own, np.nan)
        total = np.asarray(expected(self.world, core.Apply("mul", (e, given)), held).data)
        if not np.all(np.isfinite(total)):  # infinite where the event does not hold
            total = np.asarray(self.mean(held()).data)
        return total / chance

    def averager(self, given: Variable | None) -> Callable[[Variable], np.ndarray]:
        """The mean where an event holds; nan if it never does."""
        if given is None:
            return lambda v: np.asarray(self.mean(v).data)
        chance = float(self.mean(given).data)

        def mean(v: Variable) -> np.ndarray:
            if chance <= 0:
                return np.full(v.own, np.nan)
            return np.asarray(self.mean(lift(lambda x, g: jnp.where(g == 0, 0.0, x * g), v, given)).data) / chance

        return mean

    def account(self, e: core.Account) -> np.ndarray:
        cost = np.asarray(self.problem.account(self.world, e.name, e.member))
        return -cost if e.kind == "payoff" else cost

    def ruled(self, e: core.Rule) -> np.ndarray:
        return np.asarray(self.rule(e.decision, e.member, tuple(float(self.number(i)) for i in e.inputs)))


def constant_of(value: np.ndarray) -> core.Constant:
    def nested(v: Any) -> Any:
        return tuple(nested(x) for x in v) if isinstance(v, list) else float(v)

    return core.Constant(nested(np.asarray(value).tolist()))


RESOLVERS: Mapping[type, str] = {core.Moment: "moment", core.Account: "account", core.Rule: "ruled"}


def written_out(e: core.Fold | core.Over) -> core.Expression:
    """A reduction over members, or an integral, as terms at numbers: of an integral those of a Gauss-Legendre rule."""
    if isinstance(e, core.Over):
        rule = gauss_legendre(NODES)
        length = core.Apply("sub", (e.high, e.low))
        points = [core.Apply("add", (e.low, core.Apply("mul", (length, core.Constant(float(t)))))) for t in rule.nodes[:, 0]]
        terms = [core.Apply("mul", (core.Constant(float(w)), replaced(e.body, core.Unknown(e.unknown), x)))
                 for w, x in zip(rule.weights, points, strict=True)]
        mean = core.Apply("sum", (core.Stack(tuple(terms)),))
        return mean if e.operation == "mean" else core.Apply("mul", (length, mean))
    members = [core.Constant(float(k)) for k in range(e.axis.low, e.axis.low + e.axis.size)]
    bodies = tuple(replaced(e.body, core.Member(e.axis), k) for k in members)
    if e.condition is None:
        return core.Apply(e.reduction, (core.Stack(bodies),))
    holds = [replaced(e.condition, core.Member(e.axis), k) for k in members]
    neutral = core.Constant({"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf}[e.reduction])
    kept = core.Stack(tuple(core.Apply("where", (h, b, neutral)) for h, b in zip(holds, bodies, strict=True)))
    if e.reduction != "mean":
        return core.Apply(e.reduction, (kept,))
    return core.Apply("div", (core.Apply("sum", (kept,)), core.Apply("sum", (core.Stack(tuple(holds)),))))


def replaced(e: core.Expression, old: core.Expression, new: core.Expression) -> core.Expression:
    return new if e == old else core.rebuild(e, lambda c: replaced(c, old, new))
