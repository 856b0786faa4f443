"""Linear-quadratic-Gaussian games of stages by second moments: the engine around ``stage_moments``."""

from __future__ import annotations

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..core.site import Decision
from ..lower.linear_stages import unsuitable
from ..lower.problem import Problem
from ..lower.stages import Stages, horizon
from ..lower.strategy import Strategy, real_inputs, stage_of_combinations
from .engine import Engine, Found, State
from .settings import Progress, Reporter, Settings
from .stage_moments import Policies, Solution, Solver
from .starting import keys, neutral_rule, strategy_in

STARTS = 3
LARGEST = 60_000_000  # numbers in the moments of all stages together
SETTLED = 1e-7  # change of costs in the last sweep, over their size


class StageMomentsEngine(Engine):
    """One chunk does it all. State: the solutions that were found."""

    name = "stage_moments"
    title = "affine policies by second moments, forward and backward over the stages"
    repeats = True
    settles = True
    fresh = True  # exact moments: no node can be learned

    def refuses(self, problem: Problem) -> str | None:
        block = problem.game.block
        assert block is not None
        why = unsuitable(problem)
        if why is not None:
            return why
        if any(stage_of_combinations(d, block.binder) is None for d in problem.game.decisions):
            return "one policy serves several stages"
        entries = sum(int(np.prod(d.shape)) + real_inputs(d) for d in problem.game.decisions)
        if horizon(problem) * entries**2 > LARGEST:
            return "what decisions remember is too much"
        return None

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "roots": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        solver = Solver(problem)
        several = len(problem.game.decisions) > 1
        sizes = [0.0, *[0.3] * ((settings.restarts or STARTS) - 1)] if several else [0.0]
        if solver.linear.messages:
            sizes = [0.3] * len(sizes)  # whoever starts by saying nothing is not listened to
        found: list[Solution] = []
        for i, size in enumerate(sizes):
            s = solver.solve(solver.random(jax.random.key(settings.seed * 7907 + i), size))
            if np.isfinite(s.costs).all() and s.change < SETTLED and s.curvature > 0 and not any(
                    np.allclose(s.costs, other.costs, rtol=1e-7) for other in found):
                found.append(s)
        report(Progress(self.name, f"{len(found)} solution{'s' * (len(found) != 1)} of the first-order conditions", 1, 1,
                        min((float(s.costs.sum()) for s in found), default=float("nan"))))
        found.sort(key=lambda s: float(s.costs[0]) if problem.is_team else 0.0)
        roots = [{**strategies(problem, settings, solver, s.policies), **solver.multipliers(s)} for s in found]
        return {"done": True, "roots": roots}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(p, 1) for p in state["roots"]]


def strategies(problem: Problem, settings: Settings, solver: Solver, policies: Policies) -> dict[str, Strategy]:
    """Coefficients by stage as policies with coefficients by combination of finite inputs."""
    world = Stages(problem).situations({d.name: neutral_rule for d in problem.game.decisions}, jax.random.key(settings.seed + 17))
    combinations: Mapping[str, np.ndarray] = solver.combinations()
    out = {}
    for k, decisions in problem.groups.items():
        d: Decision = decisions[0]
        s = strategy_in(problem, world, d, "affine", keys(0, 1)[0], location=0.0, scale=1.0, free=True)
        at, table = combinations[k], s.policy  # type: ignore[attr-defined]
        gains = jnp.zeros_like(table.gains).at[at].set(policies[k][..., 1:])  # type: ignore[attr-defined]
        offsets = jnp.zeros_like(table.offsets).at[at].set(policies[k][..., 0])  # type: ignore[attr-defined]
        plain = jnp.zeros_like(s.location), jnp.ones_like(s.scale)  # inputs as they are
        out[k] = eqx.tree_at(lambda x: (x.policy.gains, x.policy.offsets, x.location, x.scale), s, (gains, offsets, *plain))
    return out
