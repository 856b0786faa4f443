"""Affine policies, Newton: the engine around ``affine_newton``."""

from __future__ import annotations

from ..lower.problem import Problem
from . import affine_newton
from .engine import Engine, Found, State
from .refusals import bounded_talk, not_smooth, own_policies
from .settings import Progress, Reporter, Settings


class AffineEngine(Engine):
    """One chunk does it all: seconds. Roots that are somebody's maximum or saddle are dropped."""

    name = "affine"
    title = "affine policies, Newton on the stacked first-order conditions"

    def refuses(self, problem: Problem) -> str | None:
        return not_smooth(problem) or own_policies(problem) or bounded_talk(problem)

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "roots": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        report(Progress(self.name, "solving the first-order conditions", 0, 1, float("nan")))
        roots, text = affine_newton.solve(problem, settings.seed)
        good = [r for r in roots if r.curvature > -1e-7]
        report(Progress(self.name, f"{len(good)} of {len(roots)} roots meet the second-order conditions", 1, 1, float("nan")))
        return {"done": True, "roots": [dict(r.profile) for r in good], "expectation": text}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(p, 1) for p in state["roots"]]
