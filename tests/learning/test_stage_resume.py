"""Trainings of stages that are not written out, killed or stopped after any chunk, end in the same bits."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from small_games import problem

from dcgc.learning import Settings, train
from dcgc.runs.serialise import from_bytes, to_bytes

GAME = """game Stock
player Keeper
random start ~ Normal(0, 1)
state x = 1 + 0.5 * start
stage t in 1..3 discount 0.9 {
  random e ~ Normal(0, 0.2)
  decide u : Real by Keeper knowing x, t
  cost Keeper = x^2 + 2 * u^2
  next x = 0.9 * x + u + e
}
train { stages scanned }
"""
ENDLESS = GAME.replace("1..3", "1..inf").replace("knowing x, t", "knowing x")


class Disk:
    """A store that keeps every state as the bytes of a checkpoint."""

    def __init__(self, first: bytes | None = None):
        self.first, self.states = first, []

    def save(self, state):
        self.states.append(to_bytes(state))

    def load(self):
        return None if self.first is None else from_bytes(self.first)


def bits(profile):
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(profile) if hasattr(x, "dtype")]


@pytest.mark.parametrize(("text", "settings"), [
    (GAME, {"engine": "stage_affine", "restarts": 1}), (ENDLESS, {"engine": "dynamic"}),
    pytest.param(GAME, {"engine": "stages", "steps": 300, "samples": 16, "restarts": 2}, marks=pytest.mark.study)])
def test_a_training_goes_on_from_its_checkpoints(text, settings):
    """Killed: what is left is a checkpoint. Stopped by hand: the state is that after the chunk at hand."""
    p, stopped = problem(text), Disk()
    straight = train(p, Settings(seed=3, **settings))
    train(p, Settings(seed=3, **settings), stopped, stop=lambda: len(stopped.states) >= 1)
    resumed = train(p, Settings(seed=3, **settings), Disk(stopped.states[0]))
    assert bits(resumed.profile) == bits(straight.profile) and resumed.equilibria == straight.equilibria
    assert np.array_equal([h[2] for h in resumed.history], [h[2] for h in straight.history], equal_nan=True)
