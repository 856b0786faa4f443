"""Quantisers: Max's published distortions, brute force on small samples, the law of the dither, and what all of them must keep."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from scipy.stats import kstest, norm

from dcgc.protocols import QUANTISERS, DitheredQuantiser, ScalarQuantiser, VectorQuantiser, quantiser_from_arrays
from dcgc.protocols.allocation import allocate
from dcgc.protocols.vector import lloyd, plus_plus, squared

KINDS = sorted(QUANTISERS)


def gaussian(n=20001):
    """The quantiles of a standard normal law: a sample without luck."""
    return norm.ppf((np.arange(n) + 0.5) / n)[:, None]


@st.composite
def samples(draw):
    """Up to 60 messages of up to 3 reals; often with repeats, with columns that do not vary, or on another scale."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, dimension = draw(st.integers(1, 60)), draw(st.integers(1, 3))
    x = rng.normal(size=(n, dimension))
    if draw(st.booleans()):
        x = np.round(x)
    if draw(st.booleans()):
        x[:, 0] = x[0, 0]
    return x * draw(st.sampled_from([1e-6, 1.0, 1e6])) + draw(st.sampled_from([0.0, 1e3]))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(samples(), st.floats(0, 7), st.sampled_from(KINDS), st.booleans())
def test_what_every_quantiser_keeps(x, bits, kind, weighted):
    relevance = np.abs(x) if weighted else None
    q = QUANTISERS[kind].fit(x, bits, seed=3, relevance=relevance)
    assert 1 <= q.count <= math.floor(2**bits + 1e-9) and q.dimension == x.shape[1]
    words = q.encode(x)
    assert words.dtype == np.int64 and words.shape == (len(x),) and np.all((0 <= words) & (words < q.count))
    heard = q.decode(words)
    assert heard.shape == x.shape and np.all(np.isfinite(heard))
    again = QUANTISERS[kind].fit(x, bits, seed=3, relevance=relevance)
    assert all(np.array_equal(a, again.to_arrays()[name]) for name, a in q.to_arrays().items())
    back = quantiser_from_arrays(kind, load(save(q.to_arrays())))
    assert back.count == q.count and np.array_equal(back.encode(x), words) and np.array_equal(back.decode(words), heard)
    everything = np.arange(q.count)
    if kind == "scalar" or kind == "vector" and relevance is None:
        assert np.array_equal(q.encode(q.decode(everything)), everything)
    if kind != "dithered":
        # whoever is told nothing but the (weighted) mean does no better
        w = np.ones_like(x) if relevance is None else relevance
        centre = np.sum(w * x, axis=0) / np.maximum(np.sum(w, axis=0), 1e-300)
        if kind == "scalar" or relevance is None:
            assert q.distortion(x, relevance) <= np.mean(np.sum(w * (x - centre) ** 2, axis=1)) * (1 + 1e-9) + 1e-12 * np.max(w * x**2)


@pytest.mark.parametrize("quantiser", [ScalarQuantiser, VectorQuantiser])
@pytest.mark.parametrize("bits, published", [(1, 0.3634), (2, 0.1175), (3, 0.03454), (4, 0.009497)])
def test_the_least_distortions_of_a_gaussian(quantiser, bits, published):
    """Max 1960, "Quantizing for minimum distortion", table I."""
    q = quantiser.fit(gaussian(), bits)
    assert q.count == 2**bits
    assert q.distortion(gaussian()) == pytest.approx(published, rel=2e-2 if quantiser is VectorQuantiser else 4e-3)


def test_one_bit_of_a_gaussian_is_heard_as_the_half_normal_mean():
    for quantiser in (ScalarQuantiser, VectorQuantiser):
        levels = quantiser.fit(gaussian(), 1).decode(np.arange(2)).ravel()
        np.testing.assert_allclose(levels, [-math.sqrt(2 / math.pi), math.sqrt(2 / math.pi)], rtol=1e-3)


@pytest.mark.parametrize("placement", ["range", "quantiles"])
def test_other_placements(placement):
    q = ScalarQuantiser.fit(gaussian(), 2, placement=placement)
    words = np.bincount(q.encode(gaussian())) / 20001
    if placement == "range":
        np.testing.assert_allclose(np.diff(q.levels[0]), np.ptp(gaussian()) / 4)
    else:
        # the means of four quarters: E[x | x > 0.6745] = 4 phi(0.6745), and 4 (phi(0) - phi(0.6745))
        np.testing.assert_allclose(q.levels[0][2:], [0.3247, 1.2711], atol=1e-3)
        assert words[0] == pytest.approx(words[3], abs=1e-3)
    with pytest.raises(ValueError, match="least_squares"):
        ScalarQuantiser.fit(gaussian(), 2, placement="by hand")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 24))
