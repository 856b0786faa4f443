"""A comparison of estimators as tables and as figures."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np

from ..studies.compare import Compared, Outcome, Worth
from .figures import ENGINE_COLOURS, FAINT, INK, slug
from .numbers import show_error, show_value
from .tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def compared_tables(c: Compared) -> list[Table]:
    return [costs_table(c), *(worth_table(c, place) for place in c.outcomes[0].worth), efficiency_table(c)]


def costs_table(c: Compared) -> Table:
    rows = []
    team = len(c.labels) == 1
    for o in c.outcomes:
        mean, error = o.mean()
        figures = [text for m, e in zip(mean, error, strict=True) for text in (show_value(float(m), float(e)), show_error(float(e)))]
        rows.append((o.name, yes(o.estimator.unbiased), yes(o.estimator.hard), str(o.estimator.draws), f"{o.rate:g}", *figures,
                     show_value(float(f"{o.relaxed.mean(0).sum():.5g}")), "" if not team or o is c.best else paired(*o.above(c.best))))
    columns = ("estimator", "unbiased", "whole words", "draws", "rate", *(x for label in c.labels for x in (f"cost({label})", "error")),
               "as trained", "above the best")
    used = int(c.outcomes[0].samples[-1])
    note = f"after {used} plays, {c.rules.seeds} seeds; by {c.scored}; as trained: with the senders' draws, on held-out nodes" + (
        "; above the best: paired by seed, +- one standard error" if team else ", all costs together")
    return Table("Costs", columns, tuple(rows), frozenset(range(3, len(columns))), bold_best(c), note)


def bold_best(c: Compared) -> tuple[str, ...]:
    """Bold: the best, and all that two standard errors do not tell from it."""
    if len(c.labels) != 1:
        return ()
    return tuple("bold" if o is c.best or tied(*o.above(c.best)) else "" for o in c.outcomes)


def tied(above: float, error: float) -> bool:
    return math.isfinite(error) and abs(above) <= 2 * error


def paired(above: float, error: float) -> str:
    if math.isnan(error):
        return f"{above:.3g}"
    return f"{above:.3g} +- {error:.1g}" + (" (a tie)" if tied(above, error) else "")


def worth_table(c: Compared, place: str) -> Table:
    rows = tuple((o.name, *worth_row(o.worth[place])) for o in c.outcomes)
    where = "at the start" if place == "start" else f"at half time of {c.outcomes[0].name}"
    return Table(f"The senders' gradients {where}", ("estimator", "GSNR of a play", "bias / norm", "cosine"), rows, frozenset(), (),
                 f"the same policies for all; exact gradient: {c.exact}")


def worth_row(w: Worth) -> tuple[str, str, str]:
    return pair(w.gsnr, w.gsnr_error), pair(w.bias, w.bias_error), pair(w.cosine, w.cosine_error)


def efficiency_table(c: Compared) -> Table:
    """How many plays each needed for what the worst had at its end."""
    ends = [last_of(o) for o in c.outcomes]
    finite = [e for e in ends if math.isfinite(e)]
    if len(c.labels) != 1 or not finite:
        return Table("Plays", (), ())
    goal = max(finite)
    rows = []
    for o in c.outcomes:
        curve = o.curves.mean(0).sum(-1)
        there = np.flatnonzero(curve <= goal)
        rows.append((o.name, str(int(o.samples[there[0]])) if len(there) else "never"))
    return Table("Plays until the held-out cost of the worst one's end", ("estimator", "plays"), tuple(rows), frozenset({1}), (),
                 f"a mean cost of {goal:.5g}")


def last_of(o: Outcome) -> float:
    return float(o.curves[:, -1].sum(-1).mean())


def yes(b: bool) -> str:
    return "yes" if b else "no"


def pair(value: float, error: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g} +- {error:.1g}"


def draw_compared(c: Compared, title: str, folder: str) -> list[str]:
    """Costs against plays for each account, and GSNR, each as SVG and PNG; returns the paths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    os.makedirs(folder, exist_ok=True)
    paths = []
    for k, label in enumerate(c.labels):
        figure = Figure(figsize=(7.2, 4.5), layout="constrained")
        axes = figure.add_subplot()
        draw_curves(axes, c, k, label)
        dress(axes, f"{title}: cost against plays")
        paths += both(figure, os.path.join(folder, f"cost-{slug(label)}"))
    figure = Figure(figsize=(7.2, 4.5), layout="constrained")
    axes = figure.add_subplot()
    draw_signal(axes, c)
    dress(axes, f"{title}: signal to noise of the senders' gradients")
    return paths + both(figure, os.path.join(folder, "gsnr"))


def draw_curves(axes: Axes, c: Compared, k: int, label: str) -> None:
    lowest, first = math.inf, math.nan
    for i, o in enumerate(c.outcomes):
        colour = colour_of(i)
        mean = o.curves[:, :, k].mean(0)
        spread = o.curves[:, :, k].std(0, ddof=1) / math.sqrt(len(o.curves)) if len(o.curves) > 1 else np.zeros_like(mean)
        axes.plot(o.samples, mean, color=colour, linewidth=1.9, label=f"{o.name} (rate {o.rate:g})")
        axes.fill_between(o.samples, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0)
        final, error = o.mean()
        axes.errorbar([o.samples[-1] * 1.02], [final[k]], [error[k]], color=colour, marker="o", markersize=4, capsize=3)
        lowest, first = min(lowest, float(np.nanmin(mean))), float(mean[0])
    if lowest > 0 and first > 5 * lowest:
        axes.set_yscale("log")
    axes.set_xlabel("plays used (points at the end: scored apart)", color=INK)
    axes.set_ylabel(f"cost({label})", color=INK)
    axes.legend(frameon=False, fontsize=9)


def draw_signal(axes: Axes, c: Compared) -> None:
    places = list(c.outcomes[0].worth)
    width = 0.8 / len(places)
    for j, place in enumerate(places):
        at = np.arange(len(c.outcomes)) + (j - (len(places) - 1) / 2) * width
        values = [max(o.worth[place].gsnr, 1e-12) for o in c.outcomes]
        errors = [o.worth[place].gsnr_error for o in c.outcomes]
        axes.bar(at, values, width, yerr=errors, capsize=3, color=colour_of(j), label=place)
    axes.set_xticks(np.arange(len(c.outcomes)), [o.name.replace("_", " ") for o in c.outcomes], rotation=20, ha="right")
    axes.set_yscale("log")
    axes.set_ylabel("GSNR of one play", color=INK)
    axes.legend(frameon=False, fontsize=9)


def colour_of(i: int) -> str:
    return (*ENGINE_COLOURS, "#b03060", "#2f8f9d", "#444444", "#a0a040", "#206040")[i % (len(ENGINE_COLOURS) + 5)]


def dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10, parse_math=False, wrap=True)
    axes.grid(color=FAINT, linewidth=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def both(figure: object, stem: str) -> list[str]:
    """The figure as SVG and PNG; equal comparisons write equal files."""
    import matplotlib
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    with matplotlib.rc_context({"svg.hashsalt": "dcgc"}):
        figure.savefig(f"{stem}.svg", metadata={"Date": None, "Creator": "dcgc"})
    figure.savefig(f"{stem}.png", dpi=160, metadata={"Software": "dcgc"})
    return [f"{stem}.svg", f"{stem}.png"]
