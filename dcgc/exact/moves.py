"""Games in which whoever decides knows what is still open: moves solved one after the other, the last first, by linear systems.

A move is a set of decisions that do not influence each other. With all later moves replaced by their solution, it is a game with quadratic
costs of its own. It can be solved whatever was done before, if all that matters in it is

- *a known state*: a function of what everybody in the move knows, and draws that no earlier decision has seen (feedback games; Basar and
  Olsder 1999, section 6.2: this is the coupled Riccati recursion, written without naming a state); or
- *a common past*: everybody in the move knows all that those knew, and did, whose acts still matter. What they know of nature is then the
  same whatever the rules are (control with perfect recall, where this is Kalman's filter and Riccati's recursion).

A solution is sequentially rational: each move replies to whatever was done before, meant or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .nested import influences, linear_means, on_what_is_seen
from .reading import Act, LinearQuadratic, basis, common, within
from .stationary import Unknown, Unsolved, stationary


@dataclass(frozen=True)
class Move:
    """``names``: who decides; ``how``: "known state" or "common past"; what ``Stationary`` says of its system."""

    names: tuple[str, ...]
    how: str
    residual: float
    curvature: float
    size: int


def solve_moves(game: LinearQuadratic) -> tuple[dict[str, np.ndarray], tuple[Move, ...]]:
    """By decision (k, 1 + inputs), and the moves, first to last. Raises Unsolved, with the decision at which it ends."""
    costs = game.costs
    rules: dict[str, np.ndarray] = {}
    moves: list[Move] = []
    left = list(game.acts)
    while left:
        own, new, costs, move = solve_last(game, left, costs)
        rules |= new
        moves.append(move)
        left = [a for a in left if a not in own]
    return rules, tuple(reversed(moves))


def solve_last(game: LinearQuadratic, left: list[Act], costs: np.ndarray, remembering: bool = True,
               ) -> tuple[list[Act], dict[str, np.ndarray], np.ndarray, Move]:
    """The smallest last move that can be solved by itself: its decisions, their rules, and everybody's costs with these rules in place.
    ``remembering``: whether the law of what was drawn earlier is known, so that a common past may serve."""
    own = [left[-1]]
    while True:
        before = [a for a in left if a not in own]
        for a in own:
            moved = next((b for b in left if b is not a and influences(game, a, b)), None)
            if moved is not None:
                raise Unsolved(f"{moved.name} sees what {a.name} does, and neither can be solved before the other")
        why = []
        for how in (known_state, common_past) if remembering else (known_state,):
            try:
                drivers = how(game, own, before, costs)
            except Unsolved as reason:
                why.append(str(reason))
                continue
            rules, new, move = solve_move(game, own, costs, drivers, how.__name__.replace("_", " "))
            return own, rules, new, move
        wider = at_once(game, own, before, costs)
        if wider is None:
            raise Unsolved("; ".join(dict.fromkeys(why)))
        own = sorted([*own, wider], key=lambda a: a.place[0])


def at_once(game: LinearQuadratic, own: list[Act], before: list[Act], costs: np.ndarray) -> Act | None:
    """An earlier decision whose act matters in a move without being known there, and which influences nothing that is still open."""
    shared = common([basis(a.known) for a in own])
    for b in reversed(before):
        rows = np.concatenate([costs[a.player][np.ix_(a.place, b.place)] for a in own])
        if np.abs(rows).max(initial=0.0) > 1e-12 * np.abs(costs).max() and not within(np.eye(game.count)[b.place], shared) \
                and not any(influences(game, b, x) for x in [*before, *own] if x is not b):
            return b
    return None


def derivative(a: Act, own: list[Act], costs: np.ndarray) -> np.ndarray:
    """(k, n): half the derivative in a decision's entries, but for what acts of the same move add."""
    rows = costs[a.player][a.place].copy()
    rows[:, np.concatenate([b.place for b in own])] = 0.0
    return rows


