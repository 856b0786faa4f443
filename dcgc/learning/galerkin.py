"""Smooth free-form policies by Newton's method on projected first-order conditions.

Where payments jump, a best reply against a grid of opponents is rough even if the equilibrium is smooth, and sweeps only average the
roughness away. Here each table is a continuous, piecewise linear function with a few nodes (a Galerkin projection); the derivative of
every player's own cost in its own coefficients, jumps integrated over cells, is stacked with the bounds as a mixed complementarity
problem and solved by a semismooth Newton method with pseudo-transient damping. The number of nodes is then doubled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from scipy.interpolate import BSpline

from ..core.site import Decision
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Tabular, mass
from ..primitives.relaxations import Relaxation
from .sweeps import world_of
from .tables import as_table, as_variable, ordered_dims, table_profile

ITERATIONS = 30
MOST = 260  # coefficients
DEGREE = 2  # of the splines
REACHED = 1e-4  # part of a coordinate's probability that may lie beyond the outer nodes on each side

Tables = Mapping[str, Array]


def likely(nodes: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """The outer nodes between which nearly all of a coordinate's probability lies."""
    share = np.cumsum(weight) / max(weight.sum(), 1e-300)
    return (float(nodes[int(np.clip(np.searchsorted(share, REACHED), 0, len(nodes) - 2))]),
            float(nodes[int(np.clip(np.searchsorted(share, 1 - REACHED), 1, len(nodes) - 1))]))


def splines(nodes: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """A basis (n, count) of quadratic B-splines whose knots are graded to both ends, as far as the nodes can tell them apart: a policy
    may start with a slope of zero, or rise without limit. Beyond where the probability lies, lines go on."""
    low, high = likely(nodes, weight)
    even = np.linspace(0.0, 1.0, count - DEGREE + 1)
    graded = (1 - np.cos(np.pi * even)) / 2  # as the nodes of Chebyshev
    cell = float(np.mean(np.diff(nodes))) / max(high - low, 1e-9)
    share = float(np.clip((even[1] - cell) / max(even[1] - graded[1], 1e-12), 0.0, 1.0))
    knots = low + max(high - low, 1e-9) * (share * graded + (1 - share) * even)
    padded = np.concatenate([[knots[0]] * DEGREE, knots, [knots[-1]] * DEGREE])
    out = BSpline.design_matrix(np.clip(nodes, knots[0], knots[-1]), padded, DEGREE).toarray()
    basis = BSpline(padded, np.eye(count), DEGREE)
    for end, beyond in ((knots[0], nodes < knots[0]), (knots[-1], nodes > knots[-1])):
        out[beyond] += (nodes[beyond] - end)[:, None] * basis.derivative()(end)
    return out


def hats(nodes: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """Interpolation matrix (n, count) from equally spaced nodes over where the probability lies; beyond, lines go on."""
    low, high = likely(nodes, weight)
    points = np.linspace(low, max(high, low + 1e-9), count)
    left = np.clip(np.searchsorted(points, nodes, side="right") - 1, 0, count - 2)
    t = (nodes - points[left]) / (points[left + 1] - points[left])
    out = np.zeros((len(nodes), count))
    out[np.arange(len(nodes)), left] = 1 - t
    out[np.arange(len(nodes)), left + 1] = t
    return out


def bases(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, Any], count: int, degree: int = 1,
          ) -> dict[str, list[np.ndarray | None]]:
    """For every group and every axis of its table an interpolation matrix (None: a finite coordinate, kept as it is), of piecewise
    polynomials of this ``degree``: 1 or 2."""
    world = world_of(problem, grid, tables, others, Relaxation("cells"))
    out: dict[str, list[np.ndarray | None]] = {}
    for k in tables:
        d = problem.groups[k][0]
        dims = ordered_dims(problem, d)
        density = np.asarray(as_table(problem, d, mass(world, dims), grid))
        row: list[np.ndarray | None] = []
        for axis, dim in enumerate(dims):
            role = problem.reduction.coordinates[dim].role
            if role in ("finite", "event"):
                row.append(None)
                continue
            weight = density.sum(tuple(i for i in range(len(dims)) if i != axis))
            if role == "derived":  # every value counts, reached or not
                weight = np.ones_like(weight)
            row.append((splines if degree == DEGREE else hats)(np.asarray(grid.nodes[dim]), weight, count))
        out[k] = row
    return out


def spread_out(coefficients: Array, row: list[np.ndarray | None]) -> Array:
    """Coefficients -> a table."""
    for axis, basis in enumerate(row):
        if basis is not None:
            coefficients = jnp.moveaxis(jnp.tensordot(jnp.asarray(basis), coefficients, (1, axis)), 0, axis)
    return coefficients


def projected(table: np.ndarray, row: list[np.ndarray | None]) -> np.ndarray:
    """A table -> the coefficients of the nearest interpolant (least squares)."""
    for axis, basis in enumerate(row):
        if basis is not None:
            table = np.moveaxis(np.tensordot(np.linalg.pinv(basis), table, (1, axis)), 0, axis)
    return table


def limits(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, Any], d: Decision, row: list[np.ndarray | None],
           shape: tuple[int, ...], side: str) -> np.ndarray:
    """A decision's bound at every coefficient."""
    e = getattr(d, side)
    if e is None:
        return np.full(shape, -np.inf if side == "low" else np.inf)
    world = world_of(problem, grid, tables, others, Relaxation("cells"))
    return projected(np.asarray(as_table(problem, d, evaluate(world, e), grid), float), row).reshape(shape)


