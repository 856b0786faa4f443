"""What a channel's carrier, noise and budget come to, in plain arithmetic: words, widths and capacities."""

from __future__ import annotations

import math
from itertools import islice, product

#: Words of a noiseless alphabet that are enumerated one by one; larger ones are sent position by position.
LARGEST_ALPHABET = 4096
#: Words of an alphabet on which noise acts (a matrix of words by words).
LARGEST_NOISY = 256

Word = tuple[int, ...]


def noise_for_budget(bits: float, dimensions: int, power: float) -> float:
    """The standard deviation at which ``dimensions`` uses of an additive Gaussian channel of this power hold ``bits``.

    (d/2) log2(1 + P / sd^2) = B (Shannon 1949): no sender gets more through, whatever the messages' law.
    """
    return math.sqrt(power / math.expm1(2 * bits * math.log(2) / dimensions))


def gaussian_capacity(dimensions: int, power: float, sd: float) -> float:
    """Capacity in bits of ``dimensions`` additive Gaussian uses with this power (inf without noise or without a limit)."""
    return math.inf if sd == 0 or math.isinf(power) else dimensions / 2 * math.log2(1 + power / sd**2)


def binary_entropy(p: float) -> float:
    """The entropy of a coin, in bits."""
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def token_capacity(noise: str, vocabulary: int, p: float) -> float:
    """Capacity in bits of one token that is erased with probability p, or (one of two) taken for the other."""
    return 1 - binary_entropy(p) if noise == "bsc" else (1 - p) * math.log2(vocabulary)


def words(length: int, vocabulary: int, stop: bool, count: int | None = None) -> list[Word]:
    """The first ``count`` (None: all) messages of ``length`` tokens 1..vocabulary. With STOP the shorter ones too, filled up with 0,
    and first: they cost least to say."""
    sizes = range(length + 1) if stop else (length,)
    every = (w + (0,) * (length - n) for n in sizes for w in product(range(1, vocabulary + 1), repeat=n))
    return list(islice(every, count))


def nominal_bits(length: int, vocabulary: int, stop: bool) -> float:
    """The logarithm of the number of words: what the carrier holds, in bits."""
    longest = length * math.log2(vocabulary)
    if not stop:
        return longest
    if vocabulary == 1:
        return math.log2(length + 1)
    return longest + math.log2((vocabulary - float(vocabulary) ** -length) / (vocabulary - 1))  # the sum of V^n over n <= L


def words_within(bits: float) -> int:
    """How many different messages a hard budget allows: at most 2^bits."""
    return max(1, math.floor(2.0 ** min(bits, 60) + 1e-9))


def far_apart(all_words: list[Word], count: int) -> list[Word]:
    """``count`` words, each as far (in tokens) from those before as can be: under noise the budget is spent on distinct ones."""
    chosen = [all_words[0]]
    distance = [sum(a != b for a, b in zip(w, chosen[0], strict=True)) for w in all_words]
    while len(chosen) < count:
        best = max(range(len(all_words)), key=lambda i: distance[i])
        chosen.append(all_words[best])
        distance = [min(d, sum(a != b for a, b in zip(w, all_words[best], strict=True))) for d, w in
                    zip(distance, all_words, strict=True)]
    return sorted(chosen)


def binary_symmetric(sent: list[Word], received: list[Word], p: float) -> tuple[tuple[float, ...], ...]:
    """P(received | sent) when each of the two-valued tokens is flipped with probability p; rows are what was sent."""
    def chance(a: Word, b: Word) -> float:
        flipped = sum(x != y for x, y in zip(a, b, strict=True))
        return p**flipped * (1 - p) ** (len(a) - flipped)

    return tuple(tuple(chance(a, b) for b in received) for a in sent)


def erasing(sent: list[Word], p: float) -> tuple[list[Word], tuple[tuple[float, ...], ...]]:
    """What arrives (0: erased) and P(received | sent) when each token is erased with probability p."""
    kept = sorted({tuple(x if k else 0 for x, k in zip(w, mask, strict=True))
                   for w in sent for mask in product((0, 1), repeat=len(w))})

    def chance(a: Word, b: Word) -> float:
        out = 1.0
        for x, y in zip(a, b, strict=True):
            if x == y:
                out *= 1.0 if x == 0 else 1 - p
            else:
                out *= p if y == 0 else 0.0
        return out

    return kept, tuple(tuple(chance(a, b) for b in kept) for a in sent)


def discrete_capacity(rows: tuple[tuple[float, ...], ...], rounds: int = 2000) -> float:
    """Capacity in bits of a discrete memoryless channel, from above: max over inputs of D(row || output) at the distribution that
    Blahut (1972) and Arimoto iterate to."""
    import numpy as np

    w = np.asarray(rows)
    q = np.full(len(w), 1 / len(w))
    logs = np.log2(np.where(w > 0, w, 1.0))
    divergence = np.zeros(len(w))
    for _ in range(rounds):
        out = q @ w
        divergence = np.sum(w * (logs - np.log2(np.where(out > 0, out, 1.0))), axis=1)
        if divergence.max() - q @ divergence < 1e-9:
            break
        q = q * np.exp2(divergence)
        q = q / q.sum()
    return float(divergence.max())


def one_hot_words(all_words: list[Word], vocabulary: int) -> tuple:
    """The tokens of every word, one-hot (a 0 token is all zeros): words x length x vocabulary."""
    return tuple(tuple(tuple(1.0 if x == v else 0.0 for v in range(1, vocabulary + 1)) for x in w) for w in all_words)
