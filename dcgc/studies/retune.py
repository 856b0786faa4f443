"""Listeners get used to a code: exact best replies where a grid can hold the game, else a descent of their own coefficients.

The encoders stay as they are. What is found is kept only if the listeners are better off than with what they did before: a listener
alone, or those of a team, by what they pay; several with costs of their own by how much one of them could still gain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from ..core.naming import written
from ..core.site import Decision
from ..learning import ENGINES
from ..learning.message_engine import extremes_of, team_cost
from ..learning.own import projecting
from ..learning.settings import Settings
from ..learning.sweep_engine import exact_replies
from ..learning.sweeps import SweepSettings, finite_costs, real_reply, world_of
from ..learning.tables import as_table, to_strategy
from ..lower.enumerated import enumerated_reply
from ..lower.grid import Grid
from ..lower.plans import Resolution, information_grid, sampled_grid
from ..lower.problem import Person, Problem
from ..lower.resolve import resolution
from ..lower.strategy import Strategy
from ..lower.variable import Variable
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from ..verify.regret import decision_regret
from ..verify.scoring import choose_ground

FINE = Resolution(hidden=160, seen=1200, observation=800, derived=65, cells=True)
JUDGED = Resolution(hidden=40, seen=320, observation=480, derived=49, cells=True)
POINTS = 1_000_000
ROUNDS = 12
STEPS, CHUNK = 600, 50
SHORTER, SLOWEST = 4.0, 1e-3
SAMPLES, RATE = 2048, 1e-2
STAKES = 256
SHARP = 0.02  # temperature of a comparison on a gradient's way, over the spread of its margin


def retuned(problem: Problem, profile: Mapping[str, Any], groups: Sequence[str], speakers: Sequence[str],
            seed: int) -> tuple[dict[str, Any], str]:
    """The profile with better policies for these groups, and how they were found, in words.

    ``groups``: of the decisions that hear the code; ``speakers``: the decisions that send it, whose policies are functions.
    """
    before = dict(profile)
    if not groups:
        return before, "nobody hears the code"
    people = tuple(dict.fromkeys(problem.decider(d) for k in groups for d in problem.groups[k]))
    found: list[tuple[dict[str, Any], str]] = []
    rest = list(groups)
    if ENGINES["sweeps"].refuses(problem) is None:
        replies, rest, how = replied(problem, before, groups)
        if replies is not None:
            found.append((replies, how))
    else:
        known = {k: enumerated_reply(problem, problem.groups[k][0], True) for k in groups
                 if len(problem.groups[k]) == 1 and free_form(problem, problem.groups[k][0], ("best_response",))}
        known = {k: r for k, r in known.items() if r is not None}
        rest = [k for k in groups if k not in known]
        if known:
            found.append(({**before, **known}, "exact best replies by enumeration of what is hidden"))
    if rest:
        start = found[-1][0] if found else before
        moved = descended(problem, start, rest, people, speakers, seed)
        if moved is not start:
            found.append((moved, (f"{found[-1][1]}, then " if found else "") + "Adam on the listeners' coefficients, fresh samples"))
    return best_of([*reversed(found), (before, "the old policies, which read the codes")], problem, groups, people)


def free_form(problem: Problem, d: Decision, families: tuple[str, ...]) -> bool:
    """Whether the text asks for no family of policies for this decision, but for these."""
    asked = {c.subject for c in problem.game.policies if c.family not in families}
    return not {d.name, written(d.name), d.actor.name} & asked


def best_of(candidates: list[tuple[dict[str, Any], str]], problem: Problem, groups: Sequence[str],
            people: Sequence[Person]) -> tuple[dict[str, Any], str]:
    """The candidate with the least score, the earlier of equal ones; the first where none has a score."""
    scores = np.asarray([regret_of(problem, profile, groups) if opposed(problem, people) else cost_of(problem, profile, people)
                         for profile, _ in candidates])
    if not np.isfinite(scores).any():
        return candidates[0]
    return candidates[int(np.argmin(np.where(np.isfinite(scores), scores, np.inf)))]


def opposed(problem: Problem, people: Sequence[Person]) -> bool:
    """Whether what one of these players gains another may lose."""
    return not problem.is_team and len(people) > 1


def cost_of(problem: Problem, profile: Mapping[str, Any], people: Sequence[Person]) -> float:
    """The sum of these players' expected costs, computed as figures are."""
    ground = choose_ground(problem, profile, thorough=False)
    worlds = ground.worlds() if ground.random else ground.worlds()[-1:]
    return float(np.mean([sum(float(problem.cost(w, p)) for p in people) for w in worlds]))


