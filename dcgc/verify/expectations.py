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
from ..lower.problem import Problem
from ..lower.variable import Variable, dim_to_own, lift
from ..lower.world import World
from . import asked


@dataclass(frozen=True)
class Reader:
    """Reads figures off a world. ``rule``: the value of a decision's policy at inputs."""

    problem: Problem
    world: World
    rule: Callable[[str, int | None, tuple[Any, ...]], Any]

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
            # a policy is asked at numbers
            return constant_of(self.asked(e)) if isinstance(e, core.Over) else self.resolved(written_out(e))
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

    def asked(self, e: core.Over) -> np.ndarray:
        """An integral or an extremum of what a policy does along an interval."""
        low, high = (float(self.number(x)) for x in (e.low, e.high))

        def f(places: np.ndarray) -> np.ndarray:
            return self.along(e, places)

        if e.operation in ("integral", "mean"):
            total = asked.integral(f, low, high)
            return total / (high - low) if e.operation == "mean" else total
        sign = -1.0 if e.operation.endswith("min") else 1.0
        place, value = asked.largest(lambda x: sign * f(x), low, high)
        return np.asarray(place if e.operation.startswith("arg") else sign * value)

    def along(self, e: core.Over, places: np.ndarray) -> np.ndarray:
        """The body (n, ..) at places (n,): what policies do there is put in like the place itself."""
        here = {e.unknown: Variable((e.unknown,), jnp.asarray(places))}

        def values(x: core.Expression) -> np.ndarray:
            before, self.world.unknowns = self.world.unknowns, {**self.world.unknowns, **here}
            try:
                value = evaluate(self.world, self.resolved(x))
            finally:
                self.world.unknowns = before
            everywhere = dim_to_own(value, e.unknown, len(places))
            return np.asarray((self.mean(everywhere) if everywhere.dims else everywhere).data)

        body = e.body
        while (asked_for := next((x for x in core.walk(body) if isinstance(x, core.Rule) and not any(
                isinstance(y, core.Rule) for i in x.inputs for y in core.walk(i))), None)) is not None:
            inputs = tuple(values(i) for i in asked_for.inputs)
            done = np.asarray(self.rule(asked_for.decision, asked_for.member, inputs), float)
            if not inputs:
                done = np.broadcast_to(done, (len(places), *done.shape))
            name = f"rule {len(here)} of {e.unknown}"
            here[name] = Variable((e.unknown,), jnp.asarray(done))
            body = replaced(body, asked_for, core.Unknown(name))
        return values(body)

    def ruled(self, e: core.Rule) -> np.ndarray:
        return np.asarray(self.rule(e.decision, e.member, tuple(self.number(i) for i in e.inputs)))


def constant_of(value: np.ndarray) -> core.Constant:
    def nested(v: Any) -> Any:
        return tuple(nested(x) for x in v) if isinstance(v, list) else float(v)

    return core.Constant(nested(np.asarray(value).tolist()))


RESOLVERS: Mapping[type, str] = {core.Moment: "moment", core.Account: "account", core.Rule: "ruled"}


def written_out(e: core.Fold) -> core.Expression:
    """A reduction over members as terms at numbers."""
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
