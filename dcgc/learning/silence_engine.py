"""Babbling: the game without its messages, solved on a grid, and given back to the game with them.

Where nobody is paid for what a message says, a sender that always says the same and listeners that do not listen are an equilibrium
of every game of cheap talk (Crawford and Sobel 1982). What the players then do is an equilibrium of the game from which the messages
are cut. That game often has a grid where the one with messages, vectors of reals, has none, so that babbling is known sharply, is
named, and what talk is found to be worth is measured against it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import jax.numpy as jnp

from ..core.expression import Expression, references
from ..core.site import Decision, Let, Payment, Random, Site
from ..lower.problem import Problem
from ..lower.strategy import Strategy, finite_sizes, real_inputs
from ..policies import head
from ..policies.constant import Constant
from ..policies.lattice import Lattice
from ..policies.table import Table
from .engine import Engine, Found, State
from .message_engine import speaks_in_vectors
from .settings import Reporter, Settings
from .sweep_engine import SweepEngine


class SilenceEngine(Engine):
    """The states are those of the sweeps on the silent game."""

    name = "silence"
    conclusive = False  # talk that tells something is looked for all the same
    title = "babbling: the game without its messages, sweeps of best responses"

    def refuses(self, problem: Problem) -> str | None:
        if problem.is_team:
            return "a team gains nothing by saying nothing"
        if not speaks_in_vectors(problem):
            return "no message is a vector"
        quiet = silent(problem)
        if quiet is None:
            return "somebody is paid for what is said"
        return SweepEngine().refuses(quiet)

    def start(self, problem: Problem, settings: Settings) -> State:
        return SweepEngine().start(heard_by_nobody(problem), quietly(settings))

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        return SweepEngine().advance(heard_by_nobody(problem), quietly(settings), state, lambda p: report(replace(p, engine=self.name)))

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        quiet = heard_by_nobody(problem)
        found = []
        for f in SweepEngine().harvest(quiet, quietly(settings), state)[:1]:
            profile = {k: deaf(quiet, problem, k, f.profile[k]) if k in f.profile else mute(problem.groups[k][0])
                       for k in problem.groups}
            found.append(Found(profile, f.starts))
        return found


def quietly(settings: Settings) -> Settings:
    """Exact best responses are rules on a grid that the game with messages lacks."""
    return replace(settings, best_response=False)


def heard_by_nobody(problem: Problem) -> Problem:
    quiet = silent(problem)
    assert quiet is not None
    return quiet


def silent(problem: Problem) -> Problem | None:
    """The game without the messages in reals: their encoders, what becomes of them, and whatever only they needed. None where a
    message matters beyond what its listeners do, or is no cheap talk (prices, constraints, bounds)."""
    key = "silent"
    if key not in problem._cache:
        problem._cache[key] = cut(problem)
    return problem._cache[key]  # type: ignore[return-value]


def cut(problem: Problem) -> Problem | None:
    if problem.game.constraints or problem.loops or any(p.information is not None for p in problem.game.payments):
        return None
    said: set[str] = set()  # messages, and what is computed from them

    def tells(*expressions: Expression | None) -> bool:
        return any(e is not None and bool(references(e) & said) for e in expressions)

    kept: list[Site] = []
    for site in problem.game.sites:
        if tells(*site.guards):
            return None
        if isinstance(site, Decision):
            if site.channel is not None and site.kind == "real":
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
    return Problem(problem.source, replace(quiet.game, sites=tuple(s for s in kept if s.name in needed)), problem.parameters)


def mute(d: Decision) -> Strategy:
    """An encoder that always says the same."""
    size = math.prod(d.shape)
    bounded = d.low is not None or d.high is not None
    output = head("bounded", d.shape, mode="returning") if bounded else head("real", d.shape)
    sizes, width = finite_sizes(d), real_inputs(d)
    return Strategy(Constant(jnp.zeros((math.prod(sizes), size))), output, jnp.zeros(width), jnp.ones(width), sizes, False)


def deaf(quiet: Problem, problem: Problem, group: str, s: Strategy) -> Strategy:
    """A strategy of the silent game where there is more to hear, to which it does not listen."""
    here, there = problem.groups[group][0], quiet.groups[group][0]
    start = 0
    places: list[int] = []  # where the inputs of the silent game stand among all
    for o in here.observations:
        if o.size is not None:
            continue
        width = math.prod(o.shape)
        if o in there.observations:
            places.extend(range(start, start + width))
        start += width
    policy = s.policy
    if isinstance(policy, Lattice):
        policy = Lattice(policy.values, policy.nodes, policy.breaks, tuple(places[c] for c in policy.columns))
    assert isinstance(policy, (Lattice, Table, Constant))
    return Strategy(policy, s.head, jnp.zeros(start), jnp.ones(start), s.sizes, s.hard)
