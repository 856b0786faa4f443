"""Which plots are lines: values that follow what they are plotted against."""

from __future__ import annotations

import numpy as np
import pytest

import dcgc
from dcgc.verify.curves import follows

RNG = np.random.default_rng(0)
X = RNG.normal(size=4000)

MANY = """game Many
player A
random x[12] ~ Normal(0, 1)
let total = sum(x)
decide u : Real by A knowing x[1], x[2], x[3]
cost A = (u - total)^2 * (1 + 0.1 * tanh(total))
plot {0} against x[1]
"""


@pytest.mark.parametrize(("y", "line"), [
    (X**2, True), (np.sign(X), True), (np.zeros_like(X), True), (np.tanh(5 * X), True),
    (X + 0.2 * RNG.normal(size=4000), False), (RNG.normal(size=4000), False),
])
def test_a_function_is_told_from_a_cloud(y: np.ndarray, line: bool) -> None:
    assert follows(X, y) is line


def test_scattered_samples_of_a_noisy_relation_are_points() -> None:
    for what, line in (("total", False), ("x[1]^2", True)):
        (curve,) = dcgc.train(dcgc.load(MANY.format(what)), engine="affine").scorecard.curves
        assert curve.line is line, what
        if line:
            assert np.allclose(np.square(curve.x), curve.y)
