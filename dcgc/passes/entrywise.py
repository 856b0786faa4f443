"""Arrays computed entry by entry fall into their entries.

``let x = theta + e`` of an array e says as much as ``let x[i] = theta + e[i]`` for every i: what somebody sees of x then depends on one
entry of e, and not on all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..core.expression import Apply, Constant, Expression, Parameter, Reference, Select, Stack
from ..core.folding import fold, number
from ..core.shapes import COMPARISONS, ELEMENTWISE, LOGIC, REDUCTIONS
from ..core.site import Decision, Game, Let, Random, Site

ENTRY_BY_ENTRY = frozenset((*ELEMENTWISE, *COMPARISONS, *LOGIC)) - {"mask"}  # where nothing is seen, a mask shows the whole array blank
SCALAR = 0


def extent(e: Expression, game: Game, of_site: Callable[[str], int | None]) -> int | None:
    """The length of a vector, ``SCALAR``, or None where the shape is another or is not told here."""
    if isinstance(e, (Constant, Parameter)):
        value: object = e.value if isinstance(e, Constant) else game.parameters[e.name]
        if not isinstance(value, tuple):
            return SCALAR
        return None if any(isinstance(v, tuple) for v in value) else len(value)
    if isinstance(e, Stack):
        return len(e.items) if all(extent(i, game, of_site) == SCALAR for i in e.items) else None
    if isinstance(e, Reference):
        return of_site(e.site)
    if isinstance(e, Select) and isinstance(e.base, Parameter):
        inner: object = game.parameters[e.base.name]
        for i in e.indices:
            inner = inner[0] if isinstance(inner, tuple) and number(i) is not None else None
        return SCALAR if isinstance(inner, (int, float)) else None
    if isinstance(e, Apply):
        parts = [extent(a, game, of_site) for a in e.arguments]
        if None in parts:
            return None
        if e.function in ENTRY_BY_ENTRY:
            lengths = set(parts) - {SCALAR}
            return SCALAR if not lengths else lengths.pop() if len(lengths) == 1 else None
        return SCALAR if e.function in REDUCTIONS else None
    return None


def extent_of_site(site: Site, value: int | None) -> int | None:
    """``value``: what a let's value has."""
    if isinstance(site, Let):
        return value
    if isinstance(site, Random):
        return SCALAR if not site.shape and not site.axes else None
    if isinstance(site, Decision):
        return SCALAR if not site.shape and not site.axes and site.kind in ("real", "bool") and site.function is None else None
    return None


def entries(e: Expression, length: int, game: Game, of_site: Callable[[str], int | None]) -> tuple[Expression, ...] | None:
    """The entries of a vector, or None where it is no more than one name."""
    def entry(e: Expression, k: int) -> Expression | None:
        if extent(e, game, of_site) == SCALAR:
            return e
        if isinstance(e, Stack):
            return e.items[k]
        if isinstance(e, Constant):
            assert isinstance(e.value, tuple)
            return Constant(e.value[k], span=e.span)
        if isinstance(e, Parameter):
            return Select(e, (Constant(float(k + 1)),), (False,), span=e.span)
        if isinstance(e, Apply) and e.function in ENTRY_BY_ENTRY:
            parts = [entry(a, k) for a in e.arguments]
            return None if any(p is None for p in parts) else fold(replace(e, arguments=tuple(p for p in parts if p is not None)))
        return None

    found = [entry(e, k) for k in range(length)]
    return None if any(x is None for x in found) else tuple(x for x in found if x is not None)
