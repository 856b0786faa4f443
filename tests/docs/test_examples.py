"""Every example of the documentation compiles as its fence says.

A fence ``dcg`` is a complete game that checks and is made ready to train, ``dcg checked-only`` one that checks and uses what this
version has no computation for, ``dcg fragment`` statements that parse, ``python`` a script that compiles.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcgc.core import elaborate
from dcgc.semantics import check
from dcgc.source import Ledger, Source
from dcgc.syntax import parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(dcg[^\n]*|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNLOWERED = {"L001", "L002", "L003"}


def blocks(kind: str) -> list[object]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match[1].strip() == kind:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(match[2], id=f"{page.name}:{line}"))
    return found


def errors(ledger: Ledger) -> list[str]:
    return [f"{d.code}: {d.message}" for d in ledger.errors]


@pytest.mark.parametrize("text", blocks("dcg"))
def test_a_game_checks_and_is_ready_to_train(text: str) -> None:
    ledger = Ledger()
    checked = check(Source("example.dcg", text), ledger)
    assert checked is not None and errors(ledger) == []
    assert elaborate(checked, ledger) is not None, errors(ledger)


@pytest.mark.parametrize("text", blocks("dcg checked-only"))
def test_a_game_checks_but_has_no_computation_yet(text: str) -> None:
    ledger = Ledger()
    checked = check(Source("example.dcg", text), ledger)
    assert checked is not None and errors(ledger) == []
    assert elaborate(checked, ledger) is None
    assert {d.code for d in ledger.errors} <= UNLOWERED


@pytest.mark.parametrize("text", blocks("dcg fragment"))
def test_a_fragment_parses(text: str) -> None:
    ledger = Ledger()
    parse(Source("example.dcg", text), ledger)
    assert errors(ledger) == []


@pytest.mark.parametrize("text", blocks("python"))
def test_a_script_compiles(text: str) -> None:
    compile(text, "example.py", "exec")


def test_no_fence_is_of_an_unknown_kind() -> None:
    kinds = {m[1].strip() for page in PAGES for m in FENCE.finditer(page.read_text(encoding="utf-8"))}
    assert kinds <= {"dcg", "dcg checked-only", "dcg fragment", "python"}
    assert len(blocks("dcg")) >= 7 and len(blocks("dcg fragment")) >= 6


def test_every_word_of_the_language_is_on_its_page() -> None:
    """The page is complete: every type, distribution, function, family, noise and statement stands on it."""
    from dcgc.semantics.distributions import DISTRIBUTIONS
    from dcgc.semantics.functions import FUNCTIONS
    from dcgc.semantics.vocabulary import NOISES, POLICY_FAMILIES, TYPES, reserved

    text = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    statements = ("game cite use param def player team random let decide channel send attend solve cost payoff constrain commit state "
                  "next stage halt delay for when measure known record bound tap policy gradient train plot").split()
    words = {*TYPES, *DISTRIBUTIONS, *FUNCTIONS, *POLICY_FAMILIES, *NOISES, *statements, *reserved()}
    missing = sorted(w for w in words if not re.search(rf"(?<!\w){re.escape(w)}(?!\w)", text))
    assert missing == []
