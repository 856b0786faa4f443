"""Whether integrals and extrema over intervals are accurate, and regressions determined: each is computed anew another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Account, Apply, Axis, Expression, Fold, Member, Moment, Over, Rule, Unknown, walk
from ..core.site import Let, Payment
from ..lower.evaluate import evaluate
from ..lower.intervals import NODES, at, extremum, integral
from ..lower.problem import Problem
from ..lower.variable import Variable, along, dim_to_own, lift, whole
from ..lower.world import World

ACCURACY = 1e-6  # of the value's mean size: an error beyond it is reported
LOOKED_AT = 1024  # parts of an interval, for an extremum
DETERMINED = 1e-13  # smallest over largest eigenvalue of a regression's equations, below which rounding decides
RARE = 1e-9  # probability that is no matter


def interval_alarms(problem: Problem, worlds: list[World]) -> list[str]:
    """R004 and R005 with their places."""
    out = []
    for axes, e in written(problem):
        if e.span is None:
            continue
        reader = READERS[e.operation if isinstance(e, Over) else e.function]
        amounts = [float(reader(w, axes, e)) for w in worlds]
        amount = float(np.mean(amounts))
        text = " ".join(e.span.text.split())
        if isinstance(e, Over) and not amount <= ACCURACY:
            out.append(f"[R005] {e.span.place}: `{text}` is computed to within {amount:.1e} of its size")
        elif isinstance(e, Apply) and not amount <= RARE:
            out.append(f"[R004] {e.span.place}: the regression `{text}` is not determined with probability {amount:.3g}")
    return list(dict.fromkeys(out))


def written(problem: Problem) -> Iterator[tuple[tuple[Axis, ...], Over | Apply]]:
    """Every expression over an interval and every regression of the text that stands for itself, with the loops around it."""
    places: list[tuple[tuple[Axis, ...], Expression]] = []
    for s in problem.game.sites:
        if isinstance(s, Let):
            places.append((s.axes, s.value))
        elif isinstance(s, Payment):
            places.append((s.axes, s.cost))
    places += [((), m.value) for m in problem.game.measures]
    for axes, e in places:
        for x in walk(e):
            if (isinstance(x, Over) or (isinstance(x, Apply) and x.function in ("ridge", "kernel_ridge"))) and free(x, axes):
                yield axes, x


def free(e: Expression, axes: tuple[Axis, ...]) -> bool:
    """Whether an expression has a value of its own: not inside another interval, an equation or a reduction over members."""
    bound = {x.unknown for x in walk(e) if isinstance(x, Over)}
    inner = {x.axis for x in walk(e) if isinstance(x, Fold)} | set(axes)
    return not any((isinstance(x, Unknown) and x.name not in bound) or (isinstance(x, Member) and x.axis not in inner)
                   or isinstance(x, (Moment, Account, Rule)) for x in walk(e))


def within(world: World, axes: tuple[Axis, ...], work: Callable[[], Variable]) -> Array:
    """The mean of what ``work`` computes inside of loops (of a large family: over its members, too)."""
    outer, world.axes = world.axes, (*world.axes, *(a.name for a in axes))
    try:
        return jnp.mean(world.expectation(work()).data)
    finally:
        world.axes = outer


def error_of_integral(world: World, axes: tuple[Axis, ...], e: Over) -> Array:
    """Against a rule of half as many nodes again, over the mean size."""
    def value(nodes: int) -> Variable:
        return integral(world, e, evaluate(world, e.low), evaluate(world, e.high), nodes)

    gap = within(world, axes, lambda: lift(lambda a, b: jnp.abs(a - b), value(NODES), value(NODES + NODES // 2)))
    return over_size(gap, within(world, axes, lambda: lift(jnp.abs, value(NODES))))


def error_of_extremum(world: World, axes: tuple[Axis, ...], e: Over) -> Array:
    """How much better than the place found is the best of many in between, over the mean size."""
    sign = -1.0 if e.operation.endswith("min") else 1.0

    def found() -> Variable:
        return at(world, e.unknown, e.body, extremum(world, e, evaluate(world, e.low), evaluate(world, e.high)))

    def gain() -> Variable:
        parts = along(e.unknown, (jnp.arange(LOOKED_AT) + 0.5) / LOOKED_AT)
        points = lift(lambda a, b, x: a + (b - a) * x, evaluate(world, e.low), evaluate(world, e.high), parts)
        many = dim_to_own(at(world, e.unknown, e.body, points), e.unknown, LOOKED_AT)
        best = Variable(many.dims, jnp.max(sign * many.data, axis=-1))
        return lift(lambda a, b: jnp.maximum(a - sign * b, 0.0), best, found())

    return over_size(within(world, axes, gain), within(world, axes, lambda: lift(jnp.abs, found())))


def over_size(gap: Array, size: Array) -> Array:
    return jnp.where(gap == 0, 0.0, gap / jnp.maximum(size, 1e-12))


def undetermined(world: World, axes: tuple[Axis, ...], e: Apply) -> Array:
    """The probability that the equations of a regression are singular to rounding."""
    def singular(points: Array, penalty: Array, *width: Array) -> Array:
        if width:
            rows = points[:, None] if points.ndim == 1 else points
            matrix = jnp.exp(-jnp.sum((rows[:, None] - rows) ** 2, -1) / (2 * width[0] ** 2))
        else:
            matrix = points.T @ points
        values = jnp.linalg.eigvalsh(matrix + penalty * jnp.eye(matrix.shape[0]))
        return jnp.where(values[0] > DETERMINED * values[-1], 0.0, 1.0)

    def chance() -> Variable:
        points, _, *rest = (evaluate(world, a) for a in e.arguments)
        return whole(singular, points, *rest)

    return within(world, axes, chance)


READERS: dict[str, Callable[..., Array]] = {
    **dict.fromkeys(("integral", "mean"), error_of_integral),
    **dict.fromkeys(("max", "min", "argmax", "argmin"), error_of_extremum),
    **dict.fromkeys(("ridge", "kernel_ridge"), undetermined),
}
