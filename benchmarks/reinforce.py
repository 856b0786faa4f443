"""The referential game at 8 bits: what REINFORCE with a leave-one-out baseline reaches, and how many plays pathwise gradients need for it.

    python benchmarks/reinforce.py                                  # prints (about an hour on two cores)
    python benchmarks/reinforce.py --write docs/referential.md      # and writes table and figure into docs/
    python benchmarks/reinforce.py --ways 5                         # prints a fifth way

Four ways to train the same game (16 objects, 32 reals, a hard budget of 8 bits), each from 10 seeds:

- ``all by REINFORCE``: message and guess are both drawn and scored, as the literature on emergent communication does it.
- ``message by REINFORCE``: the listener has the exact gradient of its expected cost given the message.
- ``pathwise``: the message's gradient comes from the listener's cost, through the channel's noise. The same networks, batch and optimiser.
- ``dcgc train``: what the compiler does where the text leaves policies to it: a pathwise sender, a listener who replies by Bayes' rule.

A fifth way is `dcgc train` with the networks of the others: a final choice is trained on the logarithm of the share that it wins.
REINFORCE has TENFOLD times the plays of the other two. Accuracies are of the listener's hard choice on plays that nobody trained on.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx  # noqa: E402
import numpy as np  # noqa: E402

import dcgc  # noqa: E402
from dcgc.learning.message_engine import MessageEngine  # noqa: E402
from dcgc.learning.settings import Settings  # noqa: E402
from dcgc.lower.problem import Problem  # noqa: E402
from dcgc.studies.compare import Rules, best_rate, of_rate  # noqa: E402
from dcgc.studies.contest import Contest, suited, train  # noqa: E402
from dcgc.verify.scoring import score  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- reinforce:begin -->", "<!-- reinforce:end -->"
NETWORKS = 'policy Speaker : mlp(width = 128, layers = 2, bend = 1, activation = "silu")\npolicy Listener : pointer(width = 128)\n'
SCORE = "reinforce_leave_one_out"
TENFOLD = 10
BATCH = 256


@dataclass(frozen=True)
class Way:
    """``plays`` (points,) and ``curves`` (seeds, points): held-out accuracy on the way, of the listener's mixed choice where it is a
    network; ``final`` (seeds,): accuracy of the hard choice."""

    name: str
    plays: np.ndarray
    curves: np.ndarray
    final: np.ndarray
    rate: float
    seconds: float


def game(policies: str) -> Problem:
    text = (ROOT / "games" / "referential.dcg").read_text(encoding="utf-8")
    text = re.sub(r"^policy .*\n?", "", text, flags=re.MULTILINE).replace("; stop soft", "")
    return dcgc.load(f"{text}\n{policies}").problem


def contest(name: str, estimator: str, decisions: str, steps: int, seeds: int, rates: tuple[float, ...]) -> Way:
    """By ``dcgc compare``'s machinery: the best rate by held-out cost on two seeds, then all seeds at it."""
    problem, began = game(NETWORKS), time.perf_counter()

    def trained(seeds: int, steps: int, rates: tuple[float, ...]) -> tuple[Contest, Any]:
        c = Contest(problem, Rules(seeds=seeds, steps=steps, batch=BATCH, rates=rates, points=20, decisions=decisions))
        return c, train(c, suited(c, estimator), lambda *_: None)

    if len(rates) > 1:
        _, t = trained(2, max(20, steps // 8), rates)
        rates = (rates[best_rate(t)],)
    c, t = trained(seeds, steps, rates)
    _, fixed = eqx.partition(c.starts, c.which)
    final, _ = c.score(of_rate(c, t.trained, 0), fixed)
    return Way(name, t.samples, 1 - t.costs[0, :, :, 0], 1 - final[:, 0], rates[0], time.perf_counter() - began)


def compiler(name: str, policies: str, steps: int, seeds: int) -> Way:
    """``dcgc train``, seed by seed."""
    problem, engine, began = game(policies), MessageEngine(), time.perf_counter()
    curves, finals, plays = [], [], []
    for seed in range(seeds):
        settings, curve = Settings(steps=steps, seed=seed, batch=BATCH), [(0, 1 / 16)]
        state = engine.start(problem, settings)
        while not state["done"]:
            state = engine.advance(problem, settings, state, lambda p, curve=curve: curve.append((p.step * BATCH, 1 - p.cost)))
        finals.append(score(problem, engine.harvest(problem, settings, state)[0].profile).figures["accuracy"].value)
        curves.append([a for _, a in curve])
        plays = [n for n, _ in curve]
    return Way(name, np.asarray(plays), np.asarray(curves), np.asarray(finals), 3e-3, time.perf_counter() - began)


def plays_until(way: Way, level: float) -> float:
    """The median over seeds of the plays after which a way is as good as ``level`` (inf where it never is)."""
    out = []
    for curve, final in zip(way.curves, way.final, strict=True):
        reached = [n for n, a in zip(way.plays, [*curve[:-1], max(curve[-1], final)], strict=True) if a >= level]
        out.append(reached[0] if reached else np.inf)
    return float(np.median(out))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=5000, help="of REINFORCE; the others have a tenth")
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2])
    parser.add_argument("--ways", type=int, nargs="+", default=[1, 2, 3, 4], help="which, by number; 5 is `dcgc train` with networks")
    parser.add_argument("--write")
    options = parser.parse_args(arguments)
    few, rates = options.steps // TENFOLD, tuple(options.rates)
    ways = []
    every = (
        lambda: compiler("`dcgc train`: pathwise, listener by Bayes' rule", "", few, options.seeds),
        lambda: contest("pathwise, listener a network", "pathwise", "exact", few, options.seeds, rates),
        lambda: contest("all by REINFORCE", SCORE, SCORE, options.steps, options.seeds, rates),
        lambda: contest("message by REINFORCE, listener's gradient exact", SCORE, "exact", options.steps, options.seeds, rates),
        lambda: compiler("`dcgc train`: pathwise, listener a network", NETWORKS, few, options.seeds),
    )
    for number in options.ways:
        ways.append(every[number - 1]())
        w = ways[-1]
        print(f"{w.name}: {w.plays[-1]:,} plays, median {np.median(w.final):.4f} ({w.final.min():.4f} to {w.final.max():.4f}), "
              f"rate {w.rate:g}, {w.seconds:.0f} s", flush=True)
    print(table(ways))
    if options.write:
        write(Path(options.write), ways)


