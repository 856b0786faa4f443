"""Which of several profiles is the result: a cost known exactly before one that a coarse grid made look lower."""

from __future__ import annotations

from small_games import problem, rule

from dcgc.learning.engine import Found
from dcgc.learning.training import Candidate, rank
from dcgc.verify.judge import Judgement, judge

TEAM = """game Team
player A, B
team Both = A, B
random x ~ Normal(0, 1)
random w ~ Normal(0, 1)
decide u : Real by A knowing x
let y = x + w
decide v : Real by B knowing y
cost Both = (x - u - v)^2 + 0.5 * u^2
"""


def candidate(engine, gain, total, error):
    profile = {"u": rule(lambda x: 0.4 * x), "v": rule(lambda y: gain * y)}
    return Candidate(engine, Found(profile, 1), Judgement({"A": total, "B": total}, total, 0.0, True, error))


def cost(gain):
    return (1 - 0.4 - gain) ** 2 + gain**2 + 0.5 * 0.16


def test_a_cost_known_exactly_comes_first_unless_it_is_surely_higher():
    p = problem(TEAM)
    exact, coarse = candidate("affine", 0.3, cost(0.3), 1e-15), candidate("sweeps", 0.3, cost(0.3) - 1e-3, 0.01)
    assert [c.engine for c in rank(p, [coarse, exact])] == ["affine", "sweeps"]
    better = candidate("sweeps", 0.3, cost(0.3) - 1e-4, 0.01)
    worse = candidate("affine", 0.35, cost(0.35), 1e-15)  # 0.0025 * 2 more, less than the error
    assert [c.engine for c in rank(p, [better, worse])] == ["sweeps", "affine"]


def test_a_judgement_has_its_error():
    p = problem(TEAM)
    c = candidate("affine", 0.3, cost(0.3), 1e-15)
    j = judge(p, c.found.profile)
    assert abs(j.total - cost(0.3)) <= j.error + 1e-9 and j.error < 1e-3
