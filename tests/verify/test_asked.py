"""Integrals and extrema along an interval of what a policy does, which may bend and jump."""

from __future__ import annotations

import numpy as np
import pytest
from small_games import problem

from dcgc.lower.plans import natural_grid
from dcgc.verify.asked import integral, largest
from dcgc.verify.expectations import Reader

GAME = """game Asked
player P
random x ~ Uniform(0, 1)
decide u : Real by P knowing x
decide v : Choice(2) by P knowing [x, x]
cost P = u^2 + v[1]
measure area = integral(rule(u, z) for z in [0, 1])
measure both = integral(rule(v, [z, z / 2])[2] for z in [0, 2])
measure middle = mean(z * rule(u, 1 - z) for z in [0, 1])
measure place = argmax(rule(u, z) * (1 - z) for z in [0, 1])
measure most = max(rule(u, z) * (1 - z) for z in [0, 1])
measure bottom = argmin((rule(u, z) - 1)^2 + (z - 0.9)^2 for z in [0, 1])
"""


def asked(decision, member, values):
    if decision == "u":
        return np.where(np.asarray(values[0]) > 0.37, 1.0, 0.0)
    far = np.asarray(values[0])[..., 1] > 0.25
    return np.stack([1.0 - far, far], -1)


def test_a_policy_that_jumps():
    p = problem(GAME)
    grid, _ = natural_grid(p, 50)
    reader = Reader(p, p.world(grid, p.natural, {}), asked)
    found = {m.name: reader.number(m.value) for m in p.game.measures}
    assert found["area"] == pytest.approx(0.63, abs=1e-6)
    assert found["both"] == pytest.approx(1.5, abs=1e-5)
    assert found["middle"] == pytest.approx(0.63**2 / 2, abs=1e-6)
    assert found["place"] == pytest.approx(0.37, abs=1e-6) and found["most"] == pytest.approx(0.63, abs=1e-6)
    assert found["bottom"] == pytest.approx(0.9, abs=1e-5)


def test_against_what_is_known_of_functions():
    assert integral(lambda x: np.sqrt(np.abs(x - 0.3)), 0.0, 1.0) == pytest.approx((0.3**1.5 + 0.7**1.5) * 2 / 3, abs=1e-7)
    assert integral(np.exp, 1.0, 0.0) == pytest.approx(1 - np.e, abs=1e-9)
    place, value = largest(lambda x: -np.abs(x - 1 / 3), 0.0, 1.0)
    assert place == pytest.approx(1 / 3, abs=1e-8) and value == pytest.approx(0.0, abs=1e-8)
    assert largest(lambda x: x, 0.0, 2.0) == (2.0, 2.0)
