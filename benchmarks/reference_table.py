"""Trains the 39 games whose answers are known, each with no flags, and says for every published figure how close it came.

    python benchmarks/games_table.py --reference                        # all of them, into docs/reference.md
    python benchmarks/games_table.py --reference --only kyle T1 --seeds 3 --limit 120
    python benchmarks/games_table.py --reference --only                 # train nothing: the page from what has been trained

Which texts and settings state a game is data, in benchmarks/reference_games.toml. Every training is a process of its own that
compiles everything anew, one at a time; it has ``--limit`` seconds. What came out is kept in a JSON file per text and settings, so
that the table can be made in pieces; a text that has changed since is trained again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import dcgc
from dcgc.texts import find_game

HERE = Path(__file__).resolve().parent
GAMES = HERE / "reference_games.toml"
PAGE = HERE.parent / "docs" / "reference.md"
CACHE = HERE.parent / "runs" / "reference"
HEAD = """# Games whose answers are known

Made by `python benchmarks/games_table.py --reference`: every text is trained with no flags in a process of its own, {limit:.0f} s
at most, and its figures are computed by code that had no part in training. A figure is *reached* within 1%, or within 5% where
decisions jump or are mixed. Headings are those of the list in `benchmarks/reference_games.toml`, whose numbers are not consecutive.
"""
EVERY = """
## Every figure

