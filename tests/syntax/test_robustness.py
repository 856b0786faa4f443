"""Whatever the text, the parser returns and reports within its limits."""

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import PROGRAMS
from syntax_reading import GAMES, assert_canonical, read

PIECES = re.compile(r"\s+|\w+|\"[^\"]*\"|.", re.S)
NOISE = ["(", ")", "[", "]", "{", "}", ";", "\n", '"', "#", "=", "..", "\x00", "\ud800", "é", "when ", "by ", "²",
    "-", "for ", "\r"]


def mutate(rng: random.Random, pieces: list[str]) -> str:
    pieces = list(pieces)
    for _ in range(rng.randint(1, 4)):
        i, j = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        kind = rng.randrange(4)
        if kind == 0 and len(pieces) > 1:
            del pieces[i]
        elif kind == 1:
            pieces.insert(i, rng.choice([*NOISE, pieces[j]]))
        elif kind == 2:
            pieces.insert(i, pieces[i])
        else:
            pieces[i], pieces[j] = pieces[j], pieces[i]
    return "".join(pieces)


def survives(text: str) -> None:
    _, found = read(text)
    for diagnostic in found:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
        assert re.fullmatch(r"S\d{3}", diagnostic.code) and diagnostic.message
    if not found:
        assert_canonical(text)


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("unit", ["tokens", "characters"])
def test_mutated_games_never_raise(name, unit):
    rng = random.Random(f"{name}-{unit}")
    pieces = PIECES.findall(GAMES[name]) if unit == "tokens" else list(GAMES[name])
    for _ in range(40):
        survives(mutate(rng, pieces))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from([*NOISE, "let ", "x", "1", ",",
    "cost "])).map("".join)))
def test_any_text(text):
    survives(text)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(PROGRAMS, st.data())
def test_programs_cut_off_anywhere(text, data):
    survives(text[: data.draw(st.integers(0, len(text)))])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", [
    "(" * 1_000_000, "let x = " + "[" * 900_000, "{" * 1_000_000, ")" * 150_000, "}" * 150_000,
    "let x = " + "-" * 190_000 + "1",
    "let x = " + "1^" * 90_000 + "1", "let x = " + "1+" * 90_000 + "1",
    "let x = a" + "(1)" * 60_000, "let x = " + "not " * 150_000,
    "let x = " + "if a then b else " * 10_000 + "c", "when\n" * 150_000, "$" * 900_000, '"\n' * 100_000,
    "let x = " + "1," * 90_000, "for i in F {" * 60_000, "x.y" * 300_000, "let x = f(" + "a, " * 60_000 + "b)",
    "\x00" * 1_000_000,
    "channel m : A -> B { " + "stop soft; " * 10_000 + "}",
    "let x = 1 +\n" * 40_000, "(\n" * 400_000, "# c\n" * 200_000,
], ids=range(23))
def test_huge_texts(text):
    _, found = read(text)
    assert len(found) <= 101
