"""A linear-quadratic game in the form that the exact solvers share: z = (1, draws, acts), the draws of mean 0 and variance 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.site import Random
from ..information.quadratic import NotQuadratic, quadratic_game
from ..learning.affine_moments import mean_and_spread, reordered
from ..lower.problem import Person, Problem

ROUNDING = 1e-10  # relative: a number below it is none


@dataclass(frozen=True)
class Act:
    """One decision. ``seen`` (inputs, n): what it sees, as rows over z; ``place`` (k,): where its entries stand in z; ``player``: whose."""

    name: str
    player: int
    place: np.ndarray
    seen: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """(1 + inputs, n): 1, and what it sees."""
        return np.concatenate([np.eye(1, self.seen.shape[1]), self.seen])


@dataclass(frozen=True)
class LinearQuadratic:
    """``acts``: in time order; ``costs`` (players, n, n): each pays z' Q z; ``people``: the players (of a team the
    first alone); ``normal`` (draws,): which draws are
    normal; ``draws``: the columns of the draws in z."""

    count: int
    acts: tuple[Act, ...]
    costs: np.ndarray
    people: tuple[Person, ...]
    normal: np.ndarray
    names: tuple[str, ...]

    @property
    def draws(self) -> np.ndarray:
        return np.arange(1, 1 + len(self.normal))

    @property
    def places(self) -> np.ndarray:
        """Where acts stand."""
        return np.arange(1 + len(self.normal), self.count)


def linear_quadratic(problem: Problem) -> LinearQuadratic:
    """The matrices of a problem. Raises NotQuadratic, with the reason, where it has a part that they cannot hold."""
    if problem.loops:
        raise NotQuadratic("a family is too large")
    if problem.game.constraints:
        raise NotQuadratic("there are constraints")
    if problem.game.block is not None:
        raise NotQuadratic("its stages are not written out")
    game = quadratic_game(problem.game, mean_and_spread)
    decisions = problem.game.decisions
    entries = sum(game.acts[d.name].stop - game.acts[d.name].start for d in decisions)
    order = reordered(game, game.count - entries)
    where = np.argsort(order)
    people = tuple(dict.fromkeys(problem.decider(d) for d in decisions))
    people = people[:1] if problem.is_team else people  # who pay the same are one
    acts = tuple(Act(d.name, 0 if problem.is_team else people.index(problem.decider(d)), where[game.acts[d.name]],
                     game.seen[d.name][:, order]) for d in decisions)
    costs = np.stack([sum((game.paid[p.name] for p in problem.pays(x)), np.zeros((game.count, game.count)))[np.ix_(order, order)]
                      for x in people])
    normal, names = np.zeros(game.count - entries - 1, bool), [""] * (game.count - entries - 1)
    at = 0
    for site in problem.game.sites:
        if isinstance(site, Random):
            size = int(np.prod(site.shape, dtype=int))
            normal[at:at + size] = site.distribution in ("Normal", "MvNormal")
            names[at:at + size] = [site.name] * size
            at += size
    return LinearQuadratic(game.count, acts, costs, people, normal, tuple(names))


def payer(problem: Problem, person: Person) -> str:
    """How what a player pays is called: by the team's name where a team decides everything."""
    everybody = {problem.decider(d) for d in problem.game.decisions}
    return next((name for name, members in problem.teams.items() if problem.is_team and everybody <= members), person.label)


# ---------------------------------------------------------------- spans of rows


def basis(rows: np.ndarray) -> np.ndarray:
    """(rank, n): an orthonormal basis of the span of rows, each counted in its own size."""
    sizes = np.linalg.norm(rows, axis=1)
    rows = rows[sizes > 1e-14 * max(sizes.max(initial=0.0), 1e-300)]
    if not len(rows):
        return rows
    _, values, right = np.linalg.svd(rows / np.linalg.norm(rows, axis=1)[:, None], full_matrices=False)
    return right[values > ROUNDING * values[0]]


def within(rows: np.ndarray, span: np.ndarray, accuracy: float = 1e-9) -> bool:
    """Whether rows lie in the span of an orthonormal basis."""
    rest = rows - (rows @ span.T) @ span
    return bool((np.linalg.norm(rest, axis=1) <= accuracy * (np.linalg.norm(rows, axis=1) + 1e-300)).all())


def common(spans: list[np.ndarray]) -> np.ndarray:
    """An orthonormal basis of the intersection of spans, each given by one."""
    found = spans[0]
    for other in spans[1:]:
        if not len(found) or not len(other):
            return found[:0]
        left, cosines, _ = np.linalg.svd(found @ other.T)
        found = (left[:, :len(cosines)].T @ found)[cosines > 1 - 1e-11]
    return found
