"""Regrets against brute force: matrix games, two moves in sequence, Cournot and auctions away from equilibrium."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import chance, problem, rule

from dcgc.verify.judge import judge
from dcgc.verify.regrets import player_regrets


def regrets(p, profile):
    rows, _ = player_regrets(p, profile)
    return {r.player: r for r in rows}


def matrix(m) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{x:.6f}" for x in row) + "]" for row in m) + "]"


@pytest.mark.parametrize("seed", range(3))
def test_bimatrix_games(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(2, 5, 2)
    a, b = np.round(rng.normal(size=(2, rows, columns)), 6)
    x, y = rng.dirichlet(np.ones(rows)), rng.dirichlet(np.ones(columns))
    p = problem(f"game G\nplayer A, B\nparam M = {matrix(a)}\nparam W = {matrix(b)}\n"
        f"decide r : Choice({rows}) by A knowing nothing mixed\n"
                f"decide c : Choice({columns}) by B knowing nothing mixed\npayoff A = M[r, c]\npayoff B = W[r, c]\n")
    found = regrets(p, {"r": chance(lambda: x), "c": chance(lambda: y)})
    assert found["A"].ex_ante == pytest.approx((a @ y).max() - x @ a @ y, abs=1e-7)
    assert found["B"].ex_ante == pytest.approx((x @ b).max() - x @ b @ y, abs=1e-7)
    assert found["A"].exact and found["B"].exact
    assert np.isnan(found["A"].unreached)


@pytest.mark.parametrize("seed", range(3))
def test_two_moves_with_public_history(seed):
    """The follower's regret ex ante counts what is reached, its conditional one also what the leader never plays."""
    rng = np.random.default_rng(10 + seed)
    a, b = np.round(rng.normal(size=(2, 3, 3)), 6)
    p = problem(f"game G\nplayer A, B\nparam M = {matrix(a)}\nparam W = {matrix(b)}\n"
        f"decide r : Choice(3) by A knowing nothing mixed\n"
                "decide c : Choice(3) by B knowing r mixed\npayoff A = M[r, c]\npayoff B = W[r, c]\n")
    best = b.argmax(1)
    worst_at = int(rng.integers(3))
    reply = np.eye(3)[best]
    reply[worst_at] = np.eye(3)[b[worst_at].argmin()]
    x = np.ones(3) / 2
    x[worst_at] = 0
    found = regrets(p, {"r": chance(lambda: x), "c": table(reply)})
    values = (a * reply).sum(1)
    assert found["A"].ex_ante == pytest.approx(values.max() - x @ values, abs=1e-6)
    assert found["B"].ex_ante == pytest.approx(0, abs=1e-6)
    assert found["B"].unreached == pytest.approx(b[worst_at].max() - b[worst_at].min(), rel=1e-4)


def table(rows):
    """The rows of probabilities, one for each option of the Choice that is known (along that choice's coordinate)."""
    from dcgc.lower.evaluate import evaluate
    from dcgc.lower.variable import Variable

    def follow(world, d):
        v = evaluate(world, d.observations[0].expression)
        return Variable(v.dims, jnp.asarray(v.data) @ jnp.asarray(rows))

    return follow


def test_incomplete_information_by_enumeration():
    """Types, signals, two actions: every pure strategy tried by hand."""
    text = """game G
player A, B
random t ~ Bernoulli(0.3)
random s ~ Bernoulli(if t then 0.8 else 0.4)
decide a : Bool by A knowing s mixed
decide b : Bool by B knowing nothing mixed
cost A = (a - t)^2 + 0.7 * a * b
cost B = (b - a)^2 + 0.2 * b * t
"""
    pa, pb = {0: 0.25, 1: 0.6}, 0.35
    p = problem(text)
    found = regrets(p, {"a": chance(lambda s: 0.25 + 0.35 * s), "b": chance(lambda: pb)})

    def costs(policy_a, policy_b):
        total = np.zeros(2)
        for t, s, a, b in itertools.product((0, 1), repeat=4):
            w = (0.3 if t else 0.7) * (lambda q: q if s else 1 - q)(0.8 if t else 0.4)
            w *= policy_a[s] if a else 1 - policy_a[s]
            w *= policy_b if b else 1 - policy_b
            total += w * np.array([(a - t) ** 2 + 0.7 * a * b, (b - a) ** 2 + 0.2 * b * t])
        return total

    now = costs(pa, pb)
    best_a = min(costs({0: i, 1: j}, pb)[0] for i in (0, 1) for j in (0, 1))
    best_b = min(costs(pa, i)[1] for i in (0, 1))
    assert found["A"].ex_ante == pytest.approx(now[0] - best_a, abs=1e-7)
    assert found["B"].ex_ante == pytest.approx(now[1] - best_b, abs=1e-7)


