"""Estimators of the gradient of an expected cost by a site's parameters, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .enumeration import Exact
from .estimator import Drawn, Estimator, objective
from .gumbel import GumbelSoftmax, StraightThroughGumbel
from .mixture import Mixture
from .pathwise import Pathwise
from .rounding import DitheredRounding, StraightThroughRounding
from .score import Reinforce, ReinforceLeaveOneOut
from .sites import Categorical, Gaussian, Site
from .straight_through import StraightThrough, StraightThroughArgmax

# Each with its usual settings; ``dataclasses.replace(ESTIMATORS[name], temperature=0.3)`` for others.
ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        "pathwise": Pathwise(),
        "straight_through": StraightThrough(),
        "straight_through_argmax": StraightThroughArgmax(),
        "gumbel_softmax": GumbelSoftmax(),
        "straight_through_gumbel": StraightThroughGumbel(),
        "reinforce": Reinforce(),
        "reinforce_leave_one_out": ReinforceLeaveOneOut(),
        "exact": Exact(),
        "dithered_rounding": DitheredRounding(),
        "straight_through_rounding": StraightThroughRounding(),
        "mixture": Mixture(),
    }
)

__all__ = ["ESTIMATORS", "Categorical", "Drawn", "Estimator", "Gaussian", "Site", "objective"]
