"""Every function of stdlib/ against a closed form, numpy or a sum over cases written here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

import dcgc
from dcgc.semantics import check
from dcgc.semantics.modules import standard_folder
from dcgc.source import Ledger, Source
from dcgc.syntax import parse, tree

GAME = """game G
use std.{module}
param out = {expression}
player A
decide u : Real by A knowing nothing
cost A = (u - sum(out))^2
"""


def literal(value: object) -> str:
    return f"[{', '.join(literal(v) for v in value)}]" if isinstance(value, (list, tuple)) else repr(float(value))  # type: ignore[arg-type]


def value(module: str, name: str, *arguments: object) -> np.ndarray:
    """std.module.name at constants, by the compiler's own evaluation."""
    call = f"{name}({', '.join(literal(a) for a in arguments)})"
    ledger = Ledger()
    game = check(Source("g.dcg", GAME.format(module=module, expression=call)), ledger)
    assert game is not None, [d.message for d in ledger]
    return np.asarray(game.constants["out"], float)


def gaussian_quadrature(function: Callable[[np.ndarray], np.ndarray], n: int = 80) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return float(weights @ function(nodes) / weights.sum())


def mutual_information(joint: np.ndarray) -> float:
    """In bits, from a table of joint probabilities."""
    product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    inside = joint > 0
    return float((joint[inside] * np.log2(joint[inside] / product[inside])).sum())


UTILITIES = [0.3, -1.2, 2.0]
HUGE = [800.0, 799.0]

# (module, function, arguments, what it should be)
CASES = [
    ("channels", "awgn_capacity", (3, 1), 1.0),
    ("channels", "awgn_capacity", (5, 0.5), 0.5 * np.log2(1 + 20)),
    ("channels", "coin_entropy", (0.5,), 1.0),
    ("channels", "coin_entropy", (0.11,), -(0.11 * np.log2(0.11) + 0.89 * np.log2(0.89))),
    ("channels", "bsc_capacity", (0.2,), mutual_information(np.array([[0.4, 0.1], [0.1, 0.4]]))),
    ("channels", "erasure_capacity", (0.25, 4), mutual_information(np.hstack([0.75 * np.eye(4), np.full((4, 1), 0.25)]) / 4)),
    ("channels", "distortion_rate", (4, 1), 1.0),
    ("mechanisms", "wins", (0.5, [0.4, 0.1]), 1),
    ("mechanisms", "wins", (0.5, [0.4, 0.5]), 0),
    ("mechanisms", "share_of_tied", (0.5, [0.4, 0.1]), 1),
    ("mechanisms", "share_of_tied", (0.5, [0.5, 0.1, 0.5]), 1 / 3),
    ("mechanisms", "share_of_tied", (0.5, [0.6, 0.5]), 0),
    ("mechanisms", "first_price", (0.9, 0.5, [0.4]), 0.4),
    ("mechanisms", "first_price", (0.9, 0.3, [0.4]), 0),
    ("mechanisms", "second_price", (0.9, 0.5, [0.4, 0.2]), 0.5),
    ("mechanisms", "second_price", (0.9, 0.5, [0.6, 0.2]), 0),
    ("mechanisms", "first_price_reserve", (0.9, 0.5, [0.4], 0.45), 0.4),
    ("mechanisms", "first_price_reserve", (0.9, 0.5, [0.4], 0.55), 0),
    ("mechanisms", "all_pay", (0.9, 0.5, [0.4]), 0.4),
    ("mechanisms", "all_pay", (0.9, 0.3, [0.4]), -0.3),
    ("mechanisms", "war_of_attrition", (0.9, 0.5, [0.4]), 0.5),
    ("mechanisms", "war_of_attrition", (0.9, 0.3, [0.4]), -0.3),
    ("mechanisms", "tullock", (1, 0.25, [0.25], 0), 0.25),
    ("mechanisms", "tullock", (2, 0, [0, 0], 0.01), 0),
    ("mechanisms", "clearing_price", ([3, 5], [1, 3], 2), 1.5),
    ("mechanisms", "double_auction_price", (0.8, 0.4, 0.25), 0.5),
    ("mechanisms", "double_auction_buyer", (1, 0.8, 0.4, 0.5), 0.4),
    ("mechanisms", "double_auction_seller", (0.1, 0.8, 0.4, 0.5), 0.5),
    ("mechanisms", "double_auction_seller", (0.1, 0.3, 0.4, 0.5), 0),
    ("mechanisms", "taste_for_good", (3, 2), 4),
    ("mechanisms", "groves", (2, [1, 3], 2), (2 * 2 - 2) + (1 * 2 - 2) + (3 * 2 - 2)),
    ("mechanisms", "pivotal_tax", (3, [-1, -1]), 2),
    ("mechanisms", "pivotal_tax", (1, [-1, -1]), 0),
    ("mechanisms", "pivotal_tax", (-3, [1, 1]), 2),
    ("demand", "linear", (3, 10, 2), 4),
    ("demand", "linear_positive", (6, 10, 2), 0),
    ("demand", "isoelastic", (8, 6, 3), 3),
    ("demand", "logit", (UTILITIES,), np.exp(UTILITIES) / (1 + np.exp(UTILITIES).sum())),
    ("demand", "logit", (HUGE,), np.array([1, math.exp(-1)]) / (1 + math.exp(-1))),
    ("demand", "differentiated", (1, 3, 10, 0.5), 10),
    ("demand", "constant_cost", (3, 2), 6),
    ("demand", "quadratic_cost", (3, 2), 9),
    ("demand", "isoelastic_cost", (2, 3, 1), 6),
    ("preferences", "cara", (2, 0.5), (1 - math.exp(-1)) / 0.5),
    ("preferences", "crra", (4, 0.5), 2),
    ("preferences", "crra", (4, 2), 0.75),
    ("preferences", "log_utility", (math.e,), 1),
    ("preferences", "certainty_equivalent", (1, 0.5, 2), 0.5),
    ("preferences", "quadratic_loss", (1, 0.25, 0.25), 0.25),
    ("preferences", "loss_aversion", (-2, 2.25), -4.5),
    ("preferences", "loss_aversion", (2, 2.25), 2),
    ("preferences", "ces", (4, 9, 0.5, 0.5), 6.25),
    ("information", "signal", (2, -1, 4), 1.5),
    ("information", "weight_of_signal", (1, 3), 0.75),
    ("information", "variance_left", (4, 0.5), 4 / 3),
    ("dynamics", "ar1", (2, 0.9, 0.1), 1.9),
    ("dynamics", "ar1_around", (3, 1, 0.5, 0.25), 2.25),
    ("dynamics", "capital", (10, 0.1, 2), 11),
    ("dynamics", "adjustment_cost", (3, 2), 9),
    ("dynamics", "sticky_price", (4, 0.2, 9), 5),
]
MASKS = {("information", "disclosed"), ("information", "disclosed_if_known")}  # blanks are no numbers: see the games that show them


