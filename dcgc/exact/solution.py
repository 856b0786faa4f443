"""What an exact solver hands over: policies, the theorem that makes them a solution, and its assumptions with how each was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


class NoTheory(Exception):
    """No theorem that is known here solves the game: why, in one sentence."""


@dataclass(frozen=True)
class Assumption:
    """``what`` is assumed, and how it was checked, in words."""

    what: str
    check: str

    @property
    def sentence(self) -> str:
        return f"{self.what}: checked ({self.check})"


@dataclass(frozen=True)
class Exact:
    """``profile``: by group, as a training's. ``kind``: a *solution* by the theorem, or a *baseline*: the best of a family of policies that
    need not hold the best. ``count``: how many there are, in words. ``costs``: what each player pays, exactly, by its label, where it is
    known without the scorecard. ``others``: further equilibria, with their costs."""

    profile: dict[str, Any]
    method: str
    theorem: str
    assumptions: tuple[Assumption, ...]
    kind: Literal["solution", "baseline"] = "solution"
    count: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)
    others: tuple[tuple[dict[str, Any], Mapping[str, float]], ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it in lines."""
        told = [f"method: {self.method}", f"theorem: {self.theorem}"] if self.kind == "solution" else [
            f"method: {self.method}", f"a baseline, not a solution: {self.theorem}"]
        told += [f"assumption: {a.sentence}" for a in self.assumptions]
        return (*told, *([f"found: {self.count}"] if self.count else []))
