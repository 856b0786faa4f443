"""Stages written out: states, discounts, delays, halts and the past, against values worked out by hand or by enumeration."""

from __future__ import annotations

from itertools import product

import jax.numpy as jnp
import pytest
from small_games import chance, cost, elaborated, figures, natural, problem, rule, seen

from dcgc.core import show_game
from dcgc.core.naming import of_stage, staged, written
from dcgc.core.site import Decision, Payment
from dcgc.lower.variable import constant, lift

HEAD = "game G\nplayer A, B\n"


def codes(text, **settings):
    game, ledger = elaborated(text, **settings)
    assert (game is None) == bool(ledger.errors)
    return [(d.code, d.span.text) for d in ledger.errors]


def test_states_move_together_and_end_with_their_last_value():
    """Fibonacci: both `next` use the old values. 1 1 2 3 5 8 13: after five stages x = 8, y = 13 (from x = 1, y = 1)."""
    text = HEAD + """state x = 1
state y = 1
stage t in 1..5 {
  decide u : Real by A knowing t
  next x = y
  next y = x + y + 0 * u
  cost A = 10 ^ t * x + u
}
measure last_x = E[x]
measure last_y = E[y]
measure path = E[history(x)]
measure third = E[history(y)[3]]
"""
    p = problem(text)
    profile = {f"u@{k}": rule(lambda k=k: 0.5 * k) for k in range(1, 6)}
    world = natural(p, profile)
    found = figures(p, world)
    assert found["last_x"] == 8 and found["last_y"] == 13 and found["third"] == 3
    assert found["path"].tolist() == [1, 1, 2, 3, 5]
    assert cost(p, world, "A") == pytest.approx(10 + 100 + 2000 + 30000 + 500000 + 0.5 * 15)


def test_discount_and_delay_scale_what_is_paid_later():
    text = HEAD + """param d = 0.9
cost A = 1000
stage t in 1..3 discount d {
  decide u : Real by A knowing t
  cost A = u
  delay 0.5
  when t == 2 { delay 0.1 }
  payoff B = u
}
cost A = 1
cost B = 1
"""
    p = problem(text)
    world = natural(p, {f"u@{k}": rule(lambda k=k: 10.0**k) for k in (1, 2, 3)})
    # stage 1: 1, then 0.5; stage 2: 0.9 * 0.5, then 0.9 * 0.025; stage 3: 0.81 * 0.025, then 0.81 * 0.0125; afterwards 0.0125
    assert cost(p, world, "A") == pytest.approx(1000 + 10 + 0.45 * 100 + 0.81 * 0.025 * 1000 + 0.0125)
    assert cost(p, world, "B") == pytest.approx(-(0.5 * 10 + 0.9 * 0.025 * 100 + 0.81 * 0.0125 * 1000) + 0.0125)


STOPPING = HEAD + """param T : int = 3
state x = 1
stage t in 1..T discount 0.8 {
  decide a : Bool by A knowing t mixed
  cost A = x + a
  halt when a
  delay 0.9
  decide b : Bool by B knowing t mixed
  cost B = 2 * x + b
  next x = 3 * x + b
  halt when b
}
cost B = 7 * x
measure at_the_end = E[x]
measure square = E[x^2]
measure reached = E[history(x)]
measure answers = E[history(b)]
measure sums = E[sum(history(a)) + sum(history(b))]
"""


def test_a_halt_ends_everything_that_comes_later():
    """Every path of play, by hand."""
    stop_a, stop_b = (0.3, 0.5, 0.2), (0.6, 0.1, 0.7)
    p = problem(STOPPING)
    profile = {f"a@{k + 1}": chance(lambda q=q: q) for k, q in enumerate(stop_a)}
    profile |= {f"b@{k + 1}": chance(lambda q=q: q) for k, q in enumerate(stop_b)}
    world = natural(p, profile)
    cost_a = cost_b = end = square = sums = 0.0
    reached, answers = [0.0] * 3, [0.0] * 3
    for choices in product((0, 1), repeat=6):
        a, b = choices[::2], choices[1::2]
        weight = 1.0
        for k in range(3):
            weight *= (stop_a[k] if a[k] else 1 - stop_a[k]) * (stop_b[k] if b[k] else 1 - stop_b[k])
        x, delay = 1.0, 1.0
        for k in range(3):
            scale = 0.8**k
            reached[k] += weight * x
            cost_a += weight * scale * delay * (x + a[k])
            sums += weight * a[k]
            if a[k]:
                break
            delay *= 0.9
            cost_b += weight * scale * delay * (2 * x + b[k])
            answers[k] += weight * b[k]
            sums += weight * b[k]
            x = 3 * x + b[k]
            if b[k]:
                break
        cost_b += weight * delay * 7 * x
        end += weight * x
        square += weight * x**2
    assert cost(p, world, "A") == pytest.approx(cost_a, rel=1e-12)
    assert cost(p, world, "B") == pytest.approx(cost_b, rel=1e-12)
    found = figures(p, world)
    assert found["at_the_end"] == pytest.approx(end, rel=1e-12) and found["square"] == pytest.approx(square, rel=1e-12)
    assert found["reached"] == pytest.approx(reached, rel=1e-12) and found["answers"] == pytest.approx(answers, rel=1e-12)
    assert found["sums"] == pytest.approx(sums, rel=1e-12)


