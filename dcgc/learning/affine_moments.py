"""First-order conditions of affine policies in linear-quadratic games, by second moments alone.

With z = (1, standardised draws, decisions) and decisions u = G z, G affine in the policies' coefficients and strictly lower in time, z is
a linear function X of the draws, and a push of one decision moves the others by a column of S = (1 - G_uu)^-1. What player P would
gain by a push is the random variable r = 2 S' (Q_P)_u z, and the derivative of its cost in the coefficient of an input o is E[r o]. Six
matrix products: the program is as long for two stages as for two hundred.

A decision that sees an earlier act with no noise between must reply to whatever it is: there that act errs, by a variable of its own
(``own.trembling``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import solve_triangular

from ..information.quadratic import NotQuadratic, QuadraticGame, quadratic_game
from ..lower.problem import Problem
from ..lower.strategy import Strategy
from ..policies import Affine, head
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.distributions.law import Continuous
from .own import trembling

SPREAD = 0.5  # of a random start's standardised decisions


@dataclass(frozen=True)
class Layout:
    """Where coefficient c (n_c of them) stands. ``rows``, ``columns``: for every use of a coefficient, the entry of a decision that it
    moves and the row of what is seen; ``coefficients``: which it is. Twins use the same coefficients."""

    count: int
    rows: np.ndarray
    columns: np.ndarray
    coefficients: np.ndarray
    blocks: tuple[tuple[str, int, int], ...]  # group, first coefficient, how many


@dataclass(frozen=True)
class Moments:
    """A game's matrices, what is seen in standardised units (rows (r, n)), and whom each entry of a decision belongs to.

    ``payers`` (entries,): the number of the player whose cost moves an entry; ``costs`` (players, n, n): Q. ``errors`` (entries, entries):
    1 where the decision of the first entry sees that of the second err.
    """

    game: QuadraticGame
    layout: Layout
    seen: np.ndarray
    payers: np.ndarray
    costs: np.ndarray
    errors: np.ndarray
    located: Mapping[str, tuple[np.ndarray, np.ndarray]]

    def played(self, theta: Array) -> tuple[Array, Array]:
        """z (n, draws and errors) as a function of the draws and of everybody's errors, and S (entries, entries)."""
        n, k = self.game.count, len(self.payers)
        base = n - k  # 1 and the draws
        plan = jnp.zeros((k, self.seen.shape[0])).at[self.layout.rows, self.layout.columns].add(theta[self.layout.coefficients])
        g = plan @ self.seen
        s = solve_triangular(jnp.eye(k) - g[:, base:], jnp.eye(k), lower=True, unit_diagonal=True)
        acts = s @ jnp.concatenate([g[:, :base], jnp.eye(k)], axis=1)
        return jnp.concatenate([jnp.eye(base, base + k), acts]), s

    def expected(self, theta: Array) -> Array:
        """(players,) expected costs, nobody erring."""
        z = self.played(theta)[0][:, :self.game.count - len(self.payers)]
        return jnp.einsum("pij,ik,jk->p", self.costs, z, z)

    def residual(self, theta: Array) -> Array:
        """(n_c,) every policy's derivative of its own player's cost; of twins the mean of theirs."""
        n, k = self.game.count, len(self.payers)
        base = n - k
        z, s = self.played(theta)
        direct = 2 * jnp.einsum("pkn,nm->pkm", self.costs[:, base:, :], z)
        pushed = jnp.einsum("jk,pjm->pkm", s, direct)[self.payers, jnp.arange(k)]
        weights = jnp.concatenate([jnp.ones((k, base)), self.errors], axis=1)
        seen = self.seen @ z  # (r, base + k)
        products = jnp.einsum("um,um,um->u", pushed[self.layout.rows], weights[self.layout.rows], seen[self.layout.columns])
        uses = np.bincount(self.layout.coefficients, minlength=self.layout.count)
        return jnp.zeros(self.layout.count).at[self.layout.coefficients].add(products) / jnp.asarray(uses, float)

    def profile(self, problem: Problem, theta: Array) -> dict[str, Strategy]:
        """Affine strategies with these coefficients."""
        out = {}
        for group, start, size in self.layout.blocks:
            d = problem.groups[group][0]
            location, scale = self.located[group]
            table = theta[start:start + size].reshape(len(location) + 1, -1).T  # (entries, inputs and 1)
            out[group] = Strategy(Affine(table[None, :, :-1], table[None, :, -1]), head("real", d.shape, location=0.0, scale=1.0),
                                  jnp.asarray(location), jnp.asarray(scale), (), False)
        return out


