"""What is done in a sender game, and what acts tell by Bayes' rule; acts as they are, not between the nodes of a grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..lower.signals import SenderGame
from ..lower.strategy import Strategy
from ..lower.variable import Variable, along, expand
from .search import widening

PLACES = 801  # types of a continuum
SAME = 1e-9  # of the range of acts: within it, two acts of different types are one
FLAT = 1e-7  # of the same: two neighbouring types of a continuum that do less apart than this do the same
STEEP = 0.02  # of the same: two neighbouring types that do more apart than this may lie on both sides of a jump
HALVINGS = 48
AT_ONCE = 2_000_000  # types times acts times hidden nodes of one evaluation


@dataclass(frozen=True)
class Belief:
    """Beliefs about acts (m,): pairs of an act's number and a type (base value), with weights that sum to one for every act."""

    acts: np.ndarray
    index: np.ndarray
    types: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Path:
    """``base``, ``weights`` (P,): types and their probabilities, ``acts`` (P,), ``paid`` (P,): what they do and pay. ``reached``: beliefs
    at acts that are done, with their probability ``chance`` (m,). ``stretches`` (s, 2): intervals of acts that are all done,
    ``points``: single acts that are. ``low``, ``high``: between what acts are tried."""

    game: SenderGame
    base: np.ndarray
    weights: np.ndarray
    acts: np.ndarray
    paid: np.ndarray
    reached: Belief
    chance: np.ndarray
    stretches: np.ndarray
    points: np.ndarray
    low: float
    high: float

    def off(self, acts: np.ndarray) -> np.ndarray:
        """Which of some acts nobody does."""
        hair = 2 * SAME * (self.high - self.low)
        done = np.zeros(len(acts), bool)
        for a, b in self.stretches:
            done |= (acts >= a - hair) & (acts <= b + hair)
        for p in self.points:
            done |= np.abs(acts - p) <= hair
        return ~done


class Players:
    """The two policies of a profile as functions of arrays, and what everybody pays."""

    def __init__(self, game: SenderGame, profile: Mapping[str, Any]):
        self.game, self.profile = game, profile
        self._reply = jax.jit(self.replied)
        self._act = jax.jit(self.done)

    def done(self, base: jax.Array) -> jax.Array:
        game = self.game
        world = game.problem.world(game.grid(base), game.problem.natural, self.profile)
        names = (game.draw,) if game.draw is not None else tuple(sorted(game.finite))
        shape = (base.shape[0],) if game.draw is not None else game.shape
        return jnp.broadcast_to(expand(world.choice(game.sender.name), names, 0), shape).reshape(-1)

    def replied(self, acts: jax.Array) -> jax.Array:
        game = self.game
        world = game.problem.world(game.grid(jnp.full(1, 0.5)), game.problem.natural, self.profile)
        v: Variable = world.vary({game.sender.name: along("tried", acts)}).choice(game.receiver.name)
        if game.receiver.finite:
            v = Variable(v.dims, jnp.argmax(v.data, -1).astype(float))
        return jnp.broadcast_to(expand(v, ("tried",), 0), acts.shape)

    def acts(self, base: np.ndarray) -> np.ndarray:
        return np.asarray(self._act(jnp.asarray(base)))

    def replies(self, acts: np.ndarray) -> np.ndarray:
        """The replies to acts, whatever their shape."""
        flat = np.asarray(acts, float).reshape(-1)
        size = max(64, 1 << math.ceil(math.log2(max(len(flat), 1))))  # few programs for all sizes
        padded = np.concatenate([flat, np.full(size - len(flat), flat[-1] if len(flat) else 0.0)])
        return np.asarray(self._reply(jnp.asarray(padded)))[:len(flat)].reshape(np.shape(acts))


