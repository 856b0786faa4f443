"""The ledger of a channel: what it could carry, what it did carry, and whether it kept to its budget."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from ..core.expression import Parameter
from ..core.site import Channel, Constraint, Decision
from ..lower.evaluate import evaluate
from ..lower.information import finite_choice, message_coordinate, method
from ..lower.problem import Problem
from ..lower.variable import constant, contract
from ..lower.world import World
from ..protocols import coding
from .figures import ChannelLedger, Figure

NATS = math.log(2)
SILENT = 1e-6  # bits
USES = 4096  # of a channel, that are coded


def ledgers(problem: Problem, worlds: list[World], figure: object) -> tuple[ChannelLedger, ...]:
    """A ledger for every channel, read on the worlds of the scorecard. ``figure``: makes a figure of values, one a world."""
    return tuple(ledger(problem, c, worlds, figure) for c in problem.game.channels)


def ledger(problem: Problem, c: Channel, worlds: list[World], figure: object) -> ChannelLedger:
    told = [told_by_each(w, c) for w in worlds]
    rates = [x.mean() for x in told]
    rate: Figure = figure(f"rate({c.name})", [np.asarray(r) for r in rates])  # type: ignore[operator]
    last = worlds[-1]
    budget = math.nan if c.budget is None else c.budget
    largest = float(np.mean(told, axis=0).max())
    held = [k for k in problem.game.constraints if k.name == c.name]
    length, stop = lengths(problem, c, last)
    law = heard_law(problem, c, last)
    return ChannelLedger(
        c.name, ", ".join(c.listeners), carrier_text(c), noise_text(c), c.nominal, c.capacity, budget, c.average, rate,
        method(last, c.information), math.nan if law is None else bits_of(law),
        budget - rate.value if c.budget is not None else math.nan, length, stop,
        multiplier(last, held[0]) if held else math.nan, max(0.0, largest - budget) if c.budget is not None else 0.0,
        math.nan if law is None else coded(law), told[-1].size)


def told_by_each(world: World, c: Channel) -> np.ndarray:
    """(members,) bits a use, of every channel of a family; of a single one (1,)."""
    density = world.loop(c, lambda: world.information(c.information)) if c.axes else world.information(c.information)
    told = np.asarray(world.expectation(density).data) / NATS
    members = math.prod(a.size for a in c.axes)
    return np.broadcast_to(told.reshape(-1), (members,)) if told.size == 1 else told.reshape(-1)


def carrier_text(c: Channel) -> str:
    if c.carrier == "tokens":
        return f"{c.shape[0]} token{'s' * (c.shape[0] > 1)} of {c.shape[1]}"
    n = math.prod(c.shape)
    return f"{n} real{'s' * (n > 1)}" + (", any law" if c.attention else "")


def noise_text(c: Channel) -> str:
    if c.noise in ("erasure", "bsc"):
        return f"{c.noise}({c.p:g})"
    return f"gaussian, sd {c.sd:.4g}" if c.sd > 0 else "none"


def multiplier(world: World, c: Constraint) -> float:
    """Cost units per bit."""
    return float(evaluate(world, Parameter(c.multiplier)).data) * NATS


def word_law(problem: Problem, c: Channel, world: World) -> np.ndarray | None:
    """How often each word is sent; None where words cannot be listed."""
    site = problem.dependence.sites.get(c.encoder)
    if not isinstance(site, Decision) or not site.enumerable:
        return None
    if site.name in world.grid.sizes:
        return np.asarray(contract([constant(1.0), *world.closure((site.name,))], (site.name,)).data)
    return np.asarray(world.expectation(world.choice(site.name)).data)


def bits_of(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def heard_law(problem: Problem, c: Channel, world: World) -> np.ndarray | None:
    """How often each value of a message with finitely many is heard; None of any other message."""
    dim = message_coordinate(world, c.information)
    if dim is not None and world.reduction.coordinates[dim].role == "finite":
        return np.asarray(contract([constant(1.0), *world.closure((dim,))], (dim,)).data)
    return word_law(problem, c, world) if finite_choice(world, c.information) is not None else None


def coded(law: np.ndarray) -> float:
    """Bits a use: the length of ``USES`` words drawn from their law, written by the entropy coder that knows it."""
    if not np.all(np.isfinite(law)) or law.max() <= 0:
        return math.nan
    words = np.random.default_rng(0).choice(len(law), USES, p=np.maximum(law, 0) / np.maximum(law, 0).sum())
    return 8 * len(coding.encode(words, coding.FrequencyModel.from_counts(np.maximum(law, 0)))) / USES


def lengths(problem: Problem, c: Channel, world: World) -> tuple[float, float]:
    """(expected number of tokens, bits that the place of the STOP tells)."""
    if not c.stop:
        return math.nan, math.nan
    if c.carrier == "tokens":
        law = word_law(problem, c, world)
        if law is None:
            return math.nan, math.nan
        sizes = np.asarray([sum(x > 0 for x in w) for w in c.words])
        by_length = np.asarray([law[sizes == n].sum() for n in range(c.shape[0] + 1)])
        return float(law @ sizes), bits_of(by_length)
    assert c.lengths is not None
    expected = world.expectation(evaluate(world, c.lengths))
    return float(jnp.sum(expected.data)), 0.0  # a soft STOP fades tokens before the noise: who listens hears of it only through that


def is_babbling(problem: Problem, world: World) -> bool:
    """Whether nobody tells anybody anything (and somebody could)."""
    channels = [c for c in problem.game.channels if not c.attention]
    return bool(channels) and all(float(told_by_each(world, c).max()) < SILENT for c in channels)


