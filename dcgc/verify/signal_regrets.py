"""Regrets of a sender game: acts put in as they are, beliefs by Bayes' rule on the path and by small errors off it.

Off the path the contract takes the limit of profiles in which everybody errs a little, and leaves open how. Two laws of errors are
tried, and the one under which the profile stands better is named:

- *of one size*: an act is missed by a noise that is the same for all types. An act that nobody does is explained by whoever does the
  nearest one.
- *the rarer the more they cost*: in the limit of logit errors (McKelvey and Palfrey 1998; in the spirit of Myerson's proper equilibrium
  1978) an act that nobody does is explained by the type that loses least by it, as it is then replied to. Where payoffs are
  quasi-linear in the reply that is the type which Cho and Kreps' D1 (1987) leaves.

Each is a sequence of errors under which every act has positive probability, so a profile that stands under one of them is a sequential
equilibrium (Kreps and Wilson 1982).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..lower.signals import SenderGame
from .figures import Regret
from .search import saved, without_nan
from .signals import Belief, Path, Players, best_replies, expected, paid, path_of, told

TRIED = 1601  # acts at which each type is tempted
OFF = 401  # acts which nobody does, at which replies are judged
ROUNDS, CLOSER = 14, 13
STEP = 0.02  # of the range of replies: two neighbouring acts between whose replies there is more may lie on both sides of a jump
HALVINGS = 52
TIED = 1e-6  # of what is at stake: types whose losses differ by less may both be behind an act
MIXTURES = 17
GOLDEN = 0.6180339887498949

SIZES = {"even": "errors of one size", "dear": "errors that are the rarer the more they cost"}


def signal_regrets(game: SenderGame, profile: Mapping[str, Any]) -> tuple[Regret, ...]:
    """The sender's and the receiver's regret."""
    players = Players(game, profile)
    path = path_of(game, players.acts, players.replies)
    gain = temptation(path, players)
    start = players.replies(path.reached.acts)
    _, least = best_replies(game, path.reached, start)
    short = expected(game, path.reached, start[:, None])[:, 0] - least
    off = unreached(path, players)
    law = min(off, key=lambda k: off[k]) if off else ""
    how = f"; off the path by {SIZES[law]}" if law else ""
    decider = game.problem.decider
    method = "best reply at every input, acts as they are"
    return (Regret(decider(game.sender).label, float(path.weights @ np.maximum(gain, 0.0)), float("nan"), True, method),
            Regret(decider(game.receiver).label, float(path.chance @ np.maximum(short, 0.0)), off[law] if law else float("nan"), True,
                   method + how))


def temptation(path: Path, players: Players) -> np.ndarray:
    """(P,): what each type could gain by another act."""
    game = path.game
    acts = np.unique(np.concatenate([np.linspace(path.low, path.high, TRIED), path.acts, sides_of_jumps(path, players)]))
    values = without_nan(paid(game, "sender", path.base, acts, players.replies(acts)))
    k = values.argmin(1)
    best, where = values[np.arange(len(k)), k], acts[k]
    reach = np.full(len(k), (path.high - path.low) / (TRIED - 1))
    for _ in range(ROUNDS):
        tried = np.clip(where[:, None] + reach[:, None] * np.linspace(-1, 1, CLOSER), path.low, path.high)
        found = without_nan(paid(game, "sender", path.base, tried, players.replies(tried)))
        k = found.argmin(1)
        here = found[np.arange(len(k)), k]
        where = np.where(here < best, tried[np.arange(len(k)), k], where)
        best = np.minimum(best, here)
        reach /= (CLOSER - 1) / 3
    return saved(path.paid, best)


def sides_of_jumps(path: Path, players: Players) -> np.ndarray:
    """Acts on both sides of each jump of the reply: the best deviation is often just across one."""
    a = np.unique(np.concatenate([np.linspace(path.low, path.high, TRIED), path.acts]))
    r = players.replies(a)
    far = np.flatnonzero(np.abs(np.diff(r)) > STEP * max(float(np.ptp(r)), 1e-300))
    low, high, at_low, at_high = a[far], a[far + 1], r[far], r[far + 1]
    for _ in range(HALVINGS if len(far) else 0):
        middle = (low + high) / 2
        y = players.replies(middle)
        right = np.abs(at_high - y) > np.abs(y - at_low)
        low, at_low = np.where(right, middle, low), np.where(right, y, at_low)
        high, at_high = np.where(right, high, middle), np.where(right, at_high, y)
    return np.concatenate([low, high])


def unreached(path: Path, players: Players) -> dict[str, float]:
    """The receiver's largest conditional gain at acts which nobody does, by law of errors; empty where all acts are done."""
    acts = path.low + (path.high - path.low) * np.mod(GOLDEN * np.arange(1, OFF + 1), 1.0)
    acts = acts[path.off(acts)]
    if not len(acts):
        return {}
    game = path.game
    replies = players.replies(acts)
    near = nearest(path, acts)
    even = expected(game, near, replies[:, None])[:, 0] - best_replies(game, near, replies)[1]
    return {"even": float(even.max(initial=0.0)), "dear": float(dear(path, acts, replies).max(initial=0.0))}


def nearest(path: Path, acts: np.ndarray) -> Belief:
    """Beliefs where errors are of one size: those at the nearest act that somebody does."""
    if path.game.draw is None:
        return told(path.reached, acts)
    moving = path.acts  # ends of stretches are done by the types at them, which the cells' middles are not
    at = np.abs(acts[:, None] - moving[None, :]).argmin(1)
    resting = told(path.reached, acts)
    if not len(path.points):
        return Belief(acts, np.arange(len(acts)), path.base[at], np.ones(len(acts)))
    pool = np.abs(acts[:, None] - path.points[None, :]).min(1) <= np.abs(acts - moving[at]) * (1 + 1e-9)
    use = pool[resting.index]
    return Belief(acts, np.concatenate([resting.index[use], np.flatnonzero(~pool)]),
                  np.concatenate([resting.types[use], path.base[at[~pool]]]),
                  np.concatenate([resting.weights[use], np.ones(int((~pool).sum()))]))


def dear(path: Path, acts: np.ndarray, replies: np.ndarray) -> np.ndarray:
    """What the receiver could gain at acts that are explained by the types which lose least by them, given its reply. Where several lose
    alike, the belief is the mixture of two that serves the profile best: in the limit of logit errors it can be any."""
    game = path.game
    loss = paid(game, "sender", path.base, acts, replies) - path.paid[:, None]
    stake = max(float(np.ptp(path.paid)), float(np.ptp(loss)), 1e-12)
    tied = loss <= loss.min(0) + TIED * stake
    first, last = tied.argmax(0), len(path.base) - 1 - tied[::-1].argmax(0)
    least = np.full(len(acts), np.inf)
    for share in np.linspace(0, 1, MIXTURES) if (first != last).any() else (0.0,):
        number = np.arange(len(acts))
        belief = Belief(acts, np.concatenate([number, number]), np.concatenate([path.base[first], path.base[last]]),
                        np.concatenate([np.full(len(acts), 1 - share), np.full(len(acts), share)]))
        gain = expected(game, belief, replies[:, None])[:, 0] - best_replies(game, belief, replies)[1]
        least = np.minimum(least, gain)
    return np.maximum(least, 0.0)
