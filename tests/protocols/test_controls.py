"""Controls and causal influence on plays whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.protocols import causal_influence, play_controls


def test_guessing_a_number():
    """(x - m)^2 with m = x + noise: silence costs 1, a stranger's message 2 + 0.01, the message 0.01."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20000, 1))
    found = play_controls(lambda m: (x - m)[:, 0] ** 2, x + 0.1 * rng.normal(size=x.shape), oracle=0.0, seed=1)
    for estimate, expected in ((found.silent, 1.0), (found.spoken, 0.01), (found.shuffled, 2.01), (found.gain, 0.99), (found.meaning, 2.0)):
        assert abs(estimate.value - expected) < 4 * estimate.standard_error < 0.15
    assert found.closed == pytest.approx(0.99, abs=0.002)


def test_pairs_have_smaller_errors():
    rng = np.random.default_rng(1)
    luck, m = 10 * rng.normal(size=500), rng.normal(size=500)
    found = play_controls(lambda heard: luck - 0.1 * m * heard, m)
    assert found.gain.standard_error < 0.05 * found.spoken.standard_error
    assert math.isnan(found.oracle) and math.isnan(found.closed)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(2, 50), st.integers(0, 99))
def test_who_hears_what(n, seed):
    heard = []
    words = np.random.default_rng(seed).integers(0, 3, (n, 2))
    numbered = np.c_[np.arange(n), words]
    play_controls(lambda m: heard.append(m) or np.zeros(n), numbered, blank=[-1, 0, 0], seed=seed)
    silent, spoken, shuffled = heard
    assert np.all(silent == [-1, 0, 0]) and np.array_equal(spoken, numbered)
    assert sorted(shuffled.tolist()) == numbered.tolist() and not np.any(shuffled[:, 0] == np.arange(n))


def test_silence():
    heard = []
    play_controls(lambda m: heard.append(m) or np.zeros(4), np.asarray([2, 1, 2, 0]))
    play_controls(lambda m: heard.append(m) or np.zeros(4), np.asarray([2.0, 1.0, 2.0, 0.0]))
    assert heard[0].tolist() == [2] * 4 and heard[3].tolist() == [1.25] * 4
    with pytest.raises(ValueError, match="cost for each"):
        play_controls(lambda m: 0.0, np.zeros(4))
    with pytest.raises(ValueError, match="two samples"):
        play_controls(lambda m: np.zeros(1), np.zeros(1))


def test_influence_of_a_listener_who():
    situation = np.arange(1000)
    obeys = causal_influence(lambda w: w, 1000, 8)
    assert obeys.in_situation.value == pytest.approx(3) and obeys.alone == pytest.approx(3) and obeys.words == 8
    deaf = causal_influence(lambda w: situation % 5, 1000, 8)
    assert deaf.in_situation.value == deaf.alone == 0
    # tells the parity of word and situation: nothing is seen in the action alone
    riddle = causal_influence(lambda w: (w + situation) % 2, 1000, 2)
    assert riddle.in_situation.value == pytest.approx(1) and riddle.alone == pytest.approx(0, abs=1e-12)
    # obeys half the time
    half = causal_influence(lambda w: np.where(situation % 2, w, 0), 1000, 4)
    assert half.in_situation.value == pytest.approx(1)
    assert half.in_situation.standard_error == pytest.approx(1 / math.sqrt(1000), rel=0.01)
    assert causal_influence(lambda w: w / 7 + 0.001 * situation / 1000, 1000, 8).in_situation.value == pytest.approx(3)
    assert causal_influence(lambda w: w, 10, 4096, most=32).in_situation.value == pytest.approx(5)


def test_influence_by_distributions():
    """A noisy listener: a binary symmetric channel from word to action, 1 - h(0.11) = 0.5 bits."""
    found = causal_influence(lambda w: np.where(np.arange(2) == w[:, None], 0.89, 0.11), 50, 2)
    assert found.in_situation.value == pytest.approx(0.5001, abs=1e-4) and found.alone == pytest.approx(found.in_situation.value)
    assert found.in_situation.standard_error == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="sum to 1"):
        causal_influence(lambda w: np.ones((50, 2)), 50, 2)
    with pytest.raises(ValueError, match="50 situations"):
        causal_influence(lambda w: np.ones(3), 50, 2)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 30), st.booleans())
def test_who_knows_the_situation_sees_more(seed, count, n, soft):
    rng = np.random.default_rng(seed)
    laws = rng.dirichlet(np.ones(3), size=(count, n))
    answers = laws if soft else laws.argmax(axis=2)
    found = causal_influence(lambda w: answers[w[0]], n, count)
    assert -1e-12 <= found.alone <= found.in_situation.value + 1e-9 <= math.log2(max(count, 1)) + 1e-6
