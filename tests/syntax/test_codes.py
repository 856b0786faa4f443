"""Every code's example is wrong in exactly its way, and every code that the parser gives has a page."""

import re
from pathlib import Path

import pytest

import dcgc.syntax
from dcgc.source import Ledger, Source
from dcgc.syntax import parse
from dcgc.syntax.codes import SYNTAX_CODES


@pytest.mark.parametrize("code", [code for code in SYNTAX_CODES.values() if code.example], ids=lambda c: c.code)
def test_example_triggers_exactly_its_code(code):
    ledger = Ledger()
    parse(Source("example.dcg", code.example), ledger)
    assert [entry.code for entry in ledger] == [code.code]


def test_every_code_in_the_sources_has_a_page():
    folder = Path(dcgc.syntax.__file__).parent
    used = {match for path in folder.glob("*.py") if path.name != "codes.py"
            for match in re.findall(r'"(S\d{3})"', path.read_text())}
    assert used == set(SYNTAX_CODES)


@pytest.mark.parametrize("text", ["#" * 1_000_001, "a " * 200_001, "\n" * 3 + "lte x = 1\n" * 200])
def test_too_much_to_read(text):
    ledger = Ledger()
    parse(Source("large.dcg", text), ledger)
    assert ledger.entries[-1].code == "S011"
    assert len(ledger.entries) <= 101
