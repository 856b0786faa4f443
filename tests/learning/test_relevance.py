"""A gradient-aware transformer attends to what matters downstream."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import dcgc
from dcgc.learning.message_engine import MessageEngine
from dcgc.learning.relevance import PLAYS, attended, measured
from dcgc.learning.settings import Settings
from dcgc.lower.plans import sampled_grid
from dcgc.lower.variable import Variable
from dcgc.policies.transformer import Transformer

TEXT = """game Look
player S, R
team T = S, R
random x[3] ~ Normal(0, 1)
channel m : S -> R {{ carries Message(1, 2); noise awgn(power = 1, sd = 0.1) }}
send m by S knowing x[1], x[2], x[3]
decide a : Real by R knowing m
cost T = (a - x[1])^2 + {weight} * (a - x[2])^2
policy S : transformer(layers = 1, heads = 1, width = 8, gradient_aware = true)
policy R : mlp(width = 8, layers = 1)
"""


def started(text: str):
    problem = dcgc.load(text).problem
    state = MessageEngine().start(problem, Settings())
    strategies = {k: jax.tree.map(lambda x: x[0], s) for k, s in state["strategies"].items()}
    return problem, state["strategies"], strategies


def test_relevance_is_the_derivative_by_each_token_times_the_token() -> None:
    problem, _, strategies = started(TEXT.format(weight=0.5))
    grid = sampled_grid(problem, 4, 3)
    speaker = next(k for k, s in strategies.items() if isinstance(s.policy, Transformer))
    found = np.asarray(measured(problem, strategies, (speaker,), grid)[speaker])

    @jax.jit
    def cost(columns):
        """What the team pays where what the sender sees is moved, while the draws that are paid for stay."""
        def moved(world, d):
            return strategies[speaker].moved(world, d, Variable(("sample",), columns))
        world = problem.world(grid, problem.natural, {**strategies, speaker: moved})
        return problem.cost(world, problem.decider(problem.game.decisions[0]))

    seen = np.asarray(strategies[speaker].standardised(
        problem.world(grid, problem.natural, strategies), problem.groups[speaker][0]).data)
    by_hand = np.zeros(3)
    for play in range(4):
        for token in range(3):
            step = np.zeros((4, 3))
            step[play, token] = 1e-4
            slope = float(cost(jnp.asarray(step)) - cost(jnp.asarray(-step))) / 2e-4
            by_hand[token] += abs(slope * seen[play, token])
    np.testing.assert_allclose(found, by_hand, rtol=1e-4)


@pytest.mark.study
def test_training_writes_what_it_measured_into_the_prior() -> None:
    problem = dcgc.load(TEXT.format(weight=0)).problem
    engine, settings = MessageEngine(), Settings(steps=20, batch=64)
    state = engine.advance(problem, settings, engine.start(problem, settings), lambda p: None)
    strategies = {k: jax.tree.map(lambda x: x[0], s) for k, s in state["strategies"].items()}
    speaker = next(k for k, s in strategies.items() if isinstance(s.policy, Transformer))
    policy = strategies[speaker].policy
    expected = measured(problem, strategies, (speaker,), sampled_grid(problem, PLAYS, 0))[speaker]
    np.testing.assert_allclose(policy.relevance, expected / jnp.sum(expected), rtol=0.2)  # measured under the uniform prior
    shares = jnp.exp(policy.log_prior()[2:]) / 3
    np.testing.assert_allclose(shares, 0.9 * policy.relevance + 0.1 / 3, rtol=1e-6)


def test_nobody_else_is_touched() -> None:
    problem, stacked, _ = started(TEXT.format(weight=0).replace(", gradient_aware = true", ""))
    out = attended(problem, stacked, {}, 0, True)
    assert all(out[k] is stacked[k] for k in stacked)


def test_a_relevance_that_is_no_number_changes_nothing() -> None:
    problem, stacked, _ = started(TEXT.format(weight=0))
    broken = {k: jax.tree.map(lambda x: x * jnp.nan if x.ndim > 2 else x, s) for k, s in stacked.items()}
    speaker = next(k for k, s in stacked.items() if isinstance(s.policy, Transformer))
    out = attended(problem, broken, {}, 0, True)
    assert np.all(np.isfinite(np.asarray(out[speaker].policy.relevance)))
