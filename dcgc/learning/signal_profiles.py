"""From acts and replies of a sender game to policies that answer any input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from ..core.site import Decision
from ..lower.plans import Resolution, information_grid
from ..lower.signals import SenderGame
from ..lower.strategy import Strategy, inputs
from ..lower.world import World
from .least_costly import Types
from .tables import ordered_dims, to_strategy

HAIR = 1e-10  # of the range of acts: half the width of the gap in which a reply jumps
SPIKE = 1e-9  # of it: around an act that somebody does, it is taken for that act
OFF = 801  # acts which nobody does, at which replies are worked out
SAME = 60  # halvings of an interval in which a belief jumps

Piece = tuple[np.ndarray, np.ndarray]  # acts, rising, and the replies to them


def sender_strategy(game: SenderGame, base: np.ndarray, acts: np.ndarray, cut: float) -> Strategy:
    """A sender's policy by its acts at types (base values, or all of finitely many). ``cut``: a type at which it may jump."""
    problem, d = game.problem, game.sender
    only = {d.name: np.linspace(0.0, 1.0, 4)}
    if game.draw is not None:
        if math.isfinite(cut):  # it is there twice, and a hair lies between
            hair = HAIR * (base[-1] - base[0])
            split = int(np.searchsorted(base, cut))
            base, acts = np.array(base), np.array(acts)
            base[split + 1] = cut + hair
        only[game.draw] = base
    grid = information_grid(problem, {}, Resolution(), only=only)
    world = problem.world(grid, problem.reduction, {})
    table = acts if game.draw is not None else np.reshape(acts, game.shape)
    if game.draw is None:  # tables go by the order of what the sender sees
        table = np.transpose(table, [sorted(game.finite).index(x) for x in ordered_dims(problem, d)])
    s = to_strategy(problem, world, d, table, hard=False, mixed=False)
    if game.draw is None or not math.isfinite(cut):
        return s
    breaks = np.zeros(len(base) - 1)
    breaks[split] = 0.5
    return eqx.tree_at(lambda x: x.policy.breaks, s, jnp.asarray(rightly(world, d, breaks))[None, :])


def rightly(world: World, d: Decision, breaks: np.ndarray) -> np.ndarray:
    """Breaks between nodes in the order of what is seen (who sees minus the act has them the other way round)."""
    seen = np.asarray(inputs(world, d)[1].data)
    return breaks[::-1] if seen[0, 0] > seen[-1, 0] else breaks


def receiver_strategy(game: SenderGame, pieces: Sequence[Piece]) -> Strategy:
    """A receiver's policy that jumps between the pieces, whose ends lie a hair apart."""
    problem, d = game.problem, game.receiver
    nodes = np.concatenate([a for a, _ in pieces])
    replies = np.concatenate([r for _, r in pieces])
    grid = information_grid(problem, {}, Resolution(), only={game.sender.name: nodes} | (
        {game.draw: np.linspace(0.1, 0.9, 4)} if game.draw is not None else {}))
    world = problem.world(grid, problem.reduction, {})
    table = replies
    if d.kind == "bool":
        table = 2.0 * replies - 1.0
    elif d.kind == "choice":
        table = np.eye(d.options)[replies.astype(int)]
    s = to_strategy(problem, world, d, table, hard=True, mixed=False)
    ends = np.cumsum([len(a) for a, _ in pieces])[:-1]
    breaks = np.zeros(len(nodes) - 1)
    breaks[ends - 1] = 0.5
    if d.finite:
        breaks[np.diff(replies) != 0] = 0.5
    return eqx.tree_at(lambda x: x.policy.breaks, s, jnp.asarray(rightly(world, d, breaks))[None, :])


def act_range(game: SenderGame, acts: np.ndarray) -> tuple[float, float]:
    """Within what range replies are told: the bounds of acts, on a side without one twice as far as acts go (beyond, nothing changes)."""
    low, high = game.bounds(game.sender)
    width = 2 * max(float(np.ptp(acts)), 0.5 * float(np.abs(acts).max()), 0.5)
    return (low if math.isfinite(low) else float(acts.min()) - width), (high if math.isfinite(high) else float(acts.max()) + width)


