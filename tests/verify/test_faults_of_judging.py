"""What a judge of deviations must not let pass: acts far from play, draws that do not matter, twins, costs that are no numbers."""

from __future__ import annotations

import math

import jax.numpy as jnp
import pytest
from small_games import problem, rule

from dcgc.door import load
from dcgc.lower.problem import Problem
from dcgc.lower.strategy import Strategy, finite_sizes, real_inputs
from dcgc.policies.affine import Affine
from dcgc.policies.heads import RealHead, head
from dcgc.verify.dynamic_programming import Judged, by_dynamic_programming, judged_regrets
from dcgc.verify.judge import judge
from dcgc.verify.regrets import player_regrets
from dcgc.verify.subgames import subgame_moves

FAR_OFF = """game FarOff
player A
state a = 1
stage t in 1..inf discount 0.9 {
  decide u : Real by A knowing a
  cost A = (u - 100)^2 + a^2
  next a = 0.5 * a
}
"""

FALLING = FAR_OFF.replace("(u - 100)^2", "u")

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


@pytest.mark.study
def test_a_policy_that_plays_0_is_compared_with_acts_far_away_in_stages() -> None:
    """(0 - 100)^2 is paid in each of the stages, whose discounted number is 10."""
    p = problem(FAR_OFF)
    judged = by_dynamic_programming(p, affine(p))
    assert judged is not None
    assert judged["A"].bound == pytest.approx(1e5, rel=1e-6) and judged["A"].unreached == pytest.approx(1e4, rel=1e-6)
    assert judged_regrets(judged) is None
    right = by_dynamic_programming(p, affine(p, 100.0))
    assert right is not None and judged_regrets(right) is not None


def test_a_cost_that_falls_without_end_is_no_exact_regret() -> None:
    p = problem(FALLING)
    judged = by_dynamic_programming(p, affine(p))
    assert judged is not None and judged["A"].bound == math.inf and judged_regrets(judged) is None
    p = problem(MOVES.replace("(v - 10)^2", "v"))
    rows = {r.player: r for r in player_regrets(p, affine(p))[0]}
    assert not rows["B"].exact and rows["B"].ex_ante > 1e6 and "still fall" in rows["B"].method


def test_known_draws_that_do_not_matter_are_no_obstacle_and_far_acts_are_found() -> None:
    p = problem(MOVES)
    profile = affine(p)
    assert subgame_moves(p, profile) is not None
    rows = {r.player: r for r in player_regrets(p, profile)[0]}
    assert rows["A"].ex_ante == pytest.approx(1, rel=1e-6) and rows["B"].ex_ante == pytest.approx(100, rel=1e-6)
    assert rows["A"].exact and rows["B"].exact
    p = problem(NOISY)
    judged = by_dynamic_programming(p, affine(p))
    assert judged is not None
    assert judged["A"].unreached == pytest.approx(1, rel=1e-6) and judged["B"].unreached == pytest.approx(100, rel=1e-6)


HEARD = """game Heard
player A, B
random x ~ Normal(0, 1)
random w ~ Normal(0, 1)
decide u : Real by A knowing x
let y = u + w
decide v : Real by B knowing y
cost A = (u - 100)^2
cost B = (v - w)^2
"""


@pytest.mark.parametrize("power", [2, 4])
def test_a_far_act_that_somebody_hears_through_noise_is_found_beyond_the_grid(power: int) -> None:
    """What B hears of u = 100 lies a hundred standard deviations beyond all that it hears in play."""
    p = problem(HEARD.replace("100)^2", f"100)^{power}"))
    rows = {r.player: r for r in player_regrets(p, {k: rule(lambda a: 0 * a) for k in "uv"} if power == 4 else affine(p))[0]}
    assert rows["A"].ex_ante == pytest.approx(100.0**power, rel=1e-6) and rows["A"].exact == (power == 2)
    assert rows["B"].ex_ante == pytest.approx(1, rel=1e-6) and rows["B"].exact


def test_a_single_cost_that_falls_without_end_is_no_exact_regret() -> None:
    p = problem("game G\nplayer A\nrandom x ~ Normal(0, 1)\ndecide u : Real by A knowing x\ncost A = u + 0 * x\n")
    row, = player_regrets(p, affine(p))[0]
    assert row.ex_ante > 1e5 and not row.exact


def test_a_cost_that_is_no_number_is_no_small_regret() -> None:
    text = "game G\nplayer A\nrandom x ~ Uniform(0, 1)\ndecide u : Real by A knowing x\ncost A = u * log(u)\n"
    p = problem(text)
    row, = player_regrets(p, {"u": rule(lambda x: x - 2)})[0]
    assert math.isnan(row.ex_ante) and not row.exact
    assert judge(p, {"u": rule(lambda x: x - 2)}).regret == math.inf
    p = problem(FAR_OFF.replace("(u - 100)^2", "sqrt(u)"))
    judged = by_dynamic_programming(p, affine(p, -1.0))
    assert judged is not None and not judged["A"].settled and judged_regrets(judged) is None


