"""All that the information room knows of a game, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..core.expression import show
from ..core.site import Game
from .channel_use import ChannelUse, channel_uses
from .dependence import Dependence
from .game_diagram import GameDiagram, game_diagram
from .interests import Interests, interests
from .intrinsic import InformationStructure, information_structure
from .recall import Forgetting, forgetting
from .recognised import Recognised, recognised
from .signalling import Signal, signals
from .structure import linear_quadratic_gaussian


@dataclass(frozen=True)
class Facts:
    """``game``: as it was elaborated; ``seen``: as an influence diagram. Everything else is worked out when it is asked for."""

    game: Game
    seen: GameDiagram

    @cached_property
    def information(self) -> InformationStructure:
        return information_structure(self.seen)

    @cached_property
    def forgotten(self) -> Mapping[str, tuple[Forgetting, ...]]:
        return forgetting(self.seen)

    @cached_property
    def interests(self) -> Interests:
        return interests(self.seen)

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        return signals(self.seen)

    @cached_property
    def channels(self) -> tuple[ChannelUse, ...]:
        return channel_uses(self.seen)

    @cached_property
    def components(self) -> tuple[tuple[str, ...], ...]:
        """Decisions that must be solved together, in an order in which the sets can be solved."""
        d = self.seen.diagram
        return tuple(tuple(d.nodes[d.decisions[q]].name for q in c) for c in self.seen.relevance.components)

    @cached_property
    def irrelevant(self) -> tuple[tuple[str, str], ...]:
        """(what is seen, by which decision) that cannot matter to it, others' policies held fixed. An announced policy is left out: what it
        depends on moves those who respond to it."""
        d = self.seen.diagram
        committed = {name if member is None else f"{name}[{member + 1}]" for name, member in self.game.committed}
        return tuple((d.nodes[p].name, d.nodes[k].name) for p, k in self.seen.relevance.irrelevant()
                     if d.nodes[k].player not in committed and d.nodes[k].player is not None and not told(self.seen, p, k))

    @cached_property
    def linear_quadratic_gaussian(self) -> bool:
        return linear_quadratic_gaussian(self.game, Dependence(self.game))

    @cached_property
    def recognised(self) -> Recognised:
        """Convexity in own acts, closed forms, linearity in choices."""
        return recognised(self.seen)

    @cached_property
    def finite(self) -> bool:
        """Whether all draws and decisions take finitely many values."""
        laws = ("Bernoulli", "Categorical", "Discrete")
        return all(d.finite for d in self.game.decisions) and all(r.distribution in laws for r in self.game.randoms)


def told(game: GameDiagram, node: int, decision: int) -> bool:
    """Whether a decision knows something by being asked at all."""
    name = game.diagram.nodes[node].name
    guards = {show(g) for g in game.site_of(game.diagram.nodes[decision].name).guards}
    return name in guards or any(s.told and s.text == name for s in game.observations[game.diagram.nodes[decision].name])


def facts(game: Game) -> Facts:
    """The facts of a game graph; cheap until something is asked for. Needs no JAX."""
    return Facts(game, game_diagram(game))
