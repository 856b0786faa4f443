"""Games in strategic form: Gambit's .nfg format, by the reduced pure strategies of every player."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from .efg import apart, quoted
from .tree import CHANCE, FiniteGame, written

MOST_PLANS = 4096  # of one player
MOST_PROFILES = 100_000

Plan = tuple[int | None, ...]


class TooManyPlans(Exception):
    """The strategic form is too large; the message is one line."""


def plans(game: FiniteGame, player: int) -> list[Plan]:
    """The player's reduced pure strategies: an action for each of its information sets that its own earlier actions do not exclude
    (None elsewhere), in the order of ``own_sets``. Raises TooManyPlans."""
    own = own_sets(game, player)
    position = {s: k for k, s in enumerate(own)}
    before = [[{game.nodes[n].information: a for n, a in game.path(node) if game.nodes[n].information in position}
               for node in game.members[s]] for s in own]
    found: list[Plan] = [()]
    for k, s in enumerate(own):
        more: list[Plan] = []
        for plan in found:
            reachable = any(all(plan[position[i]] == a for i, a in path.items() if i is not None and position[i] < k) for path in before[k])
            more += [(*plan, a) for a in (range(len(game.sets[s].actions)) if reachable else [None])]
        found = more
        if len(found) > MOST_PLANS:
            raise TooManyPlans(f"{game.players[player]} has more than {MOST_PLANS} pure strategies; write --format efg, or lower --grid")
    return found


def own_sets(game: FiniteGame, player: int) -> list[int]:
    """A player's information sets in an order in which earlier moves come first, where there is one."""
    first = {s: game.members[s][0] for s, x in enumerate(game.sets) if x.player == player and game.members[s]}
    depth = {s: max(len(game.path(k)) for k in game.members[s]) for s in first}
    return sorted(first, key=lambda s: (depth[s], first[s]))


def write_nfg(game: FiniteGame) -> str:
    """The text of a file. Raises TooManyPlans."""
    return "\n".join(lines(game)) + "\n"


def lines(game: FiniteGame) -> Iterator[str]:
    own = [plans(game, p) for p in range(len(game.players))]
    count = math.prod(map(len, own))
    if count > MOST_PROFILES:
        raise TooManyPlans(f"{count} profiles of pure strategies are more than {MOST_PROFILES}; write --format efg, or lower --grid")
    yield f"NFG 1 R {quoted(game.title)} {{ {' '.join(map(quoted, apart(game.players)))} }}"
    yield ""
    names = [" ".join(map(quoted, apart([called(game, p, plan) for plan in plans_]))) for p, plans_ in enumerate(own)]
    yield "{ " + "\n".join(f"{{ {n} }}" for n in names) + "\n}"
    yield quoted(game.comment)
    yield ""
    open_to = [consistent(game, p, plans_) for p, plans_ in enumerate(own)]
    luck, totals = chances(game), [game.totals[k] for k in game.terminals]
    for profile in product(*(range(len(x)) for x in reversed(own))):  # the first player's strategy goes round fastest
        meets = np.logical_and.reduce([open_to[p][s] for p, s in enumerate(reversed(profile))])
        pay = [Fraction(0)] * len(game.players)
        for k in np.nonzero(meets)[0]:
            pay = [a + luck[k] * b for a, b in zip(pay, totals[k], strict=True)]
        yield " ".join(map(written, pay))


def called(game: FiniteGame, player: int, plan: Plan) -> str:
    """The actions of a plan, one an information set (* where it does not come)."""
    own = own_sets(game, player)
    return "; ".join("*" if a is None else game.sets[s].actions[a] for s, a in zip(own, plan, strict=True)) or "nothing"


def consistent(game: FiniteGame, player: int, own: list[Plan]) -> np.ndarray:
    """(plans, terminals) whether a plan lets play come to an end."""
    position = {s: k for k, s in enumerate(own_sets(game, player))}
    needed = []
    for t in game.terminals:
        steps: list[tuple[int, int]] = []
        for n, a in game.path(t):
            information = game.nodes[n].information
            if information is not None and information in position:
                steps.append((position[information], a))
        needed.append(steps)
    return np.array([[all(plan[k] == a for k, a in steps) for steps in needed] for plan in own])


def chances(game: FiniteGame) -> list[Fraction]:
    """The probability of nature's moves on the way to each terminal."""
    out = []
    for t in game.terminals:
        p = Fraction(1)
        for n, a in game.path(t):
            information = game.nodes[n].information
            s = game.sets[information] if information is not None else None
            if s is not None and s.player == CHANCE:
                p *= s.probabilities[a]
        out.append(p)
    return out
