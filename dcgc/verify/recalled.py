"""What a player could gain at most, if it also remembered all that it has seen: a bound from above, by linear algebra.

Draws are Gaussian, payments quadratic, everybody's policy affine. With all that it ever saw at hand a player's own information is nested,
so that its decisions u may be taken for functions of what nature draws (Ho and Chu 1972), and its cost, convex in them with curvature at
least m, obeys J(u') >= J(u) + E[r (u' - u)] + m E|u' - u|^2 / 2, where r is the derivative by its decisions, one at a time. So nobody
gains more than E|r^|^2 / (2 m), r^ the part of r that it can tell. Memory can only help: the bound holds for the player without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.site import Decision
from ..information.quadratic import NotQuadratic, QuadraticGame, quadratic_game
from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..policies import Affine, Constant

METHOD = "bound for a player who remembers all that it saw (quadratic costs, Gaussian draws)"


def gain_with_recall(problem: Problem, profile: Mapping[str, Any], own: Sequence[Decision]) -> tuple[float, float] | None:
    """The bound (cost units) on what the player of the decisions ``own`` could gain by any policies, and the size of what it is charged,
    term by term; None where it is not known."""
    if not problem.is_lqg or problem.loops or problem.game.constraints:
        return None
    if not all(isinstance(s, Strategy) and isinstance(s.policy, (Affine, Constant)) for s in profile.values()):
        return None
    try:
        game = quadratic_game(problem.game, lambda name, arguments: None)
    except NotQuadratic:
        return None
    acts = np.concatenate([np.arange(s.start, s.stop) for s in game.acts.values()])
    chance = np.setdiff1d(np.arange(game.count), acts)
    rules = np.concatenate([rows(problem, profile, game, d) for d in problem.game.decisions])
    played = np.zeros((game.count, len(chance)))
    played[chance] = np.eye(len(chance))
    played[acts] = np.linalg.solve(np.eye(len(acts)) - rules[:, acts], rules[:, chance])

    mine = np.concatenate([np.arange(game.acts[d.name].start, game.acts[d.name].stop) for d in own])
    places = np.searchsorted(acts, mine)
    others = rules.copy()
    others[places] = 0.0  # its own later decisions do not answer
    answers = np.linalg.inv(np.eye(len(acts)) - others[:, acts])[:, places]
    person = problem.decider(own[0])
    paid = sum((game.paid[p.name] for p in problem.pays(person)), np.zeros((game.count, game.count)))
    curvature = np.linalg.eigvalsh(2 * answers.T @ paid[np.ix_(acts, acts)] @ answers)
    if curvature[0] <= 1e-9 * max(1.0, abs(curvature[-1])):
        return None
    slopes = 2 * answers.T @ paid[acts] @ played  # (entries of its decisions, 1 and the draws)
    known = np.eye(1, game.count) @ played
    told, start = 0.0, 0
    for d in own:
        known = np.concatenate([known, game.seen[d.name] @ played])
        basis = np.linalg.svd(known, full_matrices=False)
        span = basis[2][basis[1] > 1e-10 * basis[1].max()]
        size = game.acts[d.name].stop - game.acts[d.name].start
        told += float(((slopes[start:start + size] @ span.T) ** 2).sum())
        start += size
    return told / (2 * float(curvature[0])), float(np.abs(paid * (played @ played.T)).sum())


def rows(problem: Problem, profile: Mapping[str, Any], game: QuadraticGame, d: Decision) -> np.ndarray:
    """(entries, n) what a decision is of z, read off its policy."""
    s: Strategy = profile[problem.leader_of[d.name]]
    count = len(game.seen[d.name])

    def at(x: np.ndarray) -> np.ndarray:
        raw = s.raw(jnp.asarray(0), jnp.asarray(x, float))  # in the units of the game
        return np.asarray(s.head(raw)).reshape(-1)

    level = at(np.zeros(count))
    gains = np.stack([at(e) - level for e in np.eye(count)], axis=1) if count else np.zeros((len(level), 0))
    return level[:, None] * np.eye(1, game.count) + gains @ game.seen[d.name]
