"""From a policy (a function of one standardised situation) to a rule on the grid, and the rules that need no parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Reference, references
from ..core.site import Decision
from ..policies import Affine, Head, Policy
from ..primitives.relaxations import Relaxation
from .blocks import in_blocks, vectorised
from .evaluate import evaluate
from .variable import Variable, constant, expand, lift, stack, take, union

if TYPE_CHECKING:
    from .world import World


SEVERAL = 4  # entries of a vector that are multiplied one by one
PAIRWISE = 8  # options of a hard decision that are compared pair by pair
ERROR = 0.01  # how much worse, over what is at stake, an error is that is e times rarer


class Strategy(eqx.Module):
    """A policy with its head, for a decision's observations in the game's own units.

    ``location``, ``scale`` (d,): the real inputs are standardised by them. ``sizes``: how many values each finite input has.
    ``hard``: a finite decision is a function of its inputs (the option with the largest raw output) and no distribution.
    """

    policy: Policy
    head: Head
    location: Array
    scale: Array
    sizes: tuple[int, ...] = eqx.field(static=True, default=())
    hard: bool = eqx.field(static=True, default=False)

    def __call__(self, world: World, d: Decision) -> Variable:
        return self.moved(world, d, None)

    def moved(self, world: World, d: Decision, nudge: Variable | None) -> Variable:
        """What is decided if the standardised real inputs were moved by ``nudge`` (d,)."""
        return self.decided(world, d, *self.situations(world, d, nudge))

    def of_first(self, world: World, d: Decision) -> Variable:
        """What the first member of a large family decides, worked out for it alone."""
        return self.decided(world, d, *self.situations(world, d, first=True))

    def decided(self, world: World, d: Decision, raw: Variable, low: Array, high: Array) -> Variable:
        """The decision from raw outputs and bounds."""
        if d.finite and self.hard:
            return hard_choice(world, d, raw)
        shape = raw.data.shape[:len(raw.dims)]
        out = jax.vmap(self.head)(*(x.reshape((-1, *x.shape[len(shape):])) for x in (raw.data, low, high)))
        if d.kind == "bool":
            out = jnp.stack([1 - out, out], -1)
        return Variable(raw.dims, out.reshape((*shape, *out.shape[1:])))

    def errors(self, world: World, d: Decision) -> Variable:
        """Which option a finite decision takes when it errs: the rarer, the worse it is by the policy's own reckoning (Myerson 1978;
        logit errors, McKelvey and Palfrey 1995). Last own axis: the options."""
        raw, _, _ = self.situations(world, d)
        scores = jnp.stack([jnp.zeros_like(raw.data[..., 0]), raw.data[..., 0]], -1) if d.kind == "bool" else raw.data
        short = scores - jnp.max(scores, -1, keepdims=True)
        width = ERROR * jnp.maximum(-jnp.min(short), 1e-30)
        return Variable(raw.dims, jax.nn.softmax(jnp.maximum(short / width, -500.0), -1))

    def standardised(self, world: World, d: Decision) -> Variable:
        """The real inputs (d,) as the policy sees them."""
        _, reals = inputs(world, d)
        return Variable(reals.dims, (reals.data - self.location) / self.scale)

    def situations(self, world: World, d: Decision, nudge: Variable | None = None, first: bool = False) -> tuple[Variable, Array, Array]:
        """Raw outputs and bounds in every situation that the grid has. ``nudge``: added to the standardised real inputs. ``first``: of
        the first member of a large family alone."""
        if d.repeated and isinstance(self.policy, Affine) and nudge is None:
            by_parts = self.affine_by_parts(world, d, first)
            if by_parts is not None:
                return by_parts
        index, reals = inputs(world, d)
        if nudge is not None:
            reals = lift(lambda x, e: x + e * self.scale, reals, nudge)
        bounds = [constant(-math.inf) if d.low is None else evaluate(world, d.low),
                  constant(math.inf) if d.high is None else evaluate(world, d.high)]
        variables = [index, reals, *bounds]
        if first:
            variables = [take(v, d.axes[0].name, 0) for v in variables]
        dims = union(variables)
        sizes = {x: v.size(x) for v in variables for x in v.dims}
        shape = tuple(sizes[x] for x in dims)
        count = math.prod(shape)
        flat = [jnp.broadcast_to(expand(v, dims, len(v.own)), (*shape, *v.own)).reshape((count, *v.own)) for v in variables]
        if variables[0].dims:
            raw = vectorised(Raw(self), flat[0], flat[1])
        else:  # the same coefficients in every situation
            raw = vectorised(RawAt(self, variables[0].data), flat[1])
        low, high = (x.reshape((*shape, *x.shape[1:])) for x in flat[2:])
        return Variable(dims, raw.reshape((*shape, *raw.shape[1:]))), low, high

    def affine_by_parts(self, world: World, d: Decision, first: bool) -> tuple[Variable, Array, Array] | None:
        """The same for an affine policy whose finite inputs are the same in every situation: inputs are multiplied and added one by one,
        each along its own coordinates, and never laid side by side. None where the finite inputs vary, or bounds do."""
        index, parts = separate_inputs(world, d)
        if index.dims or any(b is not None and references(b) for b in (d.low, d.high)):
            return None
        assert isinstance(self.policy, Affine)
        location, scale = jax.lax.stop_gradient((self.location, self.scale))
        at = index.data.astype(int)
        gains, total, start = self.policy.gains[at] / scale, constant(self.policy.offsets[at]), 0
        total = constant(total.data - gains @ location)
        for v in parts:
            v = take(v, d.axes[0].name, 0) if first else v
            size = v.own[0]
            if size > SEVERAL:
                total = lift(jnp.add, total, Variable(v.dims, v.data @ gains[:, start:start + size].T))
            else:
                for k in range(size):
                    total = lift(jnp.add, total, Variable(v.dims, v.data[..., k, None] * gains[:, start + k]))
            start += size
        if d.axes and not first and d.axes[0].name not in total.dims:
            return None
        low, high = (constant(x) if b is None else evaluate(world, b) for b, x in ((d.low, -math.inf), (d.high, math.inf)))
        shape = total.data.shape[:len(total.dims)]
        return total, jnp.broadcast_to(low.data, (*shape, *low.own)), jnp.broadcast_to(high.data, (*shape, *high.own))

    @property
    def deterministic(self) -> bool:
        """Whether a finite decision takes one option in each situation."""
        return self.hard

    def option(self, world: World, d: Decision) -> Variable:
        """The number, from 0, of the option that a hard choice takes: nothing as large as situations by options is kept."""
        index, reals = inputs(world, d)
        dims = union([index, reals])
        sizes = {x: v.size(x) for v in (index, reals) for x in v.dims}
        shape = tuple(sizes[x] for x in dims)
        flat = [jnp.broadcast_to(expand(v, dims, len(v.own)), (*shape, *v.own)).reshape((-1, *v.own)) for v in (index, reals)]
        return Variable(dims, in_blocks(Largest(self, d.kind == "bool"), *flat).reshape(shape))

    def raw(self, index: Array, reals: Array) -> Array:
        """The policy's raw output in one situation: finite index (), real inputs (d,) in the game's units."""
        location, scale = jax.lax.stop_gradient((self.location, self.scale))
        return self.policy(index.astype(int), (reals - location) / scale)

    def trainable(self) -> Strategy:
        """A tree of bools: true at the policy's own trainable leaves."""
        nothing = jax.tree.map(lambda _: False, self)
        return eqx.tree_at(lambda s: s.policy, nothing, self.policy.trainable())


