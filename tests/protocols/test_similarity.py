"""Topographic similarity and disentanglement: extreme languages, and the definitions by brute force."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from dcgc.protocols import bag_of_symbols_disentanglement, positional_disentanglement, topographic_similarity
from dcgc.protocols.similarity import edit, some_pairs

# All meanings of three attributes with four values each.
MEANINGS = np.asarray(list(itertools.product(range(4), repeat=3)))


def levenshtein(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(levenshtein(a[1:], b) + 1, levenshtein(a, b[1:]) + 1, levenshtein(a[1:], b[1:]) + (a[0] != b[0]))


tokens = st.lists(st.integers(0, 2), max_size=4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(tokens, tokens), min_size=1, max_size=8))
def test_edit_distances(pairs):
    first, second = (np.asarray([p[i] + [-1] * (4 - len(p[i])) for p in pairs]) for i in range(2))
    assert edit(first, second).tolist() == [levenshtein(*p) for p in pairs]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(2, 60), st.integers(1, 400), st.integers(0, 99))
def test_pairs_are_different_pairs(n, most, seed):
    i, j = some_pairs(n, most, np.random.default_rng(seed))
    assert len(i) == min(most, n * (n - 1) // 2) == len(set(zip(i.tolist(), j.tolist(), strict=True)))
    assert np.all((0 <= i) & (i < j) & (j < n))


def test_topographic_similarity_of_extreme_languages():
    rng = np.random.default_rng(0)
    assert topographic_similarity(MEANINGS, MEANINGS, "hamming", "edit") > 0.85
    assert topographic_similarity(MEANINGS, MEANINGS, "hamming", "hamming") == 1
    x = rng.normal(size=(300, 2))
    assert topographic_similarity(x, 3 * x @ [[0, 1], [-1, 0]] + 5) == pytest.approx(1)
    assert abs(topographic_similarity(x, rng.normal(size=(300, 2)))) < 0.05
    assert math.isnan(topographic_similarity(x, np.zeros(300)))


def test_topographic_similarity_by_scipy_and_by_a_subsample():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(250, 3))
    y = np.round(x[:, :2] + 0.3 * rng.normal(size=(250, 2)))
    i, j = np.triu_indices(250, 1)
    expected = spearmanr(np.linalg.norm(x[i] - x[j], axis=1), np.linalg.norm(y[i] - y[j], axis=1)).statistic
    assert topographic_similarity(x, y, pairs=10**6) == pytest.approx(expected, abs=1e-12)
    assert topographic_similarity(x, y, pairs=5000, seed=3) == pytest.approx(expected, abs=0.05)
    with pytest.raises(ValueError, match="euclidean, hamming, edit"):
        topographic_similarity(x, y, "cosine")
    with pytest.raises(ValueError, match="three samples"):
        topographic_similarity(x[:2], y[:2])


def test_a_compositional_language_is_disentangled():
    """Each attribute by its own symbols, at its own position."""
    spoken = MEANINGS + 4 * np.arange(3)
    assert positional_disentanglement(MEANINGS, spoken) == pytest.approx(1)
    assert positional_disentanglement(MEANINGS, MEANINGS[:, [2, 0, 1]]) == pytest.approx(1)
    assert bag_of_symbols_disentanglement(MEANINGS, spoken) == pytest.approx(1)


def test_free_word_order_is_disentangled_by_symbols_only():
    rng = np.random.default_rng(2)
    spoken = rng.permuted(MEANINGS + 4 * np.arange(3), axis=1)
    assert bag_of_symbols_disentanglement(MEANINGS, spoken) == pytest.approx(1)
    assert positional_disentanglement(MEANINGS, spoken) < 0.2
    # the same symbols for all attributes: the position tells them apart
    assert positional_disentanglement(MEANINGS, MEANINGS) == pytest.approx(1)
    assert bag_of_symbols_disentanglement(MEANINGS, MEANINGS) < 0.2


def test_entangled_and_empty_languages():
    bits = np.asarray(list(itertools.product(range(2), repeat=2)))
    assert positional_disentanglement(bits, (bits[:, :1] ^ bits[:, 1:])) == pytest.approx(0)
    # both attributes in one token: 1 bit of each, no gap
    assert positional_disentanglement(bits, 2 * bits[:, :1] + bits[:, 1:]) == pytest.approx(0)
    # a position that never varies does not count
    assert positional_disentanglement(bits, np.c_[bits[:, 0], np.zeros(4, dtype=int)]) == pytest.approx(1)
    assert math.isnan(positional_disentanglement(bits, np.zeros((4, 2), dtype=int)))
    assert math.isnan(bag_of_symbols_disentanglement(bits, np.full((4, 2), -1)))
    with pytest.raises(ValueError, match="two attributes"):
        positional_disentanglement(bits[:, :1], bits)
    with pytest.raises(ValueError, match="whole numbers"):
        positional_disentanglement(bits, bits + 0.5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(2, 3), st.integers(1, 3))
def test_disentanglement_by_its_definition(seed, attributes, length):
    rng = np.random.default_rng(seed)
    a, s = rng.integers(0, 3, (30, attributes)), rng.integers(0, 3, (30, length))

    def bits(*columns):
        return -sum(c / 30 * math.log2(c / 30) for c in Counter(zip(*(c.tolist() for c in columns), strict=True)).values())

    def share(part):
        told = sorted((bits(x) + bits(part) - bits(x, part) for x in a.T), reverse=True)
        return (told[0] - told[1]) / bits(part)

    positions = [share(part) for part in s.T if bits(part) > 0]
    symbols = [share(part) for part in ((s == v).sum(axis=1) for v in np.unique(s)) if bits(part) > 0]
    assert positional_disentanglement(a, s) == pytest.approx(np.mean(positions), abs=1e-9)
    assert bag_of_symbols_disentanglement(a, s) == pytest.approx(np.mean(symbols), abs=1e-9)
