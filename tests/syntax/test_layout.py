"""Section 1: where statements end, and what is in blocks."""

import pytest
from syntax_reading import codes, good, read


def names(text: str) -> list[str]:
    return [s.target.name for s in good(text).statements]


@pytest.mark.parametrize("text", [
    "let a = (1 +\n 2\n )\nlet b = 3", "let a = [1,\n2\n]\nlet b = 3", "let a = 1; let b = 3",
    "let a = 1 +\n2\nlet b = 3",
    "let a =\n\n# why\n1\nlet b = 3", "let a = f(1,\n2)\n;;let b = 3;", "let a = 1\n + 2\nlet b = 3",
    "let a = 1\n == 2 \n and 3\nlet b = 3", "let a = if x\nthen 1\nelse\n2\nlet b = 3",
    "let a = if x then\n1 else\n2\nlet b = 3",
    "let a = 1\r\nlet b = 3\r\n", "\ufefflet a = 1\n\tlet b = 3", "let a\u00a0= 1\nlet b = 3",
    "let a = not\nx\nlet b = by\n",
    "let a = 1 # + \nlet b = 3", "let a = by\nlet b = knowing",
])
def test_where_statements_end(text):
    assert names(text) == ["a", "b"]


def test_clauses_on_their_own_lines():
    text = "decide u : Real\nby A\nknowing x,\ny\nknown c = 3\nwithin 1%\nwhen k == 2\nfrom \"P\"\nhalt\nwhen u"
    assert [type(s).__name__ for s in good(text).statements] == ["Decide", "Known", "Halt"]


def test_words_that_go_on_at_the_end_of_a_line():
    text = "random x ~\nNormal(0, 1)\ndecide u :\nReal by\nA knowing\nx\n"
    text += "channel m : A ->\nB { carries Real }\nstage t in 1..\n3 { tap x }"
    assert len(good(text).statements) == 4


def test_a_minus_at_the_start_of_a_line_is_no_continuation():
    file, found = read("let a = 1\n  - 2\nlet b = 3")
    assert len(file.statements) == 2 and [d.code for d in found] == ["S002"] and "`-`" in found[0].hint


def test_when_after_a_complete_statement_is_a_block_if_it_has_one():
    text = "let a = 1\nwhen k > 0 { tap a }\nknown c = 2\nwhen k > 0\ntap a"
    kinds = [type(s).__name__ for s in good(text).statements]
    assert kinds == ["Let", "When", "Known", "Tap"]


def test_line_ends_count_again_inside_a_block():
    loop, = good("for i in F { let a[i] = 1\nlet b[i] = 2; let c[i] = (3\n)\n}").statements
    assert [s.target.name for s in loop.body] == ["a", "b", "c"]


@pytest.mark.parametrize("body", [
    "carries Real\nbudget 2 bits\nstop soft", "carries Real; budget 2 bits; stop soft",
    "carries Real, budget 2 bits, stop soft",
    "\n\ncarries Real # c\n\n;budget 2 bits\n;\nstop soft;",
])
def test_entries_of_a_channel(body):
    body = good(f"channel m : A -> B, C {{ {body} }}").statements[0].body
    assert body.carries.name == "Real" and body.budget.amount.value == 2 and body.stop == "soft"


def test_heard_by_keeps_its_commas():
    body = good("channel m : A -> B { carries Real, heard by C, D, noise none }").statements[0].body
    assert [n.name for n in body.heard_by] == ["C", "D"] and body.noise.name == "none"


def test_entries_of_train():
    train, = good("train { steps 100, rate 1e-3; engine newton\nbudget [1, 2] }").statements
    assert [s.key for s in train.settings] == ["steps", "rate", "engine", "budget"]


def test_half_open_ranges_may_mix_brackets():
    interval = good("param x = 1 in [0, inf)").statements[0].interval
    assert interval.low_closed and not interval.high_closed
    assert codes("let x = [0, 1)") == ["S005"]


def test_comments_are_kept_with_their_places():
    file = good("# one\nlet a = 1 # two  \n# three")
    assert [(c.text, c.span.line) for c in file.comments] == [("# one", 1), ("# two", 2), ("# three", 3)]
