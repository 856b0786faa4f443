"""Texts of games: from a file that a user names, from standard input, or from those that come with dcgc."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from .source import Diagnostic, GameError, Source, Span, near_names

SUFFIX = ".dcg"
MOST_BYTES = 4_000_000  # more than the parser reads (a million characters), whatever their alphabet


class NoText(Exception):
    """A file that is not there or cannot be read; the message names it and says why, in one line."""


def read_source(path: str) -> Source:
    """The text of a file, under its path as given; ``-`` is standard input.

    Raises NoText if there is no such file or it cannot be read, and GameError if it is not UTF-8.
    """
    if path == "-":
        return decode("<stdin>", _some(sys.stdin.buffer))
    try:
        with open(path, "rb") as file:
            return decode(path, _some(file))
    except IsADirectoryError:
        raise NoText(f"{path}: is a folder, not a file") from None
    except FileNotFoundError:
        raise NoText(f"{path}: no such file{_beside(path)}") from None
    except (OSError, ValueError) as problem:
        raise NoText(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None


def _some(file: BinaryIO) -> bytes:
    """At most a little more than the parser would take: it reports what is longer."""
    data = file.read(MOST_BYTES)
    if len(data) == MOST_BYTES:  # do not cut a character in two
        data = data.rstrip(bytes(range(0x80, 0xC0))).rstrip(bytes(range(0xC0, 0x100)))
    return data


def decode(name: str, data: bytes) -> Source:
    """The source of these bytes. Raises GameError (S008, at the first wrong byte) if they are not UTF-8."""
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        source = Source(name, data.decode("utf-8", errors="replace"))
        start = len(data[:problem.start].decode("utf-8"))
        message = f"byte 0x{data[problem.start]:02x} is not UTF-8 text"
        hint = "save the file as UTF-8"
        raise GameError((Diagnostic("S008", message, Span(source, start, start + 1), hint),)) from None


def folder_of(source: Source) -> str:
    """Where the files lie that a source may use."""
    return os.path.dirname(os.path.abspath(source.name)) if source.name != "<stdin>" else os.getcwd()


def _beside(path: str) -> str:
    """A hint: files of nearly this name in the same folder."""
    folder, name = os.path.split(path)
    try:
        near = near_names(name, [entry for entry in os.listdir(folder or ".") if entry.endswith(SUFFIX)])
    except OSError:
        return ""
    return f"; did you mean {' or '.join(os.path.join(folder, entry) for entry in near)}?" if near else ""


def games_folder() -> str:
    """The games that come with dcgc: beside the package's modules when installed, in the checkout otherwise."""
    package = os.path.dirname(os.path.abspath(__file__))
    packed = os.path.join(package, "_data", "games")
    return packed if os.path.isdir(packed) else os.path.join(os.path.dirname(package), "games")


def shipped_games() -> dict[str, str]:
    """The games that come with dcgc: name -> path, in alphabetical order."""
    folder = games_folder()
    names = sorted(entry for entry in os.listdir(folder) if entry.endswith(SUFFIX)) if os.path.isdir(folder) else []
    return {name.removesuffix(SUFFIX): os.path.join(folder, name) for name in names}


def find_game(name: str) -> str:
    """The path of a game: ``name`` itself, or the shipped game of that name if it is a bare name and no file here."""
    bare = os.sep not in name and "/" not in name and not name.endswith(SUFFIX)
    return shipped_games().get(name, name) if bare and not os.path.isfile(name) else name
