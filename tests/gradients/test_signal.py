"""Signal against Gaussian gradients, whose ratio is known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.gradients.signal import agreement, agreements, signal, signals

SIGNAL, AGREEMENT = jax.jit(signal, static_argnames="batch"), jax.jit(agreement)

MEAN = {"first": {"w": np.full((2, 3), 0.2), "b": np.asarray([0.5, 0.0])}, "last": np.asarray([-0.3])}
SCALE = {"first": {"w": 1.0, "b": 0.5}, "last": 2.0}


def stacks(replicates, n, seed=0):
    """Independent normal gradients, (replicates, n, ...) per leaf."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda m, s: np.asarray(m + s * rng.normal(size=(replicates, n, *m.shape))), MEAN, SCALE)


SQUARED = sum(float(np.sum(m**2)) for m in jax.tree.leaves(MEAN))
TRACE = 6 * 1.0 + 2 * 0.25 + 4.0


def test_the_parts_are_unbiased_and_the_error_is_the_spread():
    n = 20
    found = jax.tree.map(np.asarray, jax.jit(jax.vmap(signal))(stacks(4000, n)))
    spread = float(np.std(found.squared_norm)) / np.sqrt(4000)
    assert float(np.mean(found.squared_norm)) == pytest.approx(SQUARED, abs=4 * spread)
    assert float(np.mean(found.trace)) == pytest.approx(TRACE, rel=0.01)
    # the negative control: without the correction, too large by tr Cov / n
    assert TRACE / n > 40 * spread
    # the jackknife errs upwards, most of all where there is little signal, as here
    assert 1.0 < np.sqrt(np.mean(found.standard_error**2)) / np.std(found.ratio) < 1.4


def test_the_jackknife_is_what_leaving_out_gives():
    stack = jax.tree.map(lambda leaf: leaf[0], stacks(1, 9))
    whole = SIGNAL(stack)
    without = np.asarray([float(SIGNAL(jax.tree.map(lambda leaf, i=i: np.delete(leaf, i, axis=0), stack)).ratio) for i in range(9)])
    assert float(whole.standard_error) == pytest.approx(np.sqrt(8 / 9 * np.sum((without - without.mean()) ** 2)), rel=1e-10)


def test_a_large_sample_finds_the_ratio():
    found = SIGNAL(jax.tree.map(lambda leaf: leaf[0], stacks(1, 200000)))
    assert float(found.ratio) == pytest.approx(SQUARED / TRACE, abs=4 * float(found.standard_error))
    assert float(found.standard_error) < 0.002


def test_blocks_add_up():
    stack = jax.tree.map(lambda leaf: leaf[0], stacks(1, 50))

    @jax.jit
    def all_ways(stack):
        return signal(stack), signals(stack), signals(stack, block=lambda path: path.split("/")[0])

    whole, leaves, layers = all_ways(stack)
    assert sorted(leaves) == ["first/b", "first/w", "last"] and sorted(layers) == ["first", "last"]
    assert sum(float(leaf.squared_norm) for leaf in leaves.values()) == pytest.approx(float(whole.squared_norm))
    assert sum(float(leaf.trace) for leaf in leaves.values()) == pytest.approx(float(whole.trace))
    assert float(layers["first"].trace) == pytest.approx(float(leaves["first/b"].trace) + float(leaves["first/w"].trace))


def test_means_of_batches_tell_of_single_samples():
    stack = stacks(1, 80000)["first"]["w"][0]
    batches = np.mean(stack.reshape(10000, 8, 2, 3), axis=1)
    one, eight = SIGNAL(stack), SIGNAL(batches, batch=8)
    assert float(eight.ratio) == pytest.approx(float(one.ratio), rel=0.05)
    assert float(eight.trace) == pytest.approx(float(one.trace), rel=0.05)


def test_agreement_without_and_with_a_bias():
    stack = jax.tree.map(lambda leaf: leaf[0], stacks(1, 5000))
    true = AGREEMENT(stack, MEAN)
    assert abs(float(true.squared_bias)) < 4 * float(true.squared_bias_error)
    assert float(true.slope) == pytest.approx(1.0, abs=4 * float(true.slope_error))
    assert 0.95 < float(true.cosine) <= 1
    half = AGREEMENT(stack, jax.tree.map(lambda leaf: 2 * leaf, MEAN))
    assert float(half.slope) == pytest.approx(0.5, abs=4 * float(half.slope_error)) and float(half.slope_error) < 0.05
    assert float(half.squared_bias) == pytest.approx(SQUARED, abs=4 * float(half.squared_bias_error))
    assert float(half.squared_bias) > 10 * float(half.squared_bias_error)
    assert float(half.cosine) == pytest.approx(float(true.cosine))
    turned = jax.jit(agreements)(stack, {**MEAN, "last": np.asarray([0.3])})
    assert float(turned["last"].cosine) == pytest.approx(-1) and float(turned["first/w"].cosine) > 0.9


def test_slope_and_cosine_errors_are_the_spread():
    found = jax.tree.map(np.asarray, jax.jit(jax.vmap(lambda stack: agreement(stack, MEAN)))(stacks(3000, 40, seed=1)))
    for name in ("slope", "cosine", "squared_bias"):
        ratio = np.sqrt(np.mean(getattr(found, f"{name}_error") ** 2)) / np.std(getattr(found, name))
        assert 0.85 < ratio < 1.6, name
    assert float(np.mean(found.squared_bias)) == pytest.approx(0.0, abs=4 * float(np.std(found.squared_bias)) / np.sqrt(3000))


def test_what_cannot_be():
    with pytest.raises(ValueError, match="three rows"):
        signal(jnp.zeros((2, 3)))
    with pytest.raises(ValueError, match="one number of rows"):
        signal([jnp.zeros((4, 3)), jnp.zeros((5, 3))])
    with pytest.raises(ValueError, match="another structure"):
        agreement([jnp.zeros((4, 3))], jnp.zeros(3))
