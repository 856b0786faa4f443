"""Recognised structure: linear-quadratic-Gaussian games, nested information."""

from __future__ import annotations

import math

from ..core.expression import (
    Apply,
    Constant,
    Expression,
    Fold,
    Information,
    Member,
    Others,
    Over,
    Parameter,
    Reference,
    Select,
    Stack,
    Unknown,
    Whole,
    references,
)
from ..core.folding import number
from ..core.site import Decision, Game, Let, State
from .dependence import Dependence
from .reduction import Reduction

LINEAR = frozenset({"sum", "mean", "neg", "swapped"})


def degree(e: Expression, dependence: Dependence) -> float:
    """The degree of an expression as a polynomial in draws and decisions (inf if it is none)."""
    if isinstance(e, (Constant, Parameter, Member, Unknown, Whole, Others)):
        return 0
    if isinstance(e, Reference):
        site = dependence.sites[e.site]
        if isinstance(site, State) and dependence.game.block is not None and site.name == dependence.game.block.binder:
            return 0  # the number of the stage
        return degree(site.value, dependence) if isinstance(site, Let) else 1
    if isinstance(e, Stack):
        return max((degree(i, dependence) for i in e.items), default=0)
    if isinstance(e, Select):
        return degree(e.base, dependence) if all(degree(i, dependence) == 0 for i in e.indices) else math.inf
    if isinstance(e, Fold):
        return degree(e.body, dependence) if e.reduction in ("sum", "mean") and (
            e.condition is None or degree(e.condition, dependence) == 0) else math.inf
    if isinstance(e, Over):  # between fixed ends
        fixed = e.operation in ("integral", "mean") and degree(e.low, dependence) == degree(e.high, dependence) == 0
        return degree(e.body, dependence) if fixed else math.inf
    if isinstance(e, Information):  # of a Gaussian signal in Gaussian noise: a function of second moments
        return 2 if e.signal is not None and degree(e.signal, dependence) <= 1 else math.inf
    if not isinstance(e, Apply):
        return math.inf
    parts = [degree(a, dependence) for a in e.arguments]
    if not any(parts):
        return 0
    if e.function in ("add", "sub"):
        return max(parts)
    if e.function in ("mul", "dot"):
        return sum(parts)
    if e.function in LINEAR:
        return parts[0]
    if e.function == "div" and parts[1] == 0:
        return parts[0]
    exponent = number(e.arguments[1]) if e.function == "pow" else None
    if exponent is not None and exponent >= 0 and exponent == int(exponent):
        return parts[0] * exponent
    if e.function == "where" and parts[0] == 0:
        return max(parts[1:])
    return 0 if all(p == 0 for p in parts) else math.inf


def linear_quadratic_gaussian(game: Game, dependence: Dependence) -> bool:
    """Whether all draws are normal with fixed spreads, all observations affine, all payments quadratic in draws and decisions, and no
    decision is bounded, finite or made under a condition: then a best reply to affine policies is affine."""
    for site in game.sites:
        if any(degree(g, dependence) > 0 for g in site.guards):
            return False
    for r in game.randoms:
        if r.distribution not in ("Normal", "MvNormal") or degree(r.arguments[0], dependence) > 1 or \
                degree(r.arguments[1], dependence) > 0:
            return False
    for d in game.decisions:
        if d.kind != "real" or d.low is not None or d.high is not None:
            return False
        if any(degree(o.expression, dependence) > (1 if o.size is None else 0) for o in d.observations):
            return False
    if any(degree(Reference(s.following), dependence) > 1 or degree(s.first, dependence) > 1 for s in game.states):
        return False
    return all(degree(p.cost, dependence) <= 2 for p in game.payments)


def nested(game: Game, dependence: Dependence, reduction: Reduction) -> bool:
    """Whether information is partially nested (Ho and Chu 1972): who is influenced by an earlier decision knows all that it knew."""
    for later in game.decisions:
        seen_from = frozenset().union(*(dependence.of(o.expression) for o in later.observations), frozenset())
        for earlier in game.decisions:
            if earlier.name in seen_from and earlier.name != later.name and \
                    not knows_all(later, earlier, dependence, reduction):
                return False
    return True


def knows_all(later: Decision, earlier: Decision, dependence: Dependence, reduction: Reduction) -> bool:
    """Whether what ``earlier`` knew is among what ``later`` knows."""
    a, b = reduction.information.get(earlier.name), reduction.information.get(later.name)
    if a is not None and b is not None:
        return set(a.dims) <= set(b.dims)
    known = {dependence.inline(o.expression) for o in later.observations}
    return all(dependence.inline(o.expression) in known or not references(o.expression) for o in earlier.observations)
