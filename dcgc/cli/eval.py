"""Score the policies of a run once more, on the original game, and compare them with what is published.

RUN is a run folder that `dcgc train` left. Nothing in it is changed.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from .. import door
from ..runs.configuration import BadSetting
from ..runs.folder import RunProblem
from ..source.render import visible
from .arguments import add_json
from .commands import WrongCall
from .output import print_baseline, print_json, print_scorecard, result_data


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--thorough", action="store_true", help="with more points")
    add_json(parser)


def run(options: Namespace) -> int:
    try:
        result = door.open_run(options.run)
        card = door.evaluate(result, thorough=options.thorough)
    except (BadSetting, RunProblem) as problem:
        raise WrongCall(str(problem)) from None
    result = replace(result, scorecard=card)
    if options.json:
        print_json(result_data(result))
        return 0
    print(f"{visible(result.game.title)}, solved by {result.trained.engine}, in {options.run}")
    for line in result.trained.theory:
        print(visible(line))
    print()
    print_scorecard(card, result.shown, result.alarms)
    print_baseline(result)
    return 0
