"""Constraints as payments: a multiplier times the excess, charged to whoever must hold the constraint.

The multiplier is a parameter of the game that training moves and that is 0 in every reported cost.
"""

from __future__ import annotations

from dataclasses import replace

from ..core.expression import Apply, Information, Parameter, walk
from ..core.site import Game, Payment


def multipliers(game: Game) -> Game:
    """The game with a payment for every constraint."""
    if not game.constraints:
        return game
    payments = tuple(
        Payment(f"multiplier of {c.name}", c.axes, (), c.span, c.actor, Apply("mul", (Parameter(c.multiplier), c.excess)),
                sole(c.excess), Parameter(c.multiplier), c.multiplier) for c in game.constraints)
    return replace(game, sites=(*game.sites, *payments),
                   parameters={**game.parameters, **{c.multiplier: 0.0 for c in game.constraints}})


def sole(excess: object) -> Information | None:
    """The information of the one channel that a budget speaks of."""
    found = [x for x in walk(excess) if isinstance(x, Information)]  # type: ignore[arg-type]
    return found[0] if len(found) == 1 else None
