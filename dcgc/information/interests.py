"""Whose interests agree: team, zero-sum, potential or general-sum games, and common interests and conflicts variable by variable.

Costs are compared as expressions in draws and decisions, so that what is said holds for every play, whatever the policies. With SymPy,
which expands products and differentiates; a game whose costs are too long to be expanded is compared term by term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..core.expression import Apply, Constant, Expression, Parameter, Reference, Stack, walk
from ..core.site import Decision, Let, Payment, Random
from .game_diagram import GameDiagram, label
from .inference import Form, payment_form

LARGEST = 300  # nodes of all costs that are expanded

Sum = Literal["team", "zero-sum", "constant-sum", "potential", "general-sum"]


@dataclass(frozen=True)
class Interests:
    """``kind``; ``sides``: who decides for one and the same account, by a name for each; ``expanded``: whether costs were expanded, so
    that what is not found to be zero-sum is not. ``variables``: by decision, who gains when whom does: (one, other, relation)."""

    kind: Sum
    sides: dict[str, tuple[str, ...]]
    expanded: bool
    variables: dict[str, tuple[tuple[str, str, str], ...]]


def interests(game: GameDiagram) -> Interests:
    """How the costs of those who decide relate to each other."""
    sides = sides_of(game)
    if len(sides) <= 1:
        return Interests("team", sides, True, {})
    costs = {name: payments_of(game, players) for name, players in sides.items()}
    forms = {name: total(game, own) for name, own in costs.items()}
    names = list(sides)
    if all(forms[n] == forms[names[0]] for n in names):
        return Interests("team", sides, True, {})
    if len(sides) == 2 and not (sum_form := forms[names[0]] + forms[names[1]]).terms:
        kind: Sum = "zero-sum" if abs(sum_form.constant) < 1e-12 else "constant-sum"
        return Interests(kind, sides, True, {})
    if size(game, [p for own in costs.values() for p in own]) > LARGEST:
        return Interests("general-sum", sides, False, {})
    return expanded(game, sides, costs)


def sides_of(game: GameDiagram) -> dict[str, tuple[str, ...]]:
    """Players by the accounts that they decide for: those with the same accounts are one side."""
    paid = {owner for u in game.diagram.utilities for owner in game.diagram.nodes[u].owners}
    found: dict[frozenset[str], list[str]] = {}
    for k in game.diagram.decisions:
        node = game.diagram.nodes[k]
        players = found.setdefault(frozenset(node.owners & paid), [])
        if node.player is not None and node.player not in players:
            players.append(node.player)
    teams = {team.name for team in game.game.teams}
    out = {}
    for accounts, players in found.items():
        name = next((a for a in sorted(accounts) if a in teams), None) if len(players) > 1 else players[0]
        out[name or " and ".join(players)] = tuple(players)
    return out


def payments_of(game: GameDiagram, players: tuple[str, ...]) -> list[Payment]:
    """What the players of a side pay, all of it."""
    owners = next(game.diagram.nodes[k].owners for k in game.diagram.decisions if game.diagram.nodes[k].player in players)
    return [p for p in game.game.payments if p.constraint is None and label(p.actor) in owners]


def total(game: GameDiagram, payments: Sequence[Payment]) -> Form:
    out = Form()
    for p in payments:
        out = out + payment_form(game.atoms, p)
    return out


def size(game: GameDiagram, payments: Sequence[Payment]) -> int:
    """Nodes of all payments together, with their lets put in."""
    sizes: dict[str, int] = {}
    for site in game.game.sites:
        if isinstance(site, Let):
            sizes[site.name] = min(10 * LARGEST, nodes(site.value, sizes))
    return sum(nodes(p.cost, sizes) for p in payments)


def nodes(e: Expression, sizes: dict[str, int]) -> int:
    return sum(sizes.get(part.site, 1) if isinstance(part, Reference) else 1 for part in walk(e))


def expanded(game: GameDiagram, sides: dict[str, tuple[str, ...]], costs: dict[str, list[Payment]]) -> Interests:
    """Interests by algebra: sums that vanish, and second derivatives that agree (Monderer and Shapley 1996, Theorem 4.5)."""
    import sympy

    symbols: dict[str, Any] = {}
    converted: dict[str, Any] = {}
    for name, own in costs.items():
        parts = [symbolic(game, p.cost, symbols) for p in own]
        guards = [sympy.Integer(1) if not p.guards else sympy.Mul(*(symbolic(game, g, symbols) for g in p.guards)) for p in own]
        converted[name] = sympy.expand(sum((g * c for g, c in zip(guards, parts, strict=True)), sympy.Integer(0)))
    names = list(sides)
    if len(names) == 2:
        added = sympy.expand(converted[names[0]] + converted[names[1]])
        if not added.free_symbols:
            kind: Sum = "zero-sum" if abs(float(added)) < 1e-12 else "constant-sum"
            return Interests(kind, sides, True, by_variable(game, sides, converted, symbols))
    if all(sympy.expand(converted[n] - converted[names[0]]) == 0 for n in names):
        return Interests("team", sides, True, {})
    kind = "potential" if static(game) and potential(game, sides, converted, symbols) else "general-sum"
    return Interests(kind, sides, True, by_variable(game, sides, converted, symbols))


def static(game: GameDiagram) -> bool:
    """Whether nobody sees what anybody's act changes: strategies are then acts, draw by draw."""
    return not any(game.diagram.influence[k] for k in game.diagram.decisions)


