"""A player's own gradient against finite differences of its own cost, everybody else's policy (a twin's too) in place."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from small_games import problem

from dcgc.learning.own import own_gradient
from dcgc.learning.starting import keys, strategy
from dcgc.lower.plans import natural_grid

TWINS = """game G
player F[2] symmetric
random a ~ Normal(0, 1)
for i in F {
  random w[i] ~ Normal(0, 0.7)
}
for i in F {
  decide u[i] : Real by F[i] knowing a + w[i]
}
for i in F {
  cost F[i] = (u[i] - a)^2 + u[i] * sum(u[others]) + 0.1 * sum(u)^2
}
"""
SIGNALS = """game G
player A, B
team T = A, B
random x ~ Normal(0.5, 1)
random w ~ Normal(0, 1)
random k ~ Bernoulli(0.4)
decide u : Real by A knowing x, k
let y = u + w
decide v : Real by B knowing y
decide go : Bool by B knowing k mixed
cost T = 0.1 * u^2
cost A = (v - x)^2 + go * u
cost B = (v - u)^2 * (1 + go) + 0.3 * go * v
"""


@pytest.mark.parametrize("text, people", [pytest.param(TWINS, {"u[1]": "F[1]"}, marks=pytest.mark.study),
    (SIGNALS, {"u": "A", "v": "B", "go": "B"})])
def test_against_finite_differences(text, people):
    assert_own_gradients(text, people)


def test_through_another_s_bounds():
    """Where B's action lies at its bound, A cannot move it."""
    assert_own_gradients(SIGNALS.replace("v : Real", "v : Interval(-1, 1)"), {"u": "A"})


def assert_own_gradients(text, people):
    p = problem(text)
    grid, _ = natural_grid(p, 60_000, largest=5)
    family = {k: "affine" if any(o.size is None for o in ds[0].observations) else "table" for k, ds in p.groups.items()}
    profile = {k: strategy(p, grid, ds[0], family[k], key) for (k, ds), key in zip(p.groups.items(), keys(3, 8), strict=False)}
    by_decision = {d.name: profile[p.leader_of[d.name]] for d in p.game.decisions}
    for d in p.game.decisions:
        if d.name not in people:
            continue
        mine = by_decision[d.name]
        spec = mine.trainable()
        gradient = ravel_pytree(eqx.filter(own_gradient(p, grid, profile, d), spec))[0]
        trained, fixed = eqx.partition(mine, spec)
        flat, unravel = ravel_pytree(trained)
        person = next(x for x in p.people if x.label == people[d.name])

        @jax.jit
        def cost(theta, unravel=unravel, fixed=fixed, d=d, person=person):
            rules = {**by_decision, d.name: eqx.combine(unravel(theta), fixed)}
            return p.cost(p.world(grid, p.natural, rules), person)

        step = 1e-5
        differences = [(float(cost(flat + step * e)) - float(cost(flat - step * e))) / (2 * step) for e in np.eye(flat.size)]
        assert np.allclose(gradient, differences, rtol=1e-5, atol=1e-7), d.name
        assert np.max(np.abs(gradient)) > 1e-3


def test_a_large_family_moves_one_member():
    """Twelve members in one vectorised site: the gradient is that of one member's deviation, not of all at once."""
    n = 12
    text = f"game G\nplayer F[{n}] symmetric\nfor i in F {{\n  random c[i] ~ Normal(1, 0.5)\n}}\n" \
           "for i in F {\n  decide q[i] : Real by F[i] knowing c[i]\n}\nfor i in F {\n  cost F[i] = (q[i] - c[i])^2 + q[i] * sum(q)^2\n}\n"
    p = problem(text)
    assert p.loops
    grid, _ = natural_grid(p, 1000, samples=1024)
    d = p.game.decisions[0]
    s = strategy(p, grid, d, "affine", keys(0, 1)[0])
    gradient = own_gradient(p, grid, {d.name: s}, d)
    c = np.asarray(grid.samples)
    c = 1 + 0.5 * c
    flat, unravel = ravel_pytree(eqx.filter(s, s.trainable()))
    fixed = eqx.partition(s, s.trainable())[1]

    def q(theta, x):
        f = eqx.combine(unravel(theta), fixed)
        return np.asarray(jax.vmap(lambda v: f.head(f.raw(np.asarray(0), v[None])))(x)).reshape(-1)

    def cost(theta):
        mine, rest = q(theta, c[:, 0]), np.sum([q(flat, c[:, j]) for j in range(1, n)], 0)
        return np.mean((mine - c[:, 0]) ** 2 + mine * (mine + rest) ** 2)

    differences = [(cost(flat + 1e-5 * e) - cost(flat - 1e-5 * e)) / 2e-5 for e in np.eye(flat.size)]
    assert np.allclose(ravel_pytree(eqx.filter(gradient, s.trainable()))[0], differences, rtol=1e-4, atol=1e-6)
