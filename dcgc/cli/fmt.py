"""Put games into canonical layout: one statement a line, comments kept.

Files are rewritten in place, each at once or not at all, and only if they can be read without mistakes. Without files,
or for -, standard input is formatted to standard output.
"""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from contextlib import suppress

from ..source import Diagnostic, GameError, Ledger, Source
from ..source.render import render, visible
from ..syntax import parse
from ..syntax.format import format_file
from ..texts import NoText, find_game, read_source
from .commands import PROBLEMS, WRONG_CALL, WrongCall, colourful


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to format (default: standard input)")
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if a file would change")
    parser.add_argument("--stdout", action="store_true", help="print the result and change nothing")


def run(options: Namespace) -> int:
    status = 0
    found: list[Diagnostic] = []
    for path in options.files or ["-"]:
        try:
            source = read_source(path if not options.stdout else find_game(path))
            text = formatted(source)
        except GameError as problem:
            found.extend(problem.diagnostics)
            status = max(status, PROBLEMS)
            continue
        except (NoText, WrongCall) as problem:
            print(f"dcgc: {visible(str(problem))}", file=sys.stderr)
            status = WRONG_CALL
            continue
        changed = text != source.text
        if options.check:
            if changed:
                print(f"{visible(path)}: would change")
                status = max(status, PROBLEMS)
        elif options.stdout or path == "-":
            sys.stdout.write(text)
        elif changed:
            replace_file(path, text)
            print(f"{visible(path)}: formatted")
    print(render(found, colour=colourful(sys.stderr)), end="", file=sys.stderr)
    return status


def formatted(source: Source) -> str:
    """The text in canonical layout. Raises GameError if it has mistakes."""
    ledger = Ledger()
    tree = parse(source, ledger)
    ledger.raise_errors()
    text = format_file(tree)
    # A formatter that lost something would destroy a user's file: what it wrote must read as the same tree.
    again = parse(Source(source.name, text), ledger)
    if ledger.errors or again != tree:
        raise WrongCall(f"{source.name}: left as it is, since its layout would not read as the same game; please report this")
    return text


def replace_file(path: str, text: str) -> None:
    """Write a file at once or not at all: a new one beside it takes its place, with its permissions; links stay links."""
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode & 0o7777
        if not os.access(target, os.W_OK):
            raise PermissionError(13, "it is write-protected")
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".dcgc-", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as problem:
        raise WrongCall(f"{path}: not written: {problem.strerror or problem}") from None
