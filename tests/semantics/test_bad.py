"""Bad programs and what the compiler says about them, word for word.

``DCGC_REGENERATE=1 pytest tests/semantics/test_bad.py`` rewrites the transcripts;
read the difference before you keep it.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest
from corpus import BAD, codes, read

from dcgc.semantics import Variant
from dcgc.semantics.codes import CODES
from dcgc.source.render import render

REGENERATE = os.environ.get("DCGC_REGENERATE") == "1"
NOT_IN_A_FILE = {"U707", "S011"}  # a text without a folder cannot lie in one; a text of megabytes should not


def settings_of(path: Path) -> dict[str, object]:
    """``# --set NAME=value`` on the first line."""
    found = re.match(r"# --set (\w+)=(.*)", path.read_text(encoding="utf-8"))
    return {found.group(1): ast.literal_eval(found.group(2))} if found else {}


def variant_of(path: Path) -> Variant:
    """``# --commit P`` or ``# --team NAME=A,B`` on the first line."""
    found = re.match(r"# --(commit|team) (.*)", path.read_text(encoding="utf-8"))
    if not found:
        return Variant()
    name, _, members = found.group(2).partition("=")
    return Variant((found.group(2),)) if found.group(1) == "commit" else Variant((), ((name, members),))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    _, ledger = read(path, settings_of(path), variant_of(path))
    transcript = render(ledger.sorted())
    golden = path.with_suffix(".txt")
    if REGENERATE:
        golden.write_text(transcript, encoding="utf-8")
    assert ledger.entries
    assert transcript == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", [path for path in BAD if re.match(r"[A-Z]\d{3}_", path.name)], ids=lambda path: path.stem
)
def test_a_file_named_after_a_code_has_only_this_mistake(path: Path) -> None:
    _, ledger = read(path, settings_of(path), variant_of(path))
    assert set(codes(ledger)) == {path.name[:4]}


def test_every_code_has_a_bad_program() -> None:
    assert len(BAD) >= 90
    assert {path.name[:4] for path in BAD} >= set(CODES) - NOT_IN_A_FILE


THREE = {
    "three_mistakes": ["T215", "N101", "N101"],
    "three_in_a_channel": ["C611", "C609", "C603"],
    "no_cascade": ["N106"],
    "no_cascade_players": ["N101"],
    "syntax_and_names": ["S004", "N101"],
    "own_message": ["K306"],
    "wrong_neighbour": ["K304"],
    "through_a_let": ["K304"],
    "dead_branch": ["N101"],
    "simultaneous": ["K303"],
    "choice_against_category": ["T213"],
}


@pytest.mark.parametrize("name", THREE)
def test_each_mistake_makes_one_report(name: str) -> None:
    path = next(path for path in BAD if path.stem == name)
    assert codes(read(path)[1]) == THREE[name]
