"""Terms of the training objective, estimators at single sites, routes that stop: what they change in what is learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import dcgc
from dcgc.cli import main
from dcgc.core.codes import CODES
from dcgc.gradients.estimators import ESTIMATORS
from dcgc.learning.engine import Engine
from dcgc.learning.estimating import estimated_gradient
from dcgc.learning.fresh import columns_that_are_normal, renewed
from dcgc.learning.message_engine import MessageEngine
from dcgc.learning.network_engine import NetworkEngine, pick, scattered, stepper
from dcgc.learning.objective import objective_of
from dcgc.learning.settings import Settings
from dcgc.learning.training import ENGINES, plan, said_of
from dcgc.lower.plans import natural_grid, sampled_grid
from dcgc.lower.problem import Problem
from dcgc.lower.samples import resized
from dcgc.runs.configuration import BadSetting, resolve
from dcgc.runs.folder import RunProblem
from dcgc.semantics import check
from dcgc.semantics.vocabulary import ESTIMATOR_NAMES
from dcgc.source import GameError, Ledger, Source
from dcgc.studies.messages import fisher
from dcgc.studies.samples import independent_grid
from dcgc.studies.taps import named_taps
from dcgc.syntax import format_file, parse

HEAD = """game Link "One Gaussian through Gaussian noise"
player S, R
team Both = S, R
random x ~ Normal(0, 1)
channel m : S -> R { carries Real; noise gaussian }
send m by S knowing x
decide y : Real by R knowing m
policy S : affine
policy R : affine
"""
LINK = HEAD + "cost Both = (x - y)^2\n"
POWER = HEAD + "cost Both = (x - y)^2 + 0.25 * sent(m)^2\n"
VECTOR = """game Vector "Three numbers of unlike weight through four noisy reals"
player S, R
team Both = S, R
random x[3] ~ Normal(0, 1)
channel m : S -> R { carries Message(1, 4); noise awgn(power = 1, sd = 0.4) }
send m by S knowing x
decide y : Real[3] by R knowing m
let miss = x - y
cost Both = miss[1]^2 + miss[2]^2 / 9 + miss[3]^2 / 81
"""
LEWIS = """game Lewis "Two words for three states"
player S, R
team Pair = S, R
random s ~ Categorical([0.5, 0.3, 0.2])
channel m : S -> R { carries Tokens(1, 2) }
send m by S knowing s
decide guess : Choice(3) by R knowing m
payoff Pair = guess[s]
"""
QUIET: Any = lambda p: None  # noqa: E731


def learned(text: str, engine: Engine, **settings: Any) -> tuple[Problem, dict[str, Any]]:
    """What one engine ends with."""
    problem = dcgc.load(text).problem
    asked = Settings(**{"restarts": 1, "width": 16, "layers": 1, **settings})
    assert engine.refuses(problem) is None
    state = engine.start(problem, asked)
    while not state["done"]:
        state = engine.advance(problem, asked, state, QUIET)
    return problem, engine.harvest(problem, asked, state)[0].profile


def cost(problem: Problem, profile: dict[str, Any]) -> float:
    grid, _ = natural_grid(problem, 20_000, largest=60)
    return float(problem.paid(problem.world(grid, problem.natural, profile), problem.people[0]))


def rate(problem: Problem, profile: dict[str, Any]) -> float:
    """The Gaussian bound in nats, from the covariance of what is sent."""
    world = problem.world(sampled_grid(problem, 4096, 3), problem.natural, profile)
    sent = np.asarray(world.value("sent(m)").data).reshape(4096, -1)
    covariance = np.atleast_2d(np.cov(sent.T))
    sd = problem.game.channels[0].sd
    return 0.5 * float(np.linalg.slogdet(np.eye(len(covariance)) + covariance / sd**2)[1])


def rank(problem: Problem, profile: dict[str, Any]) -> float:
    found = fisher(problem, profile, problem.game.channels[0], independent_grid(problem, 512, 5))
    assert found is not None
    return found.rank


# ---------------------------------------------------------------- terms

FAST: dict[str, Any] = {"steps": 400, "samples": 512, "learning_rate": 0.1}


def test_a_kl_weight_buys_the_distortion_that_rate_distortion_theory_says() -> None:
    """min D + w R with R = log(1 / D) / 2 nats is at D = w / 2 (Cover and Thomas 2006, theorem 10.3.2)."""
    problem, profile = learned(LINK, NetworkEngine(), kl_weight=0.5, **FAST)
    assert cost(problem, profile) == pytest.approx(0.25, rel=0.03)
    assert rate(problem, profile) == pytest.approx(np.log(2), rel=0.03)


def test_a_fixed_prior_is_a_price_on_power() -> None:
    """KL(N(a x, 1) || N(0, 1)) has mean a^2 / 2: min 1 / (1 + a^2) + w a^2 / 2 is at (1 + a^2)^2 = 2 / w."""
    problem, profile = learned(LINK, NetworkEngine(), kl_weight=0.5, kl_prior="fixed", **FAST)
    assert cost(problem, profile) == pytest.approx(0.5, rel=0.03)


@pytest.mark.study
def test_in_vectors_a_kl_weight_lowers_the_rate_and_a_rank_weight_raises_the_effective_rank() -> None:
    steps = {"steps": 250, "batch": 128, "learning_rate": 0.01}
    plain, divergent, ranked = (learned(VECTOR, MessageEngine(), **steps, **more) for more in (
        {}, {"kl_weight": 0.2}, {"fisher_rank_weight": 1.0}))
    assert rate(*divergent) < 0.8 * rate(*plain)
    assert rank(*ranked) > rank(*plain) + 0.3
    assert rank(*ranked) > 2.8  # of three


def test_the_terms_gradient_is_that_of_finite_differences() -> None:
    from dcgc.learning.regularisers import with_terms

    problem = dcgc.load(VECTOR).problem
    asked = Settings(restarts=1, width=4, layers=1, kl_weight=0.3, fisher_rank_weight=0.7)
    terms = objective_of(problem, asked).terms
    stacked = MessageEngine().start(problem, asked)["strategies"]
    profile = {k: pick(s, 0) for k, s in stacked.items()}
    trained, fixed = eqx.partition(profile, {k: s.trainable() for k, s in profile.items()})
    grid = independent_grid(problem, 64, 1)
    zero = jax.tree.map(jnp.zeros_like, trained)
    found = with_terms(problem, terms, zero, grid, trained, fixed, {}, True)

    def value(moved: Any) -> float:
        from dcgc.learning.regularisers import term

        world = problem.world(grid, problem.natural, eqx.combine(moved, fixed))
        channel = problem.game.channels[0]
        encoder = next(d for d in problem.game.decisions if d.name == channel.encoder)
        return float(sum(t.weight * term(problem, t, channel, encoder, world) for t in terms))

    leaves, tree = jax.tree.flatten(trained)
    rng = np.random.default_rng(0)
    way = [jnp.asarray(rng.normal(size=x.shape)) for x in leaves]
    step = 1e-5
    ends = [value(jax.tree.unflatten(tree, [x + sign * step * w for x, w in zip(leaves, way, strict=True)])) for sign in (1, -1)]
    slope = sum(float(jnp.sum(g * w)) for g, w in zip(jax.tree.leaves(found), way, strict=True))
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5) and abs(slope) > 1e-3
    listener = problem.leader_of["y"]
    assert all(float(jnp.max(jnp.abs(g))) == 0 for g in jax.tree.leaves(found[listener]))


def test_weights_of_zero_leave_the_program_as_it_is() -> None:
    problem = dcgc.load(LINK).problem
    engine = NetworkEngine()

    def program(settings: Settings) -> str:
        state = engine.start(problem, settings)
        objective, others = objective_of(problem, settings), engine.others(problem, settings)
        grid, reduction = engine.ground(problem, settings, 0)
        run, template = stepper(problem, settings, objective, others, reduction, state["strategies"], 10)
        moments = jax.tree.unflatten(jax.tree.structure(template), state["moments"])
        return run.lower(grid, state["strategies"], moments, jnp.arange(5), scattered(problem, settings, objective, 1)).as_text()

    off = program(Settings(restarts=1))
    assert program(Settings(restarts=1, kl_weight=0.0, fisher_rank_weight=0.0)) == off
    assert len(program(Settings(restarts=1, kl_weight=0.1))) > 1.2 * len(off)


# ---------------------------------------------------------------- estimators


def test_the_language_knows_the_estimators_that_there_are() -> None:
    assert ESTIMATOR_NAMES == tuple(ESTIMATORS)


def test_unbiased_estimators_have_the_exact_gradient_on_average() -> None:
    """In a game that is no team, too: each player's own gradient, the other's policy held fixed."""
    problem = dcgc.load(LEWIS.replace("payoff Pair = guess[s]", "payoff S = guess[s] + guess[1] / 2\npayoff R = guess[s]").replace(
        "team Pair = S, R\n", "")).problem
    profile = {k: pick(s, 0) for k, s in NetworkEngine().start(problem, Settings(restarts=1))["strategies"].items()}
    rng = np.random.default_rng(0)
    profile = jax.tree.map(lambda x: x + rng.normal(size=x.shape) if eqx.is_inexact_array(x) and x.size > 1 else x, profile)
    trained, fixed = eqx.partition(profile, {k: s.trainable() for k, s in profile.items()})
    blank = resized(sampled_grid(problem, 2, 0), 4096)
    normal = columns_that_are_normal(problem)

    def mean(name: str) -> list[np.ndarray]:
        objective = objective_of(problem, Settings(estimator=f"m={name}"))

        @jax.jit
        def one(key: Any) -> Any:
            fresh = renewed(blank, key, normal)
            return estimated_gradient(problem, objective, fresh, jax.random.fold_in(key, 1), trained, fixed, {}, jnp.asarray(1.0),
                                      together=False)

        rows = [one(jax.random.key(i)) for i in range(24)]
        return [np.mean([np.asarray(x) for x in leaf], axis=0) for leaf in zip(*map(jax.tree.leaves, rows), strict=True)]

    exact, drawn, relaxed = mean("exact"), mean("reinforce_leave_one_out"), mean("gumbel_softmax")
    size = np.sqrt(sum(float(np.sum(x**2)) for x in exact))

    def apart(other: list[np.ndarray]) -> float:
        return np.sqrt(sum(float(np.sum((a - b) ** 2)) for a, b in zip(exact, other, strict=True))) / size

    assert size > 0.01 and apart(drawn) < 0.05
    assert apart(relaxed) > 0.1


@pytest.mark.parametrize("name", ["pathwise", "reinforce_leave_one_out"])
def test_estimators_of_reals_reach_the_linear_optimum(name: str) -> None:
    """min 1 / (1 + a^2) + a^2 / 4 is 3 / 4, at a = 1."""
    problem, profile = learned(POWER, NetworkEngine(), estimator=name, **FAST)
    assert cost(problem, profile) == pytest.approx(0.75, rel=0.01)


@pytest.mark.parametrize("chosen", ["reinforce_leave_one_out", "m=exact, guess=reinforce", "straight_through_gumbel"])
def test_estimators_of_words_find_the_best_code(chosen: str) -> None:
    """Two words tell the two likeliest states: 0.5 + 0.3."""
    problem, profile = learned(LEWIS, NetworkEngine(), estimator=chosen, restarts=3, steps=200, samples=256, learning_rate=0.05)
    assert cost(problem, profile) == pytest.approx(-0.8, abs=1e-6)


def test_what_is_chosen_for_one_site_and_what_for_all() -> None:
    text = VECTOR.replace("decide y", "channel n : S -> R { carries Tokens(1, 3) }\nsend n by S knowing x\ndecide y").replace(
        "knowing m\n", "knowing m, n\n")
    problem = dcgc.load(text).problem
    asked = objective_of(problem, Settings(estimator="reinforce, n=exact"))
    assert asked.estimators == {"m": "reinforce", "n": "exact"}
    assert objective_of(problem, Settings(estimator="m=mixture")).estimators == {"m": "mixture", "n": "exact"}
    (sentence,) = asked.sentences
    assert "m: reinforce, n: exact" in sentence
    assert "biased at m" in objective_of(problem, Settings(estimator="m=straight_through_rounding")).sentences[0]


@pytest.mark.parametrize(("text", "estimator", "line", "said"), [
    (LEWIS, "pathwise", 5, "reinforce_leave_one_out"), (VECTOR, "m=exact", 5, "dithered_rounding"), (LEWIS, "k=exact", 5, "m, guess"),
    (LEWIS, "guess=pathwise", 7, "gumbel_softmax")])
def test_an_estimator_that_does_not_fit_names_the_line_and_those_that_do(text: str, estimator: str, line: int, said: str) -> None:
    with pytest.raises(GameError) as caught:
        dcgc.train(dcgc.load(text), estimator=estimator)
    (found,) = caught.value.diagnostics
    assert found.code == "L007" and found.span.line == line and said in found.hint


def test_too_few_plays_for_an_estimator() -> None:
    with pytest.raises(GameError, match="too few") as caught:
        learned(VECTOR, MessageEngine(), estimator="reinforce_leave_one_out", batch=16)
    assert caught.value.diagnostics[0].code == "L007"


def test_the_example_of_the_code() -> None:
    with pytest.raises(GameError) as caught:
        dcgc.train(dcgc.load(CODES["L007"].example))
    assert [d.code for d in caught.value.diagnostics] == ["L007"]


# ---------------------------------------------------------------- keys


def test_keys_of_the_text_and_of_the_caller() -> None:
    game = dcgc.load(LEWIS + "train { kl_weight 0.1; kl_prior fixed; estimator m : exact; estimator reinforce; estimator guess : exact }\n")
    settings, unread = resolve(game.core.settings, {})
    assert (settings.kl_weight, settings.kl_prior, settings.estimator) == (0.1, "fixed", "reinforce, m=exact, guess=exact")
    assert unread == ()
    assert resolve(game.core.settings, {"estimator": ["m=reinforce"]})[0].estimator == "reinforce, m=reinforce, guess=exact"
    assert resolve(game.core.settings, {"estimator": "gumbel_softmax"})[0].estimator == "gumbel_softmax"
    assert resolve((), {"estimator": {"s[1]": "exact"}})[0].estimator == "s[1]=exact"
    for bad in ({"estimator": "reinforc"}, {"estimator": "m=exact, m=reinforce"}, {"estimator": 3}, {"kl_weight": -1.0},
                {"kl_prior": "normal"}, {"fisher_rank_weight": float("inf")}):
        with pytest.raises(BadSetting):
            resolve((), bad)


def test_engines_that_cannot_are_left_out_and_wishes_without_effect_are_named() -> None:
    game = dcgc.load(LINK)
    assert plan(game.problem, Settings())[0][0] == "affine"
    order, notes = plan(game.problem, Settings(kl_weight=0.1))
    assert order == ["networks"] and any(n.startswith("affine:") for n in notes)
    said = said_of(game.problem, Settings(kl_weight=0.1, engine="affine"), ENGINES["affine"])
    assert "kl_weight" in said[0] and "no effect" in said[0]
    silent = dcgc.load("kyle").problem
    asked = objective_of(silent, Settings(kl_weight=1.0, fisher_rank_weight=1.0, estimator="exact", kl_prior="fixed"))
    assert asked.plain and [next(k for k in ("kl_weight", "fisher_rank_weight", "estimator") if k in x) for x in asked.idle] == [
        "kl_weight", "fisher_rank_weight", "estimator"]
    assert "m has words" in objective_of(dcgc.load(LEWIS).problem, Settings(kl_weight=1.0)).idle[0]


def test_a_result_names_its_terms_and_resuming_keeps_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopped after the first of two chunks and taken up again, it ends in the same bits; with other keys it is not taken up."""
    keys: dict[str, Any] = {"kl_weight": 0.5, "estimator": "m=reinforce_leave_one_out", "steps": 400, "samples": 64, "restarts": 1}
    (tmp_path / "link.dcg").write_text(LINK)
    game = dcgc.load(tmp_path / "link.dcg")
    whole = dcgc.train(game, folder=tmp_path / "whole", **keys)
    part = dcgc.train(game, folder=tmp_path / "part", stop=lambda: True, **keys)
    assert part.interrupted
    with pytest.raises(RunProblem, match="kl_weight"):
        dcgc.train(game, folder=tmp_path / "part", resume=True, **{**keys, "kl_weight": 0.4})
    again = dcgc.train(game, folder=tmp_path / "part", resume=True, **keys)
    assert (tmp_path / "part" / "policies.safetensors").read_bytes() == (tmp_path / "whole" / "policies.safetensors").read_bytes()
    assert again.value("cost(Both)").value == whole.value("cost(Both)").value
    opened = dcgc.open_run(tmp_path / "part")
    assert opened.trained.objective == whole.trained.objective and opened.settings.kl_weight == 0.5
    assert "KL" in opened.trained.objective[0] and "m: reinforce_leave_one_out" in opened.trained.objective[1]
    flags = [x for k, v in keys.items() for x in (f"--{k.replace('_', '-')}", str(v))]
    capsys.readouterr()
    assert main(["train", str(tmp_path / "link.dcg"), "--out", str(tmp_path / "part"), "--resume", "--quiet", *flags]) == 0
    said = capsys.readouterr().out
    assert all(f"{sentence}.\n" in said for sentence in opened.trained.objective)


