"""What a message is made of and what it does: its Fisher information about what the sender knows, and what a listener makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import references
from ..core.site import Channel, Decision
from ..gradients.fisher import effective_rank, spectrum
from ..lower.enumerated import EnumeratedReply
from ..lower.grid import Grid
from ..lower.jacobians import each_jacobian, whitened_jacobians
from ..lower.problem import Problem
from ..lower.rollout import SAMPLE
from ..lower.samples import full, played, with_samples
from ..lower.strategy import Strategy
from ..lower.variable import Variable
from ..lower.world import World
from .samples import options_of, world_of
from .taps import OPTION

MOST = 512  # samples of a Jacobian
LARGEST = 4096  # entries of one


@dataclass(frozen=True)
class Fisher:
    """``eigenvalues`` of the mean information about the inputs, falling, per squared spread of each input; ``rank``: effective, of that
    spectrum; ``sample_rank``: the mean of the samples' own. ``whitened``: whether the channel has the noise that makes it information."""

    eigenvalues: np.ndarray
    rank: float
    sample_rank: float
    whitened: bool


@dataclass(frozen=True)
class ListenerResponse:
    """``singular_values``, falling: root mean squares over the samples of those of d ``what`` / d message (for words: of the table of
    ``what`` by word, its mean taken off)."""

    decision: str
    what: str
    singular_values: np.ndarray


def few(grid: Grid) -> Grid:
    assert grid.samples is not None
    return with_samples(grid, grid.samples[:MOST])


def fisher(problem: Problem, profile: Mapping[str, Any], channel: Channel, grid: Grid, seed: int = 0) -> Fisher | None:
    """Of what arrives about the encoder's real inputs, each in units of its own spread. None without real inputs, or where the encoder
    is no single strategy. Erased messages count as if they had arrived."""
    d = problem.dependence.sites[channel.encoder]
    assert isinstance(d, Decision)
    own = profile.get(d.name, profile.get(problem.leader_of[d.name]))
    if not isinstance(own, Strategy) or d.axes or own.location.shape[0] == 0:
        return None
    grid = few(grid)
    finite = frozenset(x.name for x in problem.game.decisions if x.enumerable and x.name in problem.dependence.ancestors[d.name])

    @eqx.filter_jit
    def jacobians(profile: Mapping[str, Any], grid: Grid) -> Array:
        return whitened_jacobians(played(problem, world_of(problem, profile, grid), finite, seed), channel, d)

    found = jacobians(dict(profile), grid)
    values = spectrum(found)
    own_ranks = effective_rank(spectrum(found, per_sample=True))
    return Fisher(np.asarray(values), float(effective_rank(values)), float(jnp.mean(own_ranks)), d.finite or channel.sd > 0)


def listeners(problem: Problem, channel: Channel) -> tuple[Decision, ...]:
    """The decisions that see the message itself."""
    return tuple(d for d in problem.game.decisions if not d.axes and any(channel.name in references(o.expression) for o in d.observations))


def responses(problem: Problem, profile: Mapping[str, Any], channel: Channel, grid: Grid, seed: int = 0) -> list[ListenerResponse]:
    """What each listener's decision, or its probabilities, make of the message; finite decisions before are played."""
    grid = few(grid)
    out = []
    for d in listeners(problem, channel):
        before = frozenset(x.name for x in problem.game.decisions if x.enumerable and x.name in problem.dependence.ancestors[d.name])
        values, what = response(problem, profile, channel, d, grid, before, seed)
        if values is not None:
            out.append(ListenerResponse(d.name, what, np.sqrt(np.mean(np.asarray(values) ** 2, axis=0))))
    return out


def response(problem: Problem, profile: Mapping[str, Any], channel: Channel, d: Decision, grid: Grid, before: frozenset[str],
             seed: int) -> tuple[Array | None, str]:
    """(n, k) singular values, and of what."""
    rule = profile.get(d.name, profile.get(problem.leader_of[d.name]))
    by_reply = isinstance(rule, EnumeratedReply)
    what = "expected cost of each option" if by_reply else "probabilities" if d.finite else "decision"

    def action(world: World) -> Variable:
        if by_reply:
            return rule.conditional_costs(world, d)  # type: ignore[union-attr]
        p = world.choice(d.name)
        return Variable(p.dims, p.data[..., 1:]) if d.kind == "bool" else p

    @eqx.filter_jit
    def run(profile: Mapping[str, Any], grid: Grid) -> Array:
        start = world_of(problem, profile, grid)
        options = options_of(problem, start, channel.name)
        world = played(problem, start, before - {channel.name} if options is not None else before, seed)
        if options is not None:
            tried = action(world.vary({channel.name: Variable((OPTION,), options)}))
            table = tried.data if SAMPLE in tried.dims else tried.data[None]
            table = table.reshape(table.shape[0], options.shape[0], -1)
            return jnp.linalg.svd(table - jnp.mean(table, axis=1, keepdims=True), compute_uv=False)
        at = full(world, world.value(channel.name))

        def act(message: Array) -> Array:
            moved = world.vary({channel.name: Variable((SAMPLE,), message.reshape(at.shape))})
            return full(world, action(moved)).reshape(at.shape[0], -1)

        return jnp.linalg.svd(each_jacobian(act, at.reshape(at.shape[0], -1)), compute_uv=False)

    return run(dict(profile), grid), what
