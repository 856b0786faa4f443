"""Whole trainings of small games, judged by theory: closed forms, linear programs, enumeration."""

from __future__ import annotations

import copy

import jax
import numpy as np
import pytest
from scipy.optimize import linprog
from small_games import game_file, problem

from dcgc.learning import Settings, train
from dcgc.verify import policy_function, score
from dcgc.verify.regrets import player_regrets


def solved(p, **settings):
    return train(p, Settings(**{"seed": 0, **settings}))


def payoffs(p, profile):
    return {k: float(v) for k, v in score(p, profile).figures.items()}


def matrix(m) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.6f}" for x in row) + "]" for row in m) + "]"


@pytest.mark.study
def test_kyle():
    p = game_file("kyle")
    r = solved(p)
    f = payoffs(p, r.profile)
    assert f["payoff(Insider)"] == pytest.approx(0.5, rel=1e-4)
    x = policy_function(p, r.profile, "Insider")
    price = policy_function(p, r.profile, "Maker")
    assert np.allclose(x(np.array([-1.0, 0.5, 2.0])), [-1, 0.5, 2], atol=1e-3)
    assert np.allclose(price(np.array([-1.0, 0.5, 2.0])), [-0.5, 0.25, 1], atol=1e-3)


@pytest.mark.study
def test_a_team_with_two_noisy_views():
    """Radner: u_i = k y_i with normal equations k = E[x y] / (E[y^2] + E[y1 y2]) for the cost (x - u1 - u2)^2."""
    p = problem("game G\nplayer A, B\nteam T = A, B\nrandom x ~ Normal(0, 1)\nrandom w[2] ~ Normal(0, 0.5)\n"
        "decide u : Real by A knowing x + w[1]\n"
                "decide v : Real by B knowing x + w[2]\ncost T = (x - u - v)^2\n")
    r = solved(p)
    k = 1 / (1.25 + 1)
    f = policy_function(p, r.profile, "A")
    assert np.allclose(f(np.array([-1.0, 0.0, 2.0])), [-k, 0, 2 * k], atol=1e-3)
    assert payoffs(p, r.profile)["cost(T)"] == pytest.approx(1 - 2 * k, abs=1e-4)


@pytest.mark.parametrize("seed", [1])
def test_zero_sum_matrix_games(seed):
    """The value by linear programming, the strategies by their exploitability."""
    m = np.round(np.random.default_rng(seed).normal(size=(3, 4)), 6)
    p = problem(f"game G\nplayer A, B\nparam M = {matrix(m)}\ndecide r : Choice(3) by A knowing nothing mixed\n"
        f"decide c : Choice(4) by B knowing nothing mixed\n"
                "payoff A = M[r, c]\ncost B = M[r, c]\n")
    r = solved(p)
    lp = linprog([0, 0, 0, -1], A_ub=np.column_stack([-m.T, np.ones(4)]), b_ub=np.zeros(4), A_eq=[[1, 1, 1, 0]], b_eq=[1],
                 bounds=[(0, 1)] * 3 + [(None, None)])
    x, y = (np.asarray(policy_function(p, r.profile, n)()).reshape(-1) for n in ("r", "c"))
    assert x.sum() == pytest.approx(1) and y.sum() == pytest.approx(1)
    assert (m @ y).max() - (x @ m).min() < 2e-3 * np.ptp(m)
    assert payoffs(p, r.profile)["payoff(A)"] == pytest.approx(-lp.fun, abs=2e-3)


def test_matching_pennies_of_unequal_coins():
    """Row wins 3 on heads, 1 on tails: both players mix so that the other is indifferent (1/4 heads)."""
    p = problem("game G\nplayer A, B\ndecide a : Bool by A knowing nothing mixed\ndecide b : Bool by B knowing nothing mixed\n"
                "payoff A = 3 * a * b + (not a) * (not b)\npayoff B = -(3 * a * b + (not a) * (not b))\n")
    r = solved(p)
    a, b = (float(np.ravel(policy_function(p, r.profile, n)())[-1]) for n in ("a", "b"))
    assert (a, b) == pytest.approx((0.25, 0.25), abs=3e-3)


