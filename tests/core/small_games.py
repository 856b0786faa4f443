"""Small games for tests: from text to a problem, played under policies that the test writes down itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from dcgc.core import elaborate
from dcgc.core.site import Decision, Game
from dcgc.lower import Problem, prepare
from dcgc.lower.evaluate import evaluate
from dcgc.lower.plans import Resolution, information_grid, natural_grid, sampled_grid
from dcgc.lower.variable import Variable, constant, lift
from dcgc.lower.world import World
from dcgc.primitives.relaxations import Relaxation
from dcgc.semantics import check
from dcgc.source import Ledger, Source
from dcgc.source.render import render
from dcgc.verify.expectations import Reader

GAMES = Path(__file__).parents[2] / "games"
Rule = Callable[[World, Decision], Variable]


def elaborated(text: str, **settings: Any) -> tuple[Game | None, Ledger]:
    """The core graph of a text that the checker accepts (asserted), and what the elaboration reported."""
    ledger = Ledger()
    checked = check(Source("test.dcg", text), ledger, settings, GAMES)
    assert checked is not None, render(ledger.sorted())
    return elaborate(checked, ledger), ledger


def problem(text: str, **settings: Any) -> Problem:
    """A problem from the text of a game."""
    game, ledger = elaborated(text, **settings)
    assert game is not None, render(ledger.sorted())
    return prepare(game)


def game_file(name: str, **settings: Any) -> Problem:
    return problem((GAMES / f"{name}.dcg").read_text(encoding="utf-8"), **settings)


def seen(world: World, d: Decision) -> list[Variable]:
    return [evaluate(world, o.expression) for o in d.observations]


def rule(function: Callable[..., Any]) -> Rule:
    """A real decision as a function (of JAX arrays) of its observations, entry by entry; a number where it sees nothing."""
    def follow(world: World, d: Decision) -> Variable:
        observed = seen(world, d)
        return lift(lambda *a: jnp.asarray(function(*a), float), *observed) if observed else constant(float(function()))

    return follow


def chance(function: Callable[..., Any]) -> Rule:
    """A finite decision as the probabilities (last axis) of its options (of a Bool: of true) given its scalar observations."""
    def follow(world: World, d: Decision) -> Variable:
        def probabilities(*a: Any) -> Any:
            p = jnp.asarray(function(*a), float)
            return jnp.stack([1 - p, p], -1) if d.kind == "bool" else p

        observed = seen(world, d)
        return lift(probabilities, *observed) if observed else constant(probabilities())

    return follow


def natural(p: Problem, profile: Mapping[str, Rule], nodes: int = 40, relaxation: str = "exact") -> World:
    """The game in nature's own coordinates, ``nodes`` a draw."""
    grid, _ = natural_grid(p, 10**7, largest=nodes, scattered=False)
    return p.world(grid, p.natural, profile, Relaxation(relaxation))  # type: ignore[arg-type]


def information(p: Problem, profile: Mapping[str, Rule], resolution: Resolution | None = None, relaxation: str = "exact") -> World:
    """The game in the coordinates of what its decisions know."""
    grid = information_grid(p, profile, resolution or Resolution(60, 60, 400, 65, cells=relaxation == "cells"))
    return p.world(grid, p.reduction, profile, Relaxation(relaxation))  # type: ignore[arg-type]


def sampled(p: Problem, profile: Mapping[str, Rule], samples: int = 2**13, seed: int = 0) -> World:
    """The game on scattered points."""
    return p.world(sampled_grid(p, samples, seed), p.natural, profile, Relaxation("exact"))


def no_rule(*_: Any) -> Any:
    raise AssertionError("this game's measures use no rule()")


def figures(p: Problem, world: World) -> dict[str, np.ndarray]:
    """All measures."""
    reader = Reader(p, world, no_rule)
    return {m.name: reader.number(m.value) for m in p.game.measures}


def cost(p: Problem, world: World, label: str) -> float:
    person = next(x for x in p.people if x.label == label)
    return float(p.cost(world, person))


def values(p: Problem, name: str, profile: Mapping[str, Rule] | None = None) -> np.ndarray:
    """The value of a site at every point of the natural grid (finite draws along sorted coordinates)."""
    return np.asarray(natural(p, profile or {}).value(name).data)


def controlled(horizon: int, a: float = 1.2, r: float = 0.5, seen: float = 0.5, moved: float = 0.3, last: float = 2.0) -> float:
    """The least cost of games/lqg.dcg: Riccati's S_0 and what noise and ignorance add (Astrom 1970). ``seen``, ``moved``: variances."""
    value = [0.0] * horizon + [last]
    for t in reversed(range(horizon)):
        s = value[t + 1]
        value[t] = 1 + a**2 * s - (a * s) ** 2 / (r + s)
    spread, best = 1.0, value[0]
    for t in range(horizon):
        left = spread * seen / (spread + seen)
        best += moved * value[t + 1] + left * (a**2 * value[t + 1] + 1 - value[t])
        spread = a**2 * left + moved
    return best
