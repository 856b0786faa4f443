"""What listeners would pay who are told everything: trained once for each channel of a run, and kept in its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .files import write_json
from .folder import read_json

if TYPE_CHECKING:
    from ..learning.settings import Settings
    from ..lower.problem import Problem

ORACLES = "oracle.json"


def known_oracles(folder: str | None, problem: Problem, settings: Settings, train: bool) -> Callable[[str], Mapping[str, float]]:
    """From a channel's name to the costs of its listeners by player; empty where nothing is known and ``train`` is false."""
    path = os.path.join(folder, ORACLES) if folder is not None else None

    def costs(channel: str) -> Mapping[str, float]:
        kept = read_json(path) if path is not None and os.path.exists(path) else {}
        if channel in kept:
            return {who: float(cost) for who, cost in kept[channel].items()}
        if not train:
            return {}
        from ..studies.oracle import oracle

        found = oracle(problem, channel, settings)
        if path is not None:
            write_json(path, {**kept, channel: dict(found)})
        return found

    return costs