def test_flags_for_single_sites_and_a_misfit_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lewis.dcg").write_text(LEWIS)
    call = ["train", str(tmp_path / "lewis.dcg"), "--out", str(tmp_path / "run"), "--estimator", "guess=exact", "--estimator"]
    assert main([*call, "m=pathwise"]) == 1
    said = capsys.readouterr().err
    assert "L007" in said and "lewis.dcg:5" in said and "these fit m: straight_through" in said
    assert main([*call, "m=pathwiz"]) == 2 and "did you mean 'pathwise'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_text_of_a_single_estimator_is_kept_by_the_printer() -> None:
    source = Source("t", LEWIS + "train { steps 10; estimator  m :exact; estimator reinforce }\n")
    text = format_file(parse(source, Ledger()))
    assert "estimator m : exact" in text and "estimator reinforce" in text
    assert parse(Source("t", text), Ledger()) == parse(source, Ledger())
    ledger = Ledger()
    check(Source("t", LEWIS + "train { estimator k : exact; estimator m : exat; estimator m : exact; estimator m : exact; steps m : 3 }\n"),
          ledger)
    assert sorted(d.code for d in ledger) == ["M518", "M518", "N101", "N129", "N130"]


def test_a_tap_of_one_member_is_that_member_s() -> None:
    text = ("game G\nplayer F[2]\nrandom x[2] ~ Normal(0, 1)\nfor i in F { decide q[i] : Real by F[i] knowing x[i] }\n"
            "let y = x[1] + x[2]\nfor i in F { cost F[i] = (q[i] - y)^2 }\n")
    assert named_taps(dcgc.load(text + "tap q[1]\ntap x[2]\n").problem) == ("x(2)", "q[1]")
    assert named_taps(dcgc.load(text + "tap q\ntap y\n").problem) == ("q[1]", "q[2]", "y")


