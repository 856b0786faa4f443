"""Several blocks of stages in one game, and halts and delays in loops over members, against plays listed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import jax
import jax.numpy as jnp
import pytest
from small_games import chance, cost, elaborated, figures, natural, problem, rule

from dcgc.lower.problem import Person
from dcgc.lower.stages import Account, Stages

HEAD = "game G\nplayer A, B\n"

TWO = HEAD + """param T : int = 2
state x = 1
decide pre : Bool by A knowing nothing mixed
stage t in 1..T discount 0.8 {
  decide u : Bool by A knowing t, x == 1 mixed
  cost A = x + u
  halt when u
  delay 0.9
  next x = x + pre
}
decide mid : Bool by B knowing x == 1 mixed
cost B = x * mid
state y = x + mid
stage s in 1..2 discount 0.5 {
  decide v : Bool by B knowing s, y == 2 mixed
  cost B = y + v * x
  cost A = y
  next y = y + v
  next x = x + 1
  halt when v
  delay 0.7
}
cost A = x * y
measure path_x = E[history(x)]
measure path_y = E[history(y)]
measure path_u = E[history(u)]
measure path_v = E[history(v)]
measure joint = E[history(u)[2] * history(v)[2] * x]
"""

PRE, MID = 0.4, (0.3, 0.8)  # MID: by whether x is 1
U = ((0.2, 0.2), (0.1, 0.6))  # by stage and whether x is 1
V = ((0.15, 0.35), (0.45, 0.25))


def plays(play: Callable[[Callable[[float], int]], dict]) -> dict[str, float]:
    """The expectation of all that a play returns, over every way its coins can fall: ``coin(p)`` is 1 with chance p."""
    total: dict[str, float] = {}
    pending: list[tuple[int, ...]] = [()]
    while pending:
        fixed = pending.pop()
        weight, tossed = 1.0, []

        def coin(p: float, fixed: tuple[int, ...] = fixed, tossed: list = tossed) -> int:
            nonlocal weight
            if len(tossed) >= len(fixed):
                tossed.append(1)
                pending.append((*(f for f, _ in zip(tossed[:-1], tossed[:-1], strict=True)), 0))
            else:
                tossed.append(fixed[len(tossed)])
            value = tossed[-1]
            weight *= p if value else 1 - p
            return value

        for k, value in play(coin).items():
            total[k] = total.get(k, 0.0) + weight * value
    return total


def two(coin: Callable[[float], int], stopping: tuple = U) -> dict[str, float]:
    out: dict[str, float] = dict.fromkeys(["A", "B", "joint", *(f"{h}{k}" for h in "xyuv" for k in (1, 2))], 0.0)
    x, delay, pre = 1, 1.0, coin(PRE)
    us, vs = [0, 0], [0, 0]
    for t in range(2):
        us[t] = coin(stopping[t][x == 1])
        out["A"] += 0.8**t * delay * (x + us[t])
        if us[t]:
            break
        delay *= 0.9
        x += pre
    mid = coin(MID[x == 1])
    out["B"] += delay * x * mid
    y = x + mid
    for s in range(2):
        out[f"x{s + 1}"], out[f"y{s + 1}"] = x, y
        vs[s] = coin(V[s][y == 2])
        out["B"] += 0.5**s * delay * (y + vs[s] * x)
        out["A"] += 0.5**s * delay * y
        x, y = x + 1, y + vs[s]
        if vs[s]:
            break
        delay *= 0.7
    out["A"] += delay * x * y
    out |= {f"u{k + 1}": float(u) for k, u in enumerate(us)} | {f"v{k + 1}": float(v) for k, v in enumerate(vs)}
    out["joint"] = us[1] * vs[1] * x
    return out


def profile_of_two() -> dict:
    out = {"pre": chance(lambda: PRE), "mid": chance(lambda one: MID[0] + (MID[1] - MID[0]) * one)}
    out["u@1"] = chance(lambda *_: U[0][1])
    out["u@2"] = chance(lambda one: U[1][0] + (U[1][1] - U[1][0]) * one)
    return out | {f"v@{s + 1}": chance(lambda one, s=s: V[s][0] + (V[s][1] - V[s][0]) * one) for s in (0, 1)}


def test_two_blocks_and_what_is_decided_around_them():
    """A halt ends its own block alone; delays go on; states and what was recorded outlive the block; x is moved by both."""
    p = problem(TWO)
    world = natural(p, profile_of_two())
    right = plays(two)
    assert cost(p, world, "A") == pytest.approx(right["A"], rel=1e-12) and cost(p, world, "B") == pytest.approx(right["B"], rel=1e-12)
    found = figures(p, world)
    for name, length in (("x", 2), ("y", 2), ("u", 2), ("v", 2)):
        assert found[f"path_{name}"] == pytest.approx([right[f"{name}{k + 1}"] for k in range(length)], rel=1e-12), name
    assert found["joint"] == pytest.approx(right["joint"], rel=1e-12)


def test_the_past_of_an_earlier_block_is_whole():
    """In a later block ``history`` of an earlier one has all its stages; of a state that only the first block moves, too."""
    text = HEAD + """state x = 1
