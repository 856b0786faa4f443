"""What a running training writes: metrics as it goes, and a checkpoint after every chunk."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any

from ..learning.settings import Progress
from . import serialise
from .files import strict
from .folder import CHECKPOINT, Run, RunProblem


class Metrics:
    """``metrics.jsonl``: a line for every report of a training, in order, without clocks: equal runs write equal files."""

    def __init__(self, path: str):
        self.path = path
        self.file: IO[bytes] | None = None
        self.count = 0

    def begin(self, keep: int) -> None:
        """Keep the first ``keep`` lines (all that the checkpoint knows of) and write on from there."""
        kept = b""
        with suppress(FileNotFoundError), open(self.path, "rb") as old:
            kept = b"".join(line for line, _ in zip(old, range(keep), strict=False) if line.endswith(b"\n"))
        self.close()
        self.file = open(self.path, "r+b" if os.path.exists(self.path) else "w+b")
        self.file.truncate(len(kept))
        self.file.seek(len(kept))
        self.count = keep

    def write(self, progress: Progress) -> None:
        if self.file is None:
            self.begin(0)
        assert self.file is not None
        self.file.write(json.dumps(strict(asdict(progress)), allow_nan=False).encode() + b"\n")
        self.file.flush()
        self.count += 1

    def sync(self) -> None:
        if self.file is not None:
            os.fsync(self.file.fileno())

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


class RunStore:
    """The ``Store`` of a run folder. The checkpoint also says how many lines of metrics were written before it."""

    def __init__(self, run: Run, metrics: Metrics):
        self.path = run.path(CHECKPOINT)
        self.metrics = metrics
        self.stopping = False

    def stop(self) -> None:
        """Write no more: what a training does on its way out after an interruption is no state to go on from."""
        self.stopping = True

    def save(self, state: Any) -> None:
        if self.stopping:
            return
        self.metrics.sync()
        try:
            serialise.save(self.path, {"reports": self.metrics.count, "state": state})
        except OSError as problem:
            raise RunProblem(f"{self.path}: cannot be written: {problem.strerror or problem}") from None

    def load(self) -> Any | None:
        try:
            saved = serialise.load(self.path)
        except FileNotFoundError:
            self.metrics.begin(0)
            return None
        except (serialise.BadFile, OSError) as problem:
            raise RunProblem(str(problem)) from None
        self.metrics.begin(saved["reports"])
        return saved["state"]
