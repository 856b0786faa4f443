"""Protocols: real messages as words, words as bytes, and what the words mean."""

from .audit import Audit, audit_protocol
from .controls import Controls, play_controls
from .disentanglement import bag_of_symbols_disentanglement, positional_disentanglement
from .dithered import DitheredQuantiser
from .influence import Influence, causal_influence
from .information import (
    ConditionalMoments,
    Estimate,
    conditional_moments,
    entropy,
    mutual_information,
    mutual_information_real,
    word_entropy,
)
from .quantiser import Quantiser
from .quantisers import QUANTISERS, quantiser_from_arrays
from .scalar import ScalarQuantiser
from .similarity import topographic_similarity
from .tree import Tree, grow
from .vector import VectorQuantiser

__all__ = [
    "QUANTISERS",
    "Audit",
    "ConditionalMoments",
    "Controls",
    "DitheredQuantiser",
    "Estimate",
    "Influence",
    "Quantiser",
    "ScalarQuantiser",
    "Tree",
    "VectorQuantiser",
    "audit_protocol",
    "bag_of_symbols_disentanglement",
    "causal_influence",
    "conditional_moments",
    "entropy",
    "grow",
    "mutual_information",
    "mutual_information_real",
    "play_controls",
    "positional_disentanglement",
    "quantiser_from_arrays",
    "topographic_similarity",
    "word_entropy",
]