class Raw(eqx.Module):
    """A strategy's raw outputs in one situation."""

    strategy: Strategy

    def __call__(self, index: Array, reals: Array) -> Array:
        return self.strategy.raw(index, reals)


class RawAt(eqx.Module):
    """A strategy's raw outputs where the finite inputs are the same in every situation."""

    strategy: Strategy
    index: Array

    def __call__(self, reals: Array) -> Array:
        return self.strategy.raw(self.index, reals)


class Largest(eqx.Module):
    """The number of a strategy's largest raw output in one situation, the first of equal ones."""

    strategy: Strategy
    yes_or_no: bool = eqx.field(static=True)

    def __call__(self, index: Array, reals: Array) -> Array:
        raw = self.strategy.raw(index, reals)
        return (raw[0] > 0).astype(int) if self.yes_or_no else jnp.argmax(raw)


def hard_choice(world: World, d: Decision, raw: Variable) -> Variable:
    """Probabilities 0 and 1 (in a cell that a switch divides: the parts) of the option with the largest raw output."""
    if d.kind == "bool":
        yes = world.step(Variable(raw.dims, raw.data[..., 0]), 0.0)
        return lift(lambda p: jnp.stack([1 - p, p], -1), yes)
    if d.options > PAIRWISE:
        return nearest_rival(world, raw)
    options = [Variable(raw.dims, raw.data[..., k]) for k in range(d.options)]
    parts = []
    for k, mine in enumerate(options):
        p = constant(1.0)
        for j, other in enumerate(options):
            if j != k:  # the earlier of two equal options is chosen
                p = lift(jnp.multiply, p, world.step(lift(jnp.subtract, mine, other), 1.0 if k < j else 0.0))
        parts.append(p)
    stacked = stack(parts)
    joint = Variable(stacked.dims, jnp.moveaxis(stacked.data, len(stacked.dims), -1))
    return Variable(joint.dims, joint.data / jnp.sum(joint.data, -1, keepdims=True))


