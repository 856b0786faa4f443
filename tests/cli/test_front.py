"""check, fmt, explain, list: what they say, their exit statuses, and what they never do."""

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dcgc.cli import main
from dcgc.semantics.codes import CODES

ROOT = Path(__file__).parents[2]
KYLE = str(ROOT / "games" / "kyle.dcg")
GOOD = "game G\nplayer A\nparam k = 1 in (0, 10)\ndecide u : Real by A knowing nothing\ncost A = (u - k)^2\n"
BAD = "game G\nplayer A\ndecide u : Real by A knowing y\ncost A = (u - z)^2\n"
UGLY = "game   G;player A # who\ndecide u:Real by A knowing nothing\n\n\n\ncost A=(u-1)^2"


@pytest.fixture
def game(tmp_path):
    """Writes a text and gives its path."""

    def write(text, name="g.dcg"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def standard_input(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# ---------------------------------------------------------------- check


def test_check_of_a_good_file(game, capsys):
    assert main(["check", game(GOOD)]) == 0
    assert "no problems" in capsys.readouterr().out


def test_check_of_several_files_reports_all_and_counts_once(game, capsys):
    first, second, third = game(BAD, "a.dcg"), game(GOOD, "b.dcg"), game("game H\n", "c.dcg")
    assert main(["check", first, second, third]) == 1
    out = capsys.readouterr().out
    assert f"{first}:3:30" in out and f"{first}:4:15" in out and f"{third}:1" in out
    assert out.count(" errors") == 1 and f"{second}: no problems" in out


def test_check_as_json(game, capsys):
    path = game(BAD)
    assert main(["check", "--json", path]) == 1
    entries = json.loads(capsys.readouterr().out)
    assert [(e["line"], e["column"], e["severity"]) for e in entries] == [(3, 30, "error"), (4, 15, "error")]
    assert all(e["file"] == path and e["code"] in CODES and e["message"] for e in entries)
    assert main(["check", "--json", game(GOOD)]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_check_reads_standard_input(monkeypatch, capsys):
    standard_input(monkeypatch, BAD.encode())
    assert main(["check"]) == 1
    assert "<stdin>:3:30" in capsys.readouterr().out
    standard_input(monkeypatch, GOOD.encode())
    assert main(["check", "-"]) == 0


def test_check_with_other_params(game, capsys):
    path = game(GOOD)
    assert main(["check", path, "--set", "k=2.5"]) == 0
    assert main(["check", "--set", "k=50%", path]) == 0
    assert main(["check", path, "--set", "k=11"]) == 1
    assert "k" in capsys.readouterr().out
    assert main(["check", path, "--set", "kk=1"]) == 1
    assert main(["check", path, "--set", "k=[1, 2]"]) == 1


@pytest.mark.parametrize("value", ["k", "=3", "k=", "k=two", 'k="2"', "k=[1, [true]]", "k={}", "k=" + "[" * 5000])
def test_values_that_are_none(game, capsys, value):
    assert main(["check", game(GOOD), "--set", value]) == 2
    err = capsys.readouterr().err
    assert err.startswith("dcgc: --set") and err.count("\n") == 1


def test_what_is_no_text_is_a_line_and_the_rest_is_still_checked(game, tmp_path, capsys):
    path = game(BAD)
    assert main(["check", str(tmp_path / "gg.dcg"), str(tmp_path), path]) == 2
    streams = capsys.readouterr()
    assert "gg.dcg: no such file; did you mean" in streams.err and "is a folder" in streams.err
    assert streams.err.count("\n") == 2 and f"{path}:3:30" in streams.out


@pytest.mark.parametrize("data", [b"game G\xff\xfe\n", "game G \"\u00e9".encode()[:-1], b"\x00\x01\x02\xc0", GOOD.encode("utf-16")])
def test_bytes_that_are_no_text_are_a_diagnostic(game, capsys, data):
    for command in ("check", "fmt"):
        assert main([command, game(data)]) == 1
        streams = capsys.readouterr()
        assert "[S008]" in streams.out + streams.err and "UTF-8" in streams.out + streams.err


def test_a_byte_order_mark_is_no_mistake(game):
    assert main(["check", game(b"\xef\xbb\xbf" + GOOD.encode())]) == 0


def test_a_huge_file_is_refused_quickly(game, capsys):
    assert main(["check", game("game G\nlet x = \u00e9" + "\u00e9" * 3_000_000)]) == 1
    assert "S011" in capsys.readouterr().out


def test_control_characters_never_reach_the_terminal(game, capsys):
    name = "\x1b[31m.dcg"
    main(["check", game("game G\nlet \x1b[2Jx = 3\n", name), "\x1b[2Jnone.dcg"])
    streams = capsys.readouterr()
    assert "\x1b" not in streams.out + streams.err


# ---------------------------------------------------------------- fmt


def test_fmt_rewrites_and_then_changes_nothing(game, capsys):
    path = game(UGLY)
    assert main(["fmt", "--check", path]) == 1
    assert Path(path).read_text() == UGLY
    assert main(["fmt", path]) == 0
    text = Path(path).read_text()
    assert text != UGLY and "# who" in text
    stamp = os.stat(path).st_mtime_ns
    assert main(["fmt", path]) == 0 and main(["fmt", "--check", path]) == 0
    assert os.stat(path).st_mtime_ns == stamp


def test_fmt_leaves_a_file_with_mistakes_alone(game, capsys):
    bad, ugly = game("game G\nlet x = = 3\n", "bad.dcg"), game(UGLY, "ugly.dcg")
    assert main(["fmt", bad, ugly]) == 1
    assert Path(bad).read_text() == "game G\nlet x = = 3\n"
    assert Path(ugly).read_text() != UGLY  # one file's mistake does not keep the others waiting
    assert "bad.dcg:2:9" in capsys.readouterr().err


def test_fmt_keeps_permissions_and_links(game, tmp_path):
    path = game(UGLY)
    os.chmod(path, 0o640)
    link = tmp_path / "link.dcg"
    link.symlink_to(path)
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink() and Path(path).read_text() != UGLY
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["g.dcg", "link.dcg"]


def test_fmt_that_cannot_write_leaves_everything(game, tmp_path, monkeypatch, capsys):
    path = game(UGLY)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert main(["fmt", path]) == 2
    assert Path(path).read_text() == UGLY and os.listdir(tmp_path) == ["g.dcg"]
    assert "No space left" in capsys.readouterr().err


def test_fmt_between_streams(monkeypatch, capsys, game):
    standard_input(monkeypatch, UGLY.encode())
    assert main(["fmt"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("game G\nplayer A")
    standard_input(monkeypatch, b"game G\nlet x = = 3\n")
    assert main(["fmt", "-"]) == 1
    assert capsys.readouterr().out == ""  # an editor's filter must not lose its text
    path = game(UGLY)
    assert main(["fmt", "--stdout", path]) == 0
    assert capsys.readouterr().out == out and Path(path).read_text() == UGLY


# ---------------------------------------------------------------- the rest


def test_explain(capsys):
    assert main(["explain", "s001"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("S001: ") and "decde" in out
    assert main(["explain"]) == 0
    listed = capsys.readouterr().out
    assert all(code in listed for code in CODES) and "L001" in listed
    assert main(["explain", "S099"]) == 2
    assert "S009" in capsys.readouterr().err


def test_list_names_games_that_check_takes(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "kyle" in out and "Continuous auctions" in out
    for path in sorted((ROOT / "games").glob("*.dcg")):
        assert path.stem in out
    assert main(["check", "kyle"]) == 0


@pytest.mark.parametrize("call", [
    [], ["chek"], ["check", "--jsn"], ["fmt", "--check=3"], ["train"], ["train", KYLE, "--steps", "many"],
    ["train", KYLE, "--steps", "0"], ["train", KYLE, "--precision", "float16"], ["train", KYLE, "--seeds", "0"],
    ["train", KYLE, "--set", "sigma_v"], ["train", "nowhere.dcg"], ["train", KYLE, KYLE], ["eval", "nowhere"],
    ["eval", str(ROOT)], ["show"], ["train", KYLE, "--engine", "steam"], ["train", KYLE, "--tolerance", "nan"],
])
def test_wrong_calls(call, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(call) == 2
    streams = capsys.readouterr()
    assert "Traceback" not in streams.err and (streams.err or call == [])
    assert os.listdir(tmp_path) == []  # a wrong call leaves nothing behind


def test_help_names_every_command_and_setting(capsys):
    from dcgc.learning.settings import Settings

    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"dcgc {name}" in out for name in ("check", "fmt", "explain", "show", "train", "eval", "list", "version"))
    assert main(["train", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')}" in out for name in Settings.known())


@pytest.mark.parametrize("call", [["--help"], ["check", KYLE], ["fmt", "--check", KYLE], ["explain", "S001"], ["list"]], ids=str)
def test_the_front_end_loads_nothing_heavy(call):
    program = ("import sys\nfrom dcgc.cli import main\nmain(sys.argv[1:])\n"
               "heavy = {'jax', 'numpy', 'sympy', 'equinox', 'optax', 'matplotlib', 'rich', 'scipy', 'safetensors', 'lark'}\n"
               "print(sorted(heavy & set(sys.modules)), file=sys.stderr)")
    main(["check", KYLE])  # the grammar's tables are in the cache, as after any first call
    done = subprocess.run([sys.executable, "-c", program, *call], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_importing_dcgc_is_light():
    program = "import sys, dcgc; print(sorted({'jax', 'numpy', 'dcgc.door'} & set(sys.modules)), dcgc.load.__module__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[] dcgc.door"


def test_python_m_dcgc():
    done = subprocess.run([sys.executable, "-m", "dcgc", "check", KYLE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "no problems" in done.stdout


def test_a_reader_that_has_enough_is_no_error():
    done = subprocess.run(f"{sys.executable} -m dcgc explain | head -1", shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 1 and done.stderr == ""
