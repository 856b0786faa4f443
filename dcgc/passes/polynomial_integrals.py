"""Integrals of polynomials are polynomials of the ends: linear-quadratic games stay linear and quadratic.

The integral of sum c_k p^k over [a, b] is sum c_k (b^(k+1) - a^(k+1)) / (k + 1); the coefficients are whatever does not mention p.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from ..core.bases import HIGHEST_POWER
from ..core.expression import Apply, Constant, Expression, Fold, Over, Unknown, rebuild, walk
from ..core.folding import ONE, ZERO, fold, number
from ..core.site import Game, Let, Payment, Site

Coefficients = list[Expression]  # of the powers 0, 1, ..


def polynomial_integrals(game: Game) -> Game:
    """The game with such integrals and means in closed form."""
    measures = tuple(replace(m, value=closed(m.value)) for m in game.measures)
    return replace(game, sites=tuple(integrated(s) for s in game.sites), measures=measures)


def integrated(site: Site) -> Site:
    if isinstance(site, Let):
        return replace(site, value=closed(site.value))
    return replace(site, cost=closed(site.cost)) if isinstance(site, Payment) else site


def closed(e: Expression) -> Expression:
    """The expression with every integral of a polynomial written out."""
    if not any(isinstance(x, Over) for x in walk(e)):
        return e
    e = rebuild(e, closed)
    if not isinstance(e, Over) or e.operation not in ("integral", "mean"):
        return e
    coefficients = polynomial(e.body, e.unknown)
    if coefficients is None:
        return e
    total: Expression = ZERO
    for k, c in enumerate(coefficients):
        if c == ZERO:
            continue
        powers = [fold(Apply("mul", (power(e.low, j), power(e.high, k - j)), span=e.span)) for j in range(k + 1)]
        mean = fold(Apply("div", (reduce(plus, powers), Constant(k + 1.0)), span=e.span))  # of p^k over the interval
        total = plus(total, times(c, mean))
    return total if e.operation == "mean" else times(fold(Apply("sub", (e.high, e.low), span=e.span)), total)


def polynomial(e: Expression, unknown: str) -> Coefficients | None:
    """The coefficients of an expression as a polynomial in an unknown; None if it is none, or of too high a degree."""
    if e == Unknown(unknown):
        return [ZERO, ONE]
    if not any(x == Unknown(unknown) for x in walk(e)):
        return [e]
    if isinstance(e, Fold) and e.reduction == "sum" and (e.condition is None or not any(x == Unknown(unknown) for x in walk(e.condition))):
        inner = polynomial(e.body, unknown)
        return None if inner is None else [ZERO if c == ZERO else replace(e, body=c) for c in inner]
    if not isinstance(e, Apply):
        return None
    if e.function == "pow":
        exponent, base = number(e.arguments[1]), polynomial(e.arguments[0], unknown)
        if base is None or exponent is None or exponent != int(exponent) or not 0 <= exponent * (len(base) - 1) <= HIGHEST_POWER:
            return None
        start: Coefficients = [ONE]
        return reduce(product, [base] * int(exponent), start)
    if e.function not in ("add", "sub", "neg", "mul", "div"):
        return None
    parts = [polynomial(a, unknown) for a in e.arguments]
    if any(p is None for p in parts):
        return None
    known = [p for p in parts if p is not None]
    if e.function == "neg":
        return [minus(c) for c in known[0]]
    if e.function == "div":
        return [fold(Apply("div", (c, known[1][0]))) for c in known[0]] if len(known[1]) == 1 else None
    if e.function == "mul":
        return product(*known) if len(known[0]) + len(known[1]) - 2 <= HIGHEST_POWER else None
    left, right = (p + [ZERO] * (max(map(len, known)) - len(p)) for p in known)
    return [plus(a, b if e.function == "add" else minus(b)) for a, b in zip(left, right, strict=True)]


def product(left: Coefficients, right: Coefficients) -> Coefficients:
    out: Coefficients = [ZERO] * (len(left) + len(right) - 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            out[i + j] = plus(out[i + j], times(a, b))
    return out


def plus(a: Expression, b: Expression) -> Expression:
    return fold(Apply("add", (a, b)))


def times(a: Expression, b: Expression) -> Expression:
    return ZERO if ZERO in (a, b) else fold(Apply("mul", (a, b)))


def minus(a: Expression) -> Expression:
    return ZERO if a == ZERO else fold(Apply("neg", (a,)))


def power(e: Expression, k: int) -> Expression:
    return ONE if k == 0 else e if k == 1 else fold(Apply("pow", (e, Constant(float(k)))))
