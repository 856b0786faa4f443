"""Short dynamic games: control against a Kalman filter and Riccati recursion, duopoly against coupled Riccati equations, repetition and
bargaining against backward induction."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
from small_games import chance, controlled, cost, game_file, natural, problem, rule

from dcgc.learning import Settings, train
from dcgc.lower.plans import Resolution, information_grid
from dcgc.verify import score
from dcgc.verify.regret import decision_regret

OFFERS = """game Offers
param delta = 0.9
param T : int = 3
player A, B
stage t in 1..T {
  when mod(t, 2) == 1 {
    decide x : Unit by A knowing t
    decide yes : Bool by B knowing x, t
    payoff A = yes * x
    payoff B = yes * (1 - x)
    halt when yes
  }
  when mod(t, 2) == 0 {
    decide z : Unit by B knowing t
    decide ok : Bool by A knowing z, t
    payoff B = ok * z
    payoff A = ok * (1 - z)
    halt when ok
  }
  delay delta
}
"""


def shares(count: int, delta: float = 0.9) -> list[float]:
    """What a proposer keeps with 1, 2, .. offers left: all that the other would not get by waiting."""
    out = [1.0]
    while len(out) < count:
        out.append(1 - delta * out[-1])
    return out


def subgame_perfect(count: int, generous: float = 0.0):
    """Proposals and answers by backward induction; ``generous``: by how much more than due an answer is refused."""
    kept, profile = shares(count), {}
    for k in range(1, count + 1):
        share = kept[count - k]
        offer, answer = (f"x@{k}", f"yes@{k}") if k % 2 else (f"z@{k}", f"ok@{k}")
        profile[offer] = rule(lambda share=share: share)
        profile[answer] = chance(lambda asked, share=share: jnp.where(asked <= share + 1e-9 - generous, 1.0, 0.0))
    return profile


@pytest.mark.parametrize(("count", "first"), [(2, 0.1), (3, 0.91), (5, 0.8371)])
def test_alternating_offers_are_worth_what_backward_induction_says(count, first):
    """Stahl 1972: (1 - (-delta)^T) / (1 + delta) for the first to propose."""
    p = problem(OFFERS, T=count)
    world = natural(p, subgame_perfect(count))
    assert cost(p, world, "A") == pytest.approx(-first, abs=1e-9) and cost(p, world, "B") == pytest.approx(first - 1, abs=1e-9)


def test_no_one_gains_by_leaving_backward_induction_and_does_by_refusing_too_much():
    """Every decision is judged, also those that play does not reach."""
    p = problem(OFFERS, T=3)
    right = subgame_perfect(3)
    grid = information_grid(p, right, Resolution(20, 20, 20, 101))
    for d in p.game.decisions:
        assert decision_regret(p, grid, right, d).ex_ante == pytest.approx(0, abs=1e-8), d.name
    proud = subgame_perfect(3, generous=0.05)
    refused = next(d for d in p.game.decisions if d.name == "yes@1")
    assert decision_regret(p, grid, proud, refused).ex_ante > 1e-3


@pytest.mark.study
def test_a_controller_with_memory_finds_the_kalman_estimate():
    """Certainty equivalence: Riccati gains on the filter's estimate, T = 2, against Newton on affine policies that recall everything."""
    p = game_file("lqg", T=2)
    found = train(p, Settings(seed=0, engine="affine"))
    figures = score(p, found.profile).figures
    assert float(figures["cost(Controller)"]) == pytest.approx(controlled(2), abs=1e-6)


@pytest.mark.study
def test_firms_with_a_sticky_price_use_feedback_rules():
    """Coupled Riccati equations for V_t(p) = c + b p + a p^2 / 2 of one firm, both alike; T = 2."""
    horizon, s, beta = 2, 0.2, 0.9
    quadratic, linear, slopes = 0.0, 0.0, []
    for _ in range(horizon):
        # q = p - beta s V'(p'), p' = (1 - s) p + s (10 - 2 q), V'(p) = linear + quadratic p: linear in p
        weight = 1 - 2 * beta * s**2 * quadratic
        f = (1 - beta * s * quadratic * (1 - s)) / weight
        h = -beta * s * (linear + quadratic * s * 10) / weight
        g, e = 1 - s - 2 * s * f, s * (10 - 2 * h)  # p' = g p + e
        # V(p) = p q - q^2 / 2 + beta V(p') with q = f p + h for both
        linear, quadratic = h - f * h + beta * g * (linear + quadratic * e), 2 * f - f**2 + beta * quadratic * g**2
        slopes.append(f)
    p = game_file("sticky_prices", T=horizon)
    found = train(p, Settings(seed=0, engine="affine"))
    figures = score(p, found.profile).figures
    assert float(figures["slope"]) == pytest.approx(slopes[-1], abs=1e-6)
    assert float(figures["last_slope"]) == pytest.approx(1, abs=1e-6)


@pytest.mark.study
def test_nobody_cooperates_a_known_number_of_times():
    p = game_file("repeated_prisoners", T=2)
    found = train(p, Settings(seed=0, engine="sweeps"))
    figures = score(p, found.profile).figures
    assert float(figures["payoff(One)"]) == pytest.approx(-2 * 1.96, abs=1e-9)
    assert float(figures["first"]) == pytest.approx(0, abs=1e-9)
