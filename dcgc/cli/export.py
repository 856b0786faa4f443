"""Write a game as a finite one for Gambit: as a tree (.efg) or in strategic form (.nfg).

Finite draws and decisions stay as they are. A continuous draw becomes N equally likely points, the means of its quantile cells; a
bounded real decision N equally spaced acts; an unbounded one N acts over a range found from the game, which --range replaces. What was
done is said on standard error. `dcgc import` reads an .efg file back.
"""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .. import door
from ..finite import TooManyPlans, write_efg, write_nfg
from ..source import near_names
from ..source.render import visible
from .arguments import add_set, add_variant, read_teams, read_values
from .commands import WrongCall
from .fmt import replace_file

MOST_POINTS = 1000


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .dcg file, or the name of a game that comes with dcgc")
    parser.add_argument("--grid", type=int, default=5, metavar="N", help="points of a continuous draw, acts of a real decision (default 5)")
    parser.add_argument("--format", choices=("efg", "nfg"), default="efg", help="a tree, or the strategic form (default efg)")
    parser.add_argument("--range", action="append", default=[], metavar="NAME=A,B", dest="ranges",
                        help="between what the acts of a real decision lie; A,B alone: of all of them")
    parser.add_argument("-o", "--out", metavar="FILE", help="the file to write (default: standard output)")
    add_set(parser)
    add_variant(parser)


def run(options: Namespace) -> int:
    if not 1 <= options.grid <= MOST_POINTS:
        raise WrongCall(f"--grid takes a number from 1 to {MOST_POINTS}, not {options.grid}")
    game = door.load(options.game, set=read_values(options.values), commit=options.commits, team=read_teams(options.teams))
    shadow = door.shadow(game, options.grid, read_ranges(options.ranges, game))
    try:
        text = write_efg(shadow.game) if options.format == "efg" else write_nfg(shadow.game)
    except TooManyPlans as problem:
        raise WrongCall(str(problem)) from None
    write(text, options.out)
    for note in shadow.notes:
        print(f"dcgc: {visible(note)}", file=sys.stderr)
    return 0


def write(text: str, path: str | None) -> None:
    """To a file, at once or not at all, or to standard output. Raises WrongCall if the file cannot be written."""
    if path is None or path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).touch()
        replace_file(path, text)
    except OSError as problem:
        raise WrongCall(f"{path}: {problem.strerror or problem}") from problem


def read_ranges(entries: list[str], game: door.Game) -> dict[str, tuple[float, float]]:
    """Ranges by decision, "" for all. Raises WrongCall for what is no range, or names no decision of the game."""
    out: dict[str, tuple[float, float]] = {}
    for entry in entries:
        name, equals, text = entry.rpartition("=")
        name = name.strip()
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError:
            raise WrongCall(f"--range {entry}: write NAME=A,B, or A,B") from None
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise WrongCall(f"--range {entry}: the range goes from a number to a greater one")
        if equals and name not in game.checked.symbols:
            near = near_names(name, tuple(game.checked.symbols), most=1)
            raise WrongCall(f"--range {entry}: the game has no {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
        out[name] = (low, high)
    return out
