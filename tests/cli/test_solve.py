"""``dcgc solve``: its lines, its status, a run that other commands take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcgc.cli import main


def test_a_solution_is_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["solve", "radner", "--out", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "theorem: Radner 1962" in told and "strictly convex cost: checked" in told
    assert "costs by the same algebra: Both 0.307432432432" in told
    assert main(["eval", str(folder), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["figures"]["cost(Both)"]["value"] == pytest.approx(0.30743243243, abs=1e-9)
    assert any(line.startswith("theorem: Radner") for line in data["theory"]) and "baseline" not in data


def test_json_has_what_was_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "radner", "--set", "shared=1", "--json", "--out", str(tmp_path / "run")]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["kind"] == "solution" and data["costs"]["Both"] == pytest.approx(0.296875, abs=1e-9)
    assert {"what", "checked"} == set(data["assumptions"][0])


def test_no_theory_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["solve", "first_price", "--out", str(folder)]) == 2
    told = capsys.readouterr().err
    assert "no theory here solves it" in told and "`dcgc train first_price`" in told and not folder.exists()


def test_information_names_recognised_structure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "witsenhausen", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["recognised"]
    assert found["curvature"] == {"u1": "strictly convex", "u2": "strictly convex"}
    assert found["closed_forms"]["u2"] == "u2 = E[x1 | y]" and found["multilinear"] == []
    assert main(["info", "kyle"]) == 0
    told = capsys.readouterr().out
    assert "strictly convex in p" in told and "linear in x, all else held fixed" in told
