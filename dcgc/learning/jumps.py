"""Discontinuities: which there are, which way each was taken in training, and what the relaxation made of the figures.

A jump is a comparison (or ``sign``, ``floor``, ``argmax``) that something decided moves on the way to a payment, or a finite decision.
Finite decisions that the grid has a coordinate for are summed out exactly. How a comparison is taken is the engine's way; every figure
that is reported is computed without it, and the difference is the relaxation gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from ..core.expression import Apply, Expression, show, walk
from ..core.naming import written
from ..information.dependence import mentioned
from ..lower.problem import JUMPING, Problem
from ..lower.world import World
from ..verify.figures import Gap, Scorecard
from .engine import Engine


def comparisons(problem: Problem) -> tuple[str, ...]:
    """The comparisons that decisions move, as the text has them, each once."""
    moved = {d.name for d in problem.game.decisions}
    found: dict[str, None] = {}
    for site in problem.game.sites:
        for e in mentioned(site):
            for x in walk(e):
                if isinstance(x, Apply) and x.function in JUMPING and problem.dependence.of(x) & moved:
                    found.setdefault(label(x), None)
    return tuple(found)


def label(e: Expression) -> str:
    """An expression as the text has it, without brackets around the whole."""
    text = " ".join(e.span.text.split()) if e.span is not None else show(e)
    depths = list(accumulate((c == "(") - (c == ")") for c in text))
    return text[1:-1] if text.startswith("(") and depths.index(0) == len(text) - 1 else text


def finite_decisions(problem: Problem) -> tuple[str, ...]:
    """The finite decisions of the text, each once."""
    return tuple(dict.fromkeys(written(d.name).split("[")[0] for d in problem.game.decisions if d.finite and d.channel is None))


def ways(problem: Problem, engine: Engine) -> tuple[str, ...]:
    """For every jump the way that an engine takes it, in sentences; none where nothing jumps."""
    out = [f"jump `{text}`: {engine.way(problem)}" for text in comparisons(problem)]
    out += [f"jump in `{name}`, a finite decision: {engine.way_of_choices(problem)}" for name in finite_decisions(problem)]
    return tuple(out)


def relaxed_costs(problem: Problem, world: World | None) -> dict[str, float]:
    """Every player's cost as the training saw it, by label; nothing where it relaxed nothing."""
    if world is None or not comparisons(problem):
        return {}
    return {p.label: float(problem.paid(world, p)) for p in problem.people}


def gaps(accounts: tuple[str, ...], card: Scorecard, relaxed: Mapping[str, float]) -> tuple[Gap, ...]:
    """The relaxed figures beside the exact ones. ``accounts``: the labels under which the game itself speaks of costs and payoffs."""
    rows = []
    for player, cost in relaxed.items():
        sign, name = (-1.0, f"payoff({player})") if f"payoff({player})" in accounts else (1.0, f"cost({player})")
        if name in card.figures:
            exact = card.figures[name].value
            rows.append(Gap(name, sign * cost, exact, sign * cost - exact))
    return tuple(rows)
