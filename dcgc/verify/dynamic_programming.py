"""Stages judged by dynamic programming: every player's expected cost by policy evaluation, and a bound on what anybody could gain.

Costs to come are kept on a grid of states of their own (not that of any search), every draw of a stage summed out. In each stage every
decision is compared with all others at every state and every input, reached or not, with the costs to come of the profile. By the one-shot
deviation principle (Blackwell 1965) no deviation, at however many stages, gains more than the discounted sum of the largest of these
gains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.expression import Reference
from ..information.subgames import Entangled
from ..lower.one_stage import Unstageable
from ..lower.problem import Person, Problem
from ..lower.strategy import Strategy
from .boxes import Unbounded, further
from .figures import Regret
from .policy_evaluation import Evaluation

AWAY = (0.37, 0.21)  # nodes by which a second grid goes further on either side
FURTHER = 1e-2  # of what is at stake: gains at states far from play that are no errors of a wide grid
SHARP = 1e-4  # of what is at stake: a bound below it is taken for the regret


@dataclass(frozen=True)
class Judged:
    """Of a player, all in discounted cost units: expected ``cost`` and its numerical ``error``; ``stake``: the largest cost to come at any
    state. ``decides``: whether all its decisions were judged; it has none, or its sister's stand for them, where not. If so, ``bound``:
    no deviation gains more, as far as states go that were looked at (``everywhere``: they are finitely many); ``unreached``: the
    largest gain of one decision at any state and input, when it is reached (both nan where some cost is no number, inf where costs
    fall without end)."""

    cost: float
    error: float
    stake: float
    decides: bool
    everywhere: bool
    bound: float = math.nan
    unreached: float = math.nan

    @property
    def scale(self) -> float:
        """What is at stake, in cost units."""
        return max(abs(self.cost), self.stake)

    @property
    def settled(self) -> bool:
        """Whether there is nothing to gain: the bound is finite, and nothing beside what is at stake."""
        return not self.decides or (math.isfinite(self.unreached) and self.bound <= SHARP * self.scale)


def judged_regrets(judged: Mapping[str, Judged]) -> tuple[Regret, ...] | None:
    """Regrets that are so small that the bound says all; None where it does not."""
    if not all(j.settled for j in judged.values()):
        return None
    method = "dynamic programming: no deviation at any stages gains more"
    far = ", at states that play and some stages of deviations reach"
    return tuple(Regret(k, j.bound, j.unreached, True, method + ("" if j.everywhere else far)) for k, j in judged.items() if j.decides)


def by_dynamic_programming(problem: Problem, profile: Mapping[str, Any]) -> dict[str, Judged] | None:
    """Every player judged, by label; None where stages are no games that can be judged one by one."""
    if problem.leaders or any(not isinstance(s, Strategy) for s in profile.values()):
        return None
    block = problem.game.block
    assert block is not None
    if math.isfinite(block.length) and block.length > 1 and not all(
            any(o.expression == Reference(block.binder) for o in d.observations) for d in problem.game.decisions):
        return None  # who does not know the stage cannot deviate in one of them alone
    try:
        fine = Evaluation(problem, profile, 1.0)
        coarse = Evaluation(problem, profile, 0.5, fine.box)
        moved = Evaluation(problem, profile, 1.0, elsewhere(fine)) if fine.reals else None
    except (Unstageable, Entangled, Unbounded):
        return None
    costs, gains, stakes = fine.run(True)
    others = [coarse.run(False)[0]]
    if moved is not None:
        there, more, _ = moved.run(True)
        others.append(there)
        gains = {k: np.maximum(g, more[k]) for k, g in gains.items()}
    out = {}
    for p in problem.people:
        if p.label in costs:
            bound, worst = gained(fine, p, gains)
            error = max(abs(costs[p.label] - other[p.label]) for other in others) + fine.left * stakes[p.label]
            out[p.label] = Judged(costs[p.label], error, stakes[p.label], decided(fine, p, gains), not fine.reals, bound, worst)
    return out if not all(j.settled for j in out.values()) else checked_further(fine, out)


def elsewhere(e: Evaluation) -> dict[str, tuple[float, float]]:
    """Boxes that are wider by parts of a node's distance, whose nodes fall between those of these: a kink that one grid happens to hold, or
    to miss, is told by the other."""
    step = {x: (high - low) / (e.count - 1) for x, (low, high) in e.box.items()}
    return {x: (low - AWAY[0] * step[x], high + AWAY[1] * step[x]) for x, (low, high) in e.box.items()}


def decided(e: Evaluation, person: Person, gains: Mapping[str, np.ndarray]) -> bool:
    """Whether all that a player decides was judged."""
    own = [d.name for d in e.problem.game.decisions if e.problem.decider(d) == person]
    return bool(own) and all(x in gains for x in own)


def gained(e: Evaluation, person: Person, gains: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """(bound on what a player could gain, the largest gain of one decision), from the largest gains by decision (stages,); nan where they
    are not known. Decisions of one move count once, with the gain of all of them together."""
    if not decided(e, person, gains):
        return math.nan, math.nan
    by_move = np.asarray([np.max([np.maximum(gains[x], 0.0) for x in own], axis=0) for own in e.own_moves(person)])  # (moves, stages)
    return float(np.sum(e.weights * by_move)), float(np.max(by_move))  # numpy's sums and maxima of nan are nan


def checked_further(fine: Evaluation, judged: Mapping[str, Judged]) -> dict[str, Judged]:
    """The same where states are taken as far as several deviations lead, on nodes that lie wider apart: who gains there plainly, by
    ``FURTHER`` of what is at stake, has that for its bound. (What is no number there says nothing.)"""
    box = further(fine)
    if box == fine.box:
        return dict(judged)
    wide = Evaluation(fine.problem, fine.profile, 1.0, box)
    _, gains, stakes = wide.run(True)
    out = dict(judged)
    for p in fine.problem.people:
        j = judged.get(p.label)
        bound, _ = gained(wide, p, gains)
        if j is not None and bound > FURTHER * max(j.scale, stakes[p.label]):
            out[p.label] = replace(j, bound=max(j.bound, bound))
    return out
