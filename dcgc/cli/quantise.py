"""Make the reals of a trained channel a code of few words. The result is a run like any other.

RUN is a run folder that `dcgc train` left. The encoder is followed by the nearest of at most 2^B codes, its listeners get used to them,
the game's text carries Tokens(1, K), and all figures are computed anew. Beside the usual files the new run has code.bin, the words
of thousands of plays as bytes, and code.json, which says how to read them. A channel of tokens can be given fewer words.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .. import door
from ..runs.configuration import BadSetting
from ..runs.folder import RunProblem
from ..source.render import render, visible
from ..studies.mistake import StudyProblem
from .arguments import add_json
from .commands import WrongCall
from .output import print_alarms, print_json, print_tables, result_data


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--bits", type=float, required=True, metavar="B", help="at most 2^B words (1 to 12)")
    parser.add_argument("--channel", metavar="NAME", help="which channel (default: the only one)")
    parser.add_argument("--method", choices=("vector", "scalar"), default="vector",
                        help="codes anywhere, or each real rounded to levels of its own (default vector)")
    parser.add_argument("--samples", type=int, metavar="N", help="plays that the code is fitted to, and that are coded (default 20000)")
    parser.add_argument("--out", metavar="FOLDER", help="the new run folder (default: the next free runs/RUN-CHANNEL-Bbits-N)")
    add_json(parser)


def run(options: Namespace) -> int:
    try:
        found = door.quantise(options.run, options.bits, channel=options.channel, method=options.method, samples=options.samples,
                              folder=options.out, keep=True)
    except (BadSetting, RunProblem, StudyProblem) as problem:
        raise WrongCall(str(problem)) from None
    after = found.after
    if options.json:
        from ..runs.code import code_data

        print_json({**result_data(after), "quantised": code_data(found.code),
                    "before": {label: figure.value for label, figure in found.before.scorecard.figures.items()}})
        return 0
    if after.game.warnings:
        print(render(after.game.warnings).rstrip("\n"))
    from ..report.protocols import quantisation_tables
    from ..report.tables import regrets_table

    print(f"{visible(after.game.title)}, {visible(after.trained.engine)}\n")
    print_tables([*quantisation_tables(found.before.scorecard, after.scorecard, after.shown, found.code), regrets_table(after.scorecard)])
    print_alarms(after.alarms)
    print(f"\nThe run lies in {after.folder}, its messages in {after.folder}/code.bin")
    return 0
