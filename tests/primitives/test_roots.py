"""Roots and their derivatives: against algebra, finite differences, and what happens where there is no root."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.primitives.roots import bracketed_root

X = jnp.asarray([0.1, 0.7, 3.0, 900.0])


def cubic(x):
    """p + p^3 = x."""
    return bracketed_root(lambda p: p + p**3 - x, jnp.zeros_like(x), jnp.full_like(x, 10.0))


def kepler(x):
    """p - 0.5 sin(p) = x, with a slope that varies much."""
    return bracketed_root(lambda p: p - 0.9 * jnp.sin(p) - x, jnp.full_like(x, -10.0), jnp.full_like(x, 1000.0))


@pytest.mark.parametrize("root", [pytest.param(cubic, marks=pytest.mark.study), kepler])
def test_derivatives_are_those_of_finite_differences(root):
    h = 1e-5
    first = jax.vmap(jax.grad(lambda x: root(x)))
    np.testing.assert_allclose(first(X), (root(X + h) - root(X - h)) / (2 * h), rtol=1e-6)
    for second in (jax.vmap(jax.jacfwd(jax.grad(root))), jax.vmap(jax.grad(jax.grad(root))), jax.vmap(jax.jacfwd(jax.jacfwd(root)))):
        np.testing.assert_allclose(second(X), (first(X + h) - first(X - h)) / (2 * h), rtol=1e-5, atol=1e-9)


def test_a_cubic_by_its_formulas():
    p = cubic(X)
    np.testing.assert_allclose(p + p**3, X, rtol=1e-14)
    slope = 1 + 3 * p**2
    third = jax.vmap(jax.grad(jax.grad(jax.grad(cubic))))
    np.testing.assert_allclose(jax.vmap(jax.grad(cubic))(X), 1 / slope, rtol=1e-13)
    np.testing.assert_allclose(jax.vmap(jax.grad(jax.grad(cubic)))(X), -6 * p / slope**3, rtol=1e-12)
    np.testing.assert_allclose(third(X), -6 / slope**4 + 108 * p**2 / slope**5, rtol=1e-11)


def test_in_compiled_and_repeated_programs():
    expected = np.asarray(cubic(X))
    np.testing.assert_allclose(jax.jit(cubic)(X), expected, rtol=1e-15)
    np.testing.assert_allclose(jax.vmap(cubic)(X), expected, rtol=1e-15)
    repeated = jax.jit(jax.grad(lambda x: jax.lax.scan(lambda c, _: (cubic(c), None), x, None, length=3)[0]))
    chained = jax.grad(lambda x: cubic(cubic(cubic(x))))
    assert float(repeated(3.0)) == pytest.approx(float(chained(3.0)), rel=1e-13)


def test_in_single_precision():
    p = cubic(X.astype(jnp.float32))
    assert p.dtype == jnp.float32
    np.testing.assert_allclose(p, cubic(X), rtol=1e-6)


def test_roots_at_the_ends_are_found():
    assert float(bracketed_root(lambda p: p, jnp.asarray(0.0), jnp.asarray(1.0))) == 0.0
    assert float(bracketed_root(lambda p: 1 - p, jnp.asarray(0.0), jnp.asarray(1.0))) == 1.0


def test_without_a_root_it_is_the_end_that_is_nearer_with_its_derivative():
    def root(x, high):
        return bracketed_root(lambda p: p - x, jnp.zeros_like(x), high)

    assert float(root(jnp.asarray(3.0), jnp.asarray(2.0))) == 2.0
    assert float(root(jnp.asarray(-1.0), jnp.asarray(2.0))) == 0.0
    assert [float(g) for g in jax.grad(root, (0, 1))(jnp.asarray(3.0), jnp.asarray(2.0))] == [0.0, 1.0]


def test_a_jump_and_a_flat_root_have_finite_derivatives():
    jump = jax.value_and_grad(lambda x: bracketed_root(lambda p: jnp.sign(p - x) * 2.0, jnp.zeros_like(x), jnp.ones_like(x)))
    value, slope = jump(jnp.asarray(0.3))
    assert float(value) == pytest.approx(0.3, abs=1e-14) and float(slope) == 0.0
    flat = jax.value_and_grad(lambda x: bracketed_root(lambda p: p**3 - x, -jnp.ones_like(x), 2 * jnp.ones_like(x)))
    value, slope = flat(jnp.asarray(0.0))
    assert abs(float(value)) < 1e-4 and np.isfinite(float(slope))
