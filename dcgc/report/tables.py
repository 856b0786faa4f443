"""Scorecards as tables: what to show, apart from how it is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..source.render import visible, width
from ..verify.figures import Comparison, Figure, Scorecard
from .numbers import show_error, show_gain, show_value

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_ROWS = 24

# How a verdict is coloured.
STYLES = {"met": "green", "beaten": "bold green", "holds": "green", "missed": "yellow", "not reached": "yellow",
          "violated": "bold red", "absent": "dim"}


@dataclass(frozen=True)
class Table:
    """``right``: the columns of numbers. ``styles``: a style per row, "" for none. ``note``: what holds for all rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    styles: tuple[str, ...] = ()
    note: str = ""


def tables(card: Scorecard, shown: Sequence[str] | None = None) -> list[Table]:
    """The tables of a scorecard, empty ones left out. ``shown``: the labels of the figures that matter (default: all)."""
    labels = [label for label in card.figures if shown is None or label in shown]
    found = [figures_table([card.figures[label] for label in labels]), comparisons_table(card.comparisons), channels_table(card),
             regrets_table(card), gaps_table(card), margins_table(card)]
    return [table for table in found if table.rows]


def figures_table(figures: Sequence[Figure]) -> Table:
    rows = [(f.label, show_value(f.value, f.error), show_error(f.error), f.method) for f in figures]
    return said_once(Table("Figures", ("figure", "value", "error", "by"), tuple(rows), frozenset({1, 2})))


def comparisons_table(comparisons: Sequence[Comparison]) -> Table:
    rows, styles = [], []
    for c in comparisons:
        sign = {"=": "", ">=": "at least ", "<=": "at most "}[c.relation] if c.kind == "bound" else ""
        rows.append((c.kind, c.label, show_value(c.found.value, c.found.error), f"{sign}{show_value(c.published)}", deviation(c),
                     c.verdict, c.reference or ""))
        styles.append(STYLES.get(c.verdict, ""))
    return Table("Against what is published", ("kind", "figure", "here", "published", "off by", "verdict", "from"),
                 tuple(rows), frozenset({2, 3, 4}), tuple(styles))


def deviation(c: Comparison) -> str:
    """How far from the published value, relative to it where it is not 0."""
    off = c.found.value - c.published
    if c.kind == "bound" or not math.isfinite(off):
        return ""
    if not c.published:
        return f"{off:+.1e}"
    share = off / abs(c.published)
    return f"{share:+.2%}" if abs(share) >= 5e-5 else "0.00%"


def channels_table(card: Scorecard) -> Table:
    """What every channel could carry and did carry, in bits per use."""
    rows, styles = [], []
    for c in card.channels:
        budget = "" if math.isnan(c.budget) else show_bits(c.budget) + (" on average" if c.average else "")
        more = [f"a bit is worth {c.multiplier:.4g}"] if not math.isnan(c.multiplier) else []
        more += [f"{c.length:.3g} tokens sent" + (f", the STOP tells {c.stop_bits:.3g} bits" if c.stop_bits else "")] \
            if not math.isnan(c.length) else []
        more += [f"exceeded by {c.violated:.3g}"] if c.violated > max(c.rate.error, 0.01 * c.budget if c.budget == c.budget else 0) else []
        name = c.name if c.members == 1 else f"{c.name}, each of {c.members}"
        rows.append((name, c.carrier, c.noise, show_bits(c.capacity), budget, show_value(c.rate.value, c.rate.error),
                     "" if math.isnan(c.unused) else show_bits(max(c.unused, 0.0)),
                     "" if math.isnan(c.entropy) else show_bits(c.entropy),
                     "" if math.isnan(c.coded) else f"{c.coded:.4g}", c.measured, "; ".join(more)))
        styles.append("yellow" if c.violated > 0.01 * (c.budget if c.budget == c.budget else 1) else "")
    columns = ("channel", "carries", "noise", "capacity", "budget", "rate", "unused", "entropy", "coded", "rate by", "")
    return Table("Channels, bits per use", columns, tuple(rows), frozenset({3, 4, 5, 6, 7, 8}), tuple(styles))


