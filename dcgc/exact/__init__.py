"""Exact solutions where theory gives them, apart from training: ``solve`` and the linear ``baseline``."""

from .solution import Assumption, Exact, NoTheory
from .solve import baseline, solve

__all__ = ["Assumption", "Exact", "NoTheory", "baseline", "solve"]
