"""Training through the scan over stages, against backward recursions that are worked out here."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_games import elaborated, game_file, problem

from dcgc.learning import Settings, train
from dcgc.learning.anderson import accelerated
from dcgc.learning.stage_engine import StageAffineEngine, StageEngine, common_draws
from dcgc.learning.stage_gradients import exchangeable, movers, own_gradients
from dcgc.learning.stage_sweep import places_by_stage
from dcgc.lower.stages import Stages
from dcgc.source import GameError

SCANNED = "\ntrain { stages scanned }\n"


def oligopoly(firms, seasons, a=10.0, s=0.2, beta=0.9, sd=0.3, mean=1.0):
    """(level, slope in the price, slope in the own cost) of every season: each firm sets its margin against what its sales do to the
    price of the next season, whose worth is A + B p + C p^2."""
    b = c = 0.0
    g = 2 * s / firms
    out = []
    for _ in range(seasons):
        d, h = 1 - 2 * beta * g * g * c, 2 * beta * g * c
        by_cost = -1 / d
        by_price = (1 - h * (1 - s)) / (d - h * g * (firms - 1))
        level = (-beta * g * b - h * s * a + h * g * (firms - 1) * by_cost * mean) / (d - h * g * (firms - 1))
        out.append((level, by_price, by_cost))
        typical = level + by_cost * mean
        p0, p1 = s * a - g * firms * typical, (1 - s) - g * firms * by_price
        b, c = (typical - mean * by_price - typical * by_price + beta * (b * p1 + 2 * c * p0 * p1),
                by_price - by_price**2 / 2 + beta * c * p1 * p1)
    return np.array(out[::-1])


def coefficients(strategy):
    slopes = np.asarray(strategy.policy.gains[:, 0] / strategy.scale)
    return np.column_stack([np.asarray(strategy.policy.offsets[:, 0]) - slopes @ np.asarray(strategy.location), slopes])


@pytest.mark.parametrize(("firms", "accuracy"), [(2, 1e-7), pytest.param(40, 2e-4, marks=pytest.mark.study)])
def test_a_dynamic_oligopoly_is_that_of_backward_recursion(firms, accuracy):
    """Few draws have matched moments and give it to rounding; many leave a trace of their sampling, which a crowd of firms makes small."""
    p = problem(game_file_text("dynamic_oligopoly") + SCANNED, N=firms, T=4)
    engine, settings = StageAffineEngine(), Settings(restarts=1)
    assert p.is_lqg and engine.refuses(p) is None and engine.repeats
    state = engine.advance(p, settings, engine.start(p, settings), lambda _: None)
    (found,) = engine.harvest(p, settings, state)
    (strategy,) = found.profile.values()
    np.testing.assert_allclose(coefficients(strategy), oligopoly(firms, 4), atol=accuracy)


def game_file_text(name):
    from small_games import GAMES

    return (GAMES / f"{name}.dcg").read_text(encoding="utf-8")


@pytest.mark.study
def test_one_policy_for_stages_without_end():
    """Discounted control: x' = x + u + e, cost x^2 + u^2 with d = 0.9: u = -k x, k = d P / (1 + d P), P = 1 + d P - (d P)^2 / (1 + d P)."""
    text = """game Control
player A
random x0 ~ Normal(0, 1)
state x = x0
stage t in 1..inf discount 0.9 {
  random e ~ Normal(0, 0.3)
  decide u : Real by A knowing x
  cost A = x^2 + u^2
  next x = x + u + e
}
"""
    worth = 1.0
    for _ in range(200):
        worth = 1 + 0.9 * worth - (0.9 * worth) ** 2 / (1 + 0.9 * worth)
    p = problem(text)
    engine, settings = StageAffineEngine(), Settings(restarts=1, samples=4000)
    found = engine.harvest(p, settings, engine.advance(p, settings, engine.start(p, settings), lambda _: None))
    (strategy,) = found[0].profile.values()
    assert coefficients(strategy)[0] == pytest.approx([0, -0.9 * worth / (1 + 0.9 * worth)], abs=0.01)


