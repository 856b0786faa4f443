"""Announced policies against closed forms, linear algebra, linear programs written anew, enumeration and finite differences."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import fsolve, linprog
from small_games import game_file, problem

from dcgc.learning import ENGINES, Settings, obedience, plan, train
from dcgc.learning import stackelberg as calculus
from dcgc.learning.obedience_engine import programs_of
from dcgc.source import GameError
from dcgc.verify import policy_function, score


def solved(p, **settings):
    r = train(p, Settings(**{"seed": 0, **settings}))
    return r, score(p, r.profile)


def value(card, label):
    return float(card.figures[label])


def regrets(card):
    return {r.player: r for r in card.regrets}


def matrix(m) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.6f}" for x in row) + "]" for row in m) + "]"


# ---------------------------------------------------------------- the leader's gradient


def cost(t):
    x, a, b = t
    return (x - 1) ** 2 + jnp.sin(a * x) + a * b


def conditions(t):
    """First-order conditions of two followers who react to the leader, and to each other, in a curved way."""
    x, a, b = t
    return jnp.stack([2 * a + 0.3 * b + x**2 + 0.1 * a**3, 2 * b + 0.4 * jnp.cos(a) - x])


def response(x):
    return fsolve(lambda f: np.asarray(conditions(jnp.asarray([x, *f]))), [0.0, 0.0], xtol=1e-13)


@pytest.mark.parametrize("derivative", [calculus.through_response, calculus.through_steps])
def test_the_total_derivative_is_that_of_finite_differences(derivative):
    at, h = 0.7, 1e-5
    theta = jnp.asarray([at, *response(at)])
    found = derivative(cost, conditions, theta, np.asarray([0]), np.asarray([1, 2]))
    ends = [float(cost(jnp.asarray([at + s * h, *response(at + s * h)]))) for s in (-1, 1)]
    assert float(found[0]) == pytest.approx((ends[1] - ends[0]) / (2 * h), rel=1e-7)
    own = (float(cost(theta.at[0].add(h))) - float(cost(theta.at[0].add(-h)))) / (2 * h)
    assert abs(float(found[0]) - own) > 0.05  # the response matters: another derivative than Nash's


# ---------------------------------------------------------------- smooth games


@pytest.mark.parametrize("how", ["implicit", pytest.param("unrolled", marks=pytest.mark.study)])
def test_two_by_two(how):
    """Basar and Olsder, chapter 4: y = 1 - 0.4 x, x* = 0.6 / 0.68."""
    p = game_file("two_by_two", announced=1)
    r, card = solved(p, response=how)
    assert r.engine == ENGINES["stackelberg"].title
    assert value(card, "act") == pytest.approx(0.882352941176, abs=1e-9)
    assert value(card, "cost(X)") == pytest.approx(0.470588235294, abs=1e-9)
    assert value(card, "cost(Y)") == pytest.approx(0.581314878893, abs=1e-9)
    assert {c.verdict for c in card.comparisons} == {"met"}
    assert all(x.ex_ante < 1e-9 for x in card.regrets)


def test_a_leader_and_two_followers_by_linear_algebra():
    """Costs 1/2 z'Q z + c'z in z = (x, a, b): followers solve two linear equations, the leader a parabola."""
    rng = np.random.default_rng(5)
    q = [0.4 * rng.normal(size=(3, 3)) for _ in range(3)]
    q = [np.round((m + m.T) / 2 + 2 * np.eye(3), 6) for m in q]
    c = np.round(rng.normal(size=(3, 3)), 6)
    names = ("x", "a", "b")

    def text(i):
        terms = [f"({q[i][j, k] / 2:.7f}) * {m} * {n}" for j, m in enumerate(names) for k, n in enumerate(names)]
        return " + ".join([*terms, *(f"({c[i][j]:.6f}) * {n}" for j, n in enumerate(names))])

    p = problem("game G\nplayer L, A, B\ncommit L\n" + "".join(
        f"decide {n} : Real by {who} knowing nothing\n" for n, who in zip(names, "LAB", strict=True)) +
        "".join(f"cost {who} = {text(i)}\n" for i, who in enumerate("LAB")))
    rows = np.stack([q[1][1], q[2][2]])  # first-order conditions of a and b
    reply = lambda x: np.linalg.solve(rows[:, 1:], -rows[:, 0] * x - np.asarray([c[1][1], c[2][2]]))  # noqa: E731

    def paid(x):
        z = np.asarray([x, *reply(x)])
        return z @ q[0] @ z / 2 + c[0] @ z

    parabola = np.polyfit([-1.0, 0.0, 1.0], [paid(-1.0), paid(0.0), paid(1.0)], 2)
    best = -parabola[1] / (2 * parabola[0])
    _, card = solved(p)
    assert value(card, "cost(L)") == pytest.approx(paid(best), abs=1e-8)
    assert all(x.ex_ante < 1e-9 for x in card.regrets)


def test_two_leaders_announce_together():
    """Cournot among the leaders on what the follower leaves: a third each, and a sixth for the follower."""
    p = problem("game G\nplayer A, B, F\ncommit A\ncommit B\n" + "".join(
        f"decide {n.lower()} : Positive by {n} knowing nothing\n" for n in "ABF") +
        "let p = 1 - a - b - f\n" + "".join(f"payoff {n} = p * {n.lower()}\n" for n in "ABF"))
    r, card = solved(p)
    q = {n: float(policy_function(p, r.profile, n)()) for n in "abf"}
    assert q == pytest.approx({"a": 1 / 3, "b": 1 / 3, "f": 1 / 6}, abs=1e-8)
    assert all(x.ex_ante < 1e-9 for x in card.regrets)


def test_quantities_announced_and_not():
    _, card = solved(game_file("quantity_commitment"))
    assert (value(card, "lead"), value(card, "answer")) == pytest.approx((0.5, 0.25), abs=1e-9)
    _, card = solved(game_file("quantity_commitment", announced=0))
    assert (value(card, "lead"), value(card, "answer")) == pytest.approx((1 / 3, 1 / 3), abs=1e-9)


@pytest.mark.study
def test_a_sender_who_commits_does_not_shift_what_it_says():
    p = game_file("biased_signalling", announced=1)
    r, card = solved(p)
    assert value(card, "cost(Sender)") == pytest.approx(1.0, abs=1e-8)
    assert value(card, "size_of_gain") == pytest.approx(1.0, abs=1e-8) and value(card, "size_of_offset") == pytest.approx(0, abs=1e-8)
    assert all(x.ex_ante < 1e-9 for x in card.regrets)


# ---------------------------------------------------------------- finite games


def best_mixed(a, b):
    """Conitzer and Sandholm: a program for each of the follower's pure replies."""
    m, n = a.shape
    values = []
    for j in range(n):
        found = linprog(-a[:, j], A_ub=(b - b[:, [j]]).T, b_ub=np.zeros(n), A_eq=np.ones((1, m)), b_eq=[1], bounds=(0, 1))
        values.append(-found.fun if found.success else -np.inf)
    return max(values)