def best(way: Way) -> float:
    """The median over seeds of the best accuracy that a seed has anywhere, held out on the way or at its end."""
    return float(np.median(np.maximum(way.curves.max(1), way.final)))


def table(ways: list[Way]) -> str:
    score_ways = [w for w in ways if "REINFORCE" in w.name]
    asked = [f"plays to the best of '{w.name}'" for w in score_ways]
    head = f"| {' | '.join(['trained', 'plays', 'accuracy: median', 'least', 'most', 'rate', *asked])} |"
    rows = [head, "|---|---|---|---|---|---|" + "---|" * len(score_ways)]
    for w in ways:
        cells = []
        for other in score_ways:
            n = plays_until(w, best(other))
            cells.append("-" if other is w else "not reached" if np.isinf(n) else f"{n:,.0f} (1/{other.plays[-1] / max(n, 1):.0f})")
        figures = [w.name, f"{w.plays[-1]:,}", *(f"{f(w.final):.4f}" for f in (np.median, np.min, np.max)), f"{w.rate:g}"]
        rows.append(f"| {' | '.join([*figures, *cells])} |")
    return "\n".join(rows)


def write(page: Path, ways: list[Way]) -> None:
    text = page.read_text(encoding="utf-8")
    made = f"{BEGIN}\n{table(ways)}\n{END}"
    page.write_text(text[:text.index(BEGIN)] + made + text[text.index(END) + len(END):], encoding="utf-8")
    draw(ways)


def draw(ways: list[Way]) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "dcgc"
    figure, axes = plt.subplots(figsize=(6.4, 4))
    for w, colour in zip(ways, ("tab:blue", "tab:orange", "tab:red", "tab:purple", "tab:green"), strict=False):
        median, low, high = (np.quantile(w.curves[:, 1:], q, axis=0) for q in (0.5, 0.1, 0.9))
        axes.plot(w.plays[1:], median, color=colour, label=w.name.replace("`", ""))
        axes.fill_between(w.plays[1:], low, high, color=colour, alpha=0.2, lw=0)
        axes.plot(w.plays[-1:], [np.median(w.final)], "o", ms=4, color=colour)
    axes.set_xscale("log")
    axes.set_xlabel("plays")
    axes.set_ylabel("success among 16 objects, 8 bits")
    axes.set_ylim(0.5, 1)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "figures" / "reinforce.svg", metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
