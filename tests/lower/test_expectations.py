"""Expectations of small games under fixed policies, against plain numpy simulation and closed forms; on every kind of grid."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from small_games import chance, cost, figures, information, natural, problem, rule, sampled

from dcgc.lower.plans import Resolution
from dcgc.lower.variable import Variable

SAMPLES = 400_000


def close(found, samples, floor=0.0):
    """Within five standard errors of a Monte Carlo mean."""
    error = np.std(samples, axis=0) / math.sqrt(len(samples))
    truth = np.mean(samples, axis=0)
    assert np.all(np.abs(np.asarray(found) - truth) <= 5 * error + floor + 1e-9), (found, truth, error)


LAWS = {
    "Normal(0.3, 1.2)": stats.norm(0.3, 1.2), "Uniform(-1, 2)": stats.uniform(-1, 3),
    "LogNormal(0.1, 0.4)": stats.lognorm(0.4, scale=math.exp(0.1)),
    "Exponential(2)": stats.expon(scale=0.5), "Gamma(2.5, 1.5)": stats.gamma(2.5, scale=1 / 1.5), "Beta(2, 3)": stats.beta(2, 3),
    "Student(9)": stats.t(9), "Bernoulli(0.3)": stats.bernoulli(0.3),
    "Categorical([0.2, 0.5, 0.3])": stats.rv_discrete(values=([1, 2, 3], [0.2, 0.5, 0.3])),
    "Categorical(4)": stats.randint(1, 5), "Discrete([-1, 0.5, 4], [0.5, 0.25, 0.25])": stats.rv_discrete(
        values=([0, 1, 2], [0.5, 0.25, 0.25])),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("ground", [pytest.param(natural, marks=pytest.mark.study), information, sampled])
def test_every_law(law, ground):
    """Mean, variance, a tail chance and a policy's cost under each law."""
    p = problem(f"game G\nplayer A\nrandom x ~ {law}\ndecide u : Real by A knowing x\ncost A = (u - x)^2 + 0 * (x > 0.77)\n"
                "measure m = E[x]\nmeasure s = Var[x]\nmeasure q = E[x > 0.77]\n")
    reference = LAWS[law]
    mean, variance, tail = reference.mean(), reference.var(), float(reference.sf(0.77))
    if law.startswith("Discrete"):
        mean, variance, tail = 0.625, 0.5 * 1 + 0.0625 + 4 - 0.625**2, 0.25
    relaxation = {} if ground is sampled else {"relaxation": "cells"}
    world = ground(p, {"u": rule(lambda x: 0.5 * x)}, **relaxation)
    found = figures(p, world)
    loose = {"sampled": (0.02, 0.05), "natural": (2e-3, 6e-3), "information": (2e-3, 6e-3)}[ground.__name__]
    assert abs(found["m"] - mean) <= loose[0] * (1 + abs(mean))
    assert abs(found["s"] - variance) <= loose[1] * (1 + variance)
    assert abs(found["q"] - tail) <= 0.02
    assert abs(cost(p, world, "A") - 0.25 * (found["s"] + found["m"] ** 2)) < 1e-9