def show_bits(bits: float) -> str:
    return "no limit" if math.isinf(bits) else f"{bits:.4g}"


def regrets_table(card: Scorecard) -> Table:
    rows = [(r.player, show_gain(r.ex_ante), show_gain(r.unreached), "exact" if r.exact else "lower bound", r.method)
            for r in card.regrets]
    columns = ("player", "regret", "at unreached inputs", "kind", "by")
    return said_once(Table("What a deviation could gain", columns, tuple(rows), frozenset({1, 2})))


def gaps_table(card: Scorecard) -> Table:
    """What relaxing jumps in training made of the figures."""
    rows = tuple((g.label, show_value(g.relaxed), show_value(g.exact), f"{g.gap:+.1e}") for g in card.gaps)
    return Table("Relaxation gap: a figure as training had it less the exact one", ("figure", "relaxed", "exact", "gap"), rows,
                 frozenset({1, 2, 3}))


def margins_table(card: Scorecard) -> Table:
    """Followers who are indifferent, and what favouring the first who committed costs them."""
    rows = [(m.player, m.decision, show_value(m.chance), show_gain(m.given_up), f"{m.tolerance:.0e}") for m in card.margins]
    columns = ("player", "decision", "probability", "given up", "tolerance")
    return Table("Indifferent followers, who favour the first committed player", columns, tuple(rows), frozenset({2, 3, 4}))


def said_once(table: Table) -> Table:
    """A table of at most so many rows, with its last column below it where all rows say the same there."""
    methods = {row[-1] for row in table.rows}
    if len(methods) == 1:
        (method,) = methods
        rows = tuple(row[:-1] for row in table.rows)
        table = replace(table, columns=table.columns[:-1], rows=rows, note=f"by {method}")
    return replace(table, rows=shortened(table.rows))


def shortened(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The first rows of many, and a row that says how many are left out."""
    if len(rows) <= MOST_ROWS:
        return tuple(rows)
    blank = ("",) * (len(rows[0]) - 1)
    return (*rows[:MOST_ROWS], (f"and {len(rows) - MOST_ROWS} more, in result.json", *blank))


def seeds_table(rows: Sequence[tuple[int, str, str, bool]]) -> Table:
    """(seed, its figures in words, its folder, whether it is the best) of several trainings."""
    return Table("Seeds", ("seed", "result", "run", ""),
                 tuple((str(seed), text, folder, "best" if best else "") for seed, text, folder, best in rows), frozenset({0}),
                 tuple("bold" if best else "" for *_, best in rows))


# ---------------------------------------------------------------- drawing


def plain(table: Table) -> str:
    """A table in plain text, columns aligned."""
    cells = [tuple(visible(cell) for cell in row) for row in (table.columns, *table.rows)]
    widths = [max(width(row[k]) for row in cells) for k in range(len(table.columns))]
    lines = [table.title]
    for row in cells:
        padded = []
        for k, cell in enumerate(row):
            space = " " * (widths[k] - width(cell))
            padded.append(space + cell if k in table.right else cell + space)
        lines.append(("  " + "  ".join(padded)).rstrip())
    if table.note:
        lines.append(f"  ({visible(table.note)})")
    return "\n".join(lines) + "\n"


def rich(table: Table) -> RenderableType:
    """A table for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(title=table.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(table.columns):
        last = k == len(table.columns) - 1
        drawn.add_column(column, justify="right" if k in table.right else "left", overflow="fold",
                         no_wrap=not last, style="dim" if last and column == "by" else "")
    for i, row in enumerate(table.rows):
        drawn.add_row(*(Text(visible(cell)) for cell in row), style=table.styles[i] if table.styles else "")
    return Group(drawn, Text(f" {visible(table.note)}", style="dim")) if table.note else drawn
