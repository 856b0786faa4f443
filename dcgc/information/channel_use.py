"""Channels that cannot be of use: nobody who hears them can gain by it, or there is less to say than they may carry."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..core.expression import Expression, Parameter, Reference
from ..core.folding import number
from ..core.site import Channel, Decision, Game, Let, Random
from .game_diagram import GameDiagram


@dataclass(frozen=True)
class ChannelUse:
    """``dead``: nothing that anybody sees of what is sent can matter to a decision of his. ``sayable``: most bits that can be told, from
    what the sender knows (inf where that is a real number). ``budget`` in bits (None: none)."""

    channel: Channel
    dead: bool
    sayable: float

    @property
    def wide(self) -> bool:
        """Whether the budget is above the entropy of all that can be said."""
        budget = self.channel.budget
        return budget is not None and 0 < budget < math.inf and self.sayable < budget - 1e-9


def channel_uses(game: GameDiagram) -> tuple[ChannelUse, ...]:
    """What can be said of every channel (private looks are none)."""
    d = game.diagram
    matters = {(p, node) for q, node in enumerate(d.decisions) for p in game.relevance.requisite(q)}
    out = []
    for channel in game.game.channels:
        if channel.attention or channel.encoder not in d.index:
            continue
        encoder = d.index[channel.encoder]
        live = any(p == encoder or d.influence[p] >> encoder & 1 for p, _ in matters)
        out.append(ChannelUse(channel, not live, entropy(game.game, game.site_of(channel.encoder))))
    return tuple(out)


def entropy(game: Game, encoder: Decision) -> float:
    """An upper bound, in bits, on what an encoder can tell: the entropy of its observations, one by one (inf of a real number, or of
    one that throws dice of its own)."""
    if encoder.mixed:
        return math.inf
    total = 0.0
    for o in encoder.observations:
        drawn = law(game, o.expression.site) if isinstance(o.expression, Reference) else None
        if drawn is not None:
            total += drawn
        elif o.size is None:
            return math.inf
        else:
            total += math.log2(o.size) * math.prod(o.shape[:-1] if o.kind == "choice" else o.shape)
    return total


def law(game: Game, name: str) -> float | None:
    """The entropy, in bits, of a Bernoulli draw whose probability is a number; None of anything else."""
    site = next((s for s in game.sites if s.name == name), None)
    if isinstance(site, Let):
        return law(game, site.value.site) if isinstance(site.value, Reference) else None
    if not isinstance(site, Random) or site.shape or site.axes or site.distribution != "Bernoulli":
        return None
    p = value_of(game, site.arguments[0])
    return None if p is None else sum(-x * math.log2(x) for x in (p, 1 - p) if 0 < x < 1)


def value_of(game: Game, e: Expression) -> float | None:
    """A scalar constant or parameter, else None."""
    value = game.parameters[e.name] if isinstance(e, Parameter) else number(e)
    return None if value is None or isinstance(value, tuple) else float(value)
