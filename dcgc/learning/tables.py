"""Free-form policies on a grid: one value for every point of what a decision knows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Multiplier, Strategy, Tabular, finite_sizes, inputs
from ..lower.variable import Variable, expand
from ..lower.world import World
from ..policies import head
from ..policies.constant import Constant
from ..policies.lattice import Lattice
from ..policies.table import Table


def ordered_dims(problem: Problem, d: Decision) -> tuple[str, ...]:
    """The coordinates that a decision knows, in the order of its observations, each once: twins have theirs in the same order."""
    information = problem.reduction.information[d.name]
    assert information is not None
    return tuple(dict.fromkeys(x for dims in information.order for x in dims))


def as_variable(problem: Problem, d: Decision, data: Array) -> Variable:
    """A table (axes in the order of the observations, then own axes) as a variable."""
    dims = ordered_dims(problem, d)
    order = sorted(range(len(dims)), key=lambda i: dims[i])
    own = tuple(range(len(dims), data.ndim))
    return Variable(tuple(dims[i] for i in order), jnp.transpose(data, (*order, *own)))


def as_table(problem: Problem, d: Decision, v: Variable, grid: Grid) -> Array:
    """A variable on (some of) what a decision knows as a table."""
    dims = ordered_dims(problem, d)
    names = tuple(sorted(dims))
    full = jnp.broadcast_to(expand(v, names, len(v.own)), (*(grid.sizes[x] for x in names), *v.own))
    own = tuple(range(len(names), full.ndim))
    return jnp.transpose(full, (*(names.index(x) for x in dims), *own))


def table_profile(problem: Problem, tables: Mapping[str, Array], others: Mapping[str, object]) -> dict[str, object]:
    """Rules by decision (not by group: twins know coordinates of their own)."""
    rules: dict[str, object] = {k: m for k, m in others.items() if isinstance(m, Multiplier)}
    for k, decisions in problem.groups.items():
        for d in decisions:
            if k in tables:
                v = as_variable(problem, d, tables[k])
                rules[d.name] = Tabular(v.dims, v.data)
            else:
                rules[d.name] = others[k]
    return rules


def to_strategy(problem: Problem, world: World, d: Decision, table: np.ndarray, hard: bool, mixed: bool,
                jump: float = 0.0) -> Strategy:
    """A table as a strategy that answers any input: multilinear between the grid's nodes, switching where a hard finite decision's
    advantages cross.

    ``table``: values (real), advantages or log probabilities (finite: last axis the options; of a Bool the advantage alone).
    ``jump``: a step between neighbouring nodes of one input counts as a jump if it exceeds this many times the median step (0: no
    jumps).
    """
    grid = world.grid
    dims = ordered_dims(problem, d)
    roles = problem.reduction.coordinates
    finite = [i for i, x in enumerate(dims) if roles[x].role in ("finite", "event")]
    real = [i for i in range(len(dims)) if i not in finite]
    index, reals = inputs(world, d)
    columns, nodes = real_columns(dims, real, reals, grid)
    own = table.ndim - len(dims)
    arranged = np.moveaxis(table, (*finite, *real), range(len(dims)))
    sizes = finite_sizes(d)
    shape = tuple(grid.sizes[dims[i]] for i in finite)
    full_index = np.broadcast_to(np.asarray(expand(
        pick_first(index, tuple(dims[i] for i in finite)), tuple(sorted(dims[i] for i in finite)), 0)),
        tuple(grid.sizes[x] for x in sorted(dims[i] for i in finite)))
    names = sorted(dims[i] for i in finite)
    outputs = int(np.prod(arranged.shape[len(dims):])) if own else 1
    rows = np.zeros((int(np.prod(sizes)) if sizes else 1, *(len(n) for n in nodes), outputs))
    for place in product(*(range(n) for n in shape)):
        at = tuple(place[[dims[i] for i in finite].index(x)] for x in names)
        rows[int(full_index[at])] = arranged[place].reshape(*(len(n) for n in nodes), outputs)
    for axis, n in enumerate(nodes, start=1):  # interpolation wants rising nodes
        if n[0] > n[-1]:
            rows, nodes[axis - 1] = np.flip(rows, axis), n[::-1]
    if nodes:
        breaks = np.zeros((rows.shape[0], max(len(nodes[0]) - 1, 1)))
        if len(nodes) == 1 and jump > 0:
            breaks = jumps(rows, jump)
        policy: Lattice | Table | Constant = Lattice(jnp.asarray(rows), tuple(jnp.asarray(n) for n in nodes), jnp.asarray(breaks),
                                                    columns)
    else:
        policy = Table(jnp.asarray(rows))
    if d.finite:
        output = head(d.kind, d.shape[:-1] if d.kind == "choice" else d.shape, d.options)
    elif d.kind == "simplex":
        output = head("real", d.shape)
    elif d.low is None and d.high is None:
        output = head("real", d.shape)
    else:
        output = head("bounded", d.shape, mode="returning")
    width = int(reals.data.shape[-1])
    return Strategy(policy, output, jnp.zeros(width), jnp.ones(width), sizes, hard and not mixed)


def pick_first(v: Variable, keep: tuple[str, ...]) -> Variable:
    """A value that depends in truth on ``keep`` alone, with other coordinates dropped."""
    for dim in v.dims:
        if dim not in keep:
            position = v.dims.index(dim)
            v = Variable(tuple(x for x in v.dims if x != dim), jnp.take(v.data, 0, axis=position))
    return v


def real_columns(dims: tuple[str, ...], real: list[int], reals: Variable, grid: Grid,
                 ) -> tuple[tuple[int, ...], list[np.ndarray]]:
    """For every real coordinate that a decision knows: the input that shows it, and that input's values at the nodes, rising or
    falling (who sees 1 - q sees q). Rounding may make neighbours equal in the tails of a bounded law."""
    columns, nodes = [], []
    data = np.asarray(reals.data)
    for i in real:
        dim = dims[i]
        axis = reals.dims.index(dim)
        found = None
        for column in range(data.shape[-1]):
            if column in columns:
                continue
            values = np.moveaxis(data[..., column], axis, -1)
            lines = values.reshape(-1, values.shape[-1])
            steps = np.diff(lines, axis=1)
            moves = 2 * np.count_nonzero(steps, axis=1) > steps.shape[1]
            shown = moves & (np.all(steps >= 0, axis=1) | np.all(steps <= 0, axis=1))  # a mask or a `when` may blank it elsewhere
            if shown.any():
                found = column, lines[np.argmax(shown)]
                break
        if found is None:
            raise ValueError(f"no input shows {dim} alone")
        columns.append(found[0])
        nodes.append(found[1])
    return tuple(columns), nodes


def jumps(rows: np.ndarray, factor: float) -> np.ndarray:
    """Where a curve jumps (0.5: in the middle of the gap): steps far larger than the typical one."""
    steps = np.abs(np.diff(rows[..., 0], axis=1))
    second = np.abs(np.diff(rows[..., 0], n=2, axis=1))
    typical = np.median(second, axis=1, keepdims=True) + 1e-3 * np.ptp(rows[..., 0], axis=1)[:, None]
    around = np.minimum(np.pad(second, ((0, 0), (1, 0)), mode="edge"), np.pad(second, ((0, 0), (0, 1)), mode="edge"))
    return np.where((steps > factor * typical) & (around > factor * typical / 2), 0.5, 0.0)
