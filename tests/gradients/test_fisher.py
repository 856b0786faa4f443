"""Fisher information against quadrature of the score, and the rank penalty against finite differences."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.gradients.divergence import kl_to_standard_normal
from dcgc.gradients.fisher import (
    effective_rank,
    fisher_rank_penalty,
    information,
    message_jacobians,
    score_jacobians,
    spectrum,
    whitened,
)

RNG = np.random.default_rng(0)


def encode(x):
    """Two inputs, a message of two, its sd depending on the input too."""
    return jnp.stack([jnp.tanh(x[0] + 2 * x[1]), x[0] * x[1]]), jnp.stack([jnp.exp(0.3 * x[0]), 0.5 + x[1] ** 2])


def test_information_is_the_second_moment_of_the_score():
    """E score score^T by Gauss-Hermite, exact for a Gaussian."""
    inputs = RNG.normal(size=(3, 2))
    found = jax.jit(lambda given: information(message_jacobians(encode, given)))(inputs)
    x, w = np.polynomial.hermite_e.hermegauss(6)
    noise = np.asarray([[a, b] for a in x for b in x])
    chances = np.asarray([a * b for a in w for b in w]) / w.sum() ** 2

    def log_density(given, message):
        mean, sd = encode(given)
        return jnp.sum(-jnp.square((message - mean) / sd) / 2 - jnp.log(sd))

    @jax.jit
    def by_quadrature(given):
        mean, sd = encode(given)
        scores = jax.vmap(jax.grad(log_density), in_axes=(None, 0))(given, mean + sd * noise)
        mean_jacobian = jax.jacobian(lambda g: encode(g)[0])(given)
        return jnp.einsum("q,qi,qj->ij", chances, scores, scores), information(whitened(mean_jacobian[None], sd[None]))[0]

    for given, matrix in zip(inputs, np.asarray(found), strict=True):
        both, alone = by_quadrature(given)
        assert np.allclose(matrix, both, atol=1e-12)
        # the negative control: the mean's part alone falls short
        assert np.trace(matrix - alone) > 0.1


def test_parameters_have_information_too():
    """N(theta_0 + theta_1 x, exp(theta_2)^2): information diag by hand, E over x and message."""
    n, theta = 200000, {"line": jnp.asarray([0.5, -1.0]), "log_sd": jnp.asarray(0.3)}
    x, noise = RNG.normal(size=n), RNG.normal(size=n)
    message = 0.5 - x + np.exp(0.3) * noise

    def log_density(parameters, given, message):
        mean = parameters["line"][0] + parameters["line"][1] * given
        return -jnp.square((message - mean) * jnp.exp(-parameters["log_sd"])) / 2 - parameters["log_sd"]

    scores = jax.jit(lambda *samples: score_jacobians(log_density, theta, *samples))(x, message)
    assert scores.shape == (n, 1, 3)
    wanted = np.diag([np.exp(-0.6), np.exp(-0.6), 2.0])
    assert np.allclose(np.mean(information(scores), axis=0), wanted, atol=0.03)
    assert np.allclose(spectrum(scores), [2.0, np.exp(-0.6), np.exp(-0.6)], atol=0.03)


@pytest.mark.parametrize("shape", [(7, 2, 5), (2, 2, 5), (3, 4, 2)])
def test_the_spectrum_is_that_of_the_information(shape):
    jacobians = RNG.normal(size=shape)
    matrices = np.einsum("nri,nrj->nij", jacobians, jacobians)
    each, mean = np.linalg.eigvalsh(matrices)[:, ::-1], np.linalg.eigvalsh(np.mean(matrices, axis=0))[::-1]
    both = jax.jit(lambda given: (spectrum(given), spectrum(given, per_sample=True)))(jacobians)
    for found, wanted in zip(both, (mean, each), strict=True):
        count = found.shape[-1]
        assert np.allclose(found, wanted[..., :count], atol=1e-10) and np.allclose(wanted[..., count:], 0, atol=1e-10)


def test_effective_rank():
    shares = np.asarray([0.7, 0.2, 0.1])
    spectra = np.asarray([[4, 4, 4], [3, 0, 0], [2, 2, 0], [0, 0, 0], 40 * shares])
    assert np.allclose(jax.jit(effective_rank)(spectra), [3, 1, 2, 1, np.exp(-np.sum(shares * np.log(shares)))])


@pytest.mark.parametrize("per_sample", [False, True])
def test_the_penalty_has_a_gradient(per_sample):
    jacobians, direction = RNG.normal(size=(2, 4, 3, 3))

    @jax.jit
    @jax.value_and_grad
    def along(step, scale):
        return fisher_rank_penalty(scale * (jacobians + step * direction), per_sample)

    assert float(along(0.0, 1.0)[1]) == pytest.approx(float((along(1e-5, 1.0)[0] - along(-1e-5, 1.0)[0]) / 2e-5), rel=1e-6)
    assert float(along(0.0, 10.0)[0]) == pytest.approx(float(along(0.0, 1.0)[0]), rel=1e-9)


def test_the_penalty_at_its_ends():
    """Zero for a flat spectrum, log k for rank one and for an encoder that says nothing, with finite gradients at each."""
    flat, one, dead = np.eye(3)[None], np.ones((1, 3, 3)), np.zeros((1, 3, 3))
    penalty = jax.jit(jax.value_and_grad(fisher_rank_penalty))
    for jacobians, wanted in ((flat, 0.0), (one, np.log(3)), (dead, np.log(3))):
        value, gradient = penalty(jacobians)
        assert float(value) == pytest.approx(wanted, abs=1e-5)
        assert np.all(np.isfinite(gradient))


def test_descent_on_the_penalty_raises_the_rank():
    weights = np.diag([1.0, 0.1, 0.01]) + 0.02 * RNG.normal(size=(3, 3))
    inputs = RNG.normal(size=(16, 3))

    @jax.jit
    @functools.partial(jax.grad, has_aux=True)
    def step(matrix):
        jacobians = message_jacobians(lambda x: (jnp.tanh(matrix @ x), jnp.asarray(0.5)), inputs)
        return fisher_rank_penalty(jacobians), effective_rank(spectrum(jacobians))

    ranks = []
    for _ in range(60):
        gradient, rank = step(weights)
        weights, ranks = weights - 0.02 * np.asarray(gradient), [*ranks, float(rank)]
    assert ranks[0] < 1.3 and ranks[-1] > 2.5


def test_divergence_from_a_standard_normal():
    x, w = np.polynomial.hermite_e.hermegauss(20)
    mean, sd = 0.7, 0.4
    at = mean + sd * x
    wanted = np.sum(w / w.sum() * ((-(x**2) / 2 - np.log(sd)) + at**2 / 2))
    found = jax.jit(kl_to_standard_normal)(np.asarray([[mean, 0], [mean, mean], [0, 0]]), np.asarray([[sd, 1], [sd, 1], [1, 1]]))
    assert np.allclose(found, [wanted, wanted + mean**2 / 2, 0], rtol=1e-12)
