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

from ..core.site import Decision
from ..lower.problem import Problem
from ..lower.quiet import inputs_left, own_group, silent
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
        if not speaks_in_vectors(problem) and not (problem.loops and any(c.axes for c in problem.game.channels)):
            return "no message is a vector, or one of many in a family"
        quiet = silent(problem)
        if quiet is None:
            return "somebody is paid for what is said" if not problem.loops else \
                "somebody is paid for what is said, or no member can stand for all of the family that says it"
        return SweepEngine().refuses(quiet)

    def concludes(self, problem: Problem) -> bool:
        """Of a large family talk that tells something is not looked for: networks for all its members at once take too long."""
        return problem.loops

    def start(self, problem: Problem, settings: Settings) -> State:
        return SweepEngine().start(heard_by_nobody(problem), quietly(settings))

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        return SweepEngine().advance(heard_by_nobody(problem), quietly(settings), state, lambda p: report(replace(p, engine=self.name)))

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        quiet = heard_by_nobody(problem)
        found = []
        for f in SweepEngine().harvest(quiet, quietly(settings), state)[:1]:
            profile = {k: mute(problem.groups[k][0]) if own_group(quiet, problem, k) is None else
                       deaf(quiet, problem, k, f.profile[own_group(quiet, problem, k) or k]) for k in problem.groups}
            found.append(Found(profile, f.starts))
        return found


def quietly(settings: Settings) -> Settings:
    """Exact best responses are rules on a grid that the game with messages lacks."""
    return replace(settings, best_response=False)


def heard_by_nobody(problem: Problem) -> Problem:
    quiet = silent(problem)
    assert quiet is not None
    return quiet


def mute(d: Decision) -> Strategy:
    """An encoder that always says the same."""
    size = math.prod(d.shape)
    bounded = d.low is not None or d.high is not None
    output = head("bounded", d.shape, mode="returning") if bounded else head("real", d.shape)
    sizes, width = finite_sizes(d), real_inputs(d)
    return Strategy(Constant(jnp.zeros((math.prod(sizes), size))), output, jnp.zeros(width), jnp.ones(width), sizes, False)


def deaf(quiet: Problem, problem: Problem, group: str, s: Strategy) -> Strategy:
    """A strategy of the silent game where there is more to hear, to which it does not listen."""
    here = problem.groups[group][0]
    name = own_group(quiet, problem, group)
    assert name is not None
    places = inputs_left(quiet, here, quiet.groups[name][0]).columns
    start = real_inputs(here)
    policy = s.policy
    if isinstance(policy, Lattice):
        policy = Lattice(policy.values, policy.nodes, policy.breaks, tuple(places[c] for c in policy.columns))
    assert isinstance(policy, (Lattice, Table, Constant))
    return Strategy(policy, s.head, jnp.zeros(start), jnp.ones(start), s.sizes, s.hard)
