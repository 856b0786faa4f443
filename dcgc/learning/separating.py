"""The separating profile of a continuum of types, by the differential equation of their incentives.

Let V(z, b, a) be what type z pays for the act a if it is believed to be b. If a(z) tells types apart, V_a + V_b b'(a) = 0 along
b(a) = z (Mailath 1987, Econometrica 55). The type that nobody wants to be taken for does what it would do if it were known (Riley 1979).
The equation is solved for the belief b as a function of the act: there it is regular also where the act that is best under full
information is an interior one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from ..lower.signals import SenderGame
from .believed import best_reply, slope

NODES = 4001
POOLED = 401  # types of a pool, by the trapezoid rule
RELATIVE = 1e-11
ASKED = 17  # types at which it is asked in which direction everybody wants to be mistaken
COARSE, ROUNDS, CLOSER = 129, 24, 17
CLEAR = 1e-3  # of what is at stake
WIDER = 40  # doublings of where acts are looked for on a side without a bound


@dataclass(frozen=True)
class Separation:
    """``base`` (n,): types in their base variable, rising, ``acts`` (n,): what each does. ``worst``: the end whose
    act is that of full information. ``cut``: the type from which on, away from the worst, all do ``cap`` (nan: nobody does)."""

    base: np.ndarray
    acts: np.ndarray
    worst: float
    cut: float = math.nan
    cap: float = math.nan


class Continuum:
    """V and the receiver's reply of a sender game whose types are a continuum."""

    def __init__(self, game: SenderGame):
        self.game = game
        self.sender, self.receiver = game.costs(game.sender), game.costs(game.receiver)
        self.low, self.high = game.bounds(game.sender)
        self.derivatives = jax.jit(self._derivatives)
        self.paid = jax.jit(self.believed_cost)
        self.reply = jax.jit(self._reply)
        self.mixed = jax.jit(self._mixed)

    def _reply(self, belief: Array, act: Array) -> Array:
        """The best reply (n,) to acts (n,) if these types are behind them."""
        return best_reply(self.game, lambda r: self.receiver(belief, act[:, None], r[:, None])[:, 0], belief.shape)

    def believed_cost(self, z: Array, belief: Array, act: Array) -> Array:
        """V(z, b, a), all (n,)."""
        return self.sender(z, act[:, None], self._reply(belief, act)[:, None])[:, 0]

    def _derivatives(self, z: Array, act: Array) -> tuple[Array, Array]:
        """(V_a, V_b) where the belief is true."""
        return slope(lambda a: self.believed_cost(z, z, a), act), slope(lambda b: self.believed_cost(z, b, act), z)

    def pooled_reply(self, base: np.ndarray, weights: np.ndarray, act: np.ndarray) -> np.ndarray:
        """The best reply (m,) to acts (m,) if it is one of the types (n,), by these probabilities."""
        return np.asarray(self.mixed(jnp.asarray(base), jnp.asarray(weights / weights.sum()), jnp.asarray(act)))

    def _mixed(self, base: Array, weights: Array, acts: Array) -> Array:
        w = weights[:, None]
        return best_reply(self.game, lambda r: jnp.sum(w * self.receiver(base, acts[None, :], r[None, :]), 0), acts.shape)


