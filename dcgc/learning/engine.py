"""What an engine is: a state machine that can be stopped after any step and saved."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

from ..lower.problem import Problem
from ..lower.world import World
from .settings import Reporter, Settings

State = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A profile that an engine ended with, and how many of its starts ended there."""

    profile: dict[str, Any]
    starts: int


class Engine(abc.ABC):
    """An engine advances a state (a tree that a store can save) by one chunk at a time; it keeps nothing else between chunks, so that
    a saved state goes on exactly as it would have."""

    name: ClassVar[str]
    title: ClassVar[str]
    leads: ClassVar[bool] = False  # whether it is for games in which somebody announces a policy (and for no others)

    repeats: ClassVar[bool] = False  # whether it takes stages that are not written out (``core.site.StageBlock``), and no other games

    conclusive: ClassVar[bool] = True  # whether a profile that stands up to its regret ends the search
    settles: ClassVar[bool] = False  # whether one whose regret is small, up to the grid, does
    fresh: ClassVar[bool] = False  # whether every step has samples of its own, so that no policy can learn its nodes

    def concludes(self, problem: Problem) -> bool:
        """Whether a profile that stands up to its regret ends the search in this game."""
        return self.conclusive

    @abc.abstractmethod
    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take this game, or None."""

    def heeds(self, problem: Problem) -> bool:
        """Whether it moves policies by gradients, and so can have terms in its objective, estimators, and routes that stop."""
        return False

    def way(self, problem: Problem) -> str:
        """How a comparison that decisions move is taken in training, in words."""
        return "taken as it is: nothing moves it here"

    def way_of_choices(self, problem: Problem) -> str:
        """How finite decisions are taken in training, in words."""
        return "summed out exactly over its options"

    def relaxed_world(self, problem: Problem, settings: Settings, state: State, profile: dict[str, Any]) -> World | None:
        """A found profile's world as the last step of the training had it; None where comparisons are exact."""
        return None

    @abc.abstractmethod
    def start(self, problem: Problem, settings: Settings) -> State:
        """The first state."""

    @abc.abstractmethod
    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        """The state one chunk later; ``state["done"]`` is True at the end."""

    @abc.abstractmethod
    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        """What was found so far, best first; after any chunk."""
