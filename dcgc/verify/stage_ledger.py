"""What messages tell and what constraints exceed in stages that are elaborated once, read off independent plays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ..core.site import Channel, Constraint, Payment
from ..lower.problem import Problem
from ..lower.stages import Account, Played, excess_of
from .figures import ChannelLedger, Figure
from .ledger import NATS, carrier_text, noise_text

STUDENT = 2.36  # 95% with 7 degrees of freedom


class Plays(Protocol):
    """Plays of one seed: see ``stage_scoring.Batch``."""

    @property
    def played(self) -> Played: ...

    @property
    def told(self) -> Mapping[str, np.ndarray]: ...

    @property
    def excess(self) -> Mapping[str, np.ndarray]: ...


def inside(problem: Problem) -> tuple[Channel, ...]:
    """The channels that are used in the stages."""
    repeated = {s.name for s in problem.game.sites if s.repeated}
    return tuple(c for c in problem.game.channels if c.encoder in repeated and not c.axes)


def told_by(c: Channel) -> Payment:
    """What a channel tells in a stage, as if it were paid for."""
    return Payment(f"told by {c.name}", (), (), c.span, c.sender, c.information, constraint=c.name, repeated=True)


def excesses_in(problem: Problem) -> list[Account]:
    """What each constraint of the stages exceeds, as if it were paid."""
    return [Account((excess_of(c),)) for c in problem.game.constraints if c.repeated]


def stage_ledgers(problem: Problem, profile: Mapping[str, Any], made: Sequence[Plays]) -> tuple[ChannelLedger, ...]:
    """A ledger for every channel of the stages: its rate is that of one use on average; a budget holds at each."""
    method = f"{len(made)} batches of plays, one use a stage on average"
    out = []
    for c in inside(problem):
        paths = np.stack([b.told[c.name] for b in made]) / NATS
        rate = figure_of(f"rate({c.name})", list(paths.mean(1)), method, 0.0)
        budget = math.nan if c.budget is None else c.budget
        largest = paths.mean(0).max()
        held = profile.get(f"multiplier({c.name})")
        out.append(ChannelLedger(
            c.name, ", ".join(c.listeners), carrier_text(c), noise_text(c), c.nominal, c.capacity, budget, c.average, rate,
            "Gaussian bound" if c.information.signal is not None else "law on the plays of each stage", math.nan,
            budget - rate.value if c.budget is not None else math.nan, math.nan, math.nan,
            float(np.mean(held.value)) * NATS if held is not None else math.nan,
            max(0.0, float(largest - budget)) if c.budget is not None else 0.0))
    return tuple(out)


def constraint_figures(problem: Problem, profile: Mapping[str, Any], made: Sequence[Plays], figures: dict[str, Figure],
                       ) -> list[tuple[Constraint, float]]:
    """Multipliers and what is exceeded as figures (of stages on average, and where it is most); constraints that do not hold."""
    broken = []
    budgets = {c.name for c in problem.game.channels}
    for c in problem.game.constraints:
        if c.name in budgets:
            continue
        paths = np.stack([b.excess[c.name] if c.repeated else np.asarray(problem.excess(b.played.after, c)).reshape(1) for b in made])
        mean, error = paths.mean(0), STUDENT * paths.std(0, ddof=1) / math.sqrt(len(made))
        over = np.abs(mean) if c.equality else mean
        worst = int(over.argmax())
        figures[f"excess of {c.label}"] = Figure(f"excess of {c.label}", float(mean[worst]), float(error[worst]), "plays, where it is most")
        held = profile.get(c.multiplier)
        if held is not None:
            value = float(np.mean(held.value))
            figures[f"multiplier of {c.label}"] = Figure(f"multiplier of {c.label}", value, 0.0, "as trained, on average over the stages")
        if over[worst] > 2 * error[worst] + 1e-3 * max(1.0, float(np.abs(mean).max())):
            broken.append((c, float(mean[worst])))
    return broken


def figure_of(label: str, values: list[np.ndarray], method: str, more: float) -> Figure:
    """A number from independent batches, with 95% of what they disagree by and ``more`` as its error."""
    numbers = np.asarray([float(v) for v in values])
    return Figure(label, float(numbers.mean()), STUDENT * float(numbers.std(ddof=1)) / math.sqrt(len(numbers)) + more, method)