def in_stages(moves: str, players: str = "player A", first: float = 0) -> str:
    """A game of stages without end, discounted by 0.9, with a state a."""
    return f"game G\n{players}\nstate a = {first}\nstage t in 1..inf discount 0.9 {{\n{moves}\n}}\n"


def judged_at(text: str, **acts: float) -> dict[str, Judged]:
    p = problem(text)
    found = by_dynamic_programming(p, {k: constant_policy(p, k, v) for k, v in acts.items()})
    assert found is not None
    return found


def constant_policy(p: Problem, name: str, level: float) -> Strategy:
    """A Bool's or a bounded number's policy that looks at nothing."""
    d = p.game.site(name)
    width = real_inputs(d)
    output = head("bounded", (), location=0.0, scale=1.0) if d.kind == "real" else head("bool", (), 1)
    return Strategy(Affine(jnp.zeros((1, 1, width)), jnp.full((1, 1), level)), output, jnp.zeros(width), jnp.ones(width), (), d.finite)


def test_what_only_two_decisions_together_gain_in_a_stage_is_no_exact_0() -> None:
    """u v = 1 saves 1 in every stage; from (0, 0) neither saves anything alone."""
    both = "decide u : {0} by A knowing a\ndecide v : {0} by A knowing a\ncost A = (u * v - 1)^2 + 0 * a\nnext a = a"
    for kind, level in (("Bool", -9.0), ("Interval(-2, 2)", 0.0)):
        judged = judged_at(in_stages(both.format(kind)), u=level, v=level)
        assert judged["A"].bound == pytest.approx(10, rel=1e-6) and judged_regrets(judged) is None


def test_what_pays_off_only_where_play_never_goes_is_no_exact_0() -> None:
    """At a >= 3, three stages of effort away, 100 are paid in every stage; no single effort is worth it."""
    judged = judged_at(in_stages("decide u : Interval(0, 1) by A knowing a\ncost A = u - 100 * (a >= 3)\nnext a = a + u"), u=0.0)
    assert judged["A"].unreached == 0 and judged["A"].bound > 100 and judged_regrets(judged) is None


def test_a_sister_is_not_certified_by_her_own_silence() -> None:
    text = in_stages("for i in F { decide u[i] : Interval(-5, 5) by F[i] knowing a }\n"
                     "for i in F { cost F[i] = (u[i] - a)^2 + 0.1 * sum(u) }\nnext a = 0.5 * a", "player F[2] symmetric")
    judged = judged_at(text, **{"u[1]": -0.05})  # a stays 0, and -0.05 is best there alone
    assert judged["F[1]"].decides and not judged["F[2]"].decides and math.isnan(judged["F[2]"].bound)
    assert judged["F[2]"].cost == pytest.approx(10 * (0.0025 - 0.01), rel=1e-6)


def test_what_follows_counts_once_for_those_who_minimise_a_sum() -> None:
    """A's 1 and B's 4 in each of ten stages."""
    text = in_stages("decide u : Interval(-5, 5) by A knowing a\ndecide v : Interval(-5, 5) by B knowing a\n"
                     "cost A = (u - 1)^2 + 0 * a\ncost B = (v - 2)^2\nnext a = a", "player A, B")
    p = load(text, team={"All": "A,B"}).problem
    judged = by_dynamic_programming(p, {k: constant_policy(p, k, 0.0) for k in "uv"})
    assert judged is not None
    assert [judged[k].cost for k in "AB"] == pytest.approx([50, 50], rel=1e-6)
    assert [judged[k].bound for k in "AB"] == pytest.approx([10, 40], rel=1e-6)


def test_members_of_a_symmetric_family_who_are_paid_differently_are_judged_one_by_one() -> None:
    """All play 1: F[2] would rather play 2. In a family whose members can change places the first stands for all."""
    text = "game G\nplayer F[2] symmetric\nfor i in F {{ decide q[i] : Real by F[i] knowing nothing }}\nfor i in F {{ cost F[i] = {0} }}\n"
    p = problem(text.format("(q[i] - i)^2"))
    assert {r.player: r.ex_ante for r in player_regrets(p, affine(p, 1.0))[0]} == pytest.approx({"F[1]": 0, "F[2]": 1}, abs=1e-9)
    p = problem(text.format("(q[i] - 2)^2 * sum(q)"))
    assert [r.player for r in player_regrets(p, affine(p, 2.0))[0]] == ["F[1]"]
    p = problem(in_stages("for i in F { decide u[i] : Interval(-5, 5) by F[i] knowing a }\n"
                          "for i in F { cost F[i] = (u[i] - i)^2 + 0 * a }\nnext a = a", "player F[2] symmetric"))
    judged = by_dynamic_programming(p, {"u[1]": constant_policy(p, "u[1]", 1.0)})
    assert judged is not None and [judged[f"F[{i}]"].bound for i in (1, 2)] == pytest.approx([0, 10], abs=1e-6)
