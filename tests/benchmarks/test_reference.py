"""The table of games whose answers are known: what counts as reached, what is kept, what the page says."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Script = Callable[[str], ModuleType]


@pytest.fixture
def table(script: Script) -> ModuleType:
    return script("benchmarks/reference_table.py")


def compared(table: ModuleType, found: float, published: float = 0.5, verdict: str = "missed", kind: str = "known") -> object:
    return table.Compared("cost(A)", kind, "=", published, found, 1e-6, verdict)


def test_reached_is_a_matter_of_the_margin(table: ModuleType) -> None:
    near, far = compared(table, 0.504), compared(table, 0.51)
    assert near.reached(0.01) and not far.reached(0.01) and far.reached(0.05)
    assert compared(table, 1e-4, 0.0, "met").reached(0.01) and not compared(table, 1e-4, 0.0).reached(0.05)
    assert compared(table, 0.4, verdict="beaten", kind="record").reached(0.01)
    assert not compared(table, 0.4, verdict="violated", kind="bound").reached(0.05)


def test_all_games_are_read_and_found_by_heading_and_by_text(table: ModuleType) -> None:
    entries = table.entries()
    assert len(entries) == 39
    assert [e.heading for e in entries if e.wanted(["kyle", "T1"])] == ["T1", "M1"]
    keys = [r.key for e in entries for r in e.runs]
    assert len(set(keys)) == len(keys) and all("/" not in key for key in keys)


def test_a_training_is_kept_and_not_repeated(table: ModuleType, tmp_path: Path) -> None:
    run = table.Run("kyle", {"sigma_u": 2})
    calls: list[int] = []

    def train(run: object, seed: int, limit: float) -> object:
        calls.append(seed)
        return table.Outcome(seed, 1.0, (compared(table, 0.5, verdict="met"),), "affine", 0.0, True)

    first = table.fill(run, 1, 60, tmp_path, train=train)
    again = table.fill(run, 3, 60, tmp_path, train=train)
    assert calls == [0, 1, 2] and set(first) == {0} and set(again) == {0, 1, 2} and again[0] == first[0]
    table.fill(run, 1, 60, tmp_path, fresh=True, train=train)
    assert calls == [0, 1, 2, 0]


def test_what_was_trained_from_another_text_is_trained_again(table: ModuleType, tmp_path: Path) -> None:
    text = tmp_path / "tiny.dcg"
    text.write_text("game Tiny\n")
    run = table.Run(str(text))
    table.keep(run, {0: table.Outcome(0, 1.0)}, tmp_path)
    assert set(table.kept(run, tmp_path)) == {0}
    text.write_text("game Tiny # changed\n")
    assert table.kept(run, tmp_path) == {}


def test_a_game_that_is_refused_is_tried_once_and_named_with_its_reason(table: ModuleType, tmp_path: Path) -> None:
    run = table.Run("kyle")
    calls: list[int] = []

    def refuse(run: object, seed: int, limit: float) -> object:
        calls.append(seed)
        return table.Outcome(seed, 2.0, failure="L001: no computation yet")

    found = table.fill(run, 3, 60, tmp_path, train=refuse)
    assert calls == [0] and table.reasons(run, found) == ["`dcgc train kyle`: L001: no computation yet"]
    assert "L001" in table.lines_of(run, found)[0]


def test_a_process_that_takes_too_long_is_ended(table: ModuleType) -> None:
    assert "not finished after 0 s" in table.train_apart(table.Run("kyle"), 0, 0.2).failure


def test_a_training_is_read_from_its_scorecard(table: ModuleType, tmp_path: Path) -> None:
    text = tmp_path / "tiny.dcg"
    text.write_text("game Tiny\nparam b = 1\nplayer A\nrandom x ~ Normal(1, 1)\ndecide u : Real by A knowing x\n"
                    "cost A = (u - 2 * x)^2 + b\nknown cost(A) = 1 within 1e-6\n")
    good, bad = (table.train_here(str(text), {"b": b}, 0) for b in (1, 2))
    assert good.figures[0].reached(0.01) and good.regret < 1e-9 and good.exact and "affine" in good.engine
    run = table.Run(str(text), {"b": 2})
    assert "1 of 1 figures missed" in table.reasons(run, {0: bad})[0] and table.reasons(run, {0: good}) == []
    missing = table.train_here(str(text), {"nobody": 2}, 0)
    assert missing.failure.startswith("P403")


def test_the_page_counts_what_is_reached(table: ModuleType) -> None:
    entries = [table.Entry("X1", "One", (table.Run("kyle"),)), table.Entry("X2", "Two", (table.Run("radner", {}, 0.05),)),
               table.Entry("X3", "Three", (table.Run("lqg"),))]
    met, missed = compared(table, 0.5, verdict="met"), compared(table, 0.7)
    found = {"kyle": {0: table.Outcome(0, 3.0, (met,), "affine", 1e-9, True)},
             "radner": {0: table.Outcome(0, 5.0, (missed,), "sweeps", 0.1, False, ("a loud alarm",))}, "lqg": {}}
    page = table.page(entries, found, 120, "this machine")
    assert "**1 of 3** games" in page and "1 have not been trained yet, or not in all variants." in page
    assert "| X1 | One | 1 | 1 | 0.00% | 3 | yes |" in page and "| X2 | Two | 1 | 1 | 40.00% | 5 | no |" in page
    assert "- **X2**, Two: `dcgc train radner`: 1 of 1 figures missed, `cost(A)` = 0.7 for 0.5; " in page
    assert "largest regret at least 0.1; a loud alarm." in page
    assert "| X3 | Three | 1 | 0 |  |  | not trained yet |" in page
    assert page.count("\n| ") > 6 and math.isnan(table.Outcome(0, 1.0).regret)


def test_the_command_makes_the_page_from_what_is_kept(table: ModuleType, tmp_path: Path, script: Script) -> None:
    page = tmp_path / "page.md"
    arguments = ["--reference", "--only", "--cache", str(tmp_path / "cache"), "--page", str(page)]
    assert script("benchmarks/games_table.py").main(arguments) == 0
    assert "**0 of 39** games" in page.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        table.main(["--only", "nothing_like_it", "--cache", str(tmp_path), "--page", str(page)])
