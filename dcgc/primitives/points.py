"""Points in many dimensions: scrambled Sobol sequences, Monte Carlo, and tensor products of small rules.

Numpy in float64, on the host; every function of its seed alone. ``scipy.stats`` is imported when first needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import numpy as np
from scipy import special

from .quadrature import Array, Rule

SOBOL_DIMENSIONS = 21201
"""Direction numbers (Joe and Kuo 2008) end here; Monte Carlo with antithetic pairs takes over."""


def product_rule(rules: Sequence[Rule]) -> Rule:
    """The tensor product of rules, the last varying fastest: exact where each factor is, size the product of sizes.
    No rules make the rule of no variable: one node of dimension 0."""
    nodes: Array = np.zeros((1, 0))
    for rule in rules:
        nodes = np.hstack([np.repeat(nodes, rule.size, axis=0), np.tile(rule.nodes, (nodes.shape[0], 1))])
    return Rule(nodes=nodes, weights=reduce(np.multiply.outer, (r.weights for r in rules), np.ones(1)).ravel())


def sobol_uniform(n: int, dimension: int, seed: int) -> Rule:
    """n scrambled Sobol points in (0, 1)^dimension, equally weighted; balanced if n is a power of two.

    Scrambling (Owen's, through random linear matrices and a digital shift) makes each estimate unbiased; for smooth
    integrands its error falls nearly like n^-1.5, for jumps like n^-0.5 to n^-1, in few effective dimensions.
    """
    _size(n, dimension)
    if dimension == 0 or dimension > SOBOL_DIMENSIONS:
        return monte_carlo_uniform(n, dimension, seed)
    from scipy.stats import qmc

    engine = qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(seed))
    # A prefix of the next power of two; drawing it this way raises no warning about balance.
    points = engine.random_base2(max(n - 1, 0).bit_length())[:n]
    # Points are multiples of 2^-30 and may be 0, where a normal quantile is infinite: move to the middle of that step.
    return Rule(nodes=np.minimum(points + 2.0**-31, 1 - 2.0**-31), weights=np.full(n, 1 / n))


def sobol_normal(n: int, dimension: int, seed: int, match_moments: bool = True) -> Rule:
    """n scrambled Sobol points mapped to N(0, I). ``match_moments`` whitens them: their mean is 0 and their
    covariance I up to rounding, so that expectations of quadratic functions are exact (a bias of order 1/n
    elsewhere).

    Raises ValueError if moments are to be matched with no more points than dimensions.
    """
    nodes = np.asarray(special.ndtri(sobol_uniform(n, dimension, seed).nodes))
    return Rule(nodes=whitened(nodes) if match_moments else nodes, weights=np.full(n, 1 / n))


def whitened(nodes: Array) -> Array:
    """Equally weighted points moved affinely to mean 0 and covariance I. Raises ValueError for too few points."""
    n, dimension = nodes.shape
    if dimension == 0:
        return nodes
    if n <= dimension:
        raise ValueError(f"matching moments in {dimension} dimensions needs more than {dimension} points, not {n}")
    centred = nodes - nodes.mean(axis=0)
    factor = np.linalg.cholesky(centred.T @ centred / n)
    return np.linalg.solve(factor, centred.T).T


def monte_carlo_uniform(n: int, dimension: int, seed: int) -> Rule:
    """n independent points in (0, 1)^dimension in antithetic pairs u, 1 - u (the last alone if n is odd): exact for
    linear functions if n is even; otherwise the error is that of Monte Carlo, n^-0.5."""
    _size(n, dimension)
    half = np.random.default_rng(seed).random((math.ceil(n / 2), dimension))
    nodes = np.concatenate([half, 1 - half])[:n]
    return Rule(nodes=np.clip(nodes, 2.0**-54, 1 - 2.0**-53), weights=np.full(n, 1 / n))


def monte_carlo_normal(n: int, dimension: int, seed: int) -> Rule:
    """n independent points of N(0, I) in antithetic pairs z, -z: exact for odd functions if n is even."""
    _size(n, dimension)
    half = np.random.default_rng(seed).standard_normal((math.ceil(n / 2), dimension))
    return Rule(nodes=np.concatenate([half, -half])[:n], weights=np.full(n, 1 / n))


def _size(n: int, dimension: int) -> None:
    if n < 1 or dimension < 0:
        raise ValueError(f"cannot place {n} points in {dimension} dimensions")
