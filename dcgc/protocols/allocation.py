"""How many levels each real of a message gets, when the number of words is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

# Up to this many words every product of levels is told apart; beyond, products within 1/64 bit of each other stand for one another.
EXACT = 4096


def ladder(budget: int, most: int) -> list[int]:
    """The numbers of levels worth a try: all small ones, steps of a quarter of a bit, and those that share out the budget."""
    top = min(budget, most)
    quarters = (round(2 ** (k / 4)) for k in range(16, 4 * top.bit_length()))
    return sorted(n for n in {*range(1, 17), *quarters, *(budget // m for m in range(1, 17)), top} if 1 <= n <= top)


def allocate(distortion: Callable[[int, int], float], most: Sequence[int], budget: int) -> tuple[int, ...]:
    """The levels (D) with product <= ``budget`` and the least total distortion, at most ``most[d]`` in dimension d.

    ``distortion(d, levels)``: what dimension d then costs. Bit allocation (Shoham and Gersho 1988, IEEE Transactions on Acoustics,
    Speech, and Signal Processing 36), by dynamic programming over the product used so far instead of by marginal returns: these go
    wrong for few words, where one dimension's odd share wastes the rest. Among equals the fewest words win.
    """
    # product used so far -> (distortion, product, levels)
    best: dict[int, tuple[float, int, tuple[int, ...]]] = {1: (0.0, 1, ())}
    for d, top in enumerate(most):
        costs = {levels: distortion(d, levels) for levels in ladder(budget, top)}
        reached: dict[int, tuple[float, int, tuple[int, ...]]] = {}
        for total, product, chosen in best.values():
            for levels, cost in costs.items():
                if product * levels > budget:
                    break
                entry = (total + cost, product * levels, (*chosen, levels))
                key = entry[1] if budget <= EXACT else round(64 * math.log2(entry[1]))
                if key not in reached or entry < reached[key]:
                    reached[key] = entry
        best = undominated(reached)
    return min(best.values())[2]


def undominated(
    reached: dict[int, tuple[float, int, tuple[int, ...]]],
) -> dict[int, tuple[float, int, tuple[int, ...]]]:
    """Those for which none with a smaller product costs as little."""
    out, least = {}, np.inf
    for key, entry in sorted(reached.items(), key=lambda item: (item[1][1], item[1][0])):
        if entry[0] < least:
            out[key], least = entry, entry[0]
    return out
