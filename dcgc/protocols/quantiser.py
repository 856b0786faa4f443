"""What every quantiser is: a map from real messages to words 0..K-1, and back."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Words = NDArray[np.int64]

MOST_BITS = 62.0
LARGEST = 1e150


class Quantiser(abc.ABC):
    """A protocol of finitely many words for messages of D real numbers. Frozen once it is fitted.

    ``kind``: its name in ``QUANTISERS`` and in files.
    """

    kind: ClassVar[str]

    @classmethod
    @abc.abstractmethod
    def fit(cls, samples: ArrayLike, bits: float, seed: int = 0, relevance: ArrayLike | None = None) -> Self:
        """The quantiser for messages that look like ``samples`` (n, D), with at most floor(2^bits) words.

        ``relevance``: how much a squared error costs whoever listens, (D,) or for each sample (n, D), for instance the mean squared
        gradient of the cost in the message; None: the same everywhere. ValueError for samples that are none, not finite or not a
        table, for a negative or infinite number of bits, and for a relevance that is negative or does not fit the samples.
        """

    @abc.abstractmethod
    def encode(self, messages: ArrayLike, index: ArrayLike | None = None) -> Words:
        """The words (n,) of ``messages`` (n, D). ``index`` (n,): the numbers of the messages (default 0..n-1), which matter only to a
        code that is drawn afresh for each of them."""

    @abc.abstractmethod
    def decode(self, words: ArrayLike, index: ArrayLike | None = None) -> Array:
        """What the words (n,) are heard as (n, D). ``index`` as in ``encode``. ValueError for a word that does not exist."""

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """The number of words K."""

    @property
    @abc.abstractmethod
    def dimension(self) -> int:
        """The number of reals D in a message."""

    @abc.abstractmethod
    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that there is to keep, as contiguous arrays by name."""

    @classmethod
    @abc.abstractmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of ``to_arrays``."""

    @property
    def bits(self) -> float:
        """log2 K: what a word costs where all words have the same length."""
        return math.log2(self.count)

    def distortion(self, samples: ArrayLike, relevance: ArrayLike | None = None) -> float:
        """The mean over the samples (n, D) of the squared error, weighted by ``relevance`` and summed over the D reals."""
        x = table(samples, self.dimension)
        errors = (x - self.decode(self.encode(x))) ** 2
        return float(np.mean(np.sum(weights(relevance, x.shape) * errors, axis=1)))


def table(samples: ArrayLike, dimension: int | None = None) -> Array:
    """Messages as an array (n, D). ValueError if they are none, or if one has another number of reals or holds one that is not finite
    (or so large that its square is not)."""
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 2 or dimension is not None and x.shape[1] != dimension:
        raise ValueError(f"messages must come as a table (n, {dimension or 'D'}), not {x.shape}")
    if dimension is None and not x.size:
        raise ValueError("a quantiser cannot be fitted to no messages")
    if not np.all(np.abs(x) < LARGEST):
        raise ValueError("a message holds a number that is not finite, or whose square is not")
    return x


def most_words(bits: float) -> int:
    """floor(2^bits), where log2 K bits give K words however they were rounded. ValueError unless 0 <= bits <= 62."""
    if not 0 <= bits <= MOST_BITS:
        raise ValueError(f"a word of {bits} bits cannot be made: there must be between 0 and {MOST_BITS:.0f}")
    return 2 ** int(bits) if bits == int(bits) else math.floor(2**bits * (1 + 1e-12))


def weights(relevance: ArrayLike | None, shape: tuple[int, ...]) -> Array:
    """The relevance of each real of each sample (n, D). ValueError if it is negative, not finite or of a wrong shape."""
    if relevance is None:
        return np.ones(shape)
    w = np.asarray(relevance, dtype=np.float64)
    if w.shape not in ((shape[1],), shape):
        raise ValueError(f"relevance must have the shape ({shape[1]},) or {shape}, not {w.shape}")
    if not np.all(np.isfinite(w)) or np.any(w < 0):
        raise ValueError("relevance must be finite and not negative")
    return np.broadcast_to(w, shape)


def known_words(words: ArrayLike, count: int) -> Words:
    """Words (n,) as integers. ValueError if one of them is not among 0..count-1."""
    found = np.asarray(words)
    if found.ndim != 1 or found.size and not np.issubdtype(found.dtype, np.integer):
        raise ValueError("words must come as a list of integers")
    if found.size and not (0 <= found.min() and found.max() < count):
        raise ValueError(f"there are {count} words, counted from 0; {int(found.min())}..{int(found.max())} are not all among them")
    return found.astype(np.int64)
