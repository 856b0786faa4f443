"""A varied world is the world made anew under the deviation: what it keeps must not depend on the deviation."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import problem

from dcgc.lower.plans import Resolution, information_grid
from dcgc.lower.strategy import BestResponse, mass
from dcgc.lower.variable import Variable, constant, lift

SIGNALLING = """game G
player A, B
team T = A, B
random x ~ Normal(0, 2)
random w ~ Normal(0, 1)
decide u : Real by A knowing x
let s = x + u
let y = s + w
let twice = 2 * w
decide v : Real by B knowing y
cost T = 0.1 * u^2 + (s - v)^2 + 0.3 * twice * v
"""


@pytest.mark.parametrize("shift", [0.0, 0.7, -1.3])
def test_a_deviation_is_not_seen_through_stale_values(shift: float) -> None:
    """Noise that its observation replaced is worked out from the deviating action; the costs of a deviation agree with a world in
    which that action is the policy and the others' policies are the old ones as tables."""
    p = problem(SIGNALLING)
    payments = tuple(q.name for q in p.game.payments)

    def follow(world, d):
        return lift(lambda x: -0.4 * x, world.value("x"))

    profile = {"u": follow, "v": BestResponse(payments)}
    grid = information_grid(p, profile, Resolution(8, 31, 81, 9, cells=True), {"y": (-25.0, 25.0)})
    world = p.world(grid, p.reduction, profile)
    old = world.choice("v")  # fills the caches
    mass(world, ("y",))
    world.value("twice")
    moved = lift(lambda a: a + shift, world.choice("u"))
    varied = world.vary({"u": moved})
    fresh = p.world(grid, p.reduction, {"u": lambda w, d: moved, "v": lambda w, d: Variable(old.dims, old.data)})
    (payment,) = p.game.payments
    ours, anew = (w.expectation(w.payment(payment), ("x",)) for w in (varied, fresh))
    np.testing.assert_allclose(np.asarray(ours.data), np.asarray(anew.data), rtol=1e-12, atol=1e-14)
    total = varied.expectation(constant(1.0), ("y",))
    assert float(jnp.sum(total.data)) == pytest.approx(1.0, abs=1e-9)
