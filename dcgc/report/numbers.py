"""Numbers as a table shows them."""

from __future__ import annotations

import math

MOST_DIGITS = 10


def show_value(value: float, error: float = math.nan) -> str:
    """A value with the digits that its error leaves sure (and one more), 4 to 10 of them.

    >>> show_value(0.16714337, 2e-7)
    '0.1671434'
    """
    if not math.isfinite(value):
        return "none" if math.isnan(value) else str(value)
    digits = 6
    if math.isfinite(error):
        if abs(value) <= error:
            return "0" if value == 0 else f"{value:.1e}"
        digits = MOST_DIGITS if error == 0 else math.ceil(math.log10(abs(value) / error)) + 1
    return f"{value:.{max(4, min(MOST_DIGITS, digits))}g}"


def show_error(error: float) -> str:
    """An error bound: one digit, "" if there is none to speak of."""
    if math.isnan(error):
        return ""
    return "0" if error == 0 else f"{error:.0e}"


def show_gain(gain: float) -> str:
    """A regret: what a player could gain."""
    if math.isnan(gain):
        return ""
    return "0" if gain == 0 else f"{gain:.2g}"


def show_seconds(seconds: float) -> str:
    """A duration in words: "8 s", "3 min 20 s", "2 h 05 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float], width: int = 40) -> str:
    """A history in one line of text: its last ``width`` stretches, each by its mean; what is not finite is left out."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return ""
    if len(finite) > width:
        edges = [round(i * len(finite) / width) for i in range(width + 1)]
        finite = [math.fsum(finite[a:b]) / (b - a) for a, b in zip(edges, edges[1:], strict=False)]
    low, high = min(finite), max(finite)
    span = high - low
    return "".join(BARS[round((v - low) / span * (len(BARS) - 1))] if span > 0 else BARS[0] for v in finite)
