"""Announcements of several decisions at once: correlated equilibria, and weights of sequences against products of laws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from small_games import game_file, problem

from dcgc.learning import obedience
from dcgc.learning.obedience_engine import programs_of
from dcgc.learning.sequence_form import behaviour, chained, restrictions


@dataclass(frozen=True)
class Move:
    name: str
    options: int
    mixed: bool = True


def test_weights_are_products_of_laws():
    """The first decision knows x, the second also y and what the first did."""
    first, second = Move("m", 2), Move("n", 3)
    dims, sizes = {"m": ("x",), "n": ("m", "x", "y")}, {"x": 2, "y": 4, "m": 2}
    assert chained((first, second), dims) and not chained((second, first), dims)
    a, b = restrictions((first, second), dims, sizes)
    random = np.random.default_rng(0)
    one, two = random.dirichlet(np.ones(2), 2), random.dirichlet(np.ones(3), (2, 2, 4))  # (x, m), (m, x, y, n)
    weights = np.concatenate([one.reshape(-1), (one.T[:, :, None, None] * two).reshape(-1)])
    assert np.allclose(a @ weights, b)
    laws = behaviour(weights, (first, second), (2, 16))
    assert np.allclose(laws[0], one) and np.allclose(laws[1], two.reshape(16, 3))
    other = weights.copy()
    other[-1] += 0.1
    assert not np.allclose(a @ other, b)
    assert a.shape[1] - np.linalg.matrix_rank(a) == 2 + 2 * 2 * 4 * 2  # as many freedoms as laws have


def test_a_mediator_reaches_the_best_correlated_equilibrium():
    found = obedience.solve(programs_of(game_file("mediator")))
    assert found is not None and found.cost == pytest.approx(-10.5, abs=1e-9)


SEPARATE = """game Separate
player S, R
random x ~ Bernoulli(0.5)
channel m : S -> R { carries Tokens(1, 2) }
channel n : S -> R { carries Tokens(1, 2) }
commit S
send m by S knowing x mixed
send n by S knowing x mixed
decide a : Bool by R knowing m, n
payoff S = a
payoff R = if x then a else -2 * a
"""


def test_decisions_that_do_not_know_each_other_are_no_sequence():
    assert "does not know" in programs_of(problem(SEPARATE))
    both = SEPARATE.replace("send n by S knowing x", "send n by S knowing x, sent(m)")
    found = obedience.solve(programs_of(problem(both)))
    assert found is not None and found.cost == pytest.approx(-0.75, abs=1e-9)  # 1/2 + 1/4: persuasion with more words than it needs
