"""One linear system: policies that are linear in what is known, each of which is a best reply to the others.

Everything is a linear function of *drivers*: 1, independent draws, and what everybody knows. Entry a of a decision of player P is U_a = c_a
B, B an orthonormal basis of what the decision knows. E[d cost_P / d u_a | what it knows] = 0 reads

    B (R_a + sum over b of 2 Q_P[a, b] U_b)' = 0,

R_a the part of the derivative that no act of the system moves: as many linear equations as unknowns c (Radner 1962, theorem 5, of a team;
Basar 1978, of a game). Conditional means are linear where draws are normal, and where the others are each known or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FLAT = 1e-9  # a curvature, over the largest, that rounding can make negative
REGULAR = 1e-11  # least over largest singular value


class Unsolved(Exception):
    """Why theory gives no solution here, in words."""


class NotConvex(Unsolved):
    """Somebody's first-order conditions are those of a maximum or a saddle: there is no equilibrium to be found further on."""


@dataclass(frozen=True)
class Unknown:
    """One decision: its player, a basis (rank, drivers) of what it knows, and the part R (k, drivers) of its derivative."""

    name: str
    player: int
    known: np.ndarray
    rest: np.ndarray


@dataclass(frozen=True)
class Stationary:
    """``rules``: of each decision U (k, drivers). ``residual``: the largest first-order condition left, over the size of the terms.
    ``curvature``: the least eigenvalue of anybody's own second derivatives, over the largest. ``size``: how many equations."""

    rules: tuple[np.ndarray, ...]
    residual: float
    curvature: float
    size: int


def stationary(unknowns: Sequence[Unknown], blocks: np.ndarray) -> Stationary:
    """The solution. ``blocks`` (players, K, K): 2 Q_P between all entries, in the order of the unknowns. Raises Unsolved where it is not
    unique, NotConvex where somebody's cost is not convex in its own acts."""
    widths = [len(u.rest) for u in unknowns]
    starts = np.cumsum([0, *widths])
    players = np.repeat([u.player for u in unknowns], widths)
    spans = [u.known for u, w in zip(unknowns, widths, strict=True) for _ in range(w)]
    rest = np.concatenate([u.rest for u in unknowns])
    sizes = np.cumsum([0, *(len(s) for s in spans)])
    curvature = own_curvature(unknowns, blocks, players, starts)
    matrix, right = np.zeros((sizes[-1], sizes[-1])), np.zeros(sizes[-1])
    overlaps: dict[tuple[int, int], np.ndarray] = {}
    owner = np.repeat(np.arange(len(unknowns)), widths)
    for a, (span, player) in enumerate(zip(spans, players, strict=True)):
        right[sizes[a]:sizes[a + 1]] = -span @ rest[a]
        for b, other in enumerate(spans):
            coupling = blocks[player, a, b]
            if coupling:
                pair = (int(owner[a]), int(owner[b]))
                if pair not in overlaps:
                    overlaps[pair] = span @ other.T
                matrix[sizes[a]:sizes[a + 1], sizes[b]:sizes[b + 1]] = coupling * overlaps[pair]
    values = np.linalg.svd(matrix, compute_uv=False) if len(matrix) <= 1200 else np.ones(2)
    if len(values) and values[-1] <= REGULAR * max(values[0], 1e-300):
        raise Unsolved("the linear system of first-order conditions is singular: there is no solution, or more than one")
    c = np.linalg.solve(matrix, right)
    c += np.linalg.solve(matrix, right - matrix @ c)  # one step of iterative refinement
    scale = np.abs(matrix).max(initial=0.0) * np.abs(c).max(initial=0.0) + np.abs(right).max(initial=0.0) + 1e-300
    rows = np.stack([c[sizes[a]:sizes[a + 1]] @ spans[a] for a in range(len(spans))])
    rules = tuple(rows[starts[i]:starts[i + 1]] for i in range(len(unknowns)))
    residual = float(np.abs(matrix @ c - right).max(initial=0.0) / scale)
    if residual > 1e-11:
        raise Unsolved(f"the linear system of first-order conditions is too badly conditioned: a residual of {residual:.1g} is left")
    return Stationary(rules, residual, curvature, len(matrix))


def own_curvature(unknowns: Sequence[Unknown], blocks: np.ndarray, players: np.ndarray, starts: np.ndarray) -> float:
    """The least eigenvalue of any player's second derivatives in its own acts, over the largest entry. Raises NotConvex if negative."""
    least = np.inf
    for player in dict.fromkeys(players):
        mine = np.flatnonzero(players == player)
        own = blocks[player][np.ix_(mine, mine)]
        scale = max(float(np.abs(own).max(initial=0.0)), 1e-300)
        value = float(np.linalg.eigvalsh((own + own.T) / 2)[0]) / scale
        if value < -FLAT:
            names = ", ".join(u.name for u in unknowns if u.player == player)
            raise NotConvex(f"the cost of whoever decides {names} is not convex in it (least second derivative {value * scale:.6g}): "
                           "the first-order conditions are not sufficient")
        least = min(least, value)
    return float(least)
