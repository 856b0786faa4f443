"""The referential game (games/referential.dcg, its policies left to the compiler or made pointers) at 1 to 12 bits, beside converses.

    python benchmarks/referential.py                                    # prints (about 15 minutes on two cores)
    python benchmarks/referential.py --write docs/referential.md        # and writes the table and docs/figures/referential.svg
    python benchmarks/referential.py --bits 12 --write docs/referential.md  # one row; the others stay as they are
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from converses import fano, gaussian, information  # noqa: E402

from dcgc.core import elaborate  # noqa: E402
from dcgc.learning.message_engine import MessageEngine  # noqa: E402
from dcgc.learning.settings import Settings  # noqa: E402
from dcgc.lower import prepare  # noqa: E402
from dcgc.lower.problem import Problem  # noqa: E402
from dcgc.semantics import check  # noqa: E402
from dcgc.source import Ledger, Source  # noqa: E402
from dcgc.verify.scoring import score  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- referential:begin -->", "<!-- referential:end -->"


def variant(bits: float, listener: str) -> Problem:
    """The game at a budget. ``listener``: best_response (exact, by enumeration) or pointer (a network)."""
    text = (ROOT / "games" / "referential.dcg").read_text(encoding="utf-8")
    text = re.sub(r"budget 8 bits; stop soft", f"budget {bits:g} bits", text)
    text = re.sub(r"^policy .*\n?", "", text, flags=re.MULTILINE) + f"\npolicy Listener : {listener}\n"
    ledger = Ledger()
    checked = check(Source("referential.dcg", text), ledger, {}, ROOT / "games")
    assert checked is not None, ledger.sorted()
    game = elaborate(checked, ledger)
    assert game is not None, ledger.sorted()
    return prepare(game)


def train(problem: Problem, steps: int, seed: int) -> tuple[float, float, list[tuple[int, float]], float]:
    """(accuracy, half-width of its 95% interval, [(samples, held-out accuracy)], seconds)."""
    engine, settings, curve = MessageEngine(), Settings(steps=steps, seed=seed), []
    start = time.perf_counter()
    state = engine.start(problem, settings)
    while not state["done"]:
        state = engine.advance(problem, settings, state, lambda p: curve.append((p.step * 256, 1 - p.cost)))
    seconds = time.perf_counter() - start
    (found, *_) = engine.harvest(problem, settings, state)
    figure = score(problem, found.profile).figures["accuracy"]
    return figure.value, figure.error, curve, seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--bits", type=float, nargs="*", default=list(range(1, 13)))
    options = parser.parse_args()
    rows = []
    for bits in options.bits:
        exact, half, curve, seconds = train(variant(bits, "best_response"), options.steps, 0)
        network, _, _, seconds_network = train(variant(bits, "pointer"), 2 * options.steps, 0)
        rows.append((bits, exact, half, network, gaussian(bits), information(bits), fano(bits), seconds, seconds_network))
        print(f"{bits:4g} bits: exact listener {exact:.4f} +- {half:.4f} ({seconds:.0f} s), pointer {network:.4f} "
              f"({seconds_network:.0f} s), sphere {gaussian(bits):.4f}, any channel {information(bits):.4f}", flush=True)
    if options.write:
        write(Path(options.write), rows, options.steps)


Row = tuple[float, ...]  # bits, exact, 95%, network, sphere, any channel, Fano


def head(steps: int) -> str:
    return (f"| bits | exact listener ({256 * steps:,} samples) | 95% | pointer network ({512 * steps:,}) | codewords on the sphere "
            "| any channel of so many bits | Fano |")


def kept(text: str, steps: int) -> dict[float, Row]:
    """The rows of the page's table, if they were made with as many steps."""
    lines = [line for line in text.split(BEGIN)[1].split(END)[0].splitlines() if line.startswith("|")]
    if not lines or lines[0] != head(steps):
        return {}
    rows = [tuple(float(x) for x in line.strip("|").split("|")) for line in lines[2:]]
    return {r[0]: r for r in rows}


def write(path: Path, made: list[Row], steps: int) -> None:
    text = path.read_text(encoding="utf-8")
    rows = [r for _, r in sorted({**kept(text, steps), **{r[0]: r for r in made}}.items())]
    lines = [head(steps), "|---|---|---|---|---|---|---|"]
    lines += [f"| {r[0]:g} | {' | '.join(f'{x:.4f}' for x in r[1:7])} |" for r in rows]
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    path.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after, encoding="utf-8")
    draw(rows)


def draw(rows: list[Row]) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "dcgc"
    figure, axes = plt.subplots(figsize=(6.4, 4))
    bits = [r[0] for r in rows]
    lines_drawn = ((6, "Fano", ":"), (5, "any channel of so many bits", "--"), (4, "codewords on the sphere (32 reals)", "-"))
    for column, label, style in lines_drawn:
        axes.plot(bits, [r[column] for r in rows], style, color="0.45", label=label, lw=1.2)
    axes.errorbar(bits, [r[1] for r in rows], [r[2] for r in rows], fmt="o", ms=4, label="trained, exact listener", color="tab:blue")
    axes.plot(bits, [r[3] for r in rows], "s", ms=4, label="trained, pointer network", color="tab:orange")
    axes.set_xlabel("hard budget (bits)")
    axes.set_ylabel("success among 16 objects")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "figures" / "referential.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