# ---------------------------------------------------------------- routes


def moved(text: str, engine: Engine, **settings: Any) -> dict[str, float]:
    """How far training has moved each policy, by the name of its decision."""
    problem = dcgc.load(text).problem
    asked = Settings(**{"restarts": 1, "width": 8, "layers": 1, "steps": 20, "batch": 64, **settings})
    start = engine.start(problem, asked)["strategies"]
    state = engine.advance(problem, asked, engine.start(problem, asked), QUIET)["strategies"]
    return {k: max(float(jnp.max(jnp.abs(a - b))) for a, b in zip(jax.tree.leaves(start[k]), jax.tree.leaves(state[k]), strict=True)
                   if a.size and jnp.issubdtype(a.dtype, jnp.inexact)) for k in state}


@pytest.mark.parametrize(("text", "engine", "encoder", "more"), [
    (LINK, NetworkEngine(), "sent(m)", {}), (VECTOR, MessageEngine(), "raw(m)", {}), (LEWIS, NetworkEngine(), "m", {}),
    (LINK, NetworkEngine(), "sent(m)", {"estimator": "reinforce", "samples": 64}),
    (VECTOR, MessageEngine(), "raw(m)", {"estimator": "reinforce"}), (LEWIS, NetworkEngine(), "m", {"estimator": "exact"}),
    (LEWIS, NetworkEngine(), "m", {"estimator": "gumbel_softmax", "samples": 64})])
