"""``use`` with arguments: channels of a file between the players of a game, with its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcgc.core import elaborate, show_game
from dcgc.semantics import CheckedGame, check
from dcgc.source import Ledger, Source
from dcgc.syntax import format_file, parse, tree

GOOD = Path(__file__).resolve().parents[1] / "good"
HEAD = "game G\nplayer A, B\nteam Both = A, B\nrandom x ~ Normal(0, 1)\n"
TAIL = "decide g : Real by B knowing {0}\ncost Both = (g - x)^2\n"


def read(text: str, folder: Path | None = None, **settings: object) -> tuple[CheckedGame | None, list[str]]:
    ledger = Ledger()
    game = check(Source("g.dcg", text), ledger, settings, folder)
    return game, [d.code for d in ledger.sorted()]


def filled(path: str = "filled.dcg", **settings: object) -> CheckedGame:
    ledger = Ledger()
    game = check(Source(path, (GOOD / path).read_text(encoding="utf-8")), ledger, settings)
    assert game is not None and not ledger.entries
    return game


def test_channels_run_between_the_players_of_the_game() -> None:
    channels = {s.target.name: s for s in filled().statements if isinstance(s, tree.Channel)}
    assert set(channels) == {"awgn", "wide.awgn", "back.erasure"}
    assert isinstance(channels["awgn"].sender, tree.Name) and channels["awgn"].sender.name == "Encoder"
    assert channels["back.erasure"].receivers[0].span.text == "Last[1]"


def test_numbers_of_the_game_take_the_place_of_params() -> None:
    game = filled()
    assert game.constants["awgn.power"] == 3 and game.constants["wide.sd"] == 2 and game.constants["wide.power"] == 1
    assert "power" not in game.params and "flip" not in game.params
    assert filled(P=2.0).constants["awgn.power"] == 6
    assert filled(**{"awgn.power": 5.0}).constants["awgn.power"] == 5


def test_what_is_filled_in_keeps_its_range() -> None:
    text = HEAD + "use std.channels.bsc(Sender = A, Receiver = B, flip = 0.7)\nsend bsc by A knowing x\n" + TAIL.format("bsc")
    assert read(text)[1] == ["P401"]


def test_a_channel_under_an_alias_is_sent_and_measured() -> None:
    text = (HEAD.replace("A, B", "Sender, Receiver") + "use std.channels.bsc as line\nsend line.bsc by Sender knowing x\n"
            + TAIL.format("line.bsc").replace("by B", "by Receiver") + "measure told = E[g]\nknown rate(line.bsc) = 1\n")
    game, codes = read(text)
    assert game is not None and codes == []
    ledger = Ledger()
    graph = elaborate(game, ledger)
    assert graph is not None and "decide sent(line.bsc)" in show_game(graph)


def test_channels_that_nobody_sends_on_are_left_out_with_their_params() -> None:
    game, codes = read(HEAD + "use std.channels\ndecide g : Real by A knowing x\ndecide h : Real by B knowing nothing\n"
                       "cost Both = (g + h - coin_entropy(0.5) * x)^2\n")
    assert game is not None and codes == [] and game.params == {} and "coin_entropy" in game.definitions
    assert not any(isinstance(s, tree.Channel) for s in game.statements)


def test_two_channels_of_one_kind_may_stand_beside_each_other(tmp_path: Path) -> None:
    (tmp_path / "lines.dcg").write_text("param n : int = 2\nchannel line : S -> R { carries Tokens(1, n) }\n")
    text = (HEAD + 'use "lines.dcg"(S = A, R = B) as up\nuse "lines.dcg"(S = B, R = A, n = 3) as down\nsend up.line by A knowing x\n'
            "decide g : Real by B knowing up.line\nsend down.line by B knowing g\ndecide h : Real by A knowing down.line\n"
            "cost Both = (g - x)^2 + (h - x)^2\n")
    game, codes = read(text, tmp_path)
    assert game is not None and codes == [] and game.constants["down.n"] == 3 and game.constants["up.n"] == 2


def test_arguments_survive_formatting() -> None:
    line = "use std.channels.awgn(Sender = A, Receiver = B, power = 2 * P) as up"
    file = parse(Source("g.dcg", f"game G\n{line}\n"), Ledger())
    assert line in format_file(file).splitlines()


@pytest.mark.parametrize(("arguments", "code"), [
    ("Sender = 3", "N107"), ("Sender = A + 1", "N107"), ("Sender = nobody", "N101"), ("Sender = [A]", "N107"), ("Sender = others", "N107"),
    ("Sender = A, power = x", "K321"), ("Sender = A, power = inf", "P406"), ("Sender = A, power = 2", None)])
def test_a_broken_filling_is_reported_and_nothing_is_raised(arguments: str, code: str | None) -> None:
    text = HEAD + f"use std.channels.awgn({arguments}, Receiver = B)\nsend awgn by A knowing x\n" + TAIL.format("awgn")
    found = read(text)[1]
    assert found == [] if code is None else code in found


def test_a_family_of_channels_takes_the_family_of_the_game(tmp_path: Path) -> None:
    (tmp_path / "gossip.dcg").write_text("param b = 2\nchannel gossip[i in Firm] : Firm[i] -> others { carries Real; budget b bits }\n")
    text = ('game G\nuse "gossip.dcg"(Firm = Seller, b = 3) as talk\nplayer Seller[3] symmetric\n'
            "for i in Seller {\n  random c[i] ~ Uniform(1, 3)\n  send talk.gossip[i] by Seller[i] knowing c[i]\n}\n"
            "for i in Seller {\n  decide q[i] : Real by Seller[i] knowing c[i], talk.gossip[others]\n"
            "  cost Seller[i] = (q[i] - sum(c))^2\n}\n"
            "known rate(talk.gossip[1]) = 3\n")
    game, codes = read(text, tmp_path)
    assert game is not None and codes == [] and game.constants["talk.b"] == 3
    ledger = Ledger()
    graph = elaborate(game, ledger)
    assert graph is not None and "decide sent(talk.gossip)[i.1 in Seller]" in show_game(graph)
    assert sorted(d.name for d in graph.decisions) == ["q", "sent(talk.gossip)"]
