"""The table of commands, and what all of them share: help, wrong calls, exit statuses."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import NoReturn, Protocol, cast

from ..source import GameError, near_names
from ..source.render import render, visible
from ..texts import NoText

PROBLEMS, WRONG_CALL, STOPPED = 1, 2, 130


class WrongCall(Exception):
    """What was asked for cannot be done; the message is one line."""


class CommandModule(Protocol):
    """What a command's file holds."""

    def add_arguments(self, parser: ArgumentParser) -> None: ...

    def run(self, options: Namespace) -> int: ...


@dataclass(frozen=True)
class Command:
    """``module``: the file in this folder; ``usage``: its arguments in short; ``text``: what it does, in a line."""

    module: str
    usage: str
    text: str


COMMANDS: Mapping[str, Command] = MappingProxyType({
    "check": Command("check", "FILES", "find every problem of a game"),
    "fmt": Command("fmt", "FILES", "put games into canonical layout"),
    "explain": Command("explain", "[CODE]", "the page of a diagnostic code"),
    "show": Command("show", "GAME", "the game graph, who knows what, and how it would be solved"),
    "info": Command("info", "GAME", "who knows what: information structure, recall, interests, relevance"),
    "train": Command("train", "GAME", "train every player's policy, score the result exactly"),
    "solve": Command("solve", "GAME", "the exact solution where theory gives one, with the theorem and its assumptions"),
    "eval": Command("eval", "RUN", "score the policies of a run again"),
    "taps": Command("taps", "RUN", "gradients of all costs by the messages of a run, and what they are worth"),
    "compare": Command("compare", "GAME", "train with several estimators of the messages' gradients, compare them"),
    "quantise": Command("quantise", "RUN", "make a channel's reals a code of few words; the result is a run"),
    "audit": Command("audit", "RUN", "what the words of a run mean, how much they say, what they are worth"),
    "export": Command("export", "GAME", "write a game as a finite one for Gambit (.efg, .nfg)"),
    "import": Command("import_", "FILE", "make the text of a game from Gambit's .efg"),
    "list": Command("games", "", "the games that come with dcgc"),
    "version": Command("version", "", "versions of dcgc and of what it stands on"),
})


def overview() -> str:
    """The text of ``dcgc --help``."""
    entries = [(f"dcgc {name} {command.usage}".rstrip(), command.text) for name, command in COMMANDS.items()]
    width = max(len(left) for left, _ in entries)
    lines = [f"  {left:<{width}}  {text}" for left, text in entries]
    return "\n".join(["A compiler for differentiable communication games.", "", *lines, "",
                      "`dcgc COMMAND --help` tells more. A first run: dcgc train witsenhausen", ""])


class Parser(ArgumentParser):
    """argparse's, with near names for a flag that does not exist."""

    def parse_all(self, arguments: Sequence[str]) -> Namespace:
        """The options; a wrong call ends with a usage line and a message. Files may stand among the flags."""
        options, unknown = self.parse_known_intermixed_args([hyphenated(argument) for argument in arguments])
        if unknown:
            flag = unknown[0].split("=", 1)[0]
            near = near_names(flag, [name for name in self._option_string_actions if name.startswith("--")], most=1)
            meant = f"; did you mean {near[0]}?" if near and flag.startswith("-") else ""
            self.error(f"unknown argument {visible(unknown[0])}{meant}")
        return options

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_CALL, f"{self.format_usage()}{self.prog}: {message}\n")


def hyphenated(argument: str) -> str:
    """A flag as it is declared: ``--learning_rate`` of a ``train`` block is ``--learning-rate`` too."""
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value if flag.startswith("--") else argument


def run(arguments: Sequence[str] | None = None) -> int:
    """Dispatch one call; returns the exit status and never raises on what a user can do."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal of another encoding shows escapes, and no traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        status = dispatch(given)
        sys.stdout.flush()
        return status
    except GameError as problem:
        print(render(problem.diagnostics, colour=colourful(sys.stderr)), end="", file=sys.stderr)
        return PROBLEMS
    except (WrongCall, NoText) as problem:
        print(f"dcgc: {visible(str(problem))}", file=sys.stderr)
        return WRONG_CALL
    except BrokenPipeError:
        # Whoever read our output has enough. What Python would still flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("dcgc: stopped", file=sys.stderr)
        return STOPPED
    except SystemExit as end:  # argparse's, after help or a wrong call
        return end.code if isinstance(end.code, int) else 0


def dispatch(given: list[str]) -> int:
    """Load the command that is named and run it."""
    if not given or given[0] in ("-h", "--help", "help"):
        print(overview(), end="")
        return 0 if given else WRONG_CALL
    name, rest = given[0], given[1:]
    if name in ("-V", "--version"):
        name = "version"
    if name not in COMMANDS:
        near = near_names(name, tuple(COMMANDS), most=1)
        raise WrongCall(f"there is no command {name!r}; " + (f"did you mean {near[0]}?" if near else "see dcgc --help"))
    command = COMMANDS[name]
    module = cast(CommandModule, import_module(f".{command.module}", __package__))
    parser = Parser(prog=f"dcgc {name}", description=(module.__doc__ or "").strip(), allow_abbrev=False,
                    formatter_class=RawDescriptionHelpFormatter)
    module.add_arguments(parser)
    return module.run(parser.parse_all(rest))


def colourful(stream: object) -> bool:
    """Whether a stream is a terminal that wants colours (https://no-color.org)."""
    return bool(getattr(stream, "isatty", lambda: False)()) and not os.environ.get("NO_COLOR") \
        and os.environ.get("TERM") != "dumb"
