"""What kind of equilibrium a profile of a sender game is: whom its acts tell apart, and which errors and refinements it stands up to.

These are facts of the path (what types do and get). Whatever the receiver was trained to reply off the path, replies there are worked out
anew: by each law of errors of ``signal_regrets.py``, and by the intuitive criterion (Cho and Kreps 1987, Quarterly Journal of Economics
102): a type to which an act cannot pay, whatever the receiver may reasonably reply, is not believed to be behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..lower.problem import Problem
from ..lower.signals import SenderGame, sender_game
from .signal_regrets import GOLDEN, SIZES, nearest
from .signals import Belief, Path, Players, best_replies, paid, path_of, plain

SAMPLED = 65  # types of a continuum
ACTS = 301  # acts which nobody does
REPLIES = 17
SHARE = 1e-6  # of what is at stake: less is no gain
ALIKE = 1e-6  # of the range of acts


@dataclass(frozen=True)
class Refinement:
    """``kind``: pooling, separating or partly separating. ``stands``: by law of errors, whether nobody gains by an act which nobody does.
    ``broken``: (act, type in words, what it surely gains) where the intuitive criterion fails, else None."""

    kind: str
    stands: Mapping[str, bool]
    broken: tuple[float, str, float] | None

    def sentence(self, act: str) -> str:
        holds = [SIZES[k] for k, v in self.stands.items() if v]
        fails = [SIZES[k] for k, v in self.stands.items() if not v]
        text = f"a {self.kind} profile"
        if holds:
            text += f", which stands under {' and '.join(holds)}" + (f" but not under {fails[0]}" if fails else "")
        elif fails:
            text += ", which stands under neither law of errors"
        if self.broken is None:
            return f"{text}; it passes the intuitive criterion"
        a, who, gain = self.broken
        return f"{text}; it fails the intuitive criterion ({act} = {a:.3g}, by which {who} could gain {gain:.2g})"


def described(problem: Problem, profile: Mapping[str, Any]) -> str:
    """A profile of a sender game in a few words; nothing of another game."""
    game = sender_game(problem)
    if not isinstance(game, SenderGame):
        return ""
    return refined(game, profile).sentence(game.sender.name)


def refined(game: SenderGame, profile: Mapping[str, Any]) -> Refinement:
    players = Players(game, profile)
    path = path_of(game, players.acts, players.replies if plain(profile) else None)
    some = np.unique(np.linspace(0, len(path.base) - 1, SAMPLED).astype(int)) if game.draw is not None else np.arange(len(path.base))
    acts = np.sort(path.low + (path.high - path.low) * np.mod(GOLDEN * np.arange(1, ACTS + 1), 1.0))
    acts = acts[path.off(acts)]
    if not len(acts):
        return Refinement(kind(path), {}, None)
    types, now = path.base[some], path.paid[some]
    alone = known_replies(game, types, acts)
    scale = max(float(np.ptp(paid(game, "sender", types, acts, alone))), 1e-12)
    stands = {"even": pays(game, types, now, acts, even_replies(path, acts)) <= SHARE * scale,
              "dear": dear_gain(game, types, now, acts, alone, scale) <= SHARE * scale}
    return Refinement(kind(path), stands, intuitive(game, types, now, acts, alone, scale))


def kind(path: Path) -> str:
    if np.ptp(path.acts) <= ALIKE * (path.high - path.low):
        return "pooling"
    apart = len(path.reached.types) == len(path.reached.acts) and (path.game.draw is None or not len(path.points))
    return "separating" if apart else "partly separating"


def known_replies(game: SenderGame, types: np.ndarray, acts: np.ndarray) -> np.ndarray:
    """(types, acts): the best reply to each act of each type, if it is known."""
    n, m = len(types), len(acts)
    pairs = Belief(np.tile(acts, n), np.arange(n * m), np.repeat(types, m), np.ones(n * m))
    return best_replies(game, pairs, np.zeros(n * m))[0].reshape(n, m)


def even_replies(path: Path, acts: np.ndarray) -> np.ndarray:
    belief = nearest(path, acts)
    return best_replies(path.game, belief, np.zeros(len(acts)))[0]


def pays(game: SenderGame, types: np.ndarray, now: np.ndarray, acts: np.ndarray, replies: np.ndarray) -> float:
    """What a type could gain at most by these acts, replied to like this."""
    return float((now[:, None] - paid(game, "sender", types, acts, replies)).max())


def dear_gain(game: SenderGame, types: np.ndarray, now: np.ndarray, acts: np.ndarray, alone: np.ndarray, scale: float) -> float:
    """The same where each act is put down to the type that loses least by it: of replies that agree with themselves, the one that tempts
    least."""
    tempts = np.full(len(acts), np.inf)
    nearly = np.full(len(acts), np.inf)
    fallback = np.full(len(acts), np.inf)
    for t in range(len(types)):
        gain = now[:, None] - paid(game, "sender", types, acts, alone[t])
        most = gain.max(0)
        short = most - gain[t]
        tempts = np.where(short <= SHARE * scale, np.minimum(tempts, most), tempts)
        closer = short < nearly
        nearly, fallback = np.where(closer, short, nearly), np.where(closer, most, fallback)
    return float(np.where(np.isfinite(tempts), tempts, fallback).max())


def intuitive(game: SenderGame, types: np.ndarray, now: np.ndarray, acts: np.ndarray, alone: np.ndarray, scale: float,
              ) -> tuple[float, str, float] | None:
    """Where the criterion fails, and for whom: a type that gains whatever the receiver may believe of those to whom the act could pay."""
    costs = costs_between(game, types, acts, alone, np.ones(alone.shape, bool))
    possible = costs.min(0) <= now[:, None] + 1e-9 * scale
    around = possible
    if game.draw is not None:  # types between those that are looked at: rather too many than too few
        beside = np.pad(possible, ((1, 1), (0, 0)))
        around = possible | beside[2:] | beside[:-2]
    surely = costs_between(game, types, acts, alone, around).max(0)
    gain = np.where(possible & possible.any(0), now[:, None] - surely, -np.inf)
    t, k = np.unravel_index(int(gain.argmax()), gain.shape)
    if not gain[t, k] > SHARE * scale:
        return None
    return float(acts[k]), game.label(float(types[t])), float(gain[t, k])


def costs_between(game: SenderGame, types: np.ndarray, acts: np.ndarray, alone: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(replies, types, acts): what the sender pays for replies that are best for some belief about ``among`` (types, acts): between the
    least and the largest of those to single types; of finite replies the latter themselves."""
    low = np.where(among, alone, np.inf).min(0)
    high = np.where(among, alone, -np.inf).max(0)
    low, high = np.where(np.isfinite(low), low, alone[0]), np.where(np.isfinite(high), high, alone[0])
    if game.receiver.finite:
        rows = [np.where(((alone == k) & among).any(0), float(k), low) for k in range(game.receiver.options)]
    else:
        rows = [low + (high - low) * share for share in np.linspace(0, 1, REPLIES)]
    return np.stack([paid(game, "sender", types, acts, r) for r in rows])
