"""The command line: a file for each command, loaded when it is called."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``dcgc`` with these arguments (default: those of the process); returns its exit status.

    0: done; 1: there are problems in a game (or a file is not formatted); 2: a wrong call; 130: stopped from the keyboard.
    """
    from .commands import run

    return run(arguments)
