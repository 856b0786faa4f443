"""Rewrites of the core graph, in the order in which they are applied."""

from ..core.site import Game
from .finite_observations import finite_observations
from .isolated_unknowns import isolated_unknowns
from .linear_equations import linear_equations
from .multipliers import multipliers
from .own_policies import own_policies
from .polynomial_integrals import polynomial_integrals
from .representative import Unrepresentable, representative
from .stage_game import stage_game
from .unroll import unroll

PASSES = (unroll, polynomial_integrals, linear_equations, isolated_unknowns, multipliers, finite_observations)


def simplify_again(game: Game) -> Game:
    """What can be done with a game once one member stands for a family."""
    return finite_observations(game)


def simplify(game: Game) -> Game:
    """All passes, in order."""
    for rewrite in PASSES:
        game = rewrite(game)
    return game


__all__ = ["PASSES", "Unrepresentable", "own_policies", "representative", "simplify", "simplify_again", "stage_game"]
