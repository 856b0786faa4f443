"""Regrets of announced policies, followers' responses, and the bound on every announcement: against closed forms and programs."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linprog
from small_games import chance, game_file, problem, rule

from dcgc.lower.strategy import Tabular
from dcgc.verify.regrets import judging_grid, player_regrets
from dcgc.verify.responses import Responses
from dcgc.verify.scoring import score


def regrets(p, profile):
    rows, _ = player_regrets(p, profile)
    return {r.player: r for r in rows}


def matrix(m) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.6f}" for x in row) + "]" for row in m) + "]"


def bimatrix(a, b):
    return problem(f"game G\nplayer A, B\nparam M = {matrix(a)}\nparam W = {matrix(b)}\ncommit A\n"
                   f"decide r : Choice({a.shape[0]}) by A knowing nothing mixed\n"
                   f"decide c : Choice({a.shape[1]}) by B knowing nothing\npayoff A = M[r, c]\npayoff B = W[r, c]\n")


def best_mixed(a, b):
    values = []
    for j in range(a.shape[1]):
        found = linprog(-a[:, j], A_ub=(b - b[:, [j]]).T, b_ub=np.zeros(a.shape[1]), A_eq=np.ones((1, len(a))), b_eq=[1], bounds=(0, 1))
        values.append(-found.fun if found.success else -np.inf)
    return max(values)


def test_nash_play_has_regret_once_it_is_announced():
    """x = y = 1 / 1.4 costs 0.489796; announcing 0.882353 instead brings 0.470588."""
    p = game_file("two_by_two", announced=1)
    found = regrets(p, {"x": rule(lambda: 1 / 1.4), "y": rule(lambda: 1 / 1.4)})
    assert found["X"].ex_ante == pytest.approx(0.4897959184 - 0.4705882353, abs=1e-6) and not found["X"].exact
    assert found["Y"].ex_ante == pytest.approx(0, abs=1e-12) and found["Y"].exact  # followers are judged as ever


def test_bounds_of_what_is_announced_are_kept():
    """The leader would announce 2, and may not go beyond 1: at 1 nothing is left to gain."""
    p = problem("game G\nplayer L, F\ncommit L\ndecide x : Unit by L knowing nothing\ndecide y : Real by F knowing nothing\n"
                "cost L = (x - 2)^2 + 0.1 * y^2\ncost F = (y - x)^2\n")
    found = regrets(p, {"x": rule(lambda: 1.0), "y": rule(lambda: 1.0)})
    assert found["L"].ex_ante == pytest.approx(0, abs=1e-12)
    found = regrets(p, {"x": rule(lambda: 0.5), "y": rule(lambda: 0.5)})
    assert found["L"].ex_ante == pytest.approx((2.25 + 0.025) - (1 + 0.1), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_regret_in_bimatrix_games_is_exact(seed):
    """Any announcement against the best one; the follower replies to it."""
    rng = np.random.default_rng(seed)
    a, b = np.round(rng.normal(size=(2, 3, 3)), 6)
    x = rng.dirichlet(np.ones(3))
    reply = int((x @ b).argmax())
    found = regrets(bimatrix(a, b), {"r": chance(lambda: x), "c": chance(lambda: np.eye(3)[reply])})
    assert found["A"].ex_ante == pytest.approx(best_mixed(a, b) - x @ a[:, reply], abs=1e-7)
    assert found["A"].exact and np.isnan(found["A"].unreached)


def test_telling_all_is_not_the_best_announcement():
    """Who reveals guilt gets 0.3 convicted; 0.6 can be had (Kamenica and Gentzkow 2011)."""
    p = game_file("persuasion")
    rows = np.asarray([[0.0, 1.0], [1.0, 0.0]])  # the first word for the guilty, who are convicted
    found = regrets(p, {"report": Tabular(("guilty",), jnp.asarray(rows)), "convict": Tabular(("report",), jnp.asarray(rows))})
    assert found["Prosecutor"].ex_ante == pytest.approx(0.3, abs=1e-7) and found["Prosecutor"].exact
    assert found["Judge"].ex_ante == pytest.approx(0, abs=1e-9)


def test_an_indifferent_follower_who_does_not_oblige_costs_the_leader():
    """Half and half leaves the column player indifferent: going left, it takes 2 from the row player, and the regret says so."""
    p = game_file("mixed_leadership")
    half = chance(lambda: np.asarray([0.5, 0.5]))
    obliging, not_so = (chance(lambda k=k: np.eye(2)[k]) for k in (1, 0))
    found, margins = regrets(p, {"a": half, "b": not_so}), score(p, {"a": half, "b": obliging}).margins
    assert found["Row"].ex_ante == pytest.approx(2.5 - 0.5, abs=1e-7) and found["Row"].exact
    assert found["Column"].ex_ante == pytest.approx(0, abs=1e-12)
    (margin,) = margins
    assert (margin.player, margin.decision, margin.chance) == ("Column", "b", pytest.approx(1.0)) and margin.given_up == 0


def test_followers_reply_to_each_other():
    """Two followers in quantities: each sells a third of what the leader leaves."""
    p = problem("game G\nplayer L, A, B\ncommit L\ndecide q : Unit by L knowing nothing\ndecide a : Unit by A knowing nothing\n"
                "decide b : Unit by B knowing nothing\nlet p = 1 - q - a - b\npayoff L = p * q\npayoff A = p * a\npayoff B = p * b\n")
    profile = {n: rule(lambda: 0.2) for n in "qab"}
    grid, _ = judging_grid(p, profile, False)
    responses = Responses(p, grid, profile)
    for q in (0.0, 0.4, 1.0):
        rules, moved = responses.respond({"q": rule(lambda q=q: q)}, responses.starts()[0])
        world = responses.world(rules)
        assert float(moved) < 1e-7
        assert [float(world.choice(n).data) for n in "ab"] == pytest.approx([(1 - q) / 3] * 2, abs=1e-6)


def test_a_follower_with_a_curved_cost_is_searched_for():
    """4 (y - 1)^3 + 2 (y - 1) + 0.8 x = 0 has no closed form here."""
    p = problem("game G\nplayer L, F\ncommit L\ndecide x : Interval(0, 2) by L knowing nothing\n"
                "decide y : Interval(0, 2) by F knowing nothing\ncost L = (x - 1)^2 + 0.8 * x * y\n"
                "cost F = (y - 1)^4 + (y - 1)^2 + 0.8 * x * y\n")
    profile = {n: rule(lambda: 0.5) for n in "xy"}
    responses = Responses(p, judging_grid(p, profile, False)[0], profile)
    assert responses.exact == {} and [d.name for d in responses.searched] == ["y"]
    rules, _ = responses.respond({"x": rule(lambda: 0.9)}, responses.starts()[0])
    y = float(responses.world(rules).choice("y").data)
    assert 4 * (y - 1) ** 3 + 2 * (y - 1) + 0.72 == pytest.approx(0, abs=1e-5)
