"""Observations that only finite draws and finite decisions determine have finitely many values: they select, as a Choice would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from ..core.expression import Apply, Constant, Expression, Parameter, Reference, Select, Stack, rebuild, references
from ..core.folding import fold, number
from ..core.site import Decision, Game, Observation, Random
from ..information.dependence import Dependence

MOST_VALUES = 64
MOST_CASES = 4096


def finite_observations(game: Game) -> Game:
    """The game with such observations marked, their values listed."""
    dependence = Dependence(game)
    sites = tuple(replace(s, observations=tuple(marked(o, dependence, game) for o in s.observations))
                  if isinstance(s, Decision) and not s.axes else s for s in game.sites)
    return replace(game, sites=sites)


def marked(o: Observation, dependence: Dependence, game: Game) -> Observation:
    if o.kind != "real" or o.shape:
        return o
    e = dependence.inline(o.expression)
    if isinstance(e, Apply) and e.function == "mask":
        return o
    cases = []
    for name in sorted(references(e)):
        options = options_of(dependence, name, game)
        if options is None:
            return o
        cases.append([(name, v) for v in options])
    count = 1
    for c in cases:
        count *= len(c)
    if not cases or count > MOST_CASES:
        return o
    values = set()
    for case in product(*cases):
        value = number(substituted(e, dict(case), game))
        if value is None:
            return o
        values.add(round(value, 12))
    if not 1 < len(values) <= MOST_VALUES:
        return o
    return replace(o, kind="values", size=len(values), values=tuple(sorted(values)))


def options_of(dependence: Dependence, name: str, game: Game) -> list[Expression] | None:
    """The values of a finite site as constants, or None."""
    site = dependence.sites[name]
    if isinstance(site, Decision) and not site.axes:
        if site.kind == "bool" and not site.shape:
            return [Constant(0.0), Constant(1.0)]
        if site.kind == "choice" and len(site.shape) == 1:
            n = site.shape[0]
            return [Stack(tuple(Constant(float(i == k)) for i in range(n))) for k in range(n)]
        return None
    if isinstance(site, Random) and not site.shape and not site.axes:
        if site.distribution == "Bernoulli":
            return [Constant(0.0), Constant(1.0)]
        values = constant(site.arguments[0], game) if site.arguments else None
        if site.distribution == "Discrete" and isinstance(values, tuple):
            return [Constant(float(v)) for v in values]
        if site.distribution == "Categorical" and values is not None:
            n = len(values) if isinstance(values, tuple) else round(values)
            return [Constant(float(k)) for k in range(1, n + 1)] if n <= MOST_VALUES else None
    return None


def constant(e: Expression, game: Game) -> float | tuple | None:
    """A constant argument's value."""
    if isinstance(e, Stack):
        parts = tuple(constant(i, game) for i in e.items)
        return None if any(p is None for p in parts) else parts  # type: ignore[return-value]
    new = substituted(e, {}, game)
    return new.value if isinstance(new, Constant) else None


def substituted(e: Expression, case: Mapping[str, Expression], game: Game) -> Expression:
    """The expression with sites and parameters replaced by values, folded."""
    if isinstance(e, Reference):
        return case.get(e.site, e)
    if isinstance(e, Parameter):
        return Constant(game.parameters[e.name])
    new = rebuild(e, lambda c: substituted(c, case, game))
    if isinstance(new, Apply):
        if new.function in ("sum", "mean", "prod", "max", "min") and isinstance(new.arguments[0], Stack):
            return reduced(new.function, new.arguments[0])
        return fold(new)
    if isinstance(new, Select) and len(new.indices) == 1:
        return entry(new)
    return new


def entry(e: Select) -> Expression:
    """An entry of a literal array."""
    base = e.base.items if isinstance(e.base, Stack) else \
        tuple(Constant(v) for v in e.base.value) if isinstance(e.base, Constant) and isinstance(e.base.value, tuple) else None
    if base is None:
        return e
    index = e.indices[0]
    position = number(index)
    if e.one_hot[0] and isinstance(index, Stack):
        position = next((k + 1.0 for k, i in enumerate(index.items) if number(i) == 1), None)
    return base[round(position) - 1] if position is not None and 1 <= round(position) <= len(base) else e


def reduced(function: str, items: Stack) -> Expression:
    values = [number(i) for i in items.items]
    if any(v is None for v in values) or not values:
        return Apply(function, (items,))
    numbers = [float(v) for v in values if v is not None]
    product_ = 1.0
    for v in numbers:
        product_ *= v
    return Constant({"sum": sum(numbers), "mean": sum(numbers) / len(numbers), "prod": product_, "max": max(numbers),
                     "min": min(numbers)}[function])
