"""What single deviations gain in a stage, at every state and every input, with the costs to come of the profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array

from ..core.site import Decision
from ..information.subgames import Move
from ..lower.conditional import conditional
from ..lower.evaluate import evaluate
from ..lower.minimise import least_point
from ..lower.variable import Variable, along, constant
from ..lower.world import World
from .regret import CANDIDATE, tabulated
from .search import widening_traced

if TYPE_CHECKING:
    from .policy_evaluation import Evaluation

INPUTS = {0: 1, 1: 61, 2: 31, 3: 13}  # nodes of a real number that a decision sees, by how many matter
PAIRED = (17, 9, 5)  # acts at first, acts around the best, how often, where two are sought together


def stage_gains(e: Evaluation, values: Mapping[str, Array], t: Array) -> dict[str, Array]:
    """By decision the largest gain, (), in stage ``t``; where a player takes several at the same time, with the first of them that of
    all together. ``values``: by player the costs to come at the nodes of the states."""
    inner = e.stage.problem
    gains: dict[str, Array] = {}
    for move in e.order:
        for name in move.decisions:
            person = inner.decider(inner.game.site(name))  # type: ignore[arg-type]
            if name not in e.problem.copied and person.label in values:  # the member that stands for all others pays nothing of its own
                gains[name] = gain(e, move, inner.game.site(name), values, t)  # type: ignore[arg-type]
        for own in together(e, move):
            if all(d.name in gains for d in own):
                gains[own[0].name] = jnp.maximum(gains[own[0].name], joint_gain(e, move, own, values, t))
    return gains


def together(e: Evaluation, move: Move) -> list[list[Decision]]:
    """Decisions of a move that one player takes at the same time, where it takes several."""
    inner = e.stage.problem
    sites: list[Decision] = [inner.game.site(x) for x in move.decisions]  # type: ignore[misc]
    by_person = [[d for d in sites if inner.decider(d) == p] for p in dict.fromkeys(inner.decider(d) for d in sites)]
    return [own for own in by_person if len(own) > 1]


def gain(e: Evaluation, move: Move, d: Decision, values: Mapping[str, Array], t: Array) -> Array:
    """The largest gain of another act at any input of a decision."""
    inner = e.stage.problem
    world, keep, shape = inputs(e, move, [d], t)
    label = inner.decider(d).label
    touched = inner.dependence.payments_of(d.name)
    if d.finite:
        own = (*keep, d.name)
        q = tabulated(e.paid(world, label, values[label], own, touched), own, (*shape, d.options))
        law = tabulated(conditional(world, world.factor(d.name), own), own, (*shape, d.options))
        return jnp.max(jnp.sum(jnp.where(law > 0, law * q, 0.0), -1) - jnp.min(jnp.where(jnp.isnan(q), jnp.inf, q), -1))
    chosen = tabulated(world.choice(d.name), keep, shape)
    order = tuple(sorted((*keep, CANDIDATE)))
    turn = [(*keep, CANDIDATE).index(x) for x in order]

    def q_of(acts: Array) -> Array:
        varied = world.vary({d.name: Variable(order, jnp.transpose(acts, turn))})
        return tabulated(e.paid(varied, label, values[label], (*keep, CANDIDATE), touched), (*keep, CANDIDATE), acts.shape)

    bottom, top = bounds(e, world, d, t, keep, shape)
    at_chosen = q_of(chosen[..., None])[..., 0]
    least, open_still = widening_traced(q_of, bottom, top, chosen, at_chosen, d.low is None, d.high is None)
    return jnp.max(jnp.where(open_still, jnp.inf, at_chosen - least))


def inputs(e: Evaluation, move: Move, own: Sequence[Decision], t: Array) -> tuple[World, tuple[str, ...], tuple[int, ...]]:
    """A world in which what decisions of a move know lies along coordinates: those that matter, and how many nodes each has."""
    inner = e.stage.problem
    roles = inner.reduction.coordinates
    known = {x for d in own for x in inner.reduction.information[d.name].dims}  # type: ignore[union-attr]
    keep = tuple(sorted({*move.relevant, *(x for x in known if roles[x].role == "finite")}))
    reals = [x for x in move.relevant if roles[x].role != "finite"]
    draws = tuple(x for x in reals if roles[x].role == "nature")
    count = INPUTS[len(reals)]
    put: dict[str, Variable] = {x: constant(1.0) for x in move.reached}
    plain = e.at_states(t)
    for x in {*move.relevant, *known, *e.reals}:
        if x in draws or roles[x].role == "finite" or x in move.decisions:
            continue
        if roles[x].role == "nature":  # known, but it does not matter: at its median
            put[x] = constant(jnp.median(plain.value(x).data))
            continue
        low, high = e.box[x] if x in e.reals else e.act_range(plain, inner.game.site(x))  # type: ignore[arg-type]
        put[x] = along(x, low + (high - low) * jnp.linspace(0.0, 1.0, count)) if x in reals else constant((low + high) / 2)
    world = e.world(t, put, draws)
    return world, keep, tuple(count if x in reals else world.grid.sizes[x] for x in keep)


def bounds(e: Evaluation, world: World, d: Decision, t: Array, keep: tuple[str, ...], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Between what an act is tried at first, at every input (*shape)."""
    low, high = e.act_range(e.at_states(t), d)
    return (jnp.broadcast_to(tabulated(constant(low) if d.low is None else evaluate(world, d.low), keep, shape), shape),
            jnp.broadcast_to(tabulated(constant(high) if d.high is None else evaluate(world, d.high), keep, shape), shape))


