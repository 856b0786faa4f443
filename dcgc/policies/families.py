"""The table of policy families, as users name them in ``policy X : mlp(width = 64, layers = 2)``."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from .affine import Affine
from .constant import Constant
from .grid import Grid
from .mlp import MLP
from .piecewise import Piecewise
from .pointer import Pointer
from .policy import Policy
from .table import Table
from .transformer import Transformer

FAMILIES: Mapping[str, type[Policy]] = MappingProxyType({
    "constant": Constant,
    "table": Table,
    "affine": Affine,
    "piecewise": Piecewise,
    "grid": Grid,
    "mlp": MLP,
    "pointer": Pointer,
    "transformer": Transformer,
})

_GIVEN_BY_THE_COMPILER = frozenset({"key", "inputs", "outputs", "combinations", "dtype", "layout", "factors", "rows"})


def near_names(name: str, names: Mapping[str, Any]) -> str:
    """A hint that lists the names near a wrong one, or all of them if none is near."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(names)) or 'none'}"


def family(name: str) -> type[Policy]:
    """The family of this name. Raises KeyError that names near ones."""
    if name not in FAMILIES:
        raise KeyError(f"unknown policy family {name!r}; {near_names(name, FAMILIES)}")
    return FAMILIES[name]


def options(name: str) -> dict[str, Any]:
    """The options that a user may write for a family, with their defaults."""
    parameters = inspect.signature(family(name).build).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in _GIVEN_BY_THE_COMPILER}


def build(
    name: str,
    key: jax.Array,
    *,
    inputs: int,
    outputs: int,
    combinations: int = 1,
    dtype: DTypeLike | None = None,
    layout: tuple[tuple[int, int], ...] | None = None,
    factors: tuple[int, ...] = (),
    rows: int | None = None,
    **given: Any,
) -> Policy:
    """A policy of family ``name``, initialised at random from ``key``; vmap it over keys for many restarts.

    ``inputs`` is the number of continuous inputs d, ``outputs`` the number of raw outputs k, ``combinations`` the
    number of combinations of the finite inputs, ``dtype`` the parameters' type (default: JAX's floating type).
    ``layout`` says how the inputs fall into observations, (tokens, reals per token) each, for families of tokens; ``rows``
    which of them has a row for every option of the decision; ``factors`` the numbers of values of the finite inputs.
    Raises KeyError for an unknown family, TypeError for an unknown option (naming near ones) and ValueError for an
    option or a number of inputs that the family cannot have.
    """
    known = options(name)
    for option in given:
        if option not in known:
            raise TypeError(f"{name} has no option {option!r}; {near_names(option, known)}")
    constructor = family(name).build
    structure = {"layout": layout, "factors": factors, "rows": rows}
    given |= {k: v for k, v in structure.items() if v not in (None, ()) and k in inspect.signature(constructor).parameters}
    dtype = jnp.result_type(float) if dtype is None else dtype
    return constructor(key, inputs=inputs, outputs=outputs, combinations=combinations, dtype=dtype, **given)
