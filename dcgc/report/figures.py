"""Figures of a run: one PNG for each ``plot`` of the game, and the history of its training."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..verify.figures import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, ACCENT, FAINT = "#1b1f24", "#1f5fa8", "#c9ced6"
ENGINE_COLOURS = ("#1f5fa8", "#c2571a", "#3d8b57", "#7d4fa3", "#8a6d1d", "#5b6470")

# A gap of a line is a jump if its slope is this many times that of its neighbours, and it spans this share of the figure.
STEEPER, SHARE = 6.0, 0.01


def draw(curves: Sequence[Curve], title: str, history: Sequence[tuple[str, int, float]], folder: str) -> list[str]:
    """Write all figures of a run into ``folder``; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    paths = []
    for i, curve in enumerate(curves):
        name = f"{i + 1}-{slug(curve.y_label)}-against-{slug(curve.x_label)}.png"
        paths.append(save(curve_figure(curve, title), os.path.join(folder, name)))
    if sum(math.isfinite(cost) for _, _, cost in history) > 1:
        paths.append(save(history_figure(history, title), os.path.join(folder, "history.png")))
    return paths


def slug(label: str) -> str:
    return re.sub(r"[^\w]+", "-", label).strip("-")[:40] or "value"


def save(figure: Figure, path: str) -> str:
    # No date in the file: equal runs write equal pictures.
    figure.savefig(path, dpi=160, metadata={"Software": "dcgc"})
    return path


def blank(title: str, x_label: str, y_label: str) -> tuple[Figure, Axes]:
    """An empty figure in the house's style. Text of a game is shown as it is, ``$`` too."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(7.2, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10, parse_math=False, wrap=True)
    axes.set_xlabel(x_label, fontsize=12, color=INK, parse_math=False)
    axes.set_ylabel(y_label, fontsize=12, color=INK, parse_math=False)
    axes.tick_params(labelsize=11, colors=INK)
    axes.grid(color=FAINT, linewidth=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(INK)
    return figure, axes


def curve_figure(curve: Curve, title: str) -> Figure:
    """A line, interrupted where it jumps; or points."""
    figure, axes = blank(title, curve.x_label, curve.y_label)
    x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
    if not curve.line:
        axes.scatter(x, y, s=14, color=ACCENT, alpha=0.5, linewidths=0)
    elif len(x) == 1:
        axes.scatter(x, y, s=40, color=ACCENT)
    else:
        for piece_x, piece_y in pieces(x, y):
            alone = len(piece_x) == 1
            axes.plot(piece_x, piece_y, color=ACCENT, linewidth=1.9, marker="o" if alone else "", markersize=3,
                      solid_capstyle="round")
    flat = len(y) > 0 and float(np.ptp(y)) < 1e-9 * max(1.0, float(np.abs(y).max()))
    if flat:  # rounding errors are no shape
        middle = float(y.mean())
        axes.set_ylim(middle - max(0.5, 0.5 * abs(middle)), middle + max(0.5, 0.5 * abs(middle)))
    return figure


def pieces(x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """A line cut where it jumps: at gaps much steeper than both stretches beside them."""
    cuts = np.flatnonzero(jumps(x, y)) + 1
    return list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))


def jumps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of every gap between neighbouring points, whether the line jumps there; (n - 1,)."""
    rise, run = np.abs(np.diff(y)), np.maximum(np.diff(x), 1e-12 * max(float(np.ptp(x)), 1e-300))
    if len(rise) < 3:
        return np.zeros(len(rise), bool)
    slope = rise / run
    around = np.stack([np.roll(slope, shift) for shift in (-2, -1, 1, 2)])
    for row, shift in zip(around, (-2, -1, 1, 2), strict=True):  # nothing lies beyond the ends
        row[slice(0, shift) if shift > 0 else slice(shift, None)] = np.nan
    # The second largest of the four neighbours: a second jump close by does not hide the first.
    usual = np.sort(np.nan_to_num(around, nan=0.0), axis=0)[-2]
    return (slope > STEEPER * usual) & (rise > SHARE * float(np.ptp(y)))


def history_figure(history: Sequence[tuple[str, int, float]], title: str) -> Figure:
    """The cost over those reports of a training that gave one, a colour for each engine."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = blank(f"{title}: training", "report", "cost")
    costed = [(engine, cost) for engine, _, cost in history if math.isfinite(cost)]
    engines = list(dict.fromkeys(engine for engine, _ in costed))
    for k, engine in enumerate(engines):
        points = [(i + 1, cost) for i, (name, cost) in enumerate(costed) if name == engine]
        axes.plot(*zip(*points, strict=True), color=ENGINE_COLOURS[k % len(ENGINE_COLOURS)], linewidth=1.8, marker="o",
                  markersize=3, label=engine)
    costs = np.asarray([cost for _, cost in costed])
    if costs.min() > 0 and costs.max() > 20 * costs.min():
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=11)
    return figure
