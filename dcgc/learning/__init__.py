"""Training: engines behind one interface, chosen by the structure of the game.

``train``, ``plan`` and ``ENGINES`` load JAX and are fetched when first asked for; settings are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .settings import Progress, Settings, Store, Trained

if TYPE_CHECKING:
    from .training import ENGINES, plan, train

__all__ = ["ENGINES", "Progress", "Settings", "Store", "Trained", "plan", "train"]


def __getattr__(name: str) -> Any:
    if name in ("ENGINES", "plan", "train"):
        from . import training

        return getattr(training, name)
    raise AttributeError(name)
