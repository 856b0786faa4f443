"""``use``: definitions and channels from files beside the game and from ``stdlib/``.

``use "lib.dcg"`` brings what the file defines under plain names, ``use "lib.dcg" as L`` under ``L.f``. ``use std.a.b``
is the file ``stdlib/a/b.dcg``; if there is none, the definition or channel ``b`` alone out of ``stdlib/a.dcg``. Params
come along if what is taken mentions them. A game reads nothing outside its own folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..source import Ledger, Source, near_names
from ..syntax import parse, tree
from .filling import Taken, filled, mentions, name_of, renamed
from .mistakes import use as U

MOST_FILES = 32
MOST_DEPTH = 8
MOST_BYTES = 256 * 1024



@dataclass
class Loader:
    """Reads the files that one game uses. ``folder`` is the game's own; None if it has none."""

    ledger: Ledger
    folder: Path | None
    sources: list[Source] = field(default_factory=list)
    uses: int = 0

    def take(self, statement: tree.Use, chain: tuple[Path, ...]) -> tuple[Taken, ...]:
        """What a ``use`` brings, under the names that the using file gives it; () after a report."""
        self.uses += 1
        if self.uses > MOST_FILES or len(chain) > MOST_DEPTH:
            if self.uses <= MOST_FILES + 1 or len(chain) > MOST_DEPTH:
                self.ledger.add(U.TOO_MANY.at(statement.span))
            return ()
        found = self._module(statement) if statement.module is not None else self._beside(statement, chain)
        if found is None:
            return ()
        path, wanted = found
        if path in chain:
            names = " and ".join(link.name for link in chain[chain.index(path) :])
            self.ledger.add(U.CYCLE.at(statement.span, path=path.name, chain=names))
            return ()
        source = _read(path, statement, self.ledger)
        if source is None:
            return ()
        self.sources.append(source)
        taken = self.contents(source, (*chain, path))
        if wanted is not None:
            taken = _needed(taken, wanted)
            if not taken:
                self._unknown(statement)
                return ()
        if statement.filled:
            taken = filled(taken, statement, self.ledger)
        if statement.alias is None:
            return taken
        prefix = f"{statement.alias}."
        return renamed(taken, {name: prefix + name for name in map(name_of, taken) if not name.startswith(prefix)})

    def contents(self, source: Source, chain: tuple[Path, ...]) -> tuple[Taken, ...]:
        """The definitions and channels of a file, with those that it takes from others."""
        file = parse(source, self.ledger)
        taken: list[Taken] = []
        for statement in file.statements:
            if isinstance(statement, tree.Use):
                taken.extend(self.take(statement, chain))
            elif isinstance(statement, (tree.Def, tree.Channel, tree.Param)):
                taken.append(statement)
        mentioned = {name for item in taken for name in _meant(item)}
        return tuple(item for item in taken if not isinstance(item, tree.Param) or item.name in mentioned)

    def _beside(self, statement: tree.Use, chain: tuple[Path, ...]) -> tuple[Path, str | None] | None:
        text = statement.path or ""
        folder = chain[-1].parent if chain else self.folder
        if not _inside(text):
            self.ledger.add(U.FORBIDDEN.at(statement.span, path=text))
            return None
        if folder is None:
            self.ledger.add(U.NO_FOLDER.at(statement.span, path=text))
            return None
        root = folder if self.folder is None or _within(folder, standard_folder()) else self.folder
        try:
            path, inside = (folder / text).resolve(), root.resolve()
            exists = path.is_file()
        except (OSError, RuntimeError, ValueError):
            exists, path, inside = False, folder / text, root
        if not _within(path, inside):
            self.ledger.add(U.FORBIDDEN.at(statement.span, path=text))
            return None
        if not exists:
            near = near_names(text, [file.name for file in _files(folder)])
            self.ledger.add(U.NOT_FOUND.at(statement.span, path=text, near=near))
            return None
        return path, None

    def _module(self, statement: tree.Use) -> tuple[Path, str | None] | None:
        parts = (statement.module or "").split(".")
        folder = standard_folder()
        if parts[0] == "std" and len(parts) > 1 and all(part.isidentifier() for part in parts):
            whole = folder.joinpath(*parts[1:]).with_suffix(".dcg")
            if whole.is_file():
                return whole, None
            if len(parts) > 2:
                part = folder.joinpath(*parts[1:-1]).with_suffix(".dcg")
                if part.is_file():
                    return part, parts[-1]
        self._unknown(statement)
        return None

    def _unknown(self, statement: tree.Use) -> None:
        known = modules()
        near = near_names(statement.module or "", known)
        self.ledger.add(U.UNKNOWN_MODULE.at(statement.span, module=statement.module, known=", ".join(known), near=near))


def standard_folder() -> Path:
    """Where the modules of the compiler lie: in the package, or in its checkout."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_data" / "stdlib"
    return packed if packed.is_dir() else package.parent / "stdlib"


def modules() -> tuple[str, ...]:
    """The names of all modules, as they are used."""
    folder = standard_folder()
    found = (path.relative_to(folder).with_suffix("") for path in sorted(folder.rglob("*.dcg")))
    return tuple(".".join(("std", *path.parts)) for path in found)


def _inside(text: str) -> bool:
    """Whether a path is relative and stays below where it starts, on every system."""
    parts = text.replace("\\", "/").split("/")
    sound = bool(text) and "\x00" not in text and ":" not in text and "\\" not in text
    return sound and not text.startswith(("/", "~")) and ".." not in parts and "" not in parts


def _within(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.dcg"))[:200]
    except OSError:
        return []


def _read(path: Path, statement: tree.Use, ledger: Ledger) -> Source | None:
    """The text of a file; reports and returns None if it is no small text."""
    why = ""
    data = b""
    if path.suffix != ".dcg":
        why = "is no .dcg file"
    else:
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError:
            why = "cannot be read"
    if len(data) > MOST_BYTES:
        why = f"is larger than {MOST_BYTES // 1024} KB"
    if not why:
        try:
            return Source(os.path.relpath(path), data.decode("utf-8"))
        except UnicodeDecodeError:
            why = "is not UTF-8"
    ledger.add(U.UNREADABLE.at(statement.span, path=statement.path or statement.module, why=why))
    return None


# ---------------------------------------------------------------- names


def _needed(taken: tuple[Taken, ...], wanted: str) -> tuple[Taken, ...]:
    """One definition and everything that it is made of."""
    needed = {wanted}
    for item in reversed(taken):
        if name_of(item) in needed:
            needed |= _meant(item)
    params = {item.name: item for item in taken if isinstance(item, tree.Param)}
    for name in [name for name in params if name in needed]:
        needed |= mentions(params[name])
    found = tuple(item for item in taken if name_of(item) in needed)
    return found if any(name_of(item) == wanted for item in found) else ()


def _meant(item: Taken) -> set[str]:
    """What an item mentions; the word of a channel's noise is no name."""
    if isinstance(item, tree.Channel) and isinstance(item.body.noise, (tree.Name, tree.Call)):
        noise = item.body.noise
        rest = mentions(replace(item, body=replace(item.body, noise=None)))
        return rest | (set().union(*(mentions(a) for a in noise.arguments)) if isinstance(noise, tree.Call) else set())
    return mentions(item)
