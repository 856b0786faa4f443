"""Affine announcements and affine replies: the engine around ``stackelberg``."""

from __future__ import annotations

from ..lower.problem import Problem
from . import stackelberg
from .affine_engine import AffineEngine
from .engine import Engine, Found, State
from .settings import Progress, Reporter, Settings


class StackelbergEngine(Engine):
    """One chunk does it all. Roots that are a follower's, or along the response a leader's, maximum or saddle are dropped."""

    name = "stackelberg"
    title = "affine announcements, Newton on the leader's gradient through the followers' response"
    leads = True

    def refuses(self, problem: Problem) -> str | None:
        if problem.game.constraints:
            return "a constraint or an average budget stands beside a commitment"
        if problem.loops or any(len(ds) > 1 and any(problem.announced(d) for d in ds) for ds in problem.groups.values()):
            return "members of a symmetric family share what is announced"
        return AffineEngine().refuses(problem)

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "roots": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        report(Progress(self.name, f"solving for announcements, the response {settings.response}", 0, 1, float("nan")))
        roots, text = stackelberg.solve(problem, settings.seed, settings.response == "unrolled")
        good = [r for r in roots if r.curvature > -1e-7]
        report(Progress(self.name, f"{len(good)} of {len(roots)} roots meet the second-order conditions", 1, 1, float("nan")))
        return {"done": True, "roots": [dict(r.profile) for r in good], "expectation": text}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(p, 1) for p in state["roots"]]
