"""Decisions that remember, in stages that are elaborated once: against the recursions of Riccati and Kalman, and written-out stages."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import GAMES, problem

from dcgc.learning.affine_newton import solve
from dcgc.learning.settings import Settings
from dcgc.learning.stage_moments import Solver
from dcgc.learning.stage_moments_engine import StageMomentsEngine, strategies
from dcgc.lower.linear_stages import unsuitable
from dcgc.lower.stages import Account, Stages
from dcgc.lower.variable import constant
from dcgc.verify.judge import judge
from dcgc.verify.stage_scoring import batches

SCANNED = "\ntrain { stages scanned }\n"


def control(stages, a=1.0, r=0.1, q=0.25, e=0.09, last=0.0):
    """The least cost of x' = a x + u + noise (variance e), paid x^2 + r u^2 a stage and last x^2 at the end, y = x + noise (variance q)."""
    worth = [last]
    for _ in range(stages):
        worth.append(1 + a * a * worth[-1] - (a * worth[-1]) ** 2 / (r + worth[-1]))
    worth = worth[::-1]
    variance, cost = 1.0, worth[0]
    for t in range(stages):
        after = variance * q / (variance + q)
        cost += worth[t + 1] * e + (a * worth[t + 1]) ** 2 / (r + worth[t + 1]) * after
        variance = a * a * after + e
    return cost


def game(name, **settings):
    return problem((GAMES / f"{name}.dcg").read_text(encoding="utf-8") + SCANNED, **settings)


@pytest.fixture(scope="module")
def tracked():
    p = game("tracking", T=8)
    solver = Solver(p)
    return p, solver, solver.solve(solver.random(jax.random.key(0), 0.0))


def test_noisy_control_is_riccati_and_kalman(tracked):
    p, _, found = tracked
    assert StageMomentsEngine().refuses(p) is None
    assert found.costs[0] == pytest.approx(control(8), rel=1e-8) and found.curvature > 0


def test_its_policies_cost_the_same_in_plays(tracked):
    p, solver, found = tracked
    profile = strategies(p, Settings(), solver, found.policies)
    costs = np.concatenate([np.asarray(b.played.costs[0]) for b in batches(p, profile, 2, 4096)])
    assert abs(costs.mean() - control(8)) < 4 * costs.std() / np.sqrt(len(costs))


HELD = """game Held
player A
random x0 ~ Normal(0, 1)
state x = x0
stage t in 1..2 {
  random e ~ Normal(0, 0.3)
  decide u : Real by A knowing x, t
  cost A = x^2 + 0.1 * u^2
  constrain E[u^2] <= 0.2 by A
  next x = x + u + e
}
constrain E[x^2] <= 0.15 by A
"""


@pytest.mark.study
def test_constraints_in_stages_and_after_them_as_written_out():
    """Two budgets of effort and one of where it ends: the same costs as with stages written out, held to rounding of the ascent."""
    p = problem(HELD + SCANNED)
    solver = Solver(p)
    found = solver.solve(solver.random(jax.random.key(0), 0.0))
    assert found.excess.max() < 1e-5 and (found.held >= 0).all() and np.abs(found.held * found.excess).max() < 1e-5
    costs = [judge(problem(HELD), r.profile).costs["A"] for r in solve(problem(HELD), 0)[0] if r.curvature > -1e-7]
    assert found.costs[0] == pytest.approx(min(costs), rel=1e-5)


@pytest.mark.study
def test_a_priced_message_in_every_stage_is_that_of_sims():
    p = game("attention_tracking", T=3)
    solver = Solver(p)
    found = solver.solve(solver.random(jax.random.key(1), 0.3))
    assert found.costs[0] == pytest.approx(0.907379985, rel=1e-6)


@pytest.mark.study
def test_recall_and_a_payment_at_the_end_over_fifty_stages():
    p = game("lqg", T=50)
    solver = Solver(p)
    found = solver.solve(solver.random(jax.random.key(0), 0.0))
    assert found.costs[0] == pytest.approx(control(50, 1.2, 0.5, 0.5, 0.3, 2.0), rel=1e-8)


