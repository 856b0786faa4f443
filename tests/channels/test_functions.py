"""Functions as messages: the coefficients are the reals of the channel, under its power limit and its budget."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import problem, sampled

from dcgc.lower.variable import Variable, constant

CURVE = """game Curve
param bits = 12
player Seller, Buyer
random a ~ Normal(1, 0.3)
channel m : Seller -> Buyer {{ carries Function(Real -> Real, {basis}); budget bits bits }}
send m by Seller knowing a
let y = m(0.5)
let z = sent(m)
decide q : Real by Buyer knowing m
cost Buyer = (q - y)^2
cost Seller = (q - a)^2
"""


@pytest.mark.parametrize(("basis", "count", "at"), [("affine", 2, lambda c: c[..., 0] + 0.5 * c[..., 1]),
                                                    ("poly(2)", 3, lambda c: c @ np.asarray([1, 0.5, 0.25]))])
def test_a_curve_is_sent_as_its_coefficients(basis, count, at):
    """12 bits over n Gaussian reals of power 1: (n / 2) log2(1 + 1 / sd^2) = 12."""
    p = problem(CURVE.format(basis=basis))
    (channel,) = p.game.channels
    assert channel.shape == (count,)
    assert count / 2 * math.log2(1 + 1 / channel.sd**2) == pytest.approx(12)
    loud = jnp.linspace(1.0, 3.0, count)
    follow = {"raw(m)": lambda world, d: Variable(("sample",), world.value("a").data[:, None] * loud), "q": lambda world, d: constant(0.0)}
    world = sampled(p, follow, samples=256)
    heard, sent = np.asarray(world.value("m").data), np.asarray(world.value("z").data)
    np.testing.assert_allclose(np.asarray(world.value("y").data), at(heard), rtol=1e-12)
    assert (np.mean(sent**2, -1) <= 1 + 1e-12).all() and not np.allclose(heard, sent)
    (seen,) = p.game.decisions[1].observations
    assert (seen.kind, seen.shape) == ("real", (count,))


def test_a_silent_channel_sends_the_zero_function():
    p = problem(CURVE.format(basis="affine").replace("let z = sent(m)\n", ""), bits=0)
    assert p.game.channels == ()
    assert float(sampled(p, {"q": lambda world, d: constant(0.0)}, samples=8).value("y").data) == 0.0
