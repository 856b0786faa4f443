"""Accounts: who pays what, what a player must hold, and who announces its policy first."""

from __future__ import annotations

from dataclasses import replace

from ..syntax import tree
from . import expressions, players
from .context import Checker, Place, View
from .mistakes import missing as M


def check_payment(c: Checker, node: tree.Payment, place: Place) -> None:
    who = players.resolve(c, node.payer, place, "pays", teams=True)
    expressions.infer_scalar(c, node.value, View(place), f"a {node.kind}")
    if who is not None:
        c.paid.add(who.name)


def check_constrain(c: Checker, node: tree.Constrain, place: Place) -> None:
    # E[..] may stand on either side; without it the constraint holds in every play.
    view = replace(View(place, "report"), averaged=True)
    for side in (node.left, node.right):
        expressions.infer_scalar(c, side, view, "each side of a constraint")
    players.resolve(c, node.player, place, "holds this", teams=True)


def check_commit(c: Checker, node: tree.Commit, place: Place) -> None:
    who = players.resolve(c, node.player, place, "commits", teams=True, families=True)
    if who is None:
        return
    text = players.text_of(c, who)
    if text in c.committed:
        c.report(M.COMMIT_TWICE.at(node.player.span, player=text))
    c.committed.setdefault(text, (who, node.player.span))
