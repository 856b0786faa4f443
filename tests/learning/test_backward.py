"""Backward induction: games whose subgame-perfect play is known by hand."""

from __future__ import annotations

import pytest

import dcgc
from dcgc.information.subgames import Entangled
from dcgc.learning.backward_engine import BackwardEngine, backward_order

ULTIMATUM = """
game Ultimatum
param outside = 0.25
player A, B
decide x : Unit by A knowing nothing
decide yes : Bool by B knowing x
payoff A = yes * x
payoff B = if yes then 1 - x else outside
measure offer = E[x]
measure low = rule(yes, 0.74)
measure high = rule(yes, 0.76)
"""

LEADERS = """
game Leaders "Three firms set quantities one after the other, each seeing those before"
player F1, F2, F3
decide q1 : Positive by F1 knowing nothing
decide q2 : Positive by F2 knowing q1
decide q3 : Positive by F3 knowing q1, q2
let p = 100 - q1 - q2 - q3
payoff F1 = (p - 10) * q1
payoff F2 = (p - 10) * q2
payoff F3 = (p - 10) * q3
measure lead = E[q1]
measure middle = E[q2]
measure tail = E[q3]
"""

CONTEST = """
game Contest "Two efforts, one after the other"
player A, B
param v = 2
decide x : Interval(0.01, 2) by A knowing nothing
decide y : Interval(0, 2) by B knowing x
payoff A = x / (x + y) - x
payoff B = v * y / (x + y) - y
"""

CHAIN_STORE = """
game ChainStore "Entry in two markets, one after the other"
player Store, E1, E2
decide in1 : Bool by E1 knowing nothing
decide fight1 : Bool by Store knowing in1
decide in2 : Bool by E2 knowing in1, fight1
decide fight2 : Bool by Store knowing in1, fight1, in2
payoff E1 = in1 * (1 - 2 * fight1)
payoff E2 = in2 * (1 - 2 * fight2)
payoff Store = if in1 then 2 - 3 * fight1 else 5
payoff Store = if in2 then 2 - 3 * fight2 else 5
"""

POSTED_PRICE = """
game PostedPrice "A seller who knows its cost posts a price; the buyer's taste is its own"
player Seller, Buyer
random c ~ Uniform(0, 0.5)
random v ~ Uniform(0, 1)
decide p : Unit by Seller knowing c
decide buy : Bool by Buyer knowing p, v
payoff Seller = buy * (p - c)
payoff Buyer = buy * (v - p)
measure price = rule(p, 0.2)
"""

ENTRY = """
game Entry "One firm is in the market; another pays to come in, and both then set prices at once"
param k = 5
player Old, New
decide enter : Bool by New knowing nothing
decide p : Interval(0, 20) by Old knowing enter
decide r : Interval(0, 20) by New knowing enter
payoff Old = p * (10 - p + enter * (0.5 * r - 3))
payoff New = enter * (r * (7 - r + 0.5 * p) - k)
"""

SIGNALS = """
game Signals
player A, B
random able ~ Bernoulli(0.5)
decide e : Unit by A knowing able
decide w : Unit by B knowing e
payoff A = w - e * (2 - able)
payoff B = -(w - able)^2
"""


def solved(text: str) -> dcgc.Result:
    return dcgc.train(dcgc.load(text), engine="backward")


def test_an_offer_is_exactly_what_is_just_accepted() -> None:
    result = solved(ULTIMATUM)
    assert result.value("offer").value == pytest.approx(0.75, abs=1e-8)
    assert result.value("payoff(A)").value == pytest.approx(0.75, abs=1e-8)
    assert (result.value("low").value, result.value("high").value) == (1, 0)
    assert all(r.exact and r.ex_ante < 1e-8 and r.unreached < 1e-8 for r in result.scorecard.regrets)


def test_the_responder_accepts_nothing_where_it_has_nothing() -> None:
    result = dcgc.train(dcgc.load(ULTIMATUM, {"outside": 0}), engine="backward")
    assert result.value("payoff(A)").value == pytest.approx(1, abs=1e-6)


@pytest.mark.study
def test_three_movers_see_quantities() -> None:
    result = solved(LEADERS)  # each takes half of what is left
    for name, quantity in (("lead", 45.0), ("middle", 22.5), ("tail", 11.25)):
        assert result.value(name).value == pytest.approx(quantity, rel=1e-3)


def test_a_contest_one_after_the_other() -> None:
    result = solved(CONTEST)  # y = sqrt(v x) - x, so A's payoff is sqrt(x / v) - x: x = 1 / (4 v)
    assert result.value("payoff(A)").value == pytest.approx(1 / 8, rel=1e-3)
    assert result.value("payoff(B)").value == pytest.approx(2 * 3 / 4 - 3 / 8, rel=1e-3)


def test_threats_that_would_not_be_carried_out_are_none() -> None:
    result = solved(CHAIN_STORE)
    assert result.value("payoff(E1)").value == 1 and result.value("payoff(E2)").value == 1
    assert result.value("payoff(Store)").value == 4
    assert all(r.exact and r.unreached == 0 for r in result.scorecard.regrets)


@pytest.mark.study
def test_a_draw_that_comes_to_light_later() -> None:
    result = solved(POSTED_PRICE)
    assert result.value("price").value == pytest.approx(0.6, abs=2e-3)
    assert result.value("payoff(Seller)").value == pytest.approx((1 - 0.5**3) / 6, rel=1e-3)


def test_prices_at_once_after_entry() -> None:
    # enter: 7 - 2 p + r / 2 = 0 and 7 - 2 r + p / 2 = 0, so p = r = 14 / 3 and New earns p^2 - k
    result = solved(ENTRY)
    assert result.value("payoff(New)").value == pytest.approx((14 / 3)**2 - 5, rel=1e-6)
    assert result.value("payoff(Old)").value == pytest.approx((14 / 3)**2, rel=1e-6)
    out = dcgc.train(dcgc.load(ENTRY, {"k": 30}), engine="backward")
    assert out.value("payoff(New)").value == 0 and out.value("payoff(Old)").value == pytest.approx(25, rel=1e-6)


@pytest.mark.study
def test_three_rounds_of_offers() -> None:
    result = dcgc.train(dcgc.load("rubinstein", {"T": 2}), engine="backward")  # two offers a stage
    assert result.value("payoff(A)").value == pytest.approx((1 - 0.9**4) / 1.9, abs=1e-6)


def test_who_must_guess_what_another_knows_is_left_to_others() -> None:
    problem = dcgc.load(SIGNALS).problem
    with pytest.raises(Entangled, match="what w knows tells something about able"):
        backward_order(problem)
    assert "tells something about able" in (BackwardEngine().refuses(problem) or "")


def test_two_who_mix_over_many_options() -> None:
    """Matching pennies with six coins: 923 pairs of supports in one program; with seven it is left to others, in words."""
    text = ("game Six\nplayer A, B\nparam n : int = 6\ndecide first : Bool by A knowing nothing\n"
            "decide a : Choice(n) by A knowing first mixed\ndecide b : Choice(n) by B knowing first mixed\n"
            "cost A = (a == b) + 0.1 * first\ncost B = -(a == b)\n")
    found = dcgc.train(dcgc.load(text), engine="backward")
    assert found.value("cost(A)").value == pytest.approx(1 / 6, abs=1e-9)
    assert "too many supports" in (BackwardEngine().refuses(dcgc.load(text, {"n": 7}).problem) or "")
