"""The game without its messages, where these are cheap talk: what is left if nobody listens.

Of a large symmetric family that talks among itself what is left can often be played by one member who stands for all
(``passes/representative.py``), where the game with its messages cannot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp

from ..core.expression import Expression, references
from ..core.site import Decision, Let, Payment, Random, Site
from ..passes import Unrepresentable, representative, simplify_again
from ..policies.constant import Constant
from ..policies.lattice import Lattice
from ..policies.table import Table
from .problem import Problem
from .strategy import Strategy


def silent(problem: Problem) -> Problem | None:
    """The game without the messages in reals: their encoders, what becomes of them, and whatever only they needed. None where a
    message matters beyond what its listeners do, or is no cheap talk (prices, constraints, bounds)."""
    return problem.once("silent", cut)  # type: ignore[no-any-return]


def cut(problem: Problem) -> Problem | None:
    if problem.game.constraints or any(p.information is not None for p in problem.game.payments):
        return None
    said: set[str] = set()  # messages, and what is computed from them

    def tells(*expressions: Expression | None) -> bool:
        return any(e is not None and bool(references(e) & said) for e in expressions)

    kept: list[Site] = []
    for site in problem.game.sites:
        if tells(*site.guards):
            return None
        if isinstance(site, Decision):
            if site.channel is not None and (site.kind == "real" or site.axes):
                said.add(site.name)
                continue
            if tells(site.low, site.high):
                return None
            kept.append(replace(site, observations=tuple(o for o in site.observations if not tells(o.expression))))
        elif (isinstance(site, Let) and tells(site.value)) or (isinstance(site, Random) and tells(*site.arguments)):
            said.add(site.name)
        elif isinstance(site, Payment) and tells(site.cost):
            return None
        else:
            kept.append(site)
    if not said:
        return None
    quiet = Problem(problem.source, replace(problem.game, sites=tuple(kept), channels=()), problem.parameters)
    needed = {s.name for s in kept if isinstance(s, (Decision, Payment))}
    needed |= set().union(*(quiet.dependence.ancestors[n] for n in needed))
    game = replace(quiet.game, sites=tuple(s for s in kept if s.name in needed))
    if problem.loops:
        try:  # what is reported of many members need not be said of one
            game = simplify_again(representative(replace(game, measures=(), published=(), plots=())))
        except Unrepresentable:
            return None
    return Problem(problem.source, game, problem.parameters)


def own_group(quiet: Problem, problem: Problem, group: str) -> str | None:
    """The name in the silent game of the policy that ``group`` has in the game with messages; None of an encoder that is cut."""
    if problem.groups[group][0].axes and f"{group}[1]" in quiet.groups:
        return f"{group}[1]"
    return group if group in quiet.groups else None


def unheard(problem: Problem, profile: Mapping[str, Any]) -> tuple[Problem, dict[str, Any]] | None:
    """The silent game of a large family and the same profile there, where every sender says the same whatever it knows and no policy
    looks at a message; None where somebody might listen, or of other games. What a sender could say moves nobody, and a message tells
    a listener nothing: what anybody pays and could gain is what it is in the silent game."""
    if not problem.loops or not any(c.axes for c in problem.game.channels):
        return None
    quiet = silent(problem)
    if quiet is None:
        return None
    out = {}
    for k, (d, *_) in problem.groups.items():
        s, name = profile.get(k), own_group(quiet, problem, k)
        if not isinstance(s, Strategy):
            return None
        if name is None:
            if not isinstance(s.policy, Constant) or bool(jnp.any(s.policy.levels != s.policy.levels[:1])):
                return None
            continue
        heard = looked_at(quiet, d, quiet.groups[name][0], s)
        if heard is None:
            return None
        out[name] = heard
    return quiet, out


def looked_at(quiet: Problem, d: Decision, there: Decision, s: Strategy) -> Strategy | None:
    """A strategy as one of the silent game's; None where it looks at more than that game has."""
    kept = inputs_left(quiet, d, there)
    if any(o.size is not None for i, o in enumerate(d.observations) if i not in kept.places):
        return None
    if isinstance(s.policy, Lattice):
        if any(c not in kept.columns for c in s.policy.columns):
            return None
        policy: Any = Lattice(s.policy.values, s.policy.nodes, s.policy.breaks, tuple(kept.columns.index(c) for c in s.policy.columns))
    elif isinstance(s.policy, (Table, Constant)):
        policy = s.policy
    else:
        return None
    columns = list(kept.columns)
    return Strategy(policy, s.head, s.location[jnp.asarray(columns, int)], s.scale[jnp.asarray(columns, int)], s.sizes, s.hard)


@dataclass(frozen=True)
class Left:
    """What of a decision's inputs the silent game keeps: ``places`` among its observations, ``columns`` among its real inputs."""

    places: tuple[int, ...]
    columns: tuple[int, ...]


def inputs_left(quiet: Problem, d: Decision, there: Decision) -> Left:
    """The observations that no message enters stay in their order; a large family's are told of one member instead."""
    tells = [telling(quiet, o.expression) for o in d.observations]
    places = tuple(i for i, told in enumerate(tells) if not told)
    assert len(places) == len(there.observations)
    columns: list[int] = []
    start = 0
    for i, o in enumerate(d.observations):
        if o.size is not None:
            continue
        width = math.prod(o.shape)
        if i in places:
            columns.extend(range(start, start + width))
        start += width
    return Left(places, tuple(columns))


def telling(quiet: Problem, e: Expression) -> bool:
    """Whether an observation mentions what the silent game has not, of a family or alone."""
    there = {s.name for s in quiet.game.sites} | {s.name.rsplit("[", 1)[0] for s in quiet.game.sites}
    return any(r not in there for r in references(e))


