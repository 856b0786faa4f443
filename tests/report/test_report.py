"""Numbers, tables and figures as people see them."""

import math
from pathlib import Path

import numpy as np
import pytest

from dcgc.report.figures import draw, pieces
from dcgc.report.numbers import show_error, show_seconds, show_value, sparkline
from dcgc.report.tables import plain, tables
from dcgc.source import Source, Span
from dcgc.verify.figures import Comparison, Curve, Figure, Regret, Scorecard

SPAN = Span(Source("g", "game"), 0, 1)


@pytest.mark.parametrize(("value", "error", "shown"), [
    (0.16704912, 6e-6, "0.167049"), (0.5, 1e-15, "0.5"), (123456.789, 10.0, "123457"), (1e-20, 1e-15, "1.0e-20"),
    (0.0, 1e-15, "0"), (float("nan"), 0.0, "none"), (float("inf"), 1.0, "inf"), (2 / 3, 0.0, "0.6666666667"), (5.2, 3.0, "5.2"),
])
def test_values_have_the_digits_that_are_sure(value, error, shown):
    assert show_value(value, error) == shown


def test_other_numbers():
    assert [show_error(e) for e in (0.0, 1.2e-6, float("nan"))] == ["0", "1e-06", ""]
    assert [show_seconds(s) for s in (0.4, 59.4, 59.6, 200, 7500)] == ["0 s", "59 s", "1 min 00 s", "3 min 20 s", "2 h 05 min"]


def test_sparklines():
    assert sparkline([]) == "" and sparkline([math.nan]) == ""
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([3.0, math.nan, 2.0, 1.0]) == "█▅▁"
    long = sparkline([float(i) for i in range(1000)], 10)
    assert len(long) == 10 and list(long) == sorted(long) and long[0] == "▁" and long[-1] == "█"


def card(**more):
    figure = Figure("cost(A)", 0.25, 1e-6, "by hand")
    parts = {
        "figures": {"cost(A)": figure, "payoff(A)": Figure("payoff(A)", -0.25, 1e-6, "by hand"), "m": Figure("m", 1.0, 0.0, "by hand")},
        "regrets": (Regret("A", 1e-5, math.nan, False, "a guess"),),
        "comparisons": (Comparison("known", "cost(A)", 0.2, "=", figure, 0.01, True, "missed", "Author 1980", SPAN),
                        Comparison("bound", "cost(A)", 0.1, ">=", figure, 0.01, True, "holds", None, SPAN)),
        "curves": (), "alarms": (), "method": "by hand",
    }
    return Scorecard(**{**parts, **more})


def test_tables_say_everything_once():
    shown = tables(card(), ["cost(A)", "m"])
    text = "\n".join(plain(table) for table in shown)
    for part in ("cost(A)", "0.25", "1e-06", "by hand", "+25.00%", "missed", "Author 1980", "at least 0.1", "holds", "lower bound"):
        assert part in text
    assert "payoff(A)" not in text and "nan" not in text
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert [table.title for table in tables(card(comparisons=(), regrets=()))] == ["Figures"]


def test_tables_of_large_families_are_cut():
    figures = {f"cost(F[{i}])": Figure(f"cost(F[{i}])", float(i), 0.0, "x") for i in range(1000)}
    (table,) = tables(card(figures=figures, regrets=(), comparisons=()))
    assert len(table.rows) < 40 and "more" in table.rows[-1][0]


def test_a_name_in_a_table_cannot_act_on_the_terminal():
    evil = {"\x1b[2J": Figure("\x1b[2J", 1.0, 0.0, "x")}
    assert "\x1b" not in plain(tables(card(figures=evil))[0])


def test_lines_are_cut_at_jumps_only():
    x = np.linspace(-3, 3, 601)
    assert len(pieces(x, np.tanh(5 * x))) == 1
    assert len(pieces(x, np.zeros_like(x))) == 1
    assert len(pieces(x, np.abs(x))) == 1
    steps = np.floor(x + 0.5) + 0.05 * x
    cut = pieces(x, steps)
    assert len(cut) == 7
    assert all(np.ptp(y) < 0.2 for _, y in cut)
    assert sum(len(part) for part, _ in cut) == len(x)
    assert [len(part) for part, _ in pieces(x[:1], x[:1])] == [1]


def test_figures_are_written_and_alike(tmp_path):
    x = tuple(float(v) for v in np.linspace(0, 1, 50))
    curves = [Curve("x $0$", "a/b: c", x, x, True), Curve("x", "y", x, x, False), Curve("x", "y", x[:1], x[:1], True)]
    history = [("affine", 0, math.nan), ("sweeps", 1, 2.0), ("sweeps", 2, 1.0)]
    paths = [draw(curves, "A title $ with _signs^", history, str(tmp_path / name)) for name in ("a", "b")]
    assert [Path(p).name for p in paths[0]] == ["1-a-b-c-against-x-0.png", "2-y-against-x.png", "3-y-against-x.png", "history.png"]
    for first, second in zip(*paths, strict=True):
        data = Path(first).read_bytes()
        assert data.startswith(b"\x89PNG") and len(data) > 5000 and data == Path(second).read_bytes()
    assert draw([], "none", [("affine", 0, math.nan)], str(tmp_path / "c")) == []
