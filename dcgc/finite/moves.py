"""The moves of a game, each with its branches in every history."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..core.expression import Expression, Reference, references
from ..core.naming import dice_of, of_stage, written
from ..core.site import Decision, Game, Observation, Payment, Random
from ..information.dependence import mentioned
from ..lower.world import World
from ..primitives.distributions import DISTRIBUTIONS, Continuous, Finite
from ..source import Diagnostic, GameError
from .histories import Histories
from .quantiles import cell_means

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Branches:
    """``values`` (histories, branches, *shape) and what they are called; ``weights`` (histories, branches): of a draw."""

    values: np.ndarray
    labels: tuple[str, ...] | None  # None: by value
    weights: np.ndarray | None = None


def moves(game: Game) -> tuple[Random | Decision, ...]:
    """Draws and decisions in order, without draws that nobody sees or pays for, and without the private dice of mixed real decisions: in a
    tree every decision may be mixed."""
    dice = {o.expression.site for d in game.decisions for o in d.observations if is_dice(o, d)}  # type: ignore[attr-defined]
    wanted = needed(game) - dice
    return tuple(s for s in game.sites if isinstance(s, Decision) or isinstance(s, Random) and s.name in wanted)


def needed(game: Game) -> set[str]:
    """The sites on which a payment, a decision (what it knows, its bounds, when it is made) or the end of the stages rests."""
    by_name = {s.name: s for s in game.sites}
    waiting = [s for s in game.sites if isinstance(s, (Payment, Decision)) or s.name.startswith("going on ")]
    found: set[str] = set()
    while waiting:
        site = waiting.pop()
        for name in {n for e in mentioned(site) for n in references(e)} - found:
            found.add(name)
            waiting.append(by_name[name])
    return found


def is_dice(o: Observation, d: Decision) -> bool:
    return d.mixed and isinstance(o.expression, Reference) and of_stage(o.expression.site) == dice_of(of_stage(d.name))


def seen(d: Decision) -> tuple[Expression, ...]:
    """What a decision knows, its dice left out."""
    return tuple(o.expression for o in d.observations if not is_dice(o, d))


def of_draw(site: Random, points: int, histories: Histories, world: World) -> Branches:
    law = DISTRIBUTIONS[site.distribution]
    if isinstance(law, Finite):
        arguments = [histories.value(world, a) for a in site.arguments]
        plain = [a[0] if site.distribution == "Categorical" and a.ndim == 1 else a for a in arguments]
        weights = np.asarray(law.probabilities(*plain))
        values = np.asarray(law.support_values(*plain))
        size = weights.shape[-1]
        labels = {"Categorical": tuple(str(k + 1) for k in range(size)), "Bernoulli": ("no", "yes")}.get(site.distribution)
        return Branches(np.broadcast_to(values, (histories.count, size)), labels, np.broadcast_to(weights, (histories.count, size)))
    assert isinstance(law, Continuous)
    numbers = [np.asarray(histories.value(world, a), float).reshape(histories.count) for a in site.arguments]
    values = cell_means(law, points, numbers)  # type: ignore[arg-type]
    if not np.all(np.isfinite(values)):
        raise GameError((Diagnostic("F004", f"`{site.name}` has no mean, and its outer quantile cells have none either", site.span,
                                    "draw from a law with a mean, or list its points: `Discrete([..], [..])`"),))
    return Branches(values, None, np.full((histories.count, points), 1.0 / points))


def of_decision(d: Decision, points: int, ranges: Ranges, histories: Histories, world: World) -> Branches:
    entries = math.prod(d.shape[:-1] if d.kind in ("choice", "simplex") else d.shape)
    if d.kind == "choice":
        one = np.eye(d.shape[-1])
        names = d.labels or tuple(str(k + 1) for k in range(d.shape[-1]))
        values = np.array([one[list(case)] for case in itertools.product(range(d.shape[-1]), repeat=entries)])
        labels = tuple(" ".join(names[k] for k in case) for case in itertools.product(range(d.shape[-1]), repeat=entries))
        return Branches(np.broadcast_to(values.reshape(-1, *d.shape), (histories.count, len(values), *d.shape)), labels)
    if d.kind == "bool":
        values = np.array(list(itertools.product((0.0, 1.0), repeat=entries)))
        labels = tuple(" ".join("yes" if x else "no" for x in case) for case in values)
        return Branches(np.broadcast_to(values.reshape(-1, *d.shape), (histories.count, len(values), *d.shape)), labels)
    if d.kind == "simplex":
        whole, parts = max(points - 1, 1), d.shape[-1]
        bars = np.array(list(itertools.combinations(range(whole + parts - 1), parts - 1))).reshape(-1, parts - 1)
        shares = (np.diff(bars, prepend=-1, append=whole + parts - 1, axis=1) - 1) / whole
        values = np.array(list(itertools.product(shares, repeat=entries))).reshape(-1, *d.shape)
        return Branches(np.broadcast_to(values, (histories.count, *values.shape)), None)
    low, high = between(d, ranges, histories, world)
    steps: np.ndarray = np.linspace(0.0, 1.0, points) if points > 1 else np.array([0.5])
    line = low[:, None] + (high - low)[:, None] * steps.reshape(-1, *(1,) * len(d.shape))  # (histories, points, *shape)
    if not d.shape:
        return Branches(line, None)
    flat = line.reshape(histories.count, points, -1)
    cases = np.array(list(itertools.product(range(points), repeat=flat.shape[2])))
    values = flat[:, cases, np.arange(flat.shape[2])]
    return Branches(values.reshape(histories.count, len(cases), *d.shape), None)


def between(d: Decision, ranges: Ranges, histories: Histories, world: World) -> tuple[np.ndarray, np.ndarray]:
    """(histories, *shape) least and greatest act of a real decision."""
    given = ranges.get(d.name) or ranges.get(of_stage(d.name)) or ranges.get(written(d.name)) or ranges.get("")
    ends = []
    for k, bound in enumerate((d.low, d.high)):
        value: np.ndarray
        if bound is None:
            assert given is not None, d.name
            value = np.full(histories.count, given[k])
        else:
            value = np.asarray(histories.value(world, bound), float)
            if given is not None:
                value = np.maximum(value, given[0]) if k == 0 else np.minimum(value, given[1])
        ends.append(np.broadcast_to(value.reshape(value.shape + (1,) * (1 + len(d.shape) - value.ndim)), (histories.count, *d.shape)))
    return ends[0], np.maximum(ends[0], ends[1])


def count_of(site: Random | Decision, points: int) -> int:
    """How many branches a move has, as far as that is known before it is looked at (of a finite draw: at least one)."""
    if isinstance(site, Random):
        return points if not DISTRIBUTIONS[site.distribution].finite else 1
    if site.kind in ("choice", "bool"):
        return site.options ** math.prod(site.shape[:-1] if site.kind == "choice" else site.shape)
    if site.kind == "simplex":
        return math.comb(points - 1 + site.shape[-1] - 1, site.shape[-1] - 1) ** math.prod(site.shape[:-1])
    return points ** math.prod(site.shape)