def test_signalling_by_action():
    """Two states, a costly act, a guess that sees the act: 2^2 x 2^2 pure profiles by hand give the team's least cost."""
    text = "game G\nplayer S, R\nteam T = S, R\nrandom t ~ Bernoulli(0.3)\ndecide a : Bool by S knowing t\n" \
        "decide g : Bool by R knowing a\ncost T = 0.4 * a + (g != t)\n"
    least = min(0.7 * (0.4 * s[0] + (h[s[0]] != 0)) + 0.3 * (0.4 * s[1] + (h[s[1]] != 1))
                for s in [(0, 0), (0, 1), (1, 0), (1, 1)] for h in [(0, 0), (0, 1), (1, 0), (1, 1)])
    p = problem(text)
    r = solved(p)
    assert payoffs(p, r.profile)["cost(T)"] == pytest.approx(least, abs=1e-9)
    act = policy_function(p, r.profile, "S")
    assert [float(act(t)) for t in (0, 1)] == [0, 1]


def test_entry_is_deterred_only_by_what_would_be_done():
    """The threat to fight is empty: the entrant comes in, the incumbent accommodates, also judged where nobody entered."""
    p = problem("game G\nplayer N, I\ndecide come : Bool by N knowing nothing\ndecide fight : Bool by I knowing come\n"
                "payoff N = come * (if fight then -1 else 2)\npayoff I = if come then (if fight then -1 else 1) else 4\n")
    r = solved(p)
    assert float(np.ravel(policy_function(p, r.profile, "come")())[-1]) == 1
    assert float(policy_function(p, r.profile, "fight")(1)) == 0
    rows, _ = player_regrets(p, r.profile)
    assert max(x.ex_ante for x in rows) < 1e-6


@pytest.mark.study
def test_first_price_auction():
    p = game_file("first_price")
    r = solved(p)
    bid = policy_function(p, r.profile, p.game.decisions[0].name)
    v = np.linspace(0.1, 1, 10)
    assert np.allclose(bid(v), v / 2, atol=1e-2)


def test_cournot_with_linear_demand():
    p = problem("game G\nplayer F[3] symmetric\nfor i in F {\n  decide q[i] : Positive by F[i] knowing nothing\n}\n"
                "for i in F {\n  payoff F[i] = (9 - sum(q)) * q[i]\n}\n")
    r = solved(p)
    assert float(policy_function(p, r.profile, "q")()) == pytest.approx(9 / 4, abs=1e-5)


# ------------------------------------------------------------ checkpoints and seeds

SMALL = """game G
player A, B
team T = A, B
random x ~ Normal(0, 1)
random w ~ Normal(0, 1)
decide u : Real by A knowing x
decide v : Real by B knowing u + w
cost T = 0.3 * u^2 + (v - x)^2
"""
MATRIX = """game G
player A, B
param M = [[1, -2, 0.5], [-1, 1, 0.3]]
decide r : Choice(2) by A knowing nothing mixed
decide c : Choice(3) by B knowing nothing mixed
payoff A = M[r, c]
cost B = M[r, c]
"""
NETWORKS = {"engine": "networks", "steps": 600, "restarts": 1, "width": 3, "layers": 1}


class Memory:
    """A store that keeps deep copies of every state, and hands one back."""

    def __init__(self, state=None):
        self.states = []
        self.first = state

    def save(self, state):
        self.states.append(copy.deepcopy(state))

    def load(self):
        return copy.deepcopy(self.first)


def bits(tree):
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(tree) if hasattr(x, "dtype")]


@pytest.mark.parametrize("text, settings", [
    (MATRIX, {}), pytest.param(SMALL, NETWORKS, marks=pytest.mark.study),
    pytest.param(SMALL, {"engine": "sweeps", "restarts": 4, "nodes": 40}, marks=pytest.mark.study)])
def test_a_stopped_training_goes_on_to_the_same_bits(text, settings):
    whole = Memory()
    straight = train(problem(text), Settings(seed=3, **settings), whole)
    assert len(whole.states) >= 3
    for k in sorted({1, len(whole.states) // 2}):
        resumed = train(problem(text), Settings(seed=3, **settings), Memory(whole.states[k]))
        assert bits(resumed.profile) == bits(straight.profile)
        assert resumed.equilibria == straight.equilibria
        assert [h[:2] for h in resumed.history] == [h[:2] for h in straight.history]
        assert np.array_equal([h[2] for h in resumed.history], [h[2] for h in straight.history], equal_nan=True)


def test_stopping_early_keeps_what_there_is():
    calls = []
    r = train(problem(MATRIX), Settings(seed=0), None, stop=lambda: len(calls) >= 1 or calls.append(1) is not None)
    assert r.interrupted and r.profile


def test_the_seed_decides():
    a, b, c = (train(problem(MATRIX), Settings(seed=n)) for n in (1, 1, 2))
    assert bits(a.profile) == bits(b.profile)
    assert bits(a.profile) != bits(c.profile)
