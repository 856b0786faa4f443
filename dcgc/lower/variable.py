"""Random variables on a grid: arrays whose leading axes are named coordinates.

A ``Variable`` depends on just the coordinates that it names, and is broadcast along all others. So a decision that sees
one number is computed once per value of that number, not once per point of the whole grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array


@partial(jax.tree_util.register_dataclass, data_fields=["data"], meta_fields=["dims"])
@dataclass(frozen=True)
class Variable:
    """``data`` has one leading axis for each of ``dims`` (sorted by name), then the axes of the value's own shape."""

    dims: tuple[str, ...]
    data: Array

    @property
    def own(self) -> tuple[int, ...]:
        """The value's own shape."""
        return self.data.shape[len(self.dims):]

    def size(self, dim: str) -> int:
        return self.data.shape[self.dims.index(dim)]


def constant(value: object, dtype: object = None) -> Variable:
    """A value that depends on nothing."""
    return Variable((), jnp.asarray(value, dtype))


def along(dim: str, data: Array) -> Variable:
    """A value that varies along one coordinate (the first axis of ``data``)."""
    return Variable((dim,), data)


def union(variables: Iterable[Variable]) -> tuple[str, ...]:
    return tuple(sorted({d for v in variables for d in v.dims}))


def expand(v: Variable, dims: tuple[str, ...], rank: int) -> Array:
    """The data with size-1 axes for missing coordinates and for missing leading own axes."""
    own = v.own
    shape = tuple(v.size(d) if d in v.dims else 1 for d in dims) + (1,) * (rank - len(own)) + own
    return v.data.reshape(shape)


def lift(function: Callable[..., Array], *variables: Variable) -> Variable:
    """An entry by entry function of variables."""
    dims = union(variables)
    rank = max((len(v.own) for v in variables), default=0)
    return Variable(dims, function(*(expand(v, dims, rank) for v in variables)))


def whole(function: Callable[..., Array], *variables: Variable) -> Variable:
    """A function of whole values (of all own axes), at every point of the grid."""
    dims = union(variables)
    if not dims:
        return Variable((), function(*(v.data for v in variables)))
    arrays, sizes = [], {}
    for v in variables:
        sizes.update({d: v.size(d) for d in v.dims})
    for v in variables:
        full = jnp.broadcast_to(v.data.reshape(tuple(v.size(d) if d in v.dims else 1 for d in dims) + v.own),
                                tuple(sizes[d] for d in dims) + v.own)
        arrays.append(full.reshape((-1, *v.own)))
    out = jax.vmap(function)(*arrays)
    return Variable(dims, out.reshape(tuple(sizes[d] for d in dims) + out.shape[1:]))


def stack(variables: list[Variable]) -> Variable:
    """Variables as entries along a new first own axis."""
    dims = union(variables)
    rank = max(len(v.own) for v in variables)
    arrays = [expand(v, dims, rank) for v in variables]
    shape = jnp.broadcast_shapes(*(a.shape for a in arrays))
    return Variable(dims, jnp.stack([jnp.broadcast_to(a, shape) for a in arrays], axis=len(dims)))


def own_to_dim(v: Variable, axis: int, dim: str) -> Variable:
    """An own axis becomes a coordinate."""
    dims = tuple(sorted((*v.dims, dim)))
    return Variable(dims, jnp.moveaxis(v.data, len(v.dims) + axis, dims.index(dim)))


def dim_to_own(v: Variable, dim: str, size: int) -> Variable:
    """A coordinate becomes the first own axis (repeated ``size`` times if the value does not vary along it)."""
    if dim not in v.dims:
        own = v.own
        data = jnp.broadcast_to(jnp.expand_dims(v.data, len(v.dims)), v.data.shape[:len(v.dims)] + (size, *own))
        return Variable(v.dims, data)
    dims = tuple(d for d in v.dims if d != dim)
    return Variable(dims, jnp.moveaxis(v.data, v.dims.index(dim), len(dims)))


def rename(v: Variable, old: str, new: str) -> Variable:
    """The same values along a coordinate of another name."""
    position = v.dims.index(old)
    dims = tuple(sorted((*(d for d in v.dims if d != old), new)))
    return Variable(dims, jnp.moveaxis(v.data, position, dims.index(new)))


def take(v: Variable, dim: str, index: Array | int) -> Variable:
    """The value at one place of a coordinate."""
    dims = tuple(d for d in v.dims if d != dim)
    return Variable(dims, jnp.take(v.data, index, axis=v.dims.index(dim))) if dim in v.dims else v


def contract(variables: list[Variable], keep: tuple[str, ...]) -> Variable:
    """The product of variables, summed over all coordinates but ``keep``; at most one of them has own axes."""
    dims = union(variables)
    letters = {d: i for i, d in enumerate(dims)}
    own = max((v.own for v in variables), key=len, default=())
    own_letters = list(range(len(dims), len(dims) + len(own)))
    operands: list[object] = []
    for v in variables:
        operands.extend((v.data, [letters[d] for d in v.dims] + (own_letters[len(own) - len(v.own):] if v.own else [])))
    kept = tuple(d for d in dims if d in keep)
    out = jnp.einsum(*operands, [letters[d] for d in kept] + own_letters, optimize="auto", precision="highest")
    return Variable(kept, out)
