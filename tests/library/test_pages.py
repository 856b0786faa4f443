"""What lies in stdlib/ and games/ is on its page, is used, and says where it comes from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from dcgc.core import elaborate
from dcgc.semantics import check
from dcgc.source import Ledger, Source
from dcgc.syntax import format_file, parse, tree

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples" / "library").glob("*.dcg"))


@pytest.fixture(scope="module")
def pages(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("docs/catalogue.py")


def test_every_definition_is_used_by_a_game_or_an_example(pages: ModuleType) -> None:
    users = pages.users()
    assert len(users) > 40 and [key for key, texts in users.items() if not texts] == []


def test_a_use_that_is_not_mentioned_is_no_use(pages: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "g.dcg").write_text("game G\nuse std.demand as d\nlet p = d.linear(1, 2, 3)\nlet q = logit(2)\n")
    assert pages.used(pages.read(tmp_path / "g.dcg"), pages.folder("stdlib")) == {("demand", "linear")}


def test_every_definition_says_what_it_is_and_most_where_it_comes_from(pages: ModuleType) -> None:
    comments = {(m.name, pages.name_of(d)): m.comment_above(d.span.line) for m in pages.folder("stdlib") for d in pages.definitions(m)}
    assert [key for key, comment in comments.items() if len(comment) < 20] == []
    anonymous = [key for key, comment in comments.items() if not re.search(r"[A-Z]\w+.* \d{4}", comment)]
    assert set(anonymous) <= {  # variants of the definition above them, and what follows from arithmetic
        ("demand", "linear_positive"), ("demand", "isoelastic_cost"), ("dynamics", "ar1_around"), ("mechanisms", "wins"),
        ("mechanisms", "double_auction_buyer"), ("mechanisms", "double_auction_seller"),
    }


def test_every_definition_and_every_game_is_on_its_page() -> None:
    library, games = (ROOT / "docs" / "stdlib.md").read_text("utf-8"), (ROOT / "docs" / "games.md").read_text("utf-8")
    for path in sorted((ROOT / "games").glob("*.dcg")):
        assert games.count(f"| [{path.stem}](../games/{path.name}): ") == 1
    for path in sorted((ROOT / "stdlib").glob("*.dcg")):
        assert f"## std.{path.stem}\n" in library


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_laid_out_and_all_its_variants_can_be_lowered(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = parse(Source(path.name, text), Ledger())
    assert format_file(file) == text
    settings: list[dict[str, object]] = [{}]
    for s in file.statements:
        if isinstance(s, tree.Param) and s.integer and s.interval is not None:
            settings += [{s.name: k} for k in range(int(s.interval.low.value), int(s.interval.high.value) + 1)]  # type: ignore[attr-defined]
    for given in settings:
        ledger = Ledger()
        game = check(Source(path.name, text), ledger, given)
        assert game is not None and not ledger.entries, [d.message for d in ledger]
        assert elaborate(game, ledger) is not None, (given, [d.message for d in ledger])


def test_the_39_games_are_all_in_the_table_with_texts_that_publish_figures() -> None:
    data = tomllib.loads((ROOT / "benchmarks" / "reference_games.toml").read_text(encoding="utf-8"))["game"]
    headings = [e["heading"] for e in data]
    assert len(set(headings)) == len(headings) == 39
    for entry in data:
        assert entry["margin"] in (0.01, 0.05) and entry["runs"]
        for run in entry["runs"]:
            path = ROOT / "games" / f"{run['game']}.dcg"
            ledger = Ledger()
            game = check(Source(path.name, path.read_text(encoding="utf-8")), ledger, run.get("set", {}), path.parent)
            assert game is not None, (run, [d.message for d in ledger])
            assert any(isinstance(s, tree.Known) for s in everywhere(game.statements)), run


def everywhere(statements: tuple[tree.Statement, ...]) -> list[tree.Statement]:
    return [s for top in statements for s in (top, *(everywhere(top.body) if isinstance(top, (tree.For, tree.When, tree.Stage)) else ()))]
