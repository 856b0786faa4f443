"""Finite games by enumeration, against published solutions and enumeration of our own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dcgc import door
from dcgc.exact import NoTheory, solve
from dcgc.exact.finite import minimax, pure, supports
from dcgc.verify import score


def test_kuhn_poker() -> None:
    game = door.load("kuhn_poker")
    solved = solve(game.problem)
    assert solved.costs["First"] == pytest.approx(1 / 18, abs=1e-8)
    bets, calls = (np.asarray(solved.profile[k].policy.entries).reshape(-1) for k in ("bet2", "call2"))
    assert 1 / (1 + np.exp(-bets[0])) == pytest.approx(1 / 3, abs=1e-8) and 1 / (1 + np.exp(-calls[1])) == pytest.approx(1 / 3, abs=1e-8)


@pytest.mark.study
def test_kuhn_poker_by_the_scorecard() -> None:
    game = door.load("kuhn_poker")
    solved = solve(game.problem)
    card = score(game.problem, solved.profile)
    assert float(card.figures["payoff(First)"]) == pytest.approx(-1 / 18, abs=1e-8)
    assert float(card.figures["bluff2"]) == pytest.approx(1 / 3, abs=1e-8)
    assert float(card.figures["hero2"]) == pytest.approx(1 / 3, abs=1e-8)
    assert max(r.ex_ante for r in card.regrets) < 1e-8


@pytest.mark.parametrize(("name", "first", "second"), [("asymmetric_pennies", (0.5, 0.5), (0.1, 0.9))])
def test_enumeration_counts_equilibria(name: str, first: tuple[float, ...], second: tuple[float, ...]) -> None:
    solved = solve(door.load(name).problem)
    assert solved.count.startswith("1 equilibrium, all there are")
    rows = [np.asarray(s.policy.entries)[0] for s in solved.profile.values()]
    laws = [np.exp(r) / np.exp(r).sum() for r in rows]
    assert laws[0] == pytest.approx(first, abs=1e-9) and laws[1] == pytest.approx(second, abs=1e-9)


def test_battle_of_the_sexes_has_three_equilibria() -> None:
    one, two = -np.array([[2.0, 0], [0, 1]]), -np.array([[1.0, 0], [0, 2]])
    found, regular = supports(one, two)
    assert regular and len(found) == 3
    assert any(p == pytest.approx([2 / 3, 1 / 3]) and q == pytest.approx([1 / 3, 2 / 3]) for p, q in found)


def test_enumeration_agrees_with_brute_force_on_random_games() -> None:
    """Every profile found is an equilibrium; an odd number (Wilson 1971); pure ones are those of a double loop."""
    random = np.random.default_rng(5)
    for _ in range(20):
        costs = random.normal(size=(2, 3, 4))
        found, regular = supports(*costs)
        assert regular and len(found) % 2 == 1
        for p, q in found:
            assert p @ costs[0] @ q <= (costs[0] @ q).min() + 1e-9 and p @ costs[1] @ q <= (p @ costs[1]).min() + 1e-9
        brute = [(i, j) for i, j in itertools.product(range(3), range(4))
                 if costs[0, i, j] <= costs[0, :, j].min() and costs[1, i, j] <= costs[1, i].min()]
        assert [tuple(x) for x in pure(costs)] == brute
        x, y, value = minimax(costs[0])
        assert (costs[0].T @ x).max() == pytest.approx(value, abs=1e-9) and (costs[0] @ y).min() == pytest.approx(value, abs=1e-9)


def test_teams_and_pure_equilibria() -> None:
    assert solve(door.load("climbing").problem).costs["Both"] == pytest.approx(-11)
    assert solve(door.load("lewis").problem).costs["Pair"] == pytest.approx(-0.8)
    prisoners = solve(door.load("prisoners").problem)
    assert prisoners.count.startswith("1 equilibrium in plans")


def test_pennies_that_may_not_be_tossed_have_no_equilibrium() -> None:
    text = ("game G\nplayer A, B\ndecide a : Bool by A knowing nothing\ndecide b : Bool by B knowing nothing\n"
            "let same = a * b + (1 - a) * (1 - b)\npayoff A = same\npayoff B = -same\n")
    with pytest.raises(NoTheory, match="no equilibrium in plans without chance"):
        solve(door.load(text).problem)


def test_perfect_information_by_backward_induction() -> None:
    game = door.load("examples/structures/centipede.dcg")
    solved = solve(game.problem)
    assert "backward induction" in solved.method
    takes = [bool(np.asarray(solved.profile[k].policy.entries).reshape(-1)[0] > 0) for k in ("a1", "b1", "a2")]
    assert takes == [True, True, True]  # whoever is asked takes what lies there
