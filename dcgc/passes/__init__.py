"""Rewrites of the core graph, in the order in which they are applied."""

from ..core.site import Game
from .finite_observations import finite_observations
from .multipliers import multipliers
from .unroll import unroll

PASSES = (unroll, multipliers, finite_observations)


def simplify(game: Game) -> Game:
    """All passes, in order."""
    for rewrite in PASSES:
        game = rewrite(game)
    return game


__all__ = ["PASSES", "simplify"]
