"""The page of a diagnostic code: what the mistake is, what to write instead, an example. Without a code: all of them."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser, Namespace

from ..core.codes import CODES as CORE_CODES
from ..finite.codes import CODES as FINITE_CODES
from ..information.codes import CODES as INFORMATION_CODES
from ..semantics.codes import CODES as FRONT_CODES
from ..source import near_names
from ..source.code import Code
from .commands import WrongCall

WIDTH = 100


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="such as K301")


def run(options: Namespace) -> int:
    codes = {**FRONT_CODES, **CORE_CODES, **INFORMATION_CODES, **FINITE_CODES}
    if options.code is None:
        for name in sorted(codes):
            print(f"{name}  {codes[name].title}")
        return 0
    name = options.code.strip().upper()
    if name not in codes:
        near = near_names(name, tuple(codes))
        raise WrongCall(f"there is no code {options.code}; "
                        + (f"near ones are {', '.join(near)}" if near else "dcgc explain lists all of them"))
    print(page(codes[name]), end="")
    return 0


def page(code: Code) -> str:
    """One code as text."""
    lines = [f"{code.code}: {code.title}", "", *textwrap.wrap(" ".join(code.page.split()), WIDTH)]
    if code.example:
        lines += ["", "An example of the mistake:", "", *("    " + line for line in code.example.rstrip("\n").split("\n"))]
    return "\n".join(lines) + "\n"
