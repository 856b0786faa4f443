"""What a figure is: a value with its error and the way it was computed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ..source import Span


@dataclass(frozen=True)
class Figure:
    """``value`` in the game's units; ``error``: bound or estimate of its numerical error (a half-width of 95% where sampled);
    ``method``: how both were obtained, in words. Usable as a float."""

    label: str
    value: float
    error: float
    method: str

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class ChannelLedger:
    """What a channel could carry and what it did carry, all in bits per use.

    ``nominal``: what the carrier holds (inf: reals); ``capacity``: the most that noise and budget let through; ``budget`` (nan: none)
    and whether it holds on ``average``; ``rate``: the information carried, with its error, and ``measured``: how (exact, or a bound from
    above); ``entropy`` of the message (nan for reals); ``unused``: what the budget leaves; ``length``: expected number of tokens where
    the sender can stop (nan: it cannot); ``stop_bits``: what the place of the STOP itself tells, counted in the rate; ``multiplier``:
    cost units per bit of an average budget; ``violated``: by how much the budget is exceeded; ``coded``: bits a use, as the
    entropy coder writes words drawn from the law of the message (nan for reals); ``members``: how many channels like this one there are,
    one for each member of a family, of which the figures are one's (on average), ``violated`` the largest.
    """

    name: str
    listeners: str
    carrier: str
    noise: str
    nominal: float
    capacity: float
    budget: float
    average: bool
    rate: Figure
    measured: str
    entropy: float
    unused: float
    length: float
    stop_bits: float
    multiplier: float
    violated: float
    coded: float = math.nan
    members: int = 1


@dataclass(frozen=True)
class Regret:
    """``ex_ante``: what the player could gain by its best deviation, in cost units; ``unreached``: the largest conditional gain at
    inputs that play does not reach (nan if there are none); ``exact``: whether it is the regret itself or a lower bound."""

    player: str
    ex_ante: float
    unreached: float
    exact: bool
    method: str


@dataclass(frozen=True)
class Margin:
    """How a follower who is indifferent favours the first committed player. ``chance``: of the inputs at which it is indifferent
    within ``tolerance`` (of what is at stake there) and at which its choice matters to that player; ``given_up``: what it pays
    more than by its best reply there, in cost units."""

    player: str
    decision: str
    chance: float
    given_up: float
    tolerance: float


@dataclass(frozen=True)
class Gap:
    """A figure under the relaxation that trained it, the exact one, and the difference: relaxed - exact."""

    label: str
    relaxed: float
    exact: float
    gap: float


@dataclass(frozen=True)
class Comparison:
    """A published figure beside ours. ``verdict``: "met", "missed", "beaten" (a record), "not reached" (a record), "holds",
    "violated" (a bound: an error of ours), "absent" (no value), "met by another equilibrium" (``found`` is then that one's figure)."""

    kind: Literal["known", "record", "bound"]
    label: str
    published: float
    relation: str
    found: Figure
    tolerance: float
    relative: bool
    verdict: str
    reference: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Curve:
    """A plot's data: x and y of equal length; sorted by x and to be joined by a line if ``line``, else points. ``breaks``: the line
    may jump."""

    x_label: str
    y_label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    line: bool


@dataclass(frozen=True)
class Scorecard:
    """Everything that is said of a profile, computed on the original, unrelaxed game apart from what trained it.

    ``figures``: by label: ``cost(P)`` of every player, member and team (payoffs too where the game says payoff), measures. ``margins``:
    of followers who are indifferent. ``gaps``: of players' costs (payoffs) where training relaxed a jump.
    """

    figures: dict[str, Figure]
    regrets: tuple[Regret, ...]
    comparisons: tuple[Comparison, ...]
    curves: tuple[Curve, ...]
    alarms: tuple[str, ...]
    method: str
    channels: tuple[ChannelLedger, ...] = ()
    margins: tuple[Margin, ...] = ()
    gaps: tuple[Gap, ...] = ()
