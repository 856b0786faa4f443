"""Plots as data."""

from __future__ import annotations

import numpy as np

from ..core.site import Plot
from ..lower.evaluate import evaluate
from ..lower.problem import Problem
from ..lower.rollout import SAMPLE
from ..lower.variable import Variable, expand, union
from ..lower.world import World
from .figures import Curve

POINTS = 600
LIKELY = 1e-4  # of the largest density: the part of a line that is drawn
ROUGH = 1e-4  # of the variance: a typical squared step between neighbours beyond which scattered samples are no line


def curve(problem: Problem, world: World, plot: Plot) -> Curve | None:
    """The value against the other: a line where both depend on one coordinate, else points drawn by their probability.

    Scattered samples are one coordinate for all draws at once: they are a line only if the value follows the other closely.
    """
    y, x = evaluate(world, plot.value), evaluate(world, plot.against)
    if y.own or x.own:
        y, x = first_entry(y), first_entry(x)
    dims = union([x, y])
    sizes = {d: v.size(d) for v in (x, y) for d in v.dims}
    shape = tuple(sizes[d] for d in dims)
    xs, ys = (np.broadcast_to(np.asarray(expand(v, dims, 0)), shape).reshape(-1) for v in (x, y))
    density = world.expectation(Variable((), np.ones(())), dims)  # type: ignore[arg-type]
    weights = np.broadcast_to(np.asarray(expand(density, dims, 0)), shape).reshape(-1)
    good = np.isfinite(xs) & np.isfinite(ys) & (weights > 0)
    if not good.any():
        return None
    xs, ys, weights = xs[good], ys[good], weights[good]
    if len(dims) <= 1 and (SAMPLE not in dims or follows(xs, ys)):
        likely = weights > LIKELY * weights.max()
        order = np.argsort(xs[likely], kind="stable")
        return Curve(plot.against_label, plot.value_label, tuple(map(float, xs[likely][order])),
                     tuple(map(float, ys[likely][order])), True)
    rng = np.random.default_rng(0)
    picked = rng.choice(len(xs), size=min(POINTS, len(xs)), p=weights / weights.sum())
    order = picked[np.argsort(xs[picked], kind="stable")]
    return Curve(plot.against_label, plot.value_label, tuple(map(float, xs[order])), tuple(map(float, ys[order])), False)


def follows(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether y looks like a function of x: von Neumann's (1941) ratio of squared successive differences to the variance, with
    their median in place of their mean, which jumps and tails decide."""
    steps = np.diff(y[np.argsort(x, kind="stable")])
    return len(y) < 2 or bool(np.median(steps**2) <= ROUGH * y.var())


def first_entry(v: Variable) -> Variable:
    """A plot of arrays shows their first entries."""
    data = v.data
    while data.ndim > len(v.dims):
        data = data[..., 0]
    return Variable(v.dims, data)
