"""Diagnostic codes: the title, the page and a bad example of every kind of mistake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One kind of mistake, as ``dcgc explain CODE`` shows it.

    ``page`` explains it in a few sentences and says what to write instead; ``example`` is a complete small ``.dcg``
    text that is wrong in exactly this way (empty where no small text can be).
    """

    code: str
    title: str
    page: str
    example: str
