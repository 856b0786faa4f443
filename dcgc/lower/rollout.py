"""One play for every sample: what nature drew, what everybody said and did, and what it cost them.

Finite decisions and draws have one value per sample here (an expectation would sum them out). Any value can be replaced from outside:
what arrives over a channel for a control, a message for an intervention, a decision for a tap.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Reference
from ..core.site import Channel, Decision, Random
from ..primitives.relaxations import Relaxation
from .evaluate import evaluate
from .grid import Grid
from .problem import Person, Problem
from .variable import Variable, constant, lift
from .world import Rule, World

SAMPLE = "sample"


@dataclass(frozen=True)
class Rollout:
    """``world``: on scattered samples, with every finite decision fixed sample by sample. Arrays have the samples first."""

    problem: Problem
    world: World
    samples: int

    def full(self, v: Variable) -> Array:
        """A variable at every sample, (samples, *own)."""
        data = v.data if SAMPLE in v.dims else v.data[None]
        return jnp.broadcast_to(data, (self.samples, *data.shape[1:]))

    def value(self, name: str) -> Array:
        """What a site came to: (samples, *shape); a choice one-hot, a Bool 0 or 1, a category its number."""
        return self.full(self.world.value(name))

    @cached_property
    def nature(self) -> dict[str, Array]:
        """What nature drew, the noise of channels left out."""
        own = {f"{kind}({c.name})" for c in self.problem.game.channels for kind in ("noise", "heard")} | \
            {c.name for c in self.problem.game.channels}
        return {r.name: self.value(r.name) for r in self.problem.game.randoms if r.name not in own and r.name.split("(")[0] not in (
            "noise", "heard")}

    @cached_property
    def decisions(self) -> dict[str, Array]:
        """What was decided, encoders left out."""
        return {d.name: self.value(d.name) for d in self.problem.game.decisions if d.channel is None}

    def sent(self, channel: Channel) -> Array:
        """What the encoder put in: reals (samples, D), or words 0.. (samples,)."""
        return self.as_message(channel, evaluate(self.world, channel.sent))

    def arrived(self, channel: Channel) -> Array:
        """What the listeners hear, in the same form."""
        return self.as_message(channel, evaluate(self.world, channel.message))

    def as_message(self, channel: Channel, v: Variable) -> Array:
        data = self.full(v)
        site = self.problem.dependence.sites.get(channel.message.site) if isinstance(channel.message, Reference) else None
        if isinstance(site, Random) and data.ndim == 1:
            return jnp.round(data).astype(int) - 1
        if channel.carrier == "tokens" or channel.attention:
            return jnp.argmax(data, axis=-1) if data.ndim == 2 else data.reshape((self.samples, -1))
        return data.reshape((self.samples, -1))

    def cost(self, person: Person) -> Array:
        """Cost of a player at every sample, (samples,), in cost units."""
        total: Variable = constant(0.0)
        for p in self.problem.pays(person):
            if p.constraint is None and p.information is None:
                total = lift(jnp.add, total, self.world.payment(p))
        return self.full(total)


def rollout(problem: Problem, profile: Mapping[str, Rule], grid: Grid, seed: int = 0,
            replaced: Mapping[str, Array] | None = None) -> Rollout:
    """A play on every sample of a scattered grid.

    ``profile``: strategies (a best response must be made explicit before: see ``learning.explicit``). ``replaced``: by site the
    value (samples, *shape) that stands in its place: a message (in the form in which it is heard), a draw, a decision.
    """
    if not grid.scattered:
        raise ValueError("a play needs scattered samples")
    world = problem.world(grid, problem.natural, profile, Relaxation("exact"))
    samples = grid.sizes[SAMPLE]
    fixed = {k: Variable((SAMPLE,), jnp.asarray(v)) for k, v in (replaced or {}).items()}
    if fixed:
        world = happened(world, fixed)
    uniform = np.random.default_rng(seed).random((len(problem.game.decisions), samples))
    for i, d in enumerate(problem.game.decisions):
        if d.enumerable and d.name not in fixed:
            p = world.choice(d.name)
            world = happened(world, {d.name: drawn(d, p, jnp.asarray(uniform[i]), samples)})
    return Rollout(problem, world, samples)


def happened(world: World, values: Mapping[str, Variable]) -> World:
    """The world in which these values are what came about: policies that reckon with what others do answer to them, too."""
    return dataclasses.replace(world.vary(values), base=None)


def drawn(d: Decision, p: Variable, uniform: Array, samples: int) -> Variable:
    """One option per sample from its probabilities (samples, ..., options)."""
    data = p.data if SAMPLE in p.dims else p.data[None]
    data = jnp.broadcast_to(data, (samples, *data.shape[1:]))
    steps = jnp.cumsum(data, axis=-1)
    u = uniform.reshape((-1,) + (1,) * (data.ndim - 1))
    index = jnp.sum(u > steps[..., :-1] / steps[..., -1:], axis=-1)
    if d.kind == "bool":
        return Variable((SAMPLE,), index.astype(float))
    return Variable((SAMPLE,), jax.nn.one_hot(index, data.shape[-1], dtype=data.dtype))
