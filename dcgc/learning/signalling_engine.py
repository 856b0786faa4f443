"""Sender games with acts from a continuum: the profile that tells types apart at the least cost, and the one that tells nothing.

Best replies find neither from random starts: where few acts are done, what the others are worth is a matter of beliefs that no training
moves. Here the sender's incentives are solved for (``separating.py``, ``least_costly.py``), and off the path replies follow the errors
that cost the sender least.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..lower.problem import Problem
from ..lower.signals import SenderGame, sender_game
from .engine import Engine, Found, State
from .least_costly import Types, least_costly
from .separating import Continuum, Separation, least, separations
from .settings import Progress, Reporter, Settings
from .signal_profiles import (
    HAIR,
    SPIKE,
    Piece,
    act_range,
    crowded_profile,
    finite_profile,
    off_the_path,
    pooling_profile,
    receiver_strategy,
    sender_strategy,
)

SAMPLED = 65  # types of a continuum that may be behind an act which nobody does
COMMON = 1e-6  # of the range of acts: they are one


class SignallingEngine(Engine):
    """See the module. One step: everything is solved at once."""

    name = "signalling"
    title = "a sender's types told apart at the least cost, or not at all"
    settles = True

    def refuses(self, problem: Problem) -> str | None:
        game = sender_game(problem)
        return game if isinstance(game, str) else None

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "profiles": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        game = sender_game(problem)
        assert isinstance(game, SenderGame)
        base, prior = game.places(SAMPLED)
        types = Types(game, base, prior)
        apart = apart_profiles(game, types)
        together = pooled(game, types) if apart else []  # without the first there may be others that tell something: not for here
        report(Progress(self.name, f"{len(apart)} profile{'s' * (len(apart) != 1)} that tell{'s' * (len(apart) == 1)} types apart, "
                        f"{len(together)} that tells nothing", 1, 1, math.nan))
        return {"done": True, "profiles": [*apart, *together]}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(dict(p), 1) for p in state["profiles"]]


def apart_profiles(game: SenderGame, types: Types) -> list[dict[str, Any]]:
    """Profiles in which acts tell types."""
    if game.draw is None:
        found = least_costly(types)
        if found is None:  # where acts have no room, all may crowd at a bound
            return [crowded_profile(game, types, x) for x in game.bounds(game.sender) if math.isfinite(x)]
        acts = found[0]
        replies = np.asarray([types.alone(acts[[t]])[t, 0] for t in range(types.count)])
        return [finite_profile(game, types, acts, replies)]
    return [continuum_profile(game, types, s) if len(s.base) > 1 else crowded_profile(game, types, s.cap) for s in separations(game)]


def continuum_profile(game: SenderGame, types: Types, s: Separation) -> dict[str, Any]:
    """A separating path with the replies that belong to it; off the path as in ``finite_profile``."""
    v = Continuum(game)
    order = np.argsort(s.acts)
    acts, base = s.acts[order], s.base[order]
    replies = np.asarray(v.reply(base, acts))
    capped = math.isfinite(s.cap)
    left, right = act_range(game, np.append(acts, s.cap) if capped else acts)
    hair, spike = HAIR * (right - left), SPIKE * (right - left)
    sampled = np.asarray(types.base)
    done = np.interp(sampled, s.base, s.acts)
    answered = np.interp(done, acts, replies)
    cap: list[Piece] = []
    policy_base, policy_acts = s.base, s.acts
    if capped:
        best = float(sampled[-1] if s.worst == sampled[0] else sampled[0])
        pool = np.linspace(s.cut, best, SAMPLED)
        weights = game.density(pool)
        weights[[0, -1]] /= 2
        reply = v.pooled_reply(pool, weights, np.asarray([s.cap]))
        inside = (sampled - s.cut) * (best - s.worst) > 0
        done, answered = np.where(inside, s.cap, done), np.where(inside, reply[0], answered)
        cap = [(np.asarray([max(left, s.cap - spike), min(right, s.cap + spike)]), np.repeat(reply, 2))]
        if best > s.worst:
            policy_base, policy_acts = np.append(s.base, [s.cut, best]), np.append(s.acts, [s.cap, s.cap])
        else:
            policy_base, policy_acts = np.append([best, s.cut], s.base), np.append([s.cap, s.cap], s.acts)
    paid = types.paid(done[:, None], answered[:, None])[:, 0]
    pieces: list[Piece] = [(acts, replies)]
    first, last = float(acts[0]), float(acts[-1])
    below = cap[0][0][1] if capped and s.cap < first else left
    above = cap[0][0][0] if capped and s.cap > last else right
    pieces = [*off_the_path(types, paid, below, first, hair), *pieces, *off_the_path(types, paid, last, above, hair)]
    pieces = [*cap, *pieces] if capped and s.cap < first else [*pieces, *cap]
    return {game.sender.name: sender_strategy(game, policy_base, policy_acts, s.cut), game.receiver.name: receiver_strategy(game, pieces)}


def pooled(game: SenderGame, types: Types) -> list[dict[str, Any]]:
    """The profile in which everybody does what all like best if no act tells anything, if there is such an act."""
    low, high = game.bounds(game.sender)

    def cost_to(t: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda a: types.paid(a, types.told_nothing(a))[t]

    liked = np.asarray([least(cost_to(t), low, high) for t in range(types.count)])
    left, right = act_range(game, liked)
    if np.ptp(liked) > COMMON * (right - left):
        return []
    return [pooling_profile(game, types, float(liked[0]))]
