"""Values of exported games against linear programs, enumerations and theory that know nothing of this compiler."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from dcgc.finite import FiniteGame, write_nfg
from dcgc.finite.tree import CHANCE

ROOT = Path(__file__).resolve().parents[2]


def sequence_form_value(game: FiniteGame) -> float:
    """The value to player 1 of a zero-sum game with perfect recall (Koller, Megiddo and von Stengel 1996)."""
    sequences: list[dict[tuple, int]] = [{(): 0}, {(): 0}]
    payoff: dict[tuple[int, int], float] = {}
    rows: list[dict[int, tuple[int, list[int]]]] = [{}, {}]  # by information set: the sequence before it, those after it

    def walk(k: int, luck: float, own: tuple[tuple, tuple]) -> None:
        node = game.nodes[k]
        if node.information is None:
            cell = sequences[0][own[0]], sequences[1][own[1]]
            payoff[cell] = payoff.get(cell, 0.0) + luck * float(game.totals[k][0])
            return
        s = game.sets[node.information]
        for a, child in enumerate(node.children):
            if s.player == CHANCE:
                walk(child, luck * float(s.probabilities[a]), own)
                continue
            after = (*own[s.player], (node.information, a))
            number = sequences[s.player].setdefault(after, len(sequences[s.player]))
            before, below = rows[s.player].setdefault(node.information, (sequences[s.player][own[s.player]], []))
            assert before == sequences[s.player][own[s.player]], "no perfect recall"
            if number not in below:
                below.append(number)
            walk(child, luck, (after, own[1]) if s.player == 0 else (own[0], after))

    walk(0, 1.0, ((), ()))
    table = np.zeros((len(sequences[0]), len(sequences[1])))
    for cell, x in payoff.items():
        table[cell] = x

    def constraints(p: int) -> tuple[np.ndarray, np.ndarray]:
        matrix = np.zeros((len(rows[p]) + 1, len(sequences[p])))
        matrix[0, 0] = 1.0
        for r, (before, below) in enumerate(rows[p].values(), 1):
            matrix[r, before] = -1.0
            matrix[r, below] = 1.0
        return matrix, np.eye(len(matrix))[0]

    (e, one), (f, other) = constraints(0), constraints(1)
    # max over x of min over y of x' A y = max other' q with F' q <= A' x, E x = one
    found = linprog(np.concatenate([np.zeros(len(e[0])), -other]), np.hstack([-table.T, f.T]), np.zeros(len(f[0])),
                    np.hstack([e, np.zeros((len(e), len(f)))]), one, [(0, None)] * len(e[0]) + [(None, None)] * len(f))
    assert found.status == 0
    return -found.fun


def uniform(game: FiniteGame) -> list[list[float]]:
    return [[1 / len(s.actions)] * len(s.actions) for s in game.sets]


def enumerated(game: FiniteGame, behaviour: list[list[float]]) -> np.ndarray:
    """Expected payoffs by recursion."""
    def value(k: int) -> np.ndarray:
        node = game.nodes[k]
        own = np.array([float(x) for x in node.payoffs]) if node.payoffs else np.zeros(len(game.players))
        if node.information is None:
            return own
        s = game.sets[node.information]
        law = list(map(float, s.probabilities)) if s.player == CHANCE else behaviour[node.information]
        return own + sum(p * value(c) for p, c in zip(law, node.children, strict=True))

    return value(0)


def test_kuhn_poker(tree_of):
    game = tree_of("kuhn_poker")
    assert sequence_form_value(game) == pytest.approx(-1 / 18, abs=1e-12)
    assert len(game.terminals) == 30 and sum(s.player != CHANCE for s in game.sets) == 12  # Kuhn's own counts
    assert not game.forgetful


def test_matching_pennies(tree_of):
    game = tree_of("matching_pennies")
    assert sequence_form_value(game) == pytest.approx(0, abs=1e-12)
    assert write_nfg(game).split("\n\n")[2].split() == "1 -1 -1 1 -1 1 1 -1".split()


def test_expected_payoffs_are_those_of_a_recursion(tree_of):
    game = tree_of("two_offers")
    chance = np.random.default_rng(1)
    behaviour = [list(chance.dirichlet(np.ones(len(s.actions)))) for s in game.sets]
    assert game.expected(behaviour) == pytest.approx(enumerated(game, behaviour), abs=1e-12)


def test_a_first_price_auction_by_hand(tree_of):
    """Values 1/6, 1/2, 5/6, bids 0, 1/2, 1; ties as the text has them."""
    text = """game Auction