def solve(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, Any], count: int, degree: int = 1,
          ) -> tuple[dict[str, Array], float]:
    """Tables that meet the projected first-order conditions with ``count`` coefficients a coordinate, from the given ones, and the
    residual (relative; inf if there are too many coefficients)."""
    rows = bases(problem, grid, tables, others, count, degree)
    start = {k: jnp.asarray(projected(np.asarray(t), rows[k])) for k, t in tables.items()}
    flat, _ = ravel_pytree(start)
    if flat.size > MOST or flat.size == 0:
        return dict(tables), float("inf")
    low, high = ({k: jnp.asarray(limits(problem, grid, tables, others, problem.groups[k][0], rows[k], c.shape, side))
                  for k, c in start.items()} for side in ("low", "high"))
    key = f"galerkin {count} {[c.shape for c in start.values()]}"
    if key not in problem._cache:
        problem._cache[key] = solver(problem, others)
    found, residual = problem._cache[key](grid, rows, low, high, start)  # type: ignore[operator]
    new = {k: spread_out(c, rows[k]) for k, c in found.items()}
    relative = float(residual) / max(float(jnp.max(jnp.abs(ravel_pytree(found)[0]))), 1e-12)
    return {k: clipped(problem, grid, new, others, k, t) for k, t in new.items()}, relative


def solver(problem: Problem, others: Mapping[str, Any]) -> Any:
    """The compiled Newton iteration: (grid, bases, lower bounds, upper bounds, coefficients) -> coefficients, residual."""
    def own(coefficients: Tables, grid: Grid, rows: Mapping[str, Any]) -> dict[str, Array]:
        now = {k: spread_out(c, rows[k]) for k, c in coefficients.items()}
        out = {}
        for k in now:
            d = problem.groups[k][0]

            def cost(mine: Array, k: str = k, d: Decision = d) -> Array:
                rules = table_profile(problem, now, others)
                v = as_variable(problem, d, spread_out(mine, rows[k]))
                rules[d.name] = Tabular(v.dims, v.data)
                world = problem.world(grid, problem.reduction, rules, Relaxation("cells"))  # type: ignore[arg-type]
                return problem.cost(world, problem.decider(d))

            out[k] = jax.grad(cost)(coefficients[k])
        return out

    @jax.jit
    def run(grid: Grid, rows: Any, lows: Tables, highs: Tables, start: Tables) -> tuple[dict[str, Array], Array]:
        theta, unravel = ravel_pytree(start)
        low, high = ravel_pytree(lows)[0], ravel_pytree(highs)[0]

        def gradient(t: Array) -> Array:
            return ravel_pytree(own(unravel(t), grid, rows))[0]

        jacobian = jax.jacfwd(gradient)

        def body(carry: tuple) -> tuple:
            t, best, least, damping, last, n = carry
            g, j = gradient(t), jacobian(t)
            diagonal = jnp.abs(jnp.diagonal(j))
            scale = jnp.maximum(diagonal, 1e-4 * jnp.max(diagonal) + 1e-12)
            below, above = t - g / scale < low, t - g / scale > high
            active, bound = below | above, jnp.where(below, low, jnp.where(above, high, t))
            residual = jnp.linalg.norm(jnp.where(active, bound - t, g / scale)) / jnp.sqrt(t.size)
            better = residual < least
            best, least = jnp.where(better, t, best), jnp.where(better, residual, least)
            matrix = jnp.where(active[:, None], jnp.eye(t.size), j + damping * jnp.diag(scale))
            move = jnp.linalg.solve(matrix, jnp.where(active, bound - t, -g))
            move = jnp.where(jnp.all(jnp.isfinite(move)), move, 0.0)
            size = jnp.maximum(jnp.max(jnp.abs(t)), 1e-3)
            move = move * jnp.minimum(1.0, 0.3 * size / jnp.maximum(jnp.max(jnp.abs(move)), 1e-300))
            damping = damping * jnp.clip(residual / last, 0.3, 2.0)
            return jnp.clip(t + move, low, high), best, least, jnp.clip(damping, 1e-6, 1e3), residual, n + 1

        def unfinished(carry: tuple) -> Array:
            return (carry[5] < ITERATIONS) & (carry[2] > 1e-12)

        theta = jnp.clip(theta, low, high)
        first = (theta, theta, jnp.asarray(jnp.inf), jnp.asarray(1.0), jnp.asarray(jnp.inf), 0)
        _, best, least, _, _, _ = jax.lax.while_loop(unfinished, body, first)
        return unravel(best), least

    return run


def clipped(problem: Problem, grid: Grid, tables: Tables, others: Mapping[str, Any], k: str, table: Array) -> Array:
    """A table kept within its decision's bounds."""
    d = problem.groups[k][0]
    world = world_of(problem, grid, tables, others, Relaxation("cells"))
    for side, apply in (("low", jnp.maximum), ("high", jnp.minimum)):
        e = getattr(d, side)
        if e is not None:
            table = apply(table, as_table(problem, d, evaluate(world, e), grid))
    return table


