"""The games that come with dcgc: each is right, laid out, complete, and repeats the published numbers it cites."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from dcgc.core import elaborate
from dcgc.core.site import Game
from dcgc.information.reduction import reduce_information
from dcgc.passes import simplify
from dcgc.semantics import CheckedGame, check
from dcgc.semantics.constants import ConstantError, evaluate
from dcgc.source import Ledger, Source
from dcgc.syntax import format_file, parse, tree

FOLDER = Path(__file__).parents[2] / "games"
GAMES = sorted(FOLDER.glob("*.dcg"))
FIELDS = {"control", "oligopoly", "finance", "bargaining", "communication", "attention", "differentiable"}

# (game, settings, figure, the number in the literature)
PUBLISHED = [
    ("radner", {}, "cost(Both)", 0.307432432),
    ("radner", {}, "gain1", 0.472972973),
    ("radner", {}, "gain2", 0.219594595),
    ("radner", {"shared": 1}, "cost(Both)", 0.296875),
    ("radner", {"shared": 1}, "share1", 0.625),
    ("delayed_sharing", {}, "cost(Controllers)", 0.809142857),
    ("lqg", {}, "cost(Controller)", 6.774115049),
    ("lqg", {}, "first_gain", -0.604294097),
    ("lqg", {}, "first_feedback", 0.906441146),
    ("lqg", {}, "last_feedback", 0.96),
    ("lqg", {}, "last_variance", 0.296279332),
    ("sticky_prices", {}, "slope", 0.905743986),
    ("sticky_prices", {}, "payoff(Firm[1])", 31.181320831),
    ("repeated_prisoners", {"T": 1}, "payoff(One)", -2),
    ("iterated_prisoners", {}, "payoff(Learner)", -25),
    ("iterated_prisoners", {"habit": (0, 0, 0, 0, 0)}, "payoff(Learner)", -50),
    ("habits", {}, "tit_for_tat_alone", -25),
    ("habits", {}, "tit_for_tat_exploited", -51),
    ("habits", {}, "defector_exploiting", -48),
    ("habits", {}, "defectors", -50),
    ("habits", {}, "coins", -37.5),
    ("alternating_offers_forever", {}, "payoff(A)", 0.526315789),
    ("alternating_offers_forever", {}, "payoff(B)", 0.473684211),
    ("alternating_offers_forever", {}, "offer", 0.526315789),
    ("alternating_offers_forever", {}, "counter_offer", 0.526315789),
    ("climbing", {}, "payoff(Both)", 11),
    ("penalty", {}, "payoff(Both)", 10),
    ("cournot_private", {}, "payoff(Firm[1])", 7.194444444),
    ("cournot_private", {}, "low_cost", 2.916666667),
    ("cournot_private", {"shared": 1}, "payoff(Firm[1])", 7.296296296),
    ("cournot_signals", {}, "payoff(Firm1)", 11.191111111),
    ("cournot_signals", {"reveal1": 1, "reveal2": 1}, "payoff(Firm1)", 11.185185185),
    ("cournot_signals", {"reveal1": 1}, "payoff(Firm1)", 11.166666667),
    ("cournot_signals", {"reveal1": 1}, "payoff(Firm2)", 11.208333333),
    ("supply_functions", {}, "slope", 0.618033989),
    ("supply_functions", {"N": 3}, "slope", 0.707106781),
    ("supply_functions", {}, "payoff(Seller[1])", 0.797161835),
    ("unlike_sellers", {}, "slope1", 0.579795897),
    ("unlike_sellers", {}, "slope2", 0.379795897),
    ("unlike_sellers", {"c2": 1}, "payoff(Cheap)", 0.370110852),
    ("unlike_sellers", {"c2": 1}, "price", 0.894427191),
    ("mediator", {}, "payoff(Adviser)", 10.5),
    ("mediator", {}, "both_yield", 0.5),
    ("segmentation", {}, "payoff(Designer)", 0.666666667),
    ("segmentation", {}, "payoff(Seller)", 1.333333333),
    ("jury", {}, "votes_against_its_sign", 0.314250088),
    ("key_player", {}, "hub", 2.038834951),
    ("key_player", {}, "leaf", 1.334951456),
    ("career_concerns", {}, "e", 0.18),
    ("career_concerns", {}, "cost(Market)", 0.8),
    ("wallet", {}, "revenue", 2 / 3),
    ("wallet", {}, "payoff(Bidder[1])", 1 / 6),
    ("contributions", {}, "total", 7 / 3),
    ("tournament", {}, "effort", 0.470157987),
    ("tournament", {}, "payoff(Worker[1])", 0.389475734),
    ("stackelberg", {}, "payoff(Leader)", 0.125),
    ("stackelberg", {}, "payoff(Follower)", 0.0625),
    ("stackelberg", {"observed_noise": 0.1}, "payoff(Leader)", 0.111111111),
    ("bagwell", {}, "lead", 0.333333333),
    ("entry", {}, "entry_rate", 0.642857143),
    ("entry", {}, "payoff(Firm[1])", 0.206632653),
    ("tullock", {}, "payoff(Contestant[1])", 0.25),
    ("partnership", {}, "payoff(Partner[1])", 0.375),
    ("moral_hazard", {}, "slope", 0.666666667),
    ("moral_hazard", {}, "payoff(Principal)", 0.333333333),
    ("glosten_milgrom", {}, "ask", 0.65),
    ("glosten_milgrom", {}, "bid", 0.35),
    ("glosten_milgrom", {}, "cost(Maker)", 0.2275),
    ("kyle_two", {}, "payoff(Insider)", 0.620554617),
    ("kyle", {}, "payoff(Insider)", 0.5),
    ("kyle", {}, "beta", 1),
    ("kyle", {}, "cost(Maker)", 0.5),
    ("kyle_auctions", {}, "payoff(Insider)", 0.730740864),
    ("kyle_auctions", {}, "lambda4", 0.664201035),
    ("kyle_auctions", {}, "left_over", 0.220581508),
    ("kyle_auctions", {"N": 2}, "beta1", 0.471721246),
    ("alternating_offers", {}, "payoff(A)", 0.91),
    ("alternating_offers", {"T": 2}, "payoff(A)", 0.1),
    ("alternating_offers", {"T": 5}, "payoff(A)", 0.8371),
    ("double_auction", {}, "surplus", 0.140625),
    ("double_auction", {}, "traded", 0.28125),
    ("double_auction", {}, "payoff(Buyer)", 0.0703125),
    ("cheap_talk", {}, "cost(Receiver)", 0.030833333),
    ("cheap_talk", {}, "cost(Sender)", 0.040833333),
    ("cheap_talk", {"bias": 0.05}, "cost(Receiver)", 0.015925926),
    ("cheap_talk", {"bias": 0.05}, "cost(Sender)", 0.018425926),
    ("cheap_talk", {"bias": 0.125}, "cost(Receiver)", 0.036458333),
    ("cheap_talk", {"bias": 0.25}, "cost(Receiver)", 1 / 12),
    ("cournot_sharing", {"share_bits": 0}, "payoff(Firm[1])", 7.194444444),
    ("sharing_choice", {}, "payoff(Firm1)", 11.191111111),
    ("dynamic_oligopoly", {}, "payoff(Firm[1])", 22.2153952),
    ("dynamic_oligopoly", {}, "slope", 0.905743986),
    ("sticky_prices", {}, "constant", -0.768984937),
    ("sticky_prices", {}, "path[5]", 3.887866740),
    ("sticky_prices", {"feedback": 0}, "payoff(Firm[1])", 31.855708785),
    ("sticky_prices", {"feedback": 0}, "path[1]", 2.504271592),
    ("tracking", {}, "cost(Controller)", 2.031944803),
    ("first_price", {}, "payoff(Bidder[1])", 0.166666667),
    ("first_price", {"N": 5}, "revenue", 0.666666667),
    ("first_price", {"N": 3}, "payoff(Bidder[1])", 0.083333333),
    ("first_price_reserve", {}, "revenue", 0.416666667),
    ("all_pay", {"N": 3}, "revenue", 0.5),
    ("all_pay_complete", {}, "revenue", 1),
    ("war_of_attrition", {}, "payoff(Rival[1])", 0.166666667),
    ("public_good", {}, "payoff(Giver[1])", 1.597222222),
    ("public_good", {}, "low_taste", 0.416666667),
    ("public_good_team", {}, "payoff(Both)", 3.311111111),
    ("public_good_team", {}, "low_taste", 0.633333333),
    ("public_good_team", {"informed": 1}, "payoff(Both)", 3.333333333),
    ("groves", {}, "total", 4.166666667),
    ("volunteer", {}, "willing", 0.444444444),
    ("volunteer", {"N": 2, "V": 1}, "success", 0.75),
    ("volunteer", {"N": 3, "V": 1}, "willing", 0.381966011),
    ("spence", {}, "payoff(Worker)", 1.096573590),
    ("spence_two_types", {}, "high", 1.5),
    ("disclosure", {}, "payoff(Seller)", 0.38),
    ("disclosure", {"fee": 0, "informed": 0.5}, "silence", 0.414213562),
    ("reputation", {}, "enemy_gain", 1.148386425),
    ("test_channel", {}, "cost(Link)", 1.75),
    ("test_channel", {}, "gain", 0.866025404),
    ("gastpar", {}, "cost(Network)", 0.444444444),
    ("gastpar_power", {}, "cost(Network)", 0.333333333),
    ("gastpar_power", {}, "gain", 1),
    ("biased_signalling", {}, "cost(Sender)", 1.25),
    ("biased_signalling", {"announced": 1}, "cost(Sender)", 1),
    ("biased_signalling", {"announced": 1}, "size_of_offset", 0),
    ("persuasion", {}, "payoff(Prosecutor)", 0.6),
    ("persuasion", {}, "payoff(Judge)", 0.7),
    ("persuasion", {}, "framed", 0.428571429),
    ("mixed_leadership", {}, "payoff(Row)", 2.5),
    ("mixed_leadership", {"announced": 0}, "payoff(Row)", 1),
    ("quantity_commitment", {}, "lead", 0.5),
    ("quantity_commitment", {}, "payoff(Leader)", 0.125),
    ("quantity_commitment", {"announced": 0}, "lead", 0.333333333),
    ("two_offers", {}, "payoff(A)", 0.1),
    ("asymmetric_pennies", {}, "left_rate", 0.1),
    ("rock_paper_scissors", {}, "papers", 0.166666667),
    ("quadratic_saddle", {}, "value", -0.630529801),
    ("kuhn_poker", {}, "payoff(First)", -0.055555556),
    ("bilinear", {}, "payoff(Upper)", 0),
    ("two_by_two_team", {}, "act", 0.555555556),
    ("two_by_two_team", {}, "cost(Both)", 0.888888889),
    ("two_by_two", {}, "act", 0.714285714),
    ("two_by_two", {}, "cost(X)", 0.489795918),
    ("two_by_two", {"announced": 1}, "act", 0.882352941),
    ("two_by_two", {"announced": 1}, "cost(X)", 0.470588235),
    ("two_by_two", {"announced": 1}, "cost(Y)", 0.581314879),
    ("lewis", {}, "success", 0.8),
    ("rate_distortion", {}, "cost(Link)", 0.25),
    ("rate_distortion", {"R": 2}, "cost(Link)", 0.0625),
    ("test_channel_power", {}, "cost(Link)", 1),
    ("priced_information", {}, "cost(Link)", 0.596573590),
    ("priced_information", {"kappa": 0.125}, "cost(Link)", 0.235786795),
    ("sims_attention", {}, "cost(Agent)", 0.434567998),
    ("attention_tracking", {}, "cost(Agent)", 0.907379985),
    ("attention_tracking", {}, "first_variance", 0.106935555),
    ("attention_capacity", {}, "cost(Agent)", 0.062695925),
    ("attention_options", {}, "payoff(Agent)", 0.650176975),
    ("attention_guess", {}, "correct", 0.880797078),
    ("attention_guess", {}, "payoff(Agent)", 0.716890415),
    ("inattentive_choice", {}, "payoff(Agent)", 0.461069316),
    ("discrete_attention", {}, "risky_when_good", 0.882022527),
    ("discrete_attention", {}, "risky_when_bad", 0.502930935),
    ("discrete_attention", {}, "payoff(Agent)", 0.519469705),
    ("discrete_attention", {}, "share_of_risky", 0.692476730),
    ("noisy_bits", {"p": 0}, "cost(Link)", 0.1175),
    ("lewis", {"K": 3}, "success", 1),
    ("demand_curve", {"bits": 0}, "kept", 0),
    ("demand_schedules", {}, "slope", -0.5),
    ("demand_schedules", {}, "payoff(Trader[1])", 0.416666667),
    ("nonlinear_pricing", {}, "entry", 0.5),
    ("nonlinear_pricing", {}, "payoff(Monopolist)", 0.083333333),
]
WITHOUT_FIGURES = {"matching_pennies", "prisoners", "reconstruction", "referential", "rubinstein", "witsenhausen"}  # not in this table
VARIANTS = sorted({(name, tuple(sorted(settings.items()))) for name, settings, _, _ in PUBLISHED if settings})


def checked(path: Path, settings: dict[str, object]) -> CheckedGame:
    ledger = Ledger()
    game = check(Source(path.name, path.read_text(encoding="utf-8")), ledger, settings, path.parent)
    assert not ledger.entries, [(d.code, d.message) for d in ledger]
    assert game is not None
    return game


def core_graph(game: CheckedGame) -> Game:
    ledger = Ledger()
    graph = elaborate(game, ledger)
    assert graph is not None, [(d.code, d.message) for d in ledger]
    return graph


def holds(condition: tree.Expression, game: CheckedGame) -> bool:
    """Whether a condition holds already before play."""
    try:
        return bool(evaluate(condition, game.constants, game.definitions, {}))
    except ConstantError:
        return False


def active(game: CheckedGame) -> dict[str, float]:
    """The published values that apply at these parameters, by the figure they are of."""
    found: dict[str, float] = {}
    waiting = list(game.statements)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, tree.When):
            if holds(statement.condition, game):
                waiting.extend(statement.body)
        elif isinstance(statement, tree.Known) and statement.kind == "known":
            if statement.when is None or holds(statement.when, game):
                value = evaluate(statement.value, game.constants, game.definitions, {})
                found[statement.quantity.span.text.strip()] = float(value)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("path", GAMES, ids=lambda path: path.stem)
def test_a_game_is_right_and_can_be_lowered(path: Path) -> None:
    graph = core_graph(checked(path, {}))
    spoken_in_full = all(d.enumerable if d.finite else math.prod(d.shape) <= 1  # a long message and a vector are no coordinates
                         for d in graph.decisions if d.channel is not None)
    if graph.block is None:  # of a stage that stands for all the states are given
        assert reduce_information(simplify(graph)).complete == spoken_in_full


@pytest.mark.parametrize("path", GAMES, ids=lambda path: path.stem)
def test_a_game_is_laid_out_and_complete(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = parse(Source(path.name, text), Ledger())
    assert format_file(file) == text
    head = next(s for s in file.statements if isinstance(s, tree.GameHeader))
    assert head.name == "".join(word.capitalize() for word in path.stem.split("_")) and head.title
    comments = [line for line in text.splitlines() if line.startswith("#")]
    fields = [m.group(1) for line in comments if (m := re.fullmatch(r"# field: (\w+)", line))]
    assert len(fields) == 1 and fields[0] in FIELDS and len(comments) >= 3
    kinds = [type(s) for s in file.statements]
    endless = "in 1..inf " in text  # what happens in stages without end has no last value to plot
    assert tree.Cite in kinds and kinds.count(tree.Plot) == (0 if endless else 1)


@pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=str)
def test_a_variant_is_right_and_can_be_lowered(name: str, settings: tuple[tuple[str, object], ...]) -> None:
    graph = core_graph(checked(FOLDER / f"{name}.dcg", dict(settings)))
    assert reduce_information(simplify(graph)).complete


@pytest.mark.parametrize(("name", "settings", "figure", "value"), PUBLISHED)
def test_published_numbers_are_those_of_the_literature(
    name: str, settings: dict[str, object], figure: str, value: float
) -> None:
    game = checked(FOLDER / f"{name}.dcg", settings)
    assert active(game)[figure] == pytest.approx(value, abs=2e-9)


def test_every_game_has_a_published_number_in_this_table() -> None:
    assert {name for name, *_ in PUBLISHED} >= {p.stem for p in GAMES} - WITHOUT_FIGURES
