"""Taps and responses against closed forms and one sample at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.gradients.taps import jacobian_response, norms, tapped, taps

RNG = np.random.default_rng(0)
MESSAGE = RNG.normal(size=(5, 2, 3))
WEIGHTS = RNG.normal(size=(6, 2))


def act(message, scale):
    return jnp.tanh(scale * message.reshape(-1) @ WEIGHTS)


SCALES = np.linspace(0.5, 1.5, 5)


def cost_of(message, scale):
    """One sample's costs of three players; the last does not look at the message."""
    action = act(message, scale)
    return jnp.stack([jnp.sum(action**2), action[0] * jnp.sum(message**2), scale])


def costs(message):
    return jax.vmap(cost_of)(message, SCALES).T


def test_taps_are_each_samples_own_gradient():
    @jax.jit
    def all_ways():
        added = taps(lambda zero: costs(MESSAGE + zero), MESSAGE.shape)
        return tapped(costs, MESSAGE), tapped(costs, MESSAGE, in_turn=True).taps, added

    found, in_turn, added = all_ways()
    alone = jax.jit(lambda message, scale: (cost_of(message, scale), jax.jacrev(cost_of)(message, scale)))
    assert found.taps.shape == (3, 5, 2, 3)
    for i in range(5):
        cost, gradient = alone(MESSAGE[i], SCALES[i])
        assert np.allclose(found.costs[:, i], cost) and np.allclose(found.taps[:, i], gradient, atol=1e-13)
    assert np.all(found.taps[2] == 0)
    assert np.allclose(in_turn, found.taps) and np.allclose(added, found.taps)


def test_taps_by_hand():
    """A quadratic loss of a linear message: 2 (m - t) for one payer, a constant for another."""
    target = RNG.normal(size=(4, 3))
    found = jax.jit(lambda: taps(lambda zero: jnp.stack([jnp.sum((zero - target) ** 2, axis=-1), jnp.sum(zero, axis=-1)]), (4, 3)))()
    assert np.allclose(found[0], -2 * target) and np.allclose(found[1], 1)


def test_samples_that_mix_are_told_together():
    """The negative control: with a batch mean in the costs a tap holds the other samples' costs too."""
    found = taps(lambda zero: jnp.broadcast_to(jnp.mean(zero[:, 0]), (1, 4)), (4, 1))
    assert np.allclose(found, 1.0)


def test_norms_of_samples_and_tokens():
    gradient = jnp.asarray(RNG.normal(size=(3, 5, 2, 3)))
    found = norms(gradient)
    assert found.samples.shape == (3, 5) and found.tokens.shape == (3, 5, 2)
    assert np.allclose(found.samples**2, jnp.sum(found.tokens**2, axis=-1))
    assert np.allclose(found.tokens[0, 1, 1], np.linalg.norm(gradient[0, 1, 1]))
    assert norms(gradient, token_axes=0).tokens.shape == (3, 5, 2, 3)
    assert np.allclose(norms(gradient, token_axes=2).tokens, found.samples)
    with pytest.raises(ValueError, match="no tokens of 3"):
        norms(gradient, token_axes=3)


def test_responses_and_their_singular_values():
    found = jax.jit(lambda: jacobian_response(act, MESSAGE, SCALES))()
    assert found.jacobians.shape == (5, 2, 2, 3) and found.singular_values.shape == (5, 2)
    for i in range(5):
        inside = 1 - np.tanh(SCALES[i] * MESSAGE[i].reshape(-1) @ WEIGHTS) ** 2
        wanted = SCALES[i] * inside[:, None] * WEIGHTS.T
        assert np.allclose(found.jacobians[i].reshape(2, 6), wanted, atol=1e-13)
        assert np.allclose(found.singular_values[i], np.linalg.svd(wanted, compute_uv=False))
    deaf = jax.jit(lambda: jacobian_response(lambda message: jnp.zeros(2), MESSAGE))()
    assert np.all(deaf.singular_values == 0)


def test_costs_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"are not \(players, 5\)"):
        tapped(lambda message: jnp.sum(message, axis=(1, 2)), MESSAGE)
