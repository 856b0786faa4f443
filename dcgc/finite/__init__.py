"""Finite extensive games: the shadow that a game casts when its reals are made few, and the files that other programs read.

Nothing here needs JAX but ``from_game``, which is imported where a game is made finite; codes of diagnostics are there without numpy, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .efg import write_efg
    from .efg_reader import read_efg
    from .nfg import TooManyPlans, write_nfg
    from .tree import FiniteGame, InformationSet, Node
    from .written_game import to_text

_HOMES = {
    "write_efg": ".efg", "read_efg": ".efg_reader", "to_text": ".written_game", **dict.fromkeys(("TooManyPlans", "write_nfg"), ".nfg"),
    **dict.fromkeys(("FiniteGame", "InformationSet", "Node"), ".tree"),
}

__all__ = ["FiniteGame", "InformationSet", "Node", "TooManyPlans", "read_efg", "to_text", "write_efg", "write_nfg"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