@pytest.mark.parametrize("ground", [natural, pytest.param(information, marks=pytest.mark.study)])
def test_dependent_arguments_and_products_of_draws(ground):
    text = """game G
player A, B
random s ~ Uniform(0.5, 1.5)
random mu ~ Normal(1, s)
random k ~ Bernoulli(0.2 + 0.3 * sigmoid(mu))
random y ~ Exponential(if k then 1 else 2 + s)
decide u : Real by A knowing mu, k
decide v : Real by B knowing y
cost A = (u - y)^2 + u * v
cost B = (v - u)^2 * s + 0 * (y > 1)
measure a = E[y * mu]
measure b = Cov[y, mu]
measure c = E[y | k]
measure d = E[mu | not k]
measure e = Var[u + v]
"""
    p = problem(text)
    profile = {"u": rule(lambda mu, k: 0.3 * mu + k), "v": rule(lambda y: jnp.tanh(y))}
    rng = np.random.default_rng(0)
    n = SAMPLES
    s = rng.uniform(0.5, 1.5, n)
    mu = 1 + s * rng.standard_normal(n)
    k = (rng.random(n) < 0.2 + 0.3 / (1 + np.exp(-mu))).astype(float)
    y = rng.exponential(1 / np.where(k == 1, 1, 2 + s))
    u, v = 0.3 * mu + k, np.tanh(y)
    world = ground(p, profile)
    f = figures(p, world)
    close(f["a"], y * mu, 3e-3)
    close(f["b"], (y - y.mean()) * (mu - mu.mean()), 3e-3)
    close(f["c"], y[k == 1], 3e-3)
    close(f["d"], mu[k == 0], 3e-3)
    close(f["e"], (u + v - (u + v).mean()) ** 2, 3e-3)
    close(cost(p, world, "A"), (u - y) ** 2 + u * v, 3e-3)
    close(cost(p, world, "B"), (v - u) ** 2 * s, 3e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_scattered_draws_are_independent(seed):
    """Normals, uniforms and finite draws side by side: first and second moments and all correlations of their base variables."""
    p = problem("game G\nplayer A\nrandom a ~ Normal(0, 1)\nrandom b ~ Uniform(0, 1)\nrandom c ~ Normal(0, 1)\n"
        "random d ~ Bernoulli(0.5)\n"
                "random e ~ Exponential(1)\nrandom f[3] ~ Normal(0, 1)\ndecide u : Real by A knowing a\n"
                "cost A = (u - b * c * d * e * sum(f))^2\n")
    columns = np.asarray(sampled(p, {}, 2**13, seed).grid.samples)
    ranks = np.argsort(np.argsort(columns, 0), 0)
    for table in (columns, ranks, (ranks - ranks.mean(0)) ** 2):
        assert np.max(np.abs(np.corrcoef(table.T) - np.eye(columns.shape[1]))) < 0.03


def test_scattered_expectations_of_mixed_laws():
    p = problem("game G\nplayer A\nrandom s ~ Uniform(0.5, 1.5)\nrandom mu ~ Normal(1, s)\nrandom k ~ Bernoulli(0.5)\n"
                "random y ~ Exponential(if k then 1 else 3)\ndecide u : Real by A knowing mu\ncost A = (u - y)^2\n"
                "measure m = E[mu]\nmeasure y1 = E[y]\nmeasure c = Cov[y, k]\nmeasure v = Var[mu]\n")
    f = figures(p, sampled(p, {"u": rule(lambda x: x)}, 2**13))
    assert [float(f[k]) for k in ("m", "y1", "c", "v")] == pytest.approx([1, 2 / 3, 1 / 6, 13 / 12], abs=0.02)


GAUSSIAN = """game G
player A, B, C
team T = A, B, C
random x ~ Normal(0, 2)
random w ~ Normal(0, 1)
random e ~ Normal(0.5, 0.7)
decide u : Real by A knowing x
let y = u + x + w
decide v : Real by B knowing y
let z = v - 2 * e
decide t : Real by C knowing z, y
cost T = (t - x)^2 + 0.1 * u^2 + v * y + 0 * (y > 1)
measure m = E[t * x]
measure c = Cov[z, y]
measure g = E[x | y > 1]
"""


def test_information_and_natural_grids_agree_with_simulation():
    p = problem(GAUSSIAN)
    profile = {"u": rule(lambda x: 0.4 * x + jnp.sin(x)), "v": rule(lambda y: jnp.tanh(y)), "t": rule(lambda z, y: 0.3 * z + 0.2 * y)}
    assert p.reduction.complete
    roles = {c.role for c in p.reduction.coordinates.values()}
    assert "observation" in roles
    rng = np.random.default_rng(1)
    x, w, e = 2 * rng.standard_normal(SAMPLES), rng.standard_normal(SAMPLES), 0.5 + 0.7 * rng.standard_normal(SAMPLES)
    u = 0.4 * x + np.sin(x)
    y = u + x + w
    v = np.tanh(y)
    z = v - 2 * e
    t = 0.3 * z + 0.2 * y
    a, b = figures(p, natural(p, profile, 40, "cells")), figures(p, information(p, profile, relaxation="cells"))
    for f in (a, b):
        close(f["m"], t * x)
        close(f["c"], (z - z.mean()) * (y - y.mean()))
        close(f["g"], x[y > 1], floor=2e-3)
    ja, jb = cost(p, natural(p, profile, 50), "A"), cost(p, information(p, profile), "A")
    close(ja, (t - x) ** 2 + 0.1 * u**2 + v * y)
    assert abs(ja - jb) < 1e-4 * abs(ja)


def test_when_families_others_folds():
    text = """game G
param N : int = 3
player Firm[N], Regulator
random open ~ Bernoulli(0.4)
random tax ~ Uniform(0, 1)
for i in Firm {
  random c[i] ~ Uniform(1, 1 + i)
}
for i in Firm {
  decide q[i] : Real by Firm[i] knowing c[i], i
}
let price = 10 - sum(q)
for i in Firm {
  payoff Firm[i] = (price - c[i]) * q[i] - max(q[others])
  when open {
    cost Firm[i] = tax * sum(q[j] for j in Firm if j != i)
  }
}
decide r : Real by Regulator knowing open, tax
when tax > 0.5 {
  cost Regulator = (r - price)^2
}
when N > 5 {
  cost Regulator = 1000
}
cost Regulator = 0.1 * r^2
measure top = E[max(q)]
measure share = E[q[2] / sum(q)]
measure size_of = size(Firm) + 0 * E[tax]
measure second = E[q][2]
"""
    p = problem(text)
    profile = {f"q[{i}]": rule(lambda c, i: 3 - c + 0.1 * i) for i in (1, 2, 3)} | {"r": rule(lambda o, t: o + t)}
    rng = np.random.default_rng(2)
    n = SAMPLES
    is_open, tax = (rng.random(n) < 0.4).astype(float), rng.random(n)
    c = rng.uniform(1, 1 + np.arange(1, 4), (n, 3))
    q = 3 - c + 0.1 * np.arange(1, 4)
    price = 10 - q.sum(1)
    worlds = (natural(p, profile, 12, "cells"), sampled(p, profile, 2**15))
    for world, floor in zip(worlds, (3e-3, 2e-2), strict=True):
        f = figures(p, world)
        close(f["top"], q.max(1), floor)
        close(f["share"], q[:, 1] / q.sum(1), floor)
        assert f["size_of"] == pytest.approx(3)
        close(f["second"], q[:, 1], floor)
        for i in range(3):
            rest = np.delete(q, i, 1)
            paid = -((price - c[:, i]) * q[:, i] - rest.max(1)) + is_open * tax * rest.sum(1)
            close(cost(p, world, f"Firm[{i + 1}]"), paid, floor)
        r = is_open + tax
        close(cost(p, world, "Regulator"), (tax > 0.5) * (r - price) ** 2 + 0.1 * r**2, 0.15 if floor > 1e-2 else 1e-2)


@pytest.mark.parametrize("n", [3, 12])
def test_large_families_stay_loops_and_mean_the_same(n):
    """Over eight members nothing is written out: values, accounts, others and folds must not change their meaning."""
    text = """game G
param N : int = 3
player Firm[N] symmetric
random common ~ Normal(0, 1)
for i in Firm {
  random c[i] ~ Normal(common, 0.5)
}
for i in Firm {
  decide q[i] : Real by Firm[i] knowing c[i]
}
for i in Firm {
  let rival[i] = sum(q[others])
  cost Firm[i] = (q[i] - 0.3 * rival[i])^2 + i * sum(q[j] * j for j in Firm if j != i) / 10 + max(q[others])
}
measure m = E[sum(q)^2]
measure rv = E[rival[2] * c[1]]
"""
    p = problem(text, N=n)
    profile = {p.game.decisions[0].name: rule(lambda c: 0.5 * c + 0.1 * c**2)}
    assert p.loops == (n > 8)
    world = sampled(p, profile, 2**13)
    rng = np.random.default_rng(3)
    m = 100_000
    c = rng.standard_normal((m, 1)) + 0.5 * rng.standard_normal((m, n))
    q = 0.5 * c + 0.1 * c**2
    f = figures(p, world)
    close(f["m"], q.sum(1) ** 2, 0.02 * np.mean(q.sum(1) ** 2))
    close(f["rv"], (q.sum(1) - q[:, 1]) * c[:, 0], 0.03)
    weights = np.arange(1, n + 1)
    for i in range(n if n <= 8 else 1):
        rest = np.delete(q, i, 1)
        paid = (q[:, i] - 0.3 * rest.sum(1)) ** 2 + (i + 1) * (q @ weights - q[:, i] * (i + 1)) / 10 + rest.max(1)
        close(cost(p, world, f"Firm[{i + 1}]"), paid, 0.02 * (1 + abs(paid.mean())))


def test_bool_and_choice_are_summed_out():
    text = """game G
player A, B
random theta ~ Categorical([0.5, 0.3, 0.2])
random x[3] ~ Normal(0, 1)
decide a : Choice(3) by A knowing theta mixed
decide b : Bool by B knowing a mixed
decide c : Choice(left, right) by B knowing b mixed
cost A = x[theta]^2 * a[theta] + a[2] * b + [[1, 2], [3, 4], [5, 6]][a, c]
cost B = (c == left) * 2 + (if b then 3 else dot(a, [1, 4, 9])) + (argmax(a) == 3)
measure same = E[a[theta]]
measure left_chance = E[c[left] | b]
measure joint = Cov[b, a[1]]
"""
    p = problem(text)
    pa = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]])
    pb, pc = np.array([0.2, 0.6, 0.9]), np.array([[0.3, 0.7], [0.55, 0.45]])
    profile = {"a": chance(lambda t: jnp.asarray(pa)[jnp.round(t).astype(int) - 1]),
               "b": lambda w, d: Variable(("a",), jnp.stack([1 - jnp.asarray(pb), jnp.asarray(pb)], -1)),
               "c": chance(lambda b: jnp.asarray(pc)[jnp.round(b).astype(int)])}
    prior = np.array([0.5, 0.3, 0.2])
    matrix = np.array([[1, 2], [3, 4], [5, 6]])
    total_a = total_b = same = b_chance = left_b = a1 = a1b = 0.0
    for t in range(3):
        for a in range(3):
            for b in range(2):
                for c in range(2):
                    w = prior[t] * pa[t, a] * (pb[a] if b else 1 - pb[a]) * pc[b, c]
                    total_a += w * ((a == t) + (a == 1) * b + matrix[a, c])
                    total_b += w * (2 * (c == 0) + (3 if b else [1, 4, 9][a]) + (a == 2))
                    same += w * (a == t)
                    b_chance += w * b
                    left_b += w * b * (c == 0)
                    a1 += w * (a == 0)
                    a1b += w * (a == 0) * b
    for world in (natural(p, profile, 24), information(p, profile, Resolution(24, 24, 24, 24, True))):
        f = figures(p, world)
        assert cost(p, world, "A") == pytest.approx(total_a, rel=1e-6)
        assert cost(p, world, "B") == pytest.approx(total_b, rel=1e-10)
        assert f["same"] == pytest.approx(same)
        assert f["left_chance"] == pytest.approx(left_b / b_chance)
        assert f["joint"] == pytest.approx(a1b - a1 * b_chance)


