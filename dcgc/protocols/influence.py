"""Causal influence: how much a listener's action depends on a word that was put into the channel by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .information import Estimate, entropy, equal_mass_bins

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Influence:
    """Bits that an intervened word, uniform over ``words`` words, says about the action. ``in_situation``: to who knows all that the
    listener knows, I(word; action | situation), with its standard error over situations; ``alone``: to who sees only the action,
    I(word; action). The first is at least the second."""

    in_situation: Estimate
    alone: float
    words: int


def causal_influence(
    act: Callable[[NDArray[np.int64]], ArrayLike], n: int, count: int, most: int = 64, bins: int = 16, seed: int = 0
) -> Influence:
    """The causal influence of words 0..count-1 on a listener in n situations.

    Lowe, Foerster, Boureau, Pineau and Dauphin 2019, "On the pitfalls of measuring emergent communication" (CIC), with the uniform words
    of Jaques et al. 2019. ``act``: from the words (n,) heard in the n situations, held fixed, to the actions: integers (n,), reals (n,)
    (told apart by ``bins`` cells of equal mass) or distributions (n, A). Each word is put into every situation, so nothing is sampled;
    of more than ``most`` words so many are drawn, and no more than log2 ``most`` bits can then be seen. ValueError for actions of another
    shape, or distributions that do not sum to 1.
    """
    rng = np.random.default_rng(seed)
    tried = np.arange(count) if count <= most else np.sort(rng.choice(count, most, replace=False))
    laws = distributions(np.stack([np.asarray(act(np.full(n, word, dtype=np.int64))) for word in tried]), n, bins)
    mixture, noise, by_word = np.zeros(()), np.zeros(()), []
    for law in laws:
        mixture, noise = mixture + law / len(tried), noise + entropies(law) / len(tried)
        by_word.append(law.mean(axis=0))
    told = entropies(mixture) - noise
    error = float(np.std(told, ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    alone = entropy(np.mean(by_word, axis=0)) - float(np.mean(entropies(np.asarray(by_word))))
    return Influence(Estimate(max(0.0, float(np.mean(told))), error), max(0.0, alone), len(tried))


def distributions(answers: NDArray[Any], n: int, bins: int) -> Iterator[Array]:
    """The law (n, A) of the action after each word, from actions (K, n) or distributions (K, n, A)."""
    if answers.ndim == 3 and answers.shape[1] == n:
        if np.any(answers < 0) or not np.allclose(answers.sum(axis=2), 1, atol=1e-5):
            raise ValueError("an action's distribution must not be negative and must sum to 1")
        yield from answers.astype(np.float64)
        return
    if answers.shape[1:] != (n,):
        raise ValueError(f"{n} situations need an action or a distribution for each, not an array {answers.shape[1:]}")
    flat = answers.ravel()
    cells = equal_mass_bins(flat, bins) if flat.dtype.kind == "f" else np.unique(flat, return_inverse=True)[1]
    yield from ((row[:, None] == np.arange(cells.max() + 1)).astype(np.float64) for row in cells.reshape(answers.shape))


def entropies(laws: Array) -> Array:
    """The entropy (bits) along the last axis."""
    return -np.sum(laws * np.log2(np.where(laws > 0, laws, 1.0)), axis=-1)