def joint_gain(e: Evaluation, move: Move, own: Sequence[Decision], values: Mapping[str, Array], t: Array) -> Array:
    """The largest gain of other acts at all decisions that a player takes at the same time: of finite ones every combination of
    options, of two real ones acts between their bounds, one within the other; infinite, for not known, of others."""
    inner = e.stage.problem
    world, keep, shape = inputs(e, move, own, t)
    label = inner.decider(own[0]).label
    touched = frozenset().union(*(inner.dependence.payments_of(d.name) for d in own))
    names = tuple(d.name for d in own)
    if all(d.finite for d in own):
        kept, full = (*keep, *names), (*shape, *(d.options for d in own))
        costs = tabulated(e.paid(world, label, values[label], kept, touched), kept, full)
        law = jnp.ones(full)
        for d in own:
            law = law * tabulated(conditional(world, world.factor(d.name), kept), kept, full)
        axes = tuple(range(len(shape), len(full)))
        return jnp.max(jnp.sum(jnp.where(law > 0, law * costs, 0.0), axes) - jnp.min(jnp.where(jnp.isnan(costs), jnp.inf, costs), axes))
    if len(own) > 2 or any(d.finite for d in own):
        return jnp.asarray(jnp.inf)
    extra = (CANDIDATE, f"{CANDIDATE} 2")

    def q_of(*acts: Array) -> Array:
        """Costs (*shape, n, m) of acts (*shape, n, m) at both."""
        order = (*keep, *extra)
        dims = tuple(sorted(order))
        turn = [order.index(x) for x in dims]
        varied = world.vary({x: Variable(dims, jnp.transpose(a, turn)) for x, a in zip(names, acts, strict=True)})
        return tabulated(e.paid(varied, label, values[label], order, touched), order, acts[0].shape)

    (low, high), (bottom, top) = (bounds(e, world, d, t, keep, shape) for d in own)

    def best_other(first: Array) -> Array:
        """(*shape, n): the least cost over the second act, of first acts (*shape, n)."""
        def costs(second: Array) -> Array:
            return q_of(jnp.broadcast_to(first[..., None], second.shape), second)

        least, most = (jnp.broadcast_to(x[..., None], first.shape) for x in (bottom, top))
        return least_point(costs, least, most, *PAIRED)[1]

    chosen = [tabulated(world.choice(x), keep, shape)[..., None, None] for x in names]
    return jnp.max(q_of(*chosen)[..., 0, 0] - least_point(best_other, low, high, *PAIRED)[1])
