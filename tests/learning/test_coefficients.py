"""The units in which a whole function's coefficients are learned, and the spread of messages that are louder than their noise."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import problem

from dcgc.learning.coefficients import units
from dcgc.learning.starting import input_scales, strategy
from dcgc.lower.plans import natural_grid, sampled_grid

GAME = """game G
player A, B
team T = A, B
random v ~ Uniform(8, 12)
channel m : A -> B {{ carries Real[2]; budget {bits} bits }}
send m by A knowing v
decide f : Function(Real -> Real, poly(2)) by B knowing m
cost T = mean((f(p) - v * p)^2 for p in [4, 6])
"""


def test_raw_outputs_are_coefficients_in_the_metric_of_the_cost():
    """E mean (f - 10 p)^2 over [4, 6] is least at f = 10 p; one unit of raw output in any direction moves the cost by what is at stake,
    Var v E p^2 = 16/12 (25 + 1/3)."""
    p = problem(GAME.format(bits=4))
    d = p.game.decisions[1]
    location, scale = units(p, sampled_grid(p, 4096, 0), d)
    np.testing.assert_allclose(location, [0, 10, 0], atol=1e-4)
    x = np.linspace(4, 6, 20001)
    powers = np.stack([np.ones_like(x), x, x**2])
    moments = powers @ powers.T / x.size
    curvature = scale.T @ (2 * moments) @ scale / 2
    np.testing.assert_allclose(curvature, 16 / 12 * (25 + 1 / 3) * np.eye(3), rtol=2e-2, atol=0.5)
    made = strategy(p, natural_grid(p, 100)[0], d, "mlp", jax.random.key(0), location=location, scale=scale)
    raw = jnp.asarray([0.3, -0.2, 0.1])
    np.testing.assert_allclose(made.head(raw), location + scale @ np.asarray(raw))


@pytest.mark.parametrize(("bits", "spread"), [(12, (1 + 1 / (2**12 - 1)) ** 0.5), (0.5, (1 / (2**0.5 - 1)) ** 0.5)])
def test_what_is_louder_than_its_noise_is_standardised_by_its_power(bits, spread):
    """Two reals of power 1 under a budget: sd^2 = 1 / (2^bits - 1)."""
    p = problem(GAME.format(bits=bits))
    _, scale = input_scales(p, sampled_grid(p, 4096, 0), p.game.decisions[1])
    np.testing.assert_allclose(scale, spread, rtol=0.02)
