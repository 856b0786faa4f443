"""What is made is up to date, links lead somewhere, examples run."""

from __future__ import annotations

import re
import xml.dom.minidom
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from dcgc.core.codes import CODES as CORE_CODES
from dcgc.finite.codes import CODES as FINITE_CODES
from dcgc.information.codes import CODES as INFORMATION_CODES
from dcgc.semantics.codes import CODES as FRONT_CODES

ROOT = Path(__file__).resolve().parents[2]
Script = Callable[[str], ModuleType]


def test_pages_and_pictures_are_up_to_date(script: Script) -> None:
    for name, make in script("docs/generate.py").MADE.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make(), f"docs/{name} is old: run python docs/generate.py"


def test_every_code_has_its_entry(script: Script) -> None:
    page = script("docs/generate.py").diagnostics()
    for code, entry in {**FRONT_CODES, **CORE_CODES, **INFORMATION_CODES, **FINITE_CODES}.items():
        assert page.count(f"### {code}: {entry.title}\n") == 1


def test_the_picture_is_a_picture(script: Script) -> None:
    svg = xml.dom.minidom.parseString(script("docs/generate.py").street())
    root = svg.documentElement
    width, height = float(root.getAttribute("width")), float(root.getAttribute("height"))
    names = {t.firstChild.data for t in svg.getElementsByTagName("text") if t.getAttribute("class") == "name"}
    assert {"syntax", "semantics", "core", "lower", "learning", "verify"} <= names
    for box in svg.getElementsByTagName("rect"):
        x, y = float(box.getAttribute("x") or 0), float(box.getAttribute("y") or 0)
        assert x + float(box.getAttribute("width")) <= width and y + float(box.getAttribute("height")) <= height
    rooms = names - {"text"}
    assert all((ROOT / "dcgc" / room).is_dir() for room in rooms)


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^(`{3,}).*?^\1$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, anchor = target.partition("#")
        if "://" in file:
            continue
        assert not file or (page.parent / file).exists(), target
        if anchor and not file:
            headings = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
            assert anchor in headings, target


def test_every_room_is_on_the_plan() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "dcgc").glob("*/__init__.py")}
    assert [room for room in sorted(rooms) if f"| `{room}` |" not in text] == []


def test_files_that_the_plan_names_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        assert (ROOT / "dcgc" / path).exists() or (ROOT / path).exists(), path
    for file in re.findall(r"^\| `(\w+\.py)` \|", text, re.MULTILINE):
        assert (ROOT / "dcgc" / "learning" / file).exists(), file


def test_every_engine_is_explained() -> None:
    from dcgc.learning import ENGINES

    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text and f"### {name}\n" in text for name in ENGINES)


def test_the_example_of_diagnostics(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(script("examples/check_texts.py").main()) == {"K302", "N101", "N105"}
    assert "broken" not in capsys.readouterr().err


def test_the_example_of_kyle(script: Script) -> None:
    ((noise, impact, profit),) = script("examples/kyle.py").main((2.0,))
    assert impact == pytest.approx(1 / (2 * noise), rel=1e-6) and profit == pytest.approx(noise / 2, rel=1e-6)


@pytest.mark.study
def test_the_example_of_witsenhausen(script: Script) -> None:
    ((_, affine, free),) = script("examples/witsenhausen.py").main((0.2,), report=False)
    assert affine == pytest.approx(0.9616, abs=1e-3) and free < 0.1675