*error* is how uncertain the figure of the profile found is (not how far that profile is from an equilibrium, which its regret says),
*off* its distance from the published figure (relative, unless that is 0), *seeds* in how many of those tried it is reached; *s* are
seconds from the text to the scorecard, all compilation included, and in brackets those of computing.
"""
GOOD = ("met", "beaten", "met by another equilibrium")


@dataclass(frozen=True)
class Compared:
    """A published figure of one training. ``error``: how uncertain the figure that was found is."""

    figure: str
    kind: str
    relation: str
    published: float
    found: float
    error: float
    verdict: str

    def off(self) -> float:
        """The distance from the published figure, relative unless that is 0."""
        return abs(self.found - self.published) / (abs(self.published) or 1.0)

    def reached(self, margin: float) -> bool:
        """Within the margin; a figure published as 0 within the tolerance of its own line; a record also if it is beaten."""
        if self.kind == "bound":
            return self.verdict != "violated"
        if self.published == 0:
            return self.verdict in GOOD
        return self.verdict == "beaten" or self.off() <= margin


@dataclass(frozen=True)
class Outcome:
    """One training: what it came to, or in ``failure`` why it came to nothing. ``seconds`` on the clock, ``processor`` of
    computing; ``regret``: the largest ex ante of any player."""

    seed: int
    seconds: float
    figures: tuple[Compared, ...] = ()
    engine: str = ""
    regret: float = math.nan
    exact: bool = False
    alarms: tuple[str, ...] = ()
    failure: str = ""
    processor: float = 0.0

    @property
    def time(self) -> str:
        return f"{self.seconds:.0f}" + (f" ({self.processor:.0f})" if self.processor else "")

    @staticmethod
    def read(data: Mapping[str, Any]) -> Outcome:
        return Outcome(**{**data, "figures": tuple(Compared(**f) for f in data["figures"]), "alarms": tuple(data["alarms"])})


@dataclass(frozen=True)
class Run:
    """A text with settings. ``margin``: how far off counts as reached."""

    game: str
    settings: Mapping[str, object] = field(default_factory=dict)
    margin: float = 0.01

    @property
    def key(self) -> str:
        return ",".join([self.game, *(f"{k}={v}" for k, v in self.settings.items())]).replace(" ", "").replace("/", "_")

    @property
    def command(self) -> str:
        return " ".join([f"dcgc train {self.game}", *(f"--set {k}={v}" for k, v in self.settings.items())])


@dataclass(frozen=True)
class Entry:
    """One of the 39 games."""

    heading: str
    title: str
    runs: tuple[Run, ...]

    def wanted(self, only: Sequence[str] | None) -> bool:
        return only is None or self.heading in only or any(r.game in only for r in self.runs)


def entries(path: Path = GAMES) -> list[Entry]:
    data = tomllib.loads(path.read_text(encoding="utf-8"))["game"]
    return [Entry(e["heading"], e["title"], tuple(Run(r["game"], r.get("set", {}), e["margin"]) for r in e["runs"])) for e in data]


# ---------------------------------------------------------------- training


def train_here(game: str, settings: Mapping[str, object], seed: int) -> Outcome:
    """Train in this process."""
    start = time.perf_counter()
    try:
        result = dcgc.train(dcgc.load(game, settings), seed=seed)
    except dcgc.GameError as problem:
        first = problem.diagnostics[0]
        return Outcome(seed, time.perf_counter() - start, failure=f"{first.code}: {first.message}")
    card = result.scorecard
    seconds = time.perf_counter() - start
    figures = tuple(Compared(c.label, c.kind, c.relation, c.published, float(c.found), c.found.error, c.verdict) for c in card.comparisons)
    regrets = [r.ex_ante for r in card.regrets if not math.isnan(r.ex_ante)]
    exact = bool(card.regrets) and all(r.exact for r in card.regrets)
    return Outcome(seed, seconds, figures, result.trained.engine, max(regrets, default=math.nan), exact, tuple(result.alarms),
                   processor=time.process_time())


def train_apart(run: Run, seed: int, limit: float) -> Outcome:
    """Train in a process of its own that is ended after ``limit`` seconds."""
    task = json.dumps({"game": run.game, "settings": dict(run.settings), "seed": seed})
    start = time.perf_counter()
    try:
        done = subprocess.run([sys.executable, __file__, "--task", task], capture_output=True, text=True, timeout=limit, check=False,
                              env={**os.environ, "DCGC_NO_CACHE": "1"})
    except subprocess.TimeoutExpired:
        return Outcome(seed, time.perf_counter() - start, failure=f"not finished after {limit:.0f} s")
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        why = (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
        return Outcome(seed, time.perf_counter() - start, failure=why[:160])
    return Outcome.read(json.loads(lines[-1]))


def text_of(game: str) -> str:
    """What tells a changed text, library or compiler from an old one."""
    package = Path(dcgc.__file__).parent
    files = [Path(find_game(game)), *sorted(package.rglob("*.py")), *sorted((HERE.parent / "stdlib").rglob("*.dcg"))]
    found = hashlib.sha256()
    for path in files:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def kept(run: Run, cache: Path) -> dict[int, Outcome]:
    """What was trained before, by seed; nothing if the text or the compiler has changed since."""
    path = cache / f"{run.key}.json"
    if not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    return {o["seed"]: Outcome.read(o) for o in data["outcomes"]} if data["text"] == text_of(run.game) else {}


def keep(run: Run, outcomes: Mapping[int, Outcome], cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    data = {"text": text_of(run.game), "outcomes": [asdict(outcomes[seed]) for seed in sorted(outcomes)]}
    part = cache / f"{run.key}.part"
    part.write_text(json.dumps(data, indent=1), encoding="utf-8")
    part.replace(cache / f"{run.key}.json")


def fill(run: Run, seeds: int, limit: float, cache: Path, fresh: bool = False,
         train: Callable[[Run, int, float], Outcome] = train_apart) -> dict[int, Outcome]:
    """Train what is still missing of a run, and keep it. After a first seed that ran out of time no other is tried."""
    outcomes = {} if fresh else kept(run, cache)
    for seed in range(seeds):
        if seed not in outcomes:
            if seed and outcomes[0].failure:
                break  # a game that is refused or too slow is so from every seed
            outcomes[seed] = train(run, seed, limit)
            keep(run, outcomes, cache)
    return outcomes


# ---------------------------------------------------------------- the page


def number(value: float, digits: int = 7) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}g}"


def percent(c: Compared) -> str:
    return "" if c.kind == "bound" else f"{c.off():.2e}" if c.published == 0 else f"{100 * c.off():.2f}%"


def lines_of(run: Run, outcomes: Mapping[int, Outcome]) -> list[str]:
    """The rows of a run: a figure each, of its first seed; its failure if it has none."""
    if not outcomes:
        return [f"| `{run.command}` | | | not trained yet | | | | | | |"]
    first = outcomes[min(outcomes)]
    if first.failure:
        return [f"| `{run.command}` | | | {first.failure} | | | | {first.time} | | |"]
    rows = []
    for k, c in enumerate(first.figures):
        there = sum(any(f.figure == c.figure and f.kind == c.kind and f.reached(run.margin) for f in o.figures) for o in outcomes.values())
        published = f"{'record ' if c.kind == 'record' else c.relation + ' ' if c.kind == 'bound' else ''}{number(c.published)}"
        own = (first.time, f"{there} of {len(outcomes)}", first.engine if k == 0 else "")
        head = f"`{run.command}`" if k == 0 else ""
        rows.append(f"| {head} | `{c.figure}` | {published} | {number(c.found)} | {number(c.error, 1)} | {percent(c)} | {c.verdict} | "
                    f"{own[0] if k == 0 else ''} | {own[1]} | {own[2]} |")
    return rows or [f"| `{run.command}` | nothing published | | | | | | {first.time} | | {first.engine} |"]


def alarmed(run: Run, outcomes: Mapping[int, Outcome]) -> list[str]:
    """Alarms of a run's first training, in its words."""
    return [f"`{run.command}`: {'; '.join(outcomes[min(outcomes)].alarms)}"] if outcomes and outcomes[min(outcomes)].alarms else []


