"""Information: known values, definitions by brute force, and the bias that the corrections take away."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.protocols import conditional_moments, entropy, mutual_information, mutual_information_real, word_entropy
from dcgc.protocols.information import equal_mass_bins

sequences = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), min_size=1, max_size=40)


def test_entropies():
    assert entropy([1, 1]) == 1 and entropy([0, 3, 0]) == 0 and entropy(np.ones(4096)) == 12
    assert entropy([0.5, 0.25, 0.125, 0.125]) == 1.75
    assert word_entropy([0, 1, 2, 3] * 5).value == pytest.approx(2)
    assert word_entropy([7] * 9).value == 0 and word_entropy([7] * 9).standard_error == 0
    for wrong in ([], [0.0, 0.0], [-1, 2], [math.inf]):
        with pytest.raises(ValueError):
            entropy(wrong)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sequences)
def test_mutual_information_by_its_definition(pairs):
    x, y = [p[0] for p in pairs], [p[1] for p in pairs]
    n, first, second, joint = len(pairs), Counter(x), Counter(y), Counter(pairs)
    expected = sum(c / n * math.log2(c * n / (first[a] * second[b])) for (a, b), c in joint.items())
    plug_in = mutual_information(x, y, corrected=False)
    assert plug_in.value == pytest.approx(expected, abs=1e-12)
    assert plug_in.value <= min(word_entropy(x).value, word_entropy(y).value) + 1e-9
    assert mutual_information(y, x, corrected=False).value == pytest.approx(plug_in.value, abs=1e-12)
    assert mutual_information(x, x, corrected=False).value == pytest.approx(word_entropy(x).value, abs=1e-12)
    correction = (len(first) + len(second) - len(joint) - 1) / (2 * n * math.log(2))
    assert mutual_information(x, y).value == pytest.approx(plug_in.value + correction, abs=1e-9)


def test_a_binary_symmetric_channel():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 50000)
    found = mutual_information(x, x ^ (rng.uniform(size=50000) < 0.11))
    assert abs(found.value - (1 - entropy([0.11, 0.89]))) < 3 * found.standard_error < 0.02


def test_the_bias_of_independent_words_is_taken_away():
    rng = np.random.default_rng(1)
    plug_in, corrected, real = [], [], []
    for _ in range(60):
        x, y = rng.integers(0, 6, 400), rng.integers(0, 8, 400)
        plug_in.append(mutual_information(x, y, corrected=False).value)
        corrected.append(mutual_information(x, y).value)
        real.append(mutual_information_real(x, rng.normal(size=400), seed=len(real)).value)
    assert np.mean(plug_in) == pytest.approx(5 * 7 / (2 * 400 * math.log(2)), rel=0.1)
    assert abs(np.mean(corrected)) < 0.1 * np.mean(plug_in) and abs(np.mean(real)) < 0.1 * np.mean(plug_in)


def test_the_standard_error_is_what_repetition_shows():
    rng = np.random.default_rng(2)
    found = []
    for _ in range(150):
        x = rng.integers(0, 4, 1000)
        found.append(mutual_information(x, np.where(rng.uniform(size=1000) < 0.3, rng.integers(0, 4, 1000), x)))
    assert np.std([f.value for f in found]) == pytest.approx(np.mean([f.standard_error for f in found]), rel=0.2)


def test_information_about_a_real_variable():
    rng = np.random.default_rng(3)
    u = rng.uniform(size=20000)
    assert 1.9 < mutual_information_real(np.floor(4 * u), u, bins=32).value <= 2
    # two normal variables of correlation 0.8 share -log2(1 - 0.64) / 2 bits; cells lose a little
    x, z = rng.normal(size=(2, 20000))
    told = mutual_information_real(equal_mass_bins(x, 32), 0.8 * x + 0.6 * z).value
    assert 0.95 * 0.737 < told < 1.01 * 0.737


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.integers(-5, 5) | st.floats(-3, 3), min_size=1, max_size=60), st.integers(1, 12))
def test_cells_of_equal_mass(values, bins):
    cells, v = equal_mass_bins(values, bins), np.asarray(values, dtype=float)
    assert len(np.unique(cells)) <= max(bins, 1) and cells.min() == 0 and cells.max() == len(np.unique(cells)) - 1
    order = np.argsort(v, kind="stable")
    assert np.all(np.diff(cells[order]) >= 0)
    assert all(len(set(cells[v == u])) == 1 for u in v)
    if len(np.unique(v)) == len(v):
        assert np.ptp(np.bincount(cells)) <= 1 or len(v) <= bins


def test_moments_given_a_word():
    words, values = np.asarray([0, 2, 0, 2, 2, 3]), np.asarray([1.0, 5.0, 3.0, 5.0, 8.0, -1.0])
    m = conditional_moments(words, values, 5)
    np.testing.assert_array_equal(m.counts, [2, 0, 3, 1, 0])
    np.testing.assert_allclose(m.means, [2, np.nan, 6, -1, np.nan])
    np.testing.assert_allclose(m.deviations, [2**0.5, np.nan, 3**0.5, np.nan, np.nan])
    np.testing.assert_allclose(m.standard_errors, [1, np.nan, 1, np.nan, np.nan])
    with pytest.raises(ValueError, match="3 words"):
        conditional_moments(words, values, 3)
    with pytest.raises(ValueError, match="one length"):
        conditional_moments(words, values[:2], 5)


def test_sequences_of_different_lengths():
    with pytest.raises(ValueError, match="3 samples of the one and 2"):
        mutual_information([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="needed"):
        mutual_information([], [])
    with pytest.raises(ValueError, match="finite"):
        mutual_information_real([1], [math.nan])
