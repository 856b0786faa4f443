"""Teams with static or partially nested information: one linear system.

Whoever is influenced by an act knows what was known to the one who acts. So what a decision sees is worth as much as what it would see were
all acts 0 (Ho and Chu 1972, theorem 1), and the team is static: its cost is a quadratic form in functions of nature's draws. If that is
convex there is one optimum; draws being normal, it is linear (Radner 1962, theorem 5).

Of several rules that are the same in play, that one is kept which is best also after errors of those hands that all who are influenced see:
such errors are draws of nature like any other.
"""

from __future__ import annotations

import numpy as np

from .reading import Act, LinearQuadratic, basis, within
from .stationary import Stationary, Unknown, Unsolved, stationary


def influences(game: LinearQuadratic, earlier: Act, later: Act) -> bool:
    """Whether an act changes what a later decision sees."""
    part = later.seen[:, earlier.place]
    return bool((np.abs(part) > 1e-12 * (np.abs(later.seen).max(initial=0.0) + 1e-300)).any())


def is_static(game: LinearQuadratic) -> bool:
    return not any(influences(game, a, b) for a in game.acts for b in game.acts if a is not b)


def not_nested(game: LinearQuadratic) -> tuple[str, str] | None:
    """A pair (earlier, later): the later decision is influenced and does not know what the earlier one knew; None if nested."""
    for later in game.acts:
        span = basis(later.known)
        for earlier in game.acts:
            if earlier is not later and influences(game, earlier, later) and not within(earlier.seen, span):
                return earlier.name, later.name
    return None


def linear_means(known: np.ndarray, columns: np.ndarray, what: str) -> None:
    """Raises Unsolved unless each draw that is not normal is known exactly or not at all, so that conditional means are linear."""
    for k in columns:
        image = known.T @ known[:, k]
        image[k] -= round(float(image[k]))
        if np.abs(image).max() > 1e-8:
            raise Unsolved(f"{what} knows part of a draw that is not normal: what it expects is not linear in what it sees")


def solve_team(game: LinearQuadratic) -> tuple[dict[str, np.ndarray], Stationary]:
    """By decision (k, 1 + inputs): the coefficients of 1 and of what it sees, and the system that they solve. Of a team whose information
    is partially nested, or of any game whose information is static. Raises Unsolved."""
    base = 1 + len(game.normal)
    shown = [e for e in game.acts if (those := [d for d in game.acts if d is not e and influences(game, e, d)])
             and all(within(np.eye(game.count)[e.place], basis(d.known)) for d in those)]
    errors = np.concatenate([e.place for e in shown]) if shown else np.zeros(0, int)
    drivers = np.concatenate([np.arange(base), errors])  # the error of a hand moves what its act would have moved
    doubtful = 1 + np.flatnonzero(~game.normal)
    unknowns = []
    for d in game.acts:
        known = basis(d.known[:, drivers])
        linear_means(known, doubtful, d.name)
        unknowns.append(Unknown(d.name, d.player, known, 2 * game.costs[d.player][np.ix_(d.place, drivers)]))
    order = np.concatenate([d.place for d in game.acts])
    blocks = 2 * game.costs[:, order[:, None], order[None, :]]
    found = stationary(unknowns, blocks)
    played = np.zeros((game.count, len(drivers)))  # z as a function of the drivers
    played[np.arange(base), np.arange(base)] = 1.0
    played[errors, base + np.arange(len(errors))] = 1.0
    for d, rule in zip(game.acts, found.rules, strict=True):
        played[d.place] += rule
    return {d.name: on_what_is_seen(d.known @ played, rule, d.name) for d, rule in zip(game.acts, found.rules, strict=True)}, found


def on_what_is_seen(known: np.ndarray, rule: np.ndarray, name: str) -> np.ndarray:
    """(k, 1 + inputs): a rule (k, drivers) as a combination of 1 and what is seen (1 + inputs, drivers), the smallest one."""
    size = np.linalg.norm(known, axis=1)
    size = np.where(size > 0, size, 1.0)
    found = np.linalg.lstsq((known / size[:, None]).T, rule.T, rcond=1e-11)[0].T / size
    if np.abs(found @ known - rule).max(initial=0.0) > 1e-9 * (1 + np.abs(rule).max(initial=0.0)):
        raise Unsolved(f"the rule of {name} is no function of what it sees")
    return found