def regret_of(problem: Problem, profile: Mapping[str, Any], groups: Sequence[str]) -> float:
    """The most that one of these decisions alone could gain; nan where no grid can tell."""
    fine = resolution(problem, JUDGED, POINTS) if ENGINES["sweeps"].refuses(problem) is None else None
    if fine is None:
        return math.nan
    grid = information_grid(problem, profile, fine)
    return max(decision_regret(problem, grid, profile, problem.groups[k][0]).ex_ante for k in groups)


# ---------------------------------------------------------------- on a grid


def replied(problem: Problem, profile: Mapping[str, Any], groups: Sequence[str]) -> tuple[dict[str, Any] | None, list[str], str]:
    """Best replies on a grid: the profile with them (None if there are none), the groups that are left, and how, in words."""
    exact = {k: r for k, r in exact_replies(problem, Settings()).items() if k in groups}
    tables: list[str] = []
    left: list[str] = []
    for k in groups:
        d = problem.groups[k][0]
        free = free_form(problem, d, ("best_response", "table"))
        if k not in exact:
            (tables if free and not d.mixed and problem.reduction.information[d.name] is not None else left).append(k)
    if not exact and not tables:
        return None, left, ""
    out = {**profile, **exact}
    if tables:
        out = tabulated(problem, out, tables)
    words = [w for w, some in (("exact best replies", exact), ("best replies at every input", tables)) if some]
    return out, left, " and ".join(words)


