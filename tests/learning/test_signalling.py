"""Sender games against closed forms: Spence and Riley, Leland and Pyle, limit pricing, acts with a bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_games import game_file, problem

from dcgc.learning.least_costly import Types, least_costly
from dcgc.learning.separating import separations
from dcgc.learning.settings import Settings
from dcgc.learning.training import train
from dcgc.lower.signals import SenderGame, sender_game
from dcgc.verify.functions import policy_function
from dcgc.verify.scoring import score


def sender(text: str) -> SenderGame:
    game = sender_game(problem(text))
    assert isinstance(game, SenderGame), game
    return game


@pytest.fixture(scope="module")
def two_types():
    p = game_file("spence_two_types")
    return p, train(p, Settings())


def test_two_types_end_in_rileys_profile_beside_pooling(two_types):
    p, trained = two_types
    assert len(trained.equilibria) == 2
    worker = sorted(-costs["Worker"] for _, costs in trained.equilibria)
    assert worker == pytest.approx([1.25, 1.5], abs=1e-9)
    assert not trained.alarms


def test_each_is_called_what_it_is(two_types):
    _, trained = two_types
    by_payoff = {round(-costs["Worker"], 6): name for (_, costs), name in zip(trained.equilibria, trained.names, strict=True)}
    riley, pooling = by_payoff[1.25], by_payoff[1.5]
    assert "a separating profile" in riley and "stands under errors that are the rarer the more they cost but not" in riley
    assert "passes the intuitive criterion" in riley
    assert "a pooling profile" in pooling and "stands under errors of one size but not" in pooling
    assert "fails the intuitive criterion" in pooling and "by which able = 1 could gain" in pooling


def test_published_values_are_met_and_wages_jump_at_one_year(two_types):
    p, trained = two_types
    card = score(p, trained.profile, alternatives=trained.alternatives)
    assert {c.verdict for c in card.comparisons} <= {"met", "met by another equilibrium"}
    riley = next(x for x in (trained.profile, *trained.alternatives) if float(policy_function(p, x, "e")(1)) > 0.5)
    assert float(policy_function(p, riley, "e")(1)) == pytest.approx(1.0, abs=1e-9)
    assert policy_function(p, riley, "wage")([0.0, 0.6, 1 - 1e-6, 1.0, 2.5]) == pytest.approx([1, 1, 1, 2, 2], abs=1e-9)


def test_a_continuum_of_types():
    """e(theta) = (theta^2 - 1) / 2 (Riley 1979)."""
    (s,) = separations(sender_game(game_file("spence")))
    theta = 1 + s.base
    assert s.acts == pytest.approx((theta**2 - 1) / 2, abs=1e-9)


@pytest.mark.study
def test_leland_and_pyle():
    """With the certainty equivalent mu a + (1 - a) p - b a^2 / 2 of a part a kept, p(a) = mu_0 - b (a + log(1 - a)) (Leland and Pyle
    1977, Journal of Finance 32)."""
    (s,) = separations(sender("""
game LelandPyle
player Owner, Market
random mu ~ Uniform(1, 2)
decide kept : Unit by Owner knowing mu
decide price : Real by Market knowing kept
payoff Owner = mu * kept + (1 - kept) * price - 0.5 * kept^2 / 2
cost Market = (price - mu)^2
"""))
    assert 1 + s.base == pytest.approx(1 - 0.5 * (s.acts + np.log1p(-s.acts)), abs=1e-8)
    assert s.base[[0, -1]] == pytest.approx([0, 1])


@pytest.mark.study
def test_limit_pricing_from_an_interior_optimum():
    """The costliest incumbent sells its monopoly quantity 1.5, all others more: c'(q) = 4 - 2 q - c, so c = 6 - 2 q - 2 exp(1.5 - q)
    (after Milgrom and Roberts 1982, Econometrica 50)."""
    (s,) = separations(sender("""
