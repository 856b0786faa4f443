"""Gradients of communication: estimators, what they are worth, where they flow. Functions of arrays and pytrees; no games here."""

from .divergence import kl_to_standard_normal
from .estimators import ESTIMATORS, Categorical, Drawn, Estimator, Gaussian, objective
from .fisher import effective_rank, fisher_rank_penalty, message_jacobians, score_jacobians, spectrum
from .routes import dropped, dropping, keep_rates
from .signal import agreement, agreements, signals
from .taps import jacobian_response, tapped

__all__ = [
    "ESTIMATORS",
    "Categorical",
    "Drawn",
    "Estimator",
    "Gaussian",
    "agreement",
    "agreements",
    "dropped",
    "dropping",
    "effective_rank",
    "fisher_rank_penalty",
    "jacobian_response",
    "keep_rates",
    "kl_to_standard_normal",
    "message_jacobians",
    "objective",
    "score_jacobians",
    "signals",
    "spectrum",
    "tapped",
]