def test_cournot_away_from_equilibrium():
    """q = 2 and q = 3 where a - c - q is the reply to q twice over: (a - c - 3)/2 and (a - c - 2)/2."""
    p = problem("game G\nplayer F, S\ndecide q : Positive by F knowing nothing\ndecide r : Positive by S knowing nothing\n"
                "payoff F = (10 - q - r - 1) * q\npayoff S = (10 - q - r - 1) * r\n")
    found = regrets(p, {"q": rule(lambda: 2.0), "r": rule(lambda: 3.0)})
    assert found["F"].ex_ante == pytest.approx((3 - 2) ** 2, abs=1e-6)
    assert found["S"].ex_ante == pytest.approx((3.5 - 3) ** 2, abs=1e-6)
    at_equilibrium = regrets(p, {"q": rule(lambda: 3.0), "r": rule(lambda: 3.0)})
    assert at_equilibrium["F"].ex_ante == pytest.approx(0, abs=1e-9)


def test_a_corner_is_no_regret():
    """Whose best reply is 0 has no regret at 0, and one elsewhere."""
    p = problem("game G\nplayer F\ndecide q : Positive by F knowing nothing\ncost F = (q + 1)^2\n")
    assert regrets(p, {"q": rule(lambda: 0.0)})["F"].ex_ante == pytest.approx(0, abs=1e-9)
    assert regrets(p, {"q": rule(lambda: 1.0)})["F"].ex_ante == pytest.approx(3, abs=1e-9)


@pytest.mark.parametrize("slope", [0.5, 0.4])
def test_first_price_auction(slope):
    """Two bidders, values uniform, both bid slope * v. Against b = 0.4 v the best bid is min(v/2, 0.4): gain by integration."""
    p = problem("game G\nplayer B[2] symmetric\nfor i in B {\n  random v[i] ~ Uniform(0, 1)\n}\nfor i in B {\n"
        "  decide b[i] : Unit by B[i] knowing v[i]\n}\n"
                "for i in B {\n  payoff B[i] = (b[i] > max(b[others])) * (v[i] - b[i])\n}\n")
    found = regrets(p, {"b[1]": rule(lambda v: slope * v)})
    v = np.linspace(0, 1, 200_001)
    reply = np.minimum(v / 2, slope)
    gain = np.minimum(reply / slope, 1) * (v - reply) - v * (v - slope * v)
    expected = np.trapezoid(gain, v)
    assert found["B[1]"].ex_ante == pytest.approx(expected, abs=2e-4)
    if slope == 0.4:
        assert expected > 4e-3


def test_only_one_member_of_a_symmetric_family_deviates():
    """cost_i = (u_i - 0.5 u_j - 1)^2 at u = 1: i alone would go to 1.5; the pair together to 2."""
    p = problem("game G\nplayer F[2] symmetric\nfor i in F {\n  decide u[i] : Real by F[i] knowing nothing\n}\n"
                "for i in F {\n  cost F[i] = (u[i] - 0.5 * sum(u[others]) - 1)^2\n}\n")
    found = regrets(p, {"u[1]": rule(lambda: 1.0)})
    assert found["F[1]"].ex_ante == pytest.approx(0.25, abs=1e-7)
    assert regrets(p, {"u[1]": rule(lambda: 2.0)})["F[1]"].ex_ante == pytest.approx(0, abs=1e-9)


def test_noisy_signals():
    """A linear reply that is not the conditional mean: E (k y - E[x|y])^2."""
    p = problem("game G\nplayer A\nrandom x ~ Normal(0, 2)\nrandom w ~ Normal(0, 1)\ndecide u : Real by A knowing x + w\n"
        "cost A = (u - x)^2\n")
    for k in (0.8, 0.5):
        assert regrets(p, {"u": rule(lambda y, k=k: k * y)})["A"].ex_ante == pytest.approx((k - 0.8) ** 2 * 5, abs=1e-5)


def test_a_reply_to_what_another_sees_too():
    """A decides on x and moves B's observation: B's reaction is held fixed as a policy, but it reacts."""
    p = problem("game G\nplayer A, B\nrandom x ~ Normal(0, 1)\nrandom w ~ Normal(0, 1)\ndecide u : Real by A knowing x\n"
        "let y = u + w\n"
                "decide v : Real by B knowing y\ncost A = (u - x)^2 + v^2\ncost B = (v - u)^2\n")
    # v = y/2 = (u + w)/2: A's cost (u - x)^2 + u^2/4 + 1/4, least at u = 0.8 x
    found = regrets(p, {"u": rule(lambda x: x), "v": rule(lambda y: y / 2)})
    assert found["A"].ex_ante == pytest.approx(0.25 - 0.2, abs=1e-4)
    assert found["B"].ex_ante == pytest.approx(0, abs=1e-6)


