"""Judging a profile apart from what trained it. The functions load JAX and are fetched when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .functions import policy_function
    from .scoring import score
    from .sentences import explain

__all__ = ["explain", "policy_function", "score"]

_HOMES = {"explain": ".sentences", "policy_function": ".functions", "score": ".scoring"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    raise AttributeError(name)