def test_levels_are_shared_out_as_well_as_can_be(seed, dimension, budget):
    costs = np.sort(np.random.default_rng(seed).exponential(size=(dimension, 17)), axis=1)[:, ::-1]
    found = allocate(lambda d, levels: costs[d, levels], [16] * dimension, budget)
    assert math.prod(found) <= budget
    every = (c for c in itertools.product(range(1, 17), repeat=dimension) if math.prod(c) <= budget)
    best = min(sum(costs[d, n] for d, n in enumerate(c)) for c in every)
    assert sum(costs[d, n] for d, n in enumerate(found)) == pytest.approx(best)


def test_many_bits_are_shared_out_as_theory_says():
    """At high rates each real gets half a bit more for each doubling of its variance (Huang and Schultheiss 1963)."""
    x = np.random.default_rng(0).uniform(-1, 1, size=(20000, 3)) * [1, 4, 16]
    sizes = ScalarQuantiser.fit(x, 18, placement="range").sizes
    np.testing.assert_allclose(np.log2(sizes), [4, 6, 8], atol=0.4)
    assert math.log2(math.prod(sizes)) > 17.8


def test_what_matters_is_told():
    x = np.random.default_rng(1).normal(size=(4000, 2))
    assert ScalarQuantiser.fit(x, 4, relevance=[1.0, 0.0]).sizes == (16, 1)
    assert DitheredQuantiser.fit(x, 4, relevance=[0.0, 1.0]).sizes == (1, 16)
    q = VectorQuantiser.fit(x, 3, relevance=[1.0, 0.0])
    assert q.distortion(x, [1.0, 0.0]) == pytest.approx(0.03454, rel=0.1)
    assert q.distortion(x, [0.0, 1.0]) == pytest.approx(1, rel=0.1)
    # where only positive messages matter, levels go there
    where = (x > 0).astype(float)
    for quantiser in (ScalarQuantiser, VectorQuantiser):
        levels = quantiser.fit(x[:, :1], 3, relevance=where[:, :1]).decode(np.arange(8))
        assert np.sum(levels > 0) >= 7
    # nothing matters: one word is enough for a codebook
    assert VectorQuantiser.fit(x, 3, relevance=[0.0, 0.0]).count == 1


def test_digits_are_a_sentence():
    x = np.random.default_rng(2).normal(size=(2000, 2))
    q = ScalarQuantiser.fit(x, 4)
    assert q.sizes == (4, 4)
    words = q.encode(x)
    digits = q.digits(words)
    assert np.array_equal(digits[:, 0] * 4 + digits[:, 1], words)
    assert np.array_equal(q.symbols(words), digits + [0, 4])
    assert np.array_equal(np.stack([q.levels[d][digits[:, d]] for d in range(2)], axis=1), q.decode(words))


def test_the_dither_hides_the_message():
    """The law of what is heard, given the message: uniform noise, and not so without the dither."""
    rng = np.random.default_rng(4)
    x = np.stack([rng.uniform(-1, 1, 40000), rng.choice([-0.3, 0.9], 40000)], axis=1)
    q = DitheredQuantiser.fit(x, 5, seed=7)
    assert min(q.sizes) > 2
    noise = ((q.decode(q.encode(x)) - q.centre) / q.shrink + q.centre - x) / q.widths
    assert np.max(np.abs(noise)) <= 0.5 + 1e-9
    for d in range(2):
        for half in (x[:, 0] < 0, x[:, 0] >= 0, x[:, 1] < 0):
            assert kstest(noise[half, d] + 0.5, "uniform").pvalue > 1e-3
    assert np.max(np.abs(np.corrcoef(np.hstack([noise, x, x**2]).T)[:2, 2:])) < 0.02
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.02
    # the distortion is what the noise's law says
    expected = np.sum((1 - q.shrink) ** 2 * x.var(axis=0) + q.shrink**2 * q.widths**2 / 12)
    assert q.distortion(x) == pytest.approx(expected, rel=0.02)


