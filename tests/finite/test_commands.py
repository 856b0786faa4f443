"""`dcgc export` and `dcgc import`: files, refusals with a line, wrong calls."""

from __future__ import annotations

import pytest

from dcgc import door
from dcgc.cli import main
from dcgc.finite.codes import CODES
from dcgc.source import GameError

HEAD = "game Demo\nplayer A, B\n"
TAIL = "decide u : Interval(-2, 2) by B knowing m\ncost B = (u - x)^2\ncost A = (u - x)^2\n"


def test_there_and_back(tmp_path, capsys):
    tree, text = tmp_path / "pennies.efg", tmp_path / "pennies.dcg"
    assert main(["export", "matching_pennies", "-o", str(tree)]) == 0
    assert tree.read_text().startswith('EFG 2 R "Matching pennies" { "Matcher" "Mismatcher" }\n')
    assert "every player has perfect recall" in capsys.readouterr().err
    assert main(["import", str(tree), "-o", str(text)]) == 0
    assert main(["check", str(text)]) == 0
    assert main(["fmt", "--check", str(text)]) == 0
    assert main(["export", "matching_pennies", "--format", "nfg"]) == 0
    assert capsys.readouterr().out.split("\n\n")[0].endswith('NFG 1 R "Matching pennies" { "Matcher" "Mismatcher" }')


def test_wrong_calls(tmp_path, capsys):
    for arguments in (["export", "kyle", "--grid", "0"], ["export", "kyle", "--range", "x=3"], ["export", "kyle", "--range", "x=3,1"],
                      ["export", "kyle", "--range", "y=0,1"], ["import", str(tmp_path / "none.efg")],
                      ["export", "matching_pennies", "-o", str(tmp_path / "no" / "such.efg")]):
        assert main(arguments) == 2, arguments
        assert capsys.readouterr().err.count("\n") == 1
    bad = tmp_path / "bad.efg"
    bad.write_text('EFG 2 R "x" { "A" }\nz\n')
    assert main(["import", str(bad)]) == 1
    assert f"{bad}:2:1" in capsys.readouterr().err


@pytest.mark.parametrize("code", ["F004", "F005"])
def test_examples_are_wrong_in_their_way(code):
    with pytest.raises(GameError) as found:
        door.shadow(door.load(CODES[code].example))
    assert {d.code for d in found.value.diagnostics} == {code}


@pytest.mark.parametrize(("text", "line"), [
    ("random x ~ Normal(0, 1)\nchannel m : A -> B { carries Real; noise awgn(power = 1, sd = 0.5) }\nsend m by A knowing x\n" + TAIL, 4),
    ("random x ~ Normal(0, 1)\nchannel m : A -> B { carries Tokens(1, 4); price 0.1 per bit }\nsend m by A knowing x\n" + TAIL, 5),
    ("random x ~ Student(1)\ndecide m : Bool by A knowing x\n" + TAIL, 3),
    ("random x ~ Normal(0, 1)\ndecide f : Function(Real -> Real, affine) by A knowing x\ndecide u : Unit by B knowing f\n"
     "cost A = (f(u) - x)^2\ncost B = f(u)\n", 4),
    ("random x ~ Normal(0, 1)\ndecide m : Bool by A knowing x\ncommit A\n" + TAIL, 5),
    ("random x ~ Normal(0, 1)\ndecide m : Bool by A knowing x\nconstrain E[m] <= 0.3 by A\n" + TAIL, 5),
    ("state s = 1\nstage t in 1..inf discount 0.9 {\n  decide a : Bool by A knowing s\n  payoff A = s * a\n  next s = 1 - a\n}\n"
     "decide u : Bool by B knowing nothing\ncost B = u\n", 4),
    ("random x ~ Normal(0, 1)\ndecide m : Real by A knowing nothing\npayoff A = m * x\n"
     "decide u : Bool by B knowing x\npayoff B = u\n", 4),
])
def test_what_has_no_tree_is_refused_with_its_line(text, line):
    with pytest.raises(GameError) as found:
        door.shadow(door.load(HEAD + text))
    assert [(d.code, d.span.line) for d in found.value.diagnostics] == [("F004", line)]
    assert all(d.hint for d in found.value.diagnostics)


def test_a_range_is_found_and_can_be_set():
    """A monopolist's best quantity is between 0 and (a - c) / 2."""
    text = "game Mono\nplayer F\nrandom c ~ Uniform(1, 3)\ndecide q : Positive by F knowing c\npayoff F = (10 - c - q) * q\n"
    shadow = door.shadow(door.load(text), 4)
    acts = [float(a) for a in next(s for s in shadow.game.sets if s.player == 0).actions]
    assert acts[0] == 0 and 4.25 < acts[-1] < 6 and len(acts) == 4  # the best act at the least point of c, 1.25, is 4.375
    assert any("--range" in note for note in shadow.notes)
    acts = [float(a) for a in door.shadow(door.load(text), 4, {"q": (1.0, 4.0)}).game.sets[-1].actions]
    assert acts == [1, 2, 3, 4]


def test_too_many_plans_for_a_strategic_form(capsys):
    assert main(["export", "first_price", "--grid", "5", "--format", "nfg"]) == 2
    assert "pure strategies" in capsys.readouterr().err
