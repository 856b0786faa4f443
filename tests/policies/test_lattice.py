"""The lattice against scipy's interpolator, at nodes, between and beyond; jumps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from dcgc.policies.lattice import Lattice


def lattice(values, nodes, breaks=None, columns=None):
    values = np.asarray(values, float)
    nodes = tuple(jnp.asarray(n, float) for n in nodes)
    breaks = np.zeros((values.shape[0], len(nodes[0]) - 1)) if breaks is None else breaks
    return Lattice(jnp.asarray(values), nodes, jnp.asarray(breaks, float), columns or tuple(range(len(nodes))))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_against_scipy(seed, axes):
    rng = np.random.default_rng(seed)
    nodes = [np.sort(rng.normal(size=rng.integers(2, 6))) + np.arange(1) for _ in range(axes)]
    nodes = [n + 0.1 * np.arange(len(n)) for n in nodes]
    values = rng.normal(size=(2, *(len(n) for n in nodes), 2))
    p = lattice(values, nodes)
    points = rng.uniform(-3, 3, (8, axes))
    for combination in range(2):
        reference = RegularGridInterpolator(nodes, values[combination], bounds_error=False, fill_value=None)(points)
        found = np.array([p(combination, jnp.asarray(x)) for x in points])
        assert np.allclose(found, reference, rtol=1e-8, atol=1e-8)


def test_at_its_nodes_it_has_its_values_and_columns_say_which_input():
    values = np.arange(6.0).reshape(1, 2, 3, 1)
    p = lattice(values, ([0, 1], [0, 1, 2]), columns=(2, 0))
    for i in range(2):
        for j in range(3):
            assert float(p(0, jnp.asarray([float(j), 99.0, float(i)]))[0]) == values[0, i, j, 0]


def test_a_jump_is_where_it_is_said_to_be():
    """Flat pieces on both sides of a gap: a step at the given place of it, and no slope anywhere."""
    nodes, values = np.arange(6.0), np.array([1, 1, 1, 5, 5, 5.0]).reshape(1, 6, 1)
    breaks = np.zeros((1, 5))
    breaks[0, 2] = 0.25
    p = lattice(values, (nodes,), breaks)
    f = jax.vmap(lambda x: p(0, x[None])[0])
    x = np.array([-1.0, 0.5, 2.0, 2.2, 2.249, 2.251, 2.9, 3.0, 4.5, 7.0])
    assert np.allclose(f(jnp.asarray(x)), [1, 1, 1, 1, 1, 5, 5, 5, 5, 5])


def test_lines_go_on_up_to_a_jump():
    nodes = np.arange(6.0)
    values = np.where(nodes < 2.5, nodes, 10 - nodes).reshape(1, 6, 1)
    breaks = np.zeros((1, 5))
    breaks[0, 2] = 0.5
    p = lattice(values, (nodes,), breaks)
    f = jax.vmap(lambda x: p(0, x[None])[0])
    x = np.linspace(-1, 6, 141)
    x = x[np.abs(x - 2.5) > 1e-6]
    assert np.allclose(f(jnp.asarray(x)), np.where(x < 2.5, x, 10 - x))


def test_only_values_are_trained():
    p = Lattice.build(jax.random.key(0), inputs=2, outputs=1, combinations=3, dtype=float, cells=5)
    flags = p.trainable()
    assert flags.values is True and flags.breaks is False and flags.nodes is False
    assert p(2, jnp.zeros(2)).shape == (1,)
    with pytest.raises(ValueError):
        Lattice.build(jax.random.key(0), inputs=0, outputs=1, combinations=1, dtype=float)
    with pytest.raises(ValueError):
        Lattice.build(jax.random.key(0), inputs=5, outputs=1, combinations=1, dtype=float, cells=33)


def test_a_built_lattice_is_a_plane():
    p = Lattice.build(jax.random.key(1), inputs=2, outputs=1, combinations=1, dtype=float, cells=9)
    x = np.random.default_rng(0).normal(size=(30, 2)) * 3
    y = np.array([float(p(0, jnp.asarray(v))[0]) for v in x])
    design = np.column_stack([np.ones(30), x])
    assert np.allclose(design @ np.linalg.lstsq(design, y, rcond=None)[0], y, atol=1e-9)


def test_nodes_that_rounding_made_equal_leave_numbers():
    """The far nodes of a bounded law's draw are all 1."""
    p = lattice(np.array([0, 1, 2, 2, 2.0]).reshape(1, 5, 1), ([0.0, 0.5, 1, 1, 1],))
    f = jax.vmap(lambda x: p(0, x[None])[0])
    assert np.allclose(f(jnp.asarray([0.25, 0.5, 0.75, 1.0])), [0.5, 1, 1.5, 2])
