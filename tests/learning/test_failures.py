"""What ends a training: values that are no numbers, families that do not fit, games that no engine takes."""

from __future__ import annotations

import numpy as np
import pytest
from small_games import problem

from dcgc.core.codes import CODES
from dcgc.learning import Settings, train
from dcgc.learning.engine import Found
from dcgc.learning.training import Candidate, alarms
from dcgc.source import GameError
from dcgc.verify import policy_function
from dcgc.verify.judge import Judgement


def failure(text: str) -> GameError:
    with pytest.raises(GameError) as caught:
        train(problem(text), Settings(restarts=1))
    return caught.value


def test_not_a_number_names_the_line() -> None:
    text = ("game G\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\nlet y = log(x)\n"
            "cost A = (u - y)^2\n")
    (found,) = failure(text).diagnostics
    assert found.code == "R001"
    assert found.span.line == 5


@pytest.mark.parametrize("code", ["L005", "L006"])
def test_refusals_have_their_codes(code: str) -> None:
    (found,) = failure(CODES[code].example).diagnostics
    assert found.code == code


def test_best_response_where_there_is_none() -> None:
    text = ("game G\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - x)^4\n"
            "policy u : best_response\n")
    (found,) = failure(text).diagnostics
    assert found.code == "L005" and found.span.line == 6


def test_a_cost_that_only_the_training_nodes_had_raises_an_alarm() -> None:
    def best(cost: float) -> Candidate:
        return Candidate("sweeps", Found({}, 1), Judgement({"A": cost}, cost, 0.0, True))

    history = [["sweeps", 1, 0.9], ["sweeps", 2, 0.045]]
    assert any("denser grid" in text for text in alarms(best(0.25), history, Settings()))
    assert alarms(best(0.04501), history, Settings()) == ()


def test_samples_that_are_fresh_at_every_step_cannot_be_learned() -> None:
    found = Candidate("messages", Found({}, 1), Judgement({"A": 0.0021}, 0.0021, 0.0, True))  # what differs is the chance of 4096 plays
    assert alarms(found, [["messages", 1, 0.0019]], Settings()) == ()


def test_a_follower_who_sees_a_falling_function_of_the_act() -> None:
    """Seeing 1 - q tells q: Stackelberg's follower replies to what is left, (left) / 2, and the leader gets 1/8."""
    text = ("game G\nplayer L, F\ndecide q : Unit by L knowing nothing\nlet left = 1 - q\ndecide r : Unit by F knowing left\n"
            "payoff L = (left - r) * q\npayoff F = (left - r) * r\n")
    p = problem(text)
    trained = train(p, Settings(engine="sweeps", restarts=2, best_response=False))
    reply = policy_function(p, trained.profile, "F")
    left = np.asarray([0.2, 0.5, 0.9])
    np.testing.assert_allclose(reply(left), left / 2, atol=2e-3)
    assert float(policy_function(p, trained.profile, "L")()) == pytest.approx(0.5, abs=5e-3)
