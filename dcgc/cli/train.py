"""Train every player's policy, score the profile exactly, and compare it with what is published.

GAME is a file, or the name of a game that comes with dcgc. The flags below "settings" are the keys of a `train { }`
block; a flag goes before the block. Progress goes to standard error, the result to standard output. Ctrl-C ends a
training early, keeps what it found and scores it; --resume goes on after any interruption, to the very same result.
"""

from __future__ import annotations

import time
from argparse import SUPPRESS, ArgumentParser, BooleanOptionalAction, Namespace
from typing import TYPE_CHECKING, Any

from .. import door
from ..report.numbers import show_gain, show_seconds, show_value
from ..report.tables import seeds_table
from ..runs.configuration import CHOICES, PER_SITE, BadSetting, seeds_of, setting_types
from ..runs.folder import RunProblem
from ..source.render import render, visible
from .arguments import add_json, add_set, add_variant, read_teams, read_values
from .commands import STOPPED, WrongCall
from .output import print_baseline, print_json, print_scorecard, print_tables, result_data
from .progress import Display, display
from .stopping import Stopping

if TYPE_CHECKING:
    from ..door import Game, Result

HELP = {
    "seed": "where the random numbers start (default 0)",
    "engine": "which engine trains (default: chosen from the structure of the game)",
    "restarts": "random starts of one training",
    "expectation": "how expectations are computed in training",
    "nodes": "nodes a draw, where expectations are by quadrature",
    "samples": "scattered points, where they are sampled",
    "steps": "steps of the network engine",
    "learning_rate": "of the network engine",
    "width": "of networks",
    "layers": "of networks",
    "batch": "of the network engine",
    "precision": "of all arithmetic (default float64)",
    "tolerance": "relative accuracy at which training stops",
    "kl_weight": "cost units per nat of a message's divergence from a prior, in the sender's training objective only",
    "kl_prior": "the normal law with the messages' own mean and covariance (aggregated, the default), or a fixed one",
    "fisher_rank_weight": "cost units per nat that a message's Fisher information lacks of full effective rank, in training only",
    "estimator": "of the gradient where messages are drawn: NAME for all of them, SITE=NAME for one; may be given more than once",
    "best_response": "use closed-form best responses where the compiler finds them (default: yes)",
    "stages": "written out, or scanned: elaborated once (default: written where possible)",
    "response": "how a leader's gradient passes through the followers' response (default implicit)",
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .dcg file, or the name of a game that comes with dcgc")
    add_set(parser)
    add_variant(parser)
    parser.add_argument("--seeds", type=int, metavar="N", help="train N seeds, from --seed on; report each, and the best in full")
    parser.add_argument("--resume", action="store_true",
                        help="go on with an interrupted run (that of --out, or the last of this game and seed)")
    parser.add_argument("--out", metavar="FOLDER", help="the run folder (default: the next free runs/GAME-SEED-N)")
    parser.add_argument("--thorough", action="store_true", help="score with more points")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_json(parser)
    group = parser.add_argument_group("settings")
    for name, (kind, _) in setting_types().items():
        more: dict[str, Any] = {"action": BooleanOptionalAction} if kind is bool else \
            {"action": "append", "metavar": "[SITE=]NAME"} if name == PER_SITE else \
            {"type": kind, "choices": CHOICES.get(name), "metavar": None if name in CHOICES else kind.__name__.upper()}
        group.add_argument(f"--{name.replace('_', '-')}", dest=f"setting_{name}", default=SUPPRESS, help=HELP.get(name), **more)


def run(options: Namespace) -> int:
    given = {name.removeprefix("setting_"): value for name, value in vars(options).items() if name.startswith("setting_")}
    with display(options.quiet) as shown:
        game = door.load(options.game, set=read_values(options.values), commit=options.commits, team=read_teams(options.teams))
        if game.warnings:
            shown.say(render(game.warnings).rstrip("\n"))
        try:
            results = train_all(game, options, given, shown)
        except (BadSetting, RunProblem) as problem:
            raise WrongCall(str(problem)) from None
    if options.json:
        data = [result_data(result) for result in results]
        print_json(data[0] if len(data) == 1 else {"runs": data, "best": best(results).settings.seed})
    else:
        print_results(results)
    return 0 if results else STOPPED


def train_all(game: Game, options: Namespace, given: dict[str, Any], shown: Display) -> list[Result]:
    """One training for each seed, in turn."""
    if options.seeds is not None and options.seeds < 1:
        raise WrongCall("--seeds must be at least 1")
    many = options.seeds if options.seeds is not None else seeds_of(game.core.settings)
    first = given.get("seed", dict(game.core.settings).get("seed", 0))
    results: list[Result] = []
    with Stopping(shown.say) as stopping:
        for seed in range(int(first), int(first) + many):
            folder = options.out if options.out is None or many == 1 else f"{options.out}/seed-{seed}"
            began = time.monotonic()
            result = door.train(game, folder=folder, keep=True, resume=options.resume, thorough=options.thorough,
                                report=shown.report, stop=stopping, **{**given, "seed": seed})
            results.append(result)
            took = show_seconds(time.monotonic() - began)
            shown.say(f"{game.name}, seed {seed}: {headline(result)}, {result.trained.engine}, {took}")
            if stopping.asked:
                break
    return results


def best(results: list[Result]) -> Result:
    """The lowest cost of a team, else the smallest regret; those too small to tell apart are alike, and the first is taken."""
    if not results[0].game.problem.is_team:
        return min(results, key=lambda result: max(result.merit, 1e-9))
    least = min(result.merit for result in results)
    return next((r for r in results if r.merit <= least + 1e-12 + 1e-9 * abs(least)), results[0])


def headline(result: Result) -> str:
    """The one figure that ranks results of a game."""
    if result.game.problem.is_team:
        return f"cost {show_value(result.merit)}"
    return f"largest regret {show_gain(result.merit)}"


def print_results(results: list[Result]) -> None:
    chosen = best(results)
    if len(results) > 1:
        rows = [(r.settings.seed, headline(r), r.folder or "", r is chosen) for r in results]
        print_tables([seeds_table(rows)])
        print(f"\nThe best, seed {chosen.settings.seed}:\n")
    print_result(chosen)


def print_result(result: Result) -> None:
    """Everything that is to be said of one result; the tables last but for alarms and places."""
    game = result.game
    print(f"{visible(game.title)}, solved by {result.trained.engine}")
    if result.interrupted:
        print("Training was interrupted: this is what it had found. `--resume` goes on.")
    for sentence in result.trained.objective:
        print(visible(sentence + "."))
    for way in result.trained.ways:
        print(visible(way + "."))
    print()
    print_scorecard(result.scorecard, result.shown, result.alarms)
    print_baseline(result)
    others = result.trained.equilibria[1:]
    if result.trained.name_of(0):
        print(f"\nThis is {result.trained.name_of(0)}.")
    if others:
        print(f"\n{len(others)} other solution{'s' * (len(others) > 1)} found:")
        for i, (count, costs) in enumerate(others[:8], start=1):
            listed = ", ".join(f"cost({player}) {show_value(cost)}" for player, cost in costs.items())
            name = result.trained.name_of(i)
            print(f"  {visible(listed)} ({count} start{'s' * (count > 1)}){': ' + name if name else ''}")
    for note in result.notes:
        print(f"note: {visible(note)}")
    if result.folder is not None:
        print(f"\nThe run lies in {result.folder}{figures_in(result)}")


def figures_in(result: Result) -> str:
    count = len(result.scorecard.curves)
    return f", with {count} figure{'s' * (count > 1)} in {result.folder}/figures" if count else ""


