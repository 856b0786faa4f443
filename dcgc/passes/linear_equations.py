"""Equations that are linear in their unknown are solved by algebra: linear-quadratic games stay linear and quadratic.

``slope * p + offset = 0`` gives p = -offset / slope wherever slope is not 0, also outside of the interval in which the text looks for
it: the scorecard says how often that happens (R002).
"""

from __future__ import annotations

from dataclasses import replace

from ..core.expression import Apply, Expression, Reference, Root, Unknown, rebuild
from ..core.folding import ZERO, fold
from ..core.site import Game, Let, Site
from ..information.dependence import affine


def linear_equations(game: Game) -> Game:
    """The game with the solutions of such equations as plain values."""
    return replace(game, sites=tuple(solved(s) for s in game.sites))


def solved(site: Site) -> Site:
    if not isinstance(site, Let) or not isinstance(site.value, Root):
        return site
    value = closed_form(site.value)
    return site if value is None else replace(site, value=value)


def closed_form(root: Root) -> Expression | None:
    """The solution of an equation that is linear in its unknown, else None."""
    parts = affine(named(Apply("sub", (root.left, root.right), span=root.span), root.unknown), root.unknown)
    if parts is None or parts[1] == ZERO:
        return None
    offset, slope = parts
    return fold(Apply("div", (fold(Apply("neg", (offset,), span=root.span)), slope), span=root.span))


def named(e: Expression, unknown: str) -> Expression:
    """The expression with its unknown as if it were a site."""
    return Reference(unknown) if e == Unknown(unknown) else rebuild(e, lambda c: named(c, unknown))
