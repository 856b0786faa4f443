"""The scorecard of stages that are elaborated once, against sums worked out by hand."""

from __future__ import annotations

import pytest
from small_games import problem, rule

from dcgc.lower.stages import horizon
from dcgc.verify import score
from dcgc.verify.judge import judge

ENDLESS = """game Endless
player A
state x = 2
stage t in 1..inf discount 0.9 {
  random e ~ Uniform(-1, 1)
  decide u : Real by A knowing x, e
  cost A = x + (u - e)^2
  next x = x / 2 + 1 + 0 * u
}
"""


def test_costs_with_intervals_what_is_cut_off_and_a_bound_on_the_regret():
    """x stays 2: 2 / (1 - 0.9) = 20, plus 10 times what u misses. Doing 0 loses E[e^2] = 1/3 a stage; the deviation u = e saves it all."""
    p = problem(ENDLESS)
    right = score(p, {"u": rule(lambda x, e: e + 0 * x)})
    cost = right.figures["cost(A)"]
    assert cost.value == pytest.approx(20, abs=1e-6) and 0 < cost.error < 1e-5
    assert f"cut after {horizon(p)}" in right.method
    assert right.regrets[0].ex_ante == pytest.approx(0, abs=1e-9) and not right.regrets[0].exact
    wrong = score(p, {"u": rule(lambda x, e: 0 * x + 0 * e)})
    assert wrong.figures["cost(A)"].value == pytest.approx(20 + 10 / 3, abs=4 * wrong.figures["cost(A)"].error)
    assert wrong.regrets[0].ex_ante == pytest.approx(10 / 3, rel=0.02) and "lower bound" in wrong.regrets[0].method
    assert judge(p, {"u": rule(lambda x, e: 0 * x + 0 * e)}).regret > 0.1


def test_finite_decisions_are_drawn_and_histories_are_blank_after_a_halt():
    p = problem("""game Leaving
player A
state x = 1
stage t in 1..4 {
  decide go : Bool by A knowing nothing mixed
  cost A = x
  halt when go
  next x = x + 1
}
measure final = E[x]
measure third = E[history(x)[3]]
measure went = E[sum(history(go))]
""")
    assert p.game.block is not None
    from small_games import chance

    card = score(p, {"go": chance(lambda: 0.5)})
    # reached with 1, 1/2, 1/4, 1/8; the last value is the stage of the halt, or 5
    for label, value in (("cost(A)", 1 + 1 + 3 / 4 + 4 / 8), ("final", 1 / 2 + 2 / 4 + 3 / 8 + 4 / 16 + 5 / 16), ("third", 3 / 4),
                         ("went", 15 / 16)):
        found = card.figures[label]
        assert found.value == pytest.approx(value, abs=2 * found.error) and found.error < 0.02
