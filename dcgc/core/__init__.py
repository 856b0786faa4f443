"""The game graph, resolved and printable; no JAX."""

from .elaborate import elaborate
from .site import Game, show_game

__all__ = ["Game", "elaborate", "show_game"]
