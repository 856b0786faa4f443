"""Exact solutions of linear-quadratic-Gaussian games whose stages are not written out."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from ..learning.settings import Settings
from ..learning.stage_moments import Solver
from ..learning.stage_moments_engine import strategies
from ..lower.linear_stages import Matrices, unsuitable
from ..lower.problem import Problem
from ..lower.strategy import stage_of_combinations
from .control import solve_control
from .linear import of_moves, theorem_of
from .reading import payer
from .solution import Assumption, Exact
from .stages import costs_of, solve_stages, stages_of
from .stationary import Unsolved


def solve_repeated(problem: Problem) -> Exact:
    """By Riccati's recursion where the state is known, with Kalman's filter where a controller remembers. Raises Unsolved."""
    block = problem.game.block
    assert block is not None
    why = unsuitable(problem)
    if why is not None:
        raise Unsolved(why)
    if any(stage_of_combinations(d, block.binder) is None for d in problem.game.decisions):
        raise Unsolved("one policy serves several stages")
    solver = Solver(problem)
    if solver.linear.messages or solver.linear.inner or solver.linear.outer:
        raise Unsolved("messages are paid for, or there are constraints")
    length, team = solver.length, problem.is_team
    read = Assumption("linear dynamics and observations, quadratic payments, normal draws", f"read as matrices in each of {length} stages")
    stages = stages_of(solver)
    try:
        rules, moves = solve_stages(solver, stages)
    except Unsolved as reason:
        if not team or len(solver.slots) != 1:
            raise
        return controlled(problem, solver, stages, read, str(reason))
    zero = not team and len(solver.linear.people) == 2 and opposed(solver, stages)
    what = "linear-quadratic control of a known state" if team else "linear-quadratic zero-sum game" if zero else "linear-quadratic game"
    return Exact(profile(problem, solver, rules), f"{what}, {'' if team or zero else 'coupled '}Riccati recursion over {length} stages",
                 theorem_of(moves, team, zero), (read, *of_moves(moves, team, zero)),
                 count="the optimum, which is unique" if team else "one equilibrium in feedback rules",
                 costs=costs(solver, stages, rules))


def controlled(problem: Problem, solver: Solver, stages: list[Matrices], read: Assumption, reason: str) -> Exact:
    try:
        found = solve_control(solver, stages)
    except Unsolved as other:
        raise Unsolved(f"{reason}; {other}") from None
    rules = {solver.slots[0][0]: found.rules}
    return Exact(profile(problem, solver, rules), "linear-quadratic-Gaussian control, Riccati's recursion backward and Kalman's filter "
                 f"forward over {solver.length} stages", theorem_of((), True, False), (
                     read, Assumption("perfect recall", "in every stage what was seen and done lies in the span of what is known"),
                     Assumption("histories tell nothing else", "in every stage they lie in the span of what was seen and done"),
                     Assumption("strictly convex cost in every stage", "eigenvalues of the second derivatives, the least over the largest "
                                f"{found.curvature:.3g}")),
                 count="the optimum, which is unique", costs=costs(solver, stages, rules))


def profile(problem: Problem, solver: Solver, rules: Mapping[str, np.ndarray]) -> dict[str, object]:
    return dict(strategies(problem, Settings(), solver, {group: jnp.asarray(r) for group, r in rules.items()}))


def costs(solver: Solver, stages: list[Matrices], rules: Mapping[str, np.ndarray]) -> dict[str, float]:
    """What everybody who decides pays, by second moments."""
    paid = costs_of(solver, stages, rules)
    return {payer(solver.problem, x): float(v) for x, v in zip(solver.linear.people, paid, strict=True)}


def opposed(solver: Solver, stages: list[Matrices]) -> bool:
    """Whether what two players are charged adds up to a constant in every stage."""
    def constant(q: np.ndarray) -> bool:
        total = q[0] + q[1]
        size = np.abs(q).max() + 1e-300
        total[0, 0] = 0.0
        return bool(np.abs(total).max() <= 1e-12 * size)

    return constant(np.array(solver.linear.ending())[:2]) and all(constant(np.array(m.paid)[:2]) for m in stages)