@pytest.mark.parametrize(("module", "name", "arguments", "wanted"), CASES, ids=lambda v: str(v)[:40])
def test_a_function_is_what_its_comment_says(module: str, name: str, arguments: tuple[object, ...], wanted: object) -> None:
    assert value(module, name, *arguments) == pytest.approx(np.asarray(wanted, float), rel=1e-12, abs=1e-12)


def functions() -> Mapping[tuple[str, str], tree.Def]:
    found = {}
    for path in sorted(standard_folder().glob("*.dcg")):
        for statement in parse(Source(path.name, path.read_text(encoding="utf-8")), Ledger()).statements:
            if isinstance(statement, tree.Def):
                found[path.stem, statement.name] = statement
    return found


def test_every_function_is_in_the_table() -> None:
    assert {(module, name) for module, name, *_ in CASES} | MASKS == set(functions())


def test_cara_at_a_normal_risk_is_worth_its_certainty_equivalent() -> None:
    m, v, r = 0.3, 0.5, 1.2
    mean = gaussian_quadrature(lambda z: (1 - np.exp(-r * (m + math.sqrt(v) * z))) / r)
    sure = float(value("preferences", "certainty_equivalent", m, v, r))
    assert float(value("preferences", "cara", sure, r)) == pytest.approx(mean, rel=1e-10)


def test_crra_tends_to_the_logarithm() -> None:
    assert float(value("preferences", "crra", 3, 1 + 1e-7)) == pytest.approx(float(value("preferences", "log_utility", 3)), abs=1e-6)


