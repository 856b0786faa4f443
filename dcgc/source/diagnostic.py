"""Diagnostics: what is wrong with a game, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from .text import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Note:
    """A second place that helps to understand a diagnostic."""

    message: str
    span: Span


@dataclass(frozen=True)
class Diagnostic:
    """One problem of one game.

    ``code`` is stable and has a page (``dcgc explain CODE``); ``hint`` says what to write instead; ``near`` are names
    that the author may have meant, best first.
    """

    code: str
    message: str
    span: Span
    hint: str = ""
    near: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    severity: Severity = "error"


class GameError(Exception):
    """Raised by the Python door when a game has problems; carries all of them."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]):
        self.diagnostics = diagnostics
        super().__init__("; ".join(f"{d.span.place}: {d.code}: {d.message}" for d in diagnostics))


@dataclass
class Ledger:
    """Collects the diagnostics of one compilation, in order of discovery, each place and code once."""

    entries: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, str, int, int]] = field(default_factory=set)

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        key = (diagnostic.code, span.source.name, span.start, span.end)
        if key not in self._seen:
            self._seen.add(key)
            self.entries.append(diagnostic)

    def error(self, code: str, message: str, span: Span, hint: str = "", near: tuple[str, ...] = (),
              notes: tuple[Note, ...] = ()) -> None:
        self.add(Diagnostic(code, message, span, hint, near, notes))

    def warn(self, code: str, message: str, span: Span, hint: str = "", near: tuple[str, ...] = (),
             notes: tuple[Note, ...] = ()) -> None:
        self.add(Diagnostic(code, message, span, hint, near, notes, "warning"))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.entries if d.severity == "error")

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All entries in the order in which a reader meets them."""
        return tuple(sorted(self.entries, key=lambda d: (d.span.source.name, d.span.start, d.span.end, d.code)))

    def raise_errors(self) -> None:
        """Raise ``GameError`` with everything found, if anything is an error."""
        if self.errors:
            raise GameError(self.sorted())

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.entries)


def near_names(name: str, known: list[str] | tuple[str, ...], most: int = 3) -> tuple[str, ...]:
    """Known names that look like ``name``, best first."""
    lower = {k.lower(): k for k in known}
    found = [lower[m] for m in get_close_matches(name.lower(), list(lower), n=most, cutoff=0.6)]
    return tuple(dict.fromkeys(found))
