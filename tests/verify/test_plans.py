"""What several decisions gain together, where none of them gains anything alone."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
from small_games import chance, problem

from dcgc.lower.variable import constant
from dcgc.verify import score

TEAM = "game G\nplayer A, B\nteam T = A, B\n"
NEVER = chance(lambda *a: 0.0 * sum(a, jnp.zeros(())))


def test_a_team_that_must_move_together() -> None:
    """(1, 1) saves 1. No member gains alone: its regret is 0, its team's is not."""
    p = problem(TEAM + "decide u : Bool by A knowing nothing\ndecide v : Bool by B knowing nothing\ncost T = 1 - u * v\n")
    rows = {r.player: r for r in score(p, {"u": NEVER, "v": NEVER}).regrets}
    assert [rows[k].ex_ante for k in ("A", "B", "T")] == pytest.approx([0, 0, 1], abs=1e-8) and all(r.exact for r in rows.values())


def test_words_that_nobody_uses() -> None:
    """Three objects, three words, always the first: right once in three. No other word is understood, no other object ever meant."""
    p = problem(TEAM + "random x ~ Categorical(3)\nchannel m : A -> B { carries Tokens(1, 3) }\nsend m by A knowing x\n"
                "decide g : Choice(3) by B knowing m\ncost T = 1 - g[x]\n")
    def first(world, d):
        return constant(jnp.asarray([1.0, 0.0, 0.0]))

    rows = {r.player: r for r in score(p, {p.game.decisions[0].name: first, "g": first}).regrets}
    assert rows["A"].ex_ante == pytest.approx(0, abs=1e-8) and rows["B"].ex_ante == pytest.approx(0, abs=1e-8)
    assert rows["T"].ex_ante == pytest.approx(2 / 3, abs=1e-8) and rows["T"].exact


def test_a_player_who_decides_twice() -> None:
    """u alone, or v alone at the u that is played, gains nothing; both do."""
    p = problem("game G\nplayer A, B\ndecide u : Bool by A knowing nothing\ndecide v : Bool by A knowing u\ncost A = 1 - u * v\n")
    row, = score(p, {"u": NEVER, "v": NEVER}).regrets
    assert row.ex_ante == pytest.approx(1, abs=1e-9) and row.exact


def test_a_team_of_numbers_is_not_said_to_be_at_its_best() -> None:
    p = problem(TEAM + "random x ~ Uniform(0, 1)\ndecide u : Interval(-2, 2) by A knowing x\n"
                "decide v : Interval(-2, 2) by B knowing nothing\ncost T = (u * v - 1)^2\n")
    rows = {r.player: r for r in score(p, {x: lambda world, d: constant(0.0) for x in "uv"}).regrets}
    assert not rows["T"].exact and rows["T"].ex_ante == pytest.approx(0, abs=1e-9)
