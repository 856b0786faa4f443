"""How much words say: entropy and mutual information, in bits, from samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A figure from samples, with its standard error (nan where there is none)."""

    value: float
    standard_error: float

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class ConditionalMoments:
    """What a real variable is when a word is said, for each word 0..K-1 (K,): ``counts``, ``means``, ``deviations`` (root mean square,
    with n - 1), ``standard_errors`` of the means. nan for words that were said too rarely to tell."""

    counts: Labels
    means: Array
    deviations: Array
    standard_errors: Array


def entropy(probabilities: ArrayLike) -> float:
    """The entropy (bits) of a law, given by numbers in proportion to its probabilities. ValueError if they are no such numbers."""
    p = np.asarray(probabilities, dtype=np.float64).ravel()
    if not p.size or not np.all(np.isfinite(p)) or np.any(p < 0) or not p.sum() > 0:
        raise ValueError("probabilities must be finite, not negative and not all 0")
    p = p[p > 0] / p.sum()
    return float(max(0.0, -np.sum(p * np.log2(p))))


def word_entropy(words: ArrayLike, corrected: bool = False) -> Estimate:
    """The entropy (bits) of the words (n,), as counted; ``corrected``: plus Miller's (m - 1) / (2 n ln 2), m the number of words seen.

    The standard error is that of the mean of -log2 p (Basharin 1959).
    """
    counts = np.bincount(labels(words))
    counts, n = counts[counts > 0], int(counts.sum())
    surprise = -np.log2(counts / n)
    value = entropy(counts) + (miller(len(counts), n) if corrected else 0.0)
    return Estimate(value, spread(counts / n, surprise, n))


def mutual_information(x: ArrayLike, y: ArrayLike, corrected: bool = True) -> Estimate:
    """I(x; y) in bits of two sequences (n,) of anything that can be told apart.

    ``corrected``: with the correction of Miller 1955 (Miller and Madow) in each of the three entropies; what is left of the bias is of
    second order where every pair was seen a few times, and the value may then be a little below 0. Otherwise the plug-in value, >= 0.
    The standard error is that of the mean of log2 p(x, y) / (p(x) p(y)), which is too small where there is hardly any information.
    ValueError for sequences of different lengths or of none.
    """
    a, b = labels(x), labels(y)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} samples of the one and {len(b)} of the other cannot be compared")
    n, columns = len(a), int(b.max()) + 1
    pairs, counts = np.unique(a * columns + b, return_counts=True)
    first, second = np.bincount(a), np.bincount(b)
    joint = counts / n
    pointwise = np.log2(counts * float(n) / (first[pairs // columns] * second[pairs % columns].astype(np.float64)))
    value = max(0.0, float(joint @ pointwise))
    if corrected:
        value += miller(int(np.count_nonzero(first)), n) + miller(int(np.count_nonzero(second)), n) - miller(len(counts), n)
    return Estimate(value, spread(joint, pointwise, n))


def mutual_information_real(
    words: ArrayLike, values: ArrayLike, bins: int | None = None, shuffles: int = 20, seed: int = 0
) -> Estimate:
    """I(word; value) in bits of words (n,) and a real variable (n,), by cells of equal mass (``bins``; by default n^(1/3), 2 to 64).

    Binning can only lose information, so this is a lower bound but for its bias; that is estimated by what shuffled words seem to say,
    and taken off (too much of it where words say nearly everything). The value can be a little below 0.
    """
    cells = equal_mass_bins(values, bins)
    known = labels(words)
    found = mutual_information(known, cells, corrected=False)
    rng = np.random.default_rng(seed)
    chance = [mutual_information(rng.permutation(known), cells, corrected=False).value for _ in range(shuffles)]
    return Estimate(found.value - (float(np.mean(chance)) if chance else 0.0), found.standard_error)


def equal_mass_bins(values: ArrayLike, bins: int | None = None) -> Labels:
    """The cell (n,) of each value (n,) among ``bins`` cells that hold about equally many; equal values lie in one cell.

    ``bins``: by default n^(1/3), at least 2 and at most 64. Values with no more distinct ones than bins keep a cell each. ValueError
    for values that are none or not finite, and for fewer than one bin.
    """
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or not v.size or not np.all(np.isfinite(v)):
        raise ValueError("values must be a list of finite numbers")
    bins = min(64, max(2, round(v.size ** (1 / 3)))) if bins is None else bins
    if bins < 1:
        raise ValueError(f"values cannot be put into {bins} cells")
    distinct, where, counts = np.unique(v, return_inverse=True, return_counts=True)
    if len(distinct) <= bins:
        return where.astype(np.int64)
    # The cell of a value is told by the middle of its mass.
    middle = (np.cumsum(counts) - counts / 2) / v.size
    return np.unique(np.floor(middle * bins), return_inverse=True)[1][where].astype(np.int64)


def conditional_moments(words: ArrayLike, values: ArrayLike, count: int) -> ConditionalMoments:
    """The mean and spread of ``values`` (n,) given each of the words 0..count-1. ValueError if a word (n,) is not among them."""
    known, v = np.asarray(words), np.asarray(values, dtype=np.float64)
    if known.shape != v.shape or v.ndim != 1:
        raise ValueError(f"words {known.shape} and values {v.shape} must be lists of one length")
    if known.size and not (0 <= known.min() and known.max() < count):
        raise ValueError(f"there are {count} words, counted from 0")
    known = known.astype(np.int64)
    counts = np.bincount(known, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(known, v, minlength=count) / counts
        squares = np.bincount(known, (v - means[known]) ** 2, minlength=count)
        deviations = np.where(counts > 1, np.sqrt(squares / np.maximum(counts - 1, 1)), np.nan)
        return ConditionalMoments(counts, means, deviations, deviations / np.sqrt(counts))


def labels(sequence: ArrayLike) -> Labels:
    """A sequence (n,) of anything, or of rows (n, T), as numbers 0..m-1, equal where it is equal. ValueError if there is nothing."""
    s = np.asarray(sequence)
    if s.ndim not in (1, 2) or not s.size:
        raise ValueError(f"a sequence of samples is needed, not an array {s.shape}")
    return np.unique(s, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def miller(seen: int, n: int) -> float:
    """What the entropy of n samples with so many different values lacks on average (bits): Miller 1955."""
    return (seen - 1) / (2 * n * math.log(2))


def spread(probabilities: Array, values: Array, n: int) -> float:
    """The standard error of the mean of n draws from these values."""
    mean = float(probabilities @ values)
    return math.sqrt(max(0.0, float(probabilities @ (values - mean) ** 2)) / n)
