"""Rules: exactness, exact cell probabilities, matched moments, unbiased shifts."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from dcgc.primitives.cells import normal_cells, normal_trapezoid, trapezoid_error, uniform_cells
from dcgc.primitives.points import (
    monte_carlo_normal,
    monte_carlo_uniform,
    product_rule,
    sobol_normal,
    sobol_uniform,
)
from dcgc.primitives.quadrature import gauss_hermite, gauss_jacobi, gauss_laguerre, gauss_legendre
from dcgc.primitives.shifted import rotated, rotated_normal, shifted_normal, shifted_normal_strata, shifted_uniform


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_gauss_rules_are_exact_up_to_degree_2n_minus_1_and_not_beyond(n):
    hermite, legendre = gauss_hermite(n), gauss_legendre(n)
    for k in range(2 * n):
        moment = 0.0 if k % 2 else special.factorial2(k - 1) if k else 1.0
        np.testing.assert_allclose(hermite.weights @ hermite.nodes[:, 0] ** k, moment, rtol=1e-11, atol=1e-11 * 8.0**k)
        np.testing.assert_allclose(legendre.weights @ legendre.nodes[:, 0] ** k, 1 / (k + 1), rtol=1e-13)
    beyond = legendre.weights @ legendre.nodes[:, 0] ** (2 * n)
    assert abs(beyond * (2 * n + 1) - 1) > 1e-16


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 30), a=st.floats(0.1, 20), b=st.floats(0.1, 20))
def test_laguerre_and_jacobi_are_exact_for_their_laws(n, a, b):
    degree = min(2 * n - 1, 6)
    laguerre, jacobi = gauss_laguerre(n, a), gauss_jacobi(n, a, b)
    rising = np.prod(a + np.arange(degree))
    np.testing.assert_allclose(laguerre.weights @ laguerre.nodes[:, 0] ** degree, rising, rtol=1e-10)
    np.testing.assert_allclose(
        jacobi.weights @ jacobi.nodes[:, 0] ** degree, rising / np.prod(a + b + np.arange(degree)), rtol=1e-10
    )


def test_hermite_is_stable_for_hundreds_of_nodes():
    rule = gauss_hermite(400)
    assert np.all(np.isfinite(rule.weights)) and rule.weights.min() >= 0
    np.testing.assert_allclose(rule.weights.sum(), 1, rtol=1e-15)
    np.testing.assert_allclose(rule.weights @ np.cos(3 * rule.nodes[:, 0]), np.exp(-4.5), rtol=1e-12)
    np.testing.assert_array_equal(rule.nodes, -rule.nodes[::-1])


def test_rules_are_shared_and_cannot_be_written():
    assert gauss_hermite(7) is gauss_hermite(7)
    with pytest.raises(ValueError, match="read-only"):
        gauss_hermite(7).nodes[0] = 0


@pytest.mark.parametrize("n", [0, -3])
def test_rules_need_a_node(n):
    with pytest.raises(ValueError, match="at least one"):
        gauss_legendre(n)
    with pytest.raises(ValueError, match="at least one"):
        normal_cells(n)


@pytest.mark.parametrize("spacing", ["equal", "probability"])
@pytest.mark.parametrize("placing", ["mean", "middle"])
@pytest.mark.parametrize("n", [1, 7, 64, 1001])
def test_normal_cells_have_exact_probabilities_and_nodes_inside(n, spacing, placing):
    rule = normal_cells(n, spacing, placing)
    nodes, edges = rule.nodes[:, 0], rule.edges
    np.testing.assert_allclose(rule.weights.sum(), 1, rtol=1e-15)
    assert np.all((nodes >= edges[:-1]) & (nodes <= edges[1:]))
    below = special.ndtr(edges[1:-1])
    np.testing.assert_allclose(np.cumsum(rule.weights)[:-1], below, atol=1e-14)
    np.testing.assert_allclose(rule.weights @ nodes, 0, atol=1e-15)


def test_cell_means_give_the_exact_cost_of_a_quantiser():
    # The best one-bit quantiser of N(0, 1) leaves 1 - 2 / pi.
    rule = normal_cells(2, "probability")
    np.testing.assert_allclose(1 - rule.weights @ rule.nodes[:, 0] ** 2, 1 - 2 / np.pi, rtol=1e-14)


def test_normal_cells_weigh_the_tails_relatively_exactly():
    rule = normal_cells(170)
    np.testing.assert_allclose(rule.weights[0], special.ndtr(rule.edges[1]), rtol=1e-12)
    np.testing.assert_array_equal(rule.weights, rule.weights[::-1])


def test_uniform_cells_are_the_midpoint_rule():
    rule = uniform_cells(10)
    np.testing.assert_allclose(rule.weights @ rule.nodes[:, 0] ** 2, 1 / 3 - 1 / 1200, rtol=1e-13)


@pytest.mark.parametrize("n", [14, 17, 20, 24])
def test_trapezoid_error_is_as_stated(n):
    rule = normal_trapezoid(n)
    error = abs(rule.weights @ np.exp(0.5 * rule.nodes[:, 0]) / np.exp(0.125) - 1)
    assert error <= 3 * trapezoid_error(n) + 1e-15
    assert trapezoid_error(61) < 1e-18


def test_sobol_normals_have_exact_first_and_second_moments():
    rule = sobol_normal(1000, 5, seed=0)
    np.testing.assert_allclose(rule.weights @ rule.nodes, np.zeros(5), atol=1e-15)
    np.testing.assert_allclose(rule.nodes.T @ (rule.weights[:, None] * rule.nodes), np.eye(5), atol=1e-13)
    with pytest.raises(ValueError, match="more than 5"):
        sobol_normal(5, 5, seed=0)


def test_sobol_beats_monte_carlo_and_depends_on_its_seed_only():
    def error(rule):
        return abs(rule.weights @ np.prod(1 + (rule.nodes - 0.5) / 2, axis=1) - 1)

    sobol = np.mean([error(sobol_uniform(1024, 6, seed)) for seed in range(5)])
    plain = np.mean([error(monte_carlo_uniform(1024, 6, seed)) for seed in range(5)])
    assert sobol < plain / 3
    np.testing.assert_array_equal(sobol_uniform(64, 3, 7).nodes, sobol_uniform(64, 3, 7).nodes)
    assert not np.array_equal(sobol_uniform(64, 3, 7).nodes, sobol_uniform(64, 3, 8).nodes)
    assert sobol_uniform(1, 2, 0).nodes.shape == (1, 2) and sobol_uniform(5, 0, 0).nodes.shape == (5, 0)


def test_sobol_without_direction_numbers_falls_back_to_antithetic_points():
    rule = sobol_uniform(4, 21300, seed=0)
    np.testing.assert_allclose(rule.nodes.mean(axis=0), 0.5, atol=1e-15)


def test_monte_carlo_normals_are_antithetic():
    rule = monte_carlo_normal(501, 3, seed=0)
    assert rule.size == 501
    np.testing.assert_array_equal(rule.nodes[:250], -rule.nodes[251:])


def test_product_rules_multiply():
    rule = product_rule([gauss_hermite(3), gauss_legendre(4)])
    assert rule.nodes.shape == (12, 2)
    np.testing.assert_allclose(rule.weights @ (rule.nodes[:, 0] ** 4 * rule.nodes[:, 1] ** 5), 3 / 6, rtol=1e-13)
    assert product_rule([]).nodes.shape == (1, 0) and product_rule([]).weights[0] == 1


@settings(max_examples=25, deadline=None)
@given(shift=st.floats(0, 1, exclude_max=True))
def test_every_shift_of_the_trapezoid_rule_is_as_accurate(shift):
    nodes, weights = shifted_normal(40, shift)
    np.testing.assert_allclose(weights @ nodes**4, 3, rtol=1e-12)
    np.testing.assert_allclose(weights @ jnp.cos(2 * nodes), np.exp(-2), rtol=1e-11)


@pytest.mark.parametrize("rule, exact", [(shifted_uniform, 0.3), (shifted_normal_strata, special.ndtr(0.3))])
def test_shifted_strata_are_unbiased_across_a_jump(rule, exact):
    shifts = (jnp.arange(4000) + 0.5) / 4000
    nodes, weights = jax.vmap(lambda s: rule(7, s))(shifts)
    np.testing.assert_allclose(jnp.mean(jnp.sum(weights * (nodes < 0.3), -1)), exact, atol=1e-3)


def test_rotation_wraps_and_stays_inside():
    points = jnp.array([[0.0, 0.9], [0.5, 0.2]])
    np.testing.assert_allclose(rotated(points, jnp.array([0.25, 0.2])), [[0.25, 0.1], [0.75, 0.4]], atol=1e-15)
    assert jnp.all(jnp.isfinite(rotated_normal(points, jnp.zeros(2), match_moments=False)))


def test_rotated_normals_keep_matched_moments():
    points = sobol_uniform(256, 3, seed=1).nodes
    nodes = jax.jit(rotated_normal)(points, jnp.array([0.1, 0.5, 0.9]))
    np.testing.assert_allclose(nodes.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(nodes.T @ nodes / 256, np.eye(3), atol=1e-12)
