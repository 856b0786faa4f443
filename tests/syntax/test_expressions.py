"""Section 1: precedence, associativity, numbers and names."""

import pytest
from syntax_reading import codes, good, read, shape, value

from dcgc.syntax import tree


@pytest.mark.parametrize(("text", "expected"), [
    ("1 + 2 * 3", "(1 + (2 * 3))"),
    ("1 - 2 - 3", "((1 - 2) - 3)"),
    ("1 / 2 * 3", "((1 / 2) * 3)"),
    ("2 ^ 3 ^ 4", "(2 ^ (3 ^ 4))"),
    ("2 ** 3 ** 4", "(2 ^ (3 ^ 4))"),
    ("-x^2", "(- (x ^ 2))"),
    ("2^-x", "(2 ^ (- x))"),
    ("2^-x^y", "(2 ^ (- (x ^ y)))"),
    ("-x * y", "((- x) * y)"),
    ("a - -b", "(a - (- b))"),
    ("not a == b", "(not (a == b))"),
    ("a or b and not c", "(a or (b and (not c)))"),
    ("a + 1 < b * 2 and c", "(((a + 1) < (b * 2)) and c)"),
    ("if a or b then 1 + 2 else 3 + 4", "(if (a or b) then (1 + 2) else (3 + 4))"),
    ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
    ("(a < b) == c", "((a < b) == c)"),
    ("f(x)[1]^2", "(f(x)[1] ^ 2)"),
])
def test_precedence(text, expected):
    assert shape(value(text)) == expected


@pytest.mark.parametrize(("text", "number"), [
    ("3", 3.0), ("0.2", 0.2), ("1e-3", 1e-3), ("2%", 0.02), ("2.5E+2", 250.0), ("inf", float("inf")),
])
def test_numbers(text, number):
    node = value(text)
    assert isinstance(node, tree.Number) and node.value == number and node.text == text


@pytest.mark.parametrize("text", [".5", "5.", "2x", "5. + 1", "1.e3", "1e", "x.5", "1e999", "2 %"])
def test_bad_numbers_are_one_report(text):
    found = codes(f"let q = {text}\nlet r = 1")
    assert len(found) == 1 and found[0] in ("S006", "S008")


def test_range_and_decimal_points():
    stage, = good("stage t in 1..10 { let x = 1.5 }").statements
    assert isinstance(stage, tree.Stage) and (stage.low.value, stage.high.value) == (1, 10)
    assert good("for i in 2..n + 1 { tap x }").statements[0].domain.high == value("n + 1")


@pytest.mark.parametrize("text", [
    "let price = a - sum(q)", "state price = 0", "param cost = 3", "let budget = by + knowing", "let in = to",
    "player when, from", "cost noise = price", "decide channel : Real by state knowing next, mixed",
    "known price = 3 when x > 0", "measure record = E[bits | when > 0]", "let x = f(mixed = 3, by = 2)",
    "random train[symmetric] ~ Normal(0, discount)", "team per = sample, on", "for for in stage { tap tap }",
])
def test_words_are_keywords_only_where_their_clause_may_stand(text):
    good(text)


@pytest.mark.parametrize("word",
    "if then else and or not true false nothing recall others all inf pi E Var Cov".split())
def test_reserved_words_are_never_names(word):
    assert codes(f"let {word} = 1\nlet b = 2") == ["S012"]


def test_names_of_any_alphabet():
    assert good("let été = σ2 + цена").statements[0].target.name == "été"
    assert good("let e\u0301 = 1").statements[0].target.name == "é"  # composed
    assert codes("let x = y²") == ["S008"]


def test_comparisons_do_not_chain():
    file, found = read("let a = x < y < z\nlet b = 1")
    assert [d.code for d in found] == ["S009"]
    assert "x < y and y < z" in found[0].hint
    assert [s.target.name for s in file.statements] == ["b"]


def test_comprehensions_and_moments():
    call = value("sum(a * S[j] for j in Firm if j != i)")
    inner = call.arguments[0].value
    assert isinstance(inner, tree.Comprehension) and inner.binder == "j" and inner.domain.name == "Firm"
    assert inner.condition == value("j != i")
    moment = value("Cov[x, y | c > 0]")
    assert isinstance(moment, tree.Moment) and len(moment.arguments) == 2 and moment.given == value("c > 0")


def test_spans_are_exact():
    text = "let q = (a + b) * f(c)[1]"
    node = value("(a + b) * f(c)[1]")
    assert node.span.text == text[8:] and node.left.span.text == "(a + b)" and node.right.base.span.text == "f(c)"


def test_nodes_are_frozen_and_hashable():
    node = value("a + 1")
    with pytest.raises(AttributeError):
        node.operator = "-"
    assert hash(node) == hash(value("a  +  1")) and node == value("a+1") and node != value("a - 1")
