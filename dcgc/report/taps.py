"""A study of taps as tables and as a figure."""

from __future__ import annotations

import math
import os

import numpy as np

from ..gradients.signal import Signal
from ..studies.tap_study import Tapped, TapStudy, relative_bias
from .figures import ENGINE_COLOURS, FAINT, INK
from .numbers import show_value
from .tables import Table

MOST_VALUES = 8


def tap_tables(study: TapStudy) -> list[Table]:
    found = [norms_table(study), senders_table(study), fisher_table(study), responses_table(study)]
    return [t for t in found if t.rows]


def norms_table(study: TapStudy) -> Table:
    rows = []
    for t in study.tapped:
        for p in t.players:
            rows.append((t.name, p.player, short(p.norm), several(p.tokens), ratio(p.signal)))
    note = f"{study.samples} independent samples; GSNR: ||E g||^2 / tr Cov(g) of one sample's gradient; of words: the cost of each word " \
           "less their mean" if any(t.options for t in study.tapped) else \
           f"{study.samples} independent samples; GSNR: ||E g||^2 / tr Cov(g) of one sample's gradient"
    return Table("Gradients by messages", ("of", "cost of", "mean norm", "norm per token", "GSNR"), tuple(rows), frozenset({2}), (), note)


def senders_table(study: TapStudy) -> Table:
    rows = []
    for t in study.tapped:
        s = t.sender
        if s is None:
            continue
        bias, error = relative_bias(s)
        cosine = "" if s.agreement is None else f"{float(s.agreement.cosine):.4f} +- {float(s.agreement.cosine_error):.1g}"
        off = "" if math.isnan(bias) else f"{bias:.2g} +- {error:.1g}"
        rows.append((t.name, str(s.parameters), ratio(s.signal), off, cosine, s.method))
    return Table("The sender's own gradient", ("message", "parameters", "GSNR", "bias / norm", "cosine", "by"), tuple(rows), frozenset({1}))


def fisher_table(study: TapStudy) -> Table:
    rows = [(t.name, several(tuple(np.sqrt(np.maximum(t.fisher.eigenvalues, 0.0)))), f"{t.fisher.rank:.3g}", f"{t.fisher.sample_rank:.3g}",
             "" if t.fisher.whitened else "no noise: the plain Jacobian")
            for t in study.tapped if t.fisher is not None]
    return Table("What a message tells of what the sender knows", ("message", "roots of the Fisher spectrum", "effective rank",
                                                                   "rank of a sample", ""), tuple(rows), frozenset({2, 3}), (),
                 "per spread of each input, whitened by the channel's noise")


def responses_table(study: TapStudy) -> Table:
    rows = [(t.name, r.decision, r.what, several(tuple(r.singular_values))) for t in study.tapped for r in t.responses]
    return Table("What listeners make of it", ("message", "decision", "d of", "singular values"), tuple(rows))


def short(x: float) -> str:
    return show_value(float(f"{x:.4g}"))


def several(values: tuple[float, ...]) -> str:
    listed = " ".join(f"{float(v):.3g}" for v in values[:MOST_VALUES])
    return listed + (f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else "")


def ratio(s: Signal) -> str:
    if not math.isfinite(float(s.ratio)):
        return "no noise"
    return f"{float(s.ratio):.3g} +- {float(s.standard_error):.1g}"


def draw_taps(study: TapStudy, title: str, folder: str) -> str | None:
    """Norm per token and Fisher spectrum of every message, side by side, as ``taps.svg``; its path, or None without messages."""
    messages = [t for t in study.tapped if t.channel]
    if not messages:
        return None
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    os.makedirs(folder, exist_ok=True)
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    figure.suptitle(f"{title}: gradients by messages", x=0.01, ha="left", fontsize=13, color=INK)
    draw_norms(left, messages)
    draw_spectra(right, messages)
    for axes in (left, right):
        axes.grid(color=FAINT, linewidth=0.6, alpha=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(colors=INK)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    path = os.path.join(folder, "taps.svg")
    with matplotlib.rc_context({"svg.hashsalt": "dcgc"}):
        figure.savefig(path, metadata={"Date": None, "Creator": "dcgc"})
    return path


def draw_norms(axes: object, messages: list[Tapped]) -> None:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

    assert isinstance(axes, Axes)
    lines = [(t, p) for t in messages for p in t.players]
    width = 0.8 / max(len(lines), 1)
    for k, (t, p) in enumerate(lines):
        places = np.arange(1, len(p.tokens) + 1) + (k - (len(lines) - 1) / 2) * width
        axes.bar(places, p.tokens, width, color=ENGINE_COLOURS[k % len(ENGINE_COLOURS)], label=f"{t.name}, cost of {p.player}")
    axes.set_ylim(0, 1.25 * max(max((max(p.tokens) for _, p in lines), default=0.0), 1e-12))  # room for the legend
    words = all(t.options for t in messages)
    axes.set_xlabel("word" if words else "token", color=INK)
    axes.set_ylabel("mean size of d cost / d " + ("probability" if words else "token"), color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=9)


def draw_spectra(axes: object, messages: list[Tapped]) -> None:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

    assert isinstance(axes, Axes)
    for k, t in enumerate(messages):
        colour = ENGINE_COLOURS[k % len(ENGINE_COLOURS)]
        if t.fisher is not None:
            roots = np.sqrt(np.maximum(t.fisher.eigenvalues, 1e-12))
            axes.plot(np.arange(1, len(roots) + 1), roots, marker="o", markersize=4, color=colour,
                      label=f"{t.name}: Fisher, effective rank {t.fisher.rank:.2f}")
        for r in t.responses:
            values = np.maximum(np.asarray(r.singular_values), 1e-12)
            axes.plot(np.arange(1, len(values) + 1), values, marker="s", markersize=3, linestyle="--", color=colour,
                      label=f"{r.decision} by {t.name}: response")
    axes.set_yscale("log")
    axes.set_xlabel("number", color=INK)
    axes.set_ylabel("root of eigenvalue, singular value", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)
