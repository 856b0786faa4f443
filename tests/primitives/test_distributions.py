"""Laws against scipy: transforms into both tails, moments, densities, derivatives, and the finite ones."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from dcgc.primitives.distributions import DISTRIBUTIONS
from dcgc.primitives.distributions.law import Continuous

Z = np.linspace(-8, 8, 33)

# Law, arguments, and the same law frozen in scipy.
SCALAR = {
    "Normal": ((0.5, 2.0), stats.norm(0.5, 2.0)),
    "Uniform": ((-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    "LogNormal": ((0.3, 0.5), stats.lognorm(0.5, scale=np.exp(0.3))),
    "Exponential": ((2.0,), stats.expon(scale=0.5)),
    "Gamma": ((2.5, 2.0), stats.gamma(2.5, scale=0.5)),
    "Beta": ((2.5, 0.7), stats.beta(2.5, 0.7)),
    "Student": ((3.5,), stats.t(3.5)),
}
GAMMA_SHAPES = [0.1, 1.0, 40.0, 1e4]
BETA_SHAPES = [(0.1, 0.3), (1.0, 1.0), (40.0, 3.0), (500.0, 900.0)]


@functools.cache
def transform(name: str):  # one compilation a law, shared by all tests
    return jax.jit(jax.vmap(DISTRIBUTIONS[name].transform))


@functools.cache
def invert(name: str):
    return jax.jit(jax.vmap(DISTRIBUTIONS[name].invert))


def full(args: tuple[float, ...], like: np.ndarray) -> list[np.ndarray]:
    return [np.full(like.shape, arg) for arg in args]


def bases(law: Continuous) -> np.ndarray:
    return Z if law.base == "normal" else np.concatenate([[1e-15], np.linspace(0.01, 0.99, 31), [1 - 1e-15]])


def by_tails(lower, upper) -> np.ndarray:
    """Quantiles at Z from the smaller tail's inverse, the only one that is accurate."""
    return np.where(Z < 0, lower(special.ndtr(Z)), upper(special.ndtr(-Z)))


@pytest.mark.parametrize("name", SCALAR)
def test_transform_is_the_quantile_of_the_base_into_both_tails(name):
    law = DISTRIBUTIONS[name]
    args, frozen = SCALAR[name]
    base = bases(law)
    value = np.asarray(transform(name)(base, *full(args, base)))
    expected = by_tails(frozen.ppf, frozen.isf) if law.base == "normal" else frozen.ppf(base)
    # scipy's own Beta isf near one is the limit there; everything else agrees to rounding.
    np.testing.assert_allclose(value, expected, rtol=2e-12, atol=1e-14)
    assert np.all(np.diff(value) >= 0)


@pytest.mark.parametrize("a", GAMMA_SHAPES)
def test_gamma_quantiles_for_small_and_large_shapes(a):
    value = transform("Gamma")(Z, *full((a, 1.0), Z))
    expected = by_tails(functools.partial(special.gammaincinv, a), functools.partial(special.gammainccinv, a))
    np.testing.assert_allclose(value, expected, rtol=1e-11)


@pytest.mark.parametrize("a, b", BETA_SHAPES)
def test_beta_quantiles_for_small_and_large_shapes(a, b):
    value = transform("Beta")(Z, *full((a, b), Z))
    expected = by_tails(lambda p: special.betaincinv(a, b, p), lambda p: 1 - special.betaincinv(b, a, p))
    np.testing.assert_allclose(value, expected, rtol=1e-11)


