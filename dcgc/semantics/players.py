"""Players: who a name or ``Firm[i]`` is, and who hears a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..syntax import tree
from . import indexing
from .checked import IndexDomain, ValueType
from .context import Checker, Place, View
from .mistakes import knowledge as K
from .mistakes import names as N

SAMPLED = 4  # members of a family are alike: the first few and the last stand for all


@dataclass(frozen=True)
class PlayerRef:
    """A player or a team; ``member`` is the index of a family's member, ``every`` a whole family."""

    name: str
    member: tree.Expression | None = None
    team: bool = False
    every: bool = False


def resolve(
    c: Checker,
    node: tree.Expression,
    place: Place,
    verb: str,
    teams: bool = False,
    families: bool = False,
    locals: Mapping[str, ValueType] | None = None,
) -> PlayerRef | None:
    """Who an expression names; reports and returns None if nobody, or nobody who may stand here.

    ``teams`` and ``families`` say whether those may stand here; ``locals`` are indices bound by the statement itself.
    """
    name = node.base if isinstance(node, tree.Index) else node
    if not isinstance(name, tree.Name) or name.name in ("others", "all", "nothing", "recall", "true", "false"):
        c.report(N.NOT_A_PLAYER.at(node.span, name=" ".join(node.span.text.split()), kind="an expression", more=""))
        return None
    c.used.add(name.name)
    symbol = c.symbols.get(name.name)
    if symbol is None:
        if name.name in c.later and name.name not in c.dormant and c.later[name.name][0].start > name.span.start:
            c.report(K.TOO_EARLY.at(name.span, name=name.name, line=c.later[name.name][0].line))
        else:
            c.unknown_name(name.name, name.span, ("player", "team") if teams else ("player",))
        return None
    if symbol.kind == "team" and teams and not isinstance(node, tree.Index):
        return PlayerRef(name.name, team=True) if name.name in c.teams else None
    if symbol.kind != "player":
        more = "; a team's members decide" if symbol.kind == "team" else ""
        c.report(N.NOT_A_PLAYER.at(name.span, name=name.name, kind=c.describe(name.name), more=more))
        return None
    player = c.players[name.name]
    if isinstance(node, tree.Index):
        size = player.size
        domains = (IndexDomain(player.name, size),) if size is not None else ()
        found = indexing.select(c, node, ValueType("bool"), domains, View(place, locals=locals or {}))
        if found.kind == "unknown" or found.shape != ():
            return None
        return PlayerRef(name.name, node.indices[0])
    if player.size is None:
        return PlayerRef(name.name)
    if families:
        return PlayerRef(name.name, every=True)
    c.report(K.WHICH_MEMBER.at(node.span, name=name.name, verb=verb))
    return None


def text_of(c: Checker, who: PlayerRef) -> str:
    return who.name if who.member is None else f"{who.name}[{' '.join(who.member.span.text.split())}]"


def samples(place: Place) -> list[dict[str, float]]:
    """A few values of the indices of the loops around a place, as environments for constants."""
    rows: list[dict[str, float]] = [{}]
    for loop in place.loops:
        first, size = loop.domain.low, loop.domain.size
        values = sorted({*range(first, first + min(size, SAMPLED)), first + size - 1})
        rows = [{**row, loop.binder: float(value)} for row in rows for value in values][:64]
    return rows
