"""Stages solved backward: bargaining, linear-quadratic games against Riccati equations, growth, finite states against value iteration."""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import numpy as np
import pytest

import dcgc
from dcgc.verify.dynamic_programming import by_dynamic_programming

FOREVER = """
game Forever "Alternating offers without end"
param delta = 0.9 in (0, 1)
player A, B
stage t in 1..inf discount delta {
  decide x : Unit by A knowing nothing
  decide yes : Bool by B knowing x
  payoff A = yes * x
  payoff B = yes * (1 - x)
  halt when yes
  delay delta
  decide z : Unit by B knowing nothing
  decide ok : Bool by A knowing z
  payoff B = ok * z
  payoff A = ok * (1 - z)
  halt when ok
}
measure offer = rule(x)
"""

STOCK = """
game Stock "Two firms share a stock that they would have small"
param beta = 0.95 in (0, 1)
player Firm[2] symmetric
random start ~ Normal(0, 1)
state x = 1 + 0.5 * start
stage t in 1..inf discount beta {
  random e ~ Normal(0, 0.2)
  for i in Firm { decide u[i] : Real by Firm[i] knowing x }
  for i in Firm { cost Firm[i] = x^2 + 2 * u[i]^2 }
  next x = 0.9 * x + sum(u) + e
}
measure slope = rule(u[1], 1) - rule(u[1], 0)
"""

FISH = """
game Fish "Two fleets and one stock of fish"
cite "Levhari and Mirman 1980, Bell Journal of Economics 11"
param beta = 0.9 in (0, 1)
param alpha = 0.5 in (0, 1)
param T : int = 12
player Fleet[2] symmetric
state x = 0.4
stage t in 1..T discount beta {
  for i in Fleet { decide c[i] : Interval(0.0001, 0.49 * x) by Fleet[i] knowing x, t }
  for i in Fleet { payoff Fleet[i] = log(c[i]) }
  next x = (x - sum(c))^alpha
}
measure first = rule(c[1], 0.4, 1)
"""

MACHINE = """
game Machine "A machine breaks down by and by; a mechanic asks for a wage when called"
param beta = 0.8 in (0, 1)
player Owner, Mechanic
state works = 1
stage t in 1..inf discount beta {
  random fails ~ Bernoulli(0.3)
  decide wage : Interval(0, 4) by Mechanic knowing works
  decide call : Bool by Owner knowing works, wage
  payoff Owner = works - call * wage
  payoff Mechanic = call * (wage - 0.5)
  next works = (works + call - works * call) * (1 - fails)
}
measure asked = rule(wage, 0)
"""


def test_twenty_stages_of_offers() -> None:
    result = dcgc.train(dcgc.load("rubinstein"))
    assert result.value("payoff(A)").value == pytest.approx((1 - 0.9**40) / 1.9, abs=1e-7)
    assert all(r.exact and r.ex_ante < 1e-7 and r.unreached < 1e-7 for r in result.scorecard.regrets)
    for stage, rounds in ((20, 1), (19, 3), (18, 5)):  # what the second to speak asks for, with so many rounds to go: 1, 0.91, 0.8371
        assert float(result.policies["z"](stage)) == pytest.approx((1 + 0.9**rounds) / 1.9, abs=1e-7)


def test_offers_without_end() -> None:
    result = dcgc.train(dcgc.load(FOREVER))
    assert result.value("offer").value == pytest.approx(1 / 1.9, abs=1e-6)
    assert result.value("payoff(A)").value == pytest.approx(1 / 1.9, abs=1e-6)
    assert all(r.exact for r in result.scorecard.regrets)


@pytest.mark.parametrize("length", [5, pytest.param(200, marks=pytest.mark.study)])
def test_sticky_prices_against_the_coupled_riccati_equation(length: int) -> None:
    result = dcgc.train(dcgc.load("sticky_prices", {"T": length}), stages="scanned")
    slopes, earned = riccati(length)
    assert result.value("payoff(Firm[1])").value == pytest.approx(earned, abs=1e-4 + 3 * result.value("payoff(Firm[1])").error)
    rule = result.policies["q"] if "q" in result.policies else result.policies["q[1]"]
    for stage in (1, 2, length):
        found = float(rule(5.0, stage)) - float(rule(4.0, stage))
        assert found == pytest.approx(slopes[stage - 1], abs=1e-7)
    if length == 5:
        assert slopes[0] == pytest.approx(0.905743986, abs=1e-9)
        assert {c.verdict for c in result.scorecard.comparisons} == {"met"}


