"""Every mistake has a page, and its example has that mistake and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcgc.semantics import Variant, check
from dcgc.semantics.codes import CODES, lookup
from dcgc.semantics.mistakes import MISTAKES
from dcgc.source import Ledger, Source

SETTINGS: dict[str, dict[str, object]] = {"P403": {"zz": 1}, "P404": {"k": [1, 2]}}
VARIANTS = {"P407": Variant(("A; param z = 3",))}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.code)
def test_example_has_exactly_this_mistake(mistake, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / f"{mistake.code}.dcg"
    path.write_text(mistake.example, encoding="utf-8")
    (tmp_path / "picture.png").write_text("no game")
    ledger = Ledger()
    folder = None if mistake.code == "U707" else tmp_path
    game = check(Source(str(path), mistake.example), ledger, SETTINGS.get(mistake.code), folder, VARIANTS.get(mistake.code, Variant()))
    assert {diagnostic.code for diagnostic in ledger} == {mistake.code}
    assert (game is None) == (mistake.severity == "error")
    assert all(diagnostic.severity == mistake.severity for diagnostic in ledger)


def test_codes_are_unique_and_complete() -> None:
    own = [mistake.code for mistake in MISTAKES]
    assert len(own) == len(set(own)) and len(CODES) > len(own)
    for code, entry in CODES.items():
        assert entry.code == code and entry.title and len(entry.page) > 20 and (entry.example.strip() or code == "S011")
    assert lookup("n101") is CODES["N101"] and lookup("Z999") is None
