"""Perfect recall, player by player, and the ways in which it fails.

A player has perfect recall if at each of its decisions it knows all that it knew and did at its earlier ones (Kuhn 1953). It fails
where a player forgets what it knew, where it forgets what it did, and where one rule serves several stages that it cannot tell apart
(absent-mindedness, Piccione and Rubinstein 1997). Without perfect recall a mixed strategy may do better than any behaviour strategy,
and an equilibrium in behaviour strategies need not exist (Wichardt 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .game_diagram import GameDiagram

NEAR = 16  # decisions back that are looked at for one that does not exclude the later

Lapse = Literal["knew", "did", "absent-minded"]


@dataclass(frozen=True)
class Forgetting:
    """At ``later`` its player does not know ``what`` it ``knew`` or ``did`` at ``earlier``; or it is ``absent-minded``: the two are one
    decision of the text, in two stages, and what is seen at the second does not tell it from the first."""

    player: str
    kind: Lapse
    earlier: str
    later: str
    what: str
    implied: bool = False  # what it did is a function of what it still knows, by its own rule

    def sentence(self) -> str:
        """The lapse in words."""
        if self.kind == "absent-minded":
            return f"{self.player} decides {self.what} in every stage by one rule and cannot tell the stages apart (absent-mindedness)"
        if self.implied:
            return f"{self.player} does not see {self.what} at {self.later}, but knows all on which its rule for it rests"
        if self.kind == "did":
            return f"{self.player} forgets what it did: at {self.later} it does not know {self.what}"
        return f"{self.player} forgets what it knew: at {self.later} it does not know {self.what}, which it knew at {self.earlier}"


def forgetting(game: GameDiagram) -> dict[str, tuple[Forgetting, ...]]:
    """The lapses of each player, the first of each kind; no entry for a player with perfect recall.

    Whoever knows at each decision all that it knew and did at the one before knows, one step after the other, all.
    """
    own: dict[str, list[str]] = {}
    for k in game.diagram.decisions:
        node = game.diagram.nodes[k]
        own.setdefault(node.player or "", []).append(node.name)
    out = {}
    for player, decisions in own.items():
        found: dict[Lapse, Forgetting] = {}
        for k, later in enumerate(decisions):
            earlier = next((e for e in reversed(decisions[max(0, k - NEAR):k]) if not exclusive(game, e, later)), None)
            if earlier is None:
                continue
            for lapse in lapses(game, player, earlier, later):
                found.setdefault(lapse.kind, lapse)
        if found:
            out[player] = tuple(found.values())
    return out


def exclusive(game: GameDiagram, one: str, other: str) -> bool:
    """Whether the conditions under which two decisions are made contradict each other (``when c`` and ``when not c``)."""
    a, b = ([seen.form for seen in game.observations[name] if seen.guard] for name in (one, other))
    return any(not (s := f + g).terms and s.constant != 2.0 for f in a for g in b)


def lapses(game: GameDiagram, player: str, earlier: str, later: str) -> list[Forgetting]:
    """What is forgotten from one decision of a player to its next."""
    found = []
    knowledge = game.knowledge(later)
    rule = game.written.rules.get(earlier)
    if rule is not None and rule == game.written.rules.get(later) and not tells_stages(game, earlier, later):
        found.append(Forgetting(player, "absent-minded", earlier, later, rule))
    lost = next((seen.text for seen in game.observations[earlier] if not seen.told and not knowledge.knows(seen.form)), None)
    if lost is not None:
        found.append(Forgetting(player, "knew", earlier, later, lost))
    if not knowledge.knows(game.act(earlier)):
        found.append(Forgetting(player, "did", earlier, later, earlier, lost is None and not game.site_of(earlier).mixed))
    return found


def tells_stages(game: GameDiagram, earlier: str, later: str) -> bool:
    """Whether something that is seen differs from stage to stage for certain (its number), or is a real number, which nature or acts
    make differ."""
    for a, b in zip(game.observations[earlier], game.observations[later], strict=False):
        if not a.form.terms and not b.form.terms and a.form.constant != b.form.constant:
            return True
    return any(o.size is None and game.observations[later][k].form.terms for k, o in enumerate(game.site_of(later).observations))
