"""Read a finite game in Gambit's .efg format (version 2) and write it as the text of a game.

The text checks and trains: chance moves are draws, information sets are decisions with what they know, every decision may be mixed.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..finite import read_efg, to_text
from ..texts import read_source
from .export import write


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an .efg file (-: standard input)")
    parser.add_argument("-o", "--out", metavar="FILE", help="the file to write (default: standard output)")


def run(options: Namespace) -> int:
    source = read_source(options.file)
    write(to_text(read_efg(source), source), options.out)
    return 0
