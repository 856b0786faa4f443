"""Whatever the text, the checker answers: it never raises, and never takes long."""

from __future__ import annotations

import time

import pytest
from corpus import GAMES, GOOD, check_text, codes, mutants

from dcgc.source.render import render, render_json

GAME = "game G\nplayer A\nrandom x ~ Normal(0, 1)\n{}\ndecide u : Real by A knowing x\ncost A = (u - x)^2\n"


@pytest.mark.parametrize("count", [3000, pytest.param(10_000, marks=pytest.mark.study)])
def test_thousands_of_spoiled_texts_never_raise_or_take_long(count: int) -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*GAMES, *GOOD]]
    accepted = 0
    for position, text in enumerate(mutants(texts, count, seed=7)):
        start = time.process_time()
        game, ledger = check_text(text)
        assert time.process_time() - start < 5, text
        accepted += game is not None
        assert (game is None) == bool(ledger.errors)
        if position % 50 == 0:
            assert render(ledger.sorted()) == render(ledger.sorted()) and render_json(ledger.sorted())
    assert count / 100 < accepted < 0.9 * count  # mutants are neither all alike nor all broken


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("random y[1000000000] ~ Normal(0, 1)", "T209"),
        ("player F[1000000000]", "T209"),
        ("random y[10^400] ~ Normal(0, 1)", "T219"),
        ("param y = sum(sum(k for k in 1..100000) for j in 1..100000)", "T219"),
        ("param y = onehot(1, 100000000)", "T209"),
        ("stage t in 1..1000000000000 { cost A = x }", "T209"),
        ("let y = sum(j for j in 1..10^12)", "T209"),
        ("for i in 1..100000 { for j in 1..100000 { let y[i, j] = x } }", "T209"),
        ("decide v : Tokens(100000, 100000) by A knowing x", "T209"),
        ("channel m : A -> A { carries Tokens(100000, 1000000) }", "T209"),
    ],
)
def test_huge_sizes_are_refused(line: str, code: str) -> None:
    start = time.perf_counter()
    game, ledger = check_text(GAME.format(line))
    assert game is None
    assert code in codes(ledger)
    assert time.perf_counter() - start < 3


def test_a_hundred_thousand_members_are_fine() -> None:
    game, ledger = check_text(
        "game G\nplayer F[100000] symmetric\nfor i in F { random c[i] ~ Normal(0, 1) }\n"
        "for i in F {\n decide q[i] : Real by F[i] knowing c[i]\n cost F[i] = (q[i] - mean(q[others]))^2\n}\n"
    )
    assert game is not None and not ledger.entries


@pytest.mark.parametrize(
    "line",
    [
        "let y = " + "(" * 5000 + "x" + ")" * 5000,
        "let y = " + "-" * 20000 + "x",
        "let y = " + "x + " * 20000 + "x",
        "let y = " + "x ^ " * 20000 + "x",
        "let y = " + "if x > 0 then 1 else " * 3000 + "0",
        "let y = " + "exp(" * 3000 + "x" + ")" * 3000,
        "param y = " + "[" * 3000 + "1" + "]" * 3000,
        "for i in 1..2 { " * 300 + "cost A = x" + "}" * 300,
        "when x > 0 { " * 90 + "cost A = x" + "}" * 90,
        "\n".join(
            ["def f0(a) = a + a"]
            + [f"def f{i}(a) = f{i - 1}(f{i - 1}(a))" for i in range(1, 60)]
            + ["param y = f59(1)"]
        ),
        "\n".join(
            ["def f0(a) = a + a"] + [f"def f{i}(a) = f{i - 1}([a, a])" for i in range(1, 30)] + ["let y = f29(x)"]
        ),
        "\n".join(
            ["param a0 = [1, 2, 3, 4]"]
            + [f"param a{i} = [a{i - 1}, a{i - 1}, a{i - 1}, a{i - 1}]" for i in range(1, 40)]
        ),
    ],
)
def test_deep_and_growing_texts_are_answered(line: str) -> None:
    start = time.perf_counter()
    game, ledger = check_text(GAME.format(line))
    assert (game is None) == bool(ledger.errors)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "text", ["", "\n", "\x00", "game", "game G", "é" * 1000, "#", "}" * 100, "game G\n" * 100, "\ufeffgame G"]
)
def test_odd_texts_are_answered(text: str) -> None:
    game, ledger = check_text(text)
    assert game is None and ledger.errors
    assert render(ledger.sorted())