def test_vector_draws():
    """Arrays of draws, MvNormal with correlation, Dirichlet, and a random index into them."""
    text = """game G
player A
param C = [[2, 0.8], [0.8, 1]]
random x ~ MvNormal([1, -1], C)
random p ~ Dirichlet([2, 3, 4])
random m[2, 2] ~ Normal(0, 1)
random k ~ Categorical(2)
decide u : Real by A knowing nothing
cost A = (u - x[1])^2
measure cov = Cov[x[1], x[2]]
measure mean_p = E[p]
measure var_p = Var[p[2]]
measure picked = E[x[k]]
measure square = E[sum(m)^2]
measure row = E[m[k, 1]^2 * k]
measure total = E[sum(p)]
"""
    p = problem(text)
    f = figures(p, sampled(p, {"u": rule(lambda: 0.5)}, 2**13))
    assert f["cov"] == pytest.approx(0.8, abs=0.03)
    assert np.allclose(f["mean_p"], np.array([2, 3, 4]) / 9, atol=5e-3)
    assert f["var_p"] == pytest.approx(3 * 6 / (81 * 10), abs=1e-3)
    assert f["picked"] == pytest.approx(0, abs=0.02)
    assert f["square"] == pytest.approx(4, abs=0.1)
    assert f["row"] == pytest.approx(1.5, abs=0.05)
    assert f["total"] == pytest.approx(1, abs=1e-9)