def paid(game: SenderGame, who: str, base: np.ndarray, acts: np.ndarray, replies: np.ndarray) -> np.ndarray:
    """(P, k): what the sender or the receiver pays, by type; in parts."""
    cost = game.costs(game.sender if who == "sender" else game.receiver)
    acts, replies = np.atleast_2d(acts), np.atleast_2d(replies)
    k = max(acts.shape[1], replies.shape[1])
    step = max(1, min(k, AT_ONCE // max(1, len(base) * 24)))
    parts = []
    for i in range(0, k, step):
        a, r = (x if x.shape[1] == 1 else x[:, np.minimum(np.arange(i, i + step), k - 1)] for x in (acts, replies))
        parts.append(np.asarray(cost(jnp.asarray(base, float), jnp.asarray(a), jnp.asarray(r))))
    full = [np.broadcast_to(p, (p.shape[0], step)) for p in parts]
    return np.concatenate(full, 1)[:, :k]


def paid_by_pair(game: SenderGame, who: str, types: np.ndarray, acts: np.ndarray, replies: np.ndarray) -> np.ndarray:
    """(n, k): what is paid by a type (n,) for its act (n,) and each of some replies (n, k)."""
    n, k = replies.shape
    if game.draw is not None:
        size = max(64, 1 << math.ceil(math.log2(max(n, 1))))
        pad = lambda x: np.concatenate([x, np.repeat(x[-1:], size - n, 0)])  # noqa: E731
        return paid(game, who, pad(types), pad(acts)[:, None], pad(replies))[:n]
    every = np.arange(float(game.types))
    flat = paid(game, who, every, np.repeat(acts, k), replies.reshape(-1)).reshape(game.types, n, k)
    return flat[types.astype(int), np.arange(n)]


def expected(game: SenderGame, belief: Belief, replies: np.ndarray) -> np.ndarray:
    """(m, k): what the receiver expects to pay for each of some replies (m, k) to acts."""
    values = paid_by_pair(game, "receiver", belief.types, belief.acts[belief.index], replies[belief.index])
    out = np.zeros(replies.shape)
    np.add.at(out, belief.index, belief.weights[:, None] * values)
    return out


def best_replies(game: SenderGame, belief: Belief, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(replies (m,), what they cost) that are best for these beliefs; never worse than ``start`` (m,)."""
    d = game.receiver
    if d.finite:
        options = np.broadcast_to(np.arange(float(d.options)), (len(start), d.options))
        values = expected(game, belief, options)
        return values.argmin(1).astype(float), values.min(1)
    low, high = game.bounds(d)
    width = 2 * max(float(np.ptp(start)), float(np.abs(start).max()), 1.0)
    bottom = np.full(len(start), low if math.isfinite(low) else float(start.min()) - width)
    top = np.full(len(start), high if math.isfinite(high) else float(start.max()) + width)

    def q(r: np.ndarray) -> np.ndarray:
        return expected(game, belief, np.broadcast_to(r, (len(start), r.shape[-1])))

    open_sides = not math.isfinite(low), not math.isfinite(high)
    best, least, _ = widening(q, bottom, top, start, q(start[:, None])[:, 0], 33, open_sides, 7)
    return best, least


def act_range(game: SenderGame, acts: np.ndarray) -> tuple[float, float]:
    """Between what acts are tried: bounds, on an open side three times as far as acts go."""
    low, high = game.bounds(game.sender)
    width = 3 * max(float(np.ptp(acts)), 0.5 * float(np.abs(acts).max()), 0.5)
    return (low if math.isfinite(low) else float(acts.min()) - width), (high if math.isfinite(high) else float(acts.max()) + width)


def path_of(game: SenderGame, doing: Callable[[np.ndarray], np.ndarray], replies: Callable[[np.ndarray], np.ndarray] | None,
            places: int = PLACES) -> Path:
    """What is done and believed on the path. ``replies``: the receiver's policy (None: best replies)."""
    base, weights = game.places(places)
    acts = doing(base)
    low, high = act_range(game, acts)
    if game.draw is None:
        points, number = clustered(acts, SAME * (high - low))
        chance = np.bincount(number, weights)
        reached = Belief(points, number, base, weights / chance[number])
        stretches = np.zeros((0, 2))
    else:
        reached, chance, stretches, points = of_continuum(game, doing, base, acts, SAME * (high - low), FLAT * (high - low),
                                                          STEEP * (high - low))
    answers = replies(acts) if replies is not None else best_replies(game, told(reached, acts), np.zeros(len(acts)))[0]
    cost = paid(game, "sender", base, acts[:, None], answers[:, None])[:, 0]
    return Path(game, base, weights, acts, cost, reached, chance, stretches, points, low, high)


def clustered(values: np.ndarray, hair: float) -> tuple[np.ndarray, np.ndarray]:
    """(the distinct values, rising; the number of each value among them)."""
    order = np.argsort(values, kind="stable")
    number = np.empty(len(values), int)
    number[order] = np.concatenate([[0], np.cumsum(np.diff(values[order]) > hair)])
    first = np.asarray([values[order][number[order] == k][0] for k in range(number.max() + 1)])
    return first, number


def told(reached: Belief, acts: np.ndarray) -> Belief:
    """The beliefs at the reached acts that lie nearest to some acts."""
    near = np.abs(acts[:, None] - reached.acts[None, :]).argmin(1)
    rows = [np.flatnonzero(reached.index == k) for k in range(len(reached.acts))]
    index = np.concatenate([np.full(len(rows[k]), i) for i, k in enumerate(near)])
    picked = np.concatenate([rows[k] for k in near])
    return Belief(acts, index, reached.types[picked], reached.weights[picked])


def of_continuum(game: SenderGame, doing: Callable[[np.ndarray], np.ndarray], base: np.ndarray, acts: np.ndarray, hair: float, flat: float,
                 steep: float) -> tuple[Belief, np.ndarray, np.ndarray, np.ndarray]:
    """(beliefs at reached acts, their probabilities, stretches, single acts) where types are a continuum: a type's act moves along
    stretches, rests at single acts that many do, and may jump."""
    left, right = base[:-1].copy(), base[1:].copy()
    from_, to = acts[:-1].copy(), acts[1:].copy()
    for k in np.flatnonzero(np.abs(to - from_) > steep):
        a, b, ya, yb = left[k], right[k], from_[k], to[k]
        for _ in range(HALVINGS):
            middle = (a + b) / 2
            y = float(doing(np.asarray([middle]))[0])
            a, b, ya, yb = (middle, b, y, yb) if abs(yb - y) > abs(y - ya) else (a, middle, ya, y)
        if abs(yb - ya) > steep / 2:  # two cells, with nobody between them
            left, right = np.append(left, b), np.append(right, right[k])
            from_, to = np.append(from_, yb), np.append(to, to[k])
            right[k], to[k] = a, ya
    keep = right > left
    left, right, from_, to = left[keep], right[keep], from_[keep], to[keep]
    middle = (left + right) / 2
    density = game.density(middle)
    mass = density * (right - left)
    mass = mass / mass.sum()
    resting = np.abs(to - from_) <= flat
    points, number = clustered(from_[resting], max(flat, hair)) if resting.any() else (np.zeros(0), np.zeros(0, int))
    chance = np.bincount(number, mass[resting]) if len(points) else np.zeros(0)
    index, types, weights = [number], [middle[resting]], [mass[resting] / chance[number] if len(points) else np.zeros(0)]
    moving = np.flatnonzero(~resting)
    seen = doing(middle[moving]) if len(moving) else np.zeros(0)
    low, high = np.minimum(from_[moving], to[moving]), np.maximum(from_[moving], to[moving])
    rate = mass[moving] / np.maximum(high - low, 1e-300)
    for i, a in enumerate(seen):
        crossing = np.flatnonzero((low <= a) & (a < high) | (np.arange(len(moving)) == i))
        share = (a - from_[moving][crossing]) / (to[moving][crossing] - from_[moving][crossing])
        z = left[moving][crossing] + share * (right - left)[moving][crossing]
        z[crossing == i] = middle[moving][i]
        index.append(np.full(len(crossing), len(points) + i))
        types.append(z)
        weights.append(rate[crossing] / rate[crossing].sum())
    belief = Belief(np.concatenate([points, seen]), np.concatenate(index), np.concatenate(types), np.concatenate(weights))
    return belief, np.concatenate([chance, mass[moving]]), joined(low, high, hair), points


def joined(low: np.ndarray, high: np.ndarray, hair: float) -> np.ndarray:
    """The union of intervals."""
    out: list[list[float]] = []
    for k in np.argsort(low):
        if out and low[k] <= out[-1][1] + hair:
            out[-1][1] = max(out[-1][1], float(high[k]))
        else:
            out.append([float(low[k]), float(high[k])])
    return np.asarray(out).reshape(-1, 2)


def plain(profile: Mapping[str, Any]) -> bool:
    """Whether all policies are functions of what they see."""
    return all(isinstance(s, Strategy) for s in profile.values())
