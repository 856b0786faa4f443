"""Laws on lattices of acts: auctions and contests with published equilibria, of kinds that need gaps, dice and unbounded acts."""

from __future__ import annotations

import numpy as np
import pytest

import dcgc
from dcgc.learning import lattice_engine
from dcgc.learning.jumps import comparisons, gaps, relaxed_costs, ways
from dcgc.learning.lattice_engine import LatticeEngine
from dcgc.learning.lattices import carried, refitted
from dcgc.learning.settings import Settings
from dcgc.verify.figures import Figure, Scorecard
from dcgc.verify.functions import policy_function

ALL_PAY = """
game AllPay
player A[2] symmetric
for i in A { random v[i] ~ Uniform(0, 1) }
for i in A { decide bid[i] : Unit by A[i] knowing v[i] }
for i in A { payoff A[i] = (bid[i] > max(bid[others])) * v[i] - bid[i] }
"""
TWO_PRIZES = """
game AllPayTwoPrizes "complete information, prizes 1 and 1/2"
player Strong, Weak
decide a : Unit by Strong knowing nothing mixed
decide b : Unit by Weak knowing nothing mixed
payoff Strong = (a > b) - a
payoff Weak = (b > a) / 2 - b
"""


@pytest.fixture
def small(monkeypatch):
    """Fewer acts, cells and starts, no Newton steps: errors of a percent or two."""
    for name, value in {"SIGNALS": 40, "ACTS": 81, "STARTS": 1, "ROUNDS": 1500, "FITTING": 200, "COEFFICIENTS": (), "REPAIRS": ()}.items():
        monkeypatch.setattr(lattice_engine, name, value)


def solved(text):
    problem, engine, settings = dcgc.load(text).problem, LatticeEngine(), Settings()
    assert engine.refuses(problem) is None
    state = engine.start(problem, settings)
    while not state["done"]:
        state = engine.advance(problem, settings, state, lambda p: None)
    return problem, engine.harvest(problem, settings, state)[0].profile, engine.relaxed_world(
        problem, settings, state, engine.harvest(problem, settings, state)[0].profile), state


@pytest.mark.study
def test_all_pay_auction(small):
    """b = v^2 / 2, payoff 1/6 (Krishna and Morgan 1997)."""
    problem, profile, world, state = solved(ALL_PAY)
    v = np.asarray([0.25, 0.5, 0.8, 0.95])
    np.testing.assert_allclose(policy_function(problem, profile, "bid[1]")(v), v**2 / 2, atol=0.012)
    relaxed = relaxed_costs(problem, world)
    assert relaxed["A[1]"] == pytest.approx(-1 / 6, rel=0.02)
    assert state["gains"][0] < 2e-3


@pytest.mark.study
def test_who_must_be_unpredictable_mixes(small):
    """Baye, Kovenock and de Vries 1996: on [0, 1/2] the strong bid evenly, the weak stay out half the time; payoffs 1/2 and 0."""
    problem, profile, world, _ = solved(TWO_PRIZES)
    assert policy_function(problem, profile, "a")() == pytest.approx(0.25, abs=0.02)
    assert policy_function(problem, profile, "b")() == pytest.approx(0.125, abs=0.02)
    costs = relaxed_costs(problem, world)
    assert costs["Strong"] == pytest.approx(-0.5, abs=0.03)
    assert costs["Weak"] == pytest.approx(0, abs=0.03)


def test_every_jump_says_its_way():
    problem = dcgc.load(ALL_PAY).problem
    assert comparisons(problem) == ("bid[i] > max(bid[others])",)
    (way,) = ways(problem, LatticeEngine())
    assert "1e-05" in way and "integrated over cells" in way


def test_the_gap_is_the_relaxed_figure_less_the_exact_one():
    card = Scorecard({"payoff(A)": Figure("payoff(A)", 0.3, 0.0, "")}, (), (), (), (), "")
    (gap,) = gaps(("payoff(A)",), card, {"A": -0.25})
    assert (gap.label, gap.relaxed, gap.exact) == ("payoff(A)", 0.25, 0.3) and gap.gap == pytest.approx(-0.05)


def test_a_lattice_follows_the_acts():
    nodes = np.linspace(0, 1, 101)
    high = np.where(nodes > 0.9, 1.0, 0.0)
    wider, unfit = refitted(nodes, high / high.sum(), (False, True))
    assert unfit and wider[0] == 0 and wider[-1] == 2
    low = np.where(nodes < 0.1, 1.0, 0.0)
    shorter, unfit = refitted(nodes, low / low.sum(), (False, True))
    assert unfit and shorter[0] == 0 and 0.1 < shorter[-1] < 0.2
    kept, unfit = refitted(nodes, low / low.sum(), (False, False))
    assert not unfit and kept[0] == 0 and kept[-1] == 1 and np.mean(kept < 0.1) > 0.45 and np.all(np.diff(kept) > 0)


def test_a_law_is_the_same_on_another_lattice():
    old, new = np.linspace(0, 1, 41), np.linspace(0, 1, 161) ** 1.5
    law = np.exp(-((old - 0.6) / 0.1) ** 2)[None]
    moved = np.asarray(carried(law / law.sum(), old, new))
    assert moved.sum() == pytest.approx(1)
    assert float((moved @ new)[0]) == pytest.approx(0.6, abs=0.005)
