"""One report a mistake, at its place, and the rest of the text is read on."""

import pytest
from syntax_reading import GAMES, TEN, codes, read


def test_three_mistakes_make_three_reports():
    file, found = read("game G\ndecde u : Real by A knowing x\nlet a = 1\nparam k =\nlet b = 2\n"
                       "random x = Normal(0, 1)\nlet c = 3")
    assert [(d.code, d.span.line) for d in found] == [("S001", 2), ("S003", 4), ("S002", 6)]
    assert found[0].near == ("decide",)
    assert [s.target.name for s in file.statements[1:]] == ["a", "b", "c"]


@pytest.mark.parametrize("head", ["for i in F", "when x > 0", "stage t in 1..3"])
def test_a_mistake_in_a_block_costs_one_statement(head):
    file, found = read(f"let a = 1\n{head} {{\n  let b = 1\n  let c = \n  let d = 2\n}}\nlet e = 3")
    assert [d.code for d in found] == ["S003"]
    assert [s.target.name for s in file.statements[1].body] == ["b", "d"] and len(file.statements) == 3


def test_a_mistake_in_a_head_still_reads_the_block():
    assert codes("for i on F {\n let b = 1 1\n}\nlet e = 3") == ["S002", "S002"]


def test_a_mistake_in_a_channel_keeps_the_other_entries():
    file, found = read("channel m : A -> B { carries Real; prise 3 per bit; budget 2 bits; budget 3 bits }")
    assert [d.code for d in found] == ["S016", "S013"] and found[0].near[0] == "price"
    assert file.statements[0].body.budget.amount.value == 2


@pytest.mark.parametrize(("text", "code", "place"), [
    ("let a = (1 + 2\nlet b = 3", "S004", 8), ("let a = f(x, [1, 2\nlet b = 3", "S004", 13),
    ("let a = 1)\nlet b = 3", "S005", 9), ("let a = [1, 2)\nlet b = 3", "S005", 13), ("}\nlet b = 3", "S005", 0),
    ("let b = 3\nfor i in F {\nlet c = 1", "S004", 21), ("for i in (F { let c = 1 }\nlet b = 3", "S004", 9),
    ("let a = (1; let b = 3", "S004", 8),
])
def test_unbalanced_brackets_are_one_report(text, code, place):
    file, found = read(text)
    assert [(d.code, d.span.start) for d in found] == [(code, place)]
    assert any(getattr(s, "target", None) and s.target.name == "b" for s in file.statements)


def test_mismatched_brackets_point_to_the_opening_one():
    _, (found,) = read("let a = f([1, 2))")
    assert found.code == "S005" and found.notes[0].span.start == 10


@pytest.mark.parametrize(("text", "part"), [
    ("decide u : Real by A", "knowing nothing"), ("x = 3", "let x"), ("x ~ Normal(0, 1)", "random x"),
    ("random x = Normal(0, 1)", "`~`"), ("let x ~ Normal(0, 1)", "`random`"), ("let x == 3", "`=` defines"),
    ("when x = 3 { tap x }", "`==`"), ("let x = if a then b", "else"), ("let x = 1 + if a then b else c",
    "round brackets"),
    ("let x = 2 y", "2 *"), ("let x = a ≤ b", "<="), ("let x = 'a'", '"'), ("let a = 1 let b = 2", "new line"),
])
def test_hints(text, part):
    _, (found,) = read(text)
    assert part in found.hint


def test_what_was_expected_is_said_in_words():
    _, (found,) = read("decide u : Real A")
    assert "`by PLAYER`" in found.message
    _, (found,) = read("let x = ")
    assert "an expression" in found.message
    _, (found,) = read("policy A mlp")
    assert "`:`" in found.message


@pytest.mark.parametrize("name", TEN)
def test_a_misspelled_statement_word_in_a_game_is_one_report(name):
    lines = GAMES[name].splitlines()
    for i, line in enumerate(lines):
        word = line.split(" ", 1)[0]
        if word.isalpha() and len(word) > 2:
            mutant = "\n".join([*lines[:i], "x" + line, *lines[i + 1 :]])
            assert codes(mutant) == ["S001"], line


@pytest.mark.parametrize("name", TEN)
def test_cutting_off_the_last_word_of_a_line_is_at_most_one_report(name):
    lines = GAMES[name].splitlines()
    for i, line in enumerate(lines):
        if line and not line.startswith("#") and not line.rstrip().endswith(("{", "}")):
            mutant = "\n".join([*lines[:i], line.rsplit(" ", 1)[0], *lines[i + 1 :]])
            assert len(codes(mutant)) <= 1, line
