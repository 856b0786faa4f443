"""Helpers of the syntax tests: read a text, and the texts of the games."""

from pathlib import Path

from dcgc.source import Diagnostic, Ledger, Source
from dcgc.syntax import format_file, parse, tree

GAMES = {path.stem: path.read_text(encoding="utf-8")
         for path in sorted((Path(__file__).parents[2] / "games").glob("*.dcg"))}
TEN = ("witsenhausen kyle cournot_sharing referential double_auction supply_functions rubinstein tracking "
       "inattentive_choice cheap_talk").split()


def read(text: str) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    ledger = Ledger()
    return parse(Source("test.dcg", text), ledger), ledger.sorted()


def good(text: str) -> tree.File:
    file, found = read(text)
    assert not found, [f"{d.span.place}: {d.code}: {d.message}" for d in found]
    return file


def codes(text: str) -> list[str]:
    return [d.code for d in read(text)[1]]


def value(text: str) -> tree.Expression:
    """The expression of ``let q = text``."""
    statement, = good(f"let q = {text}").statements
    assert isinstance(statement, tree.Let)
    return statement.value


def shape(node: tree.Expression) -> str:
    """An expression with all its brackets, as a text."""
    if isinstance(node, tree.Binary):
        return f"({shape(node.left)} {node.operator} {shape(node.right)})"
    if isinstance(node, tree.Unary):
        return f"({node.operator} {shape(node.operand)})"
    if isinstance(node, tree.Conditional):
        return f"(if {shape(node.condition)} then {shape(node.then)} else {shape(node.otherwise)})"
    return node.span.text


def assert_canonical(text: str) -> None:
    """Formatting keeps the tree and the comments, and done twice it does nothing more."""
    file = good(text)
    formatted = format_file(file)
    again = good(formatted)
    assert again == file
    assert [c.text for c in again.comments] == [c.text for c in file.comments]
    assert format_file(again) == formatted
    assert "\n\n\n" not in formatted and not formatted.startswith("\n") and not formatted.endswith("\n\n")
