"""A policy as a plain function of what its decision observes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core.expression import references
from ..core.naming import of_stage, written
from ..core.site import Decision
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.plans import Resolution, information_grid
from ..lower.problem import Problem
from ..lower.resolve import resolution
from ..lower.strategy import BestResponse, Strategy
from ..primitives.relaxations import Relaxation

FACES = 64  # of the dice over which a mixed real decision is averaged
DENSE = Resolution(hidden=400, seen=400, observation=400, derived=33, cells=True)


def decision_named(problem: Problem, name: str) -> Decision:
    """The decision of this name, or the only one of the player of this name; raises KeyError."""
    by_player = [d for d in problem.game.decisions if problem.decider(d).label == name or d.actor.name == name]
    for d in problem.game.decisions:
        if name in (d.name, of_stage(d.name), written(d.name)):
            return d
    if by_player:
        if len({of_stage(d.name) for d in by_player}) == 1:
            return by_player[0]
        raise KeyError(f"{name} decides more than once: {', '.join(d.name for d in by_player)}")
    raise KeyError(name)


def policy_function(problem: Problem, profile: Mapping[str, Any], name: str) -> Callable[..., np.ndarray]:
    """The policy of a decision, or of the player of this name, as a function of its observations in the game's order.

    Arguments are arrays that broadcast against each other (a real vector: its entries on the last axis; a Bool 0 or 1; a Choice its
    number from 1, or one-hot on the last axis; a category its number). A mixed real decision is averaged over its dice, unless they are
    given as the last argument. Returns the decision at each: reals, 0 or 1 for a Bool (a
    probability if it is mixed), the options' probabilities on a last axis for a Choice. Raises KeyError for an unknown name and
    TypeError for a wrong number of arguments.
    """
    d = decision_named(problem, name)
    rule = profile[problem.leader_of[d.name]]

    def call(*observations: Any) -> np.ndarray:
        if len(observations) == len(d.observations) - 1 and d.mixed and not d.finite:  # its own dice are not among what it knows
            faces = (np.arange(FACES) + 0.5) / FACES
            return np.mean([call(*observations, face) for face in faces], axis=0)
        if len(observations) != len(d.observations):
            raise TypeError(f"{d.name} knows {len(d.observations)} things, not {len(observations)}")
        if isinstance(rule, Strategy):
            return apply_strategy(problem, rule, d, observations)
        return apply_best_response(problem, profile, rule, d, observations)

    call.__doc__ = f"{d.name}, knowing {', '.join(str(o.kind) for o in d.observations) or 'nothing'}"
    return call


def apply_strategy(problem: Problem, s: Strategy, d: Decision, observations: tuple[Any, ...]) -> np.ndarray:
    """A strategy at many inputs."""
    index, reals, shape = flattened(d, observations)
    low, high = constant_bound(problem, d, "low"), constant_bound(problem, d, "high")

    def one(i: jax.Array, x: jax.Array) -> jax.Array:
        raw = s.raw(i, x)
        if d.finite and s.hard:
            return jnp.where(raw[0] > 0, 1.0, 0.0) if d.kind == "bool" else jax.nn.one_hot(jnp.argmax(raw), d.options)
        return s.head(raw, low, high)

    out = jax.vmap(one)(jnp.asarray(index), jnp.asarray(reals))
    return np.asarray(out).reshape((*shape, *out.shape[1:]))


def constant_bound(problem: Problem, d: Decision, side: str) -> float:
    """A bound that does not vary with what the decision knows (else: none)."""
    e = getattr(d, side)
    if e is None or references(e):
        return -math.inf if side == "low" else math.inf
    world = problem.world(Grid({}, {}, None, ()), problem.natural, {})
    return float(evaluate(world, e).data)


def flattened(d: Decision, observations: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """(points,) numbers of the finite combination, (points, d) real inputs, and the shape over the points."""
    arrays, shapes = [], []
    for o, value in zip(d.observations, observations, strict=True):
        a = np.asarray(value, float)
        own = () if o.kind != "real" else o.shape
        if o.kind == "choice" and a.ndim and o.size and a.shape[-1] == o.size:
            a = np.argmax(a, -1) + 1.0
        elif o.kind not in ("real", "choice"):
            own = o.shape
        arrays.append((o, a, len(own)))
        shapes.append(a.shape[:a.ndim - len(own)])
    shape = np.broadcast_shapes(*shapes) if shapes else ()
    count = math.prod(shape)
    index, reals = np.zeros(count, int), []
    for o, a, rank in arrays:
        full = np.broadcast_to(a, (*shape, *a.shape[a.ndim - rank:])).reshape(count, -1)
        if o.size is None:
            reals.append(full)
            continue
        for column in full.T:
            index = index * o.size + np.argmin(np.abs(column[:, None] - np.asarray(o.numbers)), -1)
    return index, np.concatenate(reals, 1) if reals else np.zeros((count, 0)), shape


def apply_best_response(problem: Problem, profile: Mapping[str, Any], rule: BestResponse, d: Decision,
                        observations: tuple[Any, ...]) -> np.ndarray:
    """An exact best response at many inputs: its conditional means, computed on a grid whose nodes are the inputs."""
    information = problem.reduction.information[d.name]
    assert information is not None
    arrays = np.broadcast_arrays(*(np.asarray(x, float) for x in observations)) if observations else []
    shape = arrays[0].shape if arrays else ()
    fine = resolution(problem, DENSE, 4_000_000) or DENSE
    dims = information.order
    count = math.prod(shape)
    if not arrays:
        world = problem.world(information_grid(problem, profile, fine), problem.reduction, profile, Relaxation("cells"))
        return np.asarray(world.choice(d.name).data)
    if len(arrays) == 1 and len(dims[0]) == 1:  # one input: all at once
        coordinate = dims[0][0]
        grid = information_grid(problem, profile, fine, only={coordinate: arrays[0].reshape(-1)})
        world = problem.world(grid, problem.reduction, profile, Relaxation("cells"))
        out = world.choice(d.name)
        return np.broadcast_to(np.asarray(out.data), (count,)).reshape(shape)
    values = np.empty(count)
    for i in range(count):  # several inputs: a grid of one point each
        only = {x: np.asarray([a.reshape(-1)[i]]) for a, names in zip(arrays, dims, strict=True) for x in names}
        grid = information_grid(problem, profile, fine, only=only)
        world = problem.world(grid, problem.reduction, profile, Relaxation("cells"))
        values[i] = float(np.ravel(world.choice(d.name).data)[0])
    return values.reshape(shape)
