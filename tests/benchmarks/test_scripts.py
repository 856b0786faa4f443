"""The benchmark scripts run, at a tiny size; what they measure is not judged here."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Script = Callable[[str], ModuleType]

GAME = """game Tiny
player A
random x ~ Normal(1, 1)
decide u : Real by A knowing x
cost A = (u - 2 * x)^2 + 1
known cost(A) = 1 within 1e-6
bound cost(A) >= 0
"""


@pytest.mark.parametrize("name", ["witsenhausen", "witsenhausen, two networks", "kyle", "kyle, two networks"])
def test_both_programs_do_the_same_work(script: Script, name: str) -> None:
    step_time = script("benchmarks/step_time.py")
    two = step_time.sides(step_time.CASES[name], steps=3, width=4)  # asserts that losses and gradients agree
    assert max(v for k, v in two.differences.items() if k != "loss after the chunk") <= 1e-10
    timing = step_time.measure(two, steps=3, rounds=2)
    assert timing.compiled > 0 and timing.by_hand > 0 and timing.low <= timing.ratio <= timing.high


def test_a_difference_is_noticed(script: Script) -> None:
    step_time = script("benchmarks/step_time.py")
    case = step_time.CASES["kyle, two networks"]
    wrong = step_time.Case(case.game, case.reply, step_time.CASES["kyle, two networks"].gradient,
                           lambda w, at: 1.001 * case.loss(w, at) + 1e-3)
    with pytest.raises(AssertionError, match="loss"):
        step_time.sides(wrong, steps=3, width=4)


def test_rows_of_a_game(script: Script) -> None:
    table = script("benchmarks/games_table.py")
    first, second = table.rows_of(GAME, engine="affine")
    assert first.figure == "cost(A)" and first.found == pytest.approx(1.0) and first.verdict == "met" and first.regret < 1e-6
    assert second.relation == ">=" and second.verdict == "holds"
    text = table.line(first, True)
    assert text.count("|") == len(table.COLUMNS) + 1 and "met" in text
    assert table.number(math.nan) == ""


def test_the_default_games_are_there(script: Script, tmp_path: Path) -> None:
    table = script("benchmarks/games_table.py")
    assert set(table.DEFAULT) <= set(table.shipped())
    vector = "decide f : Function(Real -> Real[2], affine) by A knowing nothing\ncost A = sum(f(1))^2\n"
    (tmp_path / "vector.dcg").write_text("game Vector\nplayer A\n" + vector)  # L002: a function of several values
    assert not table.trains(str(tmp_path / "vector.dcg")) and table.trains("kyle") and table.trains("rubinstein")


def test_the_page_is_rewritten_between_its_markers(script: Script, tmp_path: Path) -> None:
    table = script("benchmarks/games_table.py")
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.write(page, "new | row")
    table.write(page, "newer | row")
    assert page.read_text() == f"before\n{table.BEGIN}\nnewer | row\n{table.END}\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="page.md"):
        table.write(page, "new")
