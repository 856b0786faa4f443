"""The pages on what lies in games/ and stdlib/, made from the files themselves."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcgc.semantics.filling import mentions
from dcgc.source import Ledger, Source
from dcgc.syntax import parse, tree

ROOT = Path(__file__).resolve().parents[1]
FIELDS: Mapping[str, str] = {
    "control": "Teams and control", "oligopoly": "Oligopoly", "finance": "Finance", "bargaining": "Auctions, contracts and bargaining",
    "communication": "Communication", "attention": "Attention", "differentiable": "Zero-sum and matrix games",
}
LIBRARY = """# The standard library

Made by `python docs/generate.py` from the files in [stdlib/](../stdlib) and their comments. `use std.demand` takes a whole
module, `use std.demand.logit` one definition, `use std.demand as d` calls them `d.logit` and so on. A channel is taken with the
players and numbers of the game: `use std.channels.bsc(Sender = Expert, Receiver = Judge, flip = 0.05)`; see
[language.md](language.md#parameters-and-definitions).
"""
CATALOGUE = """# The games that come with dcgc

Made by `python docs/generate.py` from the files in [games/](../games): each text says what the game is and what is published
about it, with the line. `dcgc list` names them, `dcgc show NAME` says how one would be solved. [reference.md](reference.md) says
how close training comes to what is published.
"""


@dataclass(frozen=True)
class Text:
    """A .dcg file: its statements, and the comment that stands above each of them."""

    path: Path
    text: str
    file: tree.File

    @property
    def name(self) -> str:
        return self.path.stem

    def comment_above(self, line: int) -> str:
        """The comment lines that end right above a line (numbered from 1), joined."""
        lines, found = self.text.splitlines(), []
        while line > 1 and lines[line - 2].startswith("#"):
            found.append(lines[line - 2][1:].strip())
            line -= 1
        return " ".join(reversed(found))


def read(path: Path) -> Text:
    text = path.read_text(encoding="utf-8")
    return Text(path, text, parse(Source(path.name, text), Ledger()))


def folder(name: str) -> list[Text]:
    return [read(path) for path in sorted((ROOT / name).glob("*.dcg"))]


def everywhere(statements: Sequence[tree.Statement]) -> Iterator[tree.Statement]:
    """Statements and those in their blocks, in order."""
    for statement in statements:
        yield statement
        if isinstance(statement, (tree.For, tree.When, tree.Stage)):
            yield from everywhere(statement.body)


# ---------------------------------------------------------------- stdlib/


def definitions(module: Text) -> list[tree.Def | tree.Channel]:
    return [s for s in module.file.statements if isinstance(s, (tree.Def, tree.Channel))]


def name_of(item: tree.Def | tree.Channel) -> str:
    return item.target.name if isinstance(item, tree.Channel) else item.name


def signature(module: Text, item: tree.Def | tree.Channel) -> str:
    """How it is called: a function with its parameters, a channel with what may be filled in."""
    if isinstance(item, tree.Def):
        return f"{item.name}({', '.join(item.parameters)})"
    params = [s.name for s in module.file.statements if isinstance(s, tree.Param) and s.name in mentions(item)]
    return f"channel {item.target.name}({', '.join(('Sender', 'Receiver', *params))})"


def used(text: Text, modules: Sequence[Text]) -> set[tuple[str, str]]:
    """(module, definition) of all that a text takes from stdlib/ and mentions."""
    names = {name for s in text.file.statements if not isinstance(s, tree.Use) for name in mentions(s)}
    names |= {s.target.name for s in everywhere(text.file.statements) if isinstance(s, tree.Send)}
    found: set[tuple[str, str]] = set()
    for statement in text.file.statements:
        if not isinstance(statement, tree.Use) or statement.module is None:
            continue
        prefix = "" if statement.alias is None else f"{statement.alias}."
        _, module, *one = statement.module.split(".")
        inside = {name_of(d): d for d in next(definitions(m) for m in modules if m.name == module)}
        waiting = [name for name in inside if prefix + name in names and (not one or one == [name])]
        while waiting:  # what a definition is made of is used with it
            name = waiting.pop()
            found.add((module, name))
            waiting += [part for part in mentions(inside[name]) if part in inside and (module, part) not in found]
    return found


def users() -> dict[tuple[str, str], list[Text]]:
    """For each definition of stdlib/ the games and examples that use it, games first."""
    modules = folder("stdlib")
    found: dict[tuple[str, str], list[Text]] = {(m.name, name_of(d)): [] for m in modules for d in definitions(m)}
    for text in (*folder("games"), *folder("examples/library")):
        for key in used(text, modules):
            found[key].append(text)
    return found


def standard_library() -> str:
    """docs/stdlib.md."""
    by = users()
    parts = [LIBRARY]
    for module in folder("stdlib"):
        parts += [f"## std.{module.name}\n", head(module) + "\n", "| definition | what it is | used in |", "|---|---|---|"]
        for item in definitions(module):
            links = ", ".join(f"[{t.name}](../{t.path.relative_to(ROOT)})" for t in by[module.name, name_of(item)][:3])
            parts.append(f"| `{signature(module, item)}` | {module.comment_above(item.span.line)} | {links} |")
        parts.append("")
    parts += ["## Small games that use it\n", "Each is a file in [examples/library/](../examples/library).\n"]
    for example in folder("examples/library"):
        parts += [f"```dcg\n{example.text}```\n"]
    return "\n".join(parts)


def head(text: Text) -> str:
    """The comment that a file begins with, without its tags."""
    lines = []
    for line in text.text.splitlines():
        if not line.startswith("#"):
            break
        if not re.match(r"# \w+: \w+$", line):
            lines.append(line[1:].strip())
    return " ".join(lines)


# ---------------------------------------------------------------- games/


def tag(text: Text, name: str) -> str:
    found = re.search(rf"^# {name}: (.+)$", text.text, re.MULTILINE)
    return found[1] if found else ""


def first_sentence(text: Text) -> str:
    return re.split(r"(?<=[.?!:]) (?=[A-Z])", head(text))[0]


def code(text: str) -> str:
    """As code in the cell of a table."""
    return "`" + " ".join(text.split()).replace("|", "\\|") + "`"


def figures(text: Text) -> list[str]:
    """The published figures of a game, each with its line."""
    found = []
    for s, conditions in published(text.file.statements, ()):
        word = "" if s.kind == "known" else f"{s.kind} "
        condition = f" when {code(' and '.join(conditions))}" if conditions else ""
        found.append(f"{word}{code(f'{s.quantity.span.text} {s.relation} {s.value.span.text}')}{condition} (line {s.span.line})")
    return found


def published(statements: Sequence[tree.Statement], within: tuple[str, ...]) -> Iterator[tuple[tree.Known, tuple[str, ...]]]:
    """Every published figure with the conditions under which it holds, its own last."""
    for s in statements:
        if isinstance(s, tree.Known):
            yield s, within if s.when is None else (*within, s.when.span.text)
        elif isinstance(s, tree.When):
            yield from published(s.body, (*within, s.condition.span.text))


def variants() -> dict[str, list[str]]:
    """The commands that train a game's published variants, from benchmarks/reference_games.toml."""
    found: dict[str, list[str]] = {}
    for entry in tomllib.loads((ROOT / "benchmarks" / "reference_games.toml").read_text(encoding="utf-8"))["game"]:
        for run in entry["runs"]:
            settings = "".join(f" --set {k}={str(v).replace(' ', '')}" for k, v in run.get("set", {}).items())
            found.setdefault(run["game"], []).append(f"dcgc train {run['game']}{settings}")
    return found


def games() -> str:
    """docs/games.md."""
    texts, commands = folder("games"), variants()
    parts = [CATALOGUE]
    for field, title in FIELDS.items():
        parts += [f"## {title}\n", "| game | what it is | from | published | commands |", "|---|---|---|---|---|"]
        for text in texts:
            if tag(text, "field") == field:
                parts.append(row(text, commands.get(text.name, [f"dcgc train {text.name}"])))
        parts.append("")
    return "\n".join(parts)


def row(text: Text, commands: Sequence[str]) -> str:
    header = next(s for s in text.file.statements if isinstance(s, tree.GameHeader))
    cites = [s.reference + (f" ([doi](https://doi.org/{s.doi}))" if s.doi else "")
             for s in text.file.statements if isinstance(s, tree.Cite)]
    cells = (f"[{text.name}](../games/{text.path.name}): {header.title}", first_sentence(text), "; ".join(cites),
             "<br>".join(figures(text)), "<br>".join(map(code, commands)))
    return f"| {' | '.join(cells)} |"
