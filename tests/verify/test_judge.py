"""Regrets over what is at stake: also where a payment is zero because its terms cancel."""

from __future__ import annotations

import math

import jax.numpy as jnp
from small_games import problem

from dcgc.core.expression import Apply, Reference
from dcgc.learning.engine import Found
from dcgc.learning.training import Candidate, rank
from dcgc.lower.variable import constant
from dcgc.verify.judge import MOST_TERMS, Judgement, judge, stakes, terms

HELD = """game HeldToNothing
player Seller, Buyer
decide price : Unit by Seller knowing nothing
decide effort : Real by Buyer knowing nothing
payoff Seller = price
payoff Buyer = 2 * (1 - price) - effort^2
"""


def always(value):
    return lambda world, site: constant(jnp.asarray(value))


def test_whoever_is_held_to_nothing_has_what_cancels_at_stake():
    """A price of 1 takes all of the surplus: of 2 less 2 a hundredth each counts, and a tiny gain is no large regret."""
    p = problem(HELD)
    profile = {"price": always(1.0), "effort": always(1e-5)}
    world = p.world(judge_grid(p), p.natural, profile)
    assert math.isclose(stakes(p, world, "Buyer"), 1e-10, rel_tol=1e-6)
    assert math.isclose(stakes(p, world, "Buyer", term_by_term=True), 4 + 1e-10, rel_tol=1e-9)
    assert math.isclose(judge(p, profile).regret, 1e-10 / 0.04, rel_tol=1e-3)
    lazy = judge(p, {"price": always(1.0), "effort": always(0.1)})
    assert lazy.regret > 0.2  # a real mistake stays one


def judge_grid(p):
    from dcgc.lower.plans import natural_grid

    return natural_grid(p, 100)[0]


def test_products_of_sums_are_multiplied_out_up_to_a_limit():
    a, b, c, d = (Reference(x) for x in "abcd")
    product = Apply("mul", (Apply("sub", (a, b)), Apply("add", (c, Apply("neg", (d,))))))
    assert terms(product) == tuple(Apply("mul", (x, y)) for x in (a, b) for y in (c, d))
    long = product
    for _ in range(3):
        long = Apply("mul", (long, product))
    assert len(terms(long)) <= MOST_TERMS


def test_a_regret_without_end_comes_last():
    p = problem(HELD)
    found = [Candidate("sweeps", Found({}, 1), Judgement({}, 0.0, r, True)) for r in (math.inf, 0.1, math.nan)]
    assert [c.judged.regret for c in rank(p, found)][0] == 0.1
