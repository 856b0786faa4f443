"""Classical or not: the information structure of a game in Witsenhausen's intrinsic model.

Witsenhausen (1971, SIAM Journal on Control 9; 1975), Ho and Chu (1972, IEEE Transactions on Automatic Control 17), Ho (1980,
Proceedings of the IEEE 68). Decision a influences decision b where what b sees is a function of a's act (and of nature and other acts,
held fixed).
- static: nobody influences what anybody sees;
- quasi-classical (partially nested): whoever is influenced knows all that the one who influences knew; strictly, its act as well;
- classical: the decisions can be put in an order in which each knows all that those before it knew; strictly, their acts as well;
- non-classical: some b is influenced by some a and does not know what a knew. The witness is that pair, what a moves and what b lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .diagram import members
from .game_diagram import GameDiagram

Nesting = Literal["strictly classical", "classical", "strictly quasi-classical", "quasi-classical", "non-classical"]


@dataclass(frozen=True)
class Witness:
    """``earlier`` acts on ``through``, which ``later`` sees; ``later`` cannot infer ``lacking``, which ``earlier`` knew (or did)."""

    earlier: str
    later: str
    through: str
    lacking: str

    def sentence(self, game: GameDiagram) -> str:
        """The witness in words."""
        a, b = game.player(self.earlier), game.player(self.later)
        if not self.through:
            return f"{b}, deciding {self.later}, does not know {self.lacking}, which {a} knew, deciding {self.earlier}"
        who = f"{b}, deciding {self.later}," if a != b else f"at {self.later}, {b}"
        moved = f"{a}'s {self.earlier} changes {self.through}, which {b} sees" if self.through != self.earlier else \
            f"{b} sees {a}'s {self.earlier}"
        return f"{moved}, and {who} does not know {self.lacking}"


@dataclass(frozen=True)
class InformationStructure:
    """``influences``: whether any act changes what anybody sees (else static). ``nested`` is the finest class that holds. ``witness``: why
    the next finer one does not hold (None for strictly classical)."""

    influences: bool
    nested: Nesting
    witness: Witness | None

    @property
    def partially_nested(self) -> bool:
        return self.nested != "non-classical"

    @property
    def static(self) -> bool:
        return not self.influences


def information_structure(game: GameDiagram) -> InformationStructure:
    """The class of a game's information structure, over all its decisions."""
    influences = next(influencing(game), None) is not None
    nested = next((w for a, b in influencing(game) if (w := lacking(game, a, b, False)) is not None), None)
    if nested is not None:
        return InformationStructure(influences, "non-classical", nested)
    order = chain(game)
    steps = list(zip(order, order[1:], strict=False))
    broken = next((w for a, b in steps if (w := lacking(game, a, b, False)) is not None), None)
    if broken is None:
        forgotten = next((w for a, b in steps if (w := lacking(game, a, b, True)) is not None), None)
        return InformationStructure(influences, "classical" if forgotten else "strictly classical", forgotten)
    acts = next((w for a, b in influencing(game) if (w := lacking(game, a, b, True)) is not None), None)
    return InformationStructure(influences, "quasi-classical" if acts else "strictly quasi-classical", broken)


def influencing(game: GameDiagram) -> Iterator[tuple[str, str]]:
    """Pairs (earlier, later) in which the earlier decision's act changes what the later one sees."""
    d = game.diagram
    for b in d.decisions:
        for a in members(d.influence[b]):
            yield d.nodes[a].name, d.nodes[b].name


def chain(game: GameDiagram) -> list[str]:
    """Decisions by how much they know, then by time: the only order in which information can be nested."""
    names = [game.diagram.nodes[k].name for k in game.diagram.decisions]
    return sorted(names, key=lambda name: game.knowledge(name).rank)


def lacking(game: GameDiagram, earlier: str, later: str, acts: bool) -> Witness | None:
    """What the later decision does not know of what the earlier one knew (and, with ``acts``, did); None if nothing."""
    knowledge = game.knowledge(later)
    for seen in game.observations[earlier]:
        if not seen.told and not knowledge.knows(seen.form):
            return Witness(earlier, later, through(game, earlier, later), seen.text)
    if acts and not knowledge.knows(game.act(earlier)):
        return Witness(earlier, later, through(game, earlier, later), earlier)
    return None


def through(game: GameDiagram, earlier: str, later: str) -> str:
    """What the later decision sees that the earlier one's act changes (empty if nothing)."""
    d = game.diagram
    bit = 1 << d.index[earlier]
    for seen in game.observations[later]:
        if earlier in seen.sites or any(d.influence[d.index[s]] & bit for s in seen.sites if d.nodes[d.index[s]].kind != "decision"):
            return seen.text
    return ""