def test_small_mvnormal_by_quadrature_is_exact():
    p = problem("game G\nplayer A\nrandom x ~ MvNormal([1, -1], [[2, 0.8], [0.8, 1]])\ndecide u : Real by A knowing x[1]\n"
                "cost A = (u - x[2])^2\nmeasure c = Cov[x[1], x[2]]\nmeasure k = E[x[1]^2 * x[2]]\n")
    profile = {"u": rule(lambda x: -1 + 0.4 * (x - 1))}  # the conditional mean
    for world in (natural(p, profile, 12), information(p, profile)):
        f = figures(p, world)
        assert f["c"] == pytest.approx(0.8, abs=1e-6)
        assert f["k"] == pytest.approx(-1 * (2 + 1) + 2 * 1 * 0.8, abs=1e-6)
        assert cost(p, world, "A") == pytest.approx(1 - 0.64 / 2, abs=1e-6)


def test_a_draw_of_two_stays_together():
    """A random index and the thing it points at are one draw, wherever they are used."""
    p = problem("game G\nplayer A\nrandom k ~ Categorical(3)\nrandom v[3] ~ Discrete([0, 1], [0.5, 0.5])\n"
                "decide u : Real by A knowing v[k]\ncost A = (u - v[k])^2 + (v[k] - v[1]) * (k == 1)\n")
    for make in (natural, information):
        assert cost(p, make(p, {"u": rule(lambda v: v)}), "A") == pytest.approx(0, abs=1e-12)