def tabulated(problem: Problem, profile: dict[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    """Best replies at every input, each in turn until nothing moves."""
    fine = resolution(problem, FINE, POINTS)
    assert fine is not None, "the sweeps can take the game"
    grid = information_grid(problem, profile, fine)
    others = {k: s for k, s in profile.items() if k not in groups}
    world = problem.world(grid, problem.reduction, profile, Relaxation("cells"))
    tables = {k: as_table(problem, problem.groups[k][0], world.choice(problem.groups[k][0].name), grid) for k in groups}
    settings, alone = SweepSettings(candidates=41), problem.is_team or len(groups) == 1 and len(problem.groups[groups[0]]) == 1

    @jax.jit
    def step(grid: Grid, tables: dict[str, Array]) -> dict[str, Array]:
        new = dict(tables)
        for k in reversed(groups):
            d = problem.groups[k][0]
            if d.finite:
                new[k] = chosen(finite_costs(problem, grid, new, others, d), d)
            else:
                reply = real_reply(problem, grid, new, others, d, settings)
                new[k] = reply if alone else (new[k] + reply) / 2
        return new

    for _ in range(ROUNDS):
        new = step(grid, tables)
        moved = max(float(jnp.max(jnp.abs(new[k] - tables[k]))) for k in groups)
        tables = new
        if moved < 1e-9:
            break
    world = world_of(problem, grid, tables, others, Relaxation("cells"))
    out = dict(profile)
    for k in groups:
        d = problem.groups[k][0]
        table = np.asarray(finite_costs(problem, grid, tables, others, d) if d.finite else tables[k])
        if d.finite:
            table = table[..., :1] - table[..., 1:2] if d.kind == "bool" else -table
        out[k] = to_strategy(problem, world, d, table, d.finite, False)
    return out


def chosen(costs: Array, d: Decision) -> Array:
    """All probability on the cheapest option, the first of equal ones."""
    return jax.nn.one_hot(jnp.argmin(costs, axis=-1), d.options, dtype=costs.dtype)


# ---------------------------------------------------------------- by descent


def descended(problem: Problem, profile: dict[str, Any], groups: Sequence[str], people: Sequence[Person], speakers: Sequence[str],
              seed: int) -> dict[str, Any]:
    """Every listener's coefficients moved down its own cost's gradient, or where a team's listeners choose among options that of the
    loss that such choices are trained on (Adam, fresh samples for every chunk).

    A chunk of steps that does not lower the cost on samples held out is taken back, and later steps are shorter. Groups whose
    policies have no coefficients stay as they are; where nothing is gained the profile itself is returned.
    """
    able = [k for k in groups if isinstance(profile[k], Strategy) and any(jax.tree.leaves(profile[k].trainable()))]
    if not able:
        return profile
    soft = {k: replace(profile[k], hard=False) for k in able}
    which = {k: s.trainable() for k, s in soft.items()}
    rest = {k: s for k, s in profile.items() if k not in able}
    adam = optax.scale_by_adam()
    schedule = optax.cosine_decay_schedule(RATE, STEPS, alpha=1e-2)
    relaxation = Relaxation("sigmoid", temperature=SHARP) if problem.has_steps else Relaxation("exact")
    stakes = at_stake(problem, {**profile, **soft}, able, speakers, seed)

    def cost(own: Any, k: str, kept: Mapping[str, Any], grid: Grid, said: Mapping[str, Variable]) -> Array:
        d = problem.groups[k][0]  # one member moves, its twins stay
        world = played(problem, {n: projecting(s) for n, s in {**rest, **kept}.items()}, grid, relaxation, said)
        world.rules = {**world.rules, d.name: own}
        return problem.cost(world, problem.decider(d)) if stakes is None else team_cost(problem, world, {}, True, stakes)

    @jax.jit
    def chunk(grid: Grid, moving: Any, state: Any, pace: Array, first: Array) -> tuple[Any, Any]:
        said = spoken(problem, {**rest, **eqx.combine(moving, fixed)}, grid, speakers)

        def body(carry: tuple[Any, Any], step: Array) -> tuple[tuple[Any, Any], None]:
            now, moments = carry
            held = jax.lax.stop_gradient(now)
            gradient = {}
            for k in able:
                def own(part: Any, k: str = k) -> Array:
                    return cost(eqx.combine(part, fixed[k]), k, eqx.combine(held, fixed), grid, said)

                gradient[k] = jax.grad(own)(now[k])
            updates, moments = adam.update(gradient, moments, now)
            rate = pace * schedule(first + step)
            return (jax.tree.map(lambda x, u: x - rate * u, now, updates), moments), None

        return jax.lax.scan(body, (moving, state), jnp.arange(CHUNK))[0]

    @jax.jit
    def held_out(grid: Grid, moving: Any) -> Array:
        full = {**rest, **{k: replace(s, hard=profile[k].hard) for k, s in eqx.combine(moving, fixed).items()}}
        world = played(problem, full, grid, Relaxation("exact"), spoken(problem, full, grid, speakers))
        return sum((problem.cost(world, p) for p in people), jnp.zeros(()))

    moving, fixed = eqx.partition(soft, which)
    state, test = adam.init(moving), sampled_grid(problem, 2 * SAMPLES, seed + 1)
    best, least, pace, kept = moving, float(held_out(test, moving)), 1.0, False
    for i in range(STEPS // CHUNK):
        moving, state = chunk(sampled_grid(problem, SAMPLES, seed + 2 + i), moving, state, jnp.asarray(pace), jnp.asarray(i * CHUNK))
        now = float(held_out(test, moving))
        if math.isfinite(now) and (opposed(problem, people) or now < least - 1e-6 * abs(least)):
            best, least, kept = moving, now, True
        elif opposed(problem, people):
            break
        else:  # too long a step for policies like these: back to where it was best, and on in shorter ones
            moving, state, pace = best, adam.init(best), pace / SHORTER
            if pace < SLOWEST:
                break
    if not kept:
        return profile
    return {**profile, **{k: replace(s, hard=profile[k].hard) for k, s in eqx.combine(best, fixed).items()}}


def at_stake(problem: Problem, profile: Mapping[str, Any], groups: Sequence[str], speakers: Sequence[str],
             seed: int) -> tuple[float, float] | None:
    """The least and the most that a team can be charged whose listeners all choose among options; else None."""
    paid = problem.pays(problem.decider(problem.groups[groups[0]][0]))
    if not problem.is_team or not all(problem.groups[k][0].enumerable for k in groups) or any(
            p.information is not None or p.constraint is not None for p in paid):
        return None
    grid = sampled_grid(problem, STAKES, seed)
    world = played(problem, profile, grid, Relaxation("exact"), spoken(problem, profile, grid, speakers))
    low, high = extremes_of(problem, world, {})
    return (low, high) if low < high else None


def played(problem: Problem, profile: Mapping[str, Any], grid: Grid, relaxation: Relaxation, said: Mapping[str, Variable]) -> World:
    """The game on samples, with what was said in the encoders' place."""
    return problem.world(grid, problem.natural, profile, relaxation).vary(said)


def spoken(problem: Problem, profile: Mapping[str, Any], grid: Grid, speakers: Sequence[str]) -> dict[str, Variable]:
    """What encoders that are functions say at every sample: it need not be summed over all words."""
    world = problem.world(grid, problem.natural, profile, Relaxation("exact"))
    said: dict[str, Variable] = {}
    for name in speakers:
        said[name] = jax.lax.stop_gradient(world.choice(name))
        world = world.vary({name: said[name]})
    return said
