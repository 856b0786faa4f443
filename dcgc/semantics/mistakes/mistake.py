"""A mistake that an author can make: one object each, which builds the diagnostic and carries its page."""

from __future__ import annotations

from dataclasses import dataclass

from ...source import Diagnostic, Note, Span
from ...source.code import Code
from ...source.diagnostic import Severity


@dataclass(frozen=True)
class Mistake:
    """``message`` and ``hint`` are templates whose words the place of the mistake fills in.

    ``example`` is a whole bad text with exactly this mistake; ``page`` says what the rule is and why.
    """

    code: str
    title: str
    message: str
    hint: str
    page: str
    example: str
    severity: Severity = "error"

    def at(
        self, span: Span, *, near: tuple[str, ...] = (), notes: tuple[Note, ...] = (), **words: object
    ) -> Diagnostic:
        """This mistake at a place. Raises KeyError if a word of a template is missing."""
        text = {key: _short(word) for key, word in words.items()}
        return Diagnostic(
            self.code, self.message.format(**text), span, self.hint.format(**text), near, notes, self.severity
        )

    @property
    def entry(self) -> Code:
        """The entry of the public table of codes."""
        return Code(self.code, self.title, self.page, self.example)


def _short(word: object) -> str:
    """A word from the game, cut so that a message stays a sentence."""
    text = str(word)
    return text if len(text) <= 80 else text[:77] + "..."


PLAY = "player A\nrandom x ~ Normal(0, 1)\n"
END = "decide u : Real by A knowing x\ncost A = (u - x)^2\n"


def text(middle: str, before: str = PLAY, after: str = END) -> str:
    """A whole small game around the line that an example is about."""
    return "game Example\n" + before + middle + ("" if middle.endswith("\n") or not middle else "\n") + after
