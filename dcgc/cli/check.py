"""Find every problem of a game: names, types, shapes, timing, ranges, sense.

Files are read in turn; without any, or for -, standard input is. Exit status 1 if there is an error in one of them.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..core import elaborate
from ..information.lints import lints
from ..semantics import CheckedGame, Variant, check
from ..source import Diagnostic, GameError, Ledger
from ..source.render import render, render_json, visible
from ..texts import NoText, find_game, folder_of, read_source
from .arguments import add_json, add_set, add_variant, read_teams, read_values
from .commands import PROBLEMS, WRONG_CALL, colourful


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to check (default: standard input)")
    add_set(parser)
    add_variant(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    values = read_values(options.values)
    variant = Variant(tuple(options.commits), tuple(read_teams(options.teams).items()))
    found: list[Diagnostic] = []
    fine: list[str] = []
    unread = False
    for path in options.files or ["-"]:
        try:
            diagnostics = problems(find_game(path), values, variant)
        except NoText as problem:
            print(f"dcgc: {visible(str(problem))}", file=sys.stderr)
            unread = True
            continue
        found.extend(diagnostics)
        if not diagnostics:
            fine.append(path)
    if options.json:
        print(render_json(found), end="")
    else:
        print(render(found, colour=colourful(sys.stdout)), end="")
        for path in fine:
            print(f"{visible(path)}: no problems")
    if unread:
        return WRONG_CALL
    return PROBLEMS if any(d.severity == "error" for d in found) else 0


def problems(path: str, values: dict[str, object], variant: Variant) -> tuple[Diagnostic, ...]:
    """Everything that is to be said about one file. Raises NoText if it cannot be read."""
    ledger = Ledger()
    try:
        source = read_source(path)
    except GameError as problem:
        return problem.diagnostics
    checked = check(source, ledger, values, Path(folder_of(source)), variant)
    if checked is not None and not ledger.errors:
        for warning in worth_a_look(checked):
            ledger.add(warning)
    return ledger.sorted()


def worth_a_look(checked: CheckedGame) -> tuple[Diagnostic, ...]:
    """What the information room warns of, in a sound game that can be elaborated."""
    try:
        core = elaborate(checked, Ledger())
        return () if core is None else lints(core)
    except RecursionError:  # nested deeper than Python goes: training says so
        return ()
