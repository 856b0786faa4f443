"""Gains at states that play does not reach, where stages cannot be judged one by one, against what they are by hand."""

from __future__ import annotations

import math

import pytest
from small_games import problem, rule

from dcgc.verify.dynamic_programming import by_dynamic_programming
from dcgc.verify.stage_regrets import stage_regrets
from dcgc.verify.unreached_states import with_other_starts

GAME = """game Still
player A, B
state x = 0
state y = 1
stage t in 1..3 {
  decide u : Real by A knowing x
  decide v : Real by B knowing nothing
  cost A = (x + u)^2
  cost B = v^2 + y
  next x = x + u
}
train { stages scanned }
"""


def test_a_rule_that_is_right_only_where_play_goes():
    """x is 0 for ever and u = 0 is right there. From x uniform on (-3, 3) it pays x^2 = 3 on average in each of 3 stages for nothing."""
    p = problem(GAME)
    profile = {"u": rule(lambda x: 0 * x), "v": rule(lambda: 0.0)}
    assert by_dynamic_programming(p, profile) is None
    rows = stage_regrets(p, profile, 64, 512, 20)
    assert all(r.ex_ante == pytest.approx(0, abs=1e-9) and math.isnan(r.unreached) for r in rows)
    a, b = with_other_starts(p, profile, rows, 64, 4096, 20)
    assert a.unreached == pytest.approx(9, rel=0.05) and b.unreached == pytest.approx(0, abs=1e-9)
    assert a.ex_ante == rows[0].ex_ante and not a.exact and "x by up to 3" in a.method and "y by" not in a.method


def test_a_rule_that_is_right_everywhere():
    p = problem(GAME)
    profile = {"u": rule(lambda x: -x), "v": rule(lambda: 0.0)}
    rows = stage_regrets(p, profile, 64, 512, 20)
    assert all(r.unreached == pytest.approx(0, abs=1e-9) for r in with_other_starts(p, profile, rows, 64, 512, 20))
