"""The bridge from the game graph to JAX."""

from .problem import Person, Problem, prepare
from .strategy import BestResponse, Strategy, Tabular

__all__ = ["BestResponse", "Person", "Problem", "Strategy", "Tabular", "prepare"]