def riccati(length: int, s: float = 0.2, beta: float = 0.9) -> tuple[list[float], float]:
    """Slopes of q in p, and what a firm earns with E p = 4 and Var p = 0.01 at first. With V(p) = a + b p + c p^2 in the next stage each
    maximises p q - q^2 / 2 + beta V(p'), p' = (1 - s) p + s (10 - q1 - q2)."""
    a = b = c = 0.0
    slopes = []
    for _ in range(length):
        weight = 1 - 4 * beta * s**2 * c
        f, h = (1 - 2 * beta * s * c * (1 - s)) / weight, -beta * s * (b + 20 * c * s) / weight
        g, e = 1 - s - 2 * s * f, s * (10 - 2 * h)
        a, b, c = -h**2 / 2 + beta * (a + b * e + c * e**2), h - f * h + beta * (b * g + 2 * c * g * e), f - f**2 / 2 + beta * c * g**2
        slopes.append(f)
    return slopes[::-1], a + 4 * b + 16.01 * c


@pytest.mark.study
def test_a_stock_without_end_against_the_algebraic_riccati_equation() -> None:
    k = f = 0.0
    for _ in range(3000):
        f = -1.8 * 0.95 * k / (4 + 4 * 0.95 * k)
        k = 1 + 2 * f * f + 0.95 * k * (0.9 + 2 * f)**2
    cost = k * (1 + 0.25) + 0.95 / 0.05 * k * 0.04
    result = dcgc.train(dcgc.load(STOCK), engine="dynamic")
    assert result.value("slope").value == pytest.approx(f, abs=1e-6)
    assert result.value("cost(Firm[1])").value == pytest.approx(cost, rel=1e-6)


@pytest.mark.study
def test_fleets_leave_too_few_fish() -> None:
    share, weight = 0.5, 0.0  # V = weight * log x: c maximises log c + beta * weight * alpha * log(x - 2 c)
    for _ in range(12):
        b = 0.9 * weight * 0.5
        share = 1 / (2 + b)
        weight = 1 + b
    result = dcgc.train(dcgc.load(FISH), engine="dynamic")
    assert result.value("first").value == pytest.approx(share * 0.4, rel=2e-3)


@pytest.mark.study
def test_a_finite_state_against_value_iteration() -> None:
    result = dcgc.train(dcgc.load(MACHINE), engine="dynamic")
    value = np.zeros((2, 2))  # owner and mechanic, broken and working
    for _ in range(400):
        kept = 0.8 * (0.7 * value[:, 1] + 0.3 * value[:, 0])
        worth = kept[0] - 0.8 * value[0, 0]  # of a repair, to the owner
        wage = min(4.0, worth)
        called = wage >= 0.5 + 0.8 * value[1, 0] - kept[1]
        broken = np.array([kept[0] - wage, wage - 0.5 + kept[1]]) if called else 0.8 * value[:, 0]
        value = np.stack([broken, np.array([1.0, 0.0]) + kept], 1)
    assert result.value("payoff(Owner)").value == pytest.approx(value[0, 1], abs=1e-5)
    assert result.value("payoff(Mechanic)").value == pytest.approx(value[1, 1], abs=1e-5)
    assert result.value("asked").value == pytest.approx(wage, abs=1e-5)


def test_who_offers_too_much_is_found_out() -> None:
    game = dcgc.load("rubinstein")
    profile = dcgc.train(game).trained.profile
    offer = profile["x"]
    lower = eqx.tree_at(lambda s: s.policy.entries, offer, offer.policy.entries - 0.1)
    judged = by_dynamic_programming(game.problem, {**profile, "x": lower})
    assert judged is not None
    assert judged["A"].unreached == pytest.approx(0.1, abs=2e-2)
    assert judged["A"].bound >= 0.1 - 1e-6 and judged["A"].cost == pytest.approx(-(1 - 0.9**40) / 1.9 + 0.1, abs=1e-6)


