"""Coefficients as a profile that everything else in the compiler accepts."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..policies import Affine, head
from ..primitives.distributions import DISTRIBUTIONS
from .reading import LinearQuadratic
from .stationary import Unsolved


def profile_of(problem: Problem, rules: Mapping[str, np.ndarray]) -> dict[str, Strategy]:
    """Affine strategies by group from (k, 1 + inputs) by decision. Raises Unsolved where twins would act differently."""
    out = {}
    for group, members in problem.groups.items():
        first = rules[group]
        for d in members:
            if np.abs(rules[d.name] - first).max() > 1e-9 * (1 + np.abs(first).max()):
                raise Unsolved(f"members of a symmetric family act differently in it ({group} and {d.name}): they share one policy")
        table = jnp.asarray(first)
        inputs = first.shape[1] - 1
        out[group] = Strategy(Affine(table[None, :, 1:], table[None, :, 0]), head("real", members[0].shape, location=0.0, scale=1.0),
                              jnp.zeros(inputs), jnp.ones(inputs), (), False)
    return out


def inside_bounds(problem: Problem, game: LinearQuadratic, rules: Mapping[str, np.ndarray]) -> bool:
    """Whether any decision has bounds. Raises Unsolved if an act of these rules can leave them: then they bind, and the linear rule is no
    solution."""
    bounded = [d for d in problem.game.decisions if d.low is not None or d.high is not None]
    if not bounded:
        return False
    base = 1 + len(game.normal)
    count = len(game.places)
    plan = np.concatenate([rules[a.name] @ a.known for a in game.acts])
    acts = np.linalg.solve(np.eye(count) - plan[:, base:], plan[:, :base])
    low, high = ends_of_draws(problem, game)
    for d in bounded:
        place = next(a.place for a in game.acts if a.name == d.name) - base
        rows = np.where(np.abs(acts[place]) > 1e-12 * (1 + np.abs(acts).max()), acts[place], 0.0)
        with np.errstate(invalid="ignore"):
            lows, highs = np.where(rows[:, 1:] != 0, rows[:, 1:] * low, 0.0), np.where(rows[:, 1:] != 0, rows[:, 1:] * high, 0.0)
        least = float((rows[:, 0] + np.minimum(lows, highs).sum(1)).min())
        most = float((rows[:, 0] + np.maximum(lows, highs).sum(1)).max())
        floor, ceiling = (bound_of(problem, d.low), bound_of(problem, d.high))
        if least < floor - 1e-12 or most > ceiling + 1e-12:
            raise Unsolved(f"{d.name} would leave its bounds (it would reach from {least:.4g} to {most:.4g}): they bind")
    return True


def bound_of(problem: Problem, bound: object) -> float:
    """A bound as a number, an end of the line where there is none."""
    from ..core.folding import number

    if bound is None:
        return np.nan  # no comparison holds
    value = bound if isinstance(bound, (int, float)) else number(bound)  # type: ignore[arg-type]
    if value is None:
        raise Unsolved("a bound of a decision moves")
    return float(value)


def ends_of_draws(problem: Problem, game: LinearQuadratic) -> tuple[np.ndarray, np.ndarray]:
    """(draws,) the least and the largest value of every draw, in its own standard deviations from its mean."""
    from ..core.site import Random
    from ..information.quadratic import Reader

    reader = Reader(problem.game, lambda name, arguments: None)
    low, high = np.full(len(game.normal), -np.inf), np.full(len(game.normal), np.inf)
    at = 0
    for site in problem.game.sites:
        if isinstance(site, Random):
            size = int(np.prod(site.shape, dtype=int))
            if site.distribution not in ("Normal", "MvNormal"):
                law = DISTRIBUTIONS[site.distribution]
                arguments = [reader.value(a, {}) for a in site.arguments]
                ends = [np.asarray(x, float) for x in law.support(*arguments)]
                middle, spread = np.asarray(law.mean(*arguments)), np.sqrt(np.asarray(law.variance(*arguments)))
                low[at:at + size] = np.broadcast_to((ends[0] - middle) / spread, site.shape).reshape(-1)
                high[at:at + size] = np.broadcast_to((ends[1] - middle) / spread, site.shape).reshape(-1)
            at += size
    return low, high
