"""A team's descent keeps to its bounds and to its grid."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import problem

from dcgc.learning import Settings, train
from dcgc.learning.sweep_engine import descender
from dcgc.lower.plans import Resolution, information_grid
from dcgc.verify import score

LINE = """game G
player S, R
team T = S, R
random x ~ Normal(0, 1)
channel m : S -> R { carries Real; noise awgn(power = 1, sd = 0.5) }
send m by S knowing x
decide u : Real by R knowing m
cost T = (u - x)^2
"""


def test_power_is_not_exceeded_on_the_way_down():
    """Without the limit the descent would shout until nothing arrives on the grid, where nothing costs: no less than D = 2^(-2C) = 1/5
    (Shannon 1949) can be left at a power of 4 noise variances."""
    p = problem(LINE)
    grid = information_grid(p, {"sent(m)": lambda world, d: world.value("x"), "u": None}, Resolution(61, 61, 161, 17, cells=True),
                            {"m": (-6.0, 6.0)})
    x = np.asarray(grid.nodes["x"])
    tables = {"sent(m)": jnp.asarray(np.clip(x, -1, 1))[None], "u": jnp.asarray(0.8 * np.asarray(grid.nodes["m"]))[None]}
    after, costs = descender(p, {}, 25)(grid, tables)
    assert float(jnp.max(jnp.abs(after["sent(m)"]))) <= 1
    assert 0.2 < float(costs[0]) < 0.4


@pytest.mark.study
def test_a_word_passed_on_over_two_noisy_lines():
    """Babbling is nobody's loss alone, but the team's: the search must not end in it."""
    p = problem(LINE.replace("player S, R", "player S, M, R").replace("team T = S, R", "team T = S, M, R").replace(
        "channel m : S -> R", "channel a : S -> M { carries Real; noise awgn(power = 1, sd = 0.5) }\nchannel m : M -> R").replace(
        "send m by S knowing x", "send a by S knowing x\nsend m by M knowing a"))
    card = score(p, train(p, Settings(seed=0)).profile)
    assert 0.2 < card.figures["cost(T)"].value < 0.47
