"""The whole street on Kyle (1985): load, train, figures, policies, run folder, command line."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import dcgc
from dcgc.cli import main
from dcgc.runs.configuration import BadSetting, resolve
from dcgc.runs.folder import RunProblem
from dcgc.texts import NoText

ROOT = Path(__file__).parents[2]
KYLE = ROOT / "games" / "kyle.dcg"
TINY = "game Tiny\nplayer A\nparam k = 3\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - k * x)^2\n"


@pytest.fixture(scope="module")
def kyle(tmp_path_factory):
    """Kyle, trained from the command line: its run folder, and what was printed (as JSON)."""
    folder = tmp_path_factory.mktemp("kyle") / "run"
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["train", str(KYLE), "--out", str(folder), "--json", "--quiet"]) == 0
    return folder, json.loads(out.getvalue())


@pytest.fixture(scope="module")
def result(kyle):
    return dcgc.open_run(kyle[0])


def test_kyle_is_solved(kyle):
    _, data = kyle
    assert data["figures"]["lambda"]["value"] == pytest.approx(0.5, rel=1e-2)
    assert data["figures"]["payoff(Insider)"]["value"] == pytest.approx(0.5, rel=1e-2)
    assert {c["verdict"] for c in data["comparisons"]} == {"met"}
    assert not data["interrupted"] and data["alarms"] == []


def test_the_run_folder_holds_everything(kyle):
    folder, data = kyle
    assert (folder / "game.dcg").read_bytes() == KYLE.read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["seed"] == 0 and config["settings"]["precision"] == "float64" and config["set"] == {}
    versions = json.loads((folder / "versions.json").read_text())
    assert versions["dcgc"] and versions["jax"] and versions["python"] and versions["device"]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert lines and all({"engine", "text", "step", "total", "cost"} == set(line) for line in lines)
    stored = json.loads((folder / "result.json").read_text())
    assert stored["figures"] == data["figures"] and stored["engine"] == data["engine"]
    assert (folder / "checkpoint.safetensors").exists() and (folder / "policies.safetensors").exists()


def test_figures_of_a_result(result):
    profit = result.value("payoff(Insider)")
    assert float(profit) == pytest.approx(0.5, rel=1e-2) and profit.error < 1e-3 and profit.method
    assert float(result.value("cost( Insider )")) == -float(profit)
    assert result.value("lambda").label == "lambda"
    with pytest.raises(KeyError, match="payoff\\(Insider\\)"):
        result.value("payoff(Insidr)")
    with pytest.raises(KeyError, match="there are"):
        result.value("zzz")


def test_policies_of_a_result(result):
    v = np.linspace(-2, 2, 6).reshape(2, 3)
    x = result.policies["Insider"](v)
    assert x.shape == (2, 3)
    np.testing.assert_allclose(x, v, atol=0.05)  # beta = sigma_u / sigma_v
    np.testing.assert_allclose(result.policies["x"](v), x)
    np.testing.assert_allclose(result.policies["Maker"](v), v / 2, atol=0.05)
    assert np.shape(result.policies["p"](0.3)) == ()
    assert {"Insider", "Maker", "x", "p"} == set(result.policies)
    with pytest.raises(KeyError, match="Insider"):
        result.policies["Insidr"]
    with pytest.raises(TypeError):
        result.policies["p"]()


def test_a_result_is_saved_and_opened_alike(result, tmp_path):
    folder = result.save(tmp_path / "copy")
    again = dcgc.open_run(folder)
    assert repr(again.scorecard) == repr(result.scorecard)  # nan is not equal to itself
    assert repr(again.trained.history) == repr(result.trained.history)
    assert again.policies["x"](0.7).tobytes() == result.policies["x"](0.7).tobytes()
    assert (tmp_path / "copy" / "result.json").read_bytes() == (Path(result.folder) / "result.json").read_bytes()
    with pytest.raises(RunProblem, match="is there already"):
        result.save(tmp_path / "copy")


def test_eval_scores_again_and_changes_nothing(kyle, capsys):
    folder, data = kyle
    stamps = {p: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert main(["eval", str(folder), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["figures"] == data["figures"]  # the same figures to the last bit
    assert {p: p.stat().st_mtime_ns for p in folder.iterdir()} == stamps


def test_the_report_of_a_finished_run(kyle, capsys):
    folder, _ = kyle
    assert main(["train", str(KYLE), "--out", str(folder), "--resume"]) == 0
    out = capsys.readouterr().out
    assert "Kyle 1985" in out and "met" in out and str(folder) in out and "What a deviation could gain" in out
    assert "payoff(Insider)" in out and "cost(Insider)" not in out  # in the game's own words
    assert "\x1b" not in out


@pytest.mark.parametrize(("name", "change", "said"), [
    ("result.json", lambda b: b[:100], "cannot be read"),
    ("result.json", lambda b: b"{}", "not what this version writes"),
    ("policies.safetensors", lambda b: b[:-3], "policies.safetensors"),
    ("policies.safetensors", lambda b: b"\x80\x04cos\nsystem\n(S'true'\ntR.", "policies.safetensors"),
    ("config.json", lambda b: b"[]", "no JSON object"),
    ("game.dcg", lambda b: None, "missing"),
    ("result.json", lambda b: None, "not ended"),
])
def test_damaged_runs_are_said_to_be(kyle, tmp_path, capsys, name, change, said):
    folder, _ = kyle
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    new = change((copy / name).read_bytes())
    (copy / name).unlink()
    if new is not None:
        (copy / name).write_bytes(new)
    assert main(["eval", str(copy)]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


# ---------------------------------------------------------------- loading


def test_load_takes_paths_names_and_texts(tmp_path, monkeypatch):
    assert dcgc.load(KYLE).name == dcgc.load(str(KYLE)).name == dcgc.load("kyle").name == "Kyle"
    game = dcgc.load(TINY, set={"k": np.float64(2.0)})
    assert game.checked.params["k"].value == 2.0 and game.accounts == ("cost(A)",)
    with pytest.raises(NoText, match="no such file"):
        dcgc.load("nowhere.dcg")


def test_load_gathers_all_diagnostics():
    with pytest.raises(dcgc.GameError) as caught:
        dcgc.load("game G\nplayer A\ndecide u : Real by A knowing y\ncost A = (u - z)^2\n")
    assert [d.span.line for d in caught.value.diagnostics] == [3, 4]
    with pytest.raises(dcgc.GameError, match="P403"):
        dcgc.load(TINY, set={"kk": 1})


VECTOR = """
game Vector
player P, Q
decide f : Function(Real -> Real[2], affine) by P knowing nothing
decide u : Real by Q knowing nothing
cost P = sum(f(1))^2
cost Q = (u - 1)^2
"""


def test_a_game_that_cannot_be_trained_says_why(capsys, tmp_path):
    with pytest.raises(dcgc.GameError, match="L002"):
        dcgc.train(dcgc.load(VECTOR))
    path = tmp_path / "vector.dcg"
    path.write_text(VECTOR)
    assert main(["train", str(path)]) == 1
    assert "[L002]" in capsys.readouterr().err
    assert main(["show", str(path)]) == 1


def test_show(capsys):
    assert main(["show", str(KYLE)]) == 0
    out = capsys.readouterr().out
    assert "decide p : real by Maker knowing flow" in out and "E[v | flow]" in out and "trained by" in out
    assert main(["show", str(KYLE), "--json", "--set", "sigma_v=2"]) == 0
    assert json.loads(capsys.readouterr().out)["game"] == "Kyle"


# ---------------------------------------------------------------- training from Python, settings


def test_training_in_memory_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []
    result = dcgc.train(TINY, set_seed := 3, engine="affine", report=seen.append)
    assert os.listdir(tmp_path) == [] and result.folder is None and result.settings.seed == set_seed
    assert float(result.value("cost(A)")) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(result.policies["A"]([1.0, -2.0]), [3.0, -6.0], atol=1e-6)
    assert seen and seen[0].engine == "affine"
    assert "cost(A)" in repr(result)


def test_runs_are_numbered_and_never_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.dcg").write_text(TINY + "train { seed 7; engine affine; seeds 2 }\n")
    assert main(["train", "tiny.dcg", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert sorted(os.listdir("runs")) == ["tiny-7-1", "tiny-8-1"] and "The best, seed 7" in out
    before = (tmp_path / "runs/tiny-7-1/result.json").read_bytes()
    assert main(["train", "tiny.dcg", "--seeds", "1", "--quiet", "--set", "k=4"]) == 0
    assert sorted(os.listdir("runs")) == ["tiny-7-1", "tiny-7-2", "tiny-8-1"]
    assert (tmp_path / "runs/tiny-7-1/result.json").read_bytes() == before
    assert json.loads((tmp_path / "runs/tiny-7-2/config.json").read_text())["set"] == {"k": 4.0}


def test_files_that_a_game_uses_are_kept_with_its_run(tmp_path):
    (tmp_path / "game.dcg").write_text("def twice(x) = 2 * x\n")
    (tmp_path / "main.dcg").write_text('game G\nuse "game.dcg"\nplayer A\nrandom x ~ Normal(0, 1)\n'
                                       "decide u : Real by A knowing x\ncost A = (u - twice(x))^2\n")
    result = dcgc.train(tmp_path / "main.dcg", engine="affine", folder=tmp_path / "run")
    (tmp_path / "game.dcg").unlink()
    again = dcgc.open_run(tmp_path / "run")
    assert again.game.name == "G" and float(again.value("cost(A)")) == float(result.value("cost(A)"))


def test_flags_go_before_the_block_and_the_block_before_defaults():
    settings, unread = resolve([("steps", 50.0), ("seed", 4.0), ("patience", 3.0), ("seeds", 2.0)], {"seed": 9, "width": 32})
    assert (settings.steps, settings.seed, settings.width, settings.layers) == (50, 9, 32, None)
    assert unread == ("patience",)


@pytest.mark.parametrize(("given", "said"), [
    ({"stps": 3}, "did you mean 'steps'"), ({"steps": 2.5}, "whole number"), ({"seed": -1}, "at least 0"), ({"seed": True}, "whole"),
    ({"tolerance": float("nan")}, "at least"), ({"precision": "half"}, "one of"), ({"engine": 3}, "a word"),
    ({"best_response": 1}, "true or false"), ({"seed": 2**40}, "at most"),
])
def test_settings_that_make_no_sense(given, said):
    with pytest.raises(BadSetting, match=said):
        resolve([], given)


def test_unknown_engine():
    with pytest.raises(BadSetting, match="affine"):
        dcgc.train(TINY, engine="steam")
