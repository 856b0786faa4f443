"""The distributions of the language: parameters, their ranges and shapes, and the type of a draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .checked import Constant, ValueKind

ParameterShape = Literal["entry", "vector", "matrix", "size or vector"]


@dataclass(frozen=True)
class DistributionParameter:
    """``wanted`` says in words what ``holds`` checks of a value that is fixed before play."""

    name: str
    wanted: str = "a number"
    holds: Callable[[float], bool] = lambda value: True
    shape: ParameterShape = "entry"
    probabilities: bool = False


@dataclass(frozen=True)
class Distribution:
    """``vector``: a draw is a vector of the size of the first parameter; else parameters combine entry by entry."""

    name: str
    parameters: tuple[DistributionParameter, ...]
    kind: ValueKind = "real"
    vector: bool = False
    simplex: bool = False

    @property
    def signature(self) -> str:
        return f"({', '.join(parameter.name for parameter in self.parameters)})"


def _real(name: str) -> DistributionParameter:
    return DistributionParameter(name)


def _positive(name: str) -> DistributionParameter:
    return DistributionParameter(name, "positive", lambda value: value > 0)


def _spread(name: str) -> DistributionParameter:
    return DistributionParameter(name, "0 or more", lambda value: value >= 0)


_PROBABILITY = DistributionParameter("p", "between 0 and 1", lambda value: 0 <= value <= 1)
_WEIGHTS = DistributionParameter("probs", "probabilities that sum to 1", lambda value: 0 <= value <= 1, "vector", True)

_ALL = (
    Distribution("Normal", (_real("mean"), _spread("sd"))),
    Distribution("Uniform", (_real("a"), _real("b"))),
    Distribution("LogNormal", (_real("mean"), _spread("sd"))),
    Distribution("Exponential", (_positive("rate"),)),
    Distribution("Gamma", (_positive("shape"), _positive("rate"))),
    Distribution("Beta", (_positive("a"), _positive("b"))),
    Distribution("Student", (_positive("df"),)),
    Distribution("Bernoulli", (_PROBABILITY,), "bool"),
    Distribution(
        "Categorical",
        (
            DistributionParameter(
                "p", "a whole number from 1 on, or probabilities that sum to 1", shape="size or vector"
            ),
        ),
        "category",
    ),
    Distribution("Discrete", (DistributionParameter("values", shape="vector"), _WEIGHTS)),
    Distribution(
        "Dirichlet",
        (DistributionParameter("a", "positive", lambda value: value > 0, "vector"),),
        vector=True,
        simplex=True,
    ),
    Distribution(
        "MvNormal",
        (DistributionParameter("mean", shape="vector"), DistributionParameter("covariance", shape="matrix")),
        vector=True,
    ),
)

DISTRIBUTIONS: dict[str, Distribution] = {distribution.name: distribution for distribution in _ALL}


def entries(value: Constant) -> tuple[float, ...]:
    """All numbers of a constant, row by row."""
    if isinstance(value, tuple):
        return tuple(number for item in value for number in entries(item))
    return (value,)