@pytest.mark.parametrize("name", SCALAR)
def test_invert_undoes_transform(name):
    args, _ = SCALAR[name]
    base = bases(DISTRIBUTIONS[name])
    value = np.asarray(transform(name)(base, *full(args, base)))
    # A Beta draw near one has lost the digits that told the base.
    told = np.abs(value - 1) > 1e-3 if name == "Beta" else np.full(base.shape, True)
    back = np.asarray(invert(name)(value, *full(args, base)))
    np.testing.assert_allclose(back[told], base[told], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", SCALAR)
def test_moments_support_and_density(name):
    law = DISTRIBUTIONS[name]
    args, frozen = SCALAR[name]
    np.testing.assert_allclose(law.mean(*args), frozen.mean(), rtol=1e-12)
    np.testing.assert_allclose(law.variance(*args), frozen.var(), rtol=1e-12)
    low, high = law.support(*args)
    np.testing.assert_allclose([low, high], frozen.support())
    inside = frozen.ppf([1e-6, 0.1, 0.5, 0.9, 1 - 1e-6])
    np.testing.assert_allclose(law.log_density(inside, *args), frozen.logpdf(inside), rtol=1e-10, atol=1e-12)
    if np.isfinite(low):
        assert law.log_density(low - 0.1, *args) == -np.inf
    if np.isfinite(high):
        assert law.log_density(high + 0.1, *args) == -np.inf


@pytest.mark.parametrize("name", SCALAR)
def test_derivatives_in_the_arguments_agree_with_finite_differences(name):
    law = DISTRIBUTIONS[name]
    args, _ = SCALAR[name]
    base = np.linspace(-6, 6, 13) if law.base == "normal" else np.linspace(0.01, 0.99, 13)
    full_args = np.stack(full(args, base))
    _, tangents = jax.jit(
        lambda a: (None, jnp.stack([
            jax.jvp(lambda x: law.transform(base, *x), (a,), (jnp.zeros_like(a).at[i].set(1.0),))[1]
            for i in range(len(args))
        ]))
    )(full_args)
    for i in range(len(args)):
        step = np.zeros_like(full_args)
        step[i] = 1e-3
        f = [np.asarray(transform(name)(base, *(full_args + k * step))) for k in (-2, -1, 1, 2)]
        numeric = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * 1e-3)
        np.testing.assert_allclose(tangents[i], numeric, rtol=1e-8, atol=1e-10)


def test_density_is_the_derivative_of_rank_and_second_derivatives_exist():
    # d/dz transform = phi(z) / density; then the second derivative in the shape, against a difference of first ones.
    law = DISTRIBUTIONS["Gamma"]
    slope = jax.jit(jax.vmap(jax.grad(law.transform), (0, None, None)))(Z, 2.5, 2.0)
    value = transform("Gamma")(Z, *full((2.5, 2.0), Z))
    expected = np.exp(stats.norm.logpdf(Z) - np.asarray(law.log_density(value, 2.5, 2.0)))
    np.testing.assert_allclose(slope, expected, rtol=1e-11)
    first = jax.jit(jax.grad(lambda a: law.transform(1.3, a, 2.0)))
    second = jax.jit(jax.grad(jax.grad(lambda a: law.transform(1.3, a, 2.0))))(2.5)
    np.testing.assert_allclose(second, (first(2.5 + 1e-4) - first(2.5 - 1e-4)) / 2e-4, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(a=st.floats(0.05, 300), b=st.floats(0.05, 300), z=st.floats(-5, 5))
def test_beta_has_the_rank_of_its_base_and_mirrors(a, b, z):
    value = float(transform("Beta")(np.array([z]), np.array([a]), np.array([b]))[0])
    mirrored = float(transform("Beta")(np.array([-z]), np.array([b]), np.array([a]))[0])
    np.testing.assert_allclose(value, 1 - mirrored, rtol=1e-9, atol=1e-15)
    if 1e-290 < value < 0.999:
        np.testing.assert_allclose(special.betainc(a, b, value), special.ndtr(z), rtol=1e-10)


@pytest.mark.parametrize("name", ["Student", "Exponential"])
def test_single_precision_stays_single_and_accurate(name):
    args, frozen = SCALAR[name]
    z = np.linspace(-4, 4, 9, dtype=np.float32)
    value = transform(name)(z, *(arg.astype(np.float32) for arg in full(args, z)))
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, frozen.ppf(special.ndtr(z.astype(float))), rtol=5e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["Normal", "Uniform", "Exponential", "Gamma", "Beta"])
def test_native_gauss_rules_integrate_polynomials_exactly(name):
    args, frozen = SCALAR[name]
    rule = DISTRIBUTIONS[name].gauss_rule(4, *args)
    for degree in range(8):
        # scipy integrates some of these moments numerically, to about 1e-9.
        np.testing.assert_allclose(rule.weights @ rule.nodes[:, 0] ** degree, frozen.moment(degree), rtol=1e-8)


@pytest.mark.parametrize("name", ["LogNormal", "Exponential", "Gamma"])
def test_the_base_rule_gives_the_mean_through_the_transform(name):
    args, frozen = SCALAR[name]
    rule = DISTRIBUTIONS[name].base_rule(64)
    value = transform(name)(rule.nodes[:, 0], *full(args, rule.nodes[:, 0]))
    np.testing.assert_allclose(rule.weights @ np.asarray(value), frozen.mean(), rtol=1e-8)


