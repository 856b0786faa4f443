"""Gauss rules: few nodes, exact for polynomials. Numpy in float64, on the host, cached.

All rules are those of probability laws: the weights sum to one and the rule approximates an expectation. An n-point
rule is exact for polynomials of degree 2n - 1; for functions analytic around the real line the error falls
exponentially in n (Legendre) or in sqrt(n) (Hermite, Laguerre); across a jump it falls like 1/n only, so use cells or
strata there.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes (n, d) and weights (n,) which sum to one. ``edges`` (n + 1,), where the rule has cells: cell i lies between
    edges[i] and edges[i + 1], the first and the last reaching on to the ends of the law's support."""

    nodes: Array
    weights: Array
    edges: Array | None = None

    def __post_init__(self) -> None:
        # Rules are cached and shared, so nobody may write into them.
        for array in (self.nodes, self.weights, self.edges):
            if array is not None:
                array.flags.writeable = False

    @property
    def size(self) -> int:
        """The number of nodes."""
        return self.nodes.shape[0]

    @property
    def dimension(self) -> int:
        """The number of variables."""
        return self.nodes.shape[1]


def gauss_from_recurrence(diagonal: Array, off_diagonal: Array) -> Rule:
    """The Gauss rule of the law whose orthonormal polynomials obey b[k] p[k+1] = (x - a[k]) p[k] - b[k-1] p[k-1].

    ``diagonal`` a has n entries, ``off_diagonal`` b has n - 1. Nodes are the eigenvalues of the Jacobi matrix (Golub
    and Welsch 1969); weights are Christoffel numbers 1 / sum_k p_k(x)^2, which keep their relative accuracy in the
    tails where squared eigenvector entries lose it. A weight below the least float is 0.
    """
    n = len(diagonal)
    nodes = np.asarray(eigvalsh_tridiagonal(diagonal, off_diagonal)) if n > 1 else np.array(diagonal, dtype=float)
    previous, current = np.zeros(n), np.ones(n)
    total = np.ones(n)
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(n - 1):
            step = (nodes - diagonal[k]) * current - (off_diagonal[k - 1] * previous if k else 0.0)
            previous, current = current, step / off_diagonal[k]
            total = total + current**2
        weights = np.where(np.isfinite(total), 1.0 / total, 0.0)
    return Rule(nodes=nodes[:, None], weights=weights / weights.sum())


def _positive(n: int) -> None:
    if n < 1:
        raise ValueError(f"a quadrature rule needs at least one node, not {n}")


def _symmetric(rule: Rule, centre: float) -> Rule:
    """The rule with the mirror symmetry of its law restored to the last bit."""
    offsets = rule.nodes[:, 0] - centre
    nodes = centre + (offsets - offsets[::-1]) / 2
    return Rule(nodes=nodes[:, None], weights=(rule.weights + rule.weights[::-1]) / 2)


@functools.cache
def gauss_hermite(n: int) -> Rule:
    """n nodes for N(0, 1); stable for n of several hundred (the outer weights then underflow to 0)."""
    _positive(n)
    return _symmetric(gauss_from_recurrence(np.zeros(n), np.sqrt(np.arange(1.0, n))), 0.0)


@functools.cache
def gauss_legendre(n: int) -> Rule:
    """n nodes for the uniform law on [0, 1]."""
    _positive(n)
    k = np.arange(1.0, n)
    return _symmetric(gauss_from_recurrence(np.full(n, 0.5), k / (2 * np.sqrt(4 * k**2 - 1))), 0.5)


@functools.cache
def gauss_laguerre(n: int, shape: float) -> Rule:
    """n nodes for Gamma(shape, 1), shape > 0."""
    _positive(n)
    k = np.arange(float(n))
    return gauss_from_recurrence(2 * k + shape, np.sqrt(k[1:] * (k[1:] + shape - 1)))


@functools.cache
def gauss_jacobi(n: int, a: float, b: float) -> Rule:
    """n nodes for Beta(a, b) on [0, 1], a, b > 0."""
    _positive(n)
    # Jacobi's weight (1 - t)^alpha (1 + t)^beta on t = 2x - 1 has alpha = b - 1 and beta = a - 1.
    alpha, beta = b - 1.0, a - 1.0
    k = np.arange(1.0, n)
    s = 2 * k + alpha + beta
    diagonal = np.concatenate([[(beta - alpha) / (alpha + beta + 2)], (beta**2 - alpha**2) / (s * (s + 2))])
    # The first coefficient is written apart: its general form is 0 / 0 at a + b = 1.
    squares = 4 * k * (k + alpha) * (k + beta) * (k + alpha + beta) / np.where(k == 1, 1.0, s**2 * (s**2 - 1))
    if n > 1:
        squares[0] = 4 * (1 + alpha) * (1 + beta) / ((alpha + beta + 2) ** 2 * (alpha + beta + 3))
    rule = gauss_from_recurrence(diagonal, np.sqrt(squares))
    return Rule(nodes=(1 + rule.nodes) / 2, weights=rule.weights)
