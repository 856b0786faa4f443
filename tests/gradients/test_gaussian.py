"""Gaussian estimators: noise on the nodes of Gauss-Hermite rules, every combination over a small batch, so that expectations of
polynomial costs are exact finite sums."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.gradients.estimators import ESTIMATORS, Gaussian, objective
from dcgc.gradients.estimators.mixing import _inverse_variance, mixed
from dcgc.gradients.estimators.mixture import Mixture

MEAN = np.asarray([[0.7], [-0.4], [1.1], [0.2]])
SD = np.asarray([[0.5], [0.8], [1.0], [0.6]])
TARGET = np.asarray([0.1, 0.5, -1.0, 2.0])


def seed(number):
    """A key whose generator compiles in a moment."""
    return jax.random.key(number, impl="rbg")


def cost(value):
    """(value - target)^2 + value^3 / 5: by hand E = (m - t)^2 + s^2 + (m^3 + 3 m s^2) / 5."""
    return jnp.square(value[..., 0] - TARGET[: value.shape[-2]]) + value[..., 0] ** 3 / 5


def exact_gradient(mean, sd):
    rows = mean.shape[0]
    m, s, t = mean[:, 0], sd[:, 0], TARGET[:rows]
    return (2 * (m - t) + (3 * m**2 + 3 * s**2) / 5) / rows, (2 * s + 6 * m * s / 5) / rows


def nodes(rows, points):
    """All combinations (points^rows, 1, rows, 1) of standard normal nodes, and their probabilities."""
    x, w = np.polynomial.hermite_e.hermegauss(points)
    index = np.asarray(list(itertools.product(range(points), repeat=rows)))
    return x[index][:, None, :, None], (w / w.sum())[index].prod(axis=1)


def gradients_at(estimator, mean, sd, noise, cost=cost):
    def loss(site, at):
        drawn = estimator.place(site, at)
        return objective(estimator, drawn, cost(drawn.value))

    found = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0)))(Gaussian(mean, sd), noise)
    return np.asarray(found.mean[..., 0]), np.asarray(found.sd[..., 0])


MIXTURES = Mixture(), Mixture(rule="regression")
ALL = [
    (ESTIMATORS["pathwise"], 1, 6),
    (ESTIMATORS["reinforce"], 2, 8),
    (Mixture(folds=2), 4, 4),
    (Mixture(folds=2, rule="regression"), 4, 4),
]


@pytest.mark.parametrize(("estimator", "rows", "points"), ALL)
def test_unbiased_over_all_combinations_of_nodes(estimator, rows, points):
    noise, chances = nodes(rows, points)
    found = gradients_at(estimator, MEAN[:rows], SD[:rows], noise)
    for got, wanted in zip(found, exact_gradient(MEAN[:rows], SD[:rows]), strict=True):
        assert np.allclose(chances @ got, wanted, atol=1e-12)


@pytest.mark.parametrize("name", ["reinforce_leave_one_out", "mixture", "dithered_rounding"])
def test_means_of_many_draws(name):
    """Several draws per situation and an sd that all entries share. Rounding's errors are uniform with the same second moment: its
    cubic cost has the same expectation."""
    estimator = dataclasses.replace(ESTIMATORS[name], draws=4)
    count, rng = 2000, np.random.default_rng(0)
    shape = (count, 4, 4, 1)
    noise = rng.uniform(-0.5, 0.5, size=shape) if name == "dithered_rounding" else rng.normal(size=shape)

    def loss(mean, sd, at):
        drawn = estimator.place(Gaussian(mean, sd), at)
        return objective(estimator, drawn, cost(drawn.value))

    grads = jax.tree.map(np.asarray, jax.jit(jax.vmap(jax.grad(loss, (0, 1)), in_axes=(None, None, 0)))(MEAN, 0.6, noise))
    wanted = exact_gradient(MEAN, np.full((4, 1), 0.6))
    for got, exact in ((grads[0][..., 0], wanted[0]), (grads[1], np.sum(wanted[1]))):
        error = np.std(got, axis=0) / math.sqrt(count)
        assert np.all(np.abs(np.mean(got, axis=0) - exact) < 4.5 * error)


@pytest.mark.parametrize("name", ["pathwise", "dithered_rounding", "mixture"])
def test_draws_have_the_sites_mean_and_sd(name):
    shape = (4000, 2)
    drawn = jax.jit(ESTIMATORS[name].draw)(seed(0), Gaussian(jnp.full(shape, 1.5), jnp.asarray([0.5, 2.0])))
    value = np.asarray(drawn.value)
    assert value.shape == (1, *shape) and np.all(drawn.score == 0) and np.all(drawn.weight == 1)
    assert np.allclose(value.mean(axis=(0, 1)), 1.5, atol=0.12) and np.allclose(value.std(axis=(0, 1)), [0.5, 2.0], rtol=0.05)


def test_weights_that_saw_the_rows_own_noise_are_biased():
    """The negative control of cross-fitting, on the same nodes: one weight from all rows."""
    noise, chances = nodes(4, 4)
    eps, mean, sd = np.asarray(noise[:, 0, :, 0]), np.asarray(MEAN[:, 0]), np.asarray(SD[:, 0])
    value = mean + sd * eps
    costs = (value - np.asarray(TARGET)) ** 2 + value**3 / 5
    slope = 2 * (value - np.asarray(TARGET)) + 3 * value**2 / 5
    # baselines within the folds (0, 2), (1, 3): the other row's cost
    score = (costs - costs[:, [2, 3, 0, 1]]) * eps / sd

    def naive(one, two):
        of_score, of_pathwise = _inverse_variance(one[:, None], two[:, None], jnp.ones(4))
        weight = of_score / (of_score + of_pathwise)
        return weight * one + (1 - weight) * two

    exact = 4 * np.asarray(exact_gradient(MEAN, SD)[0])
    assert np.allclose(chances @ slope, exact, atol=1e-12) and np.allclose(chances @ score, exact, atol=1e-12)
    assert np.allclose(chances @ jax.jit(jax.vmap(lambda one, two: mixed(one, two, 2)))(slope, score), exact, atol=1e-12)
    assert np.abs(chances @ jax.jit(jax.vmap(naive))(slope, score) - exact).max() > 0.05


@functools.cache
def variance_of(estimator):
    """(frequency, means (256,)) -> 256 times the variance of the gradient by a shift of all means, over 500 replicates."""
    noise = np.random.default_rng(7).normal(size=(500, 1, 256, 1))

    def loss(shift, frequency, mean, at):
        drawn = estimator.place(Gaussian(mean[:, None] + shift, jnp.asarray(1.0)), at)
        value = drawn.value[..., 0]
        return objective(estimator, drawn, jnp.square(value) / 2 + 3 * jnp.sin(frequency * value) / jnp.maximum(frequency, 1.0))

    gradients = jax.vmap(jax.grad(loss), in_axes=(None, None, None, 0))
    estimated = jax.jit(lambda *given: jnp.var(gradients(0.0, *given)) * 256)
    return lambda frequency, mean: estimated(frequency, mean, noise)


PATH, SCORE = ESTIMATORS["pathwise"], ESTIMATORS["reinforce"]


def test_the_mixture_follows_the_better_of_the_two():
    """Smooth costs favour the pathwise gradient, rippled ones (amplitude falling, slope not) the score function."""
    mean = np.zeros(256)
    smooth, rippled = ({e: float(variance_of(e)(frequency, mean)) for e in (PATH, SCORE, *MIXTURES)} for frequency in (0.0, 30.0))
    assert smooth[SCORE] > 1.8 * smooth[PATH] and rippled[PATH] > 1.8 * rippled[SCORE]
    for mixture in MIXTURES:
        assert smooth[mixture] < 1.25 * smooth[PATH] and rippled[mixture] < 1.25 * rippled[SCORE]


def test_differences_between_situations_mislead_inverse_variances_more_than_the_regression():
    """Means far apart: both gradients vary with the situation, which says nothing on which of them is noisier."""
    mean = np.linspace(-6, 6, 256)
    path, variances, regression = (float(variance_of(e)(0.0, mean)) for e in (PATH, *MIXTURES))
    assert regression < 1.3 * path and variances > 1.8 * path


def test_a_jump_is_seen_by_the_score_and_not_by_the_path():
    """Chance of being above zero: its derivative by the mean is the density at zero."""
    rows = 40000
    wanted = math.exp(-(0.3**2) / 2) / math.sqrt(2 * math.pi)

    def slope(name):
        def loss(mean):
            drawn = ESTIMATORS[name].draw(seed(1), Gaussian(jnp.full((rows, 1), mean), jnp.asarray(1.0)))
            return objective(ESTIMATORS[name], drawn, jnp.where(drawn.value[..., 0] > 0, 1.0, 0.0))

        return float(jax.jit(jax.grad(loss))(0.3))

    assert slope("pathwise") == 0
    assert slope("reinforce") == pytest.approx(wanted, abs=0.02)


def test_dithered_rounding_on_a_grid_of_dithers():
    """The received value is on the shifted lattice, its error is uniform whatever the mean, and the gradient by mean and step is
    that of the smoothed cost, here a sine: E sin(f (m + step v)) = sin(f m) sin(h) / h, h = f step / 2."""
    estimator = ESTIMATORS["dithered_rounding"]
    count, sd, frequency = 4001, 0.4, 2.0
    dither = ((np.arange(count) + 0.5) / count - 0.5)[:, None, None]
    step = sd * math.sqrt(12)

    def loss(m, s):
        received = estimator.place(Gaussian(m[None, None], s), dither).value
        return jnp.mean(jnp.sin(frequency * received)), (received, estimator.codes(Gaussian(m[None, None], s), dither))

    def closed(m, s):
        half = frequency * s * math.sqrt(12) / 2
        return jnp.sin(frequency * m) * jnp.sin(half) / half

    estimated, smoothed = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True)), jax.jit(jax.value_and_grad(closed, (0, 1)))
    for mean in (0.0, 0.31, -1.7):
        (value, (received, codes)), gradient = estimated(jnp.asarray(mean), jnp.asarray(sd))
        sent = np.asarray(received) / step + dither
        assert np.allclose(sent, np.round(sent), atol=1e-12) and np.allclose(sent, codes, atol=1e-12)
        errors = np.sort(np.asarray(received)[:, 0, 0] - mean) / step
        assert np.allclose(errors, np.linspace(-0.5, 0.5, count), atol=2 / count)
        got, wanted = (value, gradient), smoothed(jnp.asarray(mean), jnp.asarray(sd))
        assert np.allclose(got[0], wanted[0], atol=1e-3) and np.allclose(got[1], wanted[1], atol=2e-3)


def test_rounding_without_a_dither_is_biased():
    """The negative control: slopes at the lattice points are not the slope over the cell."""
    estimator = ESTIMATORS["straight_through_rounding"]
    means = np.linspace(0, 1, 2001)[:, None]

    def loss(mean):
        value = estimator.draw(seed(0), Gaussian(mean, jnp.asarray(1 / math.sqrt(12)))).value
        return jnp.sum(value**3), value

    slope, value = jax.jit(jax.grad(loss, has_aux=True))(means)
    assert np.array_equal(value[0], np.round(means))
    # value^3 rises by 1 from mean 0 to mean 1; the slopes integrate to 1.5
    assert np.mean(slope) == pytest.approx(1.5, abs=1e-2)


def test_folds_need_rows():
    with pytest.raises(ValueError, match="folds of two or more"):
        gradients_at(Mixture(), MEAN[:3], SD[:3], nodes(3, 2)[0])
