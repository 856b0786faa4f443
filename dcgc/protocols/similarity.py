"""Topographic similarity: whether like meanings are told by like messages."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Tokens = NDArray[np.int64]


def topographic_similarity(
    meanings: ArrayLike,
    messages: ArrayLike,
    meaning_distance: str = "euclidean",
    message_distance: str = "euclidean",
    pairs: int = 20_000,
    seed: int = 0,
) -> float:
    """The correlation, between -1 and 1, of the distances of meanings and the distances of messages over pairs of samples.

    Brighton and Kirby 2006, "Understanding linguistic evolution by visualizing the emergence of topographic mappings"; by ranks
    (Spearman), as in Lazaridou et al. 2018. ``meanings`` (n, D) and ``messages`` (n, D') or (n,): rows whose distance is "euclidean",
    "hamming" (the share of places that differ) or "edit" (Levenshtein, tokens (n, T) whose ends are filled up with negative numbers).
    All pairs if there are at most ``pairs``, else so many at random. nan where all meanings or all messages are at one distance.
    ValueError for an unknown distance, tables of different lengths or fewer than 3 samples.
    """
    a, b = rows(meanings), rows(messages)
    if len(a) != len(b) or len(a) < 3:
        raise ValueError(f"three samples at least of meaning and message are needed, not {len(a)} and {len(b)}")
    for name in (meaning_distance, message_distance):
        if name not in DISTANCES:
            raise ValueError(f"distances can be {', '.join(DISTANCES)}, not {name!r}")
    left, right = some_pairs(len(a), pairs, np.random.default_rng(seed))
    return spearman(DISTANCES[meaning_distance](a[left], a[right]), DISTANCES[message_distance](b[left], b[right]))


def some_pairs(n: int, most: int, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
    """Pairs i < j of 0..n-1: all of them, or ``most`` different ones."""
    total = n * (n - 1) // 2
    if total <= most:
        i, j = np.triu_indices(n, 1)
        return i, j
    number = rng.choice(total, most, replace=False, shuffle=False)
    # Pair number k has j with j (j - 1) / 2 <= k < j (j + 1) / 2.
    j = np.floor((1 + np.sqrt(1 + 8 * number.astype(np.float64))) / 2).astype(np.int64)
    j += (j * (j + 1) // 2 <= number).astype(np.int64) - (j * (j - 1) // 2 > number).astype(np.int64)
    return number - j * (j - 1) // 2, j


def spearman(x: Array, y: Array) -> float:
    """The correlation of ranks, ties at their mean rank; nan where one of them does not vary."""
    a, b = (r - r.mean() for r in (ranks(x), ranks(y)))
    scale = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(np.clip((a @ b) / scale, -1, 1)) if scale > 0 else math.nan


def ranks(values: Array) -> Array:
    """The rank of each value, equal ones at their mean rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[where]


def rows(values: ArrayLike) -> NDArray[np.generic]:
    v = np.asarray(values)
    if v.ndim not in (1, 2):
        raise ValueError(f"rows of numbers are needed, not an array {v.shape}")
    return v[:, None] if v.ndim == 1 else v


def euclidean(a: Array, b: Array) -> Array:
    return np.sqrt(np.sum((a.astype(np.float64) - b.astype(np.float64)) ** 2, axis=1))


def hamming(a: Array, b: Array) -> Array:
    return np.mean(a != b, axis=1)


def edit(a: Tokens, b: Tokens) -> Array:
    """Levenshtein's distance between token sequences a (m, T) and b (m, T'), row by row, with one table for all rows at once. A
    sequence ends at its first negative token."""
    first, second = lengths(a), lengths(b)
    row = np.broadcast_to(np.arange(b.shape[1] + 1), (len(a), b.shape[1] + 1)).copy()
    table = [row]
    for i in range(a.shape[1]):
        last, row = row, np.empty_like(row)
        row[:, 0] = i + 1
        for j in range(b.shape[1]):
            change = last[:, j] + (a[:, i] != b[:, j])
            row[:, j + 1] = np.minimum(np.minimum(last[:, j + 1], row[:, j]) + 1, change)
        table.append(row)
    return np.stack(table)[first, np.arange(len(a)), second].astype(np.float64)


def lengths(tokens: Tokens) -> Tokens:
    """How many tokens each sequence has before its first negative one."""
    return np.cumprod(tokens >= 0, axis=1).sum(axis=1)


DISTANCES: dict[str, Callable[..., Array]] = {"euclidean": euclidean, "hamming": hamming, "edit": edit}