def test_a_halt_that_is_certain_ends_the_stages():
    game, _ = elaborated(STOPPING.replace("halt when a", "halt when t == 2"))
    assert game is not None
    assert [d.name for d in game.decisions] == ["a@1", "b@1", "a@2"]
    assert len(game.payments) == 4  # two of stage 1, one of stage 2, one afterwards


def test_a_halt_by_chance_weighs_what_is_paid():
    text = HEAD + """state x = 1
stage t in 1..4 {
  decide u : Real by A knowing t
  cost A = u
  halt when 0.25
  cost B = u
  next x = x + u
}
cost B = 1
"""
    p = problem(text)
    world = natural(p, {f"u@{k}": rule(lambda k=k: 10.0**k) for k in range(1, 5)})
    assert cost(p, world, "A") == pytest.approx(10 + 75 + 562.5 + 0.75**3 * 10**4)
    assert cost(p, world, "B") == pytest.approx(7.5 + 56.25 + 0.75**3 * 1000 + 0.75**4 * 10**4 + 1)
    assert codes(text + "measure m = E[x]\n") == [("L001", "x")]
    assert codes(text + "measure m = E[history(x)[2]]\n") == [("L001", "history(x)")]


def test_the_past_of_a_name():
    text = HEAD + """stage t in 1..3 {
  let before = last(w, 5) + 100 * last(last_of, 0)
  random w ~ Categorical(2)
  let last_of = sum(history(w)) + 10 * mean(history(u))
  decide u : Real by A knowing history(w), last(u, 0), t
  cost A = before + last_of
  cost B = u
}
measure path = E[history(before)]
measure ends = E[history(last_of)[3]]
measure joint = Cov[history(w)[1], history(last_of)[3]]
plot history(u)[2] against history(w)[2]
"""
    p = problem(text)
    observed = {d.name: [o.expression for o in d.observations] for d in p.game.decisions}
    assert [[getattr(e, "site", None) for e in observed[f"u@{k}"]] for k in (1, 2, 3)] == [
        ["w@1"], ["w@1", "w@2", "u@1"], ["w@1", "w@2", "w@3", "u@2"]]
    profile = {f"u@{k}": rule(lambda *seen, k=k: float(k) + 0 * seen[0]) for k in (1, 2, 3)}
    found = figures(p, natural(p, profile))
    # u: 1 2 3, E[w] = 1.5; last_of: 1.5, 3 + 10, 4.5 + 15; before: 5, 1.5 + 150, 1.5 + 1300
    assert found["path"] == pytest.approx([5, 151.5, 1301.5]) and found["ends"] == pytest.approx(19.5)
    assert found["joint"] == pytest.approx(0.25)


def test_families_and_labels():
    text = HEAD + """player Firm[2]
for i in Firm { state k[i] = i }
stage t in 1..2 {
  for i in Firm { decide q[i] : Real by Firm[i] knowing last(q[others], 0), k[i], t }
  decide c : Choice(low, high) by A knowing last(c, low), t mixed
  cost A = (last(c, low) == high) + 10 * last(c, low)[low]
  cost B = sum(history(q))
  for i in Firm {
    cost Firm[i] = k[i]
    next k[i] = 2 * k[i] + q[i]
  }
}
measure stocks = E[k]
measure second = E[history(q[2])]
measure matrix = E[history(k)]
measure one = E[history(q)[2, 1]]
measure high_first = E[history(c)[1] == high]
"""
    p = problem(text)
    profile = {f"q@{k}[{i}]": (lambda world, d, k=k, i=i: constant(10.0 * k + i)) for k in (1, 2) for i in (1, 2)}
    world = natural(p, profile | {"c@1": chance(lambda: [0.3, 0.7]), "c@2": lambda world, d: constant(jnp.array([0.5, 0.5]))})
    found = figures(p, world)
    assert found["stocks"].tolist() == [2 * (2 + 11) + 21, 2 * (4 + 12) + 22]
    assert found["second"].tolist() == [12, 22] and found["one"] == 21
    assert found["matrix"].tolist() == [[1, 2], [13, 16]] and found["high_first"] == pytest.approx(0.7)
    assert cost(p, world, "A") == pytest.approx(0 + 10 + 0.7 + 10 * 0.3)
    assert cost(p, world, "B") == pytest.approx(23 + 23 + 43)
    assert cost(p, world, "Firm[2]") == pytest.approx(2 + 16)


