"""The gradients of every player's cost by every message of a run, sample by sample, and what they are worth.

RUN is a run folder that `dcgc train` left. For every channel, and every `tap NAME` of the game's text: norms, signal to noise, what
the sender learns from them, the Fisher spectrum of the message, what the listeners make of it. A figure goes into the run's folder.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .. import door
from ..runs.configuration import BadSetting
from ..runs.folder import RunProblem
from ..source.render import visible
from .arguments import add_json
from .commands import WrongCall
from .output import print_json, print_tables


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--samples", type=int, default=4096, metavar="N", help="independent samples (default 4096)")
    parser.add_argument("--seed", type=int, default=0, help="of the samples (default 0)")
    add_json(parser)


def run(options: Namespace) -> int:
    if options.samples < 16:
        raise WrongCall("--samples must be at least 16")
    try:
        result = door.open_run(options.run)
        study = door.tap(result, options.samples, options.seed)
    except (BadSetting, RunProblem) as problem:
        raise WrongCall(str(problem)) from None
    if not study.tapped:
        raise WrongCall(f"{options.run}: the game has no channel and no `tap` line")
    from ..report.taps import draw_taps, tap_tables
    from ..studies.tap_study import study_data

    try:
        path = draw_taps(study, result.game.title, f"{options.run}/figures")
    except OSError as problem:
        raise WrongCall(f"{options.run}: the figure cannot be written: {problem.strerror or problem}") from None
    if options.json:
        print_json({"game": result.game.name, "figure": path, **study_data(study)})
        return 0
    print(f"{visible(result.game.title)}, solved by {result.trained.engine}, in {options.run}\n")
    print_tables(tap_tables(study))
    for note in study.notes:
        print(f"note: {visible(note)}")
    if path is not None:
        print(f"\nThe figure is {path}")
    return 0
