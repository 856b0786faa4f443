"""Makes what in docs/ is made: the pages of all diagnostics, games and the library, the picture of the street, the table of estimators.

    python docs/generate.py            # writes docs/diagnostics.md, games.md, stdlib.md, classes.md, pictures, the table in gradients.md
    python docs/generate.py --check    # exit status 1 if one of them is not up to date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dcgc.core.codes import CODES as CORE_CODES
from dcgc.finite.codes import CODES as FINITE_CODES
from dcgc.information.codes import CODES as INFORMATION_CODES
from dcgc.semantics.codes import CODES as FRONT_CODES
from dcgc.source.code import Code

HERE = Path(__file__).resolve().parent

CHAPTERS: Mapping[str, str] = {
    "S": "Reading the text", "N": "Names", "T": "Types and shapes", "K": "Time and knowledge", "P": "Parameters",
    "M": "What makes a game", "C": "Channels", "U": "Using other files",
    "I": "Who knows what, worth a look", "F": "Finite games", "L": "What cannot be computed yet", "R": "While it runs",
}
LONGEST = 1200  # characters of an example that is shown


# ---------------------------------------------------------------- diagnostics


def diagnostics() -> str:
    """The page of all codes, chapter by chapter."""
    every = {**FRONT_CODES, **CORE_CODES, **INFORMATION_CODES, **FINITE_CODES}
    codes = sorted(every.values(), key=lambda c: (list(CHAPTERS).index(c.code[0]), c.code))
    parts = ["# Diagnostics\n",
             "Made by `python docs/generate.py` from the tables of the compiler; `dcgc explain CODE` shows one of them. Every problem of",
             "a text is reported in one run, with its code, its place, a message and a hint; `--json` gives the same to machines. Every",
             "example is wrong in the way of its code, and a test sees to it.\n"]
    chapter = ""
    for c in codes:
        if c.code[0] != chapter:
            chapter = c.code[0]
            parts.append(f"## {CHAPTERS[chapter]} ({chapter})\n")
        parts.append(entry(c))
    return "\n".join(parts)


def entry(c: Code) -> str:
    """One code as Markdown."""
    lines = [f"### {c.code}: {c.title}\n", " ".join(c.page.split()) + "\n"]
    if c.example and len(c.example) <= LONGEST:
        # Four backquotes: nothing in an example can close them, and no test takes it for a good one.
        lines.append("````\n" + c.example.rstrip("\n") + "\n````\n")
    return "\n".join(lines)


# ---------------------------------------------------------------- the street

STREET = (
    ("text", "a .dcg file"), ("source", "spans, ledger"), ("syntax", "grammar, tree"), ("semantics", "names, types, time"),
    ("core", "the game graph"), ("passes", "rewrites"), ("information", "who knows what"), ("lower", "worlds on grids"),
    ("learning", "engines"), ("verify", "figures, regrets"), ("report", "tables, curves"),
)
SIDE = (("primitives", "laws, rules, steps", 7), ("policies", "families, heads", 8))
LIGHT = 7  # rooms up to here start without JAX
WIDTH, HEIGHT, GAP = 118, 62, 22


def street() -> str:
    """The picture of the street as SVG: rooms in order, what they lean on beneath, where JAX begins."""
    per_row = 6
    parts: list[str] = []

    def place(i: int) -> tuple[int, int]:
        row, column = divmod(i, per_row)
        return 30 + column * (WIDTH + GAP), 70 + row * 130

    for i, (name, what) in enumerate(STREET):
        x, y = place(i)
        fill = "#ffffff" if i == 0 else "#e8f0e4" if i < LIGHT else "#e4ecf5"
        parts.append(room(x, y, name, what, fill))
        if i + 1 < len(STREET):
            parts.append(arrow(*leave(x, y, place(i + 1))))
    for name, what, under in SIDE:
        x, y = place(under)
        parts.append(room(x, y + 120, name, what, "#f5eee4"))
        parts.append(arrow(f"M {x + WIDTH / 2:.0f} {y + 120} L {x + WIDTH / 2:.0f} {y + HEIGHT + 5}"))
    width, height = 30 + per_row * (WIDTH + GAP) + 8, 70 + 130 + 120 + HEIGHT + 60
    legend = height - 22
    key = "".join(f'<rect x="{30 + 235 * k}" y="{legend - 11}" width="14" height="14" rx="3" fill="{fill}" stroke="#667"/>'
                  f'<text x="{50 + 235 * k}" y="{legend}" class="what" text-anchor="start">{text}</text>'
                  for k, (fill, text) in enumerate((("#e8f0e4", "starts at once, without JAX"), ("#e4ecf5", "computes, in JAX"),
                                                    ("#f5eee4", "parts, used from above"))))
    return f'''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>From a text to a trained, exactly scored policy</title>
<style>text {{ font-family: sans-serif; text-anchor: middle; fill: #223 }} .name {{ font-size: 15px; font-weight: 600 }}
.what {{ font-size: 11.5px; fill: #445 }} .head {{ font-size: 17px; text-anchor: start }} path {{ stroke: #667; fill: none }}</style>
<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto"><path d="M0,0 L6,3 L0,6" /></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text x="30" y="38" class="head">From a text to a trained, exactly scored policy</text>
{chr(10).join(parts)}
{key}
</svg>
'''


def room(x: int, y: int, name: str, what: str, fill: str) -> str:
    middle = x + WIDTH / 2
    return (f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="7" fill="{fill}" stroke="#667"/>'
            f'<text x="{middle:.0f}" y="{y + 27}" class="name">{name}</text>'
            f'<text x="{middle:.0f}" y="{y + 46}" class="what">{what}</text>')


def leave(x: int, y: int, to: tuple[int, int]) -> tuple[str]:
    """The path from a room to the next: straight on, or down to the next row."""
    if to[1] == y:
        return (f"M {x + WIDTH} {y + HEIGHT / 2:.0f} L {to[0] - 4} {y + HEIGHT / 2:.0f}",)
    low = y + HEIGHT + 30
    return (f"M {x + WIDTH / 2:.0f} {y + HEIGHT} L {x + WIDTH / 2:.0f} {low} L {to[0] + WIDTH / 2:.0f} {low} "
            f"L {to[0] + WIDTH / 2:.0f} {to[1] - 4}",)


def arrow(path: str) -> str:
    return f'<path d="{path}" marker-end="url(#tip)"/>'


# ---------------------------------------------------------------- files

# ---------------------------------------------------------------- the estimators

ESTIMATORS_BEGIN, ESTIMATORS_END = "<!-- estimators:begin -->", "<!-- estimators:end -->"


def gradients() -> str:
    """The page on gradients, with the table of estimators made from the table of the compiler."""
    from dcgc.gradients.estimators import ESTIMATORS, Gaussian

    rows = ["| estimator | at | unbiased | whole words | uses d cost / d m | draws |", "|---|---|---|---|---|---|"]
    for name, e in ESTIMATORS.items():
        at = "reals and words" if len(e.forms) > 1 else "reals" if Gaussian in e.forms else "words"
        flags = ["yes" if flag else "no" for flag in (e.unbiased, e.hard, e.through)]
        rows.append(f"| `{name}` | {at} | {' | '.join(flags)} | {'all' if name == 'exact' else e.draws} |")
    before, rest = (HERE / "gradients.md").read_text(encoding="utf-8").split(ESTIMATORS_BEGIN)
    return f"{before}{ESTIMATORS_BEGIN}\n" + "\n".join(rows) + f"\n{ESTIMATORS_END}{rest.split(ESTIMATORS_END)[1]}"


# ---------------------------------------------------------------- what lies in games/ and stdlib/


def beside(name: str) -> ModuleType:
    """A module of docs/."""
    sys.path.insert(0, str(HERE))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(HERE))


def diagram(name: str) -> str:
    """The influence diagram of a game, as ``dcgc info NAME --graph`` draws it."""
    from dcgc.report.influence import svg

    found, _ = beside("classes").read(HERE.parent / "games" / f"{name}.dcg")
    title = found.game.name + (f": {found.game.title}" if found.game.title else "")
    return str(svg(found.seen.diagram, title))


MADE: Mapping[str, Callable[[], str]] = {
    "diagnostics.md": diagnostics, "figures/street.svg": street, "gradients.md": gradients,
    "games.md": lambda: beside("catalogue").games(), "stdlib.md": lambda: beside("catalogue").standard_library(),
    "classes.md": lambda: beside("classes").page(), "figures/cournot_sharing.svg": lambda: diagram("cournot_sharing"),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if something is out of date")
    options = parser.parse_args(arguments)
    old = []
    for name, make in MADE.items():
        path, text = HERE / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if not options.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in old:
        print(f"docs/{name} {'is out of date: run python docs/generate.py' if options.check else 'written'}", file=sys.stderr)
    return 1 if old and options.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
