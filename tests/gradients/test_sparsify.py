"""Dropped edges: unbiased over all outcomes; keep rates against scipy's solver and their own optimality conditions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from dcgc.gradients.routes import dropped, dropping, keep_rates

RNG = np.random.default_rng(0)
RATES = jax.jit(keep_rates, static_argnums=3)


def test_dropping_is_unbiased_with_the_known_variance():
    gradient = {"w": RNG.normal(size=(3, 2)), "b": np.asarray([1.0, -2.0, 3.0])}
    keep = np.asarray([0.9, 0.3, 1.0])
    found = jax.jit(jax.vmap(lambda key: dropped(gradient, keep, key)))(jax.random.split(jax.random.key(0), 40000))
    found = jax.tree.map(np.asarray, found)
    for name, leaf in gradient.items():
        rates = keep.reshape(3, *(1,) * (leaf.ndim - 1))
        variance = leaf**2 * (1 / rates - 1)
        assert np.all(np.abs(np.mean(found[name], axis=0) - leaf) <= 4.5 * np.sqrt(variance / 40000) + 1e-12)
        assert np.allclose(np.var(found[name], axis=0), variance, rtol=0.05, atol=1e-12)
    # an edge is kept or dropped as a whole, in all leaves
    assert np.array_equal(found["w"][:, 1, 0] == 0, found["b"][:, 1] == 0) and np.array_equal(found["w"] == 0, (found["w"] == 0)[..., ::-1])
    assert np.allclose(np.mean(found["b"][:, 1] != 0), 0.3, atol=0.01)


def test_an_edge_that_is_never_kept_is_zero_and_one_always_kept_is_itself():
    key, ones = jax.random.key(0), np.ones((2, 4))
    found, whole = jax.jit(lambda: (dropped(ones, jnp.asarray([0.0, 1.0]), key), dropped(ones, 1.0, key)))()
    assert np.array_equal(found, [[0] * 4, [1] * 4]) and np.array_equal(whole, ones)


def test_the_gate_is_the_identity_forward_and_drops_backward():
    value, keep, key = RNG.normal(size=(4, 2)), np.asarray([0.5, 0.25, 0.5, 1.0]), jax.random.key(3)

    @jax.jit
    def both(value):
        gradient = jax.grad(lambda v: jnp.sum(jnp.sin(dropping(v, keep, key))))(value)
        return dropping(value, keep, key), gradient, dropped(jnp.cos(value), keep, key)

    forward, gradient, wanted = both(value)
    assert np.array_equal(forward, value) and np.allclose(gradient, wanted)
    assert np.any(gradient == 0) and np.any(gradient != 0)


@pytest.mark.parametrize(("share", "least"), [(0.1, 0.0), (0.4, 0.0), (0.8, 0.0), (0.4, 0.2), (0.9, 0.05)])
def test_keep_rates_against_scipy(share, least):
    moments, costs = RNG.uniform(0.01, 10, 7), RNG.uniform(0.5, 3, 7)
    budget = share * costs.sum()
    found = np.asarray(RATES(moments, costs, budget, least))
    assert found @ costs == pytest.approx(budget, rel=1e-10) and np.all((found >= least) & (found <= 1))
    solved = minimize(
        lambda rates: np.sum(moments / rates),
        np.full(7, share),
        jac=lambda rates: -moments / rates**2,
        bounds=[(max(least, 1e-4), 1)] * 7,
        constraints={"type": "eq", "fun": lambda rates: rates @ costs - budget, "jac": lambda rates: costs},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert solved.success
    assert np.allclose(found, solved.x, atol=2e-4)
    assert np.sum(moments / found) <= solved.fun * (1 + 1e-9)
    # one price for all edges inside their bounds, and the negative control: equal rates cost more variance
    inside = (found > least + 1e-9) & (found < 1 - 1e-9)
    price = moments[inside] / (costs[inside] * found[inside] ** 2)
    assert np.allclose(price, price[:1])
    assert np.sum(moments / found) < np.sum(moments / share)


def test_keep_rates_at_the_ends():
    moments, costs = np.asarray([4.0, 1.0, 0.0]), np.asarray([1.0, 1.0, 2.0])
    assert np.array_equal(RATES(moments, costs, 10.0, 0.0), [1, 1, 1])
    assert np.allclose(RATES(moments, costs, 0.0, 0.0), 0)
    assert np.allclose(RATES(moments, costs, 0.01, 0.1), 0.1)
    assert np.allclose(RATES(moments, costs, 1.5, 0.0), [1, 0.5, 0], atol=1e-5)
    assert np.allclose(RATES(moments, costs, 3.0, 0.0), [1, 1, 0.5], atol=1e-9)
    assert np.allclose(RATES(np.zeros(3), np.ones(3), 1.5, 0.0), 0.5)
    with pytest.raises(ValueError, match="not both"):
        keep_rates(moments, costs[:2], 1.0)
    with pytest.raises(ValueError, match="no probability"):
        keep_rates(moments, costs, 1.0, least=1.5)
