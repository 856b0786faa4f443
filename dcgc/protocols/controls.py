"""Controls: what messages are worth, by playing without them and with those of other plays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .information import Estimate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Controls:
    """Mean costs (in the game's units, lower is better) under four kinds of message, and paired differences.

    ``silent``: everybody hears the same blank; ``spoken``: the messages themselves; ``shuffled``: each hears the message of another play;
    ``oracle``: the cost, from elsewhere, of players who are told everything (nan if not known). ``gain``: silent - spoken, and ``meaning``:
    shuffled - spoken, with the standard errors of paired samples, which are smaller than those of the means suggest.
    """

    silent: Estimate
    spoken: Estimate
    shuffled: Estimate
    oracle: float
    gain: Estimate
    meaning: Estimate

    @property
    def closed(self) -> float:
        """The share of the way from silence to the oracle that the messages go; nan where there is no way to go."""
        way = self.silent.value - self.oracle
        return self.gain.value / way if way > 0 else math.nan


def play_controls(
    play: Callable[[NDArray[Any]], ArrayLike], messages: ArrayLike, oracle: float = math.nan, blank: ArrayLike | None = None, seed: int = 0
) -> Controls:
    """The controls of ``play``: from what the listeners hear (n, ...) to the cost of each sample (n,).

    ``play`` must hold nature's samples, and all noise, fixed from call to call: that is what pairs them. ``messages`` (n, ...): what is
    actually heard, sample by sample. ``blank`` (...): what is heard in silence; by default the mean message, and for words (integers)
    the commonest of them. Shuffled messages keep their law but say nothing: none keeps its place. ValueError for fewer than 2 samples
    and for costs that are not (n,).
    """
    m = np.asarray(messages)
    if m.ndim < 1 or len(m) < 2:
        raise ValueError("controls need two samples at least")
    silence = np.broadcast_to(np.asarray(default_blank(m) if blank is None else blank, dtype=m.dtype), m.shape).copy()
    silent, spoken, shuffled = (costs(play, heard) for heard in (silence, m, displaced(m, seed)))
    return Controls(mean(silent), mean(spoken), mean(shuffled), float(oracle), mean(silent - spoken), mean(shuffled - spoken))


def default_blank(messages: NDArray[Any]) -> NDArray[Any]:
    """The mean message, or the commonest where messages are made of integers."""
    if messages.dtype.kind in "iub":
        distinct, counts = np.unique(messages, axis=0, return_counts=True)
        return distinct[np.argmax(counts)]
    return np.asarray(messages.mean(axis=0))


def displaced(messages: NDArray[Any], seed: int) -> NDArray[Any]:
    """The messages in one random cycle, so that everybody hears somebody else's (Sattolo 1986)."""
    order = np.random.default_rng(seed).permutation(len(messages))
    out = np.empty_like(messages)
    out[order] = messages[np.roll(order, 1)]
    return out


def costs(play: Callable[[NDArray[Any]], ArrayLike], heard: NDArray[Any]) -> Array:
    found = np.asarray(play(heard), dtype=np.float64)
    if found.shape != (len(heard),):
        raise ValueError(f"a play of {len(heard)} samples must give a cost for each, not an array {found.shape}")
    return found


def mean(values: Array) -> Estimate:
    return Estimate(float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))))