def moments(problem: Problem) -> Moments | None:
    """The matrices of a game; None if it has a part that they cannot hold."""
    if problem.loops or problem.game.constraints:
        return None
    try:
        game = quadratic_game(problem.game, mean_and_spread)
    except NotQuadratic:
        return None
    decisions = problem.game.decisions
    entries = sum(game.acts[d.name].stop - game.acts[d.name].start for d in decisions)
    base = game.count - entries
    order = reordered(game, base)  # the draws first, then the decisions in time order
    place = {name: np.argsort(order)[s] for name, s in ((d.name, np.arange(game.acts[d.name].start, game.acts[d.name].stop))
                                                        for d in decisions)}
    seen, located = [], {}
    rows: list[int] = []
    columns: list[int] = []
    used: list[int] = []
    blocks: list[tuple[str, int, int]] = []
    count = at = 0
    start_of: dict[str, int] = {}
    for group, members in problem.groups.items():
        first = game.seen[members[0].name][:, order]
        location = first[:, 0]
        spread = np.sqrt((first[:, 1:base] ** 2).sum(1))
        scale = np.where(spread > 1e-9, spread, 1.0)
        located[group] = (location, scale)
        width = len(place[members[0].name])
        start_of[group] = count
        blocks.append((group, count, (len(location) + 1) * width))
        for d in members:
            standard = game.seen[d.name][:, order].copy()
            standard[:, 0] -= location
            standard = np.concatenate([standard / scale[:, None], np.eye(1, game.count)])
            seen.append(standard)
            for i in range(len(standard)):
                for j, entry in enumerate(place[d.name]):
                    rows.append(int(entry) - base)
                    columns.append(at + i)
                    used.append(count + i * width + j)
            at += len(standard)
        count += (len(location) + 1) * width
    people = list(dict.fromkeys(problem.decider(d) for d in decisions))
    costs = np.stack([sum((game.paid[p.name] for p in problem.pays(x)), np.zeros((game.count, game.count)))[np.ix_(order, order)]
                      for x in people])
    payers, errors = np.zeros(entries, int), np.zeros((entries, entries))
    for d in decisions:
        mine = place[d.name] - base
        payers[mine] = people.index(problem.decider(d))
        for other in trembling(problem, d):
            errors[np.ix_(mine, place[other] - base)] = 1.0
    layout = Layout(count, np.asarray(rows), np.asarray(columns), np.asarray(used), tuple(blocks))
    return Moments(game, layout, np.concatenate(seen), payers, costs, errors, located)


def mean_and_spread(distribution: str, arguments: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """What is needed of a scalar law; None of one whose draws are vectors or categories."""
    law = DISTRIBUTIONS[distribution]
    if any(law.parameter_ranks) or not isinstance(law, Continuous):
        return None
    return np.asarray(law.mean(*arguments)), np.sqrt(np.asarray(law.variance(*arguments)))


def reordered(game: QuadraticGame, base: int) -> np.ndarray:
    """The entries of z with 1 and the draws first, then the decisions, each in time order."""
    acts = np.concatenate([np.arange(s.start, s.stop) for s in game.acts.values()]) if game.acts else np.zeros(0, int)
    chance = np.setdiff1d(np.arange(game.count), acts)
    return np.concatenate([chance, acts])


def random_starts(m: Moments, seed: int, count: int) -> Array:
    """(count, n_c) independent normals, as wide as a fresh affine policy's."""
    widths = np.concatenate([np.repeat([SPREAD / math.sqrt(max(len(m.located[k][0]), 1))] * len(m.located[k][0]) + [SPREAD],
                                       size // (len(m.located[k][0]) + 1)) for k, _, size in m.layout.blocks])
    return jnp.asarray(widths) * jax.random.normal(jax.random.key(seed), (count, m.layout.count))
