"""Equations in which the unknown stands once, or squared, are solved in closed form: isoelastic and exponential demand, quadratics.

Where the unknown stands once, what is around it is undone step by step: sums and products are taken to the other side, powers, roots,
exponentials and logarithms are inverted. A quadratic has the root that lies in the interval. The value is kept within the interval, as
the search for a root keeps it: where there is none it is the nearer end, and the scorecard says how often (R002).
"""

from __future__ import annotations

from dataclasses import replace

from ..core.expression import Apply, Constant, Expression, Root, Unknown, walk
from ..core.folding import ZERO, fold, number
from ..core.site import Game, Let, Site
from .polynomial_integrals import minus, polynomial, times

TINY = 1e-18  # a logarithm or a fractional power of nothing or less has no solution; powers of this stay finite in single precision


def isolated_unknowns(game: Game) -> Game:
    """The game with the solutions of such equations as plain values."""
    return replace(game, sites=tuple(solved(s) for s in game.sites))


def solved(site: Site) -> Site:
    if not isinstance(site, Let) or not isinstance(site.value, Root):
        return site
    root = site.value
    value = quadratic(root)
    value = isolated(root) if value is None else value
    return site if value is None else replace(site, value=Apply("between", (value, root.low, root.high), span=root.span))


def occurrences(e: Expression, unknown: str) -> int:
    return sum(x == Unknown(unknown) for x in walk(e))


def isolated(root: Root) -> Expression | None:
    """The unknown by itself, where it stands once and everything around it can be undone on the interval; else None."""
    inside, outside = root.left, root.right
    if occurrences(inside, root.unknown) == 0:
        inside, outside = outside, inside
    if occurrences(inside, root.unknown) != 1 or occurrences(outside, root.unknown) != 0:
        return None
    positive = (number(root.low) or 0.0) >= 0 and number(root.low) is not None
    while inside != Unknown(root.unknown):
        step = undone(inside, outside, root.unknown, positive)
        if step is None:
            return None
        inside, outside = step
    return outside


def undone(e: Expression, other: Expression, unknown: str, positive: bool) -> tuple[Expression, Expression] | None:
    """``e = other`` with the outermost operation of ``e`` taken to the other side."""
    if not isinstance(e, Apply):
        return None
    if e.function in ("exp", "log", "sqrt", "neg"):
        inverse = {"exp": ("log", above_zero(other)), "log": ("exp", other), "sqrt": ("mul", other), "neg": ("neg", other)}
        name, value = inverse[e.function]
        return e.arguments[0], fold(Apply(name, (value, value) if name == "mul" else (value,), span=e.span))
    if len(e.arguments) != 2:
        return None
    a, b = e.arguments
    first = occurrences(a, unknown) == 1
    if e.function == "add":
        return (a, b)[not first], fold(Apply("sub", (other, b if first else a), span=e.span))
    if e.function == "sub":
        return (a, fold(Apply("add", (other, b), span=e.span))) if first else (b, fold(Apply("sub", (a, other), span=e.span)))
    if e.function == "mul":
        return (a, b)[not first], fold(Apply("div", (other, b if first else a), span=e.span))
    if e.function == "div":
        return (a, fold(Apply("mul", (other, b), span=e.span))) if first else (b, fold(Apply("div", (a, other), span=e.span)))
    if e.function == "pow" and first and positive and a == Unknown(unknown) and b != ZERO:
        power = fold(Apply("div", (Constant(1.0), b), span=e.span))
        return a, Apply("pow", (above_zero(other), power), span=e.span)
    return None


def above_zero(e: Expression) -> Expression:
    return Apply("above", (e, Constant(TINY)), span=e.span)


def quadratic(root: Root) -> Expression | None:
    """The root of a polynomial of degree two that lies in the interval; None if the equation is none, or might be linear at times."""
    left, right = polynomial(root.left, root.unknown), polynomial(root.right, root.unknown)
    if left is None or right is None or max(len(left), len(right)) != 3:
        return None
    c, b, a = (fold(Apply("sub", pair)) for pair in zip(padded(left), padded(right), strict=True))
    if number(a) is None or a == ZERO:
        return None
    inside = fold(Apply("sub", (times(b, b), times(Constant(4.0), times(a, c)))))
    half = Apply("pow", (Apply("above", (inside, ZERO)), Constant(0.5)))
    ends = [Apply("div", (Apply(word, (minus(b), half)), times(Constant(2.0), a)), span=root.span) for word in ("add", "sub")]
    return Apply("inside", (*ends, root.low, root.high), span=root.span)


def padded(coefficients: list[Expression]) -> list[Expression]:
    return coefficients + [ZERO] * (3 - len(coefficients))
