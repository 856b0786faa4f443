"""How far states go: boxes that hold them in all stages, under a profile and under deviations from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.evaluate import evaluate
from ..lower.plans import natural_grid
from ..lower.variable import Variable, along

if TYPE_CHECKING:
    from .policy_evaluation import Evaluation

MARGIN = 0.15  # of what play reaches
LEAST = 0.1  # of what a state is (of 1 where it is 0): the least width that is looked at
FOLLOWED = 400  # stages, through which it is followed how far states go
STILL = 1e-3 * MARGIN  # of that range: what a stage adds to it while it is still growing
DEVIATIONS = 8  # stages of deviations, through which it is followed how much further they lead
NODES = 15  # of a state, between which it is looked where it goes
ACTS = 5  # of a decision, ends included

Box = Mapping[str, tuple[float, float]]


class Unbounded(Exception):
    """States that a grid cannot hold."""


def reached(e: Evaluation) -> dict[str, tuple[float, float]]:
    """Boxes that hold the states of all stages in play, with a margin. Raises Unbounded."""
    if not e.reals:
        return {}
    grid, _ = natural_grid(e.problem, 50_000, largest=40)
    outside = e.problem.world(grid, e.problem.natural, {})
    first = {s.name: np.asarray(evaluate(outside, s.first).data) for s in e.problem.game.states if s.name in e.reals}
    ends = total = np.asarray([[first[x].min(), first[x].max()] for x in e.reals])

    @jax.jit
    def step(t: Array, ends: Array) -> Array:
        return following(e, t, ends, {})

    growing = False
    for t in range(1, min(e.length, FOLLOWED)):
        ends = np.asarray(step(jnp.asarray(float(t)), jnp.asarray(ends)))
        if not np.isfinite(ends).all():
            raise Unbounded("a state leaves every bound")
        before, total = total, joined(total, ends)
        growing = bool((np.abs(total - before).max(1) > STILL * np.ptp(total, axis=1)).any())
    if growing and e.length > FOLLOWED:
        raise Unbounded(f"a state still goes further after {FOLLOWED} stages")
    return with_margin(e, total)


def further(e: Evaluation) -> Box:
    """Boxes that hold the states to which ``DEVIATIONS`` stages of deviations lead, each to acts between their bounds, on an open side
    twice as far as they are played; those of play where there is nothing more, or they are no numbers."""
    if not e.reals:
        return e.box
    acts = [d for d in e.stage.problem.game.decisions if d.name not in e.stage.states and d.kind == "real" and not d.shape]
    start = jnp.asarray([e.box[x] for x in e.reals])

    @jax.jit
    def step(t: Array, ends: Array) -> Array:
        plain = e.at_states(t)
        ranges = {d.name: e.act_range(plain, d) for d in acts}
        one_each = [following(e, t, ends, {x: low + (high - low) * jnp.linspace(0.0, 1.0, ACTS)}) for x, (low, high) in ranges.items()]
        every = jnp.stack([following(e, t, ends, {}), *one_each])
        return jnp.stack([jnp.min(every[..., 0], 0), jnp.max(every[..., 1], 0)], -1)

    ends = np.asarray(start)
    for t in range(1, min(e.length, DEVIATIONS + 1)):
        new = joined(ends, np.asarray(step(jnp.asarray(float(t)), jnp.asarray(ends))))
        if not np.isfinite(new).all():
            return e.box
        if (np.abs(new - ends).max(1) <= STILL * np.ptp(ends, axis=1)).all():
            break
        ends = new
    grown = np.abs(ends - np.asarray(start)).max(1) > MARGIN * np.ptp(np.asarray(start), axis=1)
    return with_margin(e, ends) if grown.any() else e.box


def following(e: Evaluation, t: Array, ends: Array, acts: Mapping[str, Array]) -> Array:
    """(states, 2): between what the states of the next stage lie, of states between ``ends`` (states, 2), if some acts are any of those
    given."""
    put: dict[str, Variable] = {x: along(x, jnp.linspace(ends[i, 0], ends[i, 1], NODES)) for i, x in enumerate(e.reals)}
    world = e.world(t, {**put, **{x: along(x, v) for x, v in acts.items()}})
    values = [world.value(e.stage.following[x]).data for x in e.reals]
    return jnp.stack([jnp.stack([jnp.min(v), jnp.max(v)]) for v in values])


def joined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.stack([np.minimum(a[:, 0], b[:, 0]), np.maximum(a[:, 1], b[:, 1])], -1)


def with_margin(e: Evaluation, ends: np.ndarray) -> dict[str, tuple[float, float]]:
    out = {}
    for x, (low, high) in zip(e.reals, ends.tolist(), strict=True):
        margin = MARGIN * max(high - low, LEAST * (max(abs(low), abs(high)) or 1.0))
        out[x] = (low - margin, high + margin)
    return out
