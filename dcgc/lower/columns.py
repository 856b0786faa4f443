"""Base values of draws as the columns of one matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Decision, Random, State
from ..primitives.distributions import DISTRIBUTIONS
from .grid import Grid
from .plans import base_shape
from .problem import Problem
from .rollout import SAMPLE


@dataclass(frozen=True)
class Columns:
    """Where the draws of some sites stand in a matrix of base values (samples, normal + uniform)."""

    slots: tuple[tuple[str, int, tuple[int, ...]], ...]
    normal: int
    uniform: int

    @classmethod
    def of(cls, problem: Problem, sites: Sequence[Random], uniform: Sequence[str] = (), moved: Sequence[State] = ()) -> Columns:
        """``uniform``: names of further columns. ``moved``: states that are moved by a normal draw, each member's by its own."""
        groups: dict[str, list[tuple[str, tuple[int, ...]]]] = {"normal": [], "uniform": []}
        for site in sites:
            law = DISTRIBUTIONS[site.distribution]
            kind = "normal" if getattr(law, "base", "uniform") == "normal" else "uniform"
            groups[kind].append((site.name, tuple(a.size for a in site.axes) + base_shape(problem, site)))
        groups["uniform"] += [(name, ()) for name in uniform]
        groups["normal"] += [(s.name, tuple(a.size for a in s.axes)) for s in moved]
        start, slots = 0, []
        for name, shape in (*groups["normal"], *groups["uniform"]):
            slots.append((name, start, shape))
            start += math.prod(shape)
        gaussian = sum(math.prod(s) for _, s in groups["normal"])
        return cls(tuple(slots), gaussian, start - gaussian)

    @property
    def width(self) -> int:
        return self.normal + self.uniform

    def draw(self, key: Array, samples: int, antithetic: bool) -> Array:
        """Independent base values (samples, width); ``antithetic``: the second half mirrors the first."""
        count = samples // 2 if antithetic else samples
        one, two = jax.random.split(key)
        parts = []
        if self.normal:
            z = jax.random.normal(one, (count, self.normal))
            parts.append(jnp.concatenate([z, -z]) if antithetic else z)
        if self.uniform:
            u = jax.random.uniform(two, (count, self.uniform), minval=1e-7, maxval=1 - 1e-7)
            parts.append(jnp.concatenate([u, 1 - u]) if antithetic else u)
        return jnp.zeros((samples, 0)) if not parts else parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=1)

    def grid(self, values: Array, finite: Sequence[Decision]) -> Grid:
        """Scattered samples, and a coordinate for each of some finite decisions."""
        n = values.shape[0]
        sizes = [(d.name, d.options) for d in finite]
        return Grid({k: jnp.arange(float(s)) for k, s in sizes},
                    {SAMPLE: jnp.full(n, 1.0 / n), **{k: jnp.ones(s) for k, s in sizes}},
                    values, ((SAMPLE, n), *sizes), (), frozenset(), self.slots)
