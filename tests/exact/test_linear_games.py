"""Equilibria of linear-quadratic games, against systems and recursions of our own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcgc import door
from dcgc.exact import NoTheory, solve

EXACT = 1e-8
FORMS = ["auto", pytest.param("scanned", marks=pytest.mark.study)]  # stages written out, or elaborated once

PURSUIT = """game Pursuit
param q = 1.5
param T : int = 5
player Pursuer, Evader
random start ~ Normal(1, 0.5)
state x = start
stage t in 1..T {
  random w ~ Normal(0, 0.2)
  decide u : Real by Pursuer knowing x, t
  decide v : Real by Evader knowing x, t
  cost Pursuer = x^2 + u^2 - 4 * v^2
  payoff Evader = x^2 + u^2 - 4 * v^2
  next x = 0.9 * x - u + v + w
}
cost Pursuer = q * x^2
payoff Evader = q * x^2
"""

PRICES = """game Prices "Price competition with signals of demand"
player One, Two
random theta ~ Normal(10, 2)
random e1 ~ Normal(0, 1)
random e2 ~ Normal(0, 3)
let s1 = theta + e1
let s2 = theta + e2
decide p1 : Real by One knowing s1
decide p2 : Real by Two knowing s2
payoff One = (p1 - 1) * (theta - 2 * p1 + p2)
payoff Two = (p2 - 2) * (theta - 2 * p2 + p1)
"""


def rules(text: str, **values: object) -> dict[str, np.ndarray]:
    return {k: np.concatenate([np.asarray(s.policy.offsets)[0], np.asarray(s.policy.gains)[0].reshape(-1)])
            for k, s in solve(door.load(text, set=values).problem).profile.items()}


def test_cournot_with_private_costs() -> None:
    found, solved = rules("cournot_private"), solve(door.load("cournot_private").problem)
    assert found["q[1]"] == pytest.approx([8 / 3 + 1, -1 / 2], abs=EXACT)
    assert solved.costs["Firm[1]"] == pytest.approx(-(64 / 9 + 1 / 12), abs=EXACT)
    shared = solve(door.load("cournot_private", set={"shared": 1}).problem)
    assert shared.costs["Firm[2]"] == pytest.approx(-(64 / 9 + 5 / 27), abs=EXACT)


@pytest.mark.parametrize(("reveal", "profits"), [
    ((0, 0), (100 / 9 + 2 / 25, 100 / 9 + 2 / 25)), ((1, 1), (100 / 9 + 2 / 27, 100 / 9 + 2 / 27)),
    ((1, 0), (100 / 9 + 1 / 18, 100 / 9 + 7 / 72))])
def test_cournot_with_signals(reveal: tuple[int, int], profits: tuple[float, float]) -> None:
    solved = solve(door.load("cournot_signals", set={"reveal1": reveal[0], "reveal2": reveal[1]}).problem)
    assert (-solved.costs["Firm1"], -solved.costs["Firm2"]) == pytest.approx(profits, abs=EXACT)


def test_price_competition_with_demand_signals() -> None:
    """First-order conditions by hand: 4 p_i = E[theta | s_i] + E[p_j | s_i] + 2 c_i, p_i = a_i + b_i s_i."""
    t1, t2 = 4 / 5, 4 / 13
    # slopes: 4 b1 = t1 + b2 t1, 4 b2 = t2 + b1 t2; levels m_i = E p_i: 4 m1 = 10 + m2 + 2, 4 m2 = 10 + m1 + 4
    b = np.linalg.solve([[4, -t1], [-t2, 4]], [t1, t2])
    m = np.linalg.solve([[4, -1], [-1, 4]], [12, 14])
    found = rules(PRICES)
    assert found["p1"] == pytest.approx([m[0] - 10 * b[0], b[0]], abs=EXACT)
    assert found["p2"] == pytest.approx([m[1] - 10 * b[1], b[1]], abs=EXACT)
    assert "no other" in solve(door.load(PRICES).problem).count


def sticky(length: int, s: float = 0.2, beta: float = 0.9) -> tuple[list[tuple[float, float]], np.ndarray]:
    """The symmetric feedback rule q = h + f p by stage, and one firm's value (c, b, a) of a + b p + c p^2: own recursion."""
    value, out = np.zeros(3), []  # a, b, c
    for _ in range(length):
        a, b, c = value
        # p' = (1-s) p + s (10 - q1 - q2); own q maximises p q - q^2/2 + beta (a + b p' + c p'^2)
        # p - q - beta s (b + 2 c p') = 0, q1 = q2
        lead = 1 - 4 * beta * c * s * s
        f = (1 - 2 * beta * c * s * (1 - s)) / lead
        h = -(beta * s * (b + 20 * c * s)) / lead
        slope, level = (1 - s) - 2 * s * f, 10 * s - 2 * s * h
        value = np.array([-h * h / 2 + beta * (a + b * level + c * level**2),
                          h - h * f + beta * (b * slope + 2 * c * level * slope), f - f * f / 2 + beta * c * slope**2])
        out.append((h, f))
    return out[::-1], value


