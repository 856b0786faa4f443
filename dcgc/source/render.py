"""Diagnostics as text for a terminal, and as plain data for other programs.

A ``.dcg`` file is not trusted: what is shown of it has its control characters escaped, so that no text can move the
cursor, change colours or reverse the direction of what the reader sees.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any

from .diagnostic import Diagnostic, Note
from .text import Span

TAB = 4
MOST_COLUMNS = 160

_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "note": "\x1b[1;36m", "plain": "\x1b[2m", "bold": "\x1b[1m"}
_RESET = "\x1b[0m"


def render(diagnostics: Iterable[Diagnostic], colour: bool = False) -> str:
    """All diagnostics as a terminal shows them, with a line that counts them at the end; "" if there are none."""
    found = list(diagnostics)
    if not found:
        return ""
    blocks = [_block(diagnostic, colour) for diagnostic in found]
    return "\n".join([*blocks, _count(found)]) + "\n"


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics as a JSON list."""
    return json.dumps(as_data(diagnostics), indent=2, ensure_ascii=True) + "\n"


def as_data(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """All diagnostics as dictionaries; lines and columns are counted from 1, ends are exclusive."""
    return [
        {
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "message": diagnostic.message,
            **_range(diagnostic.span),
            "hint": diagnostic.hint,
            "near": list(diagnostic.near),
            "notes": [{"message": note.message, **_range(note.span)} for note in diagnostic.notes],
        }
        for diagnostic in diagnostics
    ]


def _range(span: Span) -> dict[str, Any]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"file": span.source.name, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def visible(text: str) -> str:
    """``text`` with everything that could act on a terminal written as an escape; tabs and newlines too."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    # Cc, Cf, Cs, Co, Cn: control, format (also the marks that reverse direction), surrogate, private, unassigned;
    # Zl, Zp: separators that some terminals break lines at.
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def width(text: str) -> int:
    """How many columns a terminal gives to ``text``: two for wide characters, none for combining ones."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _block(diagnostic: Diagnostic, colour: bool) -> str:
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    lines = [f"{_painted(head, diagnostic.severity, colour)}: {_painted(visible(diagnostic.message), 'bold', colour)}"]
    lines.extend(_excerpt(diagnostic.span, diagnostic.severity, colour))
    if diagnostic.near:
        names = " or ".join(f"`{visible(name)}`" for name in diagnostic.near)
        lines.append(f"  = did you mean {names}?")
    if diagnostic.hint:
        lines.append(f"  = hint: {visible(diagnostic.hint)}")
    for note in diagnostic.notes:
        lines.extend(_note(note, colour))
    return "\n".join(lines) + "\n"


def _note(note: Note, colour: bool) -> list[str]:
    return [f"  = {_painted('note', 'note', colour)}: {visible(note.message)}", *_excerpt(note.span, "note", colour)]


def _excerpt(span: Span, style: str, colour: bool) -> list[str]:
    """The place, the line of the game, and a line of carets below the part that is meant."""
    source = span.source
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    text = source.line(line)
    last = end_column - 1 if end_line == line else len(text)
    cells = _cells(text)
    start = min(column - 1, len(cells))
    stop = max(min(last, len(cells)), start)
    before = width("".join(cells[:start]))
    marked = max(width("".join(cells[start:stop])), 1)
    shown = "".join(cells)
    if before + marked > MOST_COLUMNS or width(shown) > MOST_COLUMNS:
        shown, before, marked = _window(cells, start, stop)
    number = str(line)
    margin = " " * len(number)
    arrow = _painted("-->", "plain", colour)
    bar = _painted("|", "plain", colour)
    carets = _painted("^" * marked, style, colour)
    more = " .." if end_line > line else ""
    return [
        f" {margin}{arrow} {visible(source.name)}:{line}:{column}",
        f" {margin} {bar}",
        f" {number} {bar} {shown}".rstrip(),
        f" {margin} {bar} {' ' * before}{carets}{more}",
    ]


def _cells(text: str) -> list[str]:
    """Each character of a line as it is shown; a tab becomes the spaces up to the next stop."""
    cells: list[str] = []
    column = 0
    for character in text:
        cell = " " * (TAB - column % TAB) if character == "\t" else _shown(character)
        column += width(cell)
        cells.append(cell)
    return cells


def _window(cells: list[str], start: int, stop: int) -> tuple[str, int, int]:
    """A part of a long line around what is meant: (text, columns before the carets, carets)."""
    first = max(0, start - 40)
    last = min(len(cells), first + MOST_COLUMNS)
    lead, tail = ".." if first else "", ".." if last < len(cells) else ""
    before = len(lead) + width("".join(cells[first:start]))
    marked = max(1, width("".join(cells[start : min(stop, last)])))
    return lead + "".join(cells[first:last]) + tail, before, marked


def _count(found: list[Diagnostic]) -> str:
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    warnings = len(found) - errors
    parts = [
        f"{number} {word}{'s' * (number > 1)}" for number, word in ((errors, "error"), (warnings, "warning")) if number
    ]
    return " and ".join(parts)


def _painted(text: str, style: str, colour: bool) -> str:
    return f"{_COLOURS[style]}{text}{_RESET}" if colour else text
