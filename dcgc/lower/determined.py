"""Finite decisions that need no coordinate on scattered samples, as their policies are functions.

A choice by a policy that does not mix has one value at every sample: its law there puts 1 on one option, and that law, as a one-hot
vector, is the value. Nothing needs to be summed over its options, be they the 256 words of a code. That is exact whatever is paid, in
contrast to the laws of mixed choices, which may stand for their values only where payments are linear in them (``multilinear``).
"""

from __future__ import annotations

from collections.abc import Mapping

from .multilinear import multilinear
from .problem import Problem
from .world import Rule


def determined(problem: Problem, profile: Mapping[str, Rule]) -> frozenset[str]:
    """The finite decisions that are functions of what they know under a profile. Private looks always keep their coordinate: what they
    tell is counted against what was known beforehand."""
    looks = {c.encoder for c in problem.game.channels if c.attention}
    return frozenset(d.name for d in problem.game.decisions if d.enumerable and d.name not in looks and getattr(
        profile.get(d.name, profile.get(problem.leader_of[d.name])), "deterministic", False))


def without_coordinate(problem: Problem, profile: Mapping[str, Rule]) -> frozenset[str]:
    """All finite decisions whose law stands for them on scattered samples: see ``sampled_grid``."""
    return multilinear(problem) | determined(problem, profile)
