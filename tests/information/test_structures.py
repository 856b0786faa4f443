"""Textbook structures have the class that their source gives them, and warnings fit their examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from dcgc.core import elaborate
from dcgc.information.codes import CODES
from dcgc.information.lints import lints
from dcgc.semantics import check
from dcgc.source import Diagnostic, Ledger, Source

ROOT = Path(__file__).resolve().parents[2]
STRUCTURES = sorted((ROOT / "examples" / "structures").glob("*.dcg"))


def warnings_of(text: str) -> tuple[Diagnostic, ...]:
    ledger = Ledger()
    checked = check(Source("game.dcg", text), ledger, {}, ROOT / "games")
    ledger.raise_errors()
    assert checked is not None
    core = elaborate(checked, ledger)
    assert core is not None
    return lints(core)


@pytest.mark.parametrize("path", STRUCTURES, ids=lambda p: p.stem)
def test_class(path: Path, script: Callable[[str], ModuleType]) -> None:
    classes = script("docs/classes.py")
    found, citation = classes.read(path)
    assert citation and classes.class_of(found) == classes.tag(path)


def test_there_are_twenty_five() -> None:
    assert len(STRUCTURES) >= 25


@pytest.mark.parametrize("code", sorted(CODES))
def test_examples_have_exactly_their_warning(code: str) -> None:
    found = warnings_of(CODES[code].example)
    assert {d.code for d in found} == {code}
    assert all(d.severity == "warning" and d.span.text and d.hint for d in found)


def test_games_have_few_warnings() -> None:
    """What the catalogue's games are warned of is known: a mask without information, mixing and forgetting."""
    found = {path.stem: {d.code for d in warnings_of(path.read_text(encoding="utf-8"))} for path in sorted((ROOT / "games").glob("*.dcg"))}
    assert {name: codes for name, codes in found.items() if codes} == {"reputation": {"I805"}}
