"""The judge of sender games against figures worked out by hand, mostly away from equilibrium."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_games import game_file

from dcgc.learning.signal_profiles import receiver_strategy, sender_strategy
from dcgc.lower.signals import sender_game
from dcgc.verify.regrets import player_regrets

HAIR = 1e-9


@pytest.fixture(scope="module")
def two_types():
    return game_file("spence_two_types")


@pytest.fixture(scope="module")
def continuum():
    return game_file("spence")


def regrets(p, base, acts, pieces, cut=math.nan):
    game = sender_game(p)
    profile = {"e": sender_strategy(game, np.asarray(base, float), np.asarray(acts, float), cut),
               "wage": receiver_strategy(game, [(np.asarray(a, float), np.asarray(r, float)) for a, r in pieces])}
    rows, _ = player_regrets(p, profile)
    return {r.player: r for r in rows}


def step(at, low, high, end=3.0):
    """Wages ``low`` below ``at``, ``high`` from there on."""
    return [([0.0, at - 2 * HAIR], [low, low]), ([at - HAIR, end], [high, high])]


def test_riley_stands_if_errors_are_the_rarer_the_more_they_cost(two_types):
    found = regrets(two_types, [0, 1], [0, 1], step(1.0, 1, 2))
    assert found["Worker"].ex_ante < 1e-8
    assert found["Market"].ex_ante == pytest.approx(0, abs=1e-12) and found["Market"].unreached == pytest.approx(0, abs=1e-12)
    assert "errors that are the rarer the more they cost" in found["Market"].method


def test_a_jump_of_the_wage_below_what_the_able_do_is_found(two_types):
    """Wages jump at 1/2: the able would rather buy half a year (1.75 for 1.5), the others 1.5 for 1; half of them are each."""
    found = regrets(two_types, [0, 1], [0, 1], step(0.5, 1, 2))
    assert found["Worker"].ex_ante == pytest.approx((0.25 + 0.5) / 2, abs=1e-6)
    assert "errors of one size" in found["Market"].method and found["Market"].unreached == pytest.approx(0, abs=1e-12)


def test_two_years_stand_under_neither_law(two_types):
    """If the able buy two years nobody gains, but wages 1 up to there belong to no belief that errors leave: both laws put 1.5 years down
    to the able, to whom 2 is due."""
    found = regrets(two_types, [0, 1], [0, 2], step(2.0, 1, 2))
    assert found["Worker"].ex_ante < 1e-8
    assert found["Market"].unreached == pytest.approx(1.0, abs=1e-9)


def test_who_pools_at_the_wrong_wage(two_types):
    """At a wage of 1 + e both at 0: the mean type is 1.5, and the able would take a year (1.5 for 1)."""
    found = regrets(two_types, [0, 1], [0, 0], [([0.0, 1.0, 3.0], [1.0, 2.0, 2.0])])
    assert found["Worker"].ex_ante == pytest.approx(0.25, abs=1e-9)
    assert found["Market"].ex_ante == pytest.approx(0.25, abs=1e-12)


def test_two_pools_of_a_continuum(continuum):
    """Types below 1.5 at 0, those above at 1/2. To the first 1.25 is due: 0.1 more costs 0.01 half of the time."""
    found = regrets(continuum, [0.0, 0.5, 0.5, 1.0], [0.0, 0.0, 0.5, 0.5], step(0.25, 1.35, 1.75), cut=0.5)
    assert found["Market"].ex_ante == pytest.approx(0.005, abs=1e-6)
    # type theta gains 0.4 - 0.25 / theta by a quarter in place of nothing, and 0.25 / theta in place of a half
    below = 0.4 * 0.5 - 0.25 * math.log(1.5)
    above = 0.25 * math.log(2 / 1.5)
    assert found["Worker"].ex_ante == pytest.approx(below + above, abs=1e-4)


def test_a_separating_act_is_read_exactly(continuum):
    """With e = theta - 1 wages should be 1 + e; at 1.1 + e everybody who acts is paid 0.1 too much, and gains by more or by less."""
    found = regrets(continuum, [0.0, 1.0], [0.0, 1.0], [([0.0, 0.9, 1.0, 6.0], [1.1, 2.0, 2.0, 2.0])])
    assert found["Market"].ex_ante == pytest.approx(0.9 * 0.01 + 0.001 / 3, abs=1e-6)
    # all would stop at 0.9, where wages end: (2 - 0.9 / theta) - (1.1 + e - e / theta) below it, (e - 0.9) / theta above
    theta = 1 + (np.arange(200_000) + 0.5) / 200_000
    e = theta - 1
    now = np.minimum(1.1 + e, 2.0) - e / theta
    assert found["Worker"].ex_ante == pytest.approx(float((2 - 0.9 / theta - now).mean()), abs=1e-5)