def test_finite_laws():
    bernoulli, categorical, discrete = (DISTRIBUTIONS[name] for name in ("Bernoulli", "Categorical", "Discrete"))
    np.testing.assert_allclose(bernoulli.probabilities(np.array([0.25, 1.0])), [[0.75, 0.25], [0, 1]])
    np.testing.assert_allclose(bernoulli.variance(0.25), 0.1875)
    np.testing.assert_allclose(categorical.probabilities(5), np.full(5, 0.2))
    np.testing.assert_allclose(categorical.support_values(3), [1, 2, 3])
    np.testing.assert_allclose(categorical.mean(np.array([0.5, 0.25, 0.25])), 1.75)
    with pytest.raises(ValueError, match="whole number"):
        categorical.size(2.5)
    values, probs = np.array([-1.0, 4.0, 4.0]), np.array([0.5, 0.2, 0.3])
    np.testing.assert_allclose(np.exp(discrete.log_density(4.0, values, probs)), 0.5)
    assert discrete.log_density(0.0, values, probs) == -np.inf
    np.testing.assert_allclose(jax.grad(discrete.mean)(values, probs), probs)


@pytest.mark.parametrize("name, args", [("Bernoulli", (0.3,)), ("Discrete", ([1.0, 5.0], [0.3, 0.7]))])
def test_finite_samples_have_the_right_frequencies(name, args):
    law = DISTRIBUTIONS[name]
    args = tuple(np.asarray(arg) for arg in args)
    draws = np.asarray(law.sample(jax.random.key(0), (20000,), *args))
    spread = np.sqrt(law.variance(*args) / 20000)
    assert abs(draws.mean() - law.mean(*args)) < 4 * spread


def test_dirichlet_draws_lie_on_the_simplex_with_the_right_moments():
    law, a = DISTRIBUTIONS["Dirichlet"], np.array([0.5, 2.0, 1.0])
    assert law.dimension(a) == 2 and law.event_shape(a) == (3,)
    draws = np.asarray(jax.jit(lambda key: law.sample(key, (4000,), a))(jax.random.key(1)))
    np.testing.assert_allclose(draws.sum(-1), 1, atol=1e-14)
    np.testing.assert_allclose(draws.mean(0), law.mean(a), atol=0.016)
    np.testing.assert_allclose(draws.var(0), law.variance(a), atol=0.006)
    z = np.array([[0.3, -1.2], [2.0, 0.5]])
    point, back = jax.jit(lambda z: (law.transform(z, a), law.invert(law.transform(z, a), a)))(z)
    np.testing.assert_allclose(back, z, rtol=1e-10)
    np.testing.assert_allclose(law.log_density(point, a), stats.dirichlet(a).logpdf(np.asarray(point).T), rtol=1e-10)
    assert law.log_density(np.array([0.5, 0.6, 0.1]), a) == -np.inf


def test_mvnormal_transforms_inverts_and_has_its_density():
    law = DISTRIBUTIONS["MvNormal"]
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 0.5]])
    z = np.array([[0.3, -1.2], [2.0, 0.5], [-0.1, 0.0]])
    x = law.transform(z, mean, covariance)
    np.testing.assert_allclose(law.invert(x, mean, covariance), z, atol=1e-13)
    frozen = stats.multivariate_normal(mean, covariance)
    np.testing.assert_allclose(law.log_density(x, mean, covariance), frozen.logpdf(x))
    # The image of the identity's columns reproduces the covariance.
    factor = law.transform(np.eye(2), np.zeros(2), covariance)
    np.testing.assert_allclose(factor.T @ factor, covariance, atol=1e-14)
    np.testing.assert_allclose(law.variance(mean, covariance), [2.0, 0.5])


def test_arguments_may_be_arrays_that_depend_on_earlier_draws():
    law = DISTRIBUTIONS["Gamma"]
    shapes = jnp.array([0.5, 2.0, 7.0])[:, None]
    values = jax.jit(law.transform)(jnp.zeros((1, 4)), shapes, 1.0)
    np.testing.assert_allclose(values, np.broadcast_to(stats.gamma.ppf(0.5, np.asarray(shapes)), (3, 4)), rtol=1e-11)
    draw = jax.eval_shape(lambda key: law.sample(key, (2,), shapes[:, 0], 1.0), jax.random.key(0))
    assert draw.shape == (2, 3)
