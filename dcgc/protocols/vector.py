"""Vector quantisation: a codebook of K typical messages, and each message is heard as the nearest of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from .quantiser import Array, Quantiser, Words, known_words, most_words, table, weights

MOST_CODES = 2**16
MOST_SWEEPS = 100
ENOUGH = 1e-6


@dataclass(frozen=True, eq=False)
class VectorQuantiser(Quantiser):
    """Lloyd 1982 and Linde, Buzo and Gray 1980. ``codes`` (K, D), in increasing order of the real that varies most; ``relevance`` (D,):
    the metric that says which is the nearest."""

    kind: ClassVar[str] = "vector"

    codes: Array
    relevance: Array

    @classmethod
    def fit(cls, samples: ArrayLike, bits: float, seed: int = 0, relevance: ArrayLike | None = None) -> Self:
        """See ``Quantiser.fit``. A relevance (n, D) counts as its best product of one number for each sample and one for each real:
        the encoder of a new message knows the metric, but not how much that message matters. There are fewer than floor(2^bits)
        words where the samples hold fewer messages; ValueError above 2^16 words, for which a codebook is the wrong tool."""
        x, budget = table(samples), most_words(bits)
        if min(budget, len(x)) > MOST_CODES:
            raise ValueError(f"a codebook of 2^{bits:g} messages is too large (at most {MOST_CODES})")
        w = weights(relevance, x.shape)
        metric = w.mean(axis=0)
        matters = metric > 0
        share = np.mean(w[:, matters] / metric[matters], axis=1) if np.any(matters) else np.ones(len(x))
        points = x * np.sqrt(metric)
        start = plus_plus(points, share, budget, np.random.default_rng(seed))
        words = lloyd(points, share, start)[1]
        codes = means(x, share, words, int(words.max()) + 1)
        spread = np.argmax(np.var(codes * np.sqrt(metric), axis=0))
        return cls(codes[np.argsort(codes[:, spread], kind="stable")], metric)

    @property
    def count(self) -> int:
        return len(self.codes)

    @property
    def dimension(self) -> int:
        return self.codes.shape[1]

    def encode(self, messages: ArrayLike, index: ArrayLike | None = None) -> Words:
        scale = np.sqrt(self.relevance)
        return nearest(table(messages, self.dimension) * scale, self.codes * scale)

    def decode(self, words: ArrayLike, index: ArrayLike | None = None) -> Array:
        return self.codes[known_words(words, self.count)]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"codes": np.ascontiguousarray(self.codes), "relevance": self.relevance}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(np.asarray(arrays["codes"], dtype=np.float64), np.asarray(arrays["relevance"], dtype=np.float64))


def nearest(points: Array, codes: Array) -> Words:
    """The number (n,) of the code nearest to each point (n, D)."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    return cKDTree(codes).query(points)[1].astype(np.int64)


def squared(points: Array, codes: Array) -> Array:
    """Squared distances (n,), row by row."""
    return np.sum((points - codes) ** 2, axis=1)


def means(points: Array, share: Array, words: Words, count: int) -> Array:
    """The weighted means (count, D) of the cells; where a cell has no weight its plain mean, where it has no point 0."""
    mass = np.bincount(words, share, minlength=count)
    weight = np.where(mass[words] > 0, share, 1.0)
    mass = np.bincount(words, weight, minlength=count)
    sums = np.stack([np.bincount(words, weight * column, minlength=count) for column in points.T], axis=1)
    return sums / np.where(mass > 0, mass, 1.0)[:, None]


def plus_plus(points: Array, share: Array, count: int, rng: np.random.Generator) -> Array:
    """k-means++ (Arthur and Vassilvitskii 2007): each code is a point drawn with probability in proportion to its weighted squared
    distance from those drawn before. Fewer codes than ``count`` where no point is left that is away from all of them."""
    chosen = [draw(share if np.any(share > 0) else np.ones(len(points)), rng)]
    distances = squared(points, points[chosen[0]])
    while len(chosen) < count and np.any(share * distances > 0):
        chosen.append(draw(share * distances, rng))
        distances = np.minimum(distances, squared(points, points[chosen[-1]]))
    return points[chosen]


def draw(mass: Array, rng: np.random.Generator) -> int:
    """A position, drawn in proportion to its mass."""
    running = np.cumsum(mass)
    place = int(np.searchsorted(running, rng.uniform() * running[-1], side="right"))
    return min(place, int(np.flatnonzero(mass)[-1]))


def lloyd(points: Array, share: Array, start: Array) -> tuple[Array, Words]:
    """Codes (K', D) that are the means of their cells, and the cell of each point; K' is smaller than the start's K only where K codes
    have nothing to tell apart."""
    codes, least = start, np.inf
    for _ in range(MOST_SWEEPS):
        words = nearest(points, codes)
        codes = np.where(np.bincount(words, minlength=len(codes))[:, None] > 0, means(points, share, words, len(codes)), codes)
        revived = revive(points, share, words, codes)
        cost = float(np.sum(share * squared(points, codes[words])))
        if not revived and cost >= least * (1 - ENOUGH):
            break
        least = cost
    alive, words = np.unique(nearest(points, codes), return_inverse=True)
    return means(points, share, words, len(alive)), words


def revive(points: Array, share: Array, words: Words, codes: Array) -> int:
    """Each dead code takes half of the cell that costs most: its points above the mean of the real that varies most (``words`` and
    ``codes`` change in place). How many were revived."""
    dead = np.flatnonzero(np.bincount(words, minlength=len(codes)) == 0)
    for done, code in enumerate(dead):
        costs = np.bincount(words, share * squared(points, codes[words]), minlength=len(codes))
        worst = int(np.argmax(costs))
        cell = np.flatnonzero(words == worst)
        inside = points[cell]
        axis = int(np.argmax(share[cell] @ (inside - codes[worst]) ** 2))
        upper = inside[:, axis] > codes[worst, axis]
        if costs[worst] <= 0 or np.all(upper) or not np.any(upper):
            return done
        words[cell[upper]] = code
        both = means(inside, share[cell], upper.astype(np.int64), 2)
        codes[worst], codes[code] = both[0], both[1]
    return len(dead)