def test_recall_is_what_was_seen_and_done_in_earlier_stages():
    text = HEAD + """stage t in 1..3 {
  random w ~ Normal(0, 1)
  decide u : Real by A knowing recall, w
  cost A = (u - w)^2
  cost B = u
}
"""
    game, _ = elaborated(text)
    assert game is not None
    seen = [{o.expression.site for o in d.observations} for d in game.decisions]
    assert seen == [{"w@1"}, {"w@1", "u@1", "w@2"}, {"w@1", "u@1", "w@2", "u@2", "w@3"}]


def test_channels_are_used_once_a_stage_and_their_prices_are_discounted():
    text = HEAD + """team Both = A, B
channel m : A -> B { carries Tokens(1, 2); price 0.1 per bit }
stage t in 1..2 discount 0.5 {
  random x ~ Bernoulli(0.5)
  send m by A knowing x, t
  decide u : Bool by B knowing m, history(m), t
  cost Both = u != x
}
measure guessed = E[history(u)[2] == history(x)[2]]
measure bits = rate(m)
"""
    p = problem(text)
    assert [c.name for c in p.game.channels] == ["m@1", "m@2"]
    assert [len(d.observations) for d in p.game.decisions] == [1, 1, 1, 2]
    world = natural(p, {"m@1": truth, "m@2": truth, "u@1": word, "u@2": word})
    assert figures(p, world)["guessed"] == pytest.approx(1) and figures(p, world)["bits"] == pytest.approx(1)
    assert cost(p, world, "A") == pytest.approx(0.1 * 1 + 0.5 * 0.1 * 1)


def truth(world, d):
    return lift(lambda v: jnp.stack([1 - v, v], -1), seen(world, d)[0])


def word(world, d):
    return seen(world, d)[0]


def test_the_rule_of_a_stage():
    text = HEAD + """stage t in 1..3 {
  random w ~ Normal(0, 1)
  decide u : Real by A knowing w, last(u, 0), t
  cost A = (u - w)^2
  cost B = u
}
measure first = rule(u, 0.5, 7, 1)
measure third = rule(u, 0.5, 7, 3)
"""
    game, _ = elaborated(text)
    assert game is not None
    assert [(m.value.decision, len(m.value.inputs)) for m in game.measures] == [("u@1", 1), ("u@3", 2)]
    assert codes(text + "measure fourth = rule(u, 0.5, 7, 4)\n") == [("L003", "4")]


def test_a_channel_may_be_declared_after_its_use():
    text = HEAD + """stage t in 1..2 {
  random w ~ Normal(0, 1)
  send m by A knowing w, t
  decide u : Real by B knowing history(m), t
  cost A = (u - w)^2
  cost B = (u - w)^2
}
channel m : A -> B { carries Real; budget 1 bits }
"""
    game, _ = elaborated(text)
    assert game is not None
    assert [d.name for d in game.decisions] == ["sent(m@1)", "u@1", "sent(m@2)", "u@2"]


def test_what_cannot_be_lowered_is_said_at_its_line():
    body = "{\n  decide u : Real by A knowing t\n  cost A = u^2\n  cost B = u\n}\n"
    past = body.replace("knowing t", "knowing t, history(u)")
    written = "train { stages written }\n"
    assert codes(HEAD + written + "stage t in 1..200 " + body) == [("L004", "1..200")]
    assert codes(HEAD + written + "stage t in 1..3 " + body.replace("knowing t", "knowing nothing")) == [
        ("L001", "decide u : Real by A knowing nothing")]
    assert codes(HEAD + "stage t in 1..200 " + past) == codes(HEAD + "train { stages scanned }\nstage t in 1..3 " + past) == []
    assert codes(STOPPING + written, T=7) == [("L001", "1..T")] and codes(STOPPING, T=6) == []


def test_names_of_stages_and_members():
    assert staged("u", 3) == "u@3" and staged("sent(m)", 2) == "sent(m@2)"
    assert written("q@3[2]") == "q" and of_stage("q@3[2]") == "q@3" and written("x") == "x"


def test_the_graph_reads_like_the_game():
    game, _ = elaborated(STOPPING, T=1)
    assert game is not None
    text = show_game(game)
    assert "decide a@1 : bool by A knowing nothing mixed" in text and "let x@2 = ((3 * x@1) + b@1)" in text
    assert all(isinstance(s, (Decision, Payment)) or "@" in s.name or s.name.endswith("at the end") for s in game.sites)
