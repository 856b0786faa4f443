"""Equations in stages that are not written out: no root, and several, are told with the line and how often, where the stage is reached."""

from __future__ import annotations

import jax
import pytest
from small_games import problem, rule

from dcgc.lower.stages import Stages
from dcgc.primitives.relaxations import Relaxation
from dcgc.verify.stage_equations import stage_equation_alarms

GAME = """game Markets
player A
random w ~ Uniform(0, 1)
solve z in [0.25, 1] : z^3 + z = w^3 + w
state x = 0.3
stage t in 1..4 {
  decide u : Real by A knowing t
  solve p in [0, 1] : p^3 + p = x^3 + x
  HALT
  solve q in [-1, 1] : q^3 = x * q
  cost A = u^2 + p + z
  when t == 2 { cost A = q }
  next x = x + 0.4 + 0 * u
}
train { stages scanned }
"""


def alarms(text):
    p = problem(text)
    stages = Stages(p, figures=True)
    rules = {"u": rule(lambda *_: 0.0)}
    before = stages.outside.draw(jax.random.key(5), 4096, True)
    after = stages.play(rules, before, jax.random.key(6), [], relaxation=Relaxation("exact")).after
    return stage_equation_alarms(stages, rules, after)


def test_no_root_and_several_in_stages():
    """x = 0.3, 0.7, 1.1, 1.5: p has no root in half of the stages, q three where x < 1, z none where w < 1/4."""
    told = {a.split("`")[1]: a for a in alarms(GAME.replace("HALT", ""))}
    assert set(told) == {"p", "q", "z"}
    assert "[R002] test.dcg:8:" in told["p"] and "probability 0.5" in told["p"]
    assert "[R003] test.dcg:10:" in told["q"] and "several" in told["q"] and "probability 0.5;" in told["q"]
    assert "[R002] test.dcg:4:" in told["z"] and float(told["z"].rsplit(" ", 1)[1]) == pytest.approx(0.25, abs=0.02)


def test_stages_that_are_not_reached_do_not_count():
    told = {a.split("`")[1]: a for a in alarms(GAME.replace("HALT", "halt when t == 2"))}
    assert "p" not in told and "probability 1;" in told["q"]