def least(f: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    """The least point of a function of one number between two bounds (a side without a bound is searched ever farther)."""
    def cost(x: np.ndarray) -> np.ndarray:
        return np.nan_to_num(f(x), nan=math.inf, posinf=math.inf)

    left = low if math.isfinite(low) else min(-1.0, high - 1.0)
    right = high if math.isfinite(high) else max(1.0, left + 1.0)
    for _ in range(WIDER):
        x = np.linspace(left, right, COARSE)
        k = int(np.argmin(cost(x)))
        width = right - left
        if k < COARSE // 8 and not math.isfinite(low) and k == 0:
            left -= width
        elif k == COARSE - 1 and not math.isfinite(high):
            right += width
        else:
            break
    for _ in range(ROUNDS):
        step = x[1] - x[0]
        x = np.clip(np.linspace(x[k] - step, x[k] + step, CLOSER), left, right)
        k = int(np.argmin(cost(x)))
    return float(x[k])


def separations(game: SenderGame) -> list[Separation]:
    """Profiles that meet the equation, from the worst type's act up and down; whoever judges them says which is an equilibrium."""
    if game.receiver.finite:
        return []
    v = Continuum(game)
    low, high, *sure = game.ends()
    place = np.linspace(low, high, ASKED)[1:-1]

    def alone(z: float) -> float:
        return least(lambda a: np.asarray(v.paid(jnp.full(a.shape, z), jnp.full(a.shape, z), jnp.asarray(a))), v.low, v.high)

    known = np.asarray([alone(z) for z in place])
    wanted = np.asarray(v.derivatives(jnp.asarray(place), jnp.asarray(known))[1])
    if np.all(wanted < 0) and sure[0]:
        worst, best = low, high
    elif np.all(wanted > 0) and sure[1]:
        worst, best = high, low
    else:
        return []
    start = alone(worst)
    found = [integrated(v, worst, best, start, way) for way in (1.0, -1.0)
             if (way > 0 and start < v.high) or (way < 0 and start > v.low)]
    return [s for s in found if s is not None and not envied(v, s)]


def envied(v: Continuum, s: Separation) -> bool:
    """Whether some type would clearly rather be taken for another: the equation is a first-order condition."""
    at = np.unique(np.linspace(0, len(s.base) - 1, ASKED).astype(int))
    z, a = s.base[at], s.acts[at]
    mine, other = (x.ravel() for x in np.meshgrid(np.arange(len(at)), np.arange(len(at)), indexing="ij"))
    costs = np.asarray(v.paid(jnp.asarray(z[mine]), jnp.asarray(z[other]), jnp.asarray(a[other]))).reshape(len(at), len(at))
    return bool((costs.diagonal()[:, None] - costs).max() > CLEAR * max(float(np.ptp(costs)), 1e-300))


def integrated(v: Continuum, worst: float, best: float, start: float, way: float) -> Separation | None:
    """The solution from the worst type's act on, in one direction of acts."""
    sign = math.copysign(1.0, best - worst)
    bound = v.high if way > 0 else v.low
    reach = abs(bound - start) if math.isfinite(bound) else 1e6

    def rate(s: float, b: np.ndarray) -> list[float]:
        z = np.clip(b, min(worst, best), max(worst, best))
        by_act, by_belief = (float(x[0]) for x in v.derivatives(jnp.asarray(z), jnp.asarray([start + way * s])))
        return [-way * by_act / by_belief if by_belief else math.inf]

    def there(s: float, b: np.ndarray) -> float:
        return sign * (b[0] - best)

    there.terminal = True  # type: ignore[attr-defined]
    width = abs(best - worst)
    try:
        run = solve_ivp(rate, (0.0, reach), [worst], method="DOP853", rtol=RELATIVE, atol=1e-13 * width, events=there, dense_output=True,
                        first_step=1e-6 * max(1e-3, min(reach, 1.0)))
    except (ValueError, FloatingPointError):
        return None
    if not run.success or run.sol is None:
        return None
    stop = float(run.t[-1])
    s = np.linspace(0.0, stop, NODES)
    belief = np.clip(run.sol(s)[0], min(worst, best), max(worst, best))
    belief[0] = worst
    if len(run.t_events[0]):
        belief[-1] = best
    steps = sign * np.diff(belief)
    if np.any(steps < 0) or not np.all(np.isfinite(belief)):
        return None
    keep = np.concatenate([[True], steps > 1e-15 * width])
    belief, acts = belief[keep], (start + way * s)[keep]
    if len(belief) < 3:
        return None
    if len(run.t_events[0]):
        return rising(belief, acts, worst)
    return capped(v, belief, acts, worst, best, bound)


def rising(belief: np.ndarray, acts: np.ndarray, worst: float, cut: float = math.nan, cap: float = math.nan) -> Separation:
    order = np.argsort(belief, kind="stable")
    return Separation(belief[order], acts[order], worst, cut, cap)


def capped(v: Continuum, belief: np.ndarray, acts: np.ndarray, worst: float, best: float, bound: float) -> Separation | None:
    """Acts have a bound that is reached before all types are told apart: those above some type take the bound together, and that type
    does not mind (Cho and Sobel 1990, Journal of Economic Theory 50)."""
    def gap(at: float) -> float:
        """What the type at a place of the path saves by the act of the pool."""
        z, a = between(at)
        pool = np.linspace(z, best, POOLED)
        weights = v.game.density(pool)
        weights[[0, -1]] /= 2
        reply = v.pooled_reply(pool, weights, np.asarray([bound]))
        here = jnp.asarray([z])
        apart = float(v.paid(here, here, jnp.asarray([a]))[0])
        together = float(v.sender(here, jnp.asarray([[bound]]), jnp.asarray(reply)[:, None])[0, 0])
        return apart - together

    def between(at: float) -> tuple[float, float]:
        return float(np.interp(at, np.arange(len(belief)), belief)), float(np.interp(at, np.arange(len(acts)), acts))

    last = len(belief) - 1.0
    if gap(0.0) >= 0:  # nobody is told apart
        return Separation(belief[:1], acts[:1], worst, worst, bound)
    if gap(last) <= 0:
        return None
    at = brentq(gap, 0.0, last, xtol=1e-10)
    n = int(math.floor(at)) + 1
    z, a = between(at)
    return rising(np.concatenate([belief[:n], [z]]), np.concatenate([acts[:n], [a]]), worst, z, bound)
