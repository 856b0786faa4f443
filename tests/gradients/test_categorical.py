"""Categorical estimators: every outcome of a small batch is enumerated, so that the estimator's expectation is a finite sum."""

from __future__ import annotations

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dcgc.gradients.estimators import ESTIMATORS, Categorical, Gaussian, objective
from dcgc.gradients.estimators.score import Reinforce

LOGITS = np.asarray([[0.3, -0.8, 0.1], [1.0, 0.2, -0.5], [-0.3, 0.4, 0.9]])
TABLE = np.asarray([[1.0, -2.0, 0.5], [0.3, 4.0, -1.0], [2.0, 2.5, -3.0]])
FORCE = 1e3


def seed(number):
    """A key whose generator compiles in a moment."""
    return jax.random.key(number, impl="rbg")


def hard_cost(value):
    """Equal to the table at one-hot vectors, convex between them."""
    situations = value.shape[-2]
    return jnp.sum(TABLE[:situations] * value, axis=-1) + 2 * (1 - jnp.sum(jnp.square(value), axis=-1))


def linear_cost(value):
    return jnp.sum(TABLE[: value.shape[-2]] * value, axis=-1)


def probabilities(logits):
    odds = np.exp(logits)
    return odds / odds.sum(axis=-1, keepdims=True)


def expected_cost(logits, table):
    return float(np.mean(np.sum(probabilities(logits) * table, axis=-1)))


def exact_gradient(logits, table):
    """By hand: p (t - <p, t>) of each situation, over their number."""
    chances = probabilities(logits)
    return chances * (table - np.sum(chances * table, axis=-1, keepdims=True)) / len(logits)


def expected_gradient(estimator, logits, cost):
    """The estimated gradient and cost, averaged over all K^(draws n) outcomes with their probabilities."""
    n, values = logits.shape
    outcomes = np.asarray(list(itertools.product(range(values), repeat=estimator.draws * n))).reshape(-1, estimator.draws, n)
    noise = FORCE * np.eye(values)[outcomes]
    chances = probabilities(logits)[np.arange(n), outcomes].prod(axis=(1, 2))

    def loss(x, forced):
        drawn = estimator.place(Categorical(x), forced)
        return objective(estimator, drawn, cost(drawn.value))

    values_at, gradients = jax.jit(jax.vmap(jax.value_and_grad(loss), in_axes=(None, 0)))(logits, noise)
    assert chances.sum() == pytest.approx(1.0)
    return float(chances @ values_at), np.einsum("o,onk->nk", chances, gradients)


UNBIASED = [("reinforce", 1, 3), ("reinforce_leave_one_out", 2, 2), ("reinforce_leave_one_out", 3, 1)]


@pytest.mark.parametrize(("name", "draws", "situations"), UNBIASED)
def test_score_estimators_are_unbiased(name, draws, situations):
    estimator = dataclasses.replace(ESTIMATORS[name], draws=draws)
    logits, table = LOGITS[:situations], TABLE[:situations]
    value, gradient = expected_gradient(estimator, logits, hard_cost)
    assert value == pytest.approx(expected_cost(logits, table), abs=1e-12)
    assert np.allclose(gradient, exact_gradient(logits, table), atol=1e-13)


def test_a_baseline_with_the_rows_own_cost_shrinks_the_gradient():
    """The negative control: by 1 - 1/n, so a half for two rows."""

    class OwnToo(Reinforce):
        def baseline(self, cost):
            return jnp.broadcast_to(jnp.mean(cost), cost.shape)

    _, gradient = expected_gradient(OwnToo(), LOGITS[:2], hard_cost)
    assert np.allclose(gradient, exact_gradient(LOGITS[:2], TABLE[:2]) / 2, atol=1e-13)


def test_the_other_rows_baseline_lowers_the_variance():
    """A constant on top of all costs leaves the gradient of each outcome as it is."""
    estimator, site = ESTIMATORS["reinforce_leave_one_out"], Categorical(LOGITS)

    def gradient(shift):
        def loss(x):
            drawn = estimator.draw(seed(3), Categorical(x))
            return objective(estimator, drawn, hard_cost(drawn.value) + shift)

        return jax.grad(loss)(site.logits)

    gradient = jax.jit(gradient)
    assert np.allclose(gradient(0.0), gradient(1000.0), atol=1e-9)


