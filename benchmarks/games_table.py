"""Trains games with no flags and prints what came out, beside what is published, as a Markdown table.

    python benchmarks/games_table.py                              # the default list
    python benchmarks/games_table.py kyle radner
    python benchmarks/games_table.py --all                        # every game that comes with dcgc and that this version trains
    python benchmarks/games_table.py --write docs/engines.md      # rewrite the part between the markers of a page
    python benchmarks/games_table.py --reference                  # the 39 games whose answers are known, into docs/reference.md

Each game is trained in a process of its own and compiles everything anew, so that no time profits from an earlier run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import dcgc

DEFAULT = ("witsenhausen", "kyle", "radner", "cournot_private", "stackelberg", "first_price", "public_good", "quadratic_saddle")
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
COLUMNS = ("game", "figure", "published", "found", "error", "verdict", "regret", "engine", "seconds")


@dataclass(frozen=True)
class Row:
    """One published figure of one game. ``regret``: the largest ex ante regret of the profile; ``exact``: whether all of them are."""

    game: str
    figure: str
    relation: str
    published: float
    found: float
    error: float
    verdict: str
    regret: float
    exact: bool
    engine: str
    seconds: float


def rows_of(name: str, **settings: object) -> list[Row]:
    """Train a game and read its scorecard; a game without published figures has one row, without verdict."""
    start = time.perf_counter()
    game = dcgc.load(name)
    result = dcgc.train(game, **settings)  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    card = result.scorecard
    regrets = [r.ex_ante for r in card.regrets]
    worst = max((r for r in regrets if not math.isnan(r)), default=math.nan)
    exact = bool(regrets) and all(r.exact for r in card.regrets)
    engine = result.trained.engine
    rows = [Row(name, c.label, {"known": "", "record": "record", "bound": c.relation}[c.kind], c.published, c.found.value, c.found.error,
                c.verdict, worst, exact, engine, seconds) for c in card.comparisons]
    if not rows:
        label = result.shown[0]
        figure = card.figures[label]
        rows = [Row(name, label, "", math.nan, figure.value, figure.error, "", worst, exact, engine, seconds)]
    return rows


def trains(name: str) -> bool:
    """Whether this version has a computation and an engine for a game."""
    try:
        from dcgc.door import engines

        return bool(engines(dcgc.load(name)))
    except dcgc.GameError:
        return False


def shipped() -> list[str]:
    """The names of the games in games/, in order."""
    folder = Path(__file__).resolve().parents[1] / "games"
    return sorted(path.stem for path in folder.glob("*.dcg"))


def trained_apart(name: str, seconds: float) -> list[Row] | str:
    """The rows of a game from a process of its own, or, in a line, why there are none."""
    command = [sys.executable, __file__, name, "--rows"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False,
                              env={**os.environ, "DCGC_NO_CACHE": "1"})
    except subprocess.TimeoutExpired:
        return f"not finished after {seconds:.0f} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:120]
    return [Row(**row) for row in json.loads(done.stdout.strip().splitlines()[-1])]


def number(value: float, digits: int = 6) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}g}"


def line(row: Row, first: bool) -> str:
    """A row as Markdown; what belongs to the whole game stands in its first row alone."""
    published = f"{row.relation} {number(row.published, 7)}".strip()
    own = (f"{'' if row.exact or math.isnan(row.regret) else '>= '}{number(row.regret, 2)}", row.engine, f"{row.seconds:.1f}")
    cells = (row.game if first else "", f"`{row.figure}`", published, number(row.found, 7), number(row.error, 1), row.verdict,
             *(own if first else ("", "", "")))
    return f"| {' | '.join(cells)} |"


def head() -> list[str]:
    return [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]


def machine() -> str:
    """What the table was made on, for a line above it."""
    from dcgc.runs.environment import processor_model, set_up_jax, versions

    set_up_jax()  # as every training does
    found = versions()
    parts = (processor_model(), f"{os.cpu_count()} cores", found["device"], f"jax {found['jax']}", f"dcgc {found['dcgc']}")
    return ", ".join((*parts, found["precision"]))


def write(page: Path, table: str) -> None:
    """Replace what stands between the markers of a page. Raises ValueError if it has none."""
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"{page} has no {BEGIN} .. {END}")
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if "--reference" in given:
        sys.path.insert(0, str(Path(__file__).resolve().parent))
        import reference_table

        return reference_table.main([a for a in given if a != "--reference"])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", nargs="*", help=f"default: {' '.join(DEFAULT)}")
    parser.add_argument("--reference", action="store_true", help="another table, with flags of its own: see --reference --help")
    parser.add_argument("--all", action="store_true", help="every game that comes with dcgc and that this version trains")
    parser.add_argument("--write", metavar="PAGE", help="rewrite the part between the markers of this Markdown page")
    parser.add_argument("--limit", type=float, default=600.0, metavar="SECONDS", help="of one game (default 600)")
    parser.add_argument("--rows", action="store_true", help=argparse.SUPPRESS)  # in the process of one game: rows as JSON
    options = parser.parse_args(arguments)
    if options.rows:
        print(json.dumps([asdict(row) for name in options.games for row in rows_of(name)]))
        return 0
    names = [n for n in shipped() if trains(n)] if options.all else options.games or list(DEFAULT)
    lines = head()
    print("\n".join(lines), flush=True)
    failed = False
    for name in names:
        found = trained_apart(name, options.limit)
        failed = failed or isinstance(found, str)
        new = [f"| {name} | | | | | {found} | | | |"] if isinstance(found, str) else [line(r, i == 0) for i, r in enumerate(found)]
        lines += new
        print("\n".join(new), flush=True)
    if options.write:
        write(Path(options.write), "\n".join([*lines, "", f"Made by `python benchmarks/games_table.py` on {machine()}."]))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
