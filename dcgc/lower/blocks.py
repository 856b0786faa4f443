"""The same function in very many situations, a block at a time."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
from jax import Array

AT_ONCE = 1 << 14  # situations
BLOCK = 1 << 12


def vectorised(function: Any, *arrays: Array) -> Any:
    """``function`` (a module, which is a tree of arrays) at every row of some arrays.

    Outside of compiled programs nothing is fused, and all that a policy computes on its way would lie there for all situations at once:
    many are then taken in blocks. A compiled program, which may have to be differentiated, sees to memory itself.
    """
    traced = any(isinstance(x, jax.core.Tracer) for x in (*arrays, *jax.tree.leaves(function)))
    return jax.vmap(function)(*arrays) if traced else in_blocks(function, *arrays)


def in_blocks(function: Any, *arrays: Array) -> Any:
    """The same by a compiled loop over blocks, if there are more than ``AT_ONCE`` situations."""
    return jax.vmap(function)(*arrays) if arrays[0].shape[0] <= AT_ONCE else _looped(function, arrays, BLOCK)


@eqx.filter_jit
def _looped(function: Any, arrays: tuple[Array, ...], block: int) -> Any:
    return jax.lax.map(lambda row: function(*row), arrays, batch_size=block)
