"""Agreement with Gambit itself, where pygambit is installed (the extra ``gambit``; 16.1 to 17 are spoken to)."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dcgc.finite import FiniteGame, write_efg, write_nfg
from dcgc.finite.tree import CHANCE

gambit = pytest.importorskip("pygambit")

HORSE = (Path(__file__).parent / "horse.efg").read_text(encoding="utf-8")


def told(text: str, folder: Path, kind: str = "efg") -> Any:
    """The game as Gambit reads it."""
    path = folder / f"game.{kind}"
    path.write_text(text, encoding="utf-8")
    read = getattr(gambit, f"read_{kind}", None) or gambit.Game.read_game
    return read(str(path))


def payoffs(profile: Any, game: Any) -> list[Any]:
    labels = [getattr(p, "label", p) for p in game.players]
    return [profile.payoff(x) if hasattr(profile, "payoff") else profile.payoffs[x] for x in labels]


def uniform(game: FiniteGame) -> list[list[float]]:
    return [[1 / len(s.actions)] * len(s.actions) for s in game.sets]


@pytest.mark.parametrize("name", ["kuhn_poker", "two_offers", "first_price", "cheap_talk", "volunteer", "witsenhausen"])
def test_uniform_play_pays_the_same(tree_of, tmp_path, name):
    game = tree_of(name, 3)
    there = told(write_efg(game), tmp_path)
    assert there.is_perfect_recall == (not game.forgetful)
    found = payoffs(there.mixed_behavior_profile(), there)
    assert list(map(float, found)) == pytest.approx(list(game.expected(uniform(game))), rel=1e-9, abs=1e-12)


def test_the_value_of_kuhn_poker_is_exact(tree_of, tmp_path):
    there = told(write_efg(tree_of("kuhn_poker")), tmp_path)
    result = gambit.nash.lp_solve(there, use_strategic=False, rational=True)
    profile = result.equilibrium if hasattr(result, "equilibrium") else result.equilibria[0]
    assert [Fraction(str(x)) for x in payoffs(profile, there)] == [Fraction(-1, 18), Fraction(1, 18)]


def test_the_strategic_form_has_the_same_value(tree_of, tmp_path):
    there = told(write_nfg(tree_of("kuhn_poker")), tmp_path, "nfg")
    result = gambit.nash.lp_solve(there, rational=True)
    profile = result.equilibrium if hasattr(result, "equilibrium") else result.equilibria[0]
    assert Fraction(str(payoffs(profile, there)[0])) == Fraction(-1, 18)


def test_pure_equilibria_of_the_horse(read, tmp_path):
    """Those that an enumeration finds: no single information set gains by moving (each player has one)."""
    game = read(HORSE)
    own = [k for k, s in enumerate(game.sets) if s.player != CHANCE]
    value = {plan: game.expected([np.eye(2)[plan[own.index(k)]] for k in own]) for plan in itertools.product((0, 1), repeat=3)}

    def stays(plan: tuple[int, ...]) -> bool:
        return all(value[plan][game.sets[k].player] >= value[(*plan[:i], 1 - plan[i], *plan[i + 1:])][game.sets[k].player]
                   for i, k in enumerate(own))

    there = told(write_efg(game), tmp_path)
    found = sorted(tuple(float(x) for x in payoffs(e, there)) for e in gambit.nash.enumpure_solve(there).equilibria)
    assert found == sorted(tuple(value[p]) for p in value if stays(p)) and found


def test_what_gambit_writes_is_read(read, tree_of, tmp_path):
    game = tree_of("kuhn_poker")
    again = read(told(write_efg(game), tmp_path).to_efg())
    assert again.players == game.players and len(again.nodes) == len(game.nodes) and len(again.sets) == len(game.sets)
    assert again.expected(uniform(again)) == pytest.approx(game.expected(uniform(game)), abs=1e-12)