player A, B
random v ~ Uniform(0, 1)
random w ~ Uniform(0, 1)
decide a : Unit by A knowing v
decide b : Unit by B knowing w
payoff A = (v - a) * ((a > b) + (a == b) / 2)
payoff B = (w - b) * ((b > a) + (a == b) / 2)
"""
    game = tree_of(text, 3)
    assert {s.label: s.actions for s in game.sets if s.player == 0}.keys() == {"a | v = 0.166667", "a | v = 0.5", "a | v = 0.833333"}
    total = np.zeros(2)
    for v, w in itertools.product((1 / 6, 1 / 2, 5 / 6), repeat=2):
        for a, b in itertools.product((0, 0.5, 1), repeat=2):
            total += np.array([(v - a) * ((a > b) + (a == b) / 2), (w - b) * ((b > a) + (a == b) / 2)]) / 81
    assert game.expected(uniform(game)) == pytest.approx(total, abs=1e-11)


def test_cournot_approaches_its_equilibrium(tree_of):
    """Duopoly, price 1 - q1 - q2: the best symmetric pure profile of the finite game pays about 1/9, and nearer on a finer grid."""
    text = """game Cournot
player A, B
decide p : Unit by A knowing nothing
decide q : Unit by B knowing nothing
payoff A = (1 - p - q) * p
payoff B = (1 - p - q) * q
"""
    def gap(n: int) -> float:
        game = tree_of(text, n)
        pay = np.array([[float(x) for x in game.totals[t]] for t in game.terminals]).reshape(n, n, 2)
        found = [pay[i, j, 0] for i in range(n) for j in range(n)
                 if pay[i, j, 0] >= pay[:, j, 0].max() - 1e-12 and pay[i, j, 1] >= pay[i, :, 1].max() - 1e-12]
        return max(abs(x - 1 / 9) for x in found)

    gaps = [gap(n) for n in (5, 9, 17)]
    assert gaps[2] < gaps[1] < gaps[0] and gaps[2] < 0.03


def test_a_duopoly_with_private_costs_approaches_its_equilibrium(tree_of):
    """The mean of both firms at a pure equilibrium of the tree, against 64/9 + 1/12 (Gal-Or 1986), which training reaches."""
    def gap(n: int) -> float:
        game = tree_of("cournot_private", n)
        pay = np.array([[float(x) for x in game.totals[t]] for t in game.terminals]).reshape(n, n, n, n, 2)  # costs, then quantities
        costs, own, other = np.arange(n), np.zeros(n, int), np.zeros(n, int)
        for _ in range(20):
            before = own, other
            own = pay[:, costs, :, other, 0].mean(0).argmax(1)
            other = pay[costs, :, own, :, 1].mean(0).argmax(1)
        assert all(np.array_equal(a, b) for a, b in zip(before, (own, other), strict=True))
        reached = pay[costs[:, None], costs[None], own[:, None], other[None]].mean((0, 1))
        return abs(reached.mean() - (64 / 9 + 1 / 12))

    coarse, fine = gap(5), gap(9)
    assert fine < coarse < 0.2 and fine < 0.1


def test_teams_share_and_everybody_pays_what_the_text_says(tree_of):
    text = """game Teams
player A, B, C
team Both = A, B
decide a : Bool by A knowing nothing
decide c : Bool by C knowing a
payoff Both = 2 * a + c
cost B = c
payoff C = a * c
"""
    game = tree_of(text)
    paid = {(a, c): [float(x) for x in game.totals[game.nodes[game.nodes[0].children[a]].children[c]]] for a in (0, 1) for c in (0, 1)}
    assert paid == {(a, c): [2 * a + c, 2 * a, a * c] for a in (0, 1) for c in (0, 1)}


def test_pooled_members_pay_what_any_of_them_is_charged():
    from dcgc import door

    text = "game Two\nplayer A, B\ndecide a : Bool by A knowing nothing\ndecide b : Bool by B knowing nothing\n" \
           "payoff A = a\npayoff B = 3 * b\n"
    game = door.shadow(door.load(text, team={"All": "A,B"})).game
    assert [[float(x) for x in game.totals[t]] for t in game.terminals] == [[0, 0], [3, 3], [1, 1], [4, 4]]


def test_a_halt_ends_the_play(tree_of):
    """Three rounds of a centipede: four ends, not eight."""
    text = """game Centipede
