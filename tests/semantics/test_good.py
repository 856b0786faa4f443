"""Games that are right, and what the checker finds out about them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from corpus import GAMES, GOOD, ROOT, check_text, codes, read

from dcgc.semantics import IndexDomain, ValueType, as_array, check
from dcgc.semantics.modules import modules
from dcgc.source import Ledger, Source
from dcgc.syntax import parse, tree


@pytest.mark.parametrize("path", [*GAMES, *GOOD], ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    game, ledger = read(path)
    assert game is not None, codes(ledger)
    assert not [diagnostic.code for diagnostic in ledger if diagnostic.code != "M511"]
    for symbol in game.symbols.values():
        if symbol.kind in ("random", "let", "decision", "channel", "attention", "state", "solution"):
            assert symbol.type is not None and symbol.type.kind != "unknown", symbol.name


def test_every_statement_is_exercised() -> None:
    seen: set[type] = set()
    for path in GOOD:
        waiting = list(parse(Source(path.name, path.read_text(encoding="utf-8")), Ledger()).statements)
        while waiting:
            statement = waiting.pop()
            seen.add(type(statement))
            waiting.extend(
                getattr(statement, "body", ()) if isinstance(getattr(statement, "body", None), tuple) else ()
            )
    missing = [
        kind.__name__
        for kind in vars(tree).values()
        if isinstance(kind, type)
        and issubclass(kind, tree.Statement)
        and kind is not tree.Statement
        and kind not in seen
    ]
    assert len(GOOD) >= 25 and missing == []


def game_of(name: str, settings: dict[str, object] | None = None):  # type: ignore[no-untyped-def]
    game, ledger = read(next(path for path in [*GOOD, *GAMES] if path.stem == name), settings)
    assert game is not None, codes(ledger)
    return game


def test_types_shapes_and_domains() -> None:
    vectors = game_of("vectors").symbols
    assert vectors["x"].type == ValueType("real", (2,))
    assert vectors["d"].type == ValueType("real", (3,), simplex=True)
    assert vectors["c"].type == ValueType("category", (), 4)
    assert vectors["g"].type == ValueType("real", (4,))
    assert vectors["y"].type == ValueType("real", (2,))
    regression = vectors["z"].type
    assert regression is not None and (regression.kind, regression.shape, regression.size) == ("function", (), 3)
    assert vectors["picked"].type == ValueType("real", ())
    ranges = game_of("ranges").symbols
    assert ranges["y"].domains == (IndexDomain(None, 3), IndexDomain(None, 3)) and ranges["y"].type == ValueType("real")
    states = game_of("states_of_families").symbols
    assert states["invest"].domains == (IndexDomain("Firm", 3),) and states["k"].domains == states["invest"].domains
    channel = game_of("gossip").symbols["g"]
    assert channel.kind == "channel" and channel.domains == (IndexDomain("Firm", 4),)
    prisoners = game_of("prisoners").symbols["a"].type
    assert prisoners is not None and prisoners.labels == ("cooperate", "defect") and prisoners.shape == (2,)


def test_params_are_floats_or_nested_tuples_and_know_what_they_fix() -> None:
    params = game_of("lewis").params
    assert params["prior"].value == (0.5, 0.3, 0.2) and as_array(params["prior"].value).shape == (3,)
    assert params["K"].value == 2.0 and params["K"].integer and params["K"].fixed and not params["prior"].fixed
    assert game_of("radner_team").params["shared"].fixed and not game_of("radner_team").params["r1"].fixed


def test_a_static_condition_chooses_the_information_structure() -> None:
    for value in (0, 1):
        game = game_of("radner_team", {"shared": value})
        assert game.symbols["u1"].kind == "decision" and game.settings == ("shared",)
        assert sum(isinstance(statement, tree.When) for statement in game.statements) == 2


SET = (
    "game G\nparam k = 2 in [0, 5]\nparam n : int = 3\nparam v = [1, 2]\nplayer A\nrandom x[n] ~ Normal(k, 1)\n"
    "decide u : Real by A knowing x\ncost A = (u - sum(v))^2\n"
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"k": 5}, []),
        ({"k": 5.1}, ["P401"]),
        ({"n": 2.5}, ["P402"]),
        ({"n": 0}, ["T208"]),
        ({"q": 1}, ["P403"]),
        ({"v": [3, 4]}, []),
        ({"v": 3}, ["P404"]),
        ({"v": [1, [2]]}, ["P404"]),
        ({"v": "x"}, ["P404"]),
        ({"k": [1]}, ["P404"]),
        ({"k": float("nan")}, ["P406"]),
        ({"v": [1, 2, 3]}, ["P404"]),
        ({"v": []}, ["P404"]),
        ({"k": None}, ["P404"]),
        ({"n": 10**400}, ["P404"]),
        ({"k": 9, "n": -1}, ["P401", "T208"]),
    ],
)
def test_settings(settings: dict[str, object], expected: list[str]) -> None:
    game, ledger = check_text(SET, settings)
    assert codes(ledger) == expected and (game is not None) == (not expected)


def test_used_definitions_come_under_the_names_of_the_game() -> None:
    game = game_of("modules")
    assert {"first_price", "pref.cara", "one.linear"} <= set(game.definitions)
    beside = game_of("beside")
    assert set(beside.definitions) == {"common.loss", "common.s.half"} and set(beside.params) == {"common.weight"}
    assert [source.name.rsplit("/", 1)[-1] for source in beside.sources] == ["beside.dcg", "common.dcg", "scale.dcg"]


def test_every_module_is_sound() -> None:
    assert len(modules()) >= 3
    for module in modules():
        game, ledger = check_text(
            f"game G\nuse {module} as m\nplayer A\ndecide u : Real by A knowing nothing\ncost A = u^2\n"
        )
        assert game is not None and not ledger.entries and game.definitions, codes(ledger)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.dcg").write_text("def f(a) = a\n")
    (inner / "link.dcg").symlink_to(tmp_path / "secret.dcg")
    (inner / "large.dcg").write_text("# " + "x" * 300_000)
    (inner / "latin.dcg").write_bytes(b"# \xff\n")
    for name, code in (
        ("link.dcg", "U702"),
        ("large.dcg", "U703"),
        ("latin.dcg", "U703"),
        ("", "U702"),
        ("~/x.dcg", "U702"),
    ):
        ledger = Ledger()
        assert check(Source("g.dcg", f'game G\nuse "{name}"\n'), ledger, None, inner) is None
        assert code in codes(ledger)


def test_fast_enough() -> None:
    path = next(path for path in GAMES if path.stem == "witsenhausen")
    read(path)
    best = min(_seconds(path) for _ in range(5))
    assert best < 0.02


def _seconds(path: Path) -> float:
    start = time.perf_counter()
    read(path)
    return time.perf_counter() - start


def test_the_room_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\nfrom dcgc.semantics import check\nfrom dcgc.source import Ledger, Source\n"
        "import dcgc.source.render, dcgc.semantics.codes\n"
        f"text = Path({str(ROOT / 'games' / 'kyle.dcg')!r}).read_text()\n"
        "assert check(Source('kyle', text), Ledger()) is not None\n"
        "print([m for m in ('numpy', 'jax', 'sympy', 'rich', 'scipy', 'equinox') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
