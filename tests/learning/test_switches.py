"""Finite decisions on signals: what is at stake, and where in a cell they switch."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from small_games import game_file, problem

from dcgc.learning import Settings, train
from dcgc.learning.sweeps import finite_costs, sharpened, spread, world_of
from dcgc.lower.plans import Resolution, information_grid
from dcgc.primitives.relaxations import Relaxation
from dcgc.verify import score

GUESS = """game G
player A
random x ~ Normal(0, 1)
decide a : Choice(2) by A knowing x
cost A = (x - 1) * a[1] + (1 - x) * a[2]
"""


def grid_of(p, cells: int):
    profile = {k: (lambda world, d: None) for k in p.groups}
    return information_grid(p, profile, Resolution(seen=cells, cells=True))


def test_stakes_are_what_is_at_stake_on_average():
    """The options differ by 2 |x - 1|: E over a standard normal x, not the 20 at the end of the grid."""
    p = problem(GUESS)
    grid, d = grid_of(p, 300), p.game.decisions[0]
    tables = {d.name: jnp.full((300, 2), 0.5)}
    world = world_of(p, grid, tables, {}, Relaxation("cells"))
    q = finite_costs(p, grid, tables, {}, d)
    x = np.linspace(-9, 9, 200_001)
    expected = np.trapezoid(2 * np.abs(x - 1) * np.exp(-x**2 / 2) / np.sqrt(2 * np.pi), x)
    assert float(spread(p, grid, world, d, q)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("cells", [41, 64, 150])
def test_a_switch_between_two_nodes_stays_where_it_belongs(cells):
    """P(option 1) under the sharp reply is P(x < 1), whatever the grid: with whole cells it would be off by up to half a cell's."""
    p = problem(GUESS)
    grid, d = grid_of(p, cells), p.game.decisions[0]
    tables = {d.name: jnp.full((cells, 2), 0.5)}
    world = world_of(p, grid, tables, {}, Relaxation("cells"))
    table = np.asarray(sharpened(p, grid, world, d, finite_costs(p, grid, tables, {}, d)))
    nodes, weights = np.asarray(grid.nodes["x"]), np.asarray(grid.weights["x"])
    assert np.allclose(table.sum(-1), 1)
    width = nodes[1] - nodes[0]
    assert np.allclose(table[:, 0], np.clip((1 - nodes) / width + 0.5, 0, 1), atol=1e-9)  # the part of the cell below 1
    assert weights @ table[:, 0] == pytest.approx(0.8413447, abs=width**2 / 4)


@pytest.mark.study
@pytest.mark.parametrize(("p", "best"), [(0.0, 0.117482), (0.1, 0.433921)])
def test_words_over_noisy_bits(p, best):
    """Max 1960 without noise; with it the least of forty runs of the channel-optimised Lloyd iteration on 20,001 cells."""
    game = game_file("noisy_bits", p=p)
    found = train(game, Settings(seed=0))
    card = score(game, found.profile)
    assert card.figures["cost(Link)"].value == pytest.approx(best, rel=1e-4)
    assert max(r.ex_ante for r in card.regrets) < 1e-6
    assert not found.alarms and not card.alarms


@pytest.mark.study
def test_nobody_tells_a_rival_its_cost():
    """Every firm wants to be thought cheap, whatever its cost, so that no message can tell anything: the profit is that of no sharing."""
    game = game_file("cournot_sharing")
    found = train(game, Settings(seed=0))
    card = score(game, found.profile)
    assert card.figures["payoff(Firm[1])"].value == pytest.approx(64 / 9 + 1 / 12, rel=1e-3)
    assert max(r.ex_ante for r in card.regrets) < 1e-6
    assert found.name_of(0).startswith("babbling")
