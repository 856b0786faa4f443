"""The laws of the language, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .bernoulli import Bernoulli
from .beta import Beta
from .categorical import Categorical
from .dirichlet import Dirichlet
from .discrete import Discrete
from .exponential import Exponential
from .gamma import Gamma
from .law import Continuous, Distribution, Finite
from .lognormal import LogNormal
from .mvnormal import MvNormal
from .normal import Normal
from .student import Student
from .uniform import Uniform

_LAWS: tuple[Distribution, ...] = (
    Normal(),
    Uniform(),
    LogNormal(),
    Exponential(),
    Gamma(),
    Beta(),
    Student(),
    Bernoulli(),
    Categorical(),
    Discrete(),
    Dirichlet(),
    MvNormal(),
)

DISTRIBUTIONS: Mapping[str, Distribution] = MappingProxyType({law.name: law for law in _LAWS})

__all__ = ["DISTRIBUTIONS", "Continuous", "Distribution", "Finite"]