def test_own_gradients_are_finite_differences_of_the_own_cost():
    p = problem(game_file_text("dynamic_oligopoly") + SCANNED, N=9, T=3)
    stages = Stages(p)
    engine, settings = StageAffineEngine(), Settings(restarts=1)
    first = {k: jax.tree.map(lambda x: x[0], s) for k, s in engine.start(p, settings)["strategies"].items()}
    before, inside, mirrored = common_draws(stages, 32, 0)
    gradient, _ = own_gradients(stages, first, {k: s.trainable() for k, s in first.items()}, before, inside, None, mirrored)
    from dcgc.learning.stage_gradients import own_costs

    (mover,) = movers(p)
    (d,) = mover.decisions

    def cost(h):
        import equinox as eqx

        moved = eqx.tree_at(lambda s: s.policy.gains, first["q"], first["q"].policy.gains.at[1, 0, 0].add(h))
        return float(jnp.mean(own_costs(stages, first, mover, {d.name: moved}, before, inside, None, mirrored)))

    assert float(gradient["q"].policy.gains[1, 0, 0]) == pytest.approx((cost(1e-5) - cost(-1e-5)) / 2e-5, rel=1e-6)


def test_members_that_cannot_be_told_apart():
    text = game_file_text("dynamic_oligopoly").split("measure")[0]
    game, _ = elaborated(text)
    assert exchangeable(game, "Firm")
    for other in (text.replace("- q[i]^2 / 2", "- i * q[i]^2 / 2"), text.replace("Normal(1, spread)", "Normal(i, spread)"),
                  text.replace("mean(q)", "q[1]"), text + "payoff Firm[1] = p\n"):
        assert not exchangeable(elaborated(other)[0], "Firm")
    assert len(movers(problem(text + SCANNED))) == 1
    assert len(movers(problem(text.replace("- q[i]^2 / 2", "- i * q[i]^2 / 2") + SCANNED))) == 2


def test_where_the_coefficients_of_a_stage_stand():
    p = problem("""game G
player A
stage t in 1..3 {
  random w ~ Bernoulli(0.5)
  decide u : Real by A knowing w, t
  cost A = (u - w)^2
}
""" + SCANNED)
    places = places_by_stage(p, {"u": jnp.zeros((6, 1, 1))})
    assert places.tolist() == [[0, 3], [1, 4], [2, 5]]  # w is the first digit, t the second


def test_accelerated_iteration_solves_a_linear_system():
    matrix = jnp.eye(20) + 0.2 * jax.random.normal(jax.random.key(0), (20, 20)) / 20**0.5
    x, norm, steps = accelerated(lambda x: matrix @ x - 1.0, jnp.zeros(20), 60, 1e-10)
    assert float(norm) <= 1e-10 and int(steps) < 40
    np.testing.assert_allclose(matrix @ x, np.ones(20), atol=1e-9)


def test_adam_learns_a_bounded_policy_with_a_kink():
    """min (u - |w|)^2 with u in [0, 1] and w uniform on [-2, 2]: u = min(|w|, 1); E = P(|w| > 1) E[(|w| - 1)^2 | ..] = 1/6."""
    p = problem("""game Bounded
player A
stage t in 1..3 {
  random w ~ Uniform(-2, 2)
  decide u : Unit by A knowing w
  cost A = (u - abs(w))^2
}
""")
    assert p.game.block is not None
    engine, settings = StageEngine(), Settings(restarts=1, steps=400, samples=256)
    state = engine.start(p, settings)
    while not state["done"]:
        state = engine.advance(p, settings, state, lambda _: None)
    assert state["costs"][0] == pytest.approx(0.5, abs=0.02)


def test_the_main_job_and_what_it_refuses():
    p = problem("""game Team
player A
random x0 ~ Normal(0, 1)
state x = x0
stage t in 1..3 {
  decide u : Real by A knowing x
  cost A = (x + u)^2 + u^2
  next x = x + u
}
""")
    trained = train(p, Settings(seed=1, restarts=1))
    assert "scan over stages" in trained.engine and not trained.alarms
    left = 1 - np.linspace(0, 1, 100_001)  # one gain in all stages: x shrinks by this factor
    least = min((left**2 + (1 - left)**2) * (1 + left**2 + left**4))
    assert dict(trained.equilibria[0][1])["A"] == pytest.approx(least, rel=0.03)
    with pytest.raises(GameError, match="finite decision"):
        train(problem("""game Crowd
player Firm[20] symmetric
state x = 0
stage t in 1..500 {
  for i in Firm { decide q[i] : Bool by Firm[i] knowing x }
  for i in Firm { cost Firm[i] = q[i] + x }
  next x = mean(q)
}
"""), Settings())
    assert game_file("sticky_prices").game.block is None