def reasons(run: Run, outcomes: Mapping[int, Outcome], limit: float = math.inf) -> list[str]:
    """Why a run does not reach its figures in ``limit`` seconds, from its scorecard; nothing if it does, or has not been trained yet."""
    if not outcomes:
        return []
    first = outcomes[min(outcomes)]
    if first.failure:
        return [f"`{run.command}`: {first.failure}"]
    if first.seconds > limit:
        return [f"`{run.command}`: {first.seconds:.0f} s of {limit:.0f}"]
    missed = [c for c in first.figures if not c.reached(run.margin)]
    if not missed:
        return []
    worst = max(missed, key=Compared.off)
    regret = f"largest regret {'' if first.exact else 'at least '}{number(first.regret, 2)}"
    alarms = "".join(f"; {alarm}" for alarm in first.alarms)
    return [f"`{run.command}`: {len(missed)} of {len(first.figures)} figures missed, `{worst.figure}` = {number(worst.found)} for "
            f"{number(worst.published)}; {regret}{alarms}"]


def page(all_entries: Sequence[Entry], found: Mapping[str, Mapping[int, Outcome]], limit: float, where: str) -> str:
    """docs/reference.md."""
    why = {e.heading: [line for r in e.runs for line in reasons(r, found[r.key], limit)] for e in all_entries}
    loud = {e.heading: [line for r in e.runs for line in alarmed(r, found[r.key])] for e in all_entries}
    untried = [e for e in all_entries if any(not found[r.key] for r in e.runs)]
    reached = [e for e in all_entries if not why[e.heading] and e not in untried]
    warned = sum(bool(loud[e.heading]) for e in reached)
    beside = f", {warned} of them with an alarm" if warned else ""
    left = f"{beside}; {len(untried)} have not been trained yet, or not in all variants" if untried else beside
    parts = [HEAD.format(limit=limit), f"**{len(reached)} of {len(all_entries)}** games reach all their figures{left}.\n",
             "| | game | runs | figures | largest error | seconds | reached |", "|---|---|---|---|---|---|---|"]
    for e in all_entries:
        firsts = [found[r.key][min(found[r.key])] for r in e.runs if found[r.key]]
        compared = [c for o in firsts for c in o.figures if c.kind != "bound"]
        off = max((c.off() for c in compared if c.published != 0), default=math.nan)
        slow = max((o.seconds for o in firsts), default=math.nan)
        yes = "yes, with an alarm" if loud[e.heading] else "yes"
        word = "no" if why[e.heading] else yes if e in reached else "so far" if firsts else "not trained yet"
        parts.append(f"| {e.heading} | {e.title} | {len(e.runs)} | {len(compared)} | {'' if math.isnan(off) else f'{100 * off:.2f}%'} | "
                     f"{'' if math.isnan(slow) else f'{slow:.0f}'} | {word} |")
    parts += ["\n## Those that do not, and why\n"]
    parts += [f"- **{e.heading}**, {e.title}: " + "; ".join(why[e.heading]) + "."
              for e in all_entries if why[e.heading]]
    parts += ["\n## Those that do, with an alarm\n"]
    parts += [f"- **{e.heading}**, {e.title}: " + "; ".join(loud[e.heading]) + "." for e in reached if loud[e.heading]]
    parts += [EVERY]
    for e in all_entries:
        parts += [f"### {e.heading}: {e.title}\n",
                  "| text | figure | published | found | error | off | verdict | s | seeds | engine |", "|" + "---|" * 10]
        parts += [row for r in e.runs for row in lines_of(r, found[r.key])] + [""]
    return "\n".join([*parts, f"Made on {where}."]) + "\n"


def machine() -> str:
    sys.path.insert(0, str(HERE))
    import games_table

    return games_table.machine()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="games_table.py --reference", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="headings (T1) or texts (kyle); none: train nothing")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each text (default 1)")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="of one training (default 120)")
    parser.add_argument("--fresh", action="store_true", help="train again what has been trained")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="FOLDER", help="where results are kept (default runs/reference)")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="default docs/reference.md")
    parser.add_argument("--task", help=argparse.SUPPRESS)  # in the process of one training: what came out, as JSON
    options = parser.parse_args(arguments)
    if options.task:
        task = json.loads(options.task)
        print(json.dumps(asdict(train_here(task["game"], task["settings"], task["seed"]))))
        return 0
    everything = entries()
    names = {e.heading for e in everything} | {r.game for e in everything for r in e.runs}
    unknown = [name for name in options.only or () if name not in names]
    if unknown:
        parser.error(f"no such game: {', '.join(unknown)}")
    found = {}
    for e in everything:
        for run in e.runs:
            asked = options.only is None or e.heading in options.only or run.game in options.only
            found[run.key] = fill(run, options.seeds, options.limit, options.cache, options.fresh) if asked else kept(run, options.cache)
            if asked:
                print(f"{e.heading}", *lines_of(run, found[run.key]), sep="\n", flush=True)
    options.page.write_text(page(everything, found, options.limit, machine()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
