"""Taps against finite differences of single plays, and what the study says of policies whose figures are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import dcgc
from dcgc.gradients.signal import signal
from dcgc.learning.network_engine import fitting
from dcgc.lower.plans import sampled_grid
from dcgc.lower.problem import Problem
from dcgc.lower.rollout import rollout
from dcgc.report.tables import plain
from dcgc.report.taps import draw_taps, tap_tables
from dcgc.studies.messages import fisher, responses
from dcgc.studies.samples import independent_grid, world_of
from dcgc.studies.tap_study import study_data, tap_study
from dcgc.studies.taps import message_taps, named_taps, taps

MARKET = """game Market "A firm hears a forecast, sets a price and may stop"
player Forecaster, Firm
random demand ~ Normal(0, 1)
random shock ~ Normal(0, 0.3)
channel m : Forecaster -> Firm { carries Message(2, 2); budget 4 bits }
send m by Forecaster knowing demand
decide price : Real by Firm knowing m
let margin = price - 0.2 * shock
decide open : Bool by Firm knowing m, price
cost Firm = (margin - demand)^2 + open * (0.3 - margin)
cost Forecaster = (price - demand - 0.5)^2 - 0.2 * open
tap margin
tap open
"""
LINK = """game Link "One real through noise"
param sd = 0.5
player Encoder, Decoder
team Both = Encoder, Decoder
random x ~ Normal(0, 2)
channel m : Encoder -> Decoder { carries Real; noise awgn(power = inf, sd = sd) }
send m by Encoder knowing x
decide guess : Real by Decoder knowing m
cost Both = (x - guess)^2
"""
STEP = 1e-5


def fresh(problem: Problem, family: str = "mlp") -> dict[str, Any]:
    """Untrained policies."""
    grid = sampled_grid(problem, 256, 0)
    options = {"width": 5, "layers": 1, "bend": 1.0} if family == "mlp" else {}
    return {k: fitting(problem, grid, ds[0], family, jax.random.key(i), options) for i, (k, ds) in enumerate(problem.groups.items())}


@pytest.fixture(scope="module")
def market() -> tuple[Problem, dict[str, Any]]:
    problem = dcgc.load(MARKET).problem
    return problem, fresh(problem)


def played(problem: Problem, profile: Mapping[str, Any], grid: Any, replaced: Mapping[str, Any]) -> np.ndarray:
    """(players, n): costs of plays in which values were replaced; the Bool at the end is averaged with its probabilities."""
    probabilities = None
    total = 0.0
    for option in (0.0, 1.0):
        play = rollout(problem, profile, grid, 0, {"open": np.full(grid.samples.shape[0], option), **replaced})
        if probabilities is None:
            probabilities = np.asarray(play.full(play.world.choice("open")))
        weight = probabilities[:, int(option)] if "open" not in replaced else 0.5
        total = total + weight * np.stack([np.asarray(play.cost(p)) for p in problem.people])
    return np.asarray(total)


def test_a_message_s_tap_is_the_slope_of_each_sample_s_cost(market: tuple[Problem, dict[str, Any]]) -> None:
    problem, profile = market
    grid = independent_grid(problem, 12, 3)
    found = np.asarray(message_taps(problem, profile, grid)["m"])
    assert found.shape == (2, 12, 2, 2)
    message = np.asarray(rollout(problem, profile, grid).value("m"))
    for entry in ((0, 0), (1, 1)):
        up, down = message.copy(), message.copy()
        up[(slice(None), *entry)] += STEP
        down[(slice(None), *entry)] -= STEP
        slope = (played(problem, profile, grid, {"m": up}) - played(problem, profile, grid, {"m": down})) / (2 * STEP)
        np.testing.assert_allclose(found[(slice(None), slice(None), *entry)], slope, rtol=1e-5, atol=1e-7)


def test_the_tap_of_a_let(market: tuple[Problem, dict[str, Any]]) -> None:
    problem, profile = market
    assert named_taps(problem) == ("margin", "open")
    grid = independent_grid(problem, 12, 4)
    found = taps(problem, profile, grid, named_taps(problem))
    let = np.asarray(rollout(problem, profile, grid).value("margin"))
    slope = (played(problem, profile, grid, {"margin": let + STEP}) - played(problem, profile, grid, {"margin": let - STEP})) / (2 * STEP)
    np.testing.assert_allclose(np.asarray(found["margin"].gradients), slope, rtol=1e-5, atol=1e-7)
    assert found["margin"].players == ("Forecaster", "Firm") and not found["margin"].options


def test_the_tap_of_a_finite_decision_is_the_cost_of_each_option(market: tuple[Problem, dict[str, Any]]) -> None:
    problem, profile = market
    grid = independent_grid(problem, 12, 4)
    found = taps(problem, profile, grid, ["open"])["open"]
    assert found.options and found.gradients.shape == (2, 12, 2)
    by_option = [np.stack([np.asarray(rollout(problem, profile, grid, 0, {"open": np.full(12, k)}).cost(p)) for p in problem.people])
                 for k in (0.0, 1.0)]
    np.testing.assert_allclose(np.asarray(found.gradients[..., 1]), (by_option[1] - by_option[0]) / 2, rtol=1e-9, atol=1e-12)


def test_words_have_the_cost_of_each_word() -> None:
    problem = dcgc.load("cheap_talk").problem
    profile = fresh(problem)
    profile["a"] = fitting(problem, sampled_grid(problem, 64, 0), problem.groups["a"][0], "table", jax.random.key(5), {})
    grid = independent_grid(problem, 9, 1)
    found = np.asarray(message_taps(problem, profile, grid)["m"])
    plays = [rollout(problem, profile, grid, 0, {"m": np.tile(word, (9, 1))}) for word in np.eye(4)]
    words = [np.stack([np.asarray(play.cost(p)) for p in problem.people]) for play in plays]
    costs = np.stack(words, -1)
    np.testing.assert_allclose(found, costs - costs.mean(-1, keepdims=True), rtol=1e-9, atol=1e-12)


def test_affine_policies_have_the_figures_of_the_formula() -> None:
    problem = dcgc.load(LINK).problem
    profile = fresh(problem, "affine")
    grid = independent_grid(problem, 600, 2)
    encoder, decoder = (problem.groups[n][0] for n in ("sent(m)", "guess"))
    world = world_of(problem, profile, grid)
    x, sent, m, guess = (np.asarray(world.value(n).data) for n in ("x", "sent(m)", "m", "guess"))
    gain, reply = np.polyfit(x, sent, 1)[0], np.polyfit(m, guess, 1)[0]
    (channel,) = problem.game.channels
    told = fisher(problem, profile, channel, grid)
    assert told is not None and told.whitened and told.rank == pytest.approx(1.0)
    assert told.eigenvalues[0] == pytest.approx((gain * x[:512].std() / 0.5) ** 2, rel=1e-6)
    (made,) = responses(problem, profile, channel, grid)
    assert made.decision == decoder.name and made.singular_values[0] == pytest.approx(abs(reply), rel=1e-6)
    study = tap_study(problem, profile, 600, 2)
    (tapped,) = study.tapped
    slopes = 2 * (guess - x) * reply
    assert [p.player for p in tapped.players] == ["Encoder", "Decoder"]
    assert tapped.players[0].norm == pytest.approx(np.abs(slopes).mean(), rel=1e-6)
    assert float(tapped.players[0].signal.ratio) == pytest.approx(float(signal(jnp.asarray(slopes)[:, None]).ratio), rel=1e-6)
    assert tapped.sender is not None and tapped.sender.agreement is not None and tapped.sender.parameters == 2
    assert float(tapped.sender.agreement.cosine) > 0.9
    assert float(tapped.sender.agreement.squared_bias) < 4 * float(tapped.sender.agreement.squared_bias_error)
    assert encoder.name == "sent(m)"


def test_the_study_as_tables_figure_and_data(market: tuple[Problem, dict[str, Any]], tmp_path: Any,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    problem, profile = market
    monkeypatch.setattr("dcgc.studies.sender.POINTS", 256)
    study = tap_study(problem, profile, 128)
    text = "\n".join(plain(t) for t in tap_tables(study))
    assert "margin" in text and "Fisher" in text and "price" in text
    (path, data) = draw_taps(study, "Market", str(tmp_path)), study_data(study)
    assert path is not None and (tmp_path / "taps.svg").read_text().startswith("<?xml")
    assert len(data["taps"]["m"]["players"]["Firm"]["norm_per_token"]) == 2
    assert {r["decision"] for r in data["taps"]["m"]["responses"]} == {"price", "open"}
    assert data["taps"]["m"]["fisher"]["effective_rank"] == pytest.approx(1.0, abs=1e-6)  # one number is known
