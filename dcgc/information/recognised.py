"""Structure that a cost has in a player's own act: convex, solved in closed form by a last mover, linear in each finite choice.

Costs are brought into SymPy with all values written out and differentiated twice; the sign is what SymPy can decide from the ranges of
draws and decisions. What is not decided is not reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..core.expression import Apply, Constant, Expression, Fold, Parameter, Reference, Select, Stack, references
from ..core.folding import number
from ..core.site import Decision, Let, Payment, Random
from .closed_forms import closed_forms
from .dependence import Dependence
from .game_diagram import GameDiagram
from .interests import payments_of, sides_of, size, symbolic

LARGEST = 300  # nodes of all costs that are differentiated
MOST = 16  # decisions

Curvature = Literal["strictly convex", "convex", "linear", "concave"]


@dataclass(frozen=True)
class Recognised:
    """``curvatures``: of the own cost in each real act, all else held fixed, where it is decided. ``closed``: of last movers with a
    quadratic cost the best reply, as a formula. ``multilinear``: finite decisions, if payments are linear in each of them (else empty)."""

    curvatures: Mapping[str, Curvature]
    closed: Mapping[str, str]
    multilinear: tuple[str, ...]


def recognised(game: GameDiagram) -> Recognised:
    """What is recognised; nothing in games that are too large to be looked at."""
    decisions = [game.site_of(game.diagram.nodes[k].name) for k in game.diagram.decisions]
    if not decisions or len(decisions) > MOST:
        return Recognised({}, {}, ())
    sides = sides_of(game)
    own = {name: payments_of(game, players) for name, players in sides.items()}
    if size(game, [p for paid in own.values() for p in paid]) > LARGEST:
        return Recognised({}, {}, ())
    by_decision: dict[str, tuple[Payment, ...]] = {}
    for side, players in sides.items():
        for k in game.diagram.decisions:
            if game.diagram.nodes[k].player in players:
                by_decision[game.diagram.nodes[k].name] = tuple(own[side])
    closed = closed_forms(game.game, Dependence(game.game), by_decision) if not any(p.axes for p in game.game.payments) else {}
    return Recognised(curvatures(game, decisions, by_decision), {d: c.text for d, c in closed.items()}, multilinear(game, decisions))


def curvatures(game: GameDiagram, decisions: list[Decision], by_decision: Mapping[str, tuple[Payment, ...]]) -> dict[str, Curvature]:
    """Of each scalar real act, where the sign of the second derivative is decided."""
    import sympy

    out: dict[str, Curvature] = {}
    for d in decisions:
        if d.kind not in ("real", "bounded") or d.shape or d.finite:
            continue
        symbols: dict[str, Any] = {}
        total = sympy.Integer(0)
        for p in by_decision[d.name]:
            guard = sympy.Mul(*(symbolic(game, g, symbols) for g in p.guards))
            total += guard * symbolic(game, p.cost, symbols)
        if d.name not in symbols:
            continue
        ranged = {symbols[name]: sympy.Symbol(f"r{i}", **range_of(game, name)) for i, name in enumerate(symbols)}
        second = sympy.simplify(sympy.diff(total, symbols[d.name], 2)).xreplace(ranged)
        found = sign(second)
        if found is not None:
            out[d.name] = found
    return out


def sign(second: Any) -> Curvature | None:
    if second == 0:
        return "linear"
    if second.is_positive:
        return "strictly convex"
    if second.is_nonnegative:
        return "convex"
    return "concave" if second.is_nonpositive else None


def range_of(game: GameDiagram, name: str) -> dict[str, bool]:
    """What is known of the sign of a draw or a decision, as SymPy's assumptions."""
    site = game.sites.get(name)
    if isinstance(site, Decision):
        if site.finite:
            return {"nonnegative": True} if site.kind == "bool" else {"real": True}
        low = number(site.low) if site.low is not None else None
        return {"nonnegative": True} if low is not None and low >= 0 else {"real": True}
    if isinstance(site, Random):
        if site.distribution in ("Exponential", "LogNormal", "Gamma", "Beta"):  # 0 is never drawn
            return {"positive": True}
        if site.distribution == "Bernoulli":
            return {"nonnegative": True}
        if site.distribution == "Uniform":
            low = number(site.arguments[0])
            return {"positive": True} if low is not None and low >= 0 else {"real": True}
    return {"real": True}


def multilinear(game: GameDiagram, decisions: list[Decision]) -> tuple[str, ...]:
    """The finite decisions, if every payment is of degree one at most in each of them; none if there are none, or it is not seen to be."""
    finite = [d.name for d in decisions if d.finite]
    for p in game.game.payments:
        if p.information is not None or p.axes or any(max((degree(game, e, name) for e in (p.cost, *p.guards)), default=0)
                                                      + sum(degree(game, g, name) for g in p.guards) > 1 for name in finite):
            return ()
    return tuple(finite)


def degree(game: GameDiagram, e: Expression, name: str) -> float:
    """The degree of an expression in a finite decision, as it is written; inf where it is no polynomial."""
    if isinstance(e, Reference):
        site = game.sites.get(e.site)
        if isinstance(site, Let):
            return degree(game, site.value, name) + sum(degree(game, g, name) for g in site.guards) if not site.axes else math.inf
        return float(e.site == name)
    if isinstance(e, (Constant, Parameter)):
        return 0
    parts = [degree(game, c, name) for c in e.children]
    if not any(parts):
        return 0
    if isinstance(e, Stack) or isinstance(e, Fold) and e.reduction in ("sum", "mean"):
        return max(parts)
    if isinstance(e, Select):
        found = [degree(game, i, name) for i in e.indices]
        turns = [own if hot or not own else math.inf for own, hot in zip(found, e.one_hot, strict=True)]
        return degree(game, e.base, name) + sum(turns)
    if isinstance(e, Apply):
        if e.function in ("add", "sub"):
            return max(parts)
        if e.function in ("mul", "dot", "and", "or"):
            return sum(parts)
        if e.function in ("neg", "not", "sum", "mean"):
            return parts[0]
        if e.function == "div" and parts[1] == 0:
            return parts[0]
        if e.function == "where":
            return parts[0] + max(parts[1:])
        if e.function == "eq" and sum(p > 0 for p in parts) == 1 and all(isinstance(a, Reference) and a.site == name or not references(a)
                                                                         for a in e.arguments):
            return 1
    return math.inf