def test_a_route_that_stops_leaves_the_sender_where_it_was(text: str, engine: Engine, encoder: str, more: dict[str, Any]) -> None:
    open_, shut = moved(text, engine, **more), moved(text + "gradient { route m : stop }\n", engine, **more)
    assert open_[encoder] > 1e-3 and shut[encoder] < 1e-6  # but for the rounding of single precision
    assert all(shut[k] > 1e-3 for k in shut if k != encoder)


def test_a_route_stops_for_those_whom_it_names() -> None:
    priced = POWER.replace("cost Both", "cost S").replace("team Both = S, R\n", "") + "cost R = (x - y)^2\n"
    free = moved(priced + "gradient { route m -> R : stop }\n", NetworkEngine(), best_response=False)
    shut = moved(priced + "gradient { route m -> S : stop }\n", NetworkEngine(), best_response=False)
    assert free["sent(m)"] > 1e-3 and free["y"] > 1e-3
    assert shut["y"] > 1e-3
    assert shut["sent(m)"] > 1e-3 and shut["sent(m)"] != free["sent(m)"]  # the power that it pays for still moves it


def test_orders_that_change_nothing_are_accepted_recorded_and_said() -> None:
    game = dcgc.load(LINK + "gradient { budget 2 Mflop per sample; route m : full; route y -> S : first; route m -> R : stop }\n")
    assert [r.label for r in game.core.routes] == ["route m : full", "route y -> S : first", "route m -> R : stop"]
    asked = objective_of(game.problem, Settings())
    assert [r.label for r in asked.shut] == ["route m -> R : stop"] and len(asked.idle) == 3
    assert "route m : full" in asked.idle[0] and "second-order" in asked.idle[1] and "budget" in asked.idle[2]
    assert asked.stopped(game.problem, next(d for d in game.problem.game.decisions if d.name == "y")) == {"m"}
    assert asked.stopped(game.problem, next(d for d in game.problem.game.decisions if d.channel == "m")) == frozenset()
