"""Policy families: shapes, dtypes, vmapped starts, what is trained, exactness, jumps, and names of options."""

from __future__ import annotations

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcgc.policies import FAMILIES, Grid, Piecewise, build, options

SMALL = {
    "mlp": {"width": 8},
    "transformer": {"layers": 1, "heads": 2, "width": 8},
    "grid": {"cells": 9},
    "piecewise": {"pieces": 4},
    "pointer": {"width": 8, "layout": ((1, 2), (2, 1)), "rows": 1},
}
INPUTS = {"table": 0, "grid": 1, "piecewise": 1}


def small(name: str, key: jax.Array, combinations: int = 3, outputs: int = 2, **given):
    sizes = {"inputs": INPUTS.get(name, 4), "outputs": outputs, "combinations": combinations}
    given = {**sizes, **SMALL.get(name, {}), **given}
    return compiled(name, tuple(given.items()))(key)


@functools.cache
def compiled(name: str, given: tuple):  # a jitted start: eager ones compile every operation by itself
    return eqx.filter_jit(lambda key: build(name, key, **dict(given)))


def inputs_of(name: str, count: int) -> jax.Array:
    return jax.random.normal(jax.random.key(5), (count, INPUTS.get(name, 4)))


@pytest.mark.parametrize("name", FAMILIES)
def test_many_starts_at_once_in_many_situations(name):
    policies = jax.jit(jax.vmap(lambda key: small(name, key)))(jax.random.split(jax.random.key(0), 4))
    index, inputs = jnp.arange(6) % 3, inputs_of(name, 6)
    raw = eqx.filter_jit(eqx.filter_vmap(lambda policy: jax.vmap(policy)(index, inputs)))(policies)
    assert raw.shape == (4, 6, 2) and raw.dtype == jnp.float64
    assert jnp.all(jnp.isfinite(raw))
    # Starts differ, by numbers of order one, and situations are told apart by the finite input.
    assert 0.05 < float(jnp.std(raw[:, 0, 0])) < 5
    assert not jnp.allclose(raw[0, 0], raw[0, 1])


@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_are_finite_and_reach_exactly_what_is_trained(name):
    policy = small(name, jax.random.key(1))
    index, inputs = jnp.arange(64) % 3, inputs_of(name, 64)
    keyword = {"temperature": 0.3} if name == "piecewise" else {}

    def cost(policy):
        raw = jax.vmap(lambda i, x: policy(i, x, **keyword))(index, inputs)
        return jnp.mean((raw - 1) ** 2)

    # One step first: the mlp's last layer starts at zero and hides the layers below it.
    arrays, static = eqx.partition(policy, eqx.is_inexact_array)
    gradient = jax.jit(jax.grad(lambda a: cost(eqx.combine(a, static))))
    moved = jax.tree.map(lambda a, g: a - 0.1 * np.asarray(g), jax.tree.map(np.asarray, arrays), gradient(arrays))
    slopes = jax.tree.leaves(gradient(moved))
    trained = jax.tree.leaves(policy.trainable())
    assert len(slopes) == len(trained)
    for slope, is_trained in zip(slopes, trained, strict=True):
        assert jnp.all(jnp.isfinite(slope))
        assert bool(jnp.any(slope != 0)) == is_trained


@pytest.mark.parametrize("name", FAMILIES)
def test_single_precision(name):
    policy = small(name, jax.random.key(0), dtype=jnp.float32)
    assert {leaf.dtype for leaf in jax.tree.leaves(policy)} == {jnp.dtype("float32")}
    raw = jax.eval_shape(lambda: policy(0, jnp.zeros(INPUTS.get(name, 4), jnp.float32)))
    assert raw.dtype == jnp.float32


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ("grid", "piecewise", "pointer")])
def test_no_continuous_inputs(name):
    policy = small(name, jax.random.key(0), inputs=0, combinations=1)
    raw = eqx.filter_jit(policy)(0, jnp.zeros(0))
    assert raw.shape == (2,) and jnp.all(jnp.isfinite(raw))


def test_mlp_starts_affine_and_can_bend():
    key, x = jax.random.key(3), jnp.array([0.4, -1.0, 2.0, 0.1])
    policy = small("mlp", key, combinations=1)
    at = jax.vmap(lambda t: policy(0, t * x))(jnp.array([-1.0, 0.0, 1.0]))
    np.testing.assert_allclose(at[0] + at[2], 2 * at[1], atol=1e-12)
    bent = small("mlp", key, combinations=1, bend=1.0)
    at = jax.vmap(lambda t: bent(0, t * x))(jnp.array([-1.0, 0.0, 1.0]))
    assert float(jnp.max(jnp.abs(at[0] + at[2] - 2 * at[1]))) > 1e-3


