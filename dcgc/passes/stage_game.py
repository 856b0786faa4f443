"""One stage of a block that was elaborated once, as a game of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..core.expression import references
from ..core.site import Game, Payment, Record, Site, State
from ..information.dependence import mentioned


def stage_game(game: Game, given: Mapping[str, Site], more: tuple[Site, ...] = ()) -> Game:
    """The stage's body, played once.

    ``given``: for every state and for the number of the stage (``game.block.binder``) the site that stands in its place under the same
    name, a ``Random`` or a ``Let``. ``more``: sites to be played after the body: what is paid for what the stage leaves behind, say, over
    the next values ``state.following`` and the block's ``survival`` and ``delay``. What came before the stages is kept, but for what was
    paid there; the statements after them, measures and published figures are not. Raises ValueError for a state that is not given.
    """
    if game.block is None:
        raise ValueError("the stages of this game are written out")
    missing = [s.name for s in game.states if s.name not in given]
    if missing:
        raise ValueError(f"no site is given for {', '.join(missing)}")
    later = {s.name for s in game.sites if isinstance(s, Record)}
    before: list[Site] = []
    body: list[Site] = []
    for s in game.sites:
        if s.repeated:
            body.append(replace(given[s.name], name=s.name, repeated=False) if isinstance(s, State) else replace(s, repeated=False))
        elif isinstance(s, (Payment, Record)) or set().union(*(references(e) for e in mentioned(s))) & later:
            later.add(s.name)
        else:
            before.append(s)
    return replace(game, sites=(*before, *body, *more), measures=(), published=(), plots=(), taps=(), constraints=(), routes=(),
                   equations=(), block=None)