def test_isoelastic_demand_and_supply_have_their_elasticities() -> None:
    e, step = 2.5, 1e-5
    price = [float(value("demand", "isoelastic", q, 4, e)) for q in (2, 2 * math.exp(step))]
    assert math.log(price[1] / price[0]) / step == pytest.approx(-1 / e, rel=1e-4)
    cost = [float(value("demand", "isoelastic_cost", q, 1, e)) for q in (2 - step, 2 + step, 2.2 - step, 2.2 + step)]
    marginal = [(cost[1] - cost[0]), (cost[3] - cost[2])]
    assert math.log(1.1) / math.log(marginal[1] / marginal[0]) == pytest.approx(e, rel=1e-4)


def test_a_signal_leaves_what_bayes_rule_leaves() -> None:
    """Against the covariance of (state, signal): prior variance v, noise variance 1 / h."""
    v, h = 4.0, 0.5
    covariance = np.array([[v, v], [v, v + 1 / h]])
    assert float(value("information", "variance_left", v, h)) == pytest.approx(1 / np.linalg.inv(covariance)[0, 0], rel=1e-12)
    assert float(value("information", "weight_of_signal", 1 / v, h)) == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=1e-12)


def test_truth_is_dominant_under_groves_and_under_second_price() -> None:
    """By enumeration: no report does better against any reports of the others."""
    grid = [0.0, 0.75, 1.5, 2.25, 3.0]
    for taste in (1.0, 2.5):
        for rival in (0.5, 3.0):
            worth = {m: float(value("mechanisms", "groves", taste, [rival], (m + rival) / 2)) for m in [*grid, taste]}
            assert max(worth.values()) == pytest.approx(worth[taste], abs=1e-12)
    for rivals in ([0.3, 0.6], [0.9, 0.1]):
        worth = {b: float(value("mechanisms", "second_price", 0.7, b, rivals)) for b in (0.05, 0.2, 0.5, 0.65, 0.7, 0.8, 1.0)}
        assert max(worth.values()) == pytest.approx(worth[0.7], abs=1e-12)


def test_truth_is_dominant_under_the_pivotal_tax() -> None:
    for taste in (-2.0, 0.5, 3.0):
        for rivals in ([1.0, -2.5], [1.0, 1.5], [-1.0, 0.25]):
            def worth(report: float, taste: float = taste, rivals: list[float] = rivals) -> float:
                done = report + sum(rivals) > 0
                return taste * done - float(value("mechanisms", "pivotal_tax", report, rivals))

            assert max(worth(m) for m in (-5.0, -1.0, 0.0, 1.0, 5.0)) <= worth(taste) + 1e-12


def test_the_clearing_price_clears() -> None:
    a, b, supply = [3.0, 5.0, 2.0], [1.0, 3.0, 0.5], 2.5
    p = float(value("mechanisms", "clearing_price", a, b, supply))
    assert sum(x - y * p for x, y in zip(a, b, strict=True)) == pytest.approx(supply)


def drawn(value: object) -> str:
    """A number as an expression of a draw (which is always 1), so that nothing is known before play."""
    return f"[{', '.join(drawn(v) for v in value)}]" if isinstance(value, (list, tuple)) else f"({literal(value)} * one)"  # type: ignore[arg-type]


def test_functions_of_draws_are_computed_alike() -> None:
    """The same cases through the graph and JAX, as measures of one game."""
    cases = [case for case in CASES if np.ndim(case[3]) == 0]
    uses = "".join(f"use std.{module} as {module}_\n" for module in sorted({case[0] for case in cases}))
    measures = "".join(f"measure m{k} = E[{module}_.{name}({', '.join(map(drawn, arguments))})]\n"
                       for k, (module, name, arguments, _) in enumerate(cases))
    play = "random one ~ Discrete([1, 1], [0.5, 0.5])\ndecide u : Real by A knowing nothing\ncost A = (u - one)^2\n"
    text = f"game G\n{uses}player A\n{play}{measures}"
    figures = dcgc.train(dcgc.load(text), engine="affine").scorecard.figures
    for k, (module, name, arguments, wanted) in enumerate(cases):
        assert figures[f"m{k}"].value == pytest.approx(float(wanted), rel=1e-9, abs=1e-9), (module, name, arguments)  # type: ignore[arg-type]
