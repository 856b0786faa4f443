"""``--commit P`` and ``--team NAME=A,B``: variants of a game without a new text, from check to a run that remembers them."""

from __future__ import annotations

import json

import pytest

import dcgc
from dcgc.cli import main
from dcgc.runs.folder import RunProblem

TEXT = """game Two
player X, Y
decide x : Real by X knowing nothing
decide y : Real by Y knowing nothing
cost X = (x - 1)^2 + 0.8 * x * y
cost Y = (y - 1)^2 + 0.8 * x * y
known cost(X) = 0.489795918
"""


@pytest.fixture
def game(tmp_path):
    path = tmp_path / "two.dcg"
    path.write_text(TEXT)
    return path


def test_a_run_remembers_who_committed(game, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", str(game), "--commit", "X", "--out", str(run), "--json", "--quiet"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["figures"]["cost(X)"]["value"] == pytest.approx(0.470588235, abs=1e-8)
    assert data["comparisons"] == [] and any("--commit X" in note for note in data["notes"])  # what is published is of another game
    config = json.loads((run / "config.json").read_text())
    assert config["commit"] == ["X"] and config["team"] == {}
    opened = dcgc.open_run(run)
    assert [p.label for p in opened.game.problem.leaders] == ["X"]
    assert main(["eval", str(run), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["figures"]["cost(X)"] == data["figures"]["cost(X)"]
    assert again["regrets"][0]["player"] == "X" and "announcements" in again["regrets"][0]["method"]
    assert main(["train", str(game), "--commit", "X", "--out", str(run), "--resume", "--quiet", "--json"]) == 0
    capsys.readouterr()
    with pytest.raises(RunProblem, match="--commit X"):
        dcgc.train(dcgc.load(game), folder=run, resume=True)


def test_a_team_made_on_the_command_line(game, tmp_path, capsys):
    """Basar and Olsder: x = y = 1 / 1.8, and the sum 0.888889; everybody's own cost is still said."""
    run = tmp_path / "run"
    assert main(["train", str(game), "--team", "All=X,Y", "--out", str(run), "--json", "--quiet"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["cost(All)"]["value"] == pytest.approx(8 / 9, abs=1e-8)
    assert figures["cost(X)"]["value"] == pytest.approx(4 / 9, abs=1e-8)
    opened = dcgc.open_run(run)
    assert opened.game.problem.is_team and opened.merit == pytest.approx(8 / 9, abs=1e-8)
    assert "cost(All)" in opened.shown
    assert float(opened.policies["x"]()) == pytest.approx(1 / 1.8, abs=1e-8)


def test_members_of_a_family_pool_what_each_is_charged():
    """Two of three firms merge: the merged pair sells together what the third does."""
    text = ("game G\nplayer Firm[3]\nfor i in Firm { decide q[i] : Positive by Firm[i] knowing nothing }\nlet p = 1 - sum(q)\n"
            "for i in Firm { payoff Firm[i] = p * q[i] }\n")
    g = dcgc.load(text, team={"Merged": "Firm[1], Firm[2]"})
    problem = g.problem
    first, second, third = problem.people
    assert {p.name for p in problem.pays(first)} == {p.name for p in problem.pays(second)}
    assert len(problem.pays(first)) == 2 and len(problem.pays(third)) == 1
    assert "payoff(Merged)" in g.accounts
    result = dcgc.train(g, engine="affine")
    assert float(result.value("payoff(Merged)")) == pytest.approx(1 / 9, abs=1e-8)
    assert float(result.value("payoff(Firm[3])")) == pytest.approx(1 / 9, abs=1e-8)


def test_strangers_are_reported_with_their_code(game, capsys):
    assert main(["train", str(game), "--commit", "Xx", "--quiet"]) == 1
    assert "N101" in (text := capsys.readouterr().err) and "--commit Xx:1:8" in text and "did you mean `X`" in text
    assert main(["check", str(game), "--team", "All=X,Z"]) == 1
    assert "N101" in capsys.readouterr().out
    assert main(["check", str(game), "--commit", "X", "--commit", "X"]) == 1
    assert "M517" in capsys.readouterr().out
    assert main(["check", str(game), "--commit", "X;cost X = 1"]) == 1
    assert "P407" in capsys.readouterr().out
    assert main(["check", str(game), "--team", "X,Y"]) == 2
    assert main(["check", str(game), "--team", "T=X,Y", "--team", "T=X,Y"]) == 2
    assert main(["check", str(game), "--commit", "X", "--team", "All=X,Y"]) == 0


def test_show_says_who_commits_and_what_would_train(game, capsys):
    assert main(["show", str(game), "--commit", "Y"]) == 0
    text = capsys.readouterr().out
    assert "commit Y" in text and "through the followers' response" in text
