"""Finite scalar quantisation: each real of a message is rounded to its own few levels, and the digits together are the word."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .allocation import allocate
from .quantiser import Array, Quantiser, Words, known_words, most_words, table, weights

MOST_SWEEPS = 300
ENOUGH = 1e-7


@dataclass(frozen=True, eq=False)
class ScalarQuantiser(Quantiser):
    """Mentzer, Minnen, Agustsson and Tschannen 2023, "Finite scalar quantization". Word = mixed-radix number of the D digits, the
    first digit the highest. ``levels``: for each real its levels, increasing; a real with one level is not told."""

    kind: ClassVar[str] = "scalar"

    levels: tuple[Array, ...]

    @classmethod
    def fit(
        cls, samples: ArrayLike, bits: float, seed: int = 0, relevance: ArrayLike | None = None, placement: str = "least_squares"
    ) -> Self:
        """See ``Quantiser.fit``. Nothing is drawn at random: the seed has no influence.

        ``placement``: where the levels lie, "range" (equally spaced between the least and the greatest sample), "quantiles" (the means
        of cells of equal mass) or "least_squares" (Lloyd's and Max's, from Panter and Dite's density of levels). How many levels a
        real gets is what lowers the weighted mean squared error most (``allocate``). ValueError for another placement too.
        """
        if placement not in PLACEMENTS:
            raise ValueError(f"levels can be placed by {', '.join(PLACEMENTS)}, not by {placement!r}")
        x, budget = table(samples), most_words(bits)
        w = weights(relevance, x.shape)
        lines = [Line.of(x[:, d], w[:, d]) for d in range(x.shape[1])]
        placed: dict[tuple[int, int], Array] = {}

        def distortion(d: int, count: int) -> float:
            placed[d, count] = lines[d].mean_level() if count == 1 else PLACEMENTS[placement](lines[d], count)
            return lines[d].distortion(placed[d, count])

        chosen = allocate(distortion, [line.distinct for line in lines], budget)
        return cls(tuple(placed[d, count] for d, count in enumerate(chosen)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many levels each real has."""
        return tuple(len(level) for level in self.levels)

    @property
    def count(self) -> int:
        return math.prod(self.sizes)

    @property
    def dimension(self) -> int:
        return len(self.levels)

    def encode(self, messages: ArrayLike, index: ArrayLike | None = None) -> Words:
        x = table(messages, self.dimension)
        digits = [np.searchsorted((level[1:] + level[:-1]) / 2, x[:, d], side="right") for d, level in enumerate(self.levels)]
        return np.ravel_multi_index(digits, self.sizes).astype(np.int64)

    def decode(self, words: ArrayLike, index: ArrayLike | None = None) -> Array:
        digits = self.digits(words)
        return np.stack([level[digits[:, d]] for d, level in enumerate(self.levels)], axis=1)

    def digits(self, words: ArrayLike) -> Words:
        """The level (n, D) of each real in the words (n,), counted from 0."""
        return np.stack(np.unravel_index(known_words(words, self.count), self.sizes), axis=1).astype(np.int64)

    def symbols(self, words: ArrayLike) -> Words:
        """The words (n,) as sentences of D symbols (n, D), those of different reals being different."""
        return self.digits(words) + np.cumsum([0, *self.sizes[:-1]])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"levels": np.concatenate(self.levels), "sizes": np.asarray(self.sizes, dtype=np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        ends = np.cumsum(np.asarray(arrays["sizes"], dtype=np.int64))
        return cls(tuple(np.split(np.asarray(arrays["levels"], dtype=np.float64), ends[:-1])))


@dataclass(frozen=True, eq=False)
class Line:
    """The samples of one real, sorted, with running sums of weight, weighted value and weighted square (n + 1,), by which a sweep
    over L levels costs L searches. Values are counted from their mean, so that the sums keep their digits."""

    values: Array
    centre: float
    zeroth: Array
    first: Array
    second: Array
    distinct: int

    @classmethod
    def of(cls, values: Array, weight: Array) -> Line:
        order = np.argsort(values, kind="stable")
        # Where nothing matters, every sample matters as much; the distortion is then not comparable, but the levels are sensible.
        weight = weight[order] if np.any(weight > 0) else np.full(len(values), 1e-300)
        centre = float(np.mean(values))
        x = values[order] - centre
        sums = [np.concatenate([[0.0], np.cumsum(weight * x**k)]) for k in range(3)]
        return cls(x, centre, sums[0], sums[1], sums[2], 1 + int(np.count_nonzero(np.diff(x))))

    def cells(self, levels: Array) -> NDArray[np.int64]:
        """Where the cells of these levels begin and end among the samples (L + 1,)."""
        cuts = np.searchsorted(self.values, (levels[1:] + levels[:-1]) / 2, side="left")
        return np.concatenate([[0], cuts, [len(self.values)]])

    def means(self, edges: NDArray[np.int64], otherwise: Array) -> Array:
        """The weighted means of the cells; ``otherwise`` where a cell has no weight."""
        mass, sums = np.diff(self.zeroth[edges]), np.diff(self.first[edges])
        full = mass > 1e-14 * self.zeroth[-1]
        return np.where(full, sums / np.where(full, mass, 1.0), otherwise)

    def distortion(self, levels: Array) -> float:
        """The mean weighted squared error of these levels (given as they are, not from the mean)."""
        level = levels - self.centre
        edges = self.cells(level)
        zeroth, first, second = (np.diff(sums[edges]) for sums in (self.zeroth, self.first, self.second))
        return max(0.0, float(np.sum(second - 2 * level * first + level**2 * zeroth))) / len(self.values)

    def mean_level(self) -> Array:
        return self.centre + self.means(np.asarray([0, len(self.values)]), np.zeros(1))

    def quantiles(self, shares: Array) -> Array:
        """The values below which these shares of the weight lie."""
        return np.interp(shares * self.zeroth[-1], (self.zeroth[1:] + self.zeroth[:-1]) / 2, self.values)

    def distinct_values(self) -> Array:
        return self.values[np.concatenate([[True], np.diff(self.values) > 0])]


def over_the_range(line: Line, count: int) -> Array:
    low, high = line.values[0], line.values[-1]
    return line.centre + distinct(low + (high - low) * (np.arange(count) + 0.5) / count)


def by_quantiles(line: Line, count: int) -> Array:
    edges = np.searchsorted(line.zeroth, np.linspace(0, line.zeroth[-1], count + 1), side="left")
    middles = line.values[np.minimum((edges[1:] + edges[:-1]) // 2, len(line.values) - 1)]
    return line.centre + distinct(np.sort(line.means(edges, middles)))


def by_least_squares(line: Line, count: int) -> Array:
    """Lloyd 1982 and Max 1960: levels are the means of their cells, cells reach half way to the next level. The start has density
    p^(1/3), which is the best for many levels (Panter and Dite 1951)."""
    if count >= line.distinct:
        return line.centre + line.distinct_values()
    knots = line.quantiles(np.linspace(0, 1, min(len(line.values), 4 * count + 64)))
    mass = np.concatenate([[0.0], np.cumsum(np.diff(knots) ** (2 / 3))])
    level = np.interp((np.arange(count) + 0.5) / count * mass[-1], mass, knots)
    least = np.inf
    for _ in range(MOST_SWEEPS if count <= 256 else 20):
        level = np.sort(line.means(line.cells(level), level))
        cost = line.distortion(level + line.centre)
        if cost >= least * (1 - ENOUGH):
            break
        least = cost
    filled = np.diff(line.zeroth[line.cells(level)]) > 0
    return line.centre + distinct(level[filled])


def distinct(levels: Array) -> Array:
    """Increasing levels without those that others repeat, or nearly: two levels must be told apart by what lies half way."""
    gap = 1e-12 * max(1e-300, float(np.max(np.abs(levels))))
    return levels[np.concatenate([[True], np.diff(levels) > gap])]


PLACEMENTS: dict[str, Callable[[Line, int], Array]] = {
    "range": over_the_range,
    "quantiles": by_quantiles,
    "least_squares": by_least_squares,
}
