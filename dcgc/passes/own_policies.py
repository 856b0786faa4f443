"""Members of a large family who have policies of their own: one policy that knows who it is, with coefficients for each member."""

from __future__ import annotations

from dataclasses import replace

from ..core.expression import Member
from ..core.site import Decision, Game, Observation


def own_policies(game: Game) -> Game:
    """The game with the number of the member as the first input of every such decision, unless it is one already."""
    symmetric = {p.name for p in game.players if p.symmetric}

    def told(d: Decision) -> Decision:
        if not d.axes or d.actor.name in symmetric or d.axes[0].family != d.actor.name:
            return d
        axis = d.axes[0]
        rest = tuple(o for o in d.observations if o.expression != Member(axis))
        return replace(d, observations=(Observation(Member(axis), "index", (), axis.size, axis.low), *rest))

    return replace(game, sites=tuple(told(s) if isinstance(s, Decision) else s for s in game.sites))