def test_the_graph_and_its_matrices_do_not_grow():
    """The program of a stage has as many steps for 10 stages as for 100."""
    sizes = []
    for stages in (10, 100):
        solver = Solver(game("tracking", T=stages))
        sizes.append(len(jax.make_jaxpr(solver.linear.matrices)(jnp.asarray(1.0)).eqns))
    assert sizes[0] == sizes[1]


PAST = """game Past
player A
random w0 ~ Normal(0, 1)
state x = w0
stage t in 1..3 {
  random w ~ Normal(0, 1)
  let y = x + w
  decide u : Real by A knowing history(y), history(u), t
  cost A = mean(history(y)) * u + 2 * max(history(u)) + 3 * history(y)[2] + sum(history(u)) * prod(history(y)) + min(history(x) ^ 2)
  next x = 0.5 * x + u
}
cost A = history(u)[2]
"""


def test_histories_are_what_they_are_when_stages_are_written_out():
    """The same acts on the same draws are paid the same, draw by draw."""
    draws = np.random.default_rng(0).normal(size=(5, 4))
    acts = [0.3, -0.7, 1.1]
    p = problem(PAST + SCANNED)
    s = Stages(p)
    rules = {"u": lambda world, d: constant(jnp.asarray(acts)[world.value("t").data.astype(int) - 1])}
    account = Account(p.game.payments)
    inside = jnp.asarray(draws[:, 1:].T[..., None])
    costs = np.asarray(s.play(rules, jnp.asarray(draws[:, :1]), inside, [account]).costs[0])
    expected = []
    for w0, *ws in draws:
        x, ys, us, xs, total = w0, [], [], [], 0.0
        for w, u in zip(ws, acts, strict=True):
            ys.append(x + w)
            us.append(u)
            xs.append(x)
            total += np.mean(ys) * u + 2 * max(us) + 3 * (ys[1] if len(ys) > 1 else 0) + sum(us) * np.prod(ys) + min(np.square(xs))
            x = 0.5 * x + u
        expected.append(total + us[1])
    np.testing.assert_allclose(costs, expected, rtol=1e-12)


def test_whoever_knows_a_history_knows_the_stage():
    p = problem(PAST.replace("history(u), t", "history(u)") + SCANNED)
    (u,) = p.game.decisions
    assert [o.size for o in u.observations] == [None, 3, None] and [o.shape for o in u.observations] == [(3,), (), (3,)]


FAMILY = """game Crowd
player Firm[3] symmetric
state p = 1
stage t in 1..4 {
  for i in Firm { random c[i] ~ Normal(1, 0.3) }
  for i in Firm { decide q[i] : Real by Firm[i] knowing history(c[i]), history(p), history(q[others]) }
  for i in Firm { payoff Firm[i] = (3 + p - sum(q) - c[i]) * q[i] - history(q)[1, i] / 10 }
  next p = 0.5 * p + sum(q) / 10
}
"""


def test_a_family_remembers_member_by_member():
    p = problem(FAMILY + SCANNED)
    first = p.game.decisions[0]
    assert sorted(o.shape for o in first.observations if o.size is None) == [(4,), (4,), (4, 2)] and unsuitable(p) is None


@pytest.mark.study
def test_two_who_remember_are_in_equilibrium_as_written_out():
    """Two firms with private costs that last, each remembering its own past: both forms come to the same costs."""
    text = """game Rivals
player A, B
random a ~ Normal(0, 1)
random b ~ Normal(0, 1)
state p = 0
stage t in 1..3 discount 0.9 {
  random v ~ Normal(0, 1)
  random w ~ Normal(0, 1)
  let ya = a + p + v
  let yb = b - p + w
  decide qa : Real by A knowing history(ya), history(qa), t
  decide qb : Real by B knowing history(yb), history(qb), t
  cost A = (qa - a)^2 + qa * qb / 2 + p^2
  cost B = (qb - b)^2 + qa * qb / 2 - p * qb / 3
  next p = 0.4 * p + 0.3 * (qa - qb)
}
"""
    p = problem(text + SCANNED)
    found = Solver(p).solve(Solver(p).random(jax.random.key(0), 0.0))
    written = problem(text)
    (root,) = [r for r in solve(written, 0)[0] if r.curvature > -1e-7][:1]
    judged = judge(written, root.profile)
    np.testing.assert_allclose(found.costs, [judged.costs["A"], judged.costs["B"]], rtol=1e-6)