def own_decisions(game: GameDiagram, players: tuple[str, ...]) -> list[str]:
    return [game.diagram.nodes[k].name for k in game.diagram.decisions if game.diagram.nodes[k].player in players]


def potential(game: GameDiagram, sides: dict[str, tuple[str, ...]], costs: dict[str, Any], symbols: dict[str, Any]) -> bool:
    """Whether d2 J_a / du_a du_b = d2 J_b / du_a du_b for all acts u_a, u_b of different sides."""
    import sympy

    names = list(sides)
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            difference = costs[a] - costs[b]
            for u in own_decisions(game, sides[a]):
                for v in own_decisions(game, sides[b]):
                    if u not in symbols or v not in symbols:
                        continue
                    if sympy.expand(sympy.diff(difference, symbols[u], symbols[v])) != 0:
                        return False
    return True


def by_variable(game: GameDiagram, sides: dict[str, tuple[str, ...]], costs: dict[str, Any],
                symbols: dict[str, Any]) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """For each decision how two sides' costs move with it: in proportion (common), against each other (conflict), one of them not at all
    (indifferent), or as it comes (mixed)."""
    import sympy

    out: dict[str, tuple[tuple[str, str, str], ...]] = {}
    names = list(sides)
    for k in game.diagram.decisions[:40]:
        name = game.diagram.nodes[k].name
        if name not in symbols:
            continue
        slopes = {n: sympy.expand(sympy.diff(costs[n], symbols[name])) for n in names}
        found = []
        for i, a in enumerate(names[:6]):
            for b in names[i + 1:6]:
                found.append((a, b, relation(slopes[a], slopes[b])))
        out[name] = tuple(found)
    return out


def relation(a: Any, b: Any) -> str:
    """How two slopes relate."""
    import sympy

    if a == 0 or b == 0:
        return "none" if a == b else "indifferent"
    ratio = sympy.cancel(a / b)
    if ratio.is_number:
        return "common" if ratio > 0 else "conflict"
    return "mixed"


def binary(game: GameDiagram, name: str) -> bool:
    """Whether a site is 0 or 1."""
    site = game.sites.get(name)
    return isinstance(site, Decision) and site.kind == "bool" or isinstance(site, Random) and site.distribution == "Bernoulli"


def scalars(items: Stack) -> list[Expression]:
    """The entries of an array that is written out, row after row."""
    return [x for i in items.items for x in (scalars(i) if isinstance(i, Stack) else [i])]


def symbolic(game: GameDiagram, e: Expression, symbols: dict[str, Any]) -> Any:
    """An expression in SymPy; what is no arithmetic is a function symbol of its parts."""
    import sympy

    if isinstance(e, Reference):
        site = game.sites.get(e.site)
        if isinstance(site, Let) and not site.axes and not site.guards:
            return symbolic(game, site.value, symbols)
        return symbols.setdefault(e.site, sympy.Symbol(f"x{len(symbols)}", real=True))
    if isinstance(e, Constant) and not isinstance(e.value, tuple):
        return sympy.nsimplify(e.value, rational=True) if abs(e.value) < 1e12 else sympy.Float(e.value)
    if isinstance(e, Parameter) and not isinstance(game.game.parameters[e.name], tuple):
        return sympy.nsimplify(game.game.parameters[e.name], rational=True)
    if isinstance(e, Apply) and e.function in ("sum", "mean", "prod", "max", "min") and len(e.arguments) == 1 and \
            isinstance(e.arguments[0], Stack):
        items = [symbolic(game, i, symbols) for i in scalars(e.arguments[0])]
        whole = {"sum": sympy.Add, "mean": sympy.Add, "prod": sympy.Mul, "max": sympy.Max, "min": sympy.Min}[e.function](*items)
        return whole / len(items) if e.function == "mean" else whole
    parts = [symbolic(game, c, symbols) for c in e.children]
    if isinstance(e, Apply):
        a = parts
        if e.function in ("add", "sub", "mul", "div", "neg", "pow"):
            return {"add": lambda: a[0] + a[1], "sub": lambda: a[0] - a[1], "mul": lambda: a[0] * a[1], "div": lambda: a[0] / a[1],
                    "neg": lambda: -a[0], "pow": lambda: a[0] ** a[1]}[e.function]()
        if e.function in ("exp", "log", "sqrt", "sin", "cos", "tanh") and len(a) == 1:
            return getattr(sympy, e.function)(a[0])
        if e.function == "not":
            return 1 - a[0]
        if e.function == "where":
            return a[2] + a[0] * (a[1] - a[2])
        if e.function == "eq" and all(isinstance(x, Reference) and binary(game, x.site) for x in e.arguments):
            return 1 - a[0] - a[1] + 2 * a[0] * a[1]
        return sympy.Function(e.function)(*a)
    if not parts:
        return symbols.setdefault(str(e), sympy.Symbol(f"x{len(symbols)}", real=True))
    return sympy.Function(type(e).__name__)(*parts)