def test_a_message_that_only_its_listener_pays_for():
    """What A sends stands in no payment: it only moves the law of what B hears, and the listener's u = y/2 enters A's cost. Over
    noise of standard deviation 1 / sqrt(2^4 - 1) (2 bits), the best word at x is the one nearest to 2 (x + 1/4) within the power."""
    p = problem("game G\nplayer A, B\nrandom x ~ Uniform(-1, 1)\nchannel m : A -> B { carries Real; budget 2 bits }\n"
                "send m by A knowing x\ndecide u : Real by B knowing m\ncost A = (u - x - 0.25)^2\ncost B = (u - x)^2\n")
    found = regrets(p, {"sent(m)": rule(lambda x: x), "u": rule(lambda y: y / 2)})
    x = np.linspace(-1, 1, 200_001)
    gain = (x / 2 - x - 0.25) ** 2 - (np.clip(2 * x + 0.5, -1, 1) / 2 - x - 0.25) ** 2
    assert found["A"].ex_ante == pytest.approx(gain.mean(), abs=1e-4)
    assert found["A"].ex_ante < gain.mean() * 1.01
    best = regrets(p, {"sent(m)": rule(lambda x: jnp.clip(2 * x + 0.5, -1, 1)), "u": rule(lambda y: y / 2)})
    assert best["A"].ex_ante == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("owner", "counts"), [("T", False), ("B", True)])
def test_replies_off_the_path_count_where_somebody_could_threaten(owner, counts):
    """B errs only where A never goes. A team minimises one cost, to which that adds nothing; between two players it is a threat."""
    p = problem("game G\nplayer A, B\nteam T = A, B\ndecide a : Interval(0, 1) by A knowing nothing\ndecide b : Real by B knowing a\n"
                f"cost T = a + 1\ncost {owner} = (b - a)^2\n")
    found = judge(p, {"a": rule(lambda: 0.0), "b": rule(lambda a: jnp.where(a < 0.3, a, a + 2))})
    assert (found.regret > 0.5) == counts
    assert counts or found.regret < 1e-4


def test_far_deviations():
    """The best reply lies far from everything that is played."""
    p = problem("game G\nplayer A\ndecide u : Real by A knowing nothing\ncost A = (u - 10)^2\n")
    assert regrets(p, {"u": rule(lambda: 0.0)})["A"].ex_ante == pytest.approx(100, rel=1e-6)


def test_stackelberg_off_the_path():
    """The follower sees q exactly; a reply that is right only at the leader's q has a regret at the others."""
    p = problem("game G\nplayer L, F\ndecide q : Interval(0, 10) by L knowing nothing\n"
        "decide r : Interval(0, 10) by F knowing q\n"
                "payoff L = (10 - q - r) * q\npayoff F = (10 - q - r) * r\n")
    right = regrets(p, {"q": rule(lambda: 5.0), "r": rule(lambda q: (10 - q) / 2)})
    assert right["L"].ex_ante == pytest.approx(0, abs=1e-3)
    assert right["F"].ex_ante == pytest.approx(0, abs=1e-6)
    assert right["F"].unreached == pytest.approx(0, abs=1e-3)
    wrong = regrets(p, {"q": rule(lambda: 5.0), "r": rule(lambda q: jnp.where(jnp.abs(q - 5) < 0.3, 2.5, 0.0))})
    assert wrong["F"].ex_ante == pytest.approx(0, abs=1e-6)
    assert wrong["F"].unreached == pytest.approx(25, rel=1e-2)  # at q = 0: 5 * 5


def test_two_decisions_of_one_player():
    """a = b costs 1: changing either gains 1, changing both gains nothing. What is reported is never more than the regret, 1."""
    p = problem("game G\nplayer A\ndecide a : Bool by A knowing nothing mixed\ndecide b : Bool by A knowing nothing mixed\n"
                "cost A = a * b + (not a) * (not b)\n")
    found = regrets(p, {"a": chance(lambda: 1.0), "b": chance(lambda: 1.0)})["A"]
    assert found.ex_ante <= 1 + 1e-6
    assert not found.exact or found.ex_ante == pytest.approx(1)
    assert found.ex_ante > 0.9


def test_sampled_games_have_lower_bounds():
    """A large family has no grid: what is found is a lower bound, says so, and is the regret for a linear deviation."""
    p = problem("game G\nplayer F[12] symmetric\nfor i in F {\n  random c[i] ~ Normal(1, 0.5)\n}\nfor i in F {\n"
        "  decide q[i] : Real by F[i] knowing c[i]\n}\n"
                "for i in F {\n  cost F[i] = (q[i] - c[i])^2 + 0.1 * sum(q[others])^2\n}\n")
    found = regrets(p, {"q": rule(lambda c: 0.8 * c)})["F[1]"]
    assert not found.exact
    assert found.ex_ante <= 0.04 * 1.25 * 1.01
    assert found.ex_ante == pytest.approx(0.04 * 1.25, rel=0.02)