def test_the_dither_belongs_to_the_number_of_the_message():
    x = np.random.default_rng(5).normal(size=(50, 2))
    q = DitheredQuantiser.fit(x, 8, seed=1)
    index = np.random.default_rng(6).permutation(1000)[:50]
    some = index[:20]
    assert np.array_equal(q.encode(x, index)[:20], q.encode(x[:20], some))
    np.testing.assert_array_equal(q.decode(q.encode(x, index), index)[:20], q.decode(q.encode(x[:20], some), some))
    assert not np.array_equal(q.dither(50), DitheredQuantiser.fit(x, 8, seed=2).dither(50))
    assert kstest(q.dither(20000).ravel(), "uniform").pvalue > 1e-3
    with pytest.raises(ValueError, match="50 messages need 50 numbers"):
        q.encode(x, index[:3])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_codebooks_of_few_messages_are_the_best_there_are(seed, count):
    """The best of a few starts is the least sum of squares over all ways to sort 7 messages into cells."""
    x = np.random.default_rng(seed).normal(size=(7, 2))
    found = min(VectorQuantiser.fit(x, math.log2(count), seed=s).distortion(x) for s in range(12))

    def cost(cells):
        cells = np.asarray(cells)
        return sum(np.sum((x[cells == c] - x[cells == c].mean(axis=0)) ** 2) for c in np.unique(cells)) / 7

    assert found == pytest.approx(min(cost(cells) for cells in itertools.product(range(count), repeat=7)))


def test_codebooks_of_fewer_messages_than_words():
    x = np.asarray([[0.0, 1.0], [2.0, 1.0], [0.0, 1.0], [5.0, -1.0]])
    q = VectorQuantiser.fit(x, 4)
    assert q.count == 3 and q.distortion(x) == 0
    assert np.all(np.diff(q.codes[:, 0]) > 0)
    assert VectorQuantiser.fit(np.ones((10, 3)), 5).count == 1


def test_dead_codes_are_revived():
    x = np.random.default_rng(8).normal(size=(3000, 2))
    start = np.full((16, 2), 50.0)
    codes, words = lloyd(x, np.ones(3000), start)
    assert len(codes) == 16 and np.min(np.bincount(words)) > 30
    fair = VectorQuantiser.fit(x, 4).distortion(x)
    assert np.mean(squared(x, codes[words])) < 1.05 * fair
    # and no sweep makes it worse than k-means++ left it
    begun = plus_plus(x, np.ones(3000), 16, np.random.default_rng(0))
    assert fair < np.mean(np.min([squared(x, code) for code in begun], axis=0))


def test_the_plane_is_tiled_better_than_by_squares():
    """Hexagons have 0.962 of the mean squared error of squares (Conway and Sloane 1988); borders aside a codebook gets near it."""
    x = np.random.default_rng(9).uniform(size=(20000, 2))
    ratio = VectorQuantiser.fit(x, 6).distortion(x) / ScalarQuantiser.fit(x, 6).distortion(x)
    assert 0.93 < ratio < 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_mistakes_are_named(kind):
    fit = QUANTISERS[kind].fit
    x = np.random.default_rng(0).normal(size=(20, 2))
    for wrong, words in (
        (lambda: fit(np.zeros((0, 2)), 2), "no messages"),
        (lambda: fit(np.zeros(5), 2), "table"),
        (lambda: fit(np.full((3, 1), 1e200), 2), "square"),
        (lambda: fit([[math.nan]], 2), "not finite"),
        (lambda: fit(x, -1), "bits"),
        (lambda: fit(x, math.inf), "bits"),
        (lambda: fit(x, 2, relevance=[1.0]), "relevance"),
        (lambda: fit(x, 2, relevance=[1.0, -1.0]), "negative"),
        (lambda: fit(x, 2).encode(np.zeros((3, 5))), "table"),
        (lambda: fit(x, 2).decode(np.asarray([0, 77])), "77"),
        (lambda: fit(x, 2).decode(np.asarray([0.5])), "integers"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
    assert fit(x, 2).decode(np.asarray([], dtype=int)).shape == (0, 2)
    assert fit(x, 2).encode(np.zeros((0, 2))).shape == (0,)


def test_a_codebook_has_an_end():
    with pytest.raises(ValueError, match="too large"):
        VectorQuantiser.fit(np.zeros((2**16 + 1, 1)), 17)
    with pytest.raises(ValueError, match="dithered, vector"):
        quantiser_from_arrays("lattice", {})
