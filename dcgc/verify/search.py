"""The best act of a real decision at every point of a grid, sought globally: between bounds, and ever further out on open sides.

A grid of acts is closed in on around its best; while the best lies at the end of an open side, that side is moved out by three times the
width. Once with numpy, where costs are worked out a few acts at a time, and once as a traced loop, inside a scan over stages.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.minimise import least_point

WIDENINGS = 8
FAR = 24  # widenings where nothing is known of the width: by a factor of 4 each, from a thousandth to 1e11
AT_END = 0.02  # of the width of what is tried: so near to an open end the best act may lie beyond it
ROUNDING = 1e-9  # of a cost: where the last widening saved more, the cost falls without end
TRIED, CLOSER, ROUNDS = 65, 9, 8  # acts at first, acts around the best, how often, in a traced loop

State = tuple[Array, Array, Array, Array, Array, Array]  # widenings so far, low, high, best act, its cost, its cost before


def widening(q: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, chosen: np.ndarray, at_chosen: np.ndarray,
             count: int, open_sides: tuple[bool, bool], rounds: int = 5, widenings: int = WIDENINGS,
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(best act, least cost, whether costs still fall), at every point, of acts between ``low`` and ``high``, and beyond them on open sides
    (below, above) while the best lies at the end. The chosen act counts as tried. Costs still fall where the best lies at an open end and
    the last widening saved something."""
    best, least = closing_in(q, low, high, chosen, at_chosen, count, rounds)
    before = at_chosen
    for i in range(widenings + 1):
        margin = AT_END * (high - low)
        ends = [at & (least < at_chosen) if side else np.zeros(best.shape, bool)
                for side, at in zip(open_sides, (best <= low + margin, best >= high - margin), strict=True)]
        if not (ends[0] | ends[1]).any() or i == widenings:
            break
        width = high - low
        low, high = np.where(ends[0], low - 3 * width, low), np.where(ends[1], high + 3 * width, high)
        before = least
        best, least = closing_in(q, low, high, best, least, count, rounds)
    falls = before - least > ROUNDING * np.maximum(np.abs(least), np.abs(at_chosen))
    return best, least, (ends[0] | ends[1]) & falls


def saved(paid: np.ndarray, least: np.ndarray) -> np.ndarray:
    """What the least cost saves over what is paid, point by point (cost units): 0 where both are infinite, nan where what is paid is no
    number, and at least 0."""
    with np.errstate(invalid="ignore"):
        return np.maximum(np.where(paid == least, 0.0, paid - least), 0.0)


def without_nan(costs: np.ndarray) -> np.ndarray:
    """Costs of alternatives, infinite where they are no numbers: nobody deviates to those."""
    return np.where(np.isnan(costs), np.inf, costs)


def closing_in(q: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, start: np.ndarray,
               at_start: np.ndarray, count: int, rounds: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """The best of a grid of candidates in [low, high], then of ever narrower grids around it; never worse than the start."""
    best, least = start.copy(), at_start.copy()
    left, right = low, high
    for r in range(rounds):
        n = count if r == 0 else 9
        grid = left[..., None] + (right - left)[..., None] * np.linspace(0, 1, n)
        values = without_nan(q(grid))  # or the first of them would count as the least
        k = np.argmin(values, axis=-1)
        found = np.take_along_axis(values, k[..., None], -1)[..., 0]
        where = np.take_along_axis(grid, k[..., None], -1)[..., 0]
        # The vertex of the parabola through three neighbours reaches the least point of a quadratic at once.
        better = found < least
        best, least = np.where(better, where, best), np.where(better, found, least)
        best, least = parabola(q, grid, values, k, best, least, low, high)
        half = (right - left) / (n - 1) * 1.5
        left, right = np.maximum(low, best - half), np.minimum(high, best + half)
    return best, least


def parabola(q: Callable[[np.ndarray], np.ndarray], grid: np.ndarray, values: np.ndarray, k: np.ndarray, best: np.ndarray,
             least: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Try the vertex of the parabola through the best candidate and its neighbours."""
    n = grid.shape[-1]
    if n < 3:
        return best, least
    middle = np.clip(k, 1, n - 2)
    pick = lambda a, i: np.take_along_axis(a, i[..., None], -1)[..., 0]  # noqa: E731
    x0, x1, step = pick(grid, middle - 1), pick(grid, middle), pick(grid, middle + 1) - pick(grid, middle)
    y0, y1, y2 = (np.nan_to_num(pick(values, middle + i), posinf=1e300) for i in (-1, 0, 1))
    curvature = y0 - 2 * y1 + y2
    safe = np.where(curvature > 0, curvature, 1.0)
    vertex = np.clip(np.where(curvature > 0, x1 + 0.5 * step * (y0 - y2) / safe, x0), low, high)
    found = q(vertex[..., None])[..., 0]
    better = found < least
    return np.where(better, vertex, best), np.where(better, found, least)


def widening_traced(q: Callable[[Array], Array], low: Array, high: Array, chosen: Array, at_chosen: Array, open_below: bool,
                    open_above: bool) -> tuple[Array, Array]:
    """(the least cost, whether it still falls at an open end), both (*grid), in cost units. ``q``: costs of acts (*grid, n).

    Of a grid of acts between ``low`` and ``high`` the best, then of ever narrower grids around it; while it lies at the end of an open
    side, that side is moved out by three times the width. The chosen act counts as tried: where nothing is better, nothing is widened.
    """
    def ends(low: Array, high: Array, best: Array, least: Array) -> tuple[Array, Array]:
        margin = AT_END * (high - low)
        moved = least < at_chosen  # by less than rounding it may be, too: that ends after a few widenings
        return ((best <= low + margin) & moved if open_below else jnp.zeros(best.shape, bool),
                (best >= high - margin) & moved if open_above else jnp.zeros(best.shape, bool))

    def closing_in(low: Array, high: Array, best: Array, least: Array) -> tuple[Array, Array]:
        act, cost = least_point(q, low, high, TRIED, CLOSER, ROUNDS)
        better = cost < least
        return jnp.where(better, act, best), jnp.where(better, cost, least)

    def goes_on(state: State) -> Array:
        i, low, high, best, least, _ = state
        down, up = ends(low, high, best, least)
        return (i == 0) | ((i <= FAR) & jnp.any(down | up))

    def widened(state: State) -> State:
        i, low, high, best, least, _ = state
        down, up = ends(low, high, best, least)
        wider = jnp.where(i == 0, 0.0, 3.0) * (high - low)
        low, high = jnp.where(down, low - wider, low), jnp.where(up, high + wider, high)
        return i + 1, low, high, *closing_in(low, high, best, least), least

    _, low, high, best, least, before = jax.lax.while_loop(goes_on, widened, (jnp.asarray(0), low, high, chosen, at_chosen, at_chosen))
    down, up = ends(low, high, best, least)
    return least, (down | up) & (before - least > ROUNDING * jnp.maximum(jnp.abs(least), jnp.abs(at_chosen)))