def test_enumeration_is_the_gradient_itself():
    estimator = ESTIMATORS["exact"]

    def loss(x):
        drawn = estimator.draw(seed(0), Categorical(x))
        return objective(estimator, drawn, hard_cost(drawn.value))

    value, gradient = jax.jit(jax.value_and_grad(loss))(LOGITS)
    assert float(value) == pytest.approx(expected_cost(LOGITS, TABLE), abs=1e-14)
    assert np.allclose(gradient, exact_gradient(LOGITS, TABLE), atol=1e-14)


def test_straight_through_is_unbiased_for_linear_costs_only():
    _, linear = expected_gradient(ESTIMATORS["straight_through"], LOGITS[:2], linear_cost)
    assert np.allclose(linear, exact_gradient(LOGITS[:2], TABLE[:2]), atol=1e-13)
    value, bent = expected_gradient(ESTIMATORS["straight_through"], LOGITS[:2], hard_cost)
    assert value == pytest.approx(expected_cost(LOGITS[:2], TABLE[:2]), abs=1e-12)
    assert np.abs(bent - exact_gradient(LOGITS[:2], TABLE[:2])).max() > 0.1


def test_straight_through_of_the_likeliest_value():
    estimator = ESTIMATORS["straight_through_argmax"]
    drawn = jax.jit(estimator.draw)(seed(0), Categorical(LOGITS))
    assert np.array_equal(drawn.value[0], np.eye(3)[np.argmax(LOGITS, axis=-1)])

    def loss(x):
        return jnp.mean(linear_cost(estimator.draw(seed(0), Categorical(x)).value))

    assert np.allclose(jax.jit(jax.grad(loss))(LOGITS), exact_gradient(LOGITS, TABLE), atol=1e-14)


def test_a_relaxation_loses_its_bias_and_gains_variance_as_it_cools():
    """Two values: the relaxed point is a logistic function of logistic noise, here on a grid of its quantiles."""
    logits, chances = np.asarray([[0.4, 0.0]]), (np.arange(20000) + 0.5) / 20000
    grid = np.stack([np.log(chances / (1 - chances)), np.zeros(20000)], axis=-1)[:, None, None, :]
    exact = exact_gradient(logits, TABLE[:1, :2])

    def cost(value):
        return TABLE[0, 0] * value[..., 0] + TABLE[0, 1] * value[..., 1] + 2 * (1 - jnp.sum(jnp.square(value), axis=-1))

    def loss(x, noise, temperature):
        estimator = dataclasses.replace(ESTIMATORS["gumbel_softmax"], temperature=temperature)
        drawn = estimator.place(Categorical(x), noise)
        return objective(estimator, drawn, cost(drawn.value))

    each = jax.jit(jax.vmap(jax.value_and_grad(loss), in_axes=(None, 0, None)))
    step, bias, variance = np.asarray([[1e-5, 0.0]]), [], []
    for temperature in (1.0, 0.3, 0.1):
        gradients = np.asarray(each(logits, grid, temperature)[1])[:, 0, 0]
        above, below = (np.mean(np.asarray(each(logits + sign * step, grid, temperature)[0])) for sign in (1, -1))
        assert np.mean(gradients) == pytest.approx(float(above - below) / 2e-5, rel=1e-6)
        bias.append(abs(np.mean(gradients) - exact[0, 0]))
        variance.append(np.var(gradients))
    assert bias[0] > 3 * bias[1] > 9 * bias[2] and bias[0] > 0.1
    assert variance[0] < variance[1] < variance[2]


def test_straight_through_gumbel_is_hard_forward_and_relaxed_backward():
    hard, soft = ESTIMATORS["straight_through_gumbel"], ESTIMATORS["gumbel_softmax"]
    noise = np.random.default_rng(1).gumbel(size=(1, 3, 3))

    def loss(x, estimator):
        value = estimator.place(Categorical(x), noise).value[0]
        return jnp.sum(linear_cost(value)), value

    both, (drawn, _) = zip(*(jax.jit(jax.grad(loss, has_aux=True), static_argnums=1)(LOGITS, e) for e in (hard, soft)), strict=True)
    assert np.array_equal(drawn, np.eye(3)[np.argmax(LOGITS + noise[0], axis=-1)])
    assert np.allclose(both[0], both[1], atol=1e-14) and np.abs(both[0]).max() > 1e-3