def solve_move(game: LinearQuadratic, own: Sequence[Act], costs: np.ndarray, drivers: np.ndarray, how: str,
               ) -> tuple[dict[str, np.ndarray], np.ndarray, Move]:
    """Solve one move on its drivers (m, n), rows over z of which all that matters is a combination."""
    own = list(own)
    inverse = np.linalg.pinv(drivers)
    doubtful = [i for i, row in enumerate(drivers) for k in np.flatnonzero(np.abs(row[1:1 + len(game.normal)]) > 1e-12)
                if not game.normal[k] and np.count_nonzero(np.abs(row) > 1e-12) == 1]
    unknowns = []
    for a in own:
        known = basis(a.known @ inverse)
        linear_means(known, np.asarray(doubtful, int), a.name)
        unknowns.append(Unknown(a.name, a.player, known, 2 * derivative(a, own, costs) @ inverse))
    order = np.concatenate([a.place for a in own])
    found = stationary(unknowns, 2 * costs[:, order[:, None], order[None, :]])
    rules = {a.name: on_what_is_seen(a.known @ inverse, rule, a.name) for a, rule in zip(own, found.rules, strict=True)}
    plays = np.eye(game.count)
    for a in own:
        plays[a.place] = rules[a.name] @ a.known
    new = plays.T @ costs @ plays
    return rules, new, Move(tuple(a.name for a in own), how, found.residual, found.curvature, found.size)


def relevant(own: list[Act], costs: np.ndarray) -> np.ndarray:
    """Rows over z: all that a move depends on."""
    scale = np.abs(costs).max()
    rows = np.concatenate([*(derivative(a, own, costs) for a in own), *(a.known for a in own)])
    return np.where(np.abs(rows) > 1e-13 * scale, rows, 0.0)


def known_state(game: LinearQuadratic, own: list[Act], before: list[Act], costs: np.ndarray) -> np.ndarray:
    """The drivers of a move with a known state. Raises Unsolved."""
    earlier = np.concatenate([np.zeros((1, game.count)), *(b.seen for b in before)])
    fresh = np.asarray([k for k in game.draws if not np.abs(earlier[:, k]).max() > 0], int)
    shared = common([basis(a.known) for a in own])
    past = np.setdiff1d(np.arange(1, game.count), fresh)
    clear = without(shared, past)  # tells of fresh draws alone
    state = shared - (shared @ clear.T) @ clear  # tells of the past, perhaps with a fresh draw in it: that stays in the state
    fresh = fresh[np.abs(state[:, fresh]).max(axis=0, initial=0.0) < 1e-10]
    old = without(shared, fresh)
    drivers = np.concatenate([old, np.eye(game.count)[fresh]])
    if not within(relevant(own, costs), basis(drivers)):
        raise Unsolved(f"what matters at {own[-1].name} is not known there")
    return drivers


def without(span: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis of those combinations of rows that have nothing in some columns."""
    if not len(columns) or not len(span):
        return span
    left, values, _ = np.linalg.svd(span[:, columns])
    rank = int((values > 1e-10).sum())
    return basis(left[:, rank:].T @ span)


def common_past(game: LinearQuadratic, own: list[Act], before: list[Act], costs: np.ndarray) -> np.ndarray:
    """The drivers of a move whose players know all that was known and done before and still matters. Raises Unsolved."""
    rows = relevant(own, costs)
    shared = common([basis(a.known) for a in own])
    waiting, done = [rows], set()
    while waiting:  # acts that matter, and those that moved what was known when they were chosen
        part = waiting.pop()
        for b in before:
            if b.name not in done and np.abs(part[:, b.place]).max(initial=0.0) > 0:
                if not within(b.seen, shared):
                    raise Unsolved(f"{own[-1].name} does not know all that was known when {b.name} was chosen, which matters to it")
                done.add(b.name)
                waiting.append(b.seen)
    acts = np.zeros_like(rows)
    acts[:, game.places] = rows[:, game.places]
    acts = acts[np.abs(acts).max(axis=1) > 0]
    if len(acts) and not within(acts, shared):
        raise Unsolved(f"{own[-1].name} does not know all that was done before and matters to it")
    return np.concatenate([np.eye(1, game.count), np.eye(game.count)[game.draws], basis(acts)])