def nearest_rival(world: World, raw: Variable) -> Variable:
    """The same for many options, each compared with the best of the others alone: the work is linear in their number, and what is
    lost are cells in which three options meet."""
    if world.relaxation.kind == "exact":
        return Variable(raw.dims, jax.nn.one_hot(jnp.argmax(raw.data, -1), raw.data.shape[-1], dtype=raw.data.dtype))
    two = jax.lax.top_k(raw.data, 2)[0]
    rival = jnp.where(raw.data == two[..., :1], two[..., 1:], two[..., :1])
    p = world.step(Variable(raw.dims, raw.data - rival), 0.5)
    return Variable(p.dims, p.data / jnp.sum(p.data, -1, keepdims=True))


def inputs(world: World, d: Decision) -> tuple[Variable, Variable]:
    """What a decision sees: the number of its combination of finite inputs, and its real inputs (d,), in order."""
    index, reals = separate_inputs(world, d)
    return index, joined(reals) if reals else Variable((), jnp.zeros((0,)))


def separate_inputs(world: World, d: Decision) -> tuple[Variable, list[Variable]]:
    """The same with one vector (k,) for each real observation."""
    index: Variable = constant(0)
    reals: list[Variable] = []
    for o in d.observations:
        v = world.seen(o.expression)
        if o.size is None:
            reals.append(Variable(v.dims, v.data.reshape((*v.data.shape[:len(v.dims)], -1))))
            continue
        if o.kind == "choice":
            v = Variable(v.dims, jnp.argmax(v.data, axis=-1) + 1)
        values = jnp.asarray(o.numbers)
        for entry in entries(v):
            index = lift(lambda i, x, size=o.size, values=values: i * size + jnp.argmin(jnp.abs(x[..., None] - values), -1),
                         index, entry)
    return index, reals


def joined(parts: list[Variable]) -> Variable:
    """Vectors (k,) one after the other as one vector: whole blocks at once, as a slice for each entry is slow to differentiate."""
    dims = union(parts)
    shape = tuple(next(v.size(x) for v in parts if x in v.dims) for x in dims)
    blocks = [jnp.broadcast_to(expand(v, dims, 1), (*shape, v.data.shape[-1])) for v in parts]
    return Variable(dims, blocks[0] if len(blocks) == 1 else jnp.concatenate(blocks, axis=-1))


def entries(v: Variable) -> list[Variable]:
    """The scalar entries of a value, in order."""
    own = v.own
    if not own:
        return [v]
    flat = v.data.reshape((*v.data.shape[:len(v.dims)], -1))
    return [Variable(v.dims, flat[..., k]) for k in range(flat.shape[-1])]


def finite_sizes(d: Decision) -> tuple[int, ...]:
    """How many values each finite scalar input has, in order."""
    return tuple(o.size for o in d.observations if o.size is not None
                 for _ in range(math.prod(o.shape if o.kind != "choice" else o.shape[:-1])))


def stage_of_combinations(d: Decision, binder: str) -> np.ndarray | None:
    """For each combination of a decision's finite inputs the stage, from 0; None if it does not know the stage."""
    sizes, at, place = finite_sizes(d), None, 0
    for o in d.observations:
        if o.size is None:
            continue
        if o.expression == Reference(binder):
            at = place
        place += max(1, int(np.prod(o.shape if o.kind != "choice" else o.shape[:-1])))
    if at is None:
        return None
    return np.unravel_index(np.arange(int(np.prod(sizes))), sizes)[at]