player A
stage t in 1..3 {
  decide go : Bool by A knowing t
  payoff A = (1 - go) * t
  halt when not go
}
payoff A = 10
"""
    game = tree_of(text)
    assert sorted(float(game.totals[t][0]) for t in game.terminals) == [10, 11, 12, 13]
    assert len(game.nodes) == 7


def test_messages_are_choices_and_listeners_hear_no_more(tree_of):
    game = tree_of("cheap_talk", 4, {"a": (0.0, 1.0)})
    sender, receiver = ([s for s in game.sets if s.player == p] for p in (0, 1))
    assert len(sender) == 4 and all(len(s.actions) == 4 for s in sender)  # four states, four words
    assert len(receiver) == 4 and len(game.terminals) == 4 * 4 * 4


def test_the_absent_minded_driver(tree_of):
    """One rule for both exits: 4 p (1 - p) + (1 - p)^2, at most 4/3 at p = 1/3 (Piccione and Rubinstein 1997)."""
    game = tree_of((ROOT / "examples/structures/absent_minded_driver.dcg").read_text())
    (own,) = [k for k, s in enumerate(game.sets)]
    assert game.absent_minded == own and len(game.terminals) == 3
    for p in (0, 1 / 3, 0.8):
        assert game.expected([[1 - p, p]])[0] == pytest.approx(4 * p * (1 - p) + (1 - p) ** 2, abs=1e-12)


def test_one_rule_for_all_stages_knows_what_it_sees(tree_of):
    """A rule that sees the last act alone: two information sets in three stages (nothing before counts as no), beside their number."""
    text = "game Habit\nplayer A\nstage t in 1..3 {\n  decide a : Bool by A knowing last(a, 0)\n  payoff A = t * a\n}\n"
    assert len(tree_of(text).sets) == 2
    assert len(tree_of(text.replace("last(a, 0)", "last(a, 0), t")).sets) == 1 + 2 + 2


def test_forgetting_is_said(tree_of):
    """Who sees a draw and then only its own act forgets the draw."""
    text = """game Forgetful
player A
random x ~ Bernoulli(0.5)
decide a : Bool by A knowing x
decide b : Bool by A knowing a
payoff A = (b == x)
"""
    game = tree_of(text)
    assert game.forgetful == {0: next(k for k, s in enumerate(game.sets) if s.label.startswith("b |"))}
    # pure plans can do what behaviour can: a tells b the state
    best = max(enumerated(game, [[float(i == pick[k]) for i in range(len(s.actions))] for k, s in enumerate(game.sets)])[0]
               for pick in itertools.product((0, 1), repeat=len(game.sets)))
    assert best == 1.0


def test_quantile_points_keep_the_mean(tree_of):
    """The points of a lognormal law average to its mean, and those of an exponential one are the means of its cells."""
    from jax import numpy as jnp

    from dcgc.finite.quantiles import cell_means
    from dcgc.primitives.distributions import DISTRIBUTIONS

    law = DISTRIBUTIONS["LogNormal"]
    points = cell_means(law, 7, [jnp.array([0.3]), jnp.array([0.8])])
    assert points.mean() == pytest.approx(np.exp(0.3 + 0.32), rel=1e-6)
    points = cell_means(DISTRIBUTIONS["Exponential"], 2, [jnp.array([2.0])])
    assert points[0] == pytest.approx([(1 - np.log(2)) / 2, (1 + np.log(2)) / 2], rel=1e-6)  # E[x | x < median] + E[x | x > median] = 1
    points = cell_means(DISTRIBUTIONS["Normal"], 2, [jnp.array([1.0]), jnp.array([2.0])])
    assert points[0] == pytest.approx([1 - 2 * np.sqrt(2 / np.pi), 1 + 2 * np.sqrt(2 / np.pi)], rel=1e-9)