@pytest.mark.parametrize("name", [name for name, e in ESTIMATORS.items() if Categorical in e.forms])
def test_forward_values_have_the_sites_law_where_they_are_hard(name):
    estimator = ESTIMATORS[name]
    drawn = jax.jit(estimator.draw)(seed(5), Categorical(jnp.tile(LOGITS[0], (4000, 1))))
    drawn = jax.tree.map(np.asarray, drawn)
    corners = np.isin(np.asarray(drawn.value), (0.0, 1.0)).all() and np.allclose(np.sum(drawn.value, axis=-1), 1)
    assert corners == estimator.hard
    assert np.allclose(np.sum(drawn.weight, axis=0), 1) and np.all(drawn.score == 0)
    if estimator.hard and name != "straight_through_argmax":
        shares = np.mean(np.sum(drawn.weight[..., None] * drawn.value, axis=0), axis=0)
        assert np.allclose(shares, probabilities(LOGITS[0]), atol=0.03)


@pytest.mark.parametrize("name", ["exact", "reinforce", "gumbel_softmax"])
def test_a_value_that_is_shut_out_stays_out(name):
    logits = LOGITS.copy()
    logits[:, 1] = -np.inf

    def loss(x):
        drawn = ESTIMATORS[name].draw(seed(2), Categorical(x))
        return objective(ESTIMATORS[name], drawn, hard_cost(drawn.value))

    gradient = jax.jit(jax.grad(loss))(logits)
    assert np.all(np.isfinite(gradient)) and np.all(gradient[:, 1] == 0) and np.abs(gradient).max() > 0


@pytest.mark.parametrize("first", ["exact", "reinforce"])
def test_two_sites_in_a_chain(first):
    """A sender's value changes the logits of a second site; the costs fold from the last site to the first."""
    sender, receiver = ESTIMATORS[first], ESTIMATORS["exact"]
    reply = np.asarray([[0.5, -0.2, 0.0], [-1.0, 0.3, 0.7], [0.1, 0.1, -0.9]])
    price = np.random.default_rng(0).normal(size=(2, 3, 3))
    logits = LOGITS[:2]

    def loss(parameters, forced):
        one = sender.place(Categorical(parameters[0]), forced)
        two = receiver.draw(seed(0), Categorical(one.value @ parameters[1]))
        cost = jnp.einsum("rsnk,snj,njk->rsn", two.value, one.value, price)
        return objective(sender, one, receiver.expectation(two, cost))

    def direct(parameters):
        joint = jax.nn.softmax(parameters[0])[:, :, None] * jax.nn.softmax(parameters[1])[None]
        return jnp.mean(jnp.sum(joint * price, axis=(1, 2)))

    parameters = (logits, reply)
    if first == "exact":
        found = jax.jit(jax.grad(loss))(parameters, sender.noise(seed(0), Categorical(logits)))
    else:
        outcomes = np.asarray(list(itertools.product(range(3), repeat=2)))
        chances = probabilities(logits)[np.arange(2), outcomes].prod(axis=1)
        each = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0)))(parameters, FORCE * np.eye(3)[outcomes][:, None])
        found = jax.tree.map(lambda leaf: np.tensordot(chances, leaf, 1), each)
    for got, wanted in zip(found, jax.jit(jax.grad(direct))(parameters), strict=True):
        assert np.allclose(got, wanted, atol=1e-13)


def test_what_the_table_says():
    told = {name: (e.unbiased, e.hard) for name, e in ESTIMATORS.items()}
    unbiased = {"pathwise", "reinforce", "reinforce_leave_one_out", "exact", "dithered_rounding", "mixture"}
    assert {name for name, (true, _) in told.items() if true} == unbiased
    assert {name for name, (_, hard) in told.items() if not hard} == {"gumbel_softmax"}


def test_what_cannot_be():
    with pytest.raises(TypeError, match="needs a Categorical site"):
        ESTIMATORS["exact"].draw(seed(0), Gaussian(jnp.zeros((2, 1)), jnp.ones(())))
    with pytest.raises(TypeError, match="needs a Gaussian site"):
        ESTIMATORS["pathwise"].draw(seed(0), Categorical(LOGITS))
    with pytest.raises(ValueError, match="two costs or more"):
        expected_gradient(ESTIMATORS["reinforce"], LOGITS[:1], hard_cost)