def bimatrix(a, b, mixed):
    return problem(f"game G\nplayer A, B\nparam M = {matrix(a)}\nparam W = {matrix(b)}\ncommit A\n"
                   f"decide r : Choice({a.shape[0]}) by A knowing nothing{' mixed' * mixed}\n"
                   f"decide c : Choice({a.shape[1]}) by B knowing nothing\npayoff A = M[r, c]\npayoff B = W[r, c]\n")


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.study)])
def test_mixed_commitment_in_bimatrix_games(seed):
    a, b = np.round(np.random.default_rng(seed).normal(size=(2, 3, 4)), 6)
    r, card = solved(bimatrix(a, b, True))
    assert r.engine == ENGINES["obedience"].title
    assert value(card, "payoff(A)") == pytest.approx(best_mixed(a, b), abs=1e-8)
    mine = regrets(card)["A"]
    assert mine.exact and mine.ex_ante < 1e-8 and regrets(card)["B"].ex_ante < 1e-8


def test_a_decision_that_does_not_mix_announces_one_option():
    a, b = np.asarray([[1.0, 3.0], [0.0, 2.0]]), np.asarray([[1.0, 0.0], [0.0, 1.0]])  # mixing would bring 2.5
    _, card = solved(bimatrix(a, b, False))
    pure = max(a[i, int(b[i].argmax())] for i in range(2))
    assert value(card, "payoff(A)") == pytest.approx(pure, abs=1e-9) and pure < best_mixed(a, b) - 0.1
    assert regrets(card)["A"].exact and regrets(card)["A"].ex_ante < 1e-9  # no mixed announcement counts against it


def test_mixed_leadership():
    _, card = solved(game_file("mixed_leadership"))
    assert value(card, "payoff(Row)") == pytest.approx(2.5, abs=1e-9) and value(card, "up_rate") == pytest.approx(0.5, abs=1e-9)
    assert {c.verdict for c in card.comparisons} == {"met"}


