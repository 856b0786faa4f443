"""dcgc quantise: the text, the codes against Max's tables, the listeners, the bytes, the run."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dcgc import door
from dcgc.cli import main
from dcgc.lower.enumerated import enumerated_reply
from dcgc.protocols import coding
from dcgc.runs import serialise
from dcgc.semantics import check
from dcgc.source import Ledger, Source
from dcgc.studies import retune
from dcgc.studies.mistake import StudyProblem
from dcgc.studies.quantise import METHODS, converted, fitted, medians, quantise
from dcgc.studies.retune import at_stake, cost_of, descended, free_form
from dcgc.studies.study import Stage, channels_named
from dcgc.studies.text import with_words
from dcgc.verify.functions import policy_function

HEAD = "game G\nplayer A, B\nrandom x ~ Normal(0, 1)\n"
TAIL = "send m by A knowing x\ndecide u : Real by B knowing m\ncost B = (u - x)^2\ncost A = (u - x)^2\n"


def study(result, bits, **more):
    return quantise(result.game.checked, result.game.values, result.game.problem, result.trained.profile, "runs/hand", bits, **more)


def rewritten(text, count=4, codes=None):
    ledger = Ledger()
    checked = check(Source("g.dcg", text), ledger)
    assert checked is not None, [d.message for d in ledger]
    new = with_words(checked, "m", count, "m: quantised", codes)
    again = Ledger()
    assert check(Source("g.dcg", new), again) is not None, (new, [d.message for d in again.errors])
    return new


# ---------------------------------------------------------------- the text


@pytest.mark.parametrize("body, expected", [
    ("{ carries Real }", "{ carries Tokens(1, 4) }"),
    ("{ carries Real; noise awgn(power = 1, sd = 0.1) }", "{ carries Tokens(1, 4) }"),
    ("{ noise awgn(power = 1); carries Real[2]; budget 2 bits }", "{ carries Tokens(1, 4) }"),
    ("{ carries Real; noise erasure(0.25); }", "{ carries Tokens(1, 4); }"),
    ("{ carries Message(2, 3); stop soft; budget 3 bits; price 0.1 per bit }", "{ carries Tokens(1, 4); price 0.1 per bit }"),
    ("{\n  carries Real   # one real\n  noise awgn(power = 1)\n  budget 2 bits # hard\n}",
     "{\n  carries Tokens(1, 4)   # one real\n   # hard\n}"),
    ("{\n  noise none\n  carries Real\n}", "{\n  carries Tokens(1, 4)\n}"),
])
def test_only_the_channels_clauses_change(body, expected):
    new = rewritten(f"{HEAD}channel m : A -> B {body}\n{TAIL}")
    assert new == f"{HEAD}# m: quantised\nchannel m : A -> B {expected}\n{TAIL}"


def test_what_computes_with_the_real_looks_it_up():
    text = HEAD + "channel m : A -> B { carries Real; noise awgn(power = inf, sd = 1) }\n" + TAIL.replace(
        "cost A = (u - x)^2", "cost A = (u - x)^2 + 0.1 * sent(m)^2\nmeasure bits = rate(m)\nmeasure loud = E[m^2]")
    new = rewritten(text, 2, (-0.5, 0.75))
    assert "param m_code = [-0.5, 0.75]\nchannel" in new and "0.1 * dot(sent(m)[1], m_code)^2" in new
    assert "E[dot(m[1], m_code)^2]" in new and "rate(m)" in new and "knowing m\n" in new
    with pytest.raises(StudyProblem, match="sent\\(m\\).*computes with the reals"):
        rewritten(text, 2)


def test_a_part_of_a_message_cannot_be_known():
    text = HEAD + "channel m : A -> B { carries Real[2] }\n" + TAIL.replace("knowing m", "knowing m[1]")
    with pytest.raises(StudyProblem, match="knows a part of m"):
        rewritten(text)


# ---------------------------------------------------------------- the codes


@pytest.fixture(scope="module")
def gauss(hand):
    return hand.gauss()


@pytest.fixture(scope="module")
def one_bit(gauss, tmp_path_factory):
    """The run of one bit, and its folder."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    return door.quantise(gauss, 1, folder=folder), folder


def test_one_bit_is_as_good_as_max_says(one_bit):
    found, _ = one_bit
    assert float(found.after.value("cost(Link)")) == pytest.approx(1 - 2 / math.pi, abs=1e-4)  # 0.3634
    (book,) = found.code.books.values()
    assert np.sort(book.codes[:, 0]) == pytest.approx([-math.sqrt(2 / math.pi), math.sqrt(2 / math.pi)], abs=2e-3)
    assert found.code.words == 2 and "exact best replies" in found.code.listeners