def test_one_policy_for_finitely_many_stages_is_left_to_others() -> None:
    text = FOREVER.replace("1..inf discount delta", "1..30 discount delta")
    from dcgc.learning.dynamic_engine import DynamicEngine

    assert "one policy for all stages" in (DynamicEngine().refuses(replace(dcgc.load(text), form="scanned").problem) or "")


PENNIES = """
game Pennies "Matching pennies again and again; what was shown before sets the stake"
param T : int = 4
player A, B
stage t in 1..T discount 0.9 {
  decide a : Bool by A knowing last(a, false), last(b, false), t mixed
  decide b : Bool by B knowing last(a, false), last(b, false), t mixed
  let stake = 1 + last(a, false) + last(b, false)
  payoff A = stake * (a * b + (1 - a) * (1 - b))
  payoff B = stake * (1 - a * b - (1 - a) * (1 - b))
}
"""


def test_mixing_in_every_state_and_stage_against_two_by_two_games() -> None:
    value = np.zeros((2, 2, 2))  # of either player, by what both showed last
    for _ in range(4):
        new = np.zeros_like(value)
        for i in range(2):
            for j in range(2):
                same = np.eye(2) * (1 + i + j)
                first, second = same + 0.9 * value[0], (1 + i + j) - same + 0.9 * value[1]
                p = (second[1, 1] - second[1, 0]) / (second[0, 0] - second[0, 1] - second[1, 0] + second[1, 1])  # of A's first
                q = (first[1, 1] - first[0, 1]) / (first[0, 0] - first[0, 1] - first[1, 0] + first[1, 1])  # of B's first
                law = np.outer([p, 1 - p], [q, 1 - q])
                new[:, i, j] = (law * first).sum(), (law * second).sum()
        value = new
    result = dcgc.train(dcgc.load(PENNIES), stages="scanned", engine="dynamic")
    assert result.value("payoff(A)").value == pytest.approx(value[0, 0, 0], abs=1e-9)
    assert result.value("payoff(B)").value == pytest.approx(value[1, 0, 0], abs=1e-9)
    assert all(r.exact and r.unreached < 1e-9 for r in result.scorecard.regrets)


FISH_WAR = """
game FishWar "Each may take an equal part of the stock; of nothing nothing grows"
cite "Levhari and Mirman 1980, Bell Journal of Economics 11"
param N : int = 2
param T : int = 6
player Fleet[N] symmetric
state x = 0.8
stage t in 1..T discount 0.95 {
  for i in Fleet { decide c[i] : Interval(0, x / N) by Fleet[i] knowing x, t }
  for i in Fleet { payoff Fleet[i] = log(c[i]) }
  next x = (x - sum(c))^0.5
}
measure first = rule(c[1], 0.8, 1)
"""


def first_share(n: int, length: int) -> float:
    """What part of the stock each takes in stage 1: V_t = A_t + w_t log x, c = x / (n + b) with b = 0.95 w_{t+1} / 2, w_t = 1 + b."""
    share, weight = 1 / n, 1.0
    for _ in range(length - 1):
        b = 0.95 * weight * 0.5
        share, weight = 1 / (n + b), 1 + b
    return share


@pytest.mark.study
@pytest.mark.parametrize(("n", "alike"), [(2, False), (2, True)])
def test_a_fish_war_to_the_end_of_the_stock(n: int, alike: bool) -> None:
    result = dcgc.train(dcgc.load(FISH_WAR if alike else FISH_WAR.replace(" symmetric", ""), {"N": n}), engine="dynamic", stages="scanned")
    assert result.value("first").value == pytest.approx(first_share(n, 6) * 0.8, rel=1e-3)
    assert all(r.exact and r.ex_ante < 1e-4 for r in result.scorecard.regrets)
    assert not result.scorecard.alarms
