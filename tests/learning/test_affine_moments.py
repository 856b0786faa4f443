"""Linear-quadratic games as matrices: the same derivatives as on a grid, the same games, and a long horizon against Riccati."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import controlled, game_file, problem

from dcgc.learning.affine_moments import moments
from dcgc.learning.affine_newton import Unknowns, solve_by_moments
from dcgc.learning.own import own_gradient

SHARED = """game Shared
player Firm[3] symmetric
param beta = [0.5, 1, 2]
random demand ~ Uniform(8, 12)
for i in Firm { random c[i] ~ Normal(1, 0.3) }
random shock[2] ~ Normal(0, 1)
for i in Firm { decide q[i] : Positive by Firm[i] knowing c[i], shock[1] }
let p = demand - sum(q) + dot(shock, [1, 0.5])
for i in Firm {
  decide r[i] : Real by Firm[i] knowing p, c[i]
  payoff Firm[i] = (p - c[i]) * q[i] - 0.3 * q[i]^2
  payoff Firm[i] = p * r[i] - r[i]^2 - 0.1 * r[i] * mean(r[others]) - sum(beta[j] * r[j]^2 for j in 1..3 if j != i) / 20
}
"""


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.study) for n in ("public_good", "delayed_sharing")])
def test_derivatives_are_those_on_a_grid(name):
    derivatives_agree(game_file(name))


def test_vectors_families_folds_and_any_law():
    derivatives_agree(problem(SHARED))


def derivatives_agree(p):
    m = moments(p)
    assert m is not None
    u = Unknowns.of(p, 0, 40_000)
    theta = jnp.asarray(np.random.default_rng(0).normal(size=m.layout.count) / 2)
    profile, mine = m.profile(p, theta), np.asarray(m.residual(theta))
    scale = np.abs(mine).max()
    for k, start, size in m.layout.blocks:
        of_all = [own_gradient(p, u.grid, profile, d).policy for d in p.groups[k]]
        gains = np.mean([np.asarray(g.gains[0]) for g in of_all], axis=0)
        offsets = np.mean([np.asarray(g.offsets[0]) for g in of_all], axis=0)
        table = mine[start:start + size].reshape(-1, len(offsets)).T
        np.testing.assert_allclose(table, np.concatenate([gains, offsets[:, None]], axis=1), atol=1e-11 * scale)


def test_what_is_not_quadratic_has_no_matrices():
    text = "game W\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = {}\n"
    assert moments(problem(text.format("(u - x)^2"))) is not None
    assert moments(problem(text.format("exp(u) - u"))) is None
    assert moments(problem(text.format("(u - x)^2 * x"))) is None
    assert moments(game_file("tullock")) is None and moments(game_file("first_price")) is None


@pytest.mark.study
def test_a_controller_with_memory_over_twelve_times():
    p = game_file("lqg", T=12)
    m = moments(p)
    assert m is not None
    (root,) = solve_by_moments(p, m, 0)
    theta = jnp.concatenate([jnp.concatenate([s.policy.gains[0], s.policy.offsets], -1).T.reshape(-1)
                             for s in (root.profile[k] for k, _, _ in m.layout.blocks)])
    assert float(m.expected(theta)[0]) == pytest.approx(controlled(12), rel=1e-9)