@pytest.mark.parametrize("form", FORMS)
def test_sticky_prices(form: str) -> None:
    game = replace(door.load("sticky_prices"), form=form)
    solved = solve(game.problem)
    path, (a, b, c) = sticky(5)
    value = a + 4 * b + c * (16 + 0.01)
    assert value == pytest.approx(31.175333849 + 0.598698112 * 0.01, abs=1e-8)
    assert -solved.costs["Firm[1]"] == pytest.approx(value, abs=EXACT) and "coupled Riccati" in solved.method
    if form == "auto":
        first = solved.profile["q@1[1]"].policy
        assert (float(first.offsets[0, 0]), float(first.gains[0, 0, 0])) == pytest.approx(path[0], abs=EXACT)


def test_sticky_prices_on_committed_paths() -> None:
    solved = solve(door.load("sticky_prices", set={"feedback": 0, "spread": 1e-6}).problem)
    assert solved.costs["Firm[1]"] == pytest.approx(-31.855708785, abs=EXACT)


def pursuit(q: float, length: int) -> tuple[float, float, list[tuple[float, float]]]:
    """The value p x^2 + c of the zero-sum game by its Riccati equation, and the gains of both by stage."""
    p, c, gains = q, 0.0, []
    for _ in range(length):
        # min over u, max over v of u^2 - 4 v^2 + p (0.9 x - u + v)^2
        k = np.linalg.solve([[1 + p, -p], [-p, p - 4]], [0.9 * p, -0.9 * p])
        nxt = 0.9 - k[0] + k[1]
        c += 0.04 * p
        p = 1 + k[0] ** 2 - 4 * k[1] ** 2 + p * nxt**2
        gains.append((k[0], k[1]))
    return p, c, gains[::-1]


@pytest.mark.parametrize("form", FORMS)
def test_zero_sum_over_five_stages(form: str) -> None:
    solved = solve(replace(door.load(PURSUIT), form=form).problem)
    p, c, gains = pursuit(1.5, 5)
    assert solved.costs["Pursuer"] == pytest.approx(p * (1 + 0.25) + c, abs=EXACT)
    assert solved.costs["Evader"] == pytest.approx(-solved.costs["Pursuer"], abs=EXACT)
    assert any("existence of the saddle point" in x for x in solved.lines) and "zero-sum" in solved.method
    if form == "auto":
        for t, (u, v) in enumerate(gains, start=1):
            assert float(solved.profile[f"u@{t}"].policy.gains[0, 0, 0]) == pytest.approx(u, abs=EXACT)
            assert float(solved.profile[f"v@{t}"].policy.gains[0, 0, 0]) == pytest.approx(v, abs=EXACT)


@pytest.mark.parametrize("form", FORMS)
def test_no_saddle_point_is_said(form: str) -> None:
    """With a terminal price above 4 the evader gains without bound by running."""
    with pytest.raises(NoTheory, match="not convex"):
        solve(replace(door.load(PURSUIT, set={"q": 4.5}), form=form).problem)


def test_quadratic_saddle() -> None:
    a, b, c = np.array([[2, .5], [.5, 1]]), np.array([[1, -1], [2, .5]]), np.diag([1.5, 1])
    x = np.linalg.solve(np.block([[a, b], [b.T, -c]]), [-1, 1, 0.5, 0.2])
    solved = solve(door.load("quadratic_saddle").problem)
    assert np.concatenate([np.asarray(solved.profile[k].policy.offsets)[0] for k in "xy"]) == pytest.approx(x, abs=EXACT)
    assert solved.costs["Lower"] == pytest.approx(-0.630529801, abs=1e-8) and "saddle" in solved.theorem


def test_kyle_has_one_affine_equilibrium() -> None:
    solved = solve(door.load("kyle").problem)
    assert (solved.costs["Insider"], solved.costs["Maker"]) == pytest.approx((-0.5, 0.5), abs=EXACT)
    assert solved.count.startswith("1 affine equilibrium, and there are no others")


def test_biased_signalling_has_three_affine_equilibria() -> None:
    solved = solve(door.load("biased_signalling").problem)
    assert (solved.costs["Sender"], solved.costs["Receiver"]) == pytest.approx((1.25, 0.5), abs=EXACT)
    assert solved.count.startswith("3 affine equilibria of 2 kinds")  # one, its mirror image, babbling
    assert {round(c["Receiver"], 9) for _, c in solved.others} == {0.5, 1.0}


def test_what_no_theory_solves_names_its_witness() -> None:
    with pytest.raises(NoTheory, match="not nested: Insider's x@1 changes"):
        solve(door.load("kyle_auctions").problem)