# ------------------------------------------------------------ edges

def test_ties_are_as_written():
    p = problem("game G\nplayer A\nrandom x ~ Discrete([0, 1, 2], [0.2, 0.3, 0.5])\ndecide u : Real by A knowing nothing\n"
                "cost A = u^2\nmeasure gt = E[x > 1]\nmeasure ge = E[x >= 1]\nmeasure lt = E[x < 1]\nmeasure le = E[x <= 1]\n"
                "measure eq = E[x == 1]\nmeasure same = E[x > x] + E[x >= x]\nmeasure s = E[sign(x - 1)]\n")
    for relaxation in ("exact", "cells"):
        f = figures(p, natural(p, {"u": rule(lambda: 0.0)}, relaxation=relaxation))
        assert [float(f[k]) for k in ("gt", "ge", "lt", "le", "eq", "same", "s")] == pytest.approx([0.5, 0.8, 0.2, 0.5, 0.3, 1.0, 0.3])


def test_two_equal_bids_tie_on_a_continuum():
    """A comparison that is a tie everywhere counts as written, also when jumps are spread over cells."""
    p = problem("game G\nplayer A\nrandom x ~ Uniform(0, 1)\ndecide u : Real by A knowing x\ncost A = u^2 + 0 * (u > 0.3)\n"
                "measure gt = E[u > x]\nmeasure ge = E[u >= x]\nmeasure up = E[u > 0.3]\n")
    for make in (natural, information):
        f = figures(p, make(p, {"u": rule(lambda x: x)}, relaxation="cells"))
        assert float(f["gt"]) == pytest.approx(0, abs=1e-9)
        assert float(f["ge"]) == pytest.approx(1, abs=1e-9)
        assert float(f["up"]) == pytest.approx(0.7, abs=1e-3)


