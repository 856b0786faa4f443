"""Teams and control, against closed forms and recursions of our own."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcgc import door
from dcgc.exact import NoTheory, baseline, solve
from dcgc.exact.control import solve_control
from dcgc.exact.linear import solve_linear
from dcgc.exact.moves import solve_moves
from dcgc.exact.nested import not_nested, solve_team
from dcgc.exact.reading import linear_quadratic
from dcgc.exact.stages import costs_of, stages_of
from dcgc.information.facts import facts
from dcgc.learning.stage_moments import Solver

EXACT = 1e-8


def rules(name: str, **values: object) -> dict[str, np.ndarray]:
    """By decision (1 + inputs,) of a shipped game whose acts are numbers."""
    return {k: np.concatenate([np.asarray(s.policy.offsets)[0], np.asarray(s.policy.gains)[0].reshape(-1)])
            for k, s in solve(door.load(name, set=values).problem).profile.items()}


def test_radner() -> None:
    found = rules("radner")
    t1, t2 = 2 / 3, 1 / 2
    a = np.linalg.solve([[1.1, t1], [t2, 1.2]], [t1, t2])
    assert found["u1"] == pytest.approx([0, a[0]], abs=EXACT) and found["u2"] == pytest.approx([0, a[1]], abs=EXACT)
    solved = solve(door.load("radner").problem)
    assert solved.costs["Both"] == pytest.approx(1 - a.sum(), abs=EXACT)
    assert any("Cholesky" in x for x in solved.lines) and any("static information: checked" in x for x in solved.lines)
    shared = rules("radner", shared=1)
    rho = 1 / 0.1 + 1 / 0.2
    assert shared["u1"][1:] == pytest.approx(np.array([2, 1]) / 4 / (0.1 * (1 + rho)), abs=EXACT)
    assert solve(door.load("radner", set={"shared": 1}).problem).costs["Both"] == pytest.approx(0.296875, abs=EXACT)


def test_one_step_delayed_sharing_is_one_linear_system() -> None:
    r = 0.5
    found = rules("delayed_sharing")
    q, c, s = 1 + r / (2 + r), 0.4, 0.4
    a, t = 5 * q * c / (5 * q + 3 * r), s / (s + 0.5)
    k = t / (1 + r + t)
    assert found["ua1"] == pytest.approx([0, -a], abs=EXACT)
    early = -(c - a) / (2 + r) + k * (c - a)  # -m / (2 + r) - k (y - m), m = (c - a)(y1 + y2)
    assert found["ua2"] == pytest.approx([0, early, early, -k], abs=EXACT)
    solved = solve(door.load("delayed_sharing").problem)
    assert solved.costs["Controllers"] == pytest.approx(q * 5 * (c - a) ** 2 + 3 * r * a**2 + s + s * (1 - 2 * k), abs=EXACT)
    assert "Ho and Chu" in solved.theorem and "partially nested" in solved.method


def riccati_kalman(length: int, a: float = 1.2, r: float = 0.5, v: float = 0.5, w: float = 0.3) -> tuple[list[float], list[float], float]:
    """Gains, filtered variances and the cost of the text lqg.dcg, written out."""
    after, gains = [2.0], []
    for _ in range(length):
        s = after[-1]
        gains.append(a * s / (r + s))
        after.append(1 + a * a * s - (a * s) ** 2 / (r + s))
    gains, after = gains[::-1], after[::-1]
    prior, cost, variances = 1.0, after[0], []
    for t in range(length):
        post = prior * v / (prior + v)
        variances.append(post)
        cost += w * after[t + 1] + post * (a * a * after[t + 1] + 1 - after[t])
        prior = a * a * post + w
    return gains, variances, cost


def test_control_with_perfect_recall_by_moves_and_by_one_system() -> None:
    game = door.load("lqg")
    gains, variances, cost = riccati_kalman(5)
    assert cost == pytest.approx(6.774115049, abs=1e-9)
    lq = linear_quadratic(game.problem)
    by_moves, moves = solve_moves(lq)
    by_system, _ = solve_team(lq)
    assert not_nested(lq) is None and len(moves) == 5
    for name in by_moves:
        assert by_moves[name] == pytest.approx(by_system[name], abs=1e-9), name
    solved = solve_linear(game.problem, facts(game.problem.source), lq)
    assert solved.costs["Controller"] == pytest.approx(cost, abs=EXACT) and "Kalman" in solved.method
    assert by_moves["u@1"].reshape(-1) == pytest.approx([0, -gains[0] * variances[0] / 0.5], abs=EXACT)


def test_recursions_over_stages_that_are_not_written_out() -> None:
    """They agree with the written form at three stages; at two hundred (below) with recursions written by hand."""
    short = replace(door.load("lqg", set={"T": 3}), form="scanned").problem
    written = solve_moves(linear_quadratic(door.load("lqg", set={"T": 3}).problem))[0]["u@3"].reshape(-1)  # 1, y1, y2, u1, u2, y3
    solver = Solver(short)
    stages = stages_of(solver)
    rules = solve_control(solver, stages).rules
    seen = rules[2, 0, 1:]  # (y1, y2, -), (u1, u2, -), y3
    assert sorted(seen[np.abs(seen) > 0]) == pytest.approx(sorted(written[1:]), abs=1e-9)
    assert seen[-1] == pytest.approx(written[-1], abs=1e-9)
    assert costs_of(solver, stages, {"u": rules}) == pytest.approx([riccati_kalman(3)[2]], abs=EXACT)


@pytest.mark.study
def test_two_hundred_stages_of_control() -> None:
    solved = solve(door.load("lqg", set={"T": 200}).problem)
    assert solved.costs["Controller"] == pytest.approx(riccati_kalman(200)[2], rel=1e-10)
    assert any("perfect recall: checked" in x for x in solved.lines)


def test_team_with_bounds_and_uniform_draws() -> None:
    """Affine as long as no bound binds: conditional means of draws that are known or not at all are linear."""
    solved = solve(door.load("public_good_team").problem)
    assert solved.costs["Both"] == pytest.approx(-149 / 45, abs=EXACT)
    assert any("no bound of a decision binds" in x for x in solved.lines)


def test_uniform_state_behind_noise_is_refused() -> None:
    text = ("game G\nplayer P\nrandom x ~ Uniform(0, 1)\nrandom v ~ Normal(0, 1)\nlet y = x + v\n"
            "decide u : Real by P knowing y\ncost P = (u - x)^2\n")
    with pytest.raises(NoTheory, match="not linear in what it sees"):
        solve(door.load(text).problem)


def test_singular_team_is_refused() -> None:
    text = ("game G\nplayer A, B\nteam T = A, B\ndecide u : Real by A knowing nothing\ndecide v : Real by B knowing nothing\n"
            "cost T = (u + v - 1)^2\n")
    with pytest.raises(NoTheory):
        solve(door.load(text).problem)


def test_witsenhausen_has_a_baseline_and_its_variant_a_solution() -> None:
    witsenhausen = solve(door.load("witsenhausen").problem)
    assert witsenhausen.kind == "baseline" and witsenhausen.costs["Controllers"] == pytest.approx(0.96, abs=EXACT)
    slope = 1 + float(next(iter(witsenhausen.profile.values())).policy.gains.reshape(-1)[0]) / 5  # inputs are standardised
    assert slope * (1 - slope) == pytest.approx(1 / 25, abs=EXACT)  # both minima: l = (1 +- sqrt(1 - 4 / sigma^2)) / 2
    variant = solve(door.load("examples/structures/basar_variant.dcg").problem)
    lam = 0.5  # soft Gaussian channel: 2 sqrt(lam) - lam
    assert variant.kind == "solution" and variant.costs["Controllers"] == pytest.approx(2 * math.sqrt(lam) - lam, abs=EXACT)
    assert "Bansal and Basar" in variant.theorem and any("no product of the two acts" in x for x in variant.lines)


@pytest.mark.parametrize("cost", ["0.5 * u1^2 + (x0 - u2)^2 + 0.1 * u1 * u2", "0.5 * u1^2 + (x0 + w - u2)^2"])
def test_the_condition_of_bansal_and_basar_is_checked(cost: str) -> None:
    text = ("game G\nplayer A, B\nteam T = A, B\nrandom x0 ~ Normal(0, 1)\nrandom w ~ Normal(0, 1)\ndecide u1 : Real by A knowing x0\n"
            f"let y = u1 + w\ndecide u2 : Real by B knowing y\ncost T = {cost}\n")
    assert solve(door.load(text).problem).kind == "baseline"


def test_baseline_is_for_teams_whose_acts_speak() -> None:
    assert baseline(door.load("witsenhausen").problem) == pytest.approx(0.96, abs=EXACT)
    assert baseline(door.load("radner").problem) is None and baseline(door.load("kyle").problem) is None


def test_an_act_that_is_seen_exactly_leaves_no_regret_between_nodes() -> None:
    """Ho and Chu's team: cost -7/12 by completing squares; the first member's act is seen as it is, between the nodes of any grid."""
    found = door.solve(door.load(Path(__file__).parents[2] / "examples" / "structures" / "ho_chu.dcg")).result
    assert found.value("cost(Both)").value == pytest.approx(-7 / 12, abs=1e-12)
    assert all(r.exact and r.ex_ante < 1e-12 for r in found.scorecard.regrets)
