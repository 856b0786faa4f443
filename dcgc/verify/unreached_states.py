"""What could be gained where play does not go, from below: the same search for deviations in a game that begins with other states.

Used where stages cannot be judged one by one at all their states (``dynamic_programming``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax

from ..lower.problem import Problem
from ..lower.stages import Stages
from ..passes.wide_starts import wide_starts
from .figures import Regret
from .stage_regrets import stage_regrets

WIDTH = 3.0  # standard deviations of a state over all stages, by which its first value is moved at most


def with_other_starts(problem: Problem, profile: Mapping[str, Any], rows: tuple[Regret, ...], train: int, judge: int, iterations: int,
                      ) -> tuple[Regret, ...]:
    """Regrets with lower bounds at inputs that play does not reach: mean gains from first states drawn widely. Only states that real
    decisions move are moved: others have values that no error brings about."""
    stages = Stages(problem, moving=True)
    if not stages.moved or all(not math.isnan(r.unreached) for r in rows):
        return rows
    rules = {d.name: profile[d.name if d.name in profile else problem.leader_of[d.name]] for d in problem.game.decisions}
    widths = {k: WIDTH * float(v) for k, v in stages.spreads(rules, jax.random.key(79_000_003)).items()}
    if not all(math.isfinite(w) for w in widths.values()):
        return rows
    game = wide_starts(problem.game, widths)
    found = stage_regrets(Problem(problem.source, game, problem.parameters), profile, train, judge, iterations)
    gains = {r.player: r.ex_ante for r in found}
    moved = ", ".join(f"{k} by up to {w:.2g}" for k, w in sorted(widths.items()))
    text = f"at unreached inputs a lower bound, too: a mean over plays that begin elsewhere ({moved})"
    return tuple(replace(r, unreached=gains[r.player], method=f"{r.method}; {text}")
                 if math.isnan(r.unreached) and math.isfinite(gains.get(r.player, math.nan)) else r for r in rows)
