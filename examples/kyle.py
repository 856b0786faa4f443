"""A game as a text inside Python: how an insider's strategy changes with the noise that hides it.

    python examples/kyle.py
"""

from __future__ import annotations

from collections.abc import Sequence

import dcgc

KYLE = """
game Kyle "One round of insider trading"
param sigma_v = 1 in (0, inf)
param sigma_u = 1 in (0, inf)
player Insider, Maker
random v ~ Normal(0, sigma_v)
random u ~ Normal(0, sigma_u)
decide x : Real by Insider knowing v
let flow = x + u
decide p : Real by Maker knowing flow
payoff Insider = (v - p) * x
cost Maker = (p - v)^2
measure lambda = Cov[p, flow] / Var[flow]
"""


def main(noises: Sequence[float] = (0.5, 1.0, 2.0)) -> list[tuple[float, float, float]]:
    """(noise, price impact, profit) for each spread of the noise traders' orders."""
    rows = []
    for noise in noises:
        result = dcgc.train(dcgc.load(KYLE, set={"sigma_u": noise}))
        impact, profit = result.value("lambda"), result.value("payoff(Insider)")
        orders = result.policies["Insider"]([-1.0, 0.0, 1.0])  # policies are functions of arrays
        print(f"noise {noise:g}: price impact {float(impact):.6f} (1 / (2 noise) = {1 / (2 * noise):.6f}), "
              f"profit {float(profit):.6f} +- {profit.error:.0e} by {profit.method}; orders at v = -1, 0, 1: {orders.round(4)}")
        rows.append((noise, float(impact), float(profit)))
    return rows


if __name__ == "__main__":
    main()
