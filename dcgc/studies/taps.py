"""Taps: the gradient of every player's cost by every message, sample by sample.

A value that is real has a zero added where it is made; its cotangent is the tap, and one backward pass per player has all of them.
What comes after reacts as its policy says; the policies themselves are held fixed. A value with finitely many options has for its
tap the cost of each option at that sample, less their mean: the gradient by the options' probabilities, along the simplex.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..core.site import Channel
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.rollout import SAMPLE
from ..lower.samples import finite_before, full, payers, played
from ..lower.variable import Variable
from ..lower.world import World
from .samples import options_of, sample_costs, world_of

OPTION = "tried option"


@dataclass(frozen=True)
class Tap:
    """``gradients`` (players, n, *shape), in units of cost per unit of the value; of a value with ``options``, (players, n, options) in
    units of cost. ``players``: the labels of those who pay. ``costs`` (players, n) of the samples (without ``options``)."""

    name: str
    players: tuple[str, ...]
    gradients: Array
    options: bool


def message_taps(problem: Problem, profile: Mapping[str, Any], grid: Grid, seed: int = 0) -> dict[str, Array]:
    """By channel d J_P / d message, (players, samples, *message shape), for every player that pays anything.

    ``profile``: strategies (best responses written out, see ``learning.explicit``); ``grid``: scattered samples. ``seed``: of the
    finite decisions before a message."""
    names = [c.name for c in problem.game.channels]
    return {name: tap.gradients for name, tap in taps(problem, profile, grid, names, seed).items()}


def named_taps(problem: Problem) -> tuple[str, ...]:
    """The sites that the game's `tap` lines name: of a family or an array every member and entry, of a member that one, if it is a
    site of its own."""
    names = [s.name for s in problem.game.sites]
    wanted: set[str] = set()
    for name in problem.game.taps:
        whole, member, _ = name.partition("[")
        single = {name, name.replace("[", "(").replace("]", ")")} & set(names)
        wanted |= single if member and single else {n for n in names if n == whole or n.startswith((f"{whole}[", f"{whole}("))}
    return tuple(n for n in names if n in wanted)


def taps(problem: Problem, profile: Mapping[str, Any], grid: Grid, names: Iterable[str], seed: int = 0) -> dict[str, Tap]:
    """The taps of sites (messages, lets, decisions, draws) by name. Raises ValueError for a grid that is not scattered."""
    if not grid.scattered:
        raise ValueError("taps are of single samples: they need scattered ones")
    wanted = set(names)
    ordered = [s.name for s in problem.game.sites if s.name in wanted]
    probe = world_of(problem, profile, grid)
    finite = [n for n in ordered if options_of(problem, probe, n) is not None]
    groups: dict[frozenset[str], list[str]] = {}
    for name in ordered:
        if name not in finite:
            groups.setdefault(finite_before(problem, name), []).append(name)
    people = payers(problem)
    labels = tuple(p.label for p in people)
    found: dict[str, Tap] = {}
    for before, together in groups.items():
        gradients = by_value(problem, profile, grid, together, before, seed)
        found.update({n: Tap(n, labels, gradients[n], False) for n in together})
    for name in finite:
        found[name] = Tap(name, labels, by_option(problem, profile, grid, name, seed), True)
    return {n: found[n] for n in ordered}


def by_value(problem: Problem, profile: Mapping[str, Any], grid: Grid, names: Sequence[str], before: frozenset[str],
             seed: int) -> dict[str, Array]:
    """Taps of real values by one backward pass per player."""
    people = payers(problem)

    @eqx.filter_jit
    def run(profile: Mapping[str, Any], grid: Grid) -> dict[str, Array]:
        start = played(problem, world_of(problem, profile, grid), before, seed)

        def costs(zeros: dict[str, Array]) -> Array:
            return sample_costs(problem, moved(start, names, zeros), people)

        zeros = {n: jnp.zeros_like(full(start, start.value(n))) for n in names}
        value, back = jax.vjp(costs, zeros)
        return jax.vmap(lambda payer: back(jnp.broadcast_to(payer[:, None], value.shape))[0])(jnp.eye(len(people)))

    return run(dict(profile), grid)


def moved(world: World, names: Sequence[str], by: Mapping[str, Array]) -> World:
    """The world in which something (n, *own) is added to some values, in the order of time."""
    for name in names:
        value = full(world, world.value(name)) + by[name]
        world = world.vary({name: Variable((SAMPLE,), value)})
    return world


def by_option(problem: Problem, profile: Mapping[str, Any], grid: Grid, name: str, seed: int) -> Array:
    """(players, n, options): the cost of each option of a finite value, less the mean over its options."""
    people = payers(problem)

    @eqx.filter_jit
    def run(profile: Mapping[str, Any], grid: Grid) -> Array:
        world = played(problem, world_of(problem, profile, grid), finite_before(problem, name), seed)
        options = options_of(problem, world, name)
        assert options is not None
        costs = sample_costs(problem, world.vary({name: Variable((OPTION,), options)}), people, (OPTION,))
        costs = jnp.broadcast_to(costs, (*costs.shape[:-1], options.shape[0]))
        return costs - jnp.mean(costs, axis=-1, keepdims=True)

    return run(dict(profile), grid)


def channel_of(problem: Problem, name: str) -> Channel | None:
    return next((c for c in problem.game.channels if c.name == name), None)
