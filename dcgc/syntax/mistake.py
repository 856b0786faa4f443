"""A mistake found while reading: what becomes one diagnostic."""

from __future__ import annotations

from dataclasses import dataclass

from ..source import Ledger, Note, Source, Span


@dataclass(frozen=True)
class Mistake:
    """What is wrong between two offsets of the text; ``note`` is a second place as (message, start, end)."""

    code: str
    message: str
    start: int
    end: int
    hint: str = ""
    near: tuple[str, ...] = ()
    note: tuple[str, int, int] | None = None
    at_end: bool = False  # the statement stopped too early: what follows may be its continuation

    def report(self, source: Source, ledger: Ledger) -> None:
        notes = () if self.note is None else (Note(self.note[0], Span(source, self.note[1], self.note[2])),)
        ledger.error(self.code, self.message, Span(source, self.start, self.end), self.hint, self.near, notes)


class SyntaxMistake(Exception):
    """Raised inside the parser of one statement; never leaves ``dcgc.syntax``."""

    def __init__(self, mistake: Mistake):
        self.mistake = mistake
        super().__init__(mistake.message)


def visible(text: str) -> str:
    """``text`` in backquotes for a message, or its code points where it cannot be shown."""
    if text.isprintable():
        return f"`{text}`"
    return " ".join(f"U+{ord(character):04X}" for character in text[:4])
