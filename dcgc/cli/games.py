"""The games that come with dcgc. `dcgc train NAME` takes these names as well as paths."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..source import Ledger
from ..syntax import parse, tree
from ..texts import games_folder, read_source, shipped_games


def add_arguments(parser: ArgumentParser) -> None:
    """None."""


def run(options: Namespace) -> int:
    games = shipped_games()
    width = max(map(len, games), default=0)
    for name, path in games.items():
        print(f"{name:<{width}}  {title(path)}".rstrip())
    print(f"\nThey lie in {games_folder()}")
    return 0


def title(path: str) -> str:
    """The title in a game's header, or its name."""
    for statement in parse(read_source(path), Ledger()).statements:
        if isinstance(statement, tree.GameHeader):
            return statement.title or statement.name
    return ""
