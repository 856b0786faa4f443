"""Run folders: one training each, complete from the moment it appears, never written by two processes."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ..source import Source
from .files import sync_folder, write_file, write_json

TEXT = "game.dcg"
CONFIG = "config.json"
VERSIONS = "versions.json"
METRICS = "metrics.jsonl"
CHECKPOINT = "checkpoint.safetensors"
POLICIES = "policies.safetensors"
RESULT = "result.json"
FIGURES = "figures"
LOCK = ".lock"


class RunProblem(Exception):
    """A run folder that cannot be made, read or written; the message is one line."""


@dataclass(frozen=True)
class Run:
    """The run in a folder. ``config``: what ``config.json`` holds."""

    folder: str
    config: Mapping[str, Any]

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @property
    def text_path(self) -> str:
        return self.path(str(self.config.get("text", TEXT)))

    @property
    def finished(self) -> bool:
        """Whether training ended by itself and everything was written."""
        result = self.result()
        return result is not None and not result.get("interrupted")

    def result(self) -> dict[str, Any] | None:
        """What ``result.json`` holds; None if it is not there. Raises RunProblem if it is damaged."""
        try:
            return read_json(self.path(RESULT))
        except FileNotFoundError:
            return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keeps other processes from writing this run meanwhile. Raises RunProblem if one does."""
        with open(self.path(LOCK), "a+b") as file:
            if not lock(file.fileno()):
                raise RunProblem(f"{self.folder}: another process is writing this run")
            yield


def lock(handle: int) -> bool:
    """Lock an open file until it is closed or the process ends, however it ends; False if another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: better to train than not to
    return True


def create(folder: str | None, stem: str, sources: tuple[Source, ...], config: Mapping[str, Any],
           versions: Mapping[str, Any]) -> Run:
    """A new run: in ``folder`` (which must not be there, or be empty), or under the first free name ``runs/STEM-N``.

    The folder appears with its texts, configuration and versions in it, or not at all. Raises RunProblem.
    """
    parent = os.path.dirname(os.path.abspath(folder)) if folder is not None else os.path.abspath("runs")
    try:
        os.makedirs(parent, exist_ok=True)
        temporary = tempfile.mkdtemp(dir=parent, prefix=".new-")
        try:
            text = write_sources(temporary, sources)
            full = {**config, "text": text}
            write_json(os.path.join(temporary, CONFIG), full)
            write_json(os.path.join(temporary, VERSIONS), versions)
            os.chmod(temporary, 0o755)
            place = claim(temporary, folder, stem)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as problem:
        raise RunProblem(f"{folder or 'runs'}: cannot be written: {problem.strerror or problem}") from None
    sync_folder(parent)
    return Run(place, full)


def claim(temporary: str, folder: str | None, stem: str) -> str:
    """Give a prepared folder its name; a rename fails on a folder with something in it, so no two get the same."""
    if folder is not None:
        if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
            raise RunProblem(f"{folder}: is there already; --resume goes on with it, --out takes another folder")
        os.replace(temporary, folder)
        return folder
    for number in itertools.count(next_number(stem)):
        name = os.path.join("runs", f"{stem}-{number}")
        if not os.path.exists(name):
            with suppress(OSError):
                os.rename(temporary, name)
                return name
        if number > 1_000_000:
            break
    raise RunProblem("runs: no free name")


def numbered(stem: str) -> list[tuple[int, str]]:
    """The runs of this stem in ``runs``, (number, folder), in order."""
    pattern = re.compile(re.escape(stem) + r"-([0-9]+)")
    entries = os.listdir("runs") if os.path.isdir("runs") else []
    found = [(int(m[1]), os.path.join("runs", entry)) for entry in entries if (m := pattern.fullmatch(entry))]
    return sorted(found)


def next_number(stem: str) -> int:
    return max((number for number, _ in numbered(stem)), default=0) + 1


def write_sources(folder: str, sources: tuple[Source, ...]) -> str:
    """Copy the game's text and the files beside it that it uses; returns the name of the game's."""
    main, *used = sources
    home = os.path.dirname(os.path.abspath(main.name))
    places = {}
    for source in used:
        place = os.path.relpath(os.path.abspath(source.name), home)
        if not place.startswith(".."):  # what came with dcgc stays there
            places[place] = source
    names = itertools.chain([TEXT], (f"game-{i}.dcg" for i in itertools.count(1)))
    name = next(n for n in names if n not in places)
    for place, source in {name: main, **places}.items():
        path = os.path.join(folder, place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_file(path, source.text.encode("utf-8"))
    return name


def open_run(folder: str) -> Run:
    """The run in a folder. Raises RunProblem if there is none."""
    if not os.path.isdir(folder):
        raise RunProblem(f"{folder}: no such run folder")
    try:
        return Run(folder, read_json(os.path.join(folder, CONFIG)))
    except FileNotFoundError:
        raise RunProblem(f"{folder}: no run folder (it has no {CONFIG})") from None


def read_json(path: str) -> dict[str, Any]:
    """A JSON object. Raises FileNotFoundError, and RunProblem if it is something else."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as problem:
        raise RunProblem(f"{path}: cannot be read: {problem}") from None
    if not isinstance(data, dict):
        raise RunProblem(f"{path}: holds no JSON object")
    return data
