"""Finitely many types of a sender: what each does in the cheapest profile that tells them apart, and who is behind an act that nobody does.

Riley 1979; Cho and Kreps 1987: the type that nobody wants to be taken for does what it would do if it were known, each next one what is
best for it among all that no type before it would imitate.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..lower.signals import SenderGame
from .believed import best_reply
from .separating import COARSE, ROUNDS

GRID = 2001
CLOSER = 33
ALIKE = 1e-12  # of what is at stake: to imitate is no gain
WIDER = 20


class Types:
    """Some types of a sender game (of a continuum: at these base values), all at once."""

    def __init__(self, game: SenderGame, base: np.ndarray, prior: np.ndarray):
        self.game, self.base, self.prior = game, jnp.asarray(base), jnp.asarray(prior)[:, None]
        self.sender, self.receiver = game.costs(game.sender), game.costs(game.receiver)
        self.count = len(base)
        self._alone = jax.jit(lambda acts: best_reply(
            game, lambda r: self.receiver(self.base, acts[None, :], r), (self.count, acts.shape[0])))
        self._told_nothing = jax.jit(lambda acts: best_reply(
            game, lambda r: jnp.sum(self.prior * self.receiver(self.base, acts[None, :], r[None, :]), 0), acts.shape))
        self._behind = jax.jit(self.most_eager)

    def alone(self, acts: np.ndarray) -> np.ndarray:
        """(types, m): the best reply to acts (m,) of each type, if it is known."""
        return np.asarray(self._alone(jnp.asarray(acts)))

    def told_nothing(self, acts: np.ndarray) -> np.ndarray:
        """(m,): the best reply to acts that tell nothing."""
        return np.asarray(self._told_nothing(jnp.asarray(acts)))

    def paid(self, acts: np.ndarray, replies: np.ndarray) -> np.ndarray:
        """(types, m): what everybody pays for acts (m,) or (types, m) that are replied to like this."""
        return np.asarray(self.sender(self.base, jnp.atleast_2d(jnp.asarray(acts)), jnp.atleast_2d(jnp.asarray(replies))))

    def behind(self, paid: np.ndarray, acts: np.ndarray) -> np.ndarray:
        """(m,): the type that is believed to be behind each act which nobody does, where all ``paid`` (types,) otherwise: the one to
        which the error costs least, as it is then replied to (errors that cost more are rarer)."""
        return np.asarray(self._behind(jnp.asarray(paid), jnp.asarray(acts)))

    def most_eager(self, paid: Array, acts: Array) -> Array:
        replies = self._alone(acts)

        def suspected(t: Array) -> tuple[Array, Array]:
            saved = paid[:, None] - self.sender(self.base, acts[None, :], replies[t][None, :])
            most = jnp.max(saved, 0)
            return most - saved[t], most

        short, most = jax.lax.map(suspected, jnp.arange(self.count))
        scale = jnp.maximum(jnp.max(jnp.abs(paid)), 1e-12)
        consistent = short <= 1e-9 * scale
        best = jnp.argmin(jnp.where(consistent, most, jnp.inf), 0)  # several can be: the one that tempts least
        return jnp.where(jnp.any(consistent, 0), best, jnp.argmin(short, 0))


def ranked(types: Types, acts: np.ndarray) -> np.ndarray | None:
    """Types from the one that nobody wants to be taken for up; None where senders do not agree."""
    replies = types.alone(acts)
    costs = np.stack([types.paid(acts, replies[t]) for t in range(types.count)])  # believed, type, act
    order = np.argsort(-costs.mean((1, 2)), kind="stable")
    falls = np.diff(costs[order], axis=0)
    return order if np.all(falls <= 0) and np.all(falls.min((1, 2)) < 0) else None


def least_costly(types: Types) -> tuple[np.ndarray, tuple[float, float]] | None:
    """(acts (types,), the range that was searched); None where no profile tells all types apart."""
    low, high = types.game.bounds(types.game.sender)
    width = 1.0
    for _ in range(WIDER):
        left = low if math.isfinite(low) else -width if not math.isfinite(high) else high - width
        right = high if math.isfinite(high) else left + (width if math.isfinite(low) else 2 * width)
        order = ranked(types, np.linspace(left, right, COARSE))
        acts = separated(types, order, left, right) if order is not None else None
        margin = 0.25 * (right - left)
        inside = acts is not None and (math.isfinite(low) or acts.min() > left + margin) and (
            math.isfinite(high) or acts.max() < right - margin)
        if inside or (math.isfinite(low) and math.isfinite(high)):
            return None if acts is None else (acts, (left, right))
        width *= 2
    return None


def separated(types: Types, order: np.ndarray, left: float, right: float) -> np.ndarray | None:
    acts, paid = np.zeros(types.count), np.zeros(types.count)
    for place, t in enumerate(order):
        before = order[:place]

        def cost(a: np.ndarray, t: int = t, before: np.ndarray = before) -> np.ndarray:
            """What type t pays; infinite where an earlier type would rather be taken for it."""
            every = types.paid(a, types.alone(a)[t])
            tempted = np.any(every[before] < (paid[before] - ALIKE * (1 + np.abs(paid[before])))[:, None], 0)
            return np.where(tempted, np.inf, every[t])

        x = np.linspace(left, right, GRID)
        values = cost(x)
        k = int(np.argmin(values))
        if not math.isfinite(values[k]):
            return None
        for _ in range(ROUNDS):
            step, middle, least = x[1] - x[0], x[k], values[k]
            x = np.clip(np.linspace(middle - step, middle + step, CLOSER), left, right)
            values = cost(x)
            k = int(np.argmin(values))
            if not values[k] <= least:  # rounding
                acts[t], paid[t] = middle, least
                break
            acts[t], paid[t] = x[k], values[k]
    return acts
