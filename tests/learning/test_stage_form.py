"""Which short games with stages are elaborated once although they could be written out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcgc import door
from dcgc.learning import Settings

FISH = """game Fish
player Fleet[2] symmetric
state x = 0.4
stage t in 1..4 discount 0.9 {
  for i in Fleet { decide c[i] : Interval(0.0001, 0.49 * x) by Fleet[i] knowing x, t }
  for i in Fleet { payoff Fleet[i] = log(c[i]) }
  next x = (x - sum(c))^0.5
}
measure path = E[history(x)]
"""
HIDDEN = FISH.replace("knowing x, t", "knowing t").replace("0.49 * x", "0.1")


@pytest.mark.parametrize(("text", "once"), [
    (FISH, True),  # four acts so far matter to the last move, but one state sums them up
    (HIDDEN, False),  # nobody sees the state
    (FISH + "train { stages written }\n", False), (FISH + "policy Fleet : mlp\n", False)])
def test_one_state_in_the_place_of_all_acts_so_far(text, once):
    assert (door.as_trained(door.load(text)).core.block is not None) == once


@pytest.mark.parametrize("name", ["sticky_prices", "repeated_prisoners", "alternating_offers", "tracking"])
def test_games_that_are_solved_as_they_are_written(name):
    assert door.as_trained(door.load(name)).core.block is None


def test_an_engine_that_is_asked_for_has_the_form_that_it_takes():
    game = door.load("repeated_prisoners")
    settings = Settings(engine="dynamic")
    formed, settings = door.in_its_form(game, settings)
    assert formed.core.block is not None and settings.stages == "scanned"
    assert door.in_its_form(game, replace(settings, engine="backward", stages="auto"))[0].core.block is None
