"""Entropy coding: exact round trips, and hardly more bytes than the entropy says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.protocols import entropy
from dcgc.protocols.coding import MOST_TOTAL, FrequencyModel, decode, encode


def check(words, counts):
    """The bytes of a message, after all that must hold of them."""
    data = encode(words, counts)
    assert np.array_equal(decode(data, counts, len(words)), words)
    model = FrequencyModel.from_counts(counts)
    back = FrequencyModel.from_bytes(model.to_bytes())
    assert back == model and encode(words, back) == data
    return data


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 40), max_size=80), st.integers(0, 10**6))
def test_round_trips_with_any_model(words, seed):
    rng = np.random.default_rng(seed)
    counts = np.floor(rng.pareto(0.5, 41)).astype(int) + 1
    check(words, counts)
    check(words, counts / counts.sum())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 4096), st.integers(1, 3000), st.floats(0, 4), st.integers(0, 10**6))
def test_the_bytes_of_the_entropy(count, n, skew, seed):
    """At most 4 bytes more than n H, H the entropy of the words themselves, from uniform to very skewed."""
    rng = np.random.default_rng(seed)
    law = (1.0 + np.arange(count)) ** -skew
    words = rng.choice(count, n, p=law / law.sum())
    counts = np.bincount(words, minlength=count)
    data = check(words, counts)
    assert 8 * len(data) <= n * entropy(counts) * 1.0001 + 32


@pytest.mark.parametrize("name", ["one word", "uniform", "very skewed", "one rare word of many", "4096 words"])
def test_long_messages(name):
    rng, n = np.random.default_rng(0), 100_000
    words = {
        "one word": np.full(n, 2),
        "uniform": rng.integers(0, 8, n),
        "very skewed": rng.choice(2, n, p=[0.9999, 0.0001]),
        "one rare word of many": np.concatenate([np.arange(100), np.zeros(n - 100, dtype=int)]),
        "4096 words": rng.choice(4096, n, p=np.diff(np.sort(np.concatenate([[0, 1], rng.uniform(size=4095)])))),
    }[name]
    counts = np.bincount(words, minlength=10)
    began = time.process_time()
    data = check(words, counts)
    assert time.process_time() - began < 2
    bits = n * entropy(counts)
    assert 8 * len(data) <= bits * 1.0001 + 32
    if name == "one word":
        assert data == b""
    model = len(FrequencyModel.from_counts(counts).to_bytes())
    assert model <= 2 * np.count_nonzero(counts) + 8


def test_counts_that_do_not_fit_are_scaled():
    counts = np.asarray([10**12, 10**6, 1, 0, 5])
    model = FrequencyModel.from_counts(counts)
    assert model.total == MOST_TOTAL and model.frequencies[3] == 0 and min(f for f in model.frequencies if f) == 1
    check(np.asarray([0, 0, 1, 2, 4] * 50), counts)
    many = FrequencyModel.from_counts(np.r_[1.0, np.full(5000, 1e-9)])
    assert many.total == MOST_TOTAL and set(many.frequencies[1:]) == {1}
    assert FrequencyModel.from_counts([3, 0, 5]).frequencies == (3, 0, 5)


def test_a_wrong_model_costs_its_cross_entropy():
    rng = np.random.default_rng(1)
    words = rng.choice(4, 20000, p=[0.7, 0.1, 0.1, 0.1])
    used = np.bincount(words) / 20000
    expected = 20000 * -np.sum(used * np.log2([0.25, 0.25, 0.25, 0.25]))
    assert 8 * len(encode(words, [1, 1, 1, 1])) == pytest.approx(expected, abs=32)


def test_mistakes_are_named():
    for counts in ([], [0, 0], [-1, 2], [np.nan, 1.0], [[1, 2]]):
        with pytest.raises(ValueError, match="counts"):
            FrequencyModel.from_counts(counts)
    with pytest.raises(ValueError, match="never"):
        encode([0, 1], [5, 0])
    with pytest.raises(ValueError, match="2 words"):
        encode([0, 2], [5, 1])
    data = encode(np.random.default_rng(0).integers(0, 9, 500), np.ones(9, dtype=int))
    for wrong, n in ((data, 400), (data + data, 500), (b"\7", 0)):
        with pytest.raises(ValueError, match="no coded words"):
            decode(wrong, np.ones(9, dtype=int), n)
    for wrong in (b"", b"nonsense", FrequencyModel.from_counts([1, 2, 3]).to_bytes()[:-1]):
        with pytest.raises(ValueError, match="no model"):
            FrequencyModel.from_bytes(wrong)
