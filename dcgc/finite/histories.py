"""Histories of a game side by side: what has been drawn and decided in each, and any expression's value in all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import jax.numpy as jnp
import numpy as np

from ..core.expression import Expression
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Person, Problem
from ..lower.variable import Variable, constant, lift
from ..lower.world import World
from ..primitives.relaxations import Relaxation

SAMPLE = "sample"
SAME = 1e-9  # values that differ by less, relatively, are seen as one


@dataclass(frozen=True)
class Histories:
    """``values``: of every draw and decision so far (histories, *shape), 0 where it does not exist."""

    problem: Problem
    count: int
    values: Mapping[str, np.ndarray] = field(default_factory=dict)

    def world(self) -> World:
        """The game with one scattered sample for each history; samples are added up to a power of two, so that compiled operations are
        used again."""
        size = 1 << max(self.count - 1, 0).bit_length()
        grid = Grid({}, {SAMPLE: jnp.full(size, 1.0 / size)}, jnp.zeros((size, 0)), ((SAMPLE, size),))
        world = self.problem.world(grid, self.problem.natural, {}, Relaxation("exact"))
        filled = {name: np.concatenate([v, np.repeat(v[:1], size - self.count, 0)]) for name, v in self.values.items()}
        return replace(world, overrides={name: Variable((SAMPLE,), jnp.asarray(v)) for name, v in filled.items()})

    def full(self, v: Variable) -> np.ndarray:
        """A variable in every history, (histories, *own)."""
        data = np.asarray(v.data if SAMPLE in v.dims else v.data[None])
        return np.broadcast_to(data[:self.count] if SAMPLE in v.dims else data, (self.count, *data.shape[1:]))

    def value(self, world: World, e: Expression) -> np.ndarray:
        return self.full(evaluate(world, e))

    def holds(self, world: World, conditions: tuple[Expression, ...]) -> np.ndarray:
        """(histories,) whether all conditions hold."""
        out = np.ones(self.count, bool)
        for c in conditions:
            out &= self.full(evaluate(world, c, raw=True)).reshape(self.count, -1)[:, 0] != 0
        return out

    def cost(self, world: World, person: Person) -> np.ndarray:
        """(histories,) what a player pays in all, its teams' payments among it."""
        total = constant(0.0)
        for p in self.problem.pays(person):
            total = lift(jnp.add, total, world.payment(p))
        return self.full(total)

    def grown(self, rows: np.ndarray, name: str, values: np.ndarray) -> Histories:
        """Each of ``rows`` (numbers of histories, repeated) continued by one value of a further draw or decision."""
        return Histories(self.problem, len(rows), {**{k: v[rows] for k, v in self.values.items()}, name: values})


def alike(seen: list[np.ndarray], count: int) -> np.ndarray:
    """(histories,) a number for each combination of values (histories, ...): equal where all are equal, up to 1e-9 relatively."""
    columns = [column for v in seen for column in np.asarray(v, float).reshape(count, -1).T]
    codes = np.zeros((count, len(columns) + 1), int)
    for k, x in enumerate(columns):
        order = np.argsort(x, kind="stable")
        y = x[order]
        apart = np.diff(y) > SAME * np.maximum(np.abs(y[1:]), np.abs(y[:-1])) + 1e-12 * max(1e-300, float(np.abs(x).max(initial=0)))
        codes[order, k] = np.concatenate([[0], np.cumsum(apart)])
    return np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
