"""Whether a game as a whole makes sense: somebody decides, somebody pays, and nothing is left over."""

from __future__ import annotations

from ..syntax import tree
from .checked import Symbol
from .context import Checker
from .mistakes import channels as C
from .mistakes import missing as M


def check_sense(c: Checker, header: tree.GameHeader) -> None:
    """Report missing and senseless parts; run after all statements, and only if they have no errors of their own."""
    if not c.acting:
        c.report(M.NO_DECISION.at(header.span))
    if not c.paid and not any(info.statement.body.price for info in c.channels.values()) and not c.priced:
        c.report(M.NO_COST.at(header.span))
    elif c.acting:
        _check_stakes(c)
        _check_players(c)
    _check_channels(c)
    _check_leaders(c)
    for symbol in c.symbols.values():
        _check_use(c, symbol)


def _teams_of(c: Checker, player: str) -> list[str]:
    return [team.name for team in c.teams.values() if any(member == player for member, _ in team.members)]


def _check_stakes(c: Checker) -> None:
    """Every player that decides has an account: its own, or that of a team."""
    for player, span in c.deciding.items():
        if player not in c.paid and not any(team in c.paid for team in _teams_of(c, player)):
            c.report(M.NOTHING_AT_STAKE.at(span, player=player))


def _check_players(c: Checker) -> None:
    present = c.acting | c.hearing | c.dormant_players | {text.split("[", 1)[0] for text in c.committed}
    for player in c.players.values():
        if player.name not in present:
            c.report(M.IDLE.at(player.span, player=player.name))


def _check_channels(c: Checker) -> None:
    for name, info in c.channels.items():
        if name in c.dormant:
            continue
        owner = " ".join(info.statement.sender.span.text.split())
        if not info.sends:
            c.report(C.NEVER_SENT.at(info.statement.target.span, name=name, owner=owner))
        elif name not in c.known_channels and name not in c.used:
            c.report(C.NEVER_HEARD.at(info.statement.target.span, name=name))


def _check_leaders(c: Checker) -> None:
    for text, (_, span) in c.committed.items():
        name = text.split("[", 1)[0]
        members = {member for member, _ in c.teams[name].members} if name in c.teams else {name}
        if not members & c.acting:
            c.report(M.IDLE_LEADER.at(span, player=text))


def _check_use(c: Checker, symbol: Symbol) -> None:
    if symbol.kind in ("random", "let", "param", "solution") and symbol.name not in c.used:
        if "." not in symbol.name:  # a module is not to blame for what a game leaves unused
            c.report(M.UNUSED.at(symbol.span, name=symbol.name))
    if symbol.kind == "state" and not any(symbol.name in frame.updated for frame in c.frames):
        if symbol.name not in c.dormant:
            c.report(M.NO_UPDATE.at(symbol.span, name=symbol.name))
