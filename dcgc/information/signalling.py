"""Who has a reason to tell whom what: incentives to signal, read off the influence diagram.

After Pfeffer and Gal (2007, On the reasoning patterns of agents in games, AAAI). A decision S can signal X to R where
- S sees X (or something that tells of it), and its act reaches what R sees without another decision between;
- X would be worth knowing to R, given what R sees without S's act: X is not d-separated from what R is paid;
- R's act moves what S's owners are paid.
"""

from __future__ import annotations

from dataclasses import dataclass

from .diagram import InfluenceDiagram, Node, members
from .game_diagram import GameDiagram
from .relevance import relevance

MOST = 60  # decisions of a game that are looked at pair by pair


@dataclass(frozen=True)
class Signal:
    """``sender``'s act can tell ``receiver`` about ``about``, by way of ``through``, which the receiver sees."""

    sender: str
    receiver: str
    about: str
    through: str


def signals(game: GameDiagram) -> tuple[Signal, ...]:
    """All incentives to signal; none for games of more than ``MOST`` decisions."""
    d = game.diagram
    if len(d.decisions) > MOST:
        return ()
    found = []
    for r in d.decisions:
        senders = [s for s in members(d.influence[r]) if pays(d, r, s)]
        for s in senders:
            through = [p for p in d.parents[r] if p == s or d.influence[p] >> s & 1 and d.nodes[p].kind != "decision"]
            if not through:
                continue
            without = d.without((p, r) for p in through)
            q = without.decisions.index(without.index[d.nodes[r].name])
            worth = {without.nodes[k].name for k in relevance(without).informative(q)}
            for seen in d.parents[s]:
                name = d.nodes[seen].name
                if name in worth and not knows(game, d.nodes[r], name):
                    found.append(Signal(d.nodes[s].name, d.nodes[r].name, name, d.nodes[through[0]].name))
    return tuple(found)


def pays(diagram: InfluenceDiagram, mover: int, other: int) -> bool:
    """Whether one decision's act moves what the owners of another are paid."""
    return any(diagram.nodes[u].owners & diagram.nodes[other].owners for u in members(diagram.descendants[mover])
               if diagram.nodes[u].kind == "utility")


def knows(game: GameDiagram, node: Node, name: str) -> bool:
    """Whether a decision can infer a node's value from what it sees."""
    return name in game.sites and game.knowledge(node.name).knows(game.atoms.of_site(name))