def real_inputs(d: Decision) -> int:
    """The number of real inputs."""
    return sum(math.prod(o.shape) for o in d.observations if o.size is None)


class Tabular(eqx.Module):
    """What is decided at every point of the coordinates that the decision knows (``dims``): a free-form policy on one grid."""

    dims: tuple[str, ...] = eqx.field(static=True)
    data: Array

    def __call__(self, world: World, d: Decision) -> Variable:
        return Variable(self.dims, self.data)


class Mixture(eqx.Module):
    """A distribution over the nodes of a real decision's own coordinate, at every point of what it knows: (dims, then nodes)."""

    spreads: ClassVar[bool] = True
    dims: tuple[str, ...] = eqx.field(static=True)
    data: Array

    def __call__(self, world: World, d: Decision) -> Variable:
        return Variable(self.dims, self.data)


TRIED = "tried"


class BestResponse(eqx.Module):
    """The exact best reply of a last mover whose cost is quadratic in what it decides: the conditional mean.

    With Q(u) = E[cost | what is known, u], a parabola, its least point from three values. It is a policy held fixed for everybody
    else, so no gradient passes, unless it ``responds`` to somebody who announced a policy.
    """

    payers: tuple[str, ...] = eqx.field(static=True)  # the payments whose sum it minimises
    responds: bool = eqx.field(static=True, default=False)
    depends_on_profile: ClassVar[bool] = True

    def __call__(self, world: World, d: Decision) -> Variable:
        information = world.reduction.information[d.name]
        assert information is not None
        mass(world, information.dims)  # fills the world's factors, which the three values then share
        candidates = Variable((TRIED,), jnp.asarray([0.0, 1.0, -1.0]))
        q = conditional_cost(world, d.name, candidates, self.payers, information.dims)
        zero, plus, minus = jnp.moveaxis(q.data, q.dims.index(TRIED), 0)
        curvature, slope = plus + minus - 2 * zero, (plus - minus) / 2
        best = Variable(tuple(x for x in q.dims if x != TRIED),
                        jnp.where(curvature > 0, -slope / jnp.where(curvature > 0, curvature, 1.0), 0.0))
        if d.low is not None:
            best = lift(jnp.maximum, best, evaluate(world, d.low))
        if d.high is not None:
            best = lift(jnp.minimum, best, evaluate(world, d.high))
        return best if self.responds else Variable(best.dims, jax.lax.stop_gradient(best.data))


class Multiplier(eqx.Module):
    """The price of a constraint's excess, in cost units per unit of it; part of a profile under the constraint's name."""

    value: Array


class Deviator(eqx.Module):
    """In a large symmetric family the first member follows a policy of its own, all others the common one."""

    own: Any
    common: Any

    def __call__(self, world: World, d: Decision) -> Variable:
        common = self.common(world, d)
        mine = self.own.of_first(world, d) if hasattr(self.own, "of_first") else self.own(world, d)
        first = Variable((d.axes[0].name,), jnp.arange(d.axes[0].size) == 0)
        rank = len(common.own)
        first = Variable(first.dims, first.data.reshape((-1, *(1,) * rank)))
        return lift(jnp.where, first, mine, common)


def conditional_cost(world: World, decision: str, value: Variable, payments: tuple[str, ...],
                     dims: tuple[str, ...], relaxation: Relaxation | None = None) -> Variable:
    """Density-weighted cost at every point of ``dims`` if a decision took ``value``, the other policies held fixed.

    ``value`` may vary along a coordinate of its own (candidates), which is kept. Divided by the density it is the
    conditional expectation.
    """
    varied = world.vary({decision: value}, relaxation)
    total: Variable = constant(0.0)
    for p in world.game.payments:
        if p.name in payments:
            total = lift(jnp.add, total, varied.expected_payment(p, dims, tremble=True))
    return total


def mass(world: World, dims: tuple[str, ...]) -> Variable:
    """The density of the coordinates at every point."""
    return world.expectation(constant(1.0), dims, tremble=True)


Profile = Mapping[str, Strategy | BestResponse | Tabular | Multiplier]
