"""Exact solutions of linear-quadratic-Gaussian games whose stages are not written out."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..learning.settings import Settings
from ..learning.stage_moments import Policies, Solver
from ..learning.stage_moments_engine import strategies
from ..lower.linear_stages import unsuitable
from ..lower.problem import Problem
from ..lower.strategy import stage_of_combinations
from .control import solve_control
from .linear import of_moves, theorem_of
from .reading import payer
from .solution import Assumption, Exact
from .stages import solve_stages
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
    try:
        rules, moves, paid = solve_stages(solver)
    except Unsolved as reason:
        if not team or len(solver.slots) != 1:
            raise
        return controlled(problem, solver, read, str(reason))
    zero = not team and len(paid) == 2 and opposed(solver)
    what = "linear-quadratic control of a known state" if team else "linear-quadratic zero-sum game" if zero else "linear-quadratic game"
    policies = {group: jnp.asarray(r) for group, r in rules.items()}
    return Exact(profile(problem, solver, policies), f"{what}, {'' if team or zero else 'coupled '}Riccati recursion over {length} stages",
                 theorem_of(moves, team, zero), (read, *of_moves(moves, team, zero)),
                 count="the optimum, which is unique" if team else "one equilibrium in feedback rules",
                 costs=costs(solver, policies))


def controlled(problem: Problem, solver: Solver, read: Assumption, reason: str) -> Exact:
    try:
        found = solve_control(solver)
    except Unsolved as other:
        raise Unsolved(f"{reason}; {other}") from None
    policies = {solver.slots[0][0]: jnp.asarray(found.rules)}
    return Exact(profile(problem, solver, policies), "linear-quadratic-Gaussian control, Riccati's recursion backward and Kalman's filter "
                 f"forward over {solver.length} stages", theorem_of((), True, False), (
                     read, Assumption("perfect recall", "in every stage what was seen and done lies in the span of what is known"),
                     Assumption("histories tell nothing else", "in every stage they lie in the span of what was seen and done"),
                     Assumption("strictly convex cost in every stage", "eigenvalues of the second derivatives, the least over the largest "
                                f"{found.curvature:.3g}")),
                 count="the optimum, which is unique", costs=costs(solver, policies))


def profile(problem: Problem, solver: Solver, policies: Policies) -> dict[str, object]:
    return dict(strategies(problem, Settings(), solver, policies))


def costs(solver: Solver, policies: Policies) -> dict[str, float]:
    """What everybody who decides pays, nobody erring, by second moments."""
    _, paid, _, _ = solver.programs[0](policies, jnp.zeros(solver.linear.shape[3]))
    return {payer(solver.problem, x): float(v) for x, v in zip(solver.linear.people, np.asarray(paid), strict=True)}


def opposed(solver: Solver) -> bool:
    """Whether what two players are charged adds up to a constant in every stage."""
    from .stages import stages_of

    def constant(q: np.ndarray) -> bool:
        total = q[0] + q[1]
        size = np.abs(q).max() + 1e-300
        total[0, 0] = 0.0
        return bool(np.abs(total).max() <= 1e-12 * size)

    return constant(np.array(solver.linear.ending())[:2]) and all(constant(np.array(m.paid)[:2]) for _, m in stages_of(solver))
