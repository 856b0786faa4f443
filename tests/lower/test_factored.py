"""Expectations of products, factor by factor, against the same expectation over all coordinates at once."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import dcgc
from dcgc.learning.sweep_engine import EXPLORE
from dcgc.lower.evaluate import evaluate
from dcgc.lower.factored import expected, products
from dcgc.lower.plans import Resolution, information_grid, widest
from dcgc.lower.variable import Variable
from dcgc.primitives.relaxations import Relaxation

AUCTION = """
game Auction
param N : int = 3
player Bidder[N] symmetric
for i in Bidder {
  random v[i] ~ Uniform(0, 1)
}
for i in Bidder {
  decide bid[i] : Unit by Bidder[i] knowing v[i]
}
for i in Bidder {
  let wins[i] = bid[i] > max(bid[others]) and bid[i] >= 0.2
  payoff Bidder[i] = wins[i] * (v[i] - bid[i])
}
measure revenue = E[max(bid)]
measure least = E[min(bid)]
"""


def half(world, d):
    v = evaluate(world, d.observations[0].expression)
    return Variable(v.dims, v.data / 2)


def world_of(text, relaxation=None, resolution=None):
    problem = dcgc.load(text).problem
    rules = {k: half for k in problem.groups}
    grid = information_grid(problem, rules, resolution or Resolution(hidden=12, seen=12, observation=12, derived=9, cells=True))
    return problem, problem.world(grid, problem.reduction, rules, relaxation or Relaxation("exact"))


def test_a_product_has_the_expectation_of_the_joint_value():
    problem, world = world_of(AUCTION)
    for p in problem.game.payments:
        assert float(world.expected_payment(p).data) == pytest.approx(float(world.expectation(world.payment(p)).data), abs=1e-14)
    measure = next(m for m in problem.game.measures if m.name == "revenue").value.arguments[0]
    got = float(expected(world, measure, lambda: None).data)
    nodes = (np.arange(12) + 0.5) / 24
    assert got == pytest.approx(np.mean([max(x) for x in product(nodes, repeat=3)]), abs=1e-14)


def test_ties_are_counted_once():
    problem, world = world_of(AUCTION.replace("Uniform(0, 1)", "Uniform(1, 1 + 1e-13)"))  # everybody bids 1/2
    measures = {m.name: m.value.arguments[0] for m in problem.game.measures}
    assert float(expected(world, measures["revenue"], lambda: None).data) == pytest.approx(0.5, abs=1e-10)
    assert float(expected(world, measures["least"], lambda: None).data) == pytest.approx(0.5, abs=1e-10)


def test_given_what_is_known_too():
    problem, world = world_of(AUCTION)
    p = problem.game.payments[0]
    one, two = world.expected_payment(p, ("v[1]",)), world.expectation(world.payment(p), ("v[1]",))
    assert one.dims == two.dims == ("v[1]",)
    np.testing.assert_allclose(one.data, two.data, atol=1e-15)


def test_cells_agree_up_to_their_square():
    problem, world = world_of(AUCTION, Relaxation("cells"))
    p = problem.game.payments[0]
    assert float(world.expected_payment(p).data) == pytest.approx(float(world.expectation(world.payment(p)).data), abs=12.0**-2 / 4)


def test_no_grid_over_all_rivals_is_needed():
    problem, _ = world_of(AUCTION)
    assert widest(problem, EXPLORE) == 240**2
    assert all(len(v.dims) <= 2 for t in products(world_of(AUCTION)[1], problem.game.payments[0].cost) for v in t)


def test_a_price_that_is_a_sum_comes_apart():
    problem, world = world_of("""
game Cournot
player A, B, C
random a ~ Uniform(0, 1)
random b ~ Uniform(0, 1)
random c ~ Uniform(0, 1)
decide x : Real by A knowing a
decide y : Real by B knowing b
decide z : Real by C knowing c
let price = 3 - sum(x + y, z)
payoff A = (price - a) * x
payoff B = (price - b) * y
payoff C = (price - c) * z
""".replace("sum(x + y, z)", "(x + y + z)"))
    assert widest(problem, EXPLORE) <= 240**2
    for p in problem.game.payments:
        assert float(world.expected_payment(p).data) == pytest.approx(float(world.expectation(world.payment(p)).data), abs=1e-14)
