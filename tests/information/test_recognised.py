"""Curvature in one's own act and linearity in choices, on costs whose signs are known."""

from __future__ import annotations

import pytest

from dcgc import door
from dcgc.information.facts import facts
from dcgc.information.recognised import Recognised


def of(cost: str, decide: str = "decide u : Real by P knowing x") -> Recognised:
    text = f"game G\nplayer P\nrandom x ~ Uniform(1, 2)\nrandom z ~ Normal(0, 1)\n{decide}\ncost P = {cost}\n"
    return facts(door.load(text).core).recognised


@pytest.mark.parametrize(("cost", "curvature"), [
    ("x * u^2", "strictly convex"), ("x * u^4", "convex"), ("-(u - x)^2", "concave"), ("u * z", "linear"),
    ("exp(u) - u", "strictly convex"), ("z * u^2", None), ("z^2 * u^2", "convex"), ("sin(u)", None), ("u^3", None)])
def test_curvature(cost: str, curvature: str | None) -> None:
    assert of(cost).curvatures.get("u") == curvature


def test_curvature_uses_the_range_of_the_act() -> None:
    assert of("u^3", "decide u : Positive by P knowing x").curvatures == {"u": "convex"}


@pytest.mark.parametrize(("cost", "linear"), [
    ("b * x + (1 - b) * z", True), ("if b then x else z", True), ("(b - x)^2", False), ("b and not b", False), ("exp(b)", False)])
def test_linear_in_a_choice(cost: str, linear: bool) -> None:
    assert of(cost, "decide b : Bool by P knowing x").multilinear == (("b",) if linear else ())


def test_matrix_games_are_multilinear() -> None:
    found = facts(door.load("matching_pennies").core)
    assert found.recognised.multilinear == ("a", "b") and found.finite
