"""Finite extensive games: the shadow that a game casts when its reals are made few, and the files that other programs read.

Nothing here needs JAX but ``from_game``, which is imported where a game is made finite.
"""

from .efg import write_efg
from .efg_reader import read_efg
from .nfg import TooManyPlans, write_nfg
from .to_text import to_text
from .tree import FiniteGame, InformationSet, Node

__all__ = ["FiniteGame", "InformationSet", "Node", "TooManyPlans", "read_efg", "to_text", "write_efg", "write_nfg"]
