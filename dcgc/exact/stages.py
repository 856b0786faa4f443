"""Feedback games of many stages, by the coupled Riccati recursion on the state, the last stage first.

A stage is read as matrices over (1, states, draws of the stage, acts). Everybody's value of the states after it is a quadratic form, so
that the stage is a game with quadratic costs, solved by linear systems as in ``moves`` (Basar and Olsder 1999, section 6.2.3; zero-sum:
section 6.5). Several stages or two hundred: one such game each.
"""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from ..learning.stage_moments import Solver
from ..lower.linear_stages import Matrices
from .moves import Move, solve_last
from .reading import Act, LinearQuadratic
from .stationary import Unsolved


def stages_of(solver: Solver) -> Iterator[tuple[int, Matrices]]:
    """The matrices of every stage, the last first, as numpy arrays."""
    read = jax.jit(solver.linear.matrices)
    for t in range(solver.length, 0, -1):
        yield t, jax.tree.map(np.asarray, read(jnp.asarray(float(t))))


def solve_stages(solver: Solver) -> tuple[dict[str, np.ndarray], list[Move], np.ndarray]:
    """By group (stages, k, 1 + inputs), the moves, first to last, and everybody's cost (players,). Raises Unsolved."""
    linear = solver.linear
    people = len(linear.people)
    states, outside, inside, width = linear.shape
    n = 1 + states + outside
    value = np.asarray(linear.ending())[:people] / solver.discount**solver.length
    rules: dict[str, list[np.ndarray]] = {group: [] for group, _, _, _ in solver.slots}
    moves: list[Move] = []
    for t, m in stages_of(solver):
        costs = m.paid[:people] + solver.discount * np.einsum("ai,pab,bj->pij", m.following, value, m.following, optimize=True)
        game = LinearQuadratic(n + inside + width, (), costs, linear.people, np.ones(n - 1 + inside, bool), ())
        past = Act(f"what was before stage {t}", 0, np.zeros(0, int), np.eye(n, game.count))
        left = [past]
        for d, (_, player, _, own), seen in zip(linear.decisions, solver.slots, m.seen, strict=True):
            left.append(Act(f"{d.name}@{t}", player, n + inside + np.arange(own.start, own.stop), np.asarray(seen)[1:]))
        found: dict[str, np.ndarray] = {}
        while len(left) > 1:
            solved, new, costs, move = solve_last(game, left, costs, remembering=False)
            if past in solved:
                raise Unsolved(f"what matters in stage {t} is not known there")
            found |= new
            moves.append(move)
            left = [a for a in left if a not in solved]
        for d, (group, _, _, _) in zip(linear.decisions, solver.slots, strict=True):
            if d.name == group:
                rules[group].append(found[f"{group}@{t}"])
            elif np.abs(found[f"{d.name}@{t}"] - rules[group][-1]).max() > 1e-9 * (1 + np.abs(rules[group][-1]).max()):
                raise Unsolved(f"members of a symmetric family act differently ({group} and {d.name}): they share one policy")
        value = costs[:, :n, :n].copy()
        value[:, 0, 0] += np.einsum("pii->p", costs[:, n:n + inside, n:n + inside])
    start = np.asarray(solver.start)
    paid = np.einsum("pab,ac,bc->p", value, start, start)
    return {group: np.stack(list(reversed(r))) for group, r in rules.items()}, list(reversed(moves)), paid