def test_persuasion():
    """Kamenica and Gentzkow 2011: at the prior 0.3 the judge convicts with 0.6 and is right with 0.7."""
    p = game_file("persuasion")
    r, card = solved(p)
    assert value(card, "payoff(Prosecutor)") == pytest.approx(0.6, abs=1e-9)
    assert value(card, "payoff(Judge)") == pytest.approx(0.7, abs=1e-9)
    assert value(card, "framed") == pytest.approx(3 / 7, abs=1e-9)
    prosecutor, judge = regrets(card)["Prosecutor"], regrets(card)["Judge"]
    assert prosecutor.exact and prosecutor.ex_ante < 1e-9 and judge.exact and judge.ex_ante < 1e-8
    (margin,) = card.margins
    assert (margin.player, margin.decision) == ("Judge", "convict")
    assert margin.chance == pytest.approx(0.6) and 0 <= margin.given_up < 1e-9


def persuading(prior, gain, own, words):
    """States as drawn, as many words as said, and what sender and receiver get of an action (columns) in a state (rows)."""
    states, actions = gain.shape
    return problem(f"game G\nplayer S, R\nparam W = {matrix(gain)}\nparam V = {matrix(own)}\n"
                   f"random s ~ Categorical([{', '.join(map(str, prior))}])\nchannel m : S -> R {{ carries Tokens(1, {words}) }}\n"
                   f"commit S\nsend m by S knowing s mixed\ndecide a : Choice({actions}) by R knowing m\n"
                   "payoff S = W[s, a]\npayoff R = V[s, a]\n")


def straightforward(prior, gain, own):
    """The best law of recommendations that are obeyed, z[s, a]."""
    states, actions = gain.shape
    rows = []
    for a, other in itertools.permutations(range(actions), 2):
        row = np.zeros((states, actions))
        row[:, a] = prior * (own[:, other] - own[:, a])
        rows.append(row.reshape(-1))
    found = linprog(-(prior[:, None] * gain).reshape(-1), A_ub=np.asarray(rows), b_ub=np.zeros(len(rows)),
                    A_eq=np.kron(np.eye(states), np.ones(actions)), b_eq=np.ones(states), bounds=(0, 1))
    return -found.fun


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.study)])
def test_persuasion_with_as_many_words_as_actions(seed):
    rng = np.random.default_rng(20 + seed)
    gain, own = np.round(rng.normal(size=(2, 3, 3)), 6)
    prior = np.asarray([0.5, 0.3, 0.2])
    p = persuading(prior, gain, own, 3)
    assert programs_of(p).count() == 10  # words are as good as each other: multisets of 3 of 3 actions, not 27
    _, card = solved(p)
    assert value(card, "payoff(S)") == pytest.approx(straightforward(prior, gain, own), abs=1e-8)
    assert regrets(card)["S"].exact and regrets(card)["S"].ex_ante < 1e-8


def test_words_that_cost_are_not_exchangeable():
    p = problem("game G\nplayer S, R\nrandom s ~ Bernoulli(0.4)\nchannel m : S -> R { carries Tokens(1, 2) }\ncommit S\n"
                "send m by S knowing s mixed\ndecide a : Bool by R knowing m\npayoff S = a - 0.1 * m[1][2]\n"
                "payoff R = if a then s else not s\n")
    assert programs_of(p).count() == 4
    _, card = solved(p)  # conviction by the free word: acquitting costs 0.1 each of 0.2 times
    assert value(card, "payoff(S)") == pytest.approx(0.8 - 0.1 * 0.2, abs=1e-8)


def test_replies_that_the_announcement_does_not_touch_must_hold_too():
    """Two followers match pennies beside the leader: no pure replies hold, so no program has a solution."""
    p = problem("game G\nplayer L, A, B\ncommit L\ndecide x : Bool by L knowing nothing mixed\ndecide a : Bool by A knowing nothing\n"
                "decide b : Bool by B knowing nothing\npayoff L = x * a\npayoff A = (a == b)\npayoff B = -(a == b)\n")
    assert obedience.solve(programs_of(p)) is None


def test_softened_replies_end_where_the_programs_do():
    p = game_file("persuasion")
    r, card = solved(p, engine="softened", restarts=4)
    assert r.engine == ENGINES["softened"].title
    assert value(card, "payoff(Prosecutor)") == pytest.approx(0.6, abs=1e-9)