def test_two_bits_are_as_good_as_max_says(gauss):
    made = study(gauss, 2, method="scalar")
    assert cost_of(made.problem, made.profile, made.problem.people[:1]) == pytest.approx(0.11748, rel=2e-3)
    assert made.words == 4 and made.coded[0].entropy == pytest.approx(1.911, abs=5e-3)


def test_the_bytes_are_those_of_the_entropy(one_bit):
    found, folder = one_bit
    index = json.loads((folder / "code.json").read_text())
    data = (folder / "code.bin").read_bytes()
    (entry,) = index["channels"]
    assert index["bytes"] == len(data) and entry["messages"] == sum(entry["model"]) == 20_000
    assert 8 * len(data) <= 1.05 * index["messages"] * index["entropy"] + 64
    words = coding.decode(data, coding.FrequencyModel(tuple(entry["model"])), entry["messages"])
    assert np.bincount(words).tolist() == entry["model"]


def test_the_result_is_a_run(one_bit, capsys):
    found, folder = one_bit
    again = door.open_run(folder)
    note = "# m: 2 words (1 bits, vector), quantised by dcgc from Gauss"
    assert f"{note}\nchannel m : Encoder -> Decoder {{ carries Tokens(1, 2) }}   # nearly clean\nsend" in again.game.source.text
    assert float(again.value("cost(Link)")) == float(found.after.value("cost(Link)"))
    assert main(["eval", str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["figures"]["cost(Link)"]["value"] == float(found.after.value("cost(Link)"))


def test_twins_share_a_code_and_read_it(hand):
    result = hand.cournot()
    problem, profile = result.game.problem, result.trained.profile
    channels = channels_named(problem, "s")
    books = fitted(problem, Stage(problem, profile, 4096, 0), channels, 4, "vector")
    assert list(books) == ["sent(s)[1]"] and books["sent(s)[1]"].codes[:, 0] == pytest.approx([-0.75, -0.25, 0.25, 0.75], abs=2e-2)
    new = door.load(result.game.source.text.replace("carries Real; budget share_bits bits", "carries Tokens(1, 4)")).problem
    made = converted(problem, new, profile, channels, books, 4)
    assert sorted(made) == ["q[1]", "s[1]"]
    made = serialise.from_bytes(serialise.to_bytes(made))
    before, after = policy_function(problem, profile, "q[1]"), policy_function(new, made, "q[1]")
    c, codes = np.linspace(1, 3, 5), books["sent(s)[1]"].codes
    for word in range(4):
        assert after(c, np.full(5, word + 1)) == pytest.approx(before(c, np.full((5, 1), codes[word, 0])))
    said = policy_function(new, made, "s[1]")(np.asarray([1.0, 1.4, 2.1, 2.9]))
    assert np.argmax(said, axis=-1).tolist() == [0, 0, 2, 3]


# ---------------------------------------------------------------- words that are merged


def test_words_are_merged_where_that_costs_least(hand):
    result = hand.tokens()
    made = study(result, 1, samples=4096)
    assert made.words == 2 and "carries Tokens(1, 2)" in made.checked.source.text
    assert cost_of(made.problem, made.profile, made.problem.people[:1]) == pytest.approx(1 - 2 / math.pi, abs=1e-3)
    (book,) = made.books.values()
    assert len(set(book.merged)) == 2 and [book.merged[k] for k in book.kept] == [0, 1]


def test_medians_are_the_best_pair():
    places = np.asarray([0.0, 0.1, 5.0, 5.2, 5.1])
    costs = (places[:, None] - places) ** 2
    assert medians(costs, np.ones(5), 2) in ([0, 4], [1, 4])
    assert medians(costs, np.asarray([1.0, 0, 0, 0, 1]), 3) == [0, 4]


# ---------------------------------------------------------------- what cannot be done


def test_refusals_are_one_line(gauss, hand, one_bit, capsys):
    for bits, more, match in ((0.5, {}, "1 bit at least"), (13, {}, "at most 4096"), (2, {"channel": "n"}, "there is no channel 'n'"),
                              (2, {"method": "dithered"}, "there is no method"), (2, {"samples": 3}, "16 samples")):
        with pytest.raises(StudyProblem, match=match):
            study(gauss, bits, **more)
    with pytest.raises(StudyProblem, match="carries 4 words already"):
        study(hand.cheap_talk(), 2)
    _, folder = one_bit
    assert main(["quantise", str(folder), "--bits", "1"]) == 2
    assert "m carries 2 words already" in capsys.readouterr().err
    assert set(METHODS) == {"vector", "scalar"}


# ---------------------------------------------------------------- listeners that choose among many

POINTING = """game Pointing "Point at the pair of numbers that the speaker sees"
player Speaker, Listener
team Pair = Speaker, Listener
random objects[6, 2] ~ Normal(0, 1)
random target ~ Categorical(6)
channel m : Speaker -> Listener { carries Message(1, 2); noise awgn(power = inf, sd = 0.5) }
send m by Speaker knowing objects[target]
decide guess : Choice(6) by Listener knowing m, objects
cost Pair = 1 - guess[target]
"""
CHOOSING = """game Choosing "Say which of four"
player A, B
team T = A, B
random x ~ Categorical(4)
channel m : A -> B { carries Tokens(1, 4) }
send m by A knowing x
decide guess : Choice(4) by B knowing m
cost T = 1 - guess[x]
"""


@pytest.fixture(scope="module")
def pointing(hand):
    game = door.load(POINTING).problem
    listener = enumerated_reply(game, next(d for d in game.game.decisions if d.name == "guess"))
    return hand.result(POINTING, lambda d: {"sent(m)": hand.affine(d["sent(m)"], np.eye(2)), "guess": listener})


@pytest.mark.study
def test_bayes_rule_points_as_well_as_the_words_allow(pointing):
    """With the word and all objects seen, the guess is right once for every word that is there: (1/n) sum over words of 1 - (1 - p)^n."""
    made = study(pointing, 3, samples=8192)
    assert "enumeration" in made.listeners
    p = np.asarray(made.coded[0].frequencies) / made.coded[0].messages
    assert made.words == 8 and made.coded[0].entropy > 2.9
    expected = np.sum(1 - (1 - p) ** 6) / 6
    paid = Stage(made.problem, made.profile, 8192, 9).cost(made.problem.people[0])
    assert 1 - paid.mean() == pytest.approx(expected, abs=0.012)  # 2.5 standard errors
    assert 8 * (len(made.coded[0].data) + made.coded[0].model) <= 1.05 * 8 * made.coded[0].least + 64


def test_the_text_decides_on_the_listeners_family(hand):
    free = door.load(CHOOSING).problem
    asked = door.load(CHOOSING + "policy B : mlp\n").problem
    d = next(d for d in free.game.decisions if d.name == "guess")
    assert free_form(free, d, ("best_response",)) and not free_form(asked, d, ("best_response",))
    assert free_form(door.load(CHOOSING + "policy B : best_response\n").problem, d, ("best_response",))


@pytest.mark.parametrize("rate", [1e-2, 1e3])
def test_a_step_that_is_too_long_is_taken_back(hand, monkeypatch, rate):
    monkeypatch.setattr(retune, "RATE", rate)
    monkeypatch.setattr(retune, "SAMPLES", 256)
    monkeypatch.setattr(retune, "SLOWEST", 1e-12)
    result = hand.tokens()
    problem, profile = result.game.problem, dict(result.trained.profile)
    right = cost_of(problem, profile, problem.people[:1])
    d = next(d for d in problem.game.decisions if d.name == "guess")
    wrong = {**profile, "guess": hand.table(d, [[level + 0.5] for level in (0.45, -1.5, 1.5, -0.45)])}
    start = cost_of(problem, wrong, problem.people[:1])
    found = descended(problem, wrong, ["guess"], problem.people[:1], ["m"], 3)
    after = cost_of(problem, found, problem.people[:1])
    assert start > right + 0.2 and after < start - (0.2 if rate == 1e-2 else 1e-4)
    monkeypatch.setattr(retune, "SLOWEST", 1.0)
    monkeypatch.setattr(retune, "RATE", 1e3)
    assert descended(problem, profile, ["guess"], problem.people[:1], ["m"], 3) is profile  # nothing to gain


def test_choices_are_tuned_by_what_they_win(hand):
    problem = door.load(CHOOSING).problem
    d = {d.name: d for d in problem.game.decisions}
    profile = {"m": hand.table(d["m"], 5 * np.eye(4)), "guess": hand.table(d["guess"], 0.01 * np.eye(4)[::-1])}
    assert at_stake(problem, profile, ["guess"], ["m"], 0) == (0.0, 1.0)
    assert cost_of(problem, profile, problem.people[:1]) == pytest.approx(1.0)
    found = descended(problem, profile, ["guess"], problem.people[:1], ["m"], 0)
    assert cost_of(problem, found, problem.people[:1]) == pytest.approx(0.0)
