"""What a player could gain that moves all its decisions at once, by linear algebra, where quadratic costs and Gaussian draws allow it.

Everybody's policy is affine. Let each decision of the player know, beside what it sees, what those of the player's earlier decisions saw
that can have moved it. That information is partially nested, so that its decisions may be taken for functions of what nature draws (Ho
and Chu 1972, theorem 1), and its cost is a quadratic form in them: where that is convex, the best of all replies is affine and solves the
normal equations (Radner 1962, theorem 5). If the decisions knew all that anyway, the gain is the player's regret; else it is a bound from
above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.site import Decision
from ..information.quadratic import NotQuadratic, QuadraticGame, quadratic_game
from ..information.structure import knows_all
from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..policies import Affine, Constant

FLAT = 1e-9  # a curvature, over the largest, that rounding alone can make negative


@dataclass(frozen=True)
class JointGain:
    """``gain`` (cost units) of the best reply with memory over what is played; ``attained``: whether memory adds nothing, so that it is the
    regret; ``charged`` (cost units): the size of what the player is charged, term by term."""

    gain: float
    attained: bool
    charged: float

    @property
    def method(self) -> str:
        how = "best affine reply at all its decisions together" if self.attained else "bound for a player who remembers what it saw"
        return f"{how} (quadratic costs, Gaussian draws)"


def joint_gain(problem: Problem, profile: Mapping[str, Any], own: Sequence[Decision]) -> JointGain | None:
    """Of the player that takes the decisions ``own`` (time order), everybody else's policy held fixed; None where affine replies need not
    be the best, or there is no best one."""
    if not problem.is_lqg or problem.loops or problem.game.constraints:
        return None
    if not all(isinstance(s, Strategy) and isinstance(s.policy, (Affine, Constant)) for s in profile.values()):
        return None
    try:
        game = quadratic_game(problem.game, lambda distribution, arguments: None)  # normal draws need no law beside
    except NotQuadratic:
        return None
    acts = np.concatenate([np.arange(s.start, s.stop) for s in game.acts.values()])
    chance = np.setdiff1d(np.arange(game.count), acts)
    rules = np.concatenate([rows(problem, profile, game, d) for d in problem.game.decisions])
    played = np.zeros((game.count, len(chance)))  # z as a function of 1 and the draws
    played[chance] = np.eye(len(chance))
    played[acts] = np.linalg.solve(np.eye(len(acts)) - rules[:, acts], rules[:, chance])

    mine = np.concatenate([np.arange(game.acts[d.name].start, game.acts[d.name].stop) for d in own])
    places = np.searchsorted(acts, mine)
    others = rules.copy()
    others[places] = 0.0  # its own later decisions do not answer: they are moved themselves
    answers = np.linalg.inv(np.eye(len(acts)) - others[:, acts])[:, places]
    person = problem.decider(own[0])
    paid = sum((game.paid[p.name] for p in problem.pays(person)), np.zeros((game.count, game.count)))
    curvature = 2 * answers.T @ paid[np.ix_(acts, acts)] @ answers
    least, most = np.linalg.eigvalsh(curvature)[[0, -1]]
    if least <= FLAT * max(1.0, abs(most)):
        return None
    slopes = 2 * answers.T @ paid[acts] @ played  # (entries of its decisions, 1 and the draws)
    spans: list[np.ndarray] = []  # of what is known, for each entry of its decisions
    for d in own:
        spans += [known(problem, game, played, own, d)] * (game.acts[d.name].stop - game.acts[d.name].start)
    f = np.concatenate([span @ slope for span, slope in zip(spans, slopes, strict=True)])
    h = np.block([[curvature[i, j] * (a @ b.T) for j, b in enumerate(spans)] for i, a in enumerate(spans)])
    gain = float(f @ np.linalg.solve(h, f)) / 2
    return JointGain(gain, nested_within(problem, own), float(np.abs(paid * (played @ played.T)).sum()))


def known(problem: Problem, game: QuadraticGame, played: np.ndarray, own: Sequence[Decision], d: Decision) -> np.ndarray:
    """(rank, 1 and the draws): an orthonormal basis of what ``d`` knows, with what its player knew at decisions that can have moved it."""
    earlier = [e for e in own if e.name == d.name or e.name in problem.dependence.ancestors[d.name]]
    seen = np.concatenate([np.eye(1, game.count), *(game.seen[e.name] for e in earlier)]) @ played
    _, sizes, basis = np.linalg.svd(seen, full_matrices=False)
    return basis[sizes > 1e-10 * sizes.max()]


def nested_within(problem: Problem, own: Sequence[Decision]) -> bool:
    """Whether each of these decisions knows all that those knew which can have moved what it sees."""
    return all(knows_all(later, earlier, problem.dependence, problem.reduction)
               for later in own for earlier in own
               if earlier.name != later.name and earlier.name in problem.dependence.ancestors[later.name])


def rows(problem: Problem, profile: Mapping[str, Any], game: QuadraticGame, d: Decision) -> np.ndarray:
    """(entries, n) what a decision is of z, read off its policy."""
    s: Strategy = profile[problem.leader_of[d.name]]
    count = len(game.seen[d.name])

    def at(x: np.ndarray) -> np.ndarray:
        return np.asarray(s.head(s.raw(jnp.asarray(0), jnp.asarray(x, float)))).reshape(-1)  # in the units of the game

    level = at(np.zeros(count))
    gains = np.stack([at(e) - level for e in np.eye(count)], axis=1) if count else np.zeros((len(level), 0))
    return level[:, None] * np.eye(1, game.count) + gains @ game.seen[d.name]
