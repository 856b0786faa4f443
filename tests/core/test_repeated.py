"""Stages elaborated once: what becomes of states, the past, discounts, delays and halts, and when this form is chosen."""

from __future__ import annotations

import math

import pytest
from small_games import cost, elaborated, natural, problem, rule

from dcgc.core import show_game
from dcgc.core.expression import Constant, Reference, references
from dcgc.core.site import Let, Random, Record, State
from dcgc.lower import prepare
from dcgc.passes import stage_game

HEAD = "game G\nplayer A, B\n"
BODY = "{\n  decide u : Real by A knowing t\n  cost A = u^2\n  cost B = u\n}\n"
SCANNED = "train { stages scanned }\n"


def block_of(text, **settings):
    game, ledger = elaborated(text, **settings)
    assert game is not None, [(d.code, d.message) for d in ledger.errors]
    return game.block


def test_when_stages_are_elaborated_once():
    assert block_of(HEAD + "stage t in 1..3 " + BODY) is None and block_of(HEAD + "stage t in 1..133 " + BODY) is None
    assert block_of(HEAD + "stage t in 1..134 " + BODY).length == 134
    assert block_of(HEAD + SCANNED + "stage t in 1..3 " + BODY).length == 3
    endless = block_of(HEAD + "stage t in 1..inf discount 0.9 " + BODY)
    assert math.isinf(endless.length) and endless.discount == Constant(0.9)
    assert block_of(HEAD + "stage t in 1..3 " + BODY.replace("knowing t", "knowing nothing")).length == 3
    assert block_of(HEAD + "stage t in 1..1 " + BODY.replace("knowing t", "knowing nothing")) is None


def test_the_graph_does_not_grow_with_the_horizon_or_the_family():
    text = """game Oligopoly
param N : int = 2
param T : int = 5
player Firm[N] symmetric
state p = 4
stage t in 1..T discount 0.9 {
  for i in Firm { random c[i] ~ Normal(1, 0.3) }
  for i in Firm { decide q[i] : Real by Firm[i] knowing p, c[i] }
  for i in Firm { payoff Firm[i] = (p - c[i]) * q[i] - q[i]^2 / 2 }
  next p = 0.8 * p + 0.2 * (10 - 2 * mean(q))
}
"""
    sizes = {(n, t): len(elaborated(text, N=n, T=t)[0].sites) for n in (2, 1000) for t in (5, 2000)}
    assert len(set(sizes.values())) == 1
    assert len(prepare(elaborated(text, N=1000, T=2000)[0]).game.sites) == sizes[2, 5]


STOCK = HEAD + """param k = 2
random w0 ~ Normal(0, 1)
state x = k + w0
delay 0.5
stage t in 1..300 discount 0.9 {
  random w ~ Normal(0, 1)
  let gone = last(w, 7)
  decide u : Real by A knowing x, t, gone, last(u, 0)
  cost A = x^2 + u
  delay 0.8
  halt when u > 3
  cost B = u
  when t > 2 { delay 0.3 }
  when u > 1 { next x = x + u }
}
cost B = 10 * x
measure far = E[history(x)[200]]
measure first = E[history(x)[1]]
"""


def test_what_the_stages_carry():
    game, _ = elaborated(STOCK)
    assert game is not None
    states = {s.name: s for s in game.states}
    assert set(states) == {"t", "x", "last(w, 7)", "last(u, 0)"}
    assert states["x"].first == Reference("x@1") and states["x"].survival == "going on 1" and states["t"].survival is None
    assert states["last(w, 7)"].first == Constant(7.0)
    following = {s.name: s for s in game.sites if isinstance(s, Let)}
    assert following["next(last(w, 7))"].value == Reference("w")
    assert {"u", "x"} <= references(following["next(x)"].value)
    records = {s.name: s for s in game.sites if isinstance(s, Record)}
    assert records["x@200"].of == "x" and records["x@200"].stage == 200 and records["x at the end"].stage is None
    assert not any(s.repeated for s in records.values()) and all(s.repeated for s in states.values())
    assert "each stage: state x = x@1, then next(x)" in show_game(game)
    block = game.block
    assert block.survival and block.delay and block.ended


def test_one_stage_as_a_game_of_its_own():
    """The body with its states given, played by hand: w = 2, x = 3, t = 4, u = 5 ends the stage; u = 2 does not."""
    p = problem(STOCK)
    point = {"t": Constant(4.0), "x": Constant(3.0), "last(w, 7)": Constant(2.0), "last(u, 0)": Constant(1.0)}
    given = {s.name: Let(s.name, (), (), s.span, point[s.name]) for s in p.source.states}
    stage = prepare(stage_game(p.source, given))
    assert stage.game.block is None and not any(isinstance(s, State | Record) or s.repeated for s in stage.game.sites)
    world = natural(stage, {"u": rule(lambda x, t, gone, before: 5.0 + 0 * x)}, nodes=5)
    assert cost(stage, world, "A") == pytest.approx(0.5 * (9 + 5)) and cost(stage, world, "B") == pytest.approx(0)
    value = lambda world, name: float(world.expectation(world.value(name)).data)  # noqa: E731
    assert value(world, p.game.block.survival) == 0 and value(world, p.game.block.ended) == pytest.approx(0.8)
    world = natural(stage, {"u": rule(lambda x, t, gone, before: gone * t / 4 + 0 * x)}, nodes=5)
    assert cost(stage, world, "B") == pytest.approx(0.5 * 0.8 * 2) and value(world, "next(x)") == pytest.approx(5)
    assert value(world, p.game.block.survival) == 1 and value(world, p.game.block.delay) == pytest.approx(0.24)
    drawn = stage_game(p.source, given | {"x": Random("x", (), (), p.game.block.span, "Uniform", (Constant(0.0), Constant(1.0)), ())})
    assert cost(prepare(drawn), natural(prepare(drawn), {"u": rule(lambda x, t, gone, before: 0 * x)}), "A") == pytest.approx(
        0.5 / 3, rel=1e-3)  # by 5 cells
    with pytest.raises(ValueError, match="last"):
        stage_game(p.source, {k: v for k, v in given.items() if not k.startswith("last")})


def test_what_stages_without_end_leave_behind():
    def codes(text):
        game, ledger = elaborated(text)
        assert (game is None) == bool(ledger.errors)
        return [(d.code, d.span.text) for d in ledger.errors]

    text = HEAD + "state x = 1\nstage t in 1..inf discount 0.9 {\n  decide u : Real by A knowing x\n  cost A = u^2 + x\n  next x = u\n}\n"
    assert codes(text) == []
    assert codes(text + "measure m = E[x]\n") == [("L001", "x")]
    assert codes(text + "measure m = E[history(u)[2]]\n") == [("L001", "history(u)")]


def test_labels_and_bools_of_the_stage_before_stay_finite():
    text = HEAD + SCANNED + """stage t in 1..4 {
  decide a : Choice(left, right) by A knowing last(a, left), last(b, false)
  decide b : Bool by B knowing last(a, right), last(b, true)
  cost A = last(a, left)[right] + b
  cost B = a[left]
}
"""
    game, _ = elaborated(text)
    assert game is not None
    seen = {d.name: [(o.kind, o.size) for o in d.observations] for d in game.decisions}
    assert seen == {"a": [("choice", 2), ("bool", 2)], "b": [("choice", 2), ("bool", 2)]}
    firsts = {s.name: s.first.value for s in game.states}
    assert firsts["last(a, left)"] == (1.0, 0.0) and firsts["last(a, right)"] == (0.0, 1.0) and firsts["last(b, 1)"] == 1

