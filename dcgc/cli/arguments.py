"""Arguments that several commands take."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence

from .commands import WrongCall


def add_set(parser: ArgumentParser) -> None:
    """``--set NAME=VALUE``, any number of times."""
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values",
                        help="replace the value of a param: a number, or a list such as [1, 2]")


def add_variant(parser: ArgumentParser) -> None:
    """``--commit P`` and ``--team NAME=A,B``, any number of times: a variant of a game without a new text."""
    parser.add_argument("--commit", action="append", default=[], metavar="P", dest="commits",
                        help="announce the policy of a player (a member, a team) first; the others respond")
    parser.add_argument("--team", action="append", default=[], metavar="NAME=A,B", dest="teams",
                        help="let players minimise the sum of all that any of them is charged")


def read_teams(entries: Sequence[str]) -> dict[str, str]:
    """Members by the team's name; raises WrongCall for what is no ``NAME=A,B``, or names a team twice."""
    teams: dict[str, str] = {}
    for entry in entries:
        name, equals, members = (part.strip() for part in entry.partition("="))
        if not equals or not name or not members:
            raise WrongCall(f"--team {entry}: write NAME=A,B")
        if name in teams:
            raise WrongCall(f"--team {entry}: {name} has its members already")
        teams[name] = members
    return teams


def add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for other programs")


def read_values(entries: Sequence[str]) -> dict[str, object]:
    """Values by name; raises WrongCall for what is no ``NAME=number`` or ``NAME=list of numbers``."""
    values: dict[str, object] = {}
    for entry in entries:
        name, equals, text = entry.partition("=")
        if not equals or not name.strip():
            raise WrongCall(f"--set {entry}: write NAME=VALUE")
        values[name.strip()] = read_value(name.strip(), text.strip())
    return values


def read_value(name: str, text: str) -> object:
    """A number, or a nested list of numbers."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        pass
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not _numbers(value):
        raise WrongCall(f"--set {name}={text}: the value must be a number or a list of numbers in square brackets")
    return value


def _numbers(value: list[object]) -> bool:
    """Whether a list holds numbers and lists of numbers only."""
    waiting: list[object] = list(value)
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, bool) or not isinstance(item, (int, float)):
            return False
    return True
