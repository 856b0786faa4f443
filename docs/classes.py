"""The page on who knows what: every game and structure with its class, worked out by the compiler from the text."""

from __future__ import annotations

import re
from pathlib import Path

from dcgc.core import elaborate
from dcgc.information.facts import Facts, facts
from dcgc.semantics import check
from dcgc.source import Ledger
from dcgc.texts import folder_of, read_source

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Who knows what: the class of every game

Made by `python docs/generate.py` from the texts in [games/](../games) and [examples/structures/](../examples/structures); `dcgc info GAME`
says the same of one game, with its witnesses, and [information.md](information.md) what the words mean. *Together*: the most decisions that
must be solved together (the largest component of strategic relevance) of all decisions.
"""


def read(path: Path) -> tuple[Facts, str]:
    """The facts of a text, and where it comes from."""
    source, ledger = read_source(str(path)), Ledger()
    checked = check(source, ledger, {}, Path(folder_of(source)))
    assert checked is not None, ledger.sorted()
    core = elaborate(checked, ledger)
    assert core is not None, ledger.sorted()
    return facts(core), core.citations[0] if core.citations else ""


def class_of(found: Facts) -> str:
    """The class of a game's information in a few words: the tag ``# class:`` of a structure."""
    if any(f.kind == "absent-minded" for own in found.forgotten.values() for f in own):
        return "absent-minded"
    kind = found.information.nested
    text = f"static, {kind}" if found.information.static and len(found.seen.diagram.decisions) > 1 else kind
    forgets = any(f.kind == "knew" or not f.implied for own in found.forgotten.values() for f in own)
    return text + (", with imperfect recall" if forgets else "")


def tag(path: Path) -> str:
    """What a text says that its class is."""
    found = re.search(r"^# class: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


def row(path: Path) -> str:
    found, citation = read(path)
    together = max((len(c) for c in found.components), default=0)
    count = len(found.seen.diagram.decisions)
    kind = found.interests.kind + ("" if found.interests.expanded or found.interests.kind != "general-sum" else "*")
    relative = path.relative_to(ROOT)
    return f"| [{path.stem}](../{relative}) | {class_of(found)} | {kind} | {together} of {count} | {citation} |"


def table(folder: str) -> list[str]:
    head = ["| game | information | interests | together | source |", "|---|---|---|---|---|"]
    return head + [row(path) for path in sorted((ROOT / folder).glob("*.dcg"))]


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, "## Structures from textbooks", "", *table("examples/structures"), "", "## The games that come with dcgc", "",
                      *table("games"), "",
                      "\\* costs too long to be expanded: compared term by term, so that a sum of zero may have been missed.", ""])
