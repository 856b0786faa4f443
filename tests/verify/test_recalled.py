"""The bound on what a player could gain with memory: above what is gained, and nothing where nothing is to be gained."""

from __future__ import annotations

import pytest
from small_games import game_file, problem

from dcgc.learning.affine_moments import moments
from dcgc.learning.affine_newton import solve_by_moments
from dcgc.verify.recalled import gain_with_recall
from dcgc.verify.regrets import player_regrets

TWICE = """game Twice
player C
random x0 ~ Normal(0, 1)
random v1 ~ Normal(0, 1)
random v2 ~ Normal(0, 1)
let y1 = x0 + v1
decide u1 : Real by C knowing y1
let x1 = x0 + u1
let y2 = x1 + v2
decide u2 : Real by C knowing {known}
cost C = 0.3 * u1^2 + (x1 + u2)^2
"""


def solved(p):
    m = moments(p)
    assert m is not None
    return [r.profile for r in solve_by_moments(p, m, 0)]


def own(p, label):
    return [d for d in p.game.decisions if p.decider(d).label == label]


def test_feedback_rules_for_a_sticky_price_stand_against_memory_too():
    p = game_file("sticky_prices", T=3)
    profile = next(x for x in solved(p))
    bound, size = gain_with_recall(p, profile, own(p, "Firm[1]"))
    assert bound < 1e-12 * size
    rows, _ = player_regrets(p, profile)
    assert rows[0].exact and rows[0].ex_ante == pytest.approx(0, abs=1e-12)


def test_it_is_above_what_can_be_gained_and_tight_where_that_is_nothing():
    p = problem(TWICE.format(known="y1, y2"))
    (best,) = solved(p)
    assert gain_with_recall(p, best, p.game.decisions)[0] == pytest.approx(0, abs=1e-18)
    q = problem(TWICE.format(known="y1, y2").replace("0.3", "0.5"))  # the best rules of a dearer game
    (other,) = solved(problem(TWICE.format(known="y1, y2").replace("(x1 + u2)^2", "(x1 + u2)^2 + 0.4 * (u2 + u1)^2")))
    found, _ = gain_with_recall(q, other, q.game.decisions)
    a, (b, c) = float(other["u1"].policy.gains[0, 0, 0] / other["u1"].scale[0]), other["u2"].policy.gains[0, 0] / other["u2"].scale
    played = 0.5 * a**2 * 2 + (1 + a + b + c * (1 + a)) ** 2 + (a + b + c * a) ** 2 + c**2
    assert found >= float(played) - 1 / 3 > 1e-3


def test_a_player_who_forgets_could_gain_by_memory():
    p = problem(TWICE.format(known="y2"))
    for profile in solved(p):
        assert gain_with_recall(p, profile, p.game.decisions)[0] > 1e-3
        rows, _ = player_regrets(p, profile)
        assert not rows[0].exact
