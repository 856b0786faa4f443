"""Constraints as payments: a multiplier times the excess, charged to whoever must hold the constraint.

The multiplier is a parameter of the game that training moves and that is 0 in every reported cost.
"""

from __future__ import annotations

from dataclasses import replace

from ..core.expression import Apply, Expression, Information, Parameter, Reference, Select, walk
from ..core.site import Constraint, Game, Payment


def multipliers(game: Game) -> Game:
    """The game with a payment for every constraint; one that holds in every stage has a multiplier for each of them."""
    if not game.constraints:
        return game
    payments = tuple(
        Payment(f"multiplier of {c.name}", c.axes, (), c.span, c.actor, Apply("mul", (price(game, c), c.excess)),
                sole(c.excess), price(game, c), c.multiplier, repeated=c.repeated) for c in game.constraints)
    values = {c.multiplier: start(game, c) for c in game.constraints}
    return replace(game, sites=(*game.sites, *payments), parameters={**game.parameters, **values})


def price(game: Game, c: Constraint) -> Expression:
    """The multiplier where it is charged."""
    if not c.repeated or game.block is None:
        return Parameter(c.multiplier)
    return Select(Parameter(c.multiplier), (Reference(game.block.binder),), (False,))


def start(game: Game, c: Constraint) -> float | tuple:
    return (0.0,) * round(game.block.length) if c.repeated and game.block is not None else 0.0


def sole(excess: object) -> Information | None:
    """The information of the one channel that a budget speaks of."""
    found = [x for x in walk(excess) if isinstance(x, Information)]  # type: ignore[arg-type]
    return found[0] if len(found) == 1 else None
