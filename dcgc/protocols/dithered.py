"""Quantisation with a shared dither: the noise has the same law whatever is said, so training can see exactly what is played."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .allocation import allocate
from .quantiser import Array, Quantiser, Words, known_words, most_words, table, weights


@dataclass(frozen=True, eq=False)
class DitheredQuantiser(Quantiser):
    """Uniform cells that are shifted by a dither which both sides know, and shifted back when heard.

    Schuchman 1964, "Dither signals and their effect on quantization noise"; Ziv 1985, "On universal quantization". A message x between
    ``low`` and ``high`` (D,) is heard as

        centre + shrink (x - centre + widths u),

    u uniform on [-1/2, 1/2], independent of x and from one real to the next. So training may play that, with its exact gradient, and
    nothing changes when words are sent. ``shrink`` (D,) makes the mean squared error least (the post-filter of Zamir and Feder 1996);
    it is 0 for a real that is not told (``sizes`` 1). Beyond the range x is heard as if at its end, and the law no longer holds.
    L levels make cells of (high - low) / (L - 1): the dither needs room.
    """

    kind: ClassVar[str] = "dithered"

    low: Array
    high: Array
    centre: Array
    shrink: Array
    sizes: tuple[int, ...]
    seed: int

    @classmethod
    def fit(cls, samples: ArrayLike, bits: float, seed: int = 0, relevance: ArrayLike | None = None) -> Self:
        """See ``Quantiser.fit``. The range is that of the samples; ``seed`` is that of the dither, and the listener must know it."""
        x, budget = table(samples), most_words(bits)
        w = weights(relevance, x.shape)
        matter, mass = w.mean(axis=0), w.sum(axis=0)
        centre = np.where(mass > 0, np.sum(w * x, axis=0) / np.where(mass > 0, mass, 1.0), x.mean(axis=0))
        untold = np.mean(w * (x - centre) ** 2, axis=0)
        low, high = x.min(axis=0), x.max(axis=0)

        def kept(d: int, levels: int) -> float:
            noise = matter[d] * ((high[d] - low[d]) / (levels - 1)) ** 2 / 12 if levels > 1 else np.inf
            return float(untold[d] / (untold[d] + noise))

        # With the best factor, what is kept of a real's weighted variance is that factor.
        most = [budget if untold[d] > 0 else 1 for d in range(x.shape[1])]
        sizes = allocate(lambda d, levels: float(untold[d]) * (1 - kept(d, levels)), most, budget)
        return cls(low, high, centre, np.asarray([kept(d, levels) for d, levels in enumerate(sizes)]), sizes, seed)

    @property
    def count(self) -> int:
        return math.prod(self.sizes)

    @property
    def dimension(self) -> int:
        return len(self.sizes)

    @property
    def widths(self) -> Array:
        """The width (D,) of the noise, uniform on +- half of it; 0 where a real is not told."""
        gaps = np.maximum(np.asarray(self.sizes) - 1, 1)
        return np.where(np.asarray(self.sizes) > 1, (self.high - self.low) / gaps, 0.0)

    def encode(self, messages: ArrayLike, index: ArrayLike | None = None) -> Words:
        x = table(messages, self.dimension)
        told = self.widths > 0
        places = (x - self.low) / np.where(told, self.widths, 1.0) + self.dither(len(x), index)
        digits = np.clip(np.floor(places), 0, np.asarray(self.sizes) - 1).astype(np.int64)
        return np.ravel_multi_index(tuple(digits.T), self.sizes).astype(np.int64)

    def decode(self, words: ArrayLike, index: ArrayLike | None = None) -> Array:
        known = known_words(words, self.count)
        digits = np.stack(np.unravel_index(known, self.sizes), axis=1)
        heard = self.low + (digits + 0.5 - self.dither(len(known), index)) * self.widths
        return self.centre + self.shrink * (heard - self.centre)

    def dither(self, n: int, index: ArrayLike | None = None) -> Array:
        """The dither (n, D) of messages number ``index`` (default 0..n-1), uniform on [0, 1): a hash of seed, number and real."""
        numbers = np.arange(n) if index is None else np.asarray(index)
        if numbers.shape != (n,):
            raise ValueError(f"{n} messages need {n} numbers, not an array {numbers.shape}")
        return uniform(self.seed, numbers, self.dimension)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        reals = {"low": self.low, "high": self.high, "centre": self.centre, "shrink": self.shrink}
        return reals | {"sizes": np.asarray(self.sizes, dtype=np.int64), "seed": np.asarray([self.seed], dtype=np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        low, high, centre, shrink = (np.asarray(arrays[name], dtype=np.float64) for name in ("low", "high", "centre", "shrink"))
        return cls(low, high, centre, shrink, tuple(int(n) for n in arrays["sizes"]), int(arrays["seed"][0]))


GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(seed: int, index: ArrayLike, dimension: int) -> Array:
    """Numbers (n, D) in [0, 1) that depend only on the seed, on ``index`` (n,) and on the column."""
    with np.errstate(over="ignore"):
        rows = mixed(mixed(np.uint64(seed % 2**64) + GOLDEN) ^ np.asarray(index).astype(np.uint64))
        cells = mixed(rows[:, None] + GOLDEN * np.arange(1, dimension + 1, dtype=np.uint64))
    return (cells >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mixed(state: Any) -> Any:
    """The last steps of SplitMix64 (Steele, Lea and Flood 2014), on 64-bit integers."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
