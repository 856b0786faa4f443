"""Rewrites keep a game's meaning: every game of the folder plays the same before and after, member by member."""

from __future__ import annotations

import numpy as np
import pytest
from small_games import cost, elaborated, figures, natural, problem, rule, sampled

from dcgc.core.expression import Fold, walk
from dcgc.core.site import WRITTEN_OUT, Decision, Random
from dcgc.information.dependence import mentioned
from dcgc.lower import Problem, prepare
from dcgc.lower.world import World
from dcgc.passes import PASSES, simplify

FAMILY = """game G
param N : int = 3
player F[N] symmetric
random a ~ Uniform(0, 1)
for i in F {
  random c[i] ~ Uniform(0, 1)
}
for i in F {
  decide q[i] : Real by F[i] knowing c[i], i
}
for i in F {
  let rest[i] = sum(q[others])
}
for i in F {
  cost F[i] = q[i] * rest[i] + prod(1 + q[j] for j in F if j != i) + min(c[others]) * i + (c[i] - mean(c))^2 + a
}
"""


@pytest.mark.parametrize("n", [2, 4])
def test_written_out_and_in_a_loop_are_the_same(n):
    """The same samples, once through the simplified game and once through the game as elaborated."""
    p = problem(FAMILY, N=n)
    simple = sampled(p, {"q[1]": rule(lambda c, i: c**2 + 0.1 * i)}, 64)
    source, _ = elaborated(FAMILY, N=n)
    raw = Problem(source, source, p.parameters)
    looped = sampled(raw, {"q": rule(lambda c, i: c**2 + 0.1 * i)}, 64)
    assert isinstance(looped, World)
    order = [s for s, _, _ in simple.grid.slots]
    assert order[0] == "a" and len(order) == n + 1
    found = [cost(p, simple, f"F[{i + 1}]") for i in range(n)]
    payment = raw.game.payments[0]
    per_member = np.asarray(looped.expectation(looped.payment(payment)).data)
    assert np.allclose(found, per_member, rtol=2e-2)
    columns = np.asarray(simple.grid.samples)
    a, c = columns[:, 0], columns[:, 1:]
    q = c**2 + 0.1 * np.arange(1, n + 1)
    for i in range(n):
        rest = np.delete(q, i, 1)
        truth = q[:, i] * rest.sum(1) + np.prod(1 + rest, 1) + np.delete(c, i, 1).min(1) * (i + 1) + (c[:, i] - c.mean(1)) ** 2 + a
        assert found[i] == pytest.approx(truth.mean(), rel=1e-9)


def test_nothing_small_is_left_in_a_loop():
    p = problem(FAMILY, N=WRITTEN_OUT)
    assert not p.loops
    assert not any(isinstance(e, Fold) for s in p.game.sites for m in mentioned(s) for e in walk(m))
    assert len(p.game.decisions) == WRITTEN_OUT
    assert problem(FAMILY, N=WRITTEN_OUT + 1).loops


def test_passes_are_idempotent():
    game, _ = elaborated(FAMILY)
    once = simplify(game)
    assert simplify(once) == once
    assert len(PASSES) >= 2


@pytest.mark.parametrize("ground", [natural, sampled])
def test_array_arguments_give_independent_entries(ground):
    p = problem("game G\nplayer A\nrandom x ~ Normal([1, 5], [1, 2])\ndecide u : Real by A knowing x[1]\n"
                "cost A = (u - x[2])^2\nmeasure m = E[x]\nmeasure c = Cov[x[1], x[2]]\nmeasure v = Var[x[2]]\n")
    f = figures(p, ground(p, {"u": rule(lambda x: x)}))
    assert np.allclose(f["m"], [1, 5], atol=0.05) and f["v"] == pytest.approx(4, rel=0.05)
    assert f["c"] == pytest.approx(0, abs=0.05)


def test_rows_of_draws_with_array_arguments():
    """`x[3]` with vector arguments draws three independent vectors, as the checker has it."""
    p = problem("game G\nplayer A\nrandom x[3] ~ Normal([1, 5], [0.1, 0.2])\ndecide u : Real by A knowing x[3, 2]\n"
                "cost A = (u - x[1, 2])^2\nmeasure m = E[x]\n")
    assert np.allclose(figures(p, sampled(p, {"u": rule(lambda x: x)}))["m"], [[1, 5]] * 3, atol=0.02)


def test_arrays_of_draws_fall_into_entries():
    p = problem("game G\nplayer A\nparam s = 2\nrandom x[2, 2] ~ Uniform(0, s)\ndecide u : Real by A knowing x[1, 1]\n"
        "cost A = (u - x[2, 1])^2\nmeasure m = E[x]\n")
    assert [s.name for s in p.game.sites if isinstance(s, Random)] == ["x(1,1)", "x(1,2)", "x(2,1)", "x(2,2)"]
    assert np.allclose(figures(p, natural(p, {}, 3))["m"], 1)


def test_finite_observations_are_marked_and_others_are_not():
    p = problem("game G\nplayer A, B\nparam k = 3\nrandom b ~ Bernoulli(0.5)\nrandom t ~ Categorical(3)\n"
        "random x ~ Normal(0, 1)\n"
                "decide c : Choice(2) by A knowing b * t + k, x * b, t\ndecide v : Real by B knowing 2 * c[1] + 5, c\n"
                "cost A = c[1] * x\ncost B = v^2\n")
    c, v = (d for d in p.game.decisions if isinstance(d, Decision))
    assert [(o.kind, o.numbers) for o in c.observations] == [("values", (3.0, 4.0, 5.0, 6.0)), ("real", ()), ("category", (1.0, 2.0, 3.0))]
    assert [(o.kind, o.numbers) for o in v.observations] == [("values", (5.0, 7.0)), ("choice", (1.0, 2.0))]


def test_prepare_leaves_the_source_alone():
    game, _ = elaborated(FAMILY)
    before = repr(game)
    prepare(game)
    assert repr(game) == before
