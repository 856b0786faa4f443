"""The same function in very many situations, a block at a time."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
from jax import Array

AT_ONCE = 1 << 14  # situations
BLOCK = 1 << 12


def in_blocks(function: Any, *arrays: Array) -> Any:
    """``function`` (a module, which is a tree of arrays) at every row of some arrays.

    Inside a compiled program XLA sees to memory. Outside of one nothing is fused, and all that a policy computes on its way would lie
    there for all situations at once: beyond ``AT_ONCE`` of them a compiled loop goes through them in blocks.
    """
    if arrays[0].shape[0] <= AT_ONCE or any(isinstance(x, jax.core.Tracer) for x in (*arrays, *jax.tree.leaves(function))):
        return jax.vmap(function)(*arrays)
    return _looped(function, arrays)


@eqx.filter_jit
def _looped(function: Any, arrays: tuple[Array, ...]) -> Any:
    return jax.lax.map(lambda row: function(*row), arrays, batch_size=BLOCK)
