"""The table of docs/solve.md: exact solutions beside what is published.

    python benchmarks/exact_table.py --write docs/solve.md     # between the marks; without --write: to standard output

Values are the costs that the solvers report, by the algebra that solved the game; differences are absolute. Published: the `known` lines of
the texts, and the papers and derivations named in tests/exact.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from dcgc import door
from dcgc.exact import solve

BEGIN, END = "<!-- exact: begin -->", "<!-- exact: end -->"

#: game, params, form, player, published cost (of payoffs the negative), source
ROWS: tuple[tuple[str, dict[str, object], str, str, float, str], ...] = (
    ("radner", {}, "auto", "Both", 0.307432432, "T1, Radner 1962"),
    ("radner", {"shared": 1}, "auto", "Both", 0.296875, "T1, shared signals"),
    ("delayed_sharing", {}, "auto", "Controllers", 0.809142857, "T2, Ho and Chu 1972"),
    ("lqg", {}, "auto", "Controller", 6.774115049, "T8, Astrom 1970"),
    ("cournot_private", {}, "auto", "Firm[1]", -(64 / 9 + 1 / 12), "O1, Shapiro 1986"),
    ("cournot_private", {"shared": 1}, "auto", "Firm[1]", -(64 / 9 + 5 / 27), "O1, shared costs"),
    ("cournot_signals", {}, "auto", "Firm1", -(100 / 9 + 2 / 25), "O2, Vives 1984"),
    ("cournot_signals", {"reveal1": 1}, "auto", "Firm2", -(100 / 9 + 7 / 72), "O2, one reveals"),
    ("sticky_prices", {}, "auto", "Firm[1]", -(31.175333849 + 0.598698112 * 0.01), "O6, Fershtman and Kamien 1987"),
    ("sticky_prices", {"feedback": 0, "spread": 1e-6}, "auto", "Firm[1]", -31.855708785, "O6, committed paths"),
    ("kyle", {}, "auto", "Insider", -0.5, "M1, Kyle 1985"),
    ("biased_signalling", {}, "auto", "Sender", 1.25, "C2, Saritas et al. 2017"),
    ("quadratic_saddle", {}, "auto", "Lower", -0.630529801, "D3"),
    ("examples/structures/basar_variant.dcg", {}, "auto", "Controllers", 2 * 0.5**0.5 - 0.5, "Bansal and Basar 1987"),
    ("test_channel", {}, "auto", "Link", 1.75, "T3, Goblick 1965"),
    ("two_by_two", {}, "auto", "X", 0.489795918, "D10"),
    ("witsenhausen", {}, "auto", "Controllers", 0.96, "T7, best linear (baseline)"),
    ("kuhn_poker", {}, "auto", "First", 1 / 18, "D6, Kuhn 1950"),
    ("asymmetric_pennies", {}, "auto", "Row", -0.9, "D1 (b)"),
    ("rock_paper_scissors", {}, "auto", "One", 0.0, "D1 (c)"),
    ("climbing", {}, "auto", "Both", -11.0, "T16"),
    ("lewis", {}, "auto", "Pair", -0.8, "T12"),
)


def table() -> str:
    lines = ["| game | method | cost | published | difference | source |", "|---|---|---|---|---|---|"]
    for name, values, form, player, published, source in ROWS:
        solved = solve(replace(door.load(name, set=values), form=form).problem)
        value = solved.costs[player]
        shown = Path(name).stem + "".join(f" {k}={v:g}" for k, v in values.items())  # type: ignore[str-format]
        lines.append(f"| {shown}, {player} | {solved.method} | {value:.9g} | {published:.9g} | {abs(value - published):.0e} | {source} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", metavar="FILE")
    options = parser.parse_args()
    made = table()
    if options.write is None:
        print(made)
        return
    page = Path(options.write)
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
