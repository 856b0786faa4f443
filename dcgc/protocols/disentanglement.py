"""Disentanglement: whether each part of a message speaks of one attribute of the meaning only.

Chaabouni, Kharitonov, Bouchacourt, Dupoux and Baroni 2020, "Compositionality and generalization in emergent languages", section 2.4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .information import mutual_information, word_entropy

Tokens = NDArray[np.int64]


def positional_disentanglement(attributes: ArrayLike, tokens: ArrayLike) -> float:
    """Between 0 and 1: the mean over positions j of (I(s_j; a_1) - I(s_j; a_2)) / H(s_j), where s_j is the token at j and a_1, a_2 are the
    attributes about which it says most and second most.

    ``attributes`` (n, A), A >= 2, of finitely many values; ``tokens`` (n, T), negative where a message has ended (which counts as one
    more token). Positions that never vary are left out; nan if none varies. Information as counted, without correction.
    """
    a, t = tables(attributes, tokens)
    return mean_gap(a, np.where(t < 0, -1, t))


def bag_of_symbols_disentanglement(attributes: ArrayLike, tokens: ArrayLike) -> float:
    """The same with the number of times that symbol v occurs in the message, for each symbol v of the vocabulary, in place of the token
    at a position: it does not matter where a symbol stands. Symbols that occur equally often in all messages are left out."""
    a, t = tables(attributes, tokens)
    symbols = np.unique(t[t >= 0])
    counted = [np.sum(t == v, axis=1) for v in symbols]
    return mean_gap(a, np.stack(counted, axis=1) if counted else np.zeros((len(t), 0), dtype=np.int64))


def mean_gap(attributes: NDArray[Any], parts: Tokens) -> float:
    """The mean over the parts (n, P) that vary of their information gap, as a share of their entropy."""
    gaps = []
    for part in parts.T:
        bits = word_entropy(part).value
        if bits > 0:
            told = sorted(mutual_information(attribute, part, corrected=False).value for attribute in attributes.T)
            gaps.append((told[-1] - told[-2]) / bits)
    return float(np.mean(gaps)) if gaps else math.nan


def tables(attributes: ArrayLike, tokens: ArrayLike) -> tuple[NDArray[Any], Tokens]:
    a, t = np.asarray(attributes), np.asarray(tokens)
    if a.ndim != 2 or a.shape[1] < 2:
        raise ValueError(f"disentanglement needs two attributes at least, as a table (n, A), not {a.shape}")
    if t.ndim != 2 or len(t) != len(a) or not len(t) or not np.issubdtype(t.dtype, np.integer):
        raise ValueError(f"tokens must be whole numbers in a table ({len(a)}, T), not {t.dtype} {t.shape}")
    return a, t.astype(np.int64)
