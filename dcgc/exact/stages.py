"""Feedback games of many stages, by the coupled Riccati recursion on the state, the last stage first.

A stage is read as matrices over (1, states, draws of the stage, acts). Everybody's value of the states after it is a quadratic form, so
that the stage is a game with quadratic costs, solved by linear systems as in ``moves`` (Basar and Olsder 1999, section 6.2.3; zero-sum:
section 6.5). Several stages or two hundred: one such game each.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from ..learning.stage_moments import Solver
from ..lower.linear_stages import Matrices
from .moves import Move, solve_last
from .reading import Act, LinearQuadratic
from .stationary import Unsolved


def stages_of(solver: Solver) -> list[Matrices]:
    """The matrices of every stage, in order, as numpy arrays."""
    read = jax.jit(solver.linear.matrices)
    return [jax.tree.map(np.asarray, read(jnp.asarray(float(t)))) for t in range(1, solver.length + 1)]


def costs_of(solver: Solver, stages: list[Matrices], rules: Mapping[str, np.ndarray]) -> np.ndarray:
    """(players,) what everybody who decides pays, by second moments carried from stage to stage. ``rules``: by group (stages, k,
    1 + inputs)."""
    people = len(solver.linear.people)
    before = np.asarray(solver.start) @ np.asarray(solver.start).T
    paid = np.zeros(people)
    for t, m in enumerate(stages):
        n, size, k = len(before), m.following.shape[1], solver.linear.shape[3]
        plays = np.eye(size)[:, :size - k]  # v as a function of (1, s, draws)
        for (group, _, _, own), seen in zip(solver.slots, m.seen, strict=True):
            plays[size - k + own.start:size - k + own.stop] = rules[group][t] @ np.asarray(seen) @ plays
        inside = np.eye(size - k)
        inside[:n, :n] = before
        v = plays @ inside @ plays.T
        paid += solver.discount**t * np.einsum("pij,ij->p", m.paid[:people], v)
        before = m.following @ v @ m.following.T
    return paid + np.einsum("pab,ab->p", np.asarray(solver.linear.ending())[:people], before)


def solve_stages(solver: Solver, stages: list[Matrices]) -> tuple[dict[str, np.ndarray], list[Move]]:
    """By group (stages, k, 1 + inputs), and the moves, first to last. Raises Unsolved."""
    linear = solver.linear
    people = len(linear.people)
    states, outside, inside, width = linear.shape
    n = 1 + states + outside
    value = np.asarray(linear.ending())[:people] / solver.discount**solver.length
    rules: dict[str, list[np.ndarray]] = {group: [] for group, _, _, _ in solver.slots}
    moves: list[Move] = []
    for t, m in reversed(list(enumerate(stages, start=1))):
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
    return {group: np.stack(list(reversed(r))) for group, r in rules.items()}, list(reversed(moves))
