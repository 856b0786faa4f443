"""Cells of one base variable: nodes with edges and exact probabilities, for policies that are tables of cells and for
integrands that jump. Numpy in float64, on the host, cached.
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from scipy import special

from .quadrature import Array, Rule

NORMAL_REACH = 8.5
"""Outer edge of equally spaced normal cells: 2e-17 of the probability lies beyond, and counts in the outer cells."""

Spacing = Literal["equal", "probability"]
Placing = Literal["mean", "middle"]


def _normal_interval(edges: Array) -> Array:
    """P(edges[i] < Z < edges[i + 1]), relative accuracy kept in both tails."""
    low, high = edges[:-1], edges[1:]
    return np.where(low > 0, special.ndtr(-low) - special.ndtr(-high), special.ndtr(high) - special.ndtr(low))


def _normal_density(z: Array) -> Array:
    return np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)


def _cell_count(n: int) -> None:
    if n < 1:
        raise ValueError(f"there must be at least one cell, not {n}")


@functools.cache
def normal_cells(n: int, spacing: Spacing = "equal", placing: Placing = "mean") -> Rule:
    """n cells of N(0, 1) with exact weights.

    ``spacing``: cells ``equal`` in width on [-8.5, 8.5], or of equal ``probability``. ``placing``: nodes at the cells'
    conditional means (the rule then has mean 0 exactly, and a variance low by about width^2 / 12), or in the ``middle``
    (of the interval for equal widths, of the probability otherwise). ``edges`` are finite for equal spacing; the outer
    ones of equal-probability cells are infinite. The weights sum to one within 1e-15.
    """
    _cell_count(n)
    if spacing == "equal":
        edges = np.linspace(-NORMAL_REACH, NORMAL_REACH, n + 1)
        middles = (edges[1:] + edges[:-1]) / 2
    else:
        lower = np.arange(n + 1) / n
        edges = np.where(lower <= 0.5, special.ndtri(lower), -special.ndtri(lower[::-1]))
        middles = special.ndtri((np.arange(n) + 0.5) / n)
    open_edges = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    weights = _normal_interval(open_edges) if spacing == "equal" else np.full(n, 1 / n)
    # The mean of Z in a cell is (phi(low) - phi(high)) / P(cell). Halves mirror each other exactly.
    means = (_normal_density(open_edges[:-1]) - _normal_density(open_edges[1:])) / weights
    # An open outer cell's mean may lie beyond its finite edge; a node stays in its cell.
    nodes = np.clip(means, edges[:-1], edges[1:]) if placing == "mean" else middles
    nodes, weights = (nodes - nodes[::-1]) / 2, (weights + weights[::-1]) / 2
    return Rule(nodes=nodes[:, None], weights=weights / weights.sum(), edges=edges)


@functools.cache
def uniform_cells(n: int) -> Rule:
    """n cells of equal width, hence of equal probability, on [0, 1], nodes in the middle: the midpoint rule, whose
    error is f''/(24 n^2) for smooth integrands and at most 1/n of a jump."""
    _cell_count(n)
    edges = np.linspace(0, 1, n + 1)
    return Rule(nodes=((edges[1:] + edges[:-1]) / 2)[:, None], weights=np.full(n, 1 / n), edges=edges)


TRAPEZOID_REACH = 9.0
"""The outer nodes of the trapezoid rule."""


@functools.cache
def normal_trapezoid(n: int) -> Rule:
    """The trapezoid rule with Gaussian weight: n equally spaced nodes on [-9, 9], weights proportional to the density.

    For integrands analytic around the real line it converges exponentially in n: the moment generating function at s
    errs by about 2 exp(-2 pi^2 / h^2) cos(2 pi s / h), h = 18 / (n - 1), plus what lies beyond 9 (2e-19 of the
    probability). ``trapezoid_error`` gives this figure; n = 61 reaches rounding for functions that do not vary faster
    than the density.
    """
    if n < 3:
        raise ValueError(f"the trapezoid rule needs at least three nodes, not {n}")
    half = np.linspace(-TRAPEZOID_REACH, TRAPEZOID_REACH, n)
    nodes = (half - half[::-1]) / 2
    weights = _normal_density(nodes)
    return Rule(nodes=nodes[:, None], weights=weights / weights.sum())


def trapezoid_error(n: int) -> float:
    """The relative error of ``normal_trapezoid(n)`` on slowly varying integrands: aliasing and truncation together."""
    spacing = 2 * TRAPEZOID_REACH / (n - 1)
    return float(2 * np.exp(-2 * (np.pi / spacing) ** 2) + 2 * special.ndtr(-TRAPEZOID_REACH))
