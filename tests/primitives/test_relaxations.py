"""Jumps on grids, against exact areas found by clipping polygons and by fine subdivision."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.primitives.relaxations import step_exact, step_in_cells, step_sigmoid


def area(a: float, b: float, c: float) -> float:
    """The part of the square [-1/2, 1/2]^2 where a s + b t + c > 0, by clipping the polygon."""
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    height = [a * x + b * y + c for x, y in corners]
    kept = []
    for i in range(4):
        j = (i + 1) % 4
        if height[i] > 0:
            kept.append(corners[i])
        if (height[i] > 0) != (height[j] > 0):
            t = height[i] / (height[i] - height[j])
            kept.append(tuple(p + t * (q - p) for p, q in zip(corners[i], corners[j], strict=True)))
    return abs(sum(p[0] * q[1] - q[0] * p[1] for p, q in zip(kept, kept[1:] + kept[:1], strict=True))) / 2 if len(kept) > 2 else 0.0


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_the_part_of_a_cell_is_an_area(a, b, c):
    """For a margin linear in two coordinates every cell's value is exact, edge cells too."""
    if abs(a) < 1e-2 or abs(b) < 1e-2 or not 1e-3 < abs(a / b) < 1e3:
        return
    i, j = np.arange(4.0), np.arange(5.0)
    margin = a * i[:, None] + b * j[None, :] + c
    found = np.asarray(step_in_cells(jnp.asarray(margin), (0, 1), 0.0))
    expected = np.array([[area(a, b, m) for m in row] for row in margin])
    assert np.allclose(found, expected, atol=1e-9)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(-3, 3), st.floats(-5, 5))
def test_one_coordinate(a, c):
    if abs(a) < 1e-6:
        return
    margin = a * np.arange(6.0) + c
    found = np.asarray(step_in_cells(jnp.asarray(margin), (0,), 0.0))
    fine = np.linspace(-0.5, 0.5, 20001)
    expected = [np.mean(m + a * fine > 0) for m in margin]
    assert np.allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("at_zero", [0.0, 1.0])
def test_a_margin_that_is_flat_is_compared_as_written(at_zero):
    margin = jnp.asarray([[-1.0, -1.0], [0.0, 0.0], [2.0, 2.0]])
    assert np.allclose(step_in_cells(margin, (1,), at_zero)[:, 0], [0, at_zero, 1])
    assert np.allclose(step_in_cells(margin, (), at_zero)[:, 0], [0, at_zero, 1])
    assert np.allclose(step_in_cells(jnp.zeros((3, 3)), (0, 1), at_zero), at_zero)
    assert np.allclose(step_exact(margin, at_zero)[:, 0], [0, at_zero, 1])


def test_a_coordinate_of_one_node_has_no_cells():
    assert np.allclose(step_in_cells(jnp.asarray([[-0.4, 0.6]]), (0,), 0.0), [[0, 1]])


SLOPES = jax.jit(lambda margin: jax.jvp(lambda m: step_in_cells(margin + m, (0, 1), 0.0)[:, 1], (0.0,), (1.0,))[1])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(0.05, 3), st.floats(0.05, 3), st.floats(-1, 1))
def test_the_gradient_is_a_partition_of_unity(a, b, shift):
    """Along either of the two coordinates the slopes sum to one over the margin's change: the density that a deviation sees."""
    if not 1e-3 < a / b < 1e3:
        return
    n = 160
    grid = np.arange(n) - n / 2
    j = np.arange(-1.0, 2.0)
    margin = jnp.asarray(a * grid[:, None] + b * j[None, :] + shift)
    derivative = np.asarray(SLOPES(margin))
    reach = a * n / 2 > (a + b) + abs(shift)
    if reach:
        assert np.sum(derivative) * a == pytest.approx(1.0, rel=1e-6)
    assert np.all(derivative >= -1e-9)


def test_the_derivative_of_a_chance_is_its_density():
    """d/dt P(x + y > t) for uniform x, y on a grid of cells: the triangular density, whatever the grids' spacings."""
    for n, k in ((40, 40), (64, 9)):
        x, y = (np.arange(n) + 0.5) / n, (np.arange(k) + 0.5) / k

        def chance(t, x=x, y=y):
            return jnp.mean(step_in_cells(jnp.asarray(x)[:, None] + jnp.asarray(y)[None, :] - t, (0, 1), 0.0))

        both = jax.jit(jax.value_and_grad(chance))
        for t in (0.3, 0.77, 1.2, 1.9):
            exact = t**2 / 2 if t < 1 else 1 - (2 - t) ** 2 / 2
            value, slope = both(t)
            assert float(value) == pytest.approx(1 - exact, abs=1e-6)
            assert float(slope) == pytest.approx(-(t if t < 1 else 2 - t), abs=2e-2)


def test_the_sigmoid_sharpens():
    margin = jnp.asarray(np.arange(-50, 51) / 50)
    soft, sharp = step_sigmoid(margin, 1.0), step_sigmoid(margin, 1e-3)
    assert float(soft[50]) == pytest.approx(0.5)
    assert np.all(np.diff(np.asarray(soft)) > 0)
    assert np.allclose(sharp, step_exact(margin.at[50].set(0.0), 0.5), atol=1e-6)