def off_the_path(types: Types, paid: np.ndarray, left: float, right: float, hair: float) -> list[Piece]:
    """Replies to acts between ``left`` and ``right``, which nobody does: a piece for every stretch behind which one type is believed."""
    if right - left <= 4 * hair:
        return []
    acts = np.linspace(left + hair, right - hair, OFF)
    who = types.behind(paid, acts)
    pieces: list[Piece] = []
    edges: list[float] = []
    for k in np.flatnonzero(np.diff(who)):
        a, b = float(acts[k]), float(acts[k + 1])
        for _ in range(SAME):
            middle = (a + b) / 2
            if types.behind(paid, np.asarray([middle]))[0] == who[k]:
                a = middle
            else:
                b = middle
            if b - a <= 1e-3 * hair:
                break
        edges.append((a + b) / 2)
    limits = [left, *edges, right]
    firsts = [0, *(np.flatnonzero(np.diff(who)) + 1)]
    for i, first in enumerate(firsts):
        low, high = limits[i] + hair, limits[i + 1] - hair
        if high <= low:
            continue
        inner = acts[(acts > low) & (acts < high)]
        stretch = np.concatenate([[low], inner, [high]])
        pieces.append((stretch, types.alone(stretch)[int(who[first])]))
    return pieces


def finite_profile(game: SenderGame, types: Types, acts: np.ndarray, replies: np.ndarray) -> dict[str, Any]:
    """``acts`` (types,) and the replies to them, and off the path replies to whoever errs at the least cost."""
    left, right = act_range(game, acts)
    hair, spike = HAIR * (right - left), SPIKE * (right - left)
    paid = types.paid(acts[:, None], replies[:, None])[:, 0]
    pieces: list[Piece] = []
    edge = left
    for a, k in zip(*np.unique(acts, return_index=True), strict=True):
        bottom, top = max(left, a - spike), min(right, a + spike)
        pieces += off_the_path(types, paid, edge, bottom, hair)
        ends = np.asarray([bottom + (hair if bottom > left else 0.0), top - (hair if top < right else 0.0)])
        pieces.append((ends, np.full(2, replies[k])))
        edge = top
    pieces += off_the_path(types, paid, edge, right, hair)
    return {game.sender.name: sender_strategy(game, np.asarray(types.base), acts, math.nan),
            game.receiver.name: receiver_strategy(game, pieces)}


def crowded_profile(game: SenderGame, types: Types, act: float) -> dict[str, Any]:
    """Everybody does the same; any other act is put down to whoever loses least by it."""
    one = np.asarray([act])
    answer = types.told_nothing(one)
    left, right = act_range(game, one)
    hair, spike = HAIR * (right - left), SPIKE * (right - left)
    paid = types.paid(one, answer)[:, 0]
    bottom, top = max(left, act - spike), min(right, act + spike)
    pieces = [*off_the_path(types, paid, left, bottom, hair), (np.asarray([bottom, top]), np.repeat(answer, 2)),
              *off_the_path(types, paid, top, right, hair)]
    base = np.asarray(types.base)
    return {game.sender.name: sender_strategy(game, base, np.full(len(base), act), math.nan),
            game.receiver.name: receiver_strategy(game, pieces)}


def pooling_profile(game: SenderGame, types: Types, act: float) -> dict[str, Any]:
    """Everybody does the same, and no act tells anything."""
    left, right = act_range(game, np.asarray([act]))
    nodes = np.unique(np.concatenate([np.linspace(left, right, OFF), [act]]))
    base = np.asarray(types.base)
    return {game.sender.name: sender_strategy(game, base, np.full(len(base), act), math.nan),
            game.receiver.name: receiver_strategy(game, [(nodes, types.told_nothing(nodes))])}
