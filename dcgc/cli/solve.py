"""The exact solution of a game where theory gives one, apart from training: no random starts, no step sizes.

It is said which theorem, and how each of its assumptions was checked. Of a team in which acts speak (no nested
information) it is the best affine profile: a baseline, not a solution. Where no theory applies the status is 2, with a
sentence why; `dcgc train` takes the game. The result is a run like that of a training.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from .. import door
from ..runs.folder import RunProblem
from ..source.render import visible
from .arguments import add_json, add_set, add_variant, read_teams, read_values
from .commands import WrongCall
from .output import print_json, print_scorecard, result_data

if TYPE_CHECKING:
    from ..door import Solved


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .dcg file, or the name of a game that comes with dcgc")
    add_set(parser)
    add_variant(parser)
    parser.add_argument("--out", metavar="FOLDER", help="the run folder (default: the next free runs/GAME-SEED-N)")
    parser.add_argument("--thorough", action="store_true", help="score with more points")
    add_json(parser)


def run(options: Namespace) -> int:
    game = door.load(options.game, set=read_values(options.values), commit=options.commits, team=read_teams(options.teams))
    _ = game.problem  # errors of the game come before theory
    from ..exact import NoTheory

    try:
        solved = door.solve(game, folder=options.out, keep=True, thorough=options.thorough)
    except NoTheory as why:
        raise WrongCall(f"{game.name}: no theory here solves it: {why}; `dcgc train {options.game}` searches") from None
    except RunProblem as problem:
        raise WrongCall(str(problem)) from None
    if options.json:
        print_json(as_data(solved))
    else:
        print_solved(solved)
    return 0


def as_data(solved: Solved) -> dict[str, object]:
    """A result as ``dcgc train --json`` prints it, and what theory says."""
    exact = solved.exact
    return {**result_data(solved.result), "kind": exact.kind, "method": exact.method, "theorem": exact.theorem,
            "assumptions": [{"what": a.what, "checked": a.check} for a in exact.assumptions], "found": exact.count,
            "costs": dict(exact.costs)}


def print_solved(solved: Solved) -> None:
    result, exact = solved.result, solved.exact
    what = "solved exactly" if exact.kind == "solution" else "the linear baseline, no solution"
    print(visible(f"{result.game.title}: {what}"))
    for line in exact.lines:
        print(visible(f"  {line}"))
    if exact.costs:
        print(visible("  costs by the same algebra: " + ", ".join(f"{name} {value:.12g}" for name, value in exact.costs.items())))
    print()
    print_scorecard(result.scorecard, result.shown, result.alarms)
    print(f"\nThe run lies in {visible(result.folder or '')}")
