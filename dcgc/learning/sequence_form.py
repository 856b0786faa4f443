"""Several decisions of one player, each knowing what it knew and did before, as one linear object: weights of sequences.

x_i(what the i-th decision knows, its option) is the product of the player's own probabilities on the way there. Expected costs are
linear in the last of them, and the weights of a player with perfect recall are all solutions of

    sum over options of x_1(o, .) = 1,    sum over options of x_i(o, .) = x_(i-1)(what o says of the decision before, what it did)

(von Stengel 1996, Games and Economic Behavior 14). A mediator who tells two players things that belong together announces such weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..core.site import Decision


def chained(decisions: Sequence[Decision], dims: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether every decision knows all that the one before it knew, and what it did. ``dims``: coordinates that each knows."""
    return all({*dims[a.name], a.name} <= set(dims[b.name]) for a, b in zip(decisions, decisions[1:], strict=False))


def restrictions(decisions: Sequence[Decision], dims: Mapping[str, tuple[str, ...]], sizes: Mapping[str, int],
                 ) -> tuple[np.ndarray, np.ndarray]:
    """(A, b) with A x = b for the weights of all decisions one after the other, each (situations, options) flat."""
    counts = [math.prod(sizes[x] for x in dims[d.name]) for d in decisions]
    starts = np.cumsum([0, *(n * d.options for n, d in zip(counts, decisions, strict=True))])
    rows = np.zeros((sum(counts), int(starts[-1])))
    right = np.zeros(sum(counts))
    row = 0
    for i, d in enumerate(decisions):
        before = decisions[i - 1] if i else None
        for k, point in enumerate(np.ndindex(*(sizes[x] for x in dims[d.name]))):
            rows[row, starts[i] + k * d.options:starts[i] + (k + 1) * d.options] = 1.0
            if before is None:
                right[row] = 1.0
            else:
                at = dict(zip(dims[d.name], point, strict=True))
                early = dims[before.name]
                place = int(np.ravel_multi_index([at[x] for x in early], [sizes[x] for x in early])) if early else 0
                rows[row, starts[i - 1] + place * before.options + at[before.name]] = -1.0
            row += 1
    return rows, right


def behaviour(weights: np.ndarray, decisions: Sequence[Decision], sizes: Sequence[int]) -> tuple[np.ndarray, ...]:
    """The laws (situations, options) that weights come from; any law where the player does not come. ``sizes``: situations of each."""
    out, start = [], 0
    for d, n in zip(decisions, sizes, strict=True):
        x = np.maximum(weights[start:start + n * d.options].reshape(n, d.options), 0.0)
        total = x.sum(1, keepdims=True)
        anything = np.full(d.options, 1.0 / d.options) if d.mixed else np.eye(d.options)[0]
        out.append(np.where(total > 1e-12, x / np.where(total > 1e-12, total, 1.0), anything))
        start += n * d.options
    return tuple(out)
