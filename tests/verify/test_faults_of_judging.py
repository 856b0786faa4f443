"""What a judge of deviations must not let pass: acts far from play, draws that do not matter, twins, costs that are no numbers."""

from __future__ import annotations

import math

import jax.numpy as jnp
import pytest
from small_games import problem

from dcgc.lower.problem import Problem
from dcgc.lower.strategy import Strategy, finite_sizes, real_inputs
from dcgc.policies.affine import Affine
from dcgc.policies.heads import RealHead
from dcgc.verify.dynamic_programming import by_dynamic_programming
from dcgc.verify.regrets import player_regrets
from dcgc.verify.subgames import subgame_moves

NOISY = """game Noisy
player A, B
state a = 1
stage t in 1..inf discount 0.9 {
  random x ~ Normal(0, 1)
  decide u : Real by A knowing x, a
  decide v : Real by B knowing x, u, a
  cost A = (u - 1)^2 + v^2 + a^2
  cost B = (v - 10)^2 + 0.1 * u^2
  next a = 0.5 * a
}
"""

MOVES = """game Moves
player A, B
random x ~ Normal(0, 1)
decide u : Real by A knowing x
decide v : Real by B knowing x, u
cost A = (u - 1)^2 + v^2
cost B = (v - 10)^2 + 0.1 * u^2
"""

def affine(p: Problem, level: float = 0.0, slope: float = 0.0) -> dict[str, Strategy]:
    """Every real decision: level + slope * (the sum of what it sees)."""
    out = {}
    for name in p.groups:
        d = p.game.site(name)
        n, width = math.prod(finite_sizes(d)), real_inputs(d)
        policy, head = Affine(jnp.full((n, 1, width), slope), jnp.full((n, 1), level)), RealHead(jnp.zeros(()), jnp.ones(()))
        out[name] = Strategy(policy, head, jnp.zeros(width), jnp.ones(width))
    return out


def test_known_draws_that_do_not_matter_are_no_obstacle() -> None:
    p = problem(MOVES)
    profile = affine(p, 8.0)
    assert subgame_moves(p, profile) is not None
    rows = {r.player: r for r in player_regrets(p, profile)[0]}
    assert rows["A"].ex_ante == pytest.approx(49, rel=1e-6) and rows["B"].ex_ante == pytest.approx(4, rel=1e-6)
    assert rows["A"].exact and rows["B"].exact
    p = problem(NOISY)
    judged = by_dynamic_programming(p, affine(p, 8.0))
    assert judged is not None
    assert judged["A"].unreached == pytest.approx(49, rel=1e-6) and judged["B"].unreached == pytest.approx(4, rel=1e-6)