def test_what_never_happens_is_absent_and_pays_nothing():
    p = problem("game G\nplayer A\nrandom x ~ Uniform(0, 1)\nrandom b ~ Bernoulli(0.5)\ndecide u : Real by A knowing x\n"
        "cost A = u^2\n"
                "when b and not b {\n  cost A = 1 / 0 * x\n}\nwhen x > 2 {\n  cost A = log(x - 2)\n}\n"
                "measure never = E[x | x > 2]\nmeasure always = E[x | x < 2]\n")
    world = natural(p, {"u": rule(lambda x: x)})
    f = figures(p, world)
    assert np.isnan(f["never"])
    assert f["always"] == pytest.approx(0.5)
    assert cost(p, world, "A") == pytest.approx(1 / 3, rel=1e-3)


def test_branches_not_taken_do_not_count():
    """Infinities and roots of negative numbers in the branch not taken, where nothing is masked by luck."""
    p = problem("game G\nplayer A\nrandom x ~ Discrete([0, 1, 4], [0.2, 0.3, 0.5])\ndecide u : Real by A knowing x\n"
                "cost A = if x > 0 then (u - 1 / x)^2 else u^2\nmeasure l = E[if x > 0 then log(x) else 0]\n"
                "measure q = E[if x > 1 then sqrt(x - 2) else 0]\nmeasure w = E[log(x) | x > 0]\n")
    world = natural(p, {"u": rule(lambda x: 0.5 + 0 * x)})
    f = figures(p, world)
    assert cost(p, world, "A") == pytest.approx(0.2 * 0.25 + 0.3 * 0.25 + 0.5 * 0.0625)
    assert f["l"] == pytest.approx(0.5 * math.log(4))
    assert f["q"] == pytest.approx(0.5 * math.sqrt(2))
    assert f["w"] == pytest.approx(0.5 * math.log(4) / 0.8)


def test_masks_blank_what_is_hidden():
    p = problem("game G\nplayer A\nrandom x ~ Normal(2, 1)\nrandom b ~ Bernoulli(0.3)\ndecide u : Real by A knowing mask(x, b)\n"
                "cost A = (u - x)^2\nmeasure seen = E[mask(x, b)]\n")
    d = p.game.decisions[0]
    assert [o.kind for o in d.observations] == ["bool", "real"]
    profile = {"u": rule(lambda b, x: jnp.where(b > 0.5, x, 2.0))}
    for make in (natural, information):
        world = make(p, profile)
        assert cost(p, world, "A") == pytest.approx(0.7, rel=1e-6)
        assert figures(p, world)["seen"] == pytest.approx(0.6, rel=1e-6)


def test_a_masked_logarithm_is_no_nan():
    p = problem("game G\nplayer A\nrandom x ~ Discrete([0, 1, 2], [0.25, 0.25, 0.5])\nlet y = mask(log(x), x > 0)\n"
                "decide u : Real by A knowing nothing\ncost A = (u - y)^2\nmeasure m = E[y]\n")
    world = natural(p, {"u": rule(lambda: 0.0)})
    assert cost(p, world, "A") == pytest.approx(0.5 * math.log(2) ** 2)
    assert figures(p, world)["m"] == pytest.approx(0.5 * math.log(2))


def test_guarded_moves_and_payments():
    """A payment inside `when` on a player's own decision, nested, with both kinds of condition."""
    text = """game G
player A, B
random x ~ Uniform(0, 1)
decide enter : Bool by A knowing x mixed
decide fight : Bool by B knowing enter mixed
when enter {
  cost A = 1
  when x > 0.5 {
    cost A = 10 * fight
    payoff B = 4 * x
  }
}
cost B = fight
"""
    p = problem(text)
    profile = {"enter": chance(lambda x: x), "fight": chance(lambda e: 0.2 + 0.5 * e)}
    for make in (natural, information):
        world = make(p, profile, relaxation="cells")
        assert cost(p, world, "A") == pytest.approx(0.5 + 10 * 0.7 * 0.375, rel=2e-3)
        assert cost(p, world, "B") == pytest.approx(0.2 * 0.5 + 0.7 * 0.5 - 4 * (1 - 0.125) / 3, rel=2e-3)


