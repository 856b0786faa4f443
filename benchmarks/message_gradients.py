"""How much more signal a pathwise gradient of a message has than REINFORCE's, by the number of reals in the message.

    python benchmarks/message_gradients.py                             # 2, 8, 32 and 128 reals
    python benchmarks/message_gradients.py 1x2 4x8 --steps 100         # some of them, L tokens of d reals, trained for less long
    python benchmarks/message_gradients.py --write docs/gradients.md   # the table into a page

The game is the referential game of games/ with another message: the same budget of 8 bits, so that more reals have each a larger
noise, and small networks for policies. REINFORCE has a leave-one-out baseline of four draws; signal is counted per play. Both are judged
at the same policies: the starts, and where the pathwise training was at half time. Figures are means over seeds with their standard
errors; where REINFORCE's signal cannot be told from none, the factor is a lower bound (its GSNR at most two errors above what is seen).
"""

from __future__ import annotations

import argparse
import math
import re
import time
from pathlib import Path

import dcgc
from dcgc.studies.compare import Compared, Outcome, Rules, compare

ROOT = Path(__file__).resolve().parents[1]
SIZES = ("1x2", "2x4", "4x8", "8x16")
BEGIN, END = "<!-- message_gradients: begin -->", "<!-- message_gradients: end -->"


def text_of(tokens: int, reals: int) -> str:
    """The referential game with another message and small policies."""
    text = (ROOT / "games" / "referential.dcg").read_text(encoding="utf-8")
    text, count = re.subn(r"Message\(\d+, \d+\)", f"Message({tokens}, {reals})", text)
    assert count == 1, "the referential game carries one message"
    lines = [line for line in text.splitlines() if not line.startswith("policy ")]
    return "\n".join([*lines, "policy Speaker : mlp(width = 64, layers = 1, bend = 1)", "policy Listener : pointer(width = 64)", ""])


def measured(size: str, seeds: int, steps: int, batch: int, rates: tuple[float, ...]) -> Compared:
    tokens, reals = (int(x) for x in size.split("x"))
    problem = dcgc.load(text_of(tokens, reals)).problem
    return compare(problem, ("pathwise", "reinforce_leave_one_out"), Rules(seeds=seeds, steps=steps, batch=batch, rates=rates, points=4))


def factor(one: Outcome, other: Outcome, place: str) -> str:
    """The ratio of two GSNRs with its standard error, or a lower bound."""
    a, b = one.worth[place], other.worth[place]
    if b.gsnr <= 2 * b.gsnr_error or b.gsnr <= 0:
        return f"> {max(a.gsnr - 2 * a.gsnr_error, 0.0) / (max(b.gsnr, 0.0) + 2 * b.gsnr_error):.3g}"
    ratio = a.gsnr / b.gsnr
    error = ratio * math.hypot(a.gsnr_error / max(a.gsnr, 1e-300), b.gsnr_error / b.gsnr)
    return f"{ratio:.3g} ± {error:.1g}"


def row(size: str, found: Compared) -> str:
    one, other = found.outcomes
    tokens, reals = (int(x) for x in size.split("x"))
    cells = [str(tokens * reals), f"{tokens} x {reals}"]
    for place in ("start", "in training"):
        cells += [*(f"{o.worth[place].gsnr:.2g} ± {o.worth[place].gsnr_error:.0g}" for o in (one, other)), factor(one, other, place)]
    cells += [f"{o.mean()[0][0]:.3f} ± {o.mean()[1][0]:.0g}" for o in (one, other)]
    return f"| {' | '.join(cells)} |"


def table(rows: list[str], said: str) -> str:
    head = "| reals | L x d | pathwise, start | leave-one-out, start | factor | pathwise, trained | leave-one-out, trained | factor | " \
           "cost, pathwise | cost, leave-one-out |"
    return "\n".join([BEGIN, said, "", head, "|" + "---|" * 10, *rows, END])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=list(SIZES), help=f"LxD, default: {' '.join(SIZES)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.003, 0.01])
    parser.add_argument("--write", metavar="PAGE", help="put the table into a page, between its marks")
    options = parser.parse_args(arguments)
    for size in options.sizes:
        if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", size):
            parser.error(f"{size}: write LxD, such as 4x8")
    rows = []
    for size in options.sizes:
        began = time.monotonic()
        rows.append(row(size, measured(size, options.seeds, options.steps, options.batch, tuple(options.rates))))
        print(f"{rows[-1]}  ({time.monotonic() - began:.0f} s)", flush=True)
    rates = ", ".join(f"{r:g}" for r in options.rates)
    said = f"GSNR of one play; {options.seeds} seeds, {options.steps} steps of {options.batch} plays; rates {rates}, the better for each."
    made = table(rows, said)
    print("\n" + made)
    if options.write:
        page = Path(options.write)
        text = page.read_text(encoding="utf-8")
        if BEGIN not in text or END not in text:
            parser.error(f"{page} has no marks {BEGIN} .. {END}")
        page.write_text(text[:text.index(BEGIN)] + made + text[text.index(END) + len(END):], encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
