"""dcgc as it is installed: a wheel has all that it needs, and a compilation cache can do no harm."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = "game Tiny\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - 3 * x)^2\n"


def test_a_wheel_finds_grammar_games_and_library(tmp_path):
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True,
                   capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    packed = {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*.py")}
    assert packed == {path.relative_to(ROOT) for path in (ROOT / "dcgc").rglob("*.py")}
    (tmp_path / "g.dcg").write_text("use std.demand\n" + TINY)
    program = ("import sys, dcgc\nfrom dcgc.cli import main\nassert dcgc.__file__.startswith(sys.argv[1])\n"
               "from dcgc.syntax.grammar import grammar_path\nassert grammar_path().startswith(sys.argv[1])\n"
               "from dcgc.texts import shipped_games\nassert shipped_games()['kyle'].startswith(sys.argv[1])\n"
               "from dcgc.semantics.modules import modules\nassert 'std.demand' in modules()\n"
               "sys.exit(main(['check', 'kyle']))")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "site")], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cache" / "dcgc").is_dir()  # the grammar's tables


def train_tiny(folder, cache):
    (folder / "tiny.dcg").write_text(TINY)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run([sys.executable, "-m", "dcgc", "train", "tiny.dcg", "--engine", "affine", "--json", "--out",
                           str(folder / "run"), "--quiet"], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=200)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return (folder / "run" / "result.json").read_bytes()


@pytest.mark.timeout(600)
def test_a_broken_compilation_cache_is_harmless(tmp_path):
    first, second = (tmp_path / name for name in ("a", "b"))
    for folder in (first, second):
        folder.mkdir()
    cache = tmp_path / "cache"
    good = train_tiny(first, cache)
    entries = [path for path in (cache / "dcgc" / "xla").rglob("*") if path.is_file()]
    assert entries  # it is used at all
    for path in entries:
        path.write_bytes(b"not a compiled program")
    assert train_tiny(second, cache) == good


@pytest.mark.study
def test_a_file_where_the_cache_should_be_is_harmless(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir(), second.mkdir()
    no_folder = tmp_path / "file"
    no_folder.write_text("a file where the cache should be")
    assert train_tiny(second, no_folder) == train_tiny(first, tmp_path / "cache")
