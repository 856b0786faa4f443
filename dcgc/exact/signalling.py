"""Linear-quadratic-Gaussian games whose information is not nested: all affine profiles in which nobody gains by another affine rule.

What is seen depends on rules, so that the first-order conditions are polynomials in the slopes. Given the slopes, the offsets solve linear
equations. A best reply to affine rules is affine (normal draws, quadratic costs), so that of a game such a profile is a Nash equilibrium
among all policies if each player's cost is convex in its own acts; of a team it is only what affine rules can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..learning.affine_moments import Moments, moments
from ..lower.problem import Problem
from .polynomials import rational, solutions
from .stationary import Unsolved

MOST = 4  # slopes
NEWTON = 20


@dataclass(frozen=True)
class AffineProfiles:
    """``thetas`` (profiles, coefficients), ``costs`` (profiles, players), ``residuals`` (profiles,) over the size of the costs;
    ``complete``: whether there is no other; ``degree``: of the polynomial whose real roots they are."""

    moments: Moments
    thetas: np.ndarray
    costs: np.ndarray
    residuals: np.ndarray
    complete: bool
    degree: int


def affine_profiles(problem: Problem) -> AffineProfiles:
    """All of them. Raises Unsolved."""
    m = moments(problem)
    if m is None:
        raise Unsolved("it cannot be written as matrices")
    slopes = slopes_of(m)
    if len(slopes) > MOST:
        raise Unsolved(f"its first-order conditions are polynomials in {len(slopes)} slopes: too many to be solved by elimination")
    equations, unknowns = conditions(m, slopes)
    found = solutions(equations, unknowns, list(reversed(range(len(slopes)))))
    residual, derivative = jax.jit(m.residual), jax.jit(jax.jacfwd(m.residual))
    thetas: list[np.ndarray] = []
    left: list[float] = []
    for point in found.points:
        theta = np.zeros(m.layout.count)
        theta[slopes] = point
        for _ in range(NEWTON):
            f, j = np.asarray(residual(jnp.asarray(theta))), np.asarray(derivative(jnp.asarray(theta)))
            if np.linalg.cond(j) > 1e13:
                raise Unsolved("the first-order conditions have a solution that is not isolated")
            theta = theta - np.linalg.solve(j, f)
            if np.abs(f).max() < 1e-14 * (1 + np.abs(j).max()):
                break
        scale = np.abs(np.asarray(derivative(jnp.asarray(theta)))).max() * (1 + np.abs(theta).max())
        size = float(np.abs(np.asarray(residual(jnp.asarray(theta)))).max() / scale)
        if size > 1e-11 or np.abs(theta[slopes] - point).max() > 1e-5 * (1 + np.abs(point).max()):
            raise Unsolved("a root of the first-order conditions is too badly conditioned")
        if not any(np.allclose(theta, other, rtol=1e-8, atol=1e-9) for other in thetas):
            thetas.append(theta)
            left.append(size)
    costs = np.stack([np.asarray(m.expected(jnp.asarray(t))) for t in thetas]) if thetas else np.zeros((0, len(m.costs)))
    return AffineProfiles(m, np.asarray(thetas), costs, np.asarray(left), found.complete, found.degree)


def slopes_of(m: Moments) -> np.ndarray:
    """The numbers of the coefficients of what is seen (not of 1)."""
    offset = np.abs(m.seen - np.eye(1, m.seen.shape[1])).max(axis=1) == 0
    return np.unique(m.layout.coefficients[~offset[m.layout.columns]])


def conditions(m: Moments, slopes: np.ndarray) -> tuple[list[Any], list[Any]]:
    """The first-order conditions on the slopes, as SymPy polynomials with rational coefficients, and their unknowns; of
    ``Moments.residual`` the part that concerns deviations from means."""
    from sympy.polys.domains import QQ
    from sympy.polys.rings import ring

    names = [f"t{i}" for i in range(len(slopes))]
    made = ring(names, QQ)
    r, gens = made[0], made[1:]
    k, n = len(m.payers), m.game.count
    base = n - k
    number = {int(c): i for i, c in enumerate(slopes.tolist())}

    def exact(x: float) -> Any:
        f = rational(x)
        return r(QQ(f.numerator, f.denominator))

    zero = r(0)
    g = [[zero] * n for _ in range(k)]  # acts as rows over z, means left out
    for row, column, c in zip(m.layout.rows, m.layout.columns, m.layout.coefficients, strict=True):
        if int(c) in number:
            for w in np.flatnonzero(np.abs(m.seen[column]) > 1e-14):
                if w:
                    g[row][w] += gens[number[int(c)]] * exact(m.seen[column, w])
    s = [[r(int(i == j)) for j in range(k)] for i in range(k)]  # what a push of act j does to act i
    width = base + k
    acts: list[list[Any]] = []
    for i in range(k):
        line = [g[i][w] for w in range(base)] + [r(int(w == i)) for w in range(k)]
        for j in range(i):
            if g[i][base + j]:
                line = [a + g[i][base + j] * b for a, b in zip(line, acts[j], strict=True)]
                s[i] = [a + g[i][base + j] * b for a, b in zip(s[i], s[j], strict=True)]
        acts.append(line)

    def z(i: int) -> list[Any]:
        return [r(int(i == w and w > 0)) for w in range(width)] if i < base else acts[i - base]

    def combined(weights: np.ndarray) -> list[Any]:
        total = [zero] * width
        for i in np.flatnonzero(np.abs(weights) > 1e-14):
            w = exact(weights[i])
            total = [a + w * b for a, b in zip(total, z(int(i)), strict=True)]
        return total

    direct = {(p, j): combined(2 * m.costs[p, base + j]) for p in range(len(m.costs)) for j in range(k)}
    seen = {int(c): combined(m.seen[c]) for c in np.unique(m.layout.columns)}
    out = [zero] * len(slopes)
    for row, column, c in zip(m.layout.rows, m.layout.columns, m.layout.coefficients, strict=True):
        if int(c) not in number:
            continue
        p = int(m.payers[row])
        total = zero
        for j in range(k):
            if s[j][row]:
                heeded = [w for w in range(1, width) if w < base or m.errors[row, w - base]]
                inner = sum((direct[p, j][w] * seen[int(column)][w] for w in heeded), zero)
                total += s[j][row] * inner
        out[number[int(c)]] += total
    return [e.as_expr() for e in out], [x.as_expr() for x in gens]
