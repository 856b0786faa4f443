"""Settings of ``dcgc train``: each is a key of a ``train`` block and a flag of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol


@dataclass(frozen=True)
class Settings:
    """``engine``: "auto", or the name of one of the engines. ``restarts``: random starts (None: the engine's choice).
    ``expectation``: auto | enumeration | quadrature | sobol | monte_carlo. ``nodes``: nodes a coordinate, ``samples``: scattered
    points (None: chosen). ``steps``, ``learning_rate``, ``width``, ``layers``, ``batch``: of the network engine (None: chosen).
    ``precision``: float64 | float32. ``tolerance``: the relative accuracy at which training stops. ``response``: how a leader's gradient
    passes through the followers' response to what it announces, implicit | unrolled. ``stages``: how a block of stages is lowered,
    written | scanned (auto: written where that is possible and every decision knows the stage).

    Terms of a sender's training objective, which no reported cost has: ``kl_weight``, cost units per nat of KL(law of a message ||
    ``kl_prior``: aggregated | fixed); ``fisher_rank_weight``, cost units per nat by which the effective rank of a message's Fisher
    information falls short of the largest. ``estimator``: of the gradient where messages are drawn, "NAME" for all, "SITE=NAME" for
    one, separated by commas (None: the engine's own way)."""

    seed: int = 0
    engine: str = "auto"
    restarts: int | None = None
    expectation: str = "auto"
    nodes: int | None = None
    samples: int | None = None
    steps: int | None = None
    learning_rate: float | None = None
    width: int | None = None
    layers: int | None = None
    batch: int | None = None
    precision: str = "float64"
    tolerance: float = 1e-3
    best_response: bool = True
    kl_weight: float | None = None
    kl_prior: str | None = None
    fisher_rank_weight: float | None = None
    estimator: str | None = None
    response: str = "implicit"
    stages: str = "auto"

    @classmethod
    def known(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls))


@dataclass(frozen=True)
class Progress:
    """One report of a running training: ``engine``, what it is doing in words, how far (``step`` of ``total``), the cost there
    (of the team or the sum over players; nan if none yet)."""

    engine: str
    text: str
    step: int
    total: int
    cost: float


class Store(Protocol):
    """Where checkpoints go. A state is a tree of dicts with string keys, lists, tuples, numbers, strings, None, numpy or JAX arrays,
    and the modules of ``dcgc.policies`` and ``dcgc.lower.strategy``. ``save`` replaces the checkpoint atomically."""

    def save(self, state: Any) -> None: ...

    def load(self) -> Any | None: ...


@dataclass(frozen=True)
class Trained:
    """``profile``: by group (a decision, or the first of the twins that share one policy) its strategy. ``engine``: what found it, in
    words. ``history``: (engine, step, cost) of every report. ``equilibria``: (how many starts ended there, its players' costs) of
    each distinct solution, the chosen one first. ``alarms``: what a reader should know. ``interrupted``: whether it was stopped.
    ``alternatives``: the profiles of the other distinct equilibria (in a game, not in a team), in the order of ``equilibria``.
    ``names``: what each of ``equilibria`` is called, if it has a name:
    "babbling" where nobody tells anybody anything. ``objective``: in what the training had another objective than the game's
    own costs, or another gradient, and which wishes of that kind had no effect; in sentences. ``relaxed``: every player's cost as the
    training saw it, where it relaxed a jump. ``ways``: how each jump was taken, in sentences. ``theory``: of a
    profile that was solved for and not trained: the method, the theorem and its assumptions, in lines."""

    profile: dict[str, Any]
    engine: str
    history: tuple[tuple[str, int, float], ...] = ()
    equilibria: tuple[tuple[int, dict[str, float]], ...] = ()
    alarms: tuple[str, ...] = ()
    interrupted: bool = False
    notes: tuple[str, ...] = field(default=())
    alternatives: tuple[dict[str, Any], ...] = ()
    names: tuple[str, ...] = ()
    objective: tuple[str, ...] = ()
    relaxed: Mapping[str, float] = field(default_factory=dict)
    ways: tuple[str, ...] = ()
    theory: tuple[str, ...] = ()

    def name_of(self, i: int) -> str:
        """What the i-th distinct solution is called ("" if it has no name)."""
        return self.names[i] if i < len(self.names) else ""


Reporter = Callable[[Progress], None]
