"""Games in Gambit's format, and the game of a text, made finite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcgc import door
from dcgc.finite import FiniteGame, read_efg
from dcgc.source import Source


@pytest.fixture(scope="session")
def tree_of() -> Callable[..., FiniteGame]:
    """The finite shadow of a text or a shipped game."""
    def made(text: str, grid: int = 3, ranges: dict[str, tuple[float, float]] | None = None, **values: object) -> FiniteGame:
        return door.shadow(door.load(text, set=values), grid, ranges).game

    return made


@pytest.fixture(scope="session")
def read() -> Callable[[str], FiniteGame]:
    return lambda text: read_efg(Source("game.efg", text))
