"""A game whose stages begin with other states than its text says: for what is asked of policies where play does not go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..core.expression import Apply, Constant, Expression, Member, Reference, Select
from ..core.folding import ONE
from ..core.site import Game, Random, Site, State


def wide_starts(game: Game, widths: Mapping[str, float]) -> Game:
    """The game with some states' first values moved by independent draws, uniform up to ``widths`` (in the state's units) to either side;
    of a family's state every member's by its own."""
    draws: list[Site] = []
    sites: list[Site] = []
    for s in game.sites:
        if isinstance(s, State) and s.name in widths:
            name = f"other start of {s.name}"
            draws.append(Random(name, s.axes, (), s.span, "Uniform", (Constant(-1.0), ONE), ()))
            own: Expression = Reference(name, span=s.span)
            if s.axes:
                own = Select(own, tuple(Member(a) for a in s.axes), (False,) * len(s.axes), span=s.span)
            moved = Apply("mul", (Constant(float(widths[s.name])), own), span=s.span)
            sites.append(replace(s, first=Apply("add", (s.first, moved), span=s.span)))
        else:
            sites.append(s)
    return replace(game, sites=(*draws, *sites))
