"""Train the same policies with several estimators of the gradient by a message, and compare costs and gradients.

GAME is a file, or the name of a game that comes with dcgc. Every estimator has the same starts, the same samples and as many plays a
step; each is shown at the best of its learning rates. Listeners' own gradients are exact. Tables go to standard output, figures and
compare.json into the folder.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from .. import door
from ..runs.files import write_json
from ..source.render import render, visible
from .arguments import add_json, add_set, read_values
from .commands import WrongCall
from .output import print_json, print_tables
from .progress import Display, display

if TYPE_CHECKING:
    from ..studies.compare import Compared


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .dcg file, or the name of a game that comes with dcgc")
    parser.add_argument("--estimators", metavar="A,B,..", default="", help="which (default: the usual ones that fit the messages)")
    parser.add_argument("--decisions", default="exact", metavar="ESTIMATOR", help="at finite decisions that are no messages (exact)")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="trainings of each (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--steps", type=int, help="steps of a training (default 1000)")
    parser.add_argument("--batch", type=int, default=256, help="plays a step (default 256)")
    parser.add_argument("--samples", type=int, help="plays of a training, in place of --steps")
    parser.add_argument("--rates", default="0.001,0.003,0.01,0.03", metavar="A,B,..", help="learning rates that each tries")
    parser.add_argument("--width", type=int, help="of networks that the text leaves open")
    parser.add_argument("--layers", type=int, help="of networks that the text leaves open")
    parser.add_argument("--out", metavar="FOLDER", help="where figures go (default: the next free runs/compare-GAME-N)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_set(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    steps = options.steps or (max(1, options.samples // max(options.batch, 1)) if options.samples else 1000)
    if min(options.seeds, options.batch, steps) < 1:
        raise WrongCall("--seeds, --batch, --steps and --samples must be at least 1")
    with display(options.quiet) as shown:
        game = door.load(options.game, set=read_values(options.values))
        if game.warnings:
            shown.say(render(game.warnings).rstrip("\n"))
        found = compare(game, options, steps, shown)
    folder = options.out or next_folder(game.name)
    from ..report.compare import compared_tables, draw_compared
    from ..studies.compare import compared_data

    data = {"game": game.name, "folder": folder, **compared_data(found)}
    try:
        paths = draw_compared(found, game.title, folder)
        write_json(os.path.join(folder, "compare.json"), data)
    except OSError as problem:
        raise WrongCall(f"{folder}: cannot be written: {problem.strerror or problem}") from None
    if options.json:
        print_json(data)
        return 0
    print(f"{visible(game.title)}; messages: {', '.join(found.sites)}\n")
    print_tables([t for t in compared_tables(found) if t.rows])
    for note in found.notes:
        print(f"note: {visible(note)}")
    print(f"\nFigures: {', '.join(paths)}")
    return 0


def compare(game: door.Game, options: Namespace, steps: int, shown: Display) -> Compared:
    from ..learning.settings import Progress
    from ..lower.message_sites import Unsuitable

    def report(name: str, step: int, total: int, cost: float) -> None:
        shown.report(Progress(name, f"{options.seeds} seeds at every rate, {options.batch} plays a step", step, total, cost))

    names = [n.strip() for n in options.estimators.split(",") if n.strip()]
    try:
        return door.compare(game, names, report, seeds=options.seeds, batch=options.batch, steps=steps, rates=rates(options.rates),
                            decisions=options.decisions, seed=options.seed, width=options.width, layers=options.layers,
                            points=min(20, steps))
    except Unsuitable as problem:
        raise WrongCall(str(problem)) from None


def rates(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(x) for x in text.split(",") if x.strip())
    except ValueError:
        found = ()
    if not found or any(not 0 < r < 10 for r in found):
        raise WrongCall(f"--rates {text}: write numbers between 0 and 10, with commas between")
    return tuple(sorted(found))


def next_folder(name: str) -> str:
    from ..runs.folder import next_number

    stem = f"compare-{name}"
    return os.path.join("runs", f"{stem}-{next_number(stem)}")
