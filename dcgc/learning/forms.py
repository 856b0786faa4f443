"""How a table over coordinates becomes a policy of what its decision sees: which input shows which coordinate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Expression
from ..core.site import Decision
from ..information.dependence import affine
from ..information.reduction import scalars
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Strategy, entries, finite_sizes
from ..lower.variable import Variable, along, constant, lift
from ..lower.world import World
from ..policies import head
from ..policies.lattice import Lattice
from ..policies.table import Table


@dataclass(frozen=True)
class Line:
    """A real coordinate as input ``column`` shows it: offset + slope * act, or, of a draw, its values at the nodes."""

    dim: str
    column: int
    offset: float
    slope: float
    values: np.ndarray | None


@dataclass(frozen=True)
class Form:
    """``order``: all coordinates of the table, sorted; ``finite``: those with finitely many values; ``lines``: the others. ``rows``: for
    each combination of the finite inputs the place in the table."""

    decision: Decision
    order: tuple[str, ...]
    finite: tuple[str, ...]
    lines: tuple[Line, ...]
    rows: np.ndarray
    sizes: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, problem: Problem, d: Decision, relevant: tuple[str, ...], grid: Grid) -> Form:
        """The form of a decision's table over the ``relevant`` coordinates that it knows. Raises ValueError where none is found."""
        coordinates = problem.reduction.coordinates
        order = tuple(sorted(relevant))
        finite = tuple(x for x in order if coordinates[x].role == "finite")
        world = problem.world(grid, problem.natural, {})
        lines: list[Line] = []
        column = 0
        wanted = [x for x in order if x not in finite]
        for o in d.observations:
            if o.size is not None:
                continue
            for e in scalars(o):
                inlined = problem.dependence.inline(e)
                for x in wanted:
                    line = line_of(problem, world, inlined, x, column)
                    if line is not None and all(y.dim != x for y in lines):
                        lines.append(line)
                column += 1
        missing = set(wanted) - {y.dim for y in lines}
        if missing:
            raise ValueError(f"no input of {d.name} shows {sorted(missing)[0]} alone")
        return cls(d, order, finite, tuple(sorted(lines, key=lambda y: y.dim)), rows_of(world, d, finite, grid), finite_sizes(d), column)

    def strategy(self, table: Array, nodes: Mapping[str, Array]) -> Strategy:
        """A policy that holds a table (*order, outputs). ``nodes``: the acts' values at the table's places."""
        turn = [self.order.index(x) for x in (*self.finite, *(y.dim for y in self.lines))]
        data = jnp.transpose(table, (*turn, len(turn)))
        data = data.reshape((-1, *data.shape[len(self.finite):]))[self.rows]
        inputs = []
        for axis, line in enumerate(self.lines, start=1):
            values = jnp.asarray(line.values) if line.values is not None else line.offset + line.slope * nodes[line.dim]
            falling = line.slope < 0
            inputs.append(values[::-1] if falling else values)
            data = jnp.flip(data, axis) if falling else data
        policy: Any
        if inputs:
            gaps = inputs[0].shape[0] - 1
            policy = Lattice(data, tuple(inputs), jnp.zeros((data.shape[0], gaps)), tuple(y.column for y in self.lines))
        else:
            policy = Table(data)
        d = self.decision
        kind = "bounded" if d.kind == "real" and (d.low is not None or d.high is not None) else d.kind
        output = head(kind, d.shape[:-1] if d.kind == "choice" else d.shape, d.options if d.finite else 1,
                      **({"mode": "returning"} if kind == "bounded" else {}))
        return Strategy(policy, output, jnp.zeros(self.width), jnp.ones(self.width), self.sizes, d.finite and not d.mixed)


def line_of(problem: Problem, world: World, e: Expression, dim: str, column: int) -> Line | None:
    """The line on which an input shows a coordinate (None: it does not)."""
    c = problem.reduction.coordinates[dim]
    assert c.site is not None
    if c.role == "nature":
        value = world.value(dim) if problem.dependence.of(e) == frozenset({dim}) and affine(e, dim) is not None else None
        return None if value is None or value.dims != (dim,) else Line(dim, column, 0.0, 1.0, np.asarray(value.data))
    parts = affine(e, c.site)
    if parts is None or any(problem.dependence.of(x) for x in parts):
        return None
    offset, slope = (float(evaluate(world, x).data) for x in parts)
    return None if slope == 0 else Line(dim, column, offset, slope, None)


def rows_of(world: World, d: Decision, finite: tuple[str, ...], grid: Grid) -> np.ndarray:
    """For each combination of the finite inputs the place among the combinations of ``finite`` coordinates (0: it does not occur)."""
    index: Variable = constant(0)
    for i, o in enumerate(d.observations):
        if o.size is None:
            continue
        v = world.seen(o.expression)
        if not v.dims and not v.own:  # the number of the stage, say: the table serves whatever it is
            v = along(f"free {i}", jnp.asarray(o.numbers))
        if o.kind == "choice" and v.own:
            v = Variable(v.dims, jnp.argmax(v.data, axis=-1) + 1)
        for entry in entries(v):
            index = lift(lambda i, x, o=o: i * o.size + jnp.argmin(jnp.abs(x[..., None] - jnp.asarray(o.numbers)), -1), index, entry)
    shape = [grid.sizes[x] for x in finite]
    rows = np.zeros(int(np.prod(finite_sizes(d), initial=1)), int)
    data = np.asarray(index.data)
    for place in np.ndindex(data.shape):
        at = dict(zip(index.dims, place, strict=True))
        rows[int(data[place])] = np.ravel_multi_index([at[x] for x in finite], shape) if finite else 0
    return rows
