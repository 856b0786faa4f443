"""The ledger's coded bits are those of a real coder: never below the entropy of what it coded, and close to it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dcgc.verify.ledger import USES, bits_of, coded


@pytest.mark.parametrize("law", [[0.5, 0.5], [0.9, 0.05, 0.03, 0.02, 0.0], np.full(256, 1 / 256), [1.0, 0.0]])
def test_a_use_costs_the_entropy_and_hardly_more(law) -> None:
    p = np.asarray(law)
    said = np.random.default_rng(0).choice(len(p), USES, p=p)
    counts = np.bincount(said, minlength=len(p)) / USES
    crossed = float(-np.sum(counts[p > 0] * np.log2(p[p > 0])))  # what these very words cost under the law
    assert crossed - 64 / USES <= coded(p) <= crossed + 64 / USES
    spread = math.sqrt(float(np.sum(p[p > 0] * np.log2(p[p > 0]) ** 2)) - bits_of(p) ** 2 + 1e-12)
    assert abs(coded(p) - bits_of(p)) <= 5 * spread / math.sqrt(USES) + 64 / USES


def test_no_law_no_figure() -> None:
    assert math.isnan(coded(np.asarray([0.5, np.nan]))) and math.isnan(coded(np.zeros(2)))
