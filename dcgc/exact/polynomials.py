"""All real solutions of a few polynomial equations, by elimination.

Equation j is that of unknown j, and linear in it where a cost is quadratic: it is solved for the unknown, which disappears from the others.
Of the last unknown there is one polynomial, whose real roots are counted by Sturm's theorem and isolated; of the last two, a resultant. The
coefficients are floating-point numbers written as fractions: roots are good to about 1e-11 and meant as starts of Newton's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .stationary import Unsolved

DENOMINATOR = 10**12
LARGEST = 400  # terms of one polynomial


@dataclass(frozen=True)
class Roots:
    """``points`` (roots, unknowns); ``complete``: whether there can be no other; ``degree``: of the last polynomial."""

    points: np.ndarray
    complete: bool
    degree: int


def rational(x: float) -> Fraction:
    return Fraction(float(x)).limit_denominator(DENOMINATOR)


def solutions(equations: Sequence[Any], unknowns: Sequence[Any], order: Sequence[int]) -> Roots:
    """All real roots. ``equations``: SymPy polynomials, ``order``: in which the unknowns are best eliminated. Raises Unsolved where too
    many are left, or there is a continuum of roots."""
    import sympy

    left = {j: sympy.Poly(equations[j], *unknowns, domain="QQ") for j in order}
    solved: list[tuple[int, Any, Any]] = []  # unknown j = -b / a
    complete = True
    for j in order:
        if len(left) == 1:
            break
        if left[j].degree(unknowns[j]) != 1:
            continue
        a, b = split(left[j], unknowns[j], unknowns)
        new = {i: without(p, unknowns[j], a, b, unknowns) for i, p in left.items() if i != j}
        if any(len(p.terms()) > LARGEST for p in new.values()):
            continue
        left = new
        solved.append((j, a, b))
    names = [unknowns[j] for j in left]
    if len(left) > 2:
        raise Unsolved(f"the first-order conditions leave {len(left)} slopes that elimination does not separate")
    if len(left) == 2:
        points, degree, sure = pairs([p.as_expr() for p in left.values()], names)
        complete &= sure
    else:
        (only,) = left.values()
        points, degree = [(x,) for x in real_roots(only.as_expr(), names[0])], only.degree(names[0])  # type: ignore[misc]
    found = []
    for point in points:
        values = dict(zip(names, point, strict=True))
        for j, a, b in reversed(solved):
            bottom = a.as_expr().subs(values)
            if abs(bottom) < 1e-14:
                complete = False
                break
            values[unknowns[j]] = -b.as_expr().subs(values) / bottom
        else:
            found.append([float(values[x]) for x in unknowns])
    for _, a, _ in solved:  # a denominator that can vanish may have hidden a root
        rest = [x for x in unknowns if a.degree(x) > 0]
        complete &= not rest or (len(rest) == 1 and sympy.Poly(a.as_expr(), rest[0]).count_roots() == 0) or definite(a)
    return Roots(np.asarray(found).reshape(len(found), len(unknowns)), complete, degree)


def definite(p: Any) -> bool:
    """Whether a polynomial is a positive number plus terms that cannot be negative."""
    terms = p.terms()
    return all(c > 0 and all(k % 2 == 0 for k in powers) for powers, c in terms) and any(not any(powers) for powers, _ in terms)


def split(p: Any, x: Any, unknowns: Sequence[Any]) -> tuple[Any, Any]:
    """(a, b) of a x + b."""
    import sympy

    both = sympy.Poly(p.as_expr(), x)
    return (sympy.Poly(both.coeff_monomial(x), *unknowns, domain="QQ"), sympy.Poly(both.coeff_monomial(1), *unknowns, domain="QQ"))


def without(p: Any, x: Any, a: Any, b: Any, unknowns: Sequence[Any]) -> Any:
    """The numerator of p with x = -b / a, factors of a that it gained taken out again."""
    import sympy

    degree = p.degree(x)
    if degree == 0:
        return p
    powers = sympy.Poly(p.as_expr(), x)
    total = sympy.Poly(0, *unknowns, domain="QQ")
    for (k,), c in powers.terms():
        total += sympy.Poly(c, *unknowns, domain="QQ") * (-b) ** k * a ** (degree - k)
    if not a.is_ground:
        for _ in range(degree):
            quotient, rest = sympy.div(total, a)
            if not rest.is_zero or quotient.is_zero:
                break
            total = quotient
    return total


def real_roots(e: Any, x: Any) -> list[Any]:
    """The distinct real roots, as many as Sturm's theorem counts. Raises Unsolved for the polynomial 0."""
    import sympy

    p = sympy.Poly(e, x, domain="QQ")
    if p.is_zero:
        raise Unsolved("the first-order conditions have a continuum of solutions")
    if p.degree() == 0:
        return []
    p = p.sqf_part()
    return [low if low == high else p.refine_root(low, high, eps=sympy.Rational(1, 10**20))[0] for low, high in
            ((i if isinstance(i, tuple) else (i, i)) for i in p.intervals(sqf=True))]


def pairs(equations: Sequence[Any], names: Sequence[Any]) -> tuple[list[tuple[Any, Any]], int, bool]:
    """The real roots of two equations in two unknowns, by their resultant."""
    import sympy

    x, y = names
    factor = sympy.Poly(sympy.resultant(equations[0], equations[1], y), x, domain="QQ")
    points = []
    for at in real_roots(factor.as_expr(), x):
        one = [sympy.Poly(e.subs(x, at), y) for e in equations]
        least = min((p for p in one if p.degree() > 0), key=lambda p: p.degree(), default=None)
        if least is None:
            continue
        for root in least.nroots(n=30):
            if abs(sympy.im(root)) < 1e-9:
                points.append((at, sympy.re(root)))
    return points, factor.degree(), False
