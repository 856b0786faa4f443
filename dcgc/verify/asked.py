"""Integrals and extrema of what may bend and jump anywhere: a trained policy along an interval, asked at many places at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]  # places (n,) -> values (n, ..)

PARTS = 64  # that are looked at in any case
DEPTH = 16  # halvings of a part in which the function jumps
TOLERANCE = 1e-7  # of the integral, over the length and the function's size
SCANNED, CLOSER, ROUNDS = 1024, 32, 4  # places of an extremum: along all of the interval, then around the best


def integral(f: Function, low: float, high: float) -> np.ndarray:
    """Adaptive Simpson (Lyness 1969), all parts of one size at once: those are halved where halving changes what counts."""
    ends = np.linspace(low, high, PARTS + 1)
    left, right = ends[:-1], ends[1:]
    at = f(ends)
    a, b, middle = at[:-1], at[1:], f((left + right) / 2)
    size = max(float(np.abs(at).max()), float(np.abs(middle).max())) or 1.0
    total = np.zeros(at.shape[1:])
    for depth in range(DEPTH + 1):
        m, half = (left + right) / 2, (right - left) / 2
        new = f(np.concatenate([(left + m) / 2, (m + right) / 2]))
        first, second = new[:len(left)], new[len(left):]
        step = half.reshape((-1, *(1,) * (at.ndim - 1)))
        whole = step / 3 * (a + 4 * middle + b)
        halves = step / 6 * (a + 4 * first + 2 * middle + 4 * second + b)
        rough = np.abs(halves - whole).reshape(len(left), -1).max(1) > TOLERANCE * size * abs(high - low) / PARTS
        if depth == DEPTH:
            rough[:] = False
        total = total + np.sum((halves + (halves - whole) / 15)[~rough], axis=0)
        if not rough.any():
            break
        left, right = np.concatenate([left[rough], m[rough]]), np.concatenate([m[rough], right[rough]])
        a, b = np.concatenate([a[rough], middle[rough]]), np.concatenate([middle[rough], b[rough]])
        middle = np.concatenate([first[rough], second[rough]])
    return total


def largest(f: Function, low: float, high: float) -> tuple[float, float]:
    """(place, value) of the largest of the places tried: along the interval, then ever closer to the best."""
    ends, count = (low, high), SCANNED
    best, value = low, -np.inf
    for _ in range(ROUNDS + 1):
        places = np.linspace(low, high, count + 1)
        values = f(places)
        k = int(np.argmax(values))
        if values[k] > value:
            best, value = float(places[k]), float(values[k])
        step = abs(high - low) / count
        low, high, count = max(min(ends), best - step), min(max(ends), best + step), CLOSER
    return best, value