stage t in 1..3 {
  decide u : Real by A knowing t
  cost A = u^2
  next x = x + u
}
stage s in 1..2 {
  decide v : Real by B knowing history(u), s
  cost B = v + sum(history(u)) * s + x
}
stage r in 1..2 {
  decide w : Real by B knowing history(v), r
  cost B = w * history(v)[2]
}
measure path = E[history(x)]
measure answers = E[history(v)]
"""
    p = problem(text)
    assert {d.name: len(d.observations) for d in p.game.decisions} == {
        "u@1": 0, "u@2": 0, "u@3": 0, "v@1": 3, "v@2": 3, "w@1": 2, "w@2": 2}
    profile = {f"u@{k}": rule(lambda k=k: 10.0**k) for k in (1, 2, 3)}
    profile |= {f"v@{s}": rule(lambda a, b, c, s=s: s * (a + 2 * b + 3 * c)) for s in (1, 2)}
    world = natural(p, profile | {f"w@{r}": rule(lambda a, b, r=r: r * b / a) for r in (1, 2)})
    v = 10 + 200 + 3000
    assert cost(p, world, "B") == pytest.approx(v + 2 * v + 1110 * 3 + 2 * 1111 + (2 + 4) * 2 * v)
    found = figures(p, world)
    assert found["path"].tolist() == [1, 11, 111] and found["answers"].tolist() == [v, 2 * v]


def test_what_cannot_be_had_of_two_blocks():
    def codes(text: str) -> list[tuple[str, str]]:
        game, ledger = elaborated(text)
        assert (game is None) == bool(ledger.errors)
        return [(d.code, d.span.text) for d in ledger.errors]

    first = "stage t in 1..3 {\n  decide u : Bool by A knowing t\n  cost A = u\n  halt when u\n}\n"
    second = "stage s in 1..3 {\n  decide v : Real by B knowing s\n  cost B = v^2 + %s\n}\n"
    assert codes(HEAD + first + second % "0") == []
    assert codes(HEAD + first + second % "last(u, false)") == [("L001", "last(u, false)")]
    assert codes(HEAD + first + (second % "0").replace("1..3", "1..inf discount 0.9")) == []
    endless = first.replace("1..3", "1..inf discount 0.9").replace("knowing t", "knowing nothing")
    assert codes(HEAD + endless + (second % "0").replace("1..3", "1..300")) == [("L001", "1..300")]


IN_A_LOOP = """game G
param halts = 0.3
player F[2]
player A
state x = 1
stage t in 1..2 discount 0.9 {
  for i in F {
    decide out[i] : Bool by F[i] knowing t mixed
    cost F[i] = x
    halt when out[i]
    delay 1 - 0.1 * i
    when x > 1 { delay 0.5 }
    cost F[i] = i
  }
  when t == 2 {
    for i in F { halt when halts * i / 2 }
  }
  decide b : Bool by A knowing t mixed
  cost A = 1 + b
  for i in 1..2 { when x > 1 { halt when b } }
  next x = x + b
}
cost A = 100
"""
OUT = ((0.2, 0.4), (0.3, 0.1))
B = (0.6, 0.7)


def in_a_loop(coin: Callable[[float], int], moved: bool = True) -> dict[str, float]:
    paid = {"F[1]": 0.0, "F[2]": 0.0, "A": 0.0}
    x, delay = 1, 1.0
    for t in range(2):
        scale = 0.9**t
        out = [coin(OUT[t][i]) for i in (0, 1)]
        for i in (0, 1):
            paid[f"F[{i + 1}]"] += scale * delay * x
        if max(out):
            break
        delay *= 0.9 * 0.8 * (0.25 if x > 1 else 1)
        for i in (0, 1):
            paid[f"F[{i + 1}]"] += scale * delay * (i + 1)
        if t == 1 and max([coin(0.3 * i / 2) for i in (1, 2)]):
            break
        b = coin(B[t])
        paid["A"] += scale * delay * (1 + b)
        if x > 1 and b:
            break
        x += b if moved else 1
    paid["A"] += delay * 100
    return paid


def profile_in_a_loop() -> Iterator[tuple[str, Callable]]:
    for t, i in product(range(2), range(2)):
        yield f"out@{t + 1}[{i + 1}]", chance(lambda t=t, i=i: OUT[t][i])
    for t in range(2):
        yield f"b@{t + 1}", chance(lambda t=t: B[t])


def test_halts_and_delays_of_several_members():
    """The halt of one ends the stages for all, at once; the delays of all count; `when` and chances inside of loops."""
    p = problem(IN_A_LOOP)
    world = natural(p, dict(profile_in_a_loop()))
    for who, right in plays(in_a_loop).items():
        assert cost(p, world, who) == pytest.approx(right, rel=1e-12), who


def test_the_same_where_stages_are_not_written_out():
    """No state depends on a decision: all of them are summed out, and one play says it all."""
    p = problem(IN_A_LOOP.replace("x + b", "x + 1") + "train { stages scanned }\n")
    stages = Stages(p)
    assert not stages.drawn and len(stages.summed) == 3
    rules = {f"out[{i + 1}]": chance(lambda t, i=i: jnp.asarray([o[i] for o in OUT])[jnp.asarray(t, int) - 1]) for i in (0, 1)}
    rules["b"] = chance(lambda t: jnp.asarray(B)[jnp.asarray(t, int) - 1])
    people = [Person("F", 0), Person("F", 1), Person("A")]
    nothing = stages.outside.draw(jax.random.key(0), 4, False)
    played = stages.play(rules, nothing, jax.random.key(1), [Account(p.pays(x), x) for x in people])
    right = plays(lambda coin: in_a_loop(coin, moved=False))
    for person, costs in zip(people, played.costs, strict=True):
        assert float(costs[0]) == pytest.approx(right[person.label], rel=1e-6), person.label


def test_a_plot_of_a_rule_is_refused_with_its_line():
    game, ledger = elaborated(HEAD + "random x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = u^2\ncost B = u\n"
                              "plot rule(u, x) against x\n")
    assert game is None and [(d.code, d.span.text) for d in ledger.errors] == [("L001", "plot rule(u, x) against x")]


def test_what_is_decided_after_stages_that_are_not_written_out():
    """One block is played by a scan, what comes after it rests on what that leaves behind: the decision between, and the second block."""
    p = problem(TWO.replace("knowing t, x == 1", "knowing x == 1"))
    assert p.game.block is not None and p.game.block.length == 2
    rules = profile_of_two()
    rules = {k: r for k, r in rules.items() if not k.startswith("u@")} | {"u": chance(lambda one: U[1][0] + (U[1][1] - U[1][0]) * one)}
    stages = Stages(p, figures=True)
    assert stages.late == {"mid", "v@1", "v@2"}
    people = [Person("A"), Person("B")]
    before = stages.outside.draw(jax.random.key(0), 40_000, False)
    played = stages.play(rules, before, jax.random.key(1), [Account(p.pays(x), x) for x in people])
    right = plays(lambda coin: two(coin, (U[1], U[1])))
    for person, costs in zip(people, played.costs, strict=True):
        assert abs(float(costs.mean()) - right[person.label]) < 4 * float(costs.std()) / 200, person.label
    found = figures(p, played.after)
    for name in "xyuv":
        assert found[f"path_{name}"] == pytest.approx([right[f"{name}{k}"] for k in (1, 2)], abs=0.03), name
