"""Bounds for pointing at one of n objects after a message of B bits, when objects are independent and nobody knows the listener's others.

The accuracy A = P(guess = target) of any speaker and listener, target uniform among n:

``fano``: I(T; m | objects) <= B, so B >= log n - h(e) - e log(n - 1) with e = 1 - A (Fano 1961; Cover and Thomas, theorem 2.10.1).

``information``: the speaker sees the target object alone, the objects are independent and continuous, I(object; m) <= B. With the
density r(x, y) = p(y | x) / p(y) the best guess is the object of largest r, so A = E_y E max_k r(X_k, y) / n. For fixed y let q be
the quantile function of r(X, y), a density on [0, 1]; E max / n is the integral of q(u) u^(n-1), and the mean over y of
KL(q || uniform) is I. So A is at most the largest E_q u^(n-1) with KL(q || uniform) <= B (concave in B, hence Jensen), reached by q
in proportion to exp(s u^(n-1)). It holds for every channel that keeps the budget.

``gaussian``: the same game over d reals of bounded power in Gaussian noise of capacity B: codewords uniform on the sphere. That no other
law on the ball does better was checked numerically for d = 32 (the conditions of Karush, Kuhn and Tucker in the radius), and is not proved.

    python benchmarks/converses.py
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats


def binary_entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def fano(bits: float, n: int = 16) -> float:
    """The largest accuracy that Fano's inequality allows."""
    if bits >= math.log2(n):
        return 1.0
    return 1 - optimize.brentq(lambda e: math.log2(n) - binary_entropy(e) - e * math.log2(n - 1) - bits, 1e-12, 1 - 1 / n - 1e-12)


def information(bits: float, n: int = 16) -> float:
    """The largest accuracy over any channel with I(object; message) <= ``bits``."""
    nodes, weights = np.polynomial.legendre.leggauss(4000)
    u, w = (nodes + 1) / 2, weights / 2
    value = u ** (n - 1)

    def tilted(s: float) -> tuple[float, float]:
        e = s * (value - 1)
        total = np.sum(w * np.exp(e))
        q = w * np.exp(e) / total
        return float(q @ value), float((q @ e - math.log(total)) / math.log(2))

    s = optimize.brentq(lambda x: tilted(x)[1] - bits, 1e-9, 5e5)
    return tilted(s)[0]


def gaussian(bits: float, n: int = 16, dimensions: int = 32) -> float:
    """The accuracy of codewords uniform on the sphere over ``dimensions`` Gaussian uses of capacity ``bits``."""
    sd = 1 / math.sqrt(2 ** (2 * bits / dimensions) - 1)
    radius = math.sqrt(dimensions)
    z = np.linspace(-9, 9, 801)
    along = stats.norm.pdf(z)
    along /= along.sum()
    across = stats.chi.ppf((np.arange(800) + 0.5) / 800, dimensions - 1)
    a, b = radius + sd * z[:, None], sd * across[None]
    cosine = a / np.sqrt(a * a + b * b)
    nearer = stats.beta.cdf((1 + cosine) / 2, (dimensions - 1) / 2, (dimensions - 1) / 2)
    return float(np.sum(along[:, None] / 800 * nearer ** (n - 1)))


if __name__ == "__main__":
    for b in range(1, 13):
        print(f"{b:2d} bits: Fano {fano(b):.4f}, any channel {information(b):.4f}, 32 Gaussian reals {gaussian(b):.4f}")
