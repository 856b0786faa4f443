"""What a scan over stages carries from one to the next, with the same coordinates in all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .rollout import SAMPLE
from .variable import Variable


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Carry:
    """What goes from stage to stage: states, the weight of what is paid (survival, delays, scores), survival alone, what the delays of
    those came to that have halted, the states' last values, and the costs so far."""

    states: dict[str, Variable]
    weight: Variable
    alive: Variable
    ended: Variable
    ends: dict[str, Variable]
    costs: tuple[Array, ...]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Ran:
    """The stages of a play: how they end, and what was recorded (stages, ..)."""

    end: Carry
    paths: tuple[Array, ...]
    seen: dict[str, Array]


def full(v: Variable, n: int) -> Array:
    """A variable at every sample (samples, *own)."""
    data = v.data if SAMPLE in v.dims else jnp.asarray(v.data)[None]
    return jnp.broadcast_to(data, (n, *data.shape[1:]))


def hide(value: Array, alive: Array) -> Array:
    return jnp.where(alive == 0, 0.0, value * alive)


def keep(new: Array, old: Array, alive: Array) -> Array:
    return jnp.where(alive > 0, new, old)


def like(v: Variable, to: Variable, n: int) -> Variable:
    """A variable with the coordinates and the shape of another."""
    data = jnp.asarray(v.data)
    if SAMPLE in to.dims and SAMPLE not in v.dims:
        data = jnp.broadcast_to(data, (n, *data.shape))
    lead = len(to.dims)
    own = jnp.broadcast_shapes(data.shape[lead:], to.data.shape[lead:])
    return Variable(to.dims, jnp.broadcast_to(data.reshape((*data.shape[:lead], *(1,) * (len(own) - data.ndim + lead), *data.shape[lead:])),
                                              (*data.shape[:lead], *own)).astype(to.data.dtype))


def spread(new: Carry, carry: Carry, n: int) -> Carry:
    return jax.tree.map(lambda a, b: like(a, b, n) if isinstance(a, Variable) else a, new, carry,
                        is_leaf=lambda x: isinstance(x, Variable))


def settled(stage: Any, start: Carry, n: int) -> Carry:
    """The first carry with the coordinates that every later one has: what is certain in stage 1 may be a matter of chance in stage 3."""
    for _ in range(8):
        new = jax.eval_shape(stage, start)
        wider = jax.tree.map(lambda a, b: like(a, Variable(tuple(sorted({*a.dims, *b.dims})), widened(a, b, n)), n)  # type: ignore[arg-type]
                             if isinstance(a, Variable) else a, start, new, is_leaf=lambda x: isinstance(x, Variable))
        if all(a.shape == b.shape for a, b in zip(jax.tree.leaves(wider), jax.tree.leaves(start), strict=True)) and \
                all(a.dtype == b.dtype for a, b in zip(jax.tree.leaves(wider), jax.tree.leaves(start), strict=True)):
            return wider
        start = wider
    raise AssertionError("the states do not settle")


def widened(a: Variable, b: Variable, n: int) -> jax.ShapeDtypeStruct:
    own = jnp.broadcast_shapes(a.data.shape[len(a.dims):], b.data.shape[len(b.dims):])
    lead = (n,) if SAMPLE in (*a.dims, *b.dims) else ()
    return jax.ShapeDtypeStruct((*lead, *own), b.data.dtype)
