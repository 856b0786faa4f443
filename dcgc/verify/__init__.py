"""Judging a profile apart from what trained it."""

from .explain import explain
from .functions import policy_function
from .score import score

__all__ = ["explain", "policy_function", "score"]