def test_accounts_of_teams_count_each_statement_once():
    p = problem("game G\nplayer A, B, F[2]\nteam T = A, B\nteam All = A, F\ndecide u : Real by A knowing nothing\n"
                "decide v : Real by B knowing nothing\nfor i in F {\n  decide w[i] : Real by F[i] knowing nothing\n  cost F[i] = w[i]\n}\n"
                "cost T = u + v\ncost A = 10\npayoff B = 3\ncost All = 100\n"
                "measure t = cost(T)\nmeasure a = cost(A)\nmeasure b = payoff(B)\nmeasure f = cost(F[2])\n"
                "measure all = cost(All)\n"
                .replace("measure all ", "measure every "))
    profile = {"u": rule(lambda: 1.0), "v": rule(lambda: 2.0), "w[1]": rule(lambda: 5.0), "w[2]": rule(lambda: 7.0)}
    f = figures(p, natural(p, profile))
    assert {k: float(v) for k, v in f.items()} == {"t": 3.0, "a": 113.0, "b": 0.0, "f": 107.0, "every": 100.0}


def test_bounds_that_depend_on_what_is_known():
    p = problem("game G\nplayer A\nrandom x ~ Uniform(0, 1)\nparam c = 2\ndecide u : Interval(-x, c * x) by A knowing x\n"
        "cost A = -u\n")
    d = p.game.decisions[0]
    from dcgc.lower.evaluate import evaluate
    w = natural(p, {"u": rule(lambda x: x)})
    x = np.asarray(w.value("x").data)
    assert np.allclose(evaluate(w, d.low).data, -x)
    assert np.allclose(evaluate(w, d.high).data, 2 * x)


def test_ranges_that_do_not_start_at_one():
    """`for k in 2..4` makes x[2], x[3], x[4]."""
    p = problem("game G\nplayer A\nfor k in 2..4 {\n  random x[k] ~ Normal(k, 1)\n}\ndecide u : Real by A knowing x[3]\n"
                "cost A = (u - x[3])^2\nmeasure a = E[x[2]]\nmeasure b = E[x[4]]\nmeasure s = E[sum(x[k] * k for k in 2..4)]\n")
    f = figures(p, natural(p, {"u": rule(lambda x: x)}, 8))
    assert [float(f[k]) for k in ("a", "b", "s")] == pytest.approx([2, 4, 29])
    assert cost(p, natural(p, {"u": rule(lambda x: x)}, 8), "A") == pytest.approx(0)


def test_a_jump_in_a_measure_alone():
    """A comparison that only a measure makes is integrated as sharply as one in a payment."""
    p = problem("game G\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - x)^2\n"
        "measure q = E[x > 0.77]\n")
    assert p.has_steps
    assert figures(p, natural(p, {"u": rule(lambda x: x)}, relaxation="cells"))["q"] == pytest.approx(stats.norm.sf(0.77), abs=2e-3)


def test_a_kink_of_moments_is_none():
    """What a measure does with expectations is not integrated: constrained sensors keep Gauss nodes, hence exact second moments."""
    game = "game G\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = (u - x)^2\n"
    assert not problem(game + "measure gain = abs(Cov[u, x]) / max(Var[x], 1)\n").has_steps
    assert problem(game + "measure gain = E[abs(u)]\n").has_steps and problem(game + "measure q = E[u | x > 0]\n").has_steps


def test_long_ranges_that_do_not_start_at_one():
    """Eleven entries stay a loop; x[3] is still the one of k = 3."""
    p = problem("game G\nplayer A\nfor k in 2..12 {\n  random x[k] ~ Normal(k, 0.01)\n}\ndecide u : Real by A knowing nothing\n"
                "cost A = u^2\nmeasure a = E[x[3]]\nmeasure b = E[x[12]]\nmeasure s = E[sum(x[k] for k in 2..12)]\n"
                "measure t = E[sum(x[k] for k in 3..12 if k > 11)]\n")
    assert p.loops
    f = figures(p, sampled(p, {"u": rule(lambda: 0.0)}, 256))
    assert [float(f[k]) for k in ("a", "b", "s", "t")] == pytest.approx([3, 12, 77, 12], abs=0.02)
