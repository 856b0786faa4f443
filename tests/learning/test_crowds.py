"""Large families with a public state, and many members with policies of their own, against recursions and closed forms."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import problem

from dcgc.learning import Settings
from dcgc.learning.crowd_replies import alike
from dcgc.learning.dynamic_engine import DynamicEngine
from dcgc.learning.member_engine import MemberEngine
from dcgc.learning.training import ENGINES
from dcgc.verify.regrets import player_regrets

CAPITAL = """game Capital
param N : int = 60
param beta = 0.95
player Firm[N] symmetric
state k = 5
stage t in 1..3 discount beta {
  for i in Firm { decide u[i] : Real by Firm[i] knowing k, t }
  for i in Firm { cost Firm[i] = (k - 1)^2 + u[i]^2 }
  next k = 0.9 * k + sum(u)
}
train { stages scanned }
"""


def first_act(n, stages, k=5.0, beta=0.95, keep=0.9):
    """A member's act in stage 1 of the symmetric feedback equilibrium, V_t(k) = p k^2 + 2 q k + r (Basar and Olsder 1999, chapter 6)."""
    p = q = slope = level = 0.0
    for _ in range(stages):
        slope, level = -beta * p * keep / (1 + beta * p * n), -beta * q / (1 + beta * p * n)
        a, b = keep + n * slope, n * level
        p, q = 1 + slope**2 + beta * p * a * a, -1 + slope * level + beta * (p * a * b + q * a)
    return slope * k + level


def test_a_public_state_that_many_move_is_solved_backward():
    p = problem(CAPITAL)
    engine, settings = DynamicEngine(), Settings()
    assert engine.refuses(p) is None
    state = engine.start(p, settings)
    while not state["done"]:
        state = engine.advance(p, settings, state, lambda _: None)
    (found,) = engine.harvest(p, settings, state)
    policy = found.profile["u[1]"].policy
    act = np.interp(5.0, np.asarray(policy.nodes[0]), np.asarray(policy.values)[0, :, 0])
    assert act == pytest.approx(first_act(60, 3), abs=1e-8)


@pytest.mark.parametrize("slope", [-400.0, -2.0, 0.0, 0.7])
def test_all_alike_reply_to_all_alike_however_steep_the_replies(slope):
    """R(x) = clip(1 + slope x): all moving to their reply would swing between the bounds."""
    at = jnp.linspace(-1.0, 2.0, 7)
    low, high = jnp.full(7, -3.0), jnp.full(7, 3.0)
    found = alike(lambda acts: {"x": jnp.clip(at + slope * acts["x"], low, high)}, {"x": jnp.zeros(7)}, {"x": (low, high)},
                  lambda a, b: jnp.max(jnp.abs(a["x"] - b["x"])))
    np.testing.assert_allclose(found["x"], np.clip(np.asarray(at) / (1 - slope), -3, 3), atol=1e-8)


UNLIKE = """game Unlike
param N : int = 60
player Firm[N]
for i in Firm { let c[i] = 1 + 8 * i / N }
for i in Firm { decide q[i] : Positive by Firm[i] knowing nothing }
let price = 10 - sum(q)
for i in Firm { payoff Firm[i] = (price - c[i]) * q[i] }
"""


def test_members_with_policies_of_their_own_find_who_produces():
    """Cournot with unlike costs: the cheapest produce price less cost each, the others nothing (a closed form by their number)."""
    p = problem(UNLIKE)
    engine, settings = MemberEngine(), Settings()
    assert engine.refuses(p) is None and ENGINES["affine"].refuses(p) is not None
    (found,) = engine.harvest(p, settings, engine.advance(p, settings, engine.start(p, settings), lambda _: None))
    costs = 1 + 8 * np.arange(1, 61) / 60
    price = next(x for m in range(1, 60) if costs[m - 1] < (x := (10 + costs[:m].sum()) / (m + 1)) <= costs[m])
    entries = np.asarray(found.profile["q"].policy.entries)[:, 0]
    np.testing.assert_allclose(entries, np.maximum(price - costs, 0.0), atol=1e-9)
    (regret,) = player_regrets(p, found.profile)[0]
    assert regret.exact and 0 <= regret.ex_ante < 1e-9
    wrong = {"q": eqx.tree_at(lambda s: s.policy.entries, found.profile["q"], jnp.asarray(entries + 0.3 * (np.arange(60) == 40))[:, None])}
    (worse,) = player_regrets(p, wrong)[0]
    gone = price - 0.3 - costs  # what each could have, given the others: 41 loses most by producing
    assert worse.player == "Firm[41]" and worse.ex_ante == pytest.approx(-0.3 * (gone[40]), rel=1e-6)


@pytest.mark.parametrize(("change", "why"), [
    (("sum(q)", "max(q)"), "tied by a max"),
    (("knowing nothing", "knowing i"), None),
    (("for i in Firm { payoff", "player Gov\ndecide g : Real by Gov knowing nothing\ncost Gov = g^2\nfor i in Firm { payoff"), "beside"),
])
def test_members_who_cannot_be_taken_all_at_once_are_refused(change, why):
    found = MemberEngine().refuses(problem(UNLIKE.replace(*change)))
    assert found is None if why is None else why in found
