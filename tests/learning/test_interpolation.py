"""Values between the nodes of a grid of states, beyond it, and at states where there are none."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.learning.filling import filled
from dcgc.learning.interpolation import interpolated


def quadratic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 3 + x - 2 * y + 0.7 * x**2 - 0.4 * x * y + 0.3 * y**2


def test_quadratics_are_exact_inside_and_far_beyond_a_grid_of_two_states() -> None:
    nodes = np.arange(9.0)
    values = jnp.asarray(quadratic(nodes[:, None], nodes[None, :]))
    x, y = np.asarray([3.3, 8.0, 8.5, 20.0, -15.0, -4.0]), np.asarray([5.1, 0.0, -3.0, 30.0, 6.2, 40.0])
    found = interpolated(values, (False, False), (jnp.asarray(x), jnp.asarray(y)))
    assert np.asarray(found) == pytest.approx(quadratic(x, y), rel=1e-11)


def test_a_finite_state_selects_and_a_real_one_is_gone_beyond() -> None:
    nodes = np.arange(7.0)
    values = jnp.asarray(np.stack([nodes**2, 1 - nodes]))
    found = interpolated(values, (True, False), (jnp.asarray([0.0, 1.0]), jnp.asarray([9.0, -2.5])))
    assert np.asarray(found) == pytest.approx([81.0, 3.5], rel=1e-12)


@pytest.mark.parametrize("kink", [5.2, *(pytest.param(x, marks=pytest.mark.study) for x in (6.0, 6.5, 7.3))])
def test_costs_that_rise_do_not_fall_far_beyond_a_kink_at_the_end_of_the_grid(kink: float) -> None:
    nodes = np.arange(9.0)
    costs = jnp.asarray(nodes**2 - 0.8 * np.maximum(nodes - kink, 0.0)**2)  # convex, and rising, with two curvatures
    far = np.asarray(interpolated(costs, (False,), (jnp.linspace(8.0, 80.0, 200),)))
    assert (np.diff(far) > 0).all()
    assert (np.diff(far, 2) > -1e-9).all()


def test_where_there_is_no_number_costs_go_on_and_acts_stay() -> None:
    costs = filled(jnp.asarray([[jnp.nan, jnp.inf, 9.0, 4.0, 1.0, 0.0, jnp.nan]]), (1,), True)
    assert np.asarray(costs)[0] == pytest.approx([25.0, 16.0, 9.0, 4.0, 1.0, 0.0, 1.0])
    falling = filled(jnp.asarray([1.0, 0.0, -3.0, jnp.nan, jnp.nan]), (0,), True)  # no steeper than a line
    assert np.asarray(falling) == pytest.approx([1.0, 0.0, -3.0, -6.0, -9.0])
    acts = filled(jnp.asarray([[jnp.nan, 2.0, 3.0], [jnp.nan, jnp.nan, jnp.nan]]), (0, 1), False)
    assert np.asarray(acts) == pytest.approx(np.asarray([[2.0, 2.0, 3.0], [2.0, 2.0, 3.0]]))
    assert np.isnan(np.asarray(filled(jnp.full(4, jnp.nan), (0,), True))).all()
