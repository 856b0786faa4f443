"""The ten games of the language page are read and laid out without loss."""

import re
from pathlib import Path

import pytest
from syntax_reading import GAMES, TEN, assert_canonical, good

from dcgc.syntax import format_file, tree


@pytest.mark.parametrize("name", TEN)
def test_game_is_read(name):
    file = good(GAMES[name])
    assert isinstance(file.statements[0], tree.GameHeader)
    assert file.comments[0].span.start == 0


@pytest.mark.parametrize("name", GAMES)
def test_game_survives_formatting(name):
    assert_canonical(GAMES[name])


def test_witsenhausen_in_full():
    statements = good(GAMES["witsenhausen"]).statements
    kinds = [type(s).__name__ for s in statements]
    assert kinds == ("GameHeader Cite Cite Param Param Player Team Random Random Decide Let Let Decide Payment Known Known "
                     "Plot").split()
    decide = statements[9]
    assert isinstance(decide, tree.Decide)
    assert decide.target.name == "u1" and decide.type.name == "Real" and decide.knowing[0].name == "x0"
    assert not decide.mixed
    assert decide.span.line == 14 and decide.span.text == "decide u1 : Real by C1 knowing x0"
    bound = statements[15]
    assert isinstance(bound, tree.Known)
    assert (bound.kind, bound.relation, bound.reference) == ("bound", ">=", "Grover, Wagner and Sahai")


def test_channel_of_a_family():
    channel = next(s for s in good(GAMES["cournot_sharing"]).statements if isinstance(s, tree.Channel))
    binder, = channel.target.indices
    assert isinstance(binder, tree.Binder) and binder.name == "i"
    assert [r.name for r in channel.receivers] == ["others"]
    assert channel.body.carries.name == "Real" and channel.body.budget.unit == "bits"
    assert channel.body.noise is None and channel.body.price is None


def test_wrapped_lines_are_not_longer_than_the_width():
    for text in GAMES.values():
        lines = [line for line in format_file(good(text)).splitlines() if "#" not in line]
        assert max(map(len, lines)) <= 110


def test_games_are_those_of_the_language_page():
    page = Path(__file__).parents[2] / "docs" / "language.md"
    if not page.exists():
        pytest.skip("docs/language.md is not there yet")
    for game in re.findall(r"```\n(game .*?)```", page.read_text(encoding="utf-8"), re.S):
        assert any(text.endswith(game) for text in GAMES.values()), game.splitlines()[0]
