"""Witsenhausen's counterexample for several prices of control: the best affine policies against free ones.

    python examples/witsenhausen.py        # a minute or so for each k
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

import dcgc
from dcgc.learning import Progress


def show(progress: Progress) -> None:
    print(f"  {progress.engine}: {progress.text}, {progress.step}/{progress.total}, cost {progress.cost:.6f}", file=sys.stderr)


def main(prices: Sequence[float] = (0.2, 0.5, 1.0), report: bool = True) -> list[tuple[float, float, float]]:
    """(k, cost of affine policies, cost of free ones) for each k."""
    rows = []
    for k in prices:
        game = dcgc.load("witsenhausen", set={"k": k})  # a game that comes with dcgc, by name
        affine = dcgc.train(game, engine="affine")
        free = dcgc.train(game, report=show if report else None)
        costs = float(affine.value("cost(Controllers)")), float(free.value("cost(Controllers)"))
        x0 = np.linspace(-10, 10, 9)
        steps = x0 + free.policies["C1"](x0)  # where the first controller puts the state
        print(f"k = {k:g}: affine {costs[0]:.6f}, free {costs[1]:.6f}; states {np.round(steps, 2)}")
        rows.append((k, *costs))
    return rows


if __name__ == "__main__":
    main()
