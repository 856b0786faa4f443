"""Canonical layout: lossless, idempotent, and as the style says."""

import pytest
from hypothesis import HealthCheck, given, settings
from programs import EXPRESSIONS, PROGRAMS
from syntax_reading import assert_canonical, good, value

from dcgc.syntax import format_file

CALM = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@CALM
@given(PROGRAMS)
def test_programs_survive_formatting(text):
    assert_canonical(text)


@CALM
@given(EXPRESSIONS)
def test_formatted_expressions_have_no_bracket_too_many(text):
    """Removing any pair of brackets that only groups changes the tree or makes it unreadable."""
    from syntax_reading import read

    tree_before = value(f"({text})")
    formatted = format_file(good(f"let q = ({text})"))
    formatted = formatted[formatted.index("let q") :]  # without the comments
    for i, character in enumerate(formatted):
        if character == "(" and (formatted[i - 1] in " ([-+^" or formatted[i - 1] == "("):
            depth = 0
            for j in range(i, len(formatted)):
                depth += (formatted[j] in "([") - (formatted[j] in ")]")
                if depth == 0:
                    break
            bare = formatted[:i] + " " + formatted[i + 1 : j] + " " + formatted[j + 1 :]
            file, found = read(bare)
            assert found or file.statements[0].value != tree_before, bare


def formatted(text: str) -> str:
    return format_file(good(text))


@pytest.mark.parametrize(("text", "expected"), [
    ("let   x=1+2*3;let y=(2)", "let x = 1 + 2 * 3\nlet y = 2\n"),
    ("let x = ((a+b))*c - (d*e)", "let x = (a + b) * c - d * e\n"),
    ("let x = (-a)^2 + -(a^2)", "let x = (-a)^2 + -a^2\n"),
    ("let x = a-(b-c)-(d)", "let x = a - (b - c) - d\n"),
    ("let x = a ** (b ^ c)", "let x = a^b^c\n"),
    ("\n\nlet x = 1\n\n\n\nlet y = 2\n\n", "let x = 1\n\nlet y = 2\n"),
    ("for i in F { let x[i] = 1; let y[i] = 2 }", "for i in F {\n  let x[i] = 1\n  let y[i] = 2\n}\n"),
    ("channel m:A->B{budget 2 bits,carries Real}", "channel m : A -> B { budget 2 bits; carries Real }\n"),
    ("channel m : A -> B {\ncarries Real }", "channel m : A -> B {\n  carries Real\n}\n"),
    ("for i in F { # c\n\n let x = 1 }", "for i in F {  # c\n  let x = 1\n}\n"),
    ("let x = (1 + # one\n 2) # two\n# three", "# one\nlet x = 1 + 2  # two\n# three\n"),
    ("for i in F {\n# only\n} # after", "for i in F {\n  # only\n}  # after\n"),
    ("", ""), ("# lonely", "# lonely\n"),
])
def test_style(text, expected):
    assert formatted(text) == expected


def test_long_lines_are_broken_where_they_may_go_on():
    names = ", ".join(f"quantity_{i}" for i in range(40))
    total = " + ".join(f"quantity_{i} * price_{i}" for i in range(20))
    text = f"decide u : Real by A knowing {names}\nlet s = {total}\n"
    assert_canonical(text)
    assert max(map(len, formatted(text).splitlines())) <= 110
