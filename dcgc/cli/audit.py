"""What the messages of a run mean, when they are said, how much they say, what they do and what they are worth.

RUN is a run folder that `dcgc train` or `dcgc quantise` left. Words are audited as they are; messages of reals are described by a
code of at most 6 bits. A figure of the words goes into the run's folder.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .. import door
from ..runs.configuration import BadSetting
from ..runs.files import write_file
from ..runs.folder import FIGURES, RunProblem
from ..source.render import visible
from ..studies.mistake import StudyProblem
from .arguments import add_json
from .commands import WrongCall
from .output import print_json, print_tables


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--channel", metavar="NAME", help="which channel (default: all; of twins the first)")
    parser.add_argument("--samples", type=int, metavar="N", help="plays that are listened to (default 8192)")
    parser.add_argument("--oracle", action="store_true",
                        help="train the game in which listeners know what the sender knows, too: what messages could be worth")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown, too")
    add_json(parser)


def run(options: Namespace) -> int:
    from ..report.protocols import audit_tables, draw_words, markdown

    try:
        result = door.open_run(options.run)
        audits = door.audit(result, options.channel, samples=options.samples, oracle=options.oracle)
    except (BadSetting, RunProblem, StudyProblem) as problem:
        raise WrongCall(str(problem)) from None
    try:
        figures = [draw_words(found, result.game.title, f"{options.run}/{FIGURES}") for found in audits]
        if options.markdown is not None:
            write_file(options.markdown, markdown(audits, result.game.title).encode())
    except OSError as problem:
        raise WrongCall(f"{problem.filename or options.run}: cannot be written: {problem.strerror or problem}") from None
    if options.json:
        print_json({"game": result.game.name, "channels": [found.as_dict() for found in audits], "figures": figures})
        return 0
    print(f"{visible(result.game.title)}, solved by {visible(result.trained.engine)}, in {options.run}")
    for found in audits:
        print(f"\n{visible(found.channel)}: {visible(found.reading)}\n")
        print_tables(audit_tables(found))
        for note in found.notes:
            print(f"note: {visible(note)}")
    print(f"\nThe figure{'s are' if len(figures) > 1 else ' is'} {', '.join(figures)}")
    return 0
