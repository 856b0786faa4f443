"""The quantisers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from .dithered import DitheredQuantiser
from .quantiser import Quantiser
from .scalar import ScalarQuantiser
from .vector import VectorQuantiser

QUANTISERS: dict[str, type[Quantiser]] = {q.kind: q for q in (ScalarQuantiser, DitheredQuantiser, VectorQuantiser)}


def quantiser_from_arrays(kind: str, arrays: Mapping[str, NDArray[Any]]) -> Quantiser:
    """The quantiser of this kind that ``to_arrays`` wrote down. ValueError for a kind that does not exist."""
    if kind not in QUANTISERS:
        raise ValueError(f"there is no quantiser {kind!r}; there are {', '.join(QUANTISERS)}")
    return QUANTISERS[kind].from_arrays(arrays)
