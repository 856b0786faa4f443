"""Files that are no games, or too large: a diagnostic with a place, and never anything else."""

from __future__ import annotations

import random

import pytest

from dcgc.finite import read_efg
from dcgc.source import GameError, Source

GOOD = """EFG 2 R "Two" { "A" "B" }
"a comment
of two lines"

c "" 1 "deal" { "x" 1/2 "y" 0.5 } 0
p "" 1 1 "a" { "l" "r" } 0
t "" 1 "" { 1, -1 }
t "" 2 "" { 0 2 }
p "" 2 1 "b" { "l" "r" } 0
t "" 1
t "" 0
"""

WRONG = {  # what is replaced: code, line, column, part of the message
    ('EFG 2 R', 'NFG 1 R'): ("F001", 1, 1, "begins with `EFG 2 R`"),
    ('EFG 2 R', 'EFG 1 R'): ("F001", 1, 5, "version 1"),
    ('{ "A" "B" }', '{ }'): ("F001", 1, 17, "no players"),
    ('"y" 0.5 }', '"y" 0.4 }'): ("F001", 5, 15, "sum to 0.9"),
    ('"y" 0.5 }', '"y" -0.5 }'): ("F001", 5, 29, "below 0"),
    ('"x" 1/2', '"x" 1/0'): ("F001", 5, 21, "ratio by 0"),
    ('"x" 1/2', '"x"'): ("F001", 5, 21, "probability of this action"),
    ('p "" 1 1', 'p "" 3 1'): ("F001", 6, 6, "there is no player 3"),
    ('p "" 1 1', 'q "" 1 1'): ("F001", 6, 1, "a node is `c`"),
    ('p "" 1 1', 'p "" 1.5 1'): ("F001", 6, 6, "whole number"),
    ('{ "l" "r" } 0\nt "" 1 ""', '{ } 0\nt "" 1 ""'): ("F001", 6, 14, "without actions"),
    ('"a" { "l" "r" }', '"a"'): ("F001", 6, 8, "its actions are missing"),
    ('{ 1, -1 }', '{ 1 }'): ("F001", 7, 11, "1 payoffs for 2 players"),
    ('t "" 1\nt "" 0', 't "" 9\nt "" 0'): ("F001", 10, 6, "outcome 9 is new"),
    ('t "" 0\n', ''): ("F001", 11, 1, "a node"),
    ('t "" 0\n', 't "" 0\nt "" 0\n'): ("F001", 12, 1, "the tree is complete"),
    ('"deal"', '"deal'): ("F001", 5, 6, "actions are missing"),
    ('{ 0 2 }', '{ 0 2e999999999 }'): ("F001", 8, 15, "too many digits"),
    ('{ 0 2 }', '{ 0 ' + '9' * 80 + ' }'): ("F001", 8, 15, "too many digits"),
    ('t "" 0\n', 't "unended\n'): ("F001", 11, 3, "has no end"),
    ('{ 0 2 }', '{ 0 $ }'): ("F001", 8, 15, "'$' has no meaning"),
}


@pytest.mark.parametrize("change", WRONG, ids=lambda c: repr(c[1])[:24])
def test_mistakes_have_a_place(change):
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    with pytest.raises(GameError) as found:
        read_efg(Source("g.efg", text))
    d = found.value.diagnostics[0]
    code, line, column, part = WRONG[change]
    assert d.code == code and part in d.message
    assert (d.span.line, d.span.column) == (line, column)


def test_the_good_file_reads():
    game = read_efg(Source("g.efg", GOOD))
    assert len(game.nodes) == 7 and game.comment == "a comment\nof two lines" and game.sets[2].label == "b"


def test_depth_and_size_are_bounded():
    head = 'EFG 2 R "" { "A" }\n'
    deep = head + 'p "" 1 1 "" { "a" "b" } 0\n' + 'p "" 1 1 0\n' * 100_000
    with pytest.raises(GameError) as found:
        read_efg(Source("deep.efg", deep))
    assert found.value.diagnostics[0].code == "F002" and "500 moves" in found.value.diagnostics[0].message
    many = 'EFG 2 R "" { ' + '"A" ' * 1000 + '}'
    with pytest.raises(GameError) as found:
        read_efg(Source("many.efg", many))
    assert found.value.diagnostics[0].code == "F002"


def test_any_text_is_answered():
    """Characters and lines lost, doubled and swapped at random: a game or a diagnostic."""
    chance = random.Random(0)
    for _ in range(400):
        text = list(GOOD)
        for _ in range(chance.randint(1, 4)):
            k = chance.randrange(len(text))
            text[k:k + chance.randint(0, 3)] = chance.choice(["", '"', "{", "}", "1", "-", "/", "\\", "\0", "é", "p ", text[k] * 2])
        try:
            read_efg(Source("x.efg", "".join(text)))
        except GameError as problem:
            assert all(d.code in ("F001", "F002") and d.message for d in problem.diagnostics)
