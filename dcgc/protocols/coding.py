"""Entropy coding: words as bytes, as many as their frequencies make necessary.

Range asymmetric numeral systems (Duda 2013, arXiv 1311.2540): the message is one large number, from which the decoder reads the last
word first; so the encoder takes the words from the back. The state starts at 0 and not at the least normal number, which saves the 4
bytes that other coders spend on it: a state below that number means that nothing was written out yet, or nothing is left to be read.
"""

from __future__ import annotations

import itertools
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .quantiser import Words, known_words

MOST_TOTAL = 2**24
PIECE = 16


@dataclass(frozen=True)
class FrequencyModel:
    """How often each word 0..K-1 is expected: ``frequencies``, whole numbers with sum ``total`` between 1 and 2^24."""

    frequencies: tuple[int, ...]

    @classmethod
    def from_counts(cls, counts: ArrayLike) -> Self:
        """The model with these counts or probabilities (K,): whole numbers with a sum up to 2^24 as they are, others scaled to that sum
        and rounded, none that is positive to 0. ValueError for counts that are negative, not finite or all 0, and for more than 2^23."""
        c = np.asarray(counts)
        if c.ndim != 1 or not c.size or not np.all(np.isfinite(c)) or np.any(c < 0) or not np.any(c > 0) or c.size > MOST_TOTAL // 2:
            raise ValueError("the counts must be a list of numbers that are finite, not negative and not all 0")
        if np.issubdtype(c.dtype, np.integer) and int(c.sum()) <= MOST_TOTAL:
            return cls(tuple(c.tolist()))
        return cls(tuple(shared_out(c / c.sum(dtype=np.float64), MOST_TOTAL).tolist()))

    @property
    def total(self) -> int:
        return sum(self.frequencies)

    def to_bytes(self) -> bytes:
        """The frequencies as numbers of 7 bits a byte, runs of zeros counted, deflated."""
        out = bytearray()
        for zero, run in itertools.groupby(self.frequencies, key=lambda f: f == 0):
            values = list(run)
            for number in (0, len(values)) if zero else values:
                out += varint(number)
        return zlib.compress(bytes(out), 9, wbits=-15)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The inverse of ``to_bytes``. ValueError for bytes that are no model."""
        try:
            numbers = iter(varints(zlib.decompress(data, wbits=-15)))
            found = [part for n in numbers for part in ([n] if n else [0] * next(numbers))]
        except (zlib.error, StopIteration, OverflowError, MemoryError) as error:
            raise ValueError("these bytes are no model of frequencies") from error
        if not 1 <= sum(found) <= MOST_TOTAL:
            raise ValueError("these bytes are no model of frequencies: their sum must be between 1 and 2^24")
        return cls(tuple(found))

    def cumulative(self) -> list[int]:
        """Where each word's share of 0..total-1 begins (K,), and the total (K + 1,)."""
        return [0, *itertools.accumulate(self.frequencies)]


def encode(words: ArrayLike, counts: ArrayLike | FrequencyModel) -> bytes:
    """The words (n,) in about n H bits, H the cross entropy (bits) of their frequencies and the model: at most 4 bytes more, and 1 part
    in 10^4. The model, and n, must reach the decoder apart. ValueError for a word that the model rules out (count 0)."""
    model = modelled(counts)
    known = known_words(words, len(model.frequencies))
    frequencies, begins, total = model.frequencies, model.cumulative(), model.total
    if known.size and not all(frequencies[w] for w in np.unique(known).tolist()):
        raise ValueError("a word that the model expects never cannot be coded; count every word once more than it was seen")
    limits = [f << (2 * PIECE) for f in frequencies]
    state, pieces = 0, []
    for word in known[::-1].tolist():
        while state >= limits[word]:
            pieces.append(state & 0xFFFF)
            state >>= PIECE
        quotient, rest = divmod(state, frequencies[word])
        state = quotient * total + begins[word] + rest
    while state:
        pieces.append(state & 0xFFFF)
        state >>= PIECE
    # The last piece is not 0; half of it may be.
    return np.asarray(pieces[::-1], dtype=">u2").tobytes().removeprefix(b"\0")


def decode(data: bytes, counts: ArrayLike | FrequencyModel, n: int) -> Words:
    """The n words (n,) that ``encode`` wrote with the same model. ValueError for bytes that it cannot have written, as far as that shows:
    there is no checksum."""
    model = modelled(counts)
    frequencies, begins, total = model.frequencies, model.cumulative(), model.total
    pieces = np.frombuffer(b"\0" * (len(data) % 2) + data, dtype=">u2")[::-1].tolist()
    normal, state, words = total << PIECE, 0, []
    for _ in range(n):
        while state < normal and pieces:
            state = state << PIECE | pieces.pop()
        quotient, slot = divmod(state, total)
        word = bisect_right(begins, slot) - 1
        words.append(word)
        state = frequencies[word] * quotient + slot - begins[word]
    if state or pieces:
        raise ValueError("these bytes are no coded words of this number and model")
    return np.asarray(words, dtype=np.int64)


def modelled(counts: ArrayLike | FrequencyModel) -> FrequencyModel:
    return counts if isinstance(counts, FrequencyModel) else FrequencyModel.from_counts(counts)


def shared_out(shares: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to the shares, with this sum, at least 1 where a share is positive."""
    least = (shares > 0).astype(np.int64)
    out = np.maximum(np.floor(shares * total).astype(np.int64), least)
    # What rounding left over, or what the ones took too much, goes to or comes from the commonest words, who notice it least.
    for word in np.argsort(-out, kind="stable"):
        change = total - int(out.sum())
        if change == 0:
            break
        out[word] = max(int(out[word]) + change, int(least[word]))
    return out


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def varints(data: bytes) -> list[int]:
    out, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            out.append(number)
            number, shift = 0, 0
    return out
