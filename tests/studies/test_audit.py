"""dcgc audit: known codes, what they say, do and are worth."""

from __future__ import annotations

import json
import math
import xml.dom.minidom

import pytest

from dcgc import door
from dcgc.cli import main
from dcgc.core.expression import Reference
from dcgc.studies.audit import audit
from dcgc.studies.mistake import StudyProblem
from dcgc.studies.oracle import oracle, told
from dcgc.studies.study import channels_named


def of(result, **more):
    return audit(result.game.problem, result.trained.profile, **{"samples": 4096, **more})


@pytest.fixture(scope="module")
def talk(hand):
    """Cheap talk with bias 0.1: two words, the threshold at 0.3."""
    (found,) = of(hand.cheap_talk())
    return found


def test_what_the_words_mean(talk):
    words = {w.word: w for w in talk.audit.words}
    assert sorted(words) == [0, 1] and talk.audit.count == 4 and talk.names == ("1", "2", "3", "4")
    assert words[0].frequency == pytest.approx(0.3, abs=0.01)
    assert words[0].moments["theta"].mean == pytest.approx(0.15, abs=0.01)
    assert words[1].moments["theta"].mean == pytest.approx(0.65, abs=0.01)
    (sentence,) = words[0].sentences
    condition, threshold = sentence.split(":")[0].rsplit(" ", 1)
    assert condition == "theta <=" and float(threshold) == pytest.approx(0.3, abs=0.01)
    assert talk.audit.tree_accuracy > 0.98


def test_how_much_they_say(talk):
    entropy = -0.3 * math.log2(0.3) - 0.7 * math.log2(0.7)
    assert talk.audit.entropy.value == pytest.approx(entropy, abs=0.01)
    assert talk.audit.information["theta"].value == pytest.approx(entropy, abs=0.05)


def test_what_they_are_worth(talk):
    receiver, sender = talk.controls["Receiver"], talk.controls["Sender"]
    assert receiver.spoken.value == pytest.approx(37 / 1200, abs=1e-3)
    assert sender.spoken.value == pytest.approx(37 / 1200 + 0.01, abs=1e-3)
    assert receiver.meaning.value > 20 * receiver.meaning.standard_error > 0  # shuffled words are worse than the words
    assert receiver.silent.value == pytest.approx(min((0.65 - 0.5) ** 2, 0.35**2) + 1 / 12, abs=2e-3)
    assert talk.audit.controls is receiver and math.isnan(receiver.oracle)


def test_what_they_do(talk):
    # four words, two of them heard as each of two actions: one bit
    assert talk.influences["a"].in_situation.value == pytest.approx(1.0) and talk.influences["a"].words == 4


def test_reals_are_described_by_a_code_and_heard_as_they_are(hand):
    (found,) = of(hand.gauss())
    assert found.reading.startswith("a real, read as 64 codes") and len(found.audit.words) == 64
    assert found.audit.information["x"].value > 3
    controls = found.controls["Encoder" if "Encoder" in found.controls else "Decoder"]
    assert controls.spoken.value == pytest.approx(4e-4, rel=0.1) and controls.silent.value == pytest.approx(1.0, abs=0.02)
    assert controls.shuffled.value == pytest.approx(2.0, abs=0.1)


def test_tokens_have_their_names_and_positions(hand):
    (found,) = of(hand.tokens())
    assert found.names == ("1 1", "1 2", "2 1", "2 2") and found.reading == "2 tokens of 2"
    assert [w.frequency for w in found.audit.words] == pytest.approx([0.337, 0.163, 0.163, 0.337], abs=0.02)
    assert -1 <= found.audit.topographic_similarity <= 1


def test_twins_are_audited_once_and_know_their_own(hand):
    (found,) = of(hand.cournot())
    assert found.channel == "s[1]" and set(found.variables) == {"c[1]", "c[2]"}
    assert found.reading == "a real, read as 4 codes (2 bits)"  # its hard budget
    assert found.audit.information["c[1]"].value > 1.9 > 0.1 > found.audit.information["c[2]"].value
    assert set(found.controls) == {"Firm[2]", "Firm[1]"} and list(found.influences) == ["q[2]"]
    with pytest.raises(StudyProblem, match="no channel 'm'"):
        of(hand.cournot(), channel="m")


def test_an_oracle_knows_what_the_sender_knows(hand):
    problem = hand.cheap_talk().game.problem
    game = told(problem, channels_named(problem, "m")).game
    assert [d.name for d in game.decisions] == ["a"] and game.channels == ()
    assert [o.expression for o in game.decisions[0].observations] == [Reference("theta")]
    problem = hand.cournot().game.problem
    game = told(problem, channels_named(problem, "s")).game
    assert [[o.expression for o in d.observations] for d in game.decisions] == [
        [Reference("c[1]"), Reference("c[2]")], [Reference("c[2]"), Reference("c[1]")]]
    assert [r.name for r in game.randoms] == ["c[1]", "c[2]"]


def test_an_oracle_is_trained(hand):
    result = hand.cheap_talk()
    costs = oracle(result.game.problem, "m", result.settings)
    assert costs["Receiver"] == pytest.approx(0, abs=1e-6) and costs["Sender"] == pytest.approx(0.01, abs=1e-6)


def test_the_command(hand, tmp_path, capsys):
    folder, page = tmp_path / "run", tmp_path / "audit.md"
    hand.cheap_talk().save(folder)
    assert main(["audit", str(folder), "--samples", "2048", "--markdown", str(page)]) == 0
    out = capsys.readouterr().out
    assert "What the words of m mean" in out and "theta <= 0." in out and "What they are worth" in out
    assert "| word | said | theta |" in page.read_text()
    assert xml.dom.minidom.parse(str(folder / "figures" / "words-m.svg")).documentElement.tagName == "svg"
    assert main(["audit", str(folder), "--samples", "2048", "--json"]) == 0
    (channel,) = json.loads(capsys.readouterr().out)["channels"]
    assert channel["channel"] == "m" and [w["name"] for w in channel["words"]] == ["1", "2"]
    assert channel["players"]["Receiver"]["oracle"] is None and channel["influences"]["a"]["words"] == 4
    assert main(["audit", str(folder), "--channel", "n"]) == 2
    assert "there is no channel 'n'" in capsys.readouterr().err


def test_a_game_without_channels(hand):
    game = door.load("game G\nplayer A\ndecide u : Real by A knowing nothing\ncost A = (u - 1)^2\n")
    with pytest.raises(StudyProblem, match="no channel"):
        audit(game.problem, {})
