"""Arrays computed as a whole are worth what their entries are worth."""

from __future__ import annotations

import numpy as np
import pytest
from small_games import cost, natural, problem, rule

WHOLE = """game Two
param width = [0.5, 2]
player A[2] symmetric
random theta ~ Normal(0, 1)
for i in A { random e[i] ~ Normal(0, 1) }
let x = theta + width * e
for i in A { decide u[i] : Real by A[i] knowing x[i] }
let near = (u - theta)^2
for i in A { cost A[i] = near[i] }
"""
BY_MEMBER = WHOLE.replace("let x = theta + width * e", "for i in A { let x[i] = theta + width[i] * e[i] }").replace(
    "let near = (u - theta)^2", "for i in A { let near[i] = (u[i] - theta)^2 }")


def roles(text):
    return sorted((c.role, c.site) for c in problem(text).reduction.coordinates.values())


def test_what_is_seen_of_a_whole_array_is_one_entry():
    assert roles(WHOLE) == roles(BY_MEMBER)
    p = problem(WHOLE)
    assert all(len(i.dims) == 1 for i in p.reduction.information.values())


def test_nothing_else_changes():
    whole, written = (problem(t) for t in (WHOLE, BY_MEMBER))
    profiles = [{k: rule(lambda x: 0.3 * x) for k in p.groups} for p in (whole, written)]
    costs = [cost(p, natural(p, f), "A[2]") for p, f in zip((whole, written), profiles, strict=True)]
    assert costs[0] == pytest.approx(costs[1], abs=1e-12)
    assert np.isclose(costs[0], 0.7**2 + 0.3**2 * 4)


def test_a_tap_keeps_its_array():
    p = problem(WHOLE + "tap x\n")
    assert any(s.name == "x" for s in p.game.sites)
