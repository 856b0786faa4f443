"""The parts of a pytree of gradients: one per leaf, or leaves grouped under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import Array

Naming = Callable[[str], str]


def rows_by_block(gradients: Any, block: Naming | None = None) -> dict[str, list[Array]]:
    """Leaves (n, ...) as (n, size), under their path ('layers/0/weight') or the name that ``block`` gives the path.

    Raises ValueError if there are no leaves or they differ in n."""
    found: dict[str, list[Array]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        found.setdefault(name if block is None else block(name), []).append(leaf.reshape(leaf.shape[0], -1))
    if len({leaf.shape[0] for leaves in found.values() for leaf in leaves}) != 1:
        raise ValueError("gradients need leaves of one number of rows")
    return found
