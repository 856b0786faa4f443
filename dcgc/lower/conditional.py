"""Expectations from one move of a game on, given what is known there."""

from __future__ import annotations

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np

from ..core.site import Decision
from .evaluate import evaluate
from .variable import Variable, constant, contract, lift, union
from .world import World


def conditional(world: World, v: Variable, keep: tuple[str, ...]) -> Variable:
    """E of a variable at every point of ``keep``, in its units: what is kept is known, so its own law does not count."""
    pending = [x for x in v.dims if x not in keep]
    seen: set[str] = set()
    factors: list[Variable] = []
    while pending:
        dim = pending.pop()
        if dim in seen or dim in keep or dim not in world.grid.sizes:
            continue
        seen.add(dim)
        f = world.factor(dim)
        factors.append(f)
        pending.extend(f.dims)
    extra = tuple(x for x in union([v, *factors]) if x not in world.grid.sizes)
    return contract([v, *factors], (*keep, *extra))


def told_by_conditions(world: World, decisions: Iterable[Decision], told: Iterable[str]) -> dict[str, Variable]:
    """Values of earlier finite decisions (the names ``told``) that the conditions of some decisions tell: the first under which all
    conditions hold."""
    holds: Variable = constant(1.0)
    for d in decisions:
        for g in d.guards:
            holds = lift(jnp.multiply, holds, evaluate(world, g, raw=True))
    used = tuple(sorted(x for x in told if x in holds.dims))
    table = np.asarray(contract([holds], used).data)
    place = np.unravel_index(int(np.argmax(table > 0)), table.shape)
    out = {}
    for x, k in zip(used, place, strict=True):
        site = world.dependence.sites[x]
        assert isinstance(site, Decision)
        out[x] = constant(float(k)) if site.kind == "bool" else constant(jnp.eye(site.options)[k])
    return out
