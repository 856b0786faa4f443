"""The one table of diagnostic codes: those of the parser and those of the checker."""

from __future__ import annotations

from ..source.code import Code
from ..syntax.codes import SYNTAX_CODES
from .mistakes import MISTAKES

CODES: dict[str, Code] = {**SYNTAX_CODES, **{mistake.code: mistake.entry for mistake in MISTAKES}}


def lookup(code: str) -> Code | None:
    """The page of a code, None if there is no such code; case does not matter."""
    return CODES.get(code.strip().upper())
