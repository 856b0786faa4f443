"""What a reader sees of a diagnostic, and what a program gets."""

from __future__ import annotations

import json

from dcgc.source import Diagnostic, Note, Source, Span
from dcgc.source.render import as_data, render, render_json, visible, width


def diagnostic(text: str, part: str, **more: object) -> Diagnostic:
    source = Source("g.dcg", text)
    start = text.index(part)
    return Diagnostic("N101", "there is no `q` here", Span(source, start, start + len(part)), **more)  # type: ignore[arg-type]


def test_carets_stand_below_the_part() -> None:
    shown = render([diagnostic("game G\nlet y = qq + 1\n", "qq", hint="declare it", near=("q1", "q2"))])
    assert shown.splitlines() == [
        "error[N101]: there is no `q` here",
        "  --> g.dcg:2:9",
        "   |",
        " 2 | let y = qq + 1",
        "   |         ^^",
        "  = did you mean `q1` or `q2`?",
        "  = hint: declare it",
        "",
        "1 error",
    ]


def caret_column(shown: str) -> tuple[int, int]:
    line = next(line for line in shown.splitlines() if "^" in line)
    return line.index("^") - line.index("|") - 2, line.count("^")


def test_tabs_wide_and_combining_characters_take_their_columns() -> None:
    assert caret_column(render([diagnostic("\tlet qq", "qq")])) == (8, 2)
    assert caret_column(render([diagnostic("信号 = qq", "qq")])) == (7, 2)
    assert caret_column(render([diagnostic("é = 信号", "信号")])) == (4, 4)
    assert width("信e\u0301") == 3


def test_nothing_in_a_game_reaches_the_terminal_as_a_command() -> None:
    text = "let \x1b[31mq\x07 \u202e = \x9b1 # \r\u2028"
    shown = render([diagnostic(text, "q"), diagnostic("game G", "G", hint="\x1b]0;title\x07", notes=())])
    assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2028")]
    assert "\\x1b[31mq\\x07" in shown and visible("\n\t") == "\\x0a\\x09"
    assert caret_column(render([diagnostic("\x1bqq", "qq")])) == (4, 2)


def test_colour_is_only_added() -> None:
    found = [diagnostic("let qq", "qq", notes=(Note("here", Span(Source("h.dcg", "abc"), 1, 2)),), severity="warning")]
    coloured = render(found, colour=True)
    plain = coloured
    for code in ("\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[2m", "\x1b[1m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain == render(found) and coloured != plain and "1 warning" in plain


def test_long_lines_are_cut_around_the_part() -> None:
    shown = render([diagnostic("let y = " + "1 + " * 500 + "qq" + " + 1" * 500, "qq")])
    assert max(map(len, shown.splitlines())) < 180 and " qq " in shown


def test_json() -> None:
    found = [
        diagnostic("game G\nlet y =\n  qq\n", "qq", near=("q",), notes=(Note("here", Span(Source("h", "abc"), 0, 3)),))
    ]
    assert (
        json.loads(render_json(found))
        == as_data(found)
        == [
            {
                "code": "N101",
                "severity": "error",
                "message": "there is no `q` here",
                "file": "g.dcg",
                "line": 3,
                "column": 3,
                "end_line": 3,
                "end_column": 5,
                "hint": "",
                "near": ["q"],
                "notes": [{"message": "here", "file": "h", "line": 1, "column": 1, "end_line": 1, "end_column": 4}],
            }
        ]
    )


def test_an_end_beyond_the_text_is_no_trouble() -> None:
    source = Source("g", "")
    assert "g:1:1" in render([Diagnostic("M501", "no header", Span(source, 0, 1))])