@pytest.mark.study
def test_a_leader_who_sends_and_acts():
    """The message persuades as ever (0.6), and the act that follows is simply right (0.2 more)."""
    p = problem("game G\nplayer P, J\nrandom g ~ Bernoulli(0.3)\nchannel m : P -> J { carries Tokens(1, 2) }\ncommit P\n"
                "send m by P knowing g mixed\ndecide c : Bool by J knowing m\ndecide x : Bool by P knowing g, c mixed\n"
                "payoff P = c + 0.2 * (x == g)\npayoff J = if c then g else not g\n")
    assert plan(p, Settings())[0] == ["softened"]
    _, card = solved(p, restarts=4)
    assert value(card, "payoff(P)") == pytest.approx(0.8, abs=1e-8)
    assert regrets(card)["P"].ex_ante < 1e-8


@pytest.mark.study
def test_a_sender_who_commits_to_words_for_a_number_sends_the_best_quantiser():
    """The receiver replies with the conditional mean: the sender pays the mean square error, 1 / (12 * 16) with four words, and bias^2."""
    text = ("game G\nparam bias = 0.1\nplayer Sender, Receiver\nrandom theta ~ Uniform(0, 1)\n"
            "channel m : Sender -> Receiver { carries Tokens(1, 4) }\ncommit Sender\nsend m by Sender knowing theta\n"
            "decide a : Real by Receiver knowing m\ncost Sender = (a - theta - bias)^2\ncost Receiver = (a - theta)^2\n")
    _, card = solved(problem(text))
    assert value(card, "cost(Sender)") == pytest.approx(1 / 192 + 0.01, rel=0.01)
    assert regrets(card)["Sender"].ex_ante < 1e-3


# ---------------------------------------------------------------- what a commitment is not


def test_a_team_has_nobody_to_lead():
    p = problem("game G\nplayer A, B\nteam T = A, B\ncommit A\ndecide a : Real by A knowing nothing\n"
                "decide b : Real by B knowing nothing\ncost T = (a - 1)^2 + (b - a)^2\n")
    assert p.leaders == () and "affine" in plan(p, Settings())[0]


def test_nobody_responds_where_everybody_commits():
    p = problem("game G\nplayer A, B\ncommit A\ncommit B\ndecide a : Real by A knowing nothing\n"
                "decide b : Real by B knowing nothing\ncost A = (a - 1)^2 + 0.8 * a * b\ncost B = (b - 1)^2 + 0.8 * a * b\n")
    assert p.leaders == ()
    _, card = solved(p)
    assert value(card, "cost(A)") == pytest.approx(0.489795918, abs=1e-8)


def test_engines_for_equilibria_do_not_take_a_game_with_a_leader():
    p = game_file("two_by_two", announced=1)
    for name in ("affine", "sweeps", "networks"):
        with pytest.raises(GameError) as caught:
            plan(p, Settings(engine=name))
        assert caught.value.diagnostics[0].code == "L006"
    with pytest.raises(GameError):
        plan(game_file("two_by_two"), Settings(engine="stackelberg"))


@pytest.mark.parametrize("member", [1, 2])
def test_one_of_a_symmetric_family_cannot_lead_the_others(member):
    """They share one policy: what one announces is what all do."""
    p = problem(f"game G\nplayer F[2] symmetric\ncommit F[{member}]\nfor i in F {{ decide q[i] : Positive by F[i] knowing nothing }}\n"
                "let p = 1 - sum(q)\nfor i in F { payoff F[i] = p * q[i] }\n")
    assert [x.label for x in p.leaders] == [f"F[{member}]"]
    with pytest.raises(GameError) as caught:
        plan(p, Settings())
    assert "share" in caught.value.diagnostics[0].message


def test_regrets_that_cannot_be_computed_are_an_alarm():
    draws = "".join(f"random t{i} ~ Normal(0, 1)\n" for i in range(8))
    names = [f"t{i}" for i in range(8)]
    p = problem(f"game G\nplayer L, F\n{draws}commit L\nlet s = {' + '.join(names)}\ndecide x : Real by L knowing {', '.join(names)}\n"
                "decide y : Real by F knowing nothing\ncost L = (x - s)^2 + 0.3 * x * y + 0.1 * (y - 1)^2\ncost F = (y - x - 1)^2\n")
    _, card = solved(p)
    # x = a + s costs a^2 + 0.3 a (a + 1) + 0.1 a^2, as y = a + 1: least at a = -0.3 / 2.8
    assert value(card, "cost(L)") == pytest.approx(1.4 * (0.3 / 2.8) ** 2 - 0.3 * 0.3 / 2.8, abs=1e-8)
    assert np.isnan(regrets(card)["L"].ex_ante) and any("L could gain" in a for a in card.alarms)
