"""The game graph, who knows what, and what the compiler found out: closed forms, expectations, engines.

Needs no training. A game that can be checked but not trained yet is answered with what has no computation.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from .. import door
from ..core import show_game
from ..source.render import visible
from .arguments import add_json, add_set, add_variant, read_teams, read_values
from .output import print_json


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .dcg file, or the name of a game that comes with dcgc")
    add_set(parser)
    add_variant(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    game = door.load(options.game, set=read_values(options.values), commit=options.commits, team=read_teams(options.teams))
    game = door.as_trained(game)
    graph = show_game(game.core)
    sentences = [*door.explain(game), *door.engines(game)]
    if options.json:
        print_json({"game": game.name, "title": game.title, "graph": graph.split("\n"), "findings": sentences,
                    "settings": dict(game.core.settings)})
        return 0
    print("\n".join(visible(line) for line in graph.split("\n")))
    print()
    for sentence in sentences:
        print(visible(sentence))
    return 0
