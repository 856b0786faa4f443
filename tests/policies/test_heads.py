"""Output heads: ranges, sizes, bounds given by the situation, and gradients at the bounds."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.policies import HEADS, head, raw_size


@pytest.mark.parametrize(
    "kind, shape, size, expected",
    [
        ("real", (2, 3), 1, 6), ("bounded", (), 1, 1), ("bool", (4,), 1, 4),
        ("choice", (2,), 5, 10), ("simplex", (), 3, 3),
    ],
)
def test_raw_sizes(kind, shape, size, expected):
    assert raw_size(kind, shape, size) == expected
    out = head(kind, shape, size)(jnp.zeros(expected))
    assert out.shape == shape + ((size,) if kind in ("choice", "simplex") else ())
    assert kind in HEADS


def test_real_head_places_and_scales_and_is_not_trained():
    h = head("real", (2,), location=[1.0, 2.0], scale=3.0)
    np.testing.assert_allclose(h(jnp.array([1.0, -1.0])), [4.0, -1.0])
    gradient = jax.grad(lambda h: jnp.sum(h(jnp.array([1.0, -1.0]))))(h)
    assert not jnp.any(gradient.location) and not jnp.any(gradient.scale)


@settings(max_examples=60, deadline=None)
@given(st.floats(-30, 30), st.floats(-5, 5), st.floats(0, 5), st.sampled_from(["projection", "smooth"]))
def test_bounded_decisions_lie_between_the_bounds(raw, low, width, mode):
    h = head("bounded", mode=mode)
    value, slope = jax.value_and_grad(lambda r: h(r, low, low + width))(jnp.asarray(raw))
    assert low - 1e-12 <= value <= low + width + 1e-12
    assert np.isfinite(slope) and slope >= 0
    if mode == "projection":
        assert value == np.clip(raw, low, low + width)


@pytest.mark.parametrize("low, high", [(0.0, np.inf), (-np.inf, 1.0), (-np.inf, np.inf), (1.0, 1.0)])
def test_smooth_bounds_may_be_infinite_or_equal_without_nan(low, high):
    h = head("bounded", mode="smooth")
    for raw in (-40.0, 0.3, 40.0):
        slopes = jax.grad(lambda r, a, b: h(r, a, b), (0, 1, 2))(raw, low, high)
        assert np.all(np.isfinite(slopes))
        assert low <= h(jnp.asarray(raw), low, high) <= high


def test_smooth_heads_leave_the_far_side_of_a_single_bound_alone():
    h = head("bounded", mode="smooth")
    np.testing.assert_allclose(h(jnp.asarray(30.0), 0.0), 30.0, rtol=1e-12)
    np.testing.assert_allclose(h(jnp.asarray(-30.0), -jnp.inf, 0.0), -30.0, rtol=1e-12)


def test_returning_clip_lets_descent_come_back_and_only_back():
    h = head("bounded", (3,), mode="returning")
    raw = jnp.array([-2.0, 0.5, 3.0])
    np.testing.assert_allclose(h(raw, 0.0, 1.0), [0.0, 0.5, 1.0])
    up = jax.grad(lambda r: -jnp.sum(h(r, 0.0, 1.0)))(raw)  # descent raises every entry
    down = jax.grad(lambda r: jnp.sum(h(r, 0.0, 1.0)))(raw)
    np.testing.assert_allclose(up, [-1.0, -1.0, 0.0])
    np.testing.assert_allclose(down, [0.0, 1.0, 1.0])


def test_bounds_of_the_situation_are_differentiated():
    for mode in ("projection", "returning"):
        h = head("bounded", (2,), mode=mode)
        slope = jax.grad(lambda b, h=h: jnp.sum(h(jnp.array([5.0, 0.2]), 0.0, b)))(1.0)
        assert slope == 1.0


def test_probabilities_sum_to_one_and_sharpen():
    raw = jnp.array([0.0, 1.0, 2.0, -1.0])
    np.testing.assert_allclose(jnp.sum(head("choice", (2,), 2)(raw), -1), [1, 1])
    assert head("bool", temperature=0.1)(jnp.array([1.0])) > head("bool")(jnp.array([1.0])) > 0.5


def test_unknown_modes_are_refused():
    with pytest.raises(ValueError, match="unknown mode"):
        head("bounded", mode="hard")