def test_grid_interpolates_and_extrapolates_as_asked():
    nodes = np.array([-1.0, 0.0, 2.0])
    values = jnp.array([[[1.0], [3.0], [-1.0]]])

    def at(x, **how):
        policy = build("grid", jax.random.key(0), inputs=1, outputs=1, nodes=nodes, **how)
        policy = eqx.tree_at(lambda p: p.values, policy, values)
        return [float(policy(0, jnp.array([t]))[0]) for t in x]

    np.testing.assert_allclose(at([-1, -0.5, 0, 0.5, 2]), [1, 2, 3, 2, -1])
    np.testing.assert_allclose(at([-2, 3], extrapolation="linear"), [-1, -3])
    np.testing.assert_allclose(at([-2, 3], extrapolation="flat"), [1, -1])
    np.testing.assert_allclose(at([-9, -0.51, -0.49, 0.99, 1.01, 9], interpolation="constant"), [1, 1, 3, 3, -1, -1])


def staircase() -> Piecewise:
    policy = build("piecewise", jax.random.key(0), inputs=1, outputs=1, pieces=3, start="identity", jitter=0.0)
    assert isinstance(policy, Piecewise)
    return policy


def test_piecewise_starts_as_a_staircase_and_jumps():
    policy = staircase()
    np.testing.assert_allclose(policy.breakpoints(0), [-1, 1], atol=1e-12)
    run = eqx.filter_jit(lambda policy, x: policy(0, x))
    values = [float(run(policy, jnp.array([x]))[0]) for x in (-5, -1 - 1e-9, -1 + 1e-9, 0.9, 1 + 1e-9, 5)]
    np.testing.assert_allclose(values, [-2, -2, 0, 0, 2, 2], atol=1e-12)
    sloped = eqx.tree_at(lambda p: p.slopes, policy, jnp.full_like(policy.slopes, 0.5))
    np.testing.assert_allclose(run(sloped, jnp.array([0.6])), [0.3])


def test_softened_breakpoints_have_the_derivative_of_the_integral():
    # d/db INT f(x) dx over a grid much finer than the temperature = -(jump) at b; exactly zero without softening.
    policy, x = staircase(), jnp.linspace(-3, 3, 4001)[:, None]

    def integral(policy, temperature):
        return 6 * jnp.mean(jax.vmap(lambda x: policy(0, x, temperature))(x)[:, 0])

    slope = jax.jit(jax.grad(integral))
    soft = slope(policy, 0.02)
    np.testing.assert_allclose(soft.first, -4.0, rtol=1e-3)  # both breakpoints move, each jump is 2
    assert jnp.all(slope(policy, 0.0).first == 0)
    np.testing.assert_allclose(integral(policy, 1e-4), integral(policy, 0.0), atol=1e-2)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), shift=st.floats(-20, 20))
def test_breakpoints_are_ordered_whatever_the_parameters(seed, shift):
    policy = small("piecewise", jax.random.key(seed), pieces=6, jitter=1.0)
    assert isinstance(policy, Piecewise)
    policy = eqx.tree_at(lambda p: p.increments, policy, policy.increments + shift)
    assert jnp.all(jnp.diff(policy.breakpoints(1)) > 0)


def test_transformer_reads_layouts_and_its_prior_follows_relevance():
    key = jax.random.key(0)
    layout = ((2, 3), (1, 1))
    policy = small("transformer", key, inputs=7, layout=layout, gradient_aware=True)
    plain = small("transformer", key, inputs=7, layout=layout)
    run = eqx.filter_jit(lambda policy: policy(0, jnp.arange(7.0) / 7))
    # Equal relevances are the uniform prior, hence plain attention.
    np.testing.assert_allclose(run(policy), run(plain), rtol=1e-12)
    aware = policy.with_relevance([1.0, 0.0, 0.0])
    np.testing.assert_allclose(np.exp(aware.log_prior()[2:]) / 3, [0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3])
    assert not jnp.allclose(run(aware), run(policy))
    with pytest.raises(ValueError, match="does not add up"):
        build("transformer", key, inputs=7, outputs=1, layout=((2, 3),))


def test_the_learned_bias_is_trained_only_where_it_is_asked_for():
    with_bias = small("transformer", jax.random.key(0), learned_bias=True)
    without = small("transformer", jax.random.key(0))
    assert with_bias.trainable().bias and not without.trainable().bias
    assert not with_bias.trainable().relevance


def test_wrong_names_and_sizes_are_told():
    key = jax.random.key(0)
    with pytest.raises(TypeError, match="did you mean width"):
        build("mlp", key, inputs=1, outputs=1, widht=3)
    with pytest.raises(KeyError, match="did you mean affine"):
        build("afine", key, inputs=1, outputs=1)
    for name, inputs in (("grid", 2), ("piecewise", 0), ("table", 1)):
        with pytest.raises(ValueError, match="continuous"):
            build(name, key, inputs=inputs, outputs=1)
    with pytest.raises(ValueError, match="increasing"):
        build("grid", key, inputs=1, outputs=1, nodes=[1.0, 0.0])
    assert options("mlp")["width"] == 64 and "combinations" not in options("mlp")


def test_grid_nodes_are_left_out_of_training():
    grid = small("grid", jax.random.key(0))
    assert isinstance(grid, Grid)
    trained, _ = eqx.partition(grid, grid.trainable())
    assert trained.nodes is None and trained.values is not None
