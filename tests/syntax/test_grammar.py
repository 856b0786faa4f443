"""The tables: no conflicts, cached per user, rebuilt when the cache is bad, and quick without lark."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcgc.syntax import grammar
from dcgc.syntax.build_statements import BUILDERS
from dcgc.syntax.tokens import RESERVED

TEXT = Path(grammar.grammar_path()).read_text(encoding="utf-8")


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar.load_tables.cache_clear()
    yield Path(grammar.cache_path(TEXT))
    grammar.load_tables.cache_clear()


def test_the_grammar_has_no_conflicts(caplog):
    from lark import logger

    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        grammar.build_tables(TEXT)
    finally:
        logger.setLevel(level)
        logger.removeHandler(caplog.handler)
    assert not [r for r in caplog.records if "conflict" in r.getMessage().lower()]


def test_every_rule_has_a_builder_and_every_builder_a_rule():
    tables = grammar.load_tables()
    used = {rule.builder for rule in tables.rules if not rule.collects and not rule.transparent}
    assert used == set(BUILDERS)
    assert RESERVED <= tables.keywords


def test_tables_are_written_once_and_read_back(fresh, monkeypatch):
    first = grammar.load_tables()
    assert fresh.is_file() and os.listdir(fresh.parent) == [fresh.name]
    grammar.load_tables.cache_clear()
    monkeypatch.setattr(grammar, "build_tables", lambda _: pytest.fail("built again"))
    assert grammar.load_tables().states == first.states


@pytest.mark.parametrize("damage", [b"", b"\x80\x04nonsense", b"0\n{}", b"17\n[1, 2", "truncate"])
def test_a_broken_cache_is_rebuilt(fresh, damage):
    expected = len(grammar.load_tables().states)
    fresh.write_bytes(fresh.read_bytes()[:1000] if damage == "truncate" else damage)
    grammar.load_tables.cache_clear()
    assert len(grammar.load_tables().states) == expected
    grammar.load_tables.cache_clear()
    assert fresh.stat().st_size > 50_000  # mended on disk too


def test_an_unwritable_cache_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    grammar.load_tables.cache_clear()
    assert grammar.load_tables().states
    grammar.load_tables.cache_clear()


def test_a_cached_start_loads_neither_lark_nor_jax():
    grammar.load_tables()
    code = ("import sys; from dcgc.source import Ledger, Source; from dcgc.syntax import parse; "
            "parse(Source('g', 'game G'), Ledger()); "
            "print([m for m in ('lark', 'jax', 'numpy', 'sympy', 'pickle') if m in sys.modules])")
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                            cwd=Path(__file__).parents[2])
    assert answer.stdout.strip() == "[]"
