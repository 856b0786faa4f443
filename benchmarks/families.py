"""What it costs to compile large families: tracing and compiling, and the first chunk of training, at three sizes.

    python benchmarks/families.py                     # prints the table of docs/stages.md
    python benchmarks/families.py --information       # prints the CPU seconds of `dcgc info` on a text of a thousand decisions
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

VOLUNTEER = """game Volunteer
param N : int = 50
player P[N] symmetric
for i in P { decide a[i] : Bool by P[i] knowing nothing mixed }
for i in P { payoff P[i] = (sum(a) >= 1) - 0.2 * a[i] }
"""
UNLIKE = """game Unlike
param N : int = 200
player Firm[N]
for i in Firm { let c[i] = 1 + 0.001 * i / N }
for i in Firm { decide q[i] : Real by Firm[i] knowing nothing }
let price = 10 - sum(q)
for i in Firm { payoff Firm[i] = (price - c[i]) * q[i] }
"""
CAPITAL = """game Capital
param N : int = 100
player Firm[N] symmetric
state k = 5
stage t in 1..6 discount 0.95 {
  for i in Firm { decide u[i] : Real by Firm[i] knowing k, t }
  for i in Firm { cost Firm[i] = (k - 1)^2 + u[i]^2 }
  next k = 0.9 * k + sum(u)
}
train { stages scanned }
"""
CASES: Mapping[str, tuple[str, str, tuple[int, ...]]] = {  # text, engine, sizes
    "volunteer's dilemma": (VOLUNTEER, "sweeps", (2, 200, 2000)),
    "Cournot with unlike costs": (UNLIKE, "members", (12, 200, 2000)),
    "capital moved by all": (CAPITAL, "dynamic", (2, 200, 2000)),
}


@contextmanager
def compiling() -> Iterator[list[float]]:
    """Seconds of tracing and compiling while it lasts, as JAX tells them."""
    import jax

    spent: list[float] = []

    def listen(event: str, duration: float, **_: object) -> None:
        if any(word in event for word in ("backend_compile", "jaxpr_trace", "jaxpr_to_mlir")):
            spent.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield spent
    finally:
        jax.monitoring.clear_event_listeners()


def measured(text: str, engine: str, size: int) -> str:
    """`compiling, first chunk` in wall and CPU seconds, or why the engine refuses."""
    import dcgc
    from dcgc.learning import ENGINES, Settings

    problem = dcgc.load(text, {"N": size}).problem
    chosen, settings = ENGINES[engine], Settings(restarts=2)
    if why := chosen.refuses(problem):
        return str(why)
    with compiling() as spent:
        used = time.process_time()
        chosen.advance(problem, settings, chosen.start(problem, settings), lambda _: None)
        used = time.process_time() - used
    return f"{sum(spent):.2f}, {used:.2f}"


def thousand() -> str:
    """A text of a thousand decisions, each of which sees a draw of its own and the act before it."""
    lines = [f"random w{t} ~ Normal(0, 1)\ndecide u{t} : Real by P knowing w{t}{f', u{t - 1}' if t else ''}\ncost P = (u{t} - w{t} - x)^2\n"
             for t in range(1000)]
    return "game Thousand\nplayer P\nrandom x ~ Normal(0, 1)\n" + "".join(lines)


def information() -> float:
    """CPU seconds of `dcgc info`, start of Python included."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "thousand.dcg"
        path.write_text(thousand(), encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        program = "import sys; from dcgc.cli import main; sys.exit(main(['info', sys.argv[1]]))"
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, stdout=subprocess.DEVNULL)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--information", action="store_true", help="time `dcgc info` alone")
    options = parser.parse_args(arguments)
    if options.information:
        print(f"dcgc info, 1,000 decisions: {information():.2f} CPU seconds")
        return 0
    print("| game, engine | N = 2 (`members`: 12) | 200 | 2,000 |\n|---|---|---|---|")
    for name, (text, engine, sizes) in CASES.items():
        print(f"| {name}, `{engine}` | " + " | ".join(measured(text, engine, n) for n in sizes) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