game LimitPricing
player Incumbent, Entrant
random c ~ Uniform(0, 1)
decide q : Interval(0, 10) by Incumbent knowing c
decide scale : Real by Entrant knowing q
payoff Incumbent = (4 - q - c) * q - scale
cost Entrant = (scale - c)^2
"""))
    assert s.base == pytest.approx(6 - 2 * s.acts - 2 * np.exp(1.5 - s.acts), abs=1e-8)
    assert s.acts[-1] == pytest.approx(1.5)


@pytest.mark.study
def test_three_types_whose_education_is_worth_something():
    """Each type does what is best for it among what those before it would not imitate."""
    game = sender("""
game Three
player Worker, Market
random k ~ Discrete([1, 2, 3], [0.2, 0.3, 0.5])
decide e : Positive by Worker knowing k
decide wage : Real by Market knowing e
payoff Worker = wage - e^2 / (2 * k)
cost Market = (wage - k - 0.5 * e)^2
""")
    found = least_costly(Types(game, *game.places(3)))
    second = (1 + math.sqrt(8)) / 2
    gets = 2 + second / 2 - second**2 / 4
    assert found is not None
    assert found[0] == pytest.approx([0.5, second, 1 + math.sqrt(1 - 4 * (gets - 3))], abs=1e-7)  # a least point, to the root of rounding


@pytest.mark.study
def test_a_reply_of_yes_or_no():
    """A strong incumbent sells 4 + 2 sqrt 2, more than the weak one would to keep the entrant away."""
    p = problem("""
game Entry
player Incumbent, Entrant
random weak ~ Bernoulli(1 / 2)
decide q : Interval(0, 10) by Incumbent knowing weak
decide enter : Bool by Entrant knowing q
payoff Incumbent = (9 - q - weak) * q + (1 - enter) * 8
payoff Entrant = enter * (2 * weak - 1)
""")
    trained = train(p, Settings())
    q = policy_function(p, trained.profile, "q")
    assert [float(q(0)), float(q(1))] == pytest.approx([4 + math.sqrt(8), 4.0], abs=1e-6)
    assert not trained.alarms


@pytest.mark.study
def test_schools_that_end_too_early():
    """With e <= 1 the types above 1.5 take all of it together, and type 1.5 does not mind (Cho and Sobel 1990)."""
    p = problem("""
game Capped
player Worker, Market
random theta ~ Uniform(1, 2)
decide e : Unit by Worker knowing theta
decide wage : Interval(1, 2) by Market knowing e
payoff Worker = wage - e / theta
cost Market = (wage - theta)^2
""")
    trained = train(p, Settings())
    profile = next(x for x in (trained.profile, *trained.alternatives) if float(policy_function(p, x, "e")(1.9)) > 0.5)
    e, wage = policy_function(p, profile, "e"), policy_function(p, profile, "wage")
    assert e([1.2, 1.4999, 1.5001, 1.9]) == pytest.approx([0.22, (1.4999**2 - 1) / 2, 1, 1], abs=1e-5)
    assert float(wage(1.0)) == pytest.approx(1.75, abs=1e-4)


@pytest.mark.parametrize(("change", "why"), [
    ("random theta ~ Uniform(1, 2)\nrandom n ~ Normal(0, 1)\nlet y = e + n\ndecide wage : Real by Market knowing y",
     "does not know e alone"),
    ("random theta ~ Uniform(1, 2)\ndecide wage : Real by Market knowing e, theta", "does not know e alone"),
])
def test_what_is_no_sender_game(change, why):
    first, *rest = change.split("\n")
    text = "\n".join(["game G", "player Worker, Market", first, "decide e : Unit by Worker knowing theta", *rest,
                      "payoff Worker = wage - e / theta", "cost Market = (wage - theta)^2"])
    refused(text, why)


def test_an_act_that_costs_nothing_is_talk():
    refused("""
game Talk
player A, B
random theta ~ Uniform(0, 1)
decide e : Unit by A knowing theta
decide r : Real by B knowing e
cost A = (r - theta - 0.1)^2
cost B = (r - theta)^2
""", "e costs nothing")


def refused(text, why):
    found = sender_game(problem(text))
    assert isinstance(found, str) and why in found
