"""Backward induction: moves are solved at every input, the last first, with exact replies on and off the path.

For games in which whoever decides knows all that is still open and matters (``information/subgames.py``): perfect information, public
histories, simultaneous moves among equals. The offer that is just accepted is found as the point where the later reply really jumps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..information.subgames import Entangled, Move, moves
from ..lower.plans import finite_size, natural_grid
from ..lower.problem import Problem
from .act_ranges import act_ranges
from .engine import Engine, Found, State
from .matrix_games import MOST_OPTIONS
from .moves import NODES, MoveSolver
from .settings import Progress, Reporter, Settings

PASSES = 12  # until the ranges of unbounded acts fit
MOST_REALS = 3  # real numbers that matter to one move, and real acts of one player in one move
MOST_POINTS = 4_000_000  # inputs times outcomes of one move


class BackwardEngine(Engine):
    """See the module. The state has the ranges of unbounded acts and, after a pass, the policies."""

    name = "backward"
    title = "backward induction, each move solved at every input"
    settles = True

    def refuses(self, problem: Problem) -> str | None:
        if problem.loops:
            return "a family is too large"
        if problem.is_team:
            return "a team has no moves against each other"
        if problem.game.channels or problem.game.constraints:
            return "there are channels or constraints"
        for d in problem.game.decisions:
            if d.kind == "simplex" or (d.kind != "choice" and d.shape) or len(d.shape) > 1:
                return f"{d.name} is a vector"
        if any(r.shape or r.axes for r in problem.game.randoms):
            return "a draw is a vector"
        try:
            order = backward_order(problem)
        except Entangled as why:
            return str(why)
        if len(order) < 2:
            return "all decisions are simultaneous"
        unsolved = next((reason for m in order if (reason := unfit(problem, m)) is not None), None)
        if unsolved is None:
            try:
                solvers_of(problem)
            except ValueError as misfit:
                return str(misfit)
        return unsolved

    def start(self, problem: Problem, settings: Settings) -> State:
        wide = {d.name: [-1.0, 1.0] for d in problem.game.decisions if d.kind == "real"}
        return {"pass": 0, "done": False, "wide": wide, "profile": {}}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        solvers = solvers_of(problem)
        ranges = act_ranges(solvers, state["wide"], {})
        rules: dict[str, Any] = {}
        for i, solver in enumerate(solvers):
            tables = compiled(problem, i, solver)(rules, ranges)
            if not all(bool(jnp.isfinite(t).all()) for t in tables.values()):  # at some input: left to engines that go where play goes
                report(Progress(self.name, f"what {solver.move.decisions[0]} costs is not a number everywhere", i + 1, i + 1, math.nan))
                return {**state, "done": True, "profile": {}}
            rules |= solver.policies(tables, ranges)
        wide, fits = self.widened(problem, rules, ranges, state["wide"])
        done = fits or state["pass"] + 1 >= PASSES
        report(Progress(self.name, f"{len(solvers)} moves, the last first", state["pass"] + 1, state["pass"] + 1 + (not done), math.nan))
        return {"pass": state["pass"] + 1, "done": done, "wide": wide, "profile": rules}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(dict(state["profile"]), 1)] if state["profile"] else []

    def widened(self, problem: Problem, rules: dict[str, Any], ranges: Mapping[str, Array], wide: Mapping[str, list[float]],
                ) -> tuple[dict[str, list[float]], bool]:
        """Ranges on which acts are played well inside, and whether these are already such."""
        open_ = [d for d in problem.game.decisions if not d.finite and (d.low is None or d.high is None)]
        if not open_:
            return dict(wide), True
        grid, _ = natural_grid(problem, 20_000, largest=12)
        world = problem.world(grid, problem.natural, rules)
        out, fits = dict(wide), True
        for d in open_:
            acts = np.asarray(world.choice(d.name).data)
            low, high = (float(x) for x in ranges[d.name])
            least, most = float(acts.min()), float(acts.max())
            size = max(abs(least), abs(most), most - least, 1e-3 * (high - low))
            wanted = [least - 2 * size if d.low is None else low, most + 2 * size if d.high is None else high]
            span = high - low
            if (d.high is None and most > high - 0.05 * span) or (d.low is None and least < low + 0.05 * span):
                wanted = [low - 3 * span if d.low is None else low, high + 3 * span if d.high is None else high]
                fits = False
            elif not 0.4 < (wanted[1] - wanted[0]) / span < 2.5:
                fits = False
            if not fits:
                out[d.name] = wanted
        return out, fits


def backward_order(problem: Problem) -> tuple[Move, ...]:
    """The moves, last first. Raises Entangled."""
    key = "backward order"
    if key not in problem._cache:
        try:
            problem._cache[key] = moves(problem.dependence, problem.reduction,
                                        {d.name: problem.pays(problem.decider(d)) for d in problem.game.decisions})
        except Entangled as why:
            problem._cache[key] = why
    found = problem._cache[key]
    if isinstance(found, Entangled):
        raise found
    return found  # type: ignore[return-value]


def unfit(problem: Problem, move: Move, sizes: Mapping[int, int] = NODES) -> str | None:
    """Why a move cannot be solved by itself, or None. ``sizes``: nodes of a real number, by how many of them matter."""
    coordinates = problem.reduction.coordinates
    reals = [x for x in move.relevant if coordinates[x].role != "finite"]
    name = move.decisions[0]
    if len(reals) > MOST_REALS:
        return f"{len(reals)} real numbers matter to {name}: too many for a grid"
    points = sizes[len(reals)] ** len(reals) * math.prod(finite_size(problem, x) for x in move.relevant if x not in reals)
    sites: list[Decision] = [problem.dependence.sites[x] for x in move.decisions]  # type: ignore[misc]
    if points * math.prod(d.options for d in sites if d.finite) > MOST_POINTS:
        return f"what {name} knows has too many values"
    people: dict[Any, int] = {}
    for d in sites:
        if not d.finite:
            people[problem.decider(d)] = people.get(problem.decider(d), 0) + 1
    if any(n > MOST_REALS for n in people.values()):
        return f"the player of {name} decides {max(people.values())} numbers at once"
    if len(sites) > 1 and all(d.finite for d in sites):
        if any(len(ds) > 1 and sum(d in ds for d in sites) > 1 for ds in problem.groups.values()):
            return f"{name} is a choice of a symmetric family, whose members choose alike"
        if any(d.mixed for d in sites) and len(sites) > 2:
            return f"more than two mix at once ({name})"
        if any(d.mixed for d in sites) and max(d.options for d in sites) > MOST_OPTIONS:
            return f"two mix over more than {MOST_OPTIONS} options ({name}), too many supports to look at each"
        if math.prod(d.options for d in sites) > 100_000:
            return f"simultaneous choices ({name}) have too many outcomes"
    if any(d.finite and d.mixed for d in sites) and any(not d.finite for d in sites):
        return f"{name} and others mix beside real decisions"
    for ds in problem.groups.values():
        if 1 < sum(d in ds for d in sites) and move.relevant and len({problem.reduction.information[d.name].order for d in ds}) > 1:  # type: ignore[union-attr]
            return f"members of one family see different things before {name}"
    return None


def solvers_of(problem: Problem) -> list[MoveSolver]:
    key = "backward solvers"
    if key not in problem._cache:
        problem._cache[key] = [MoveSolver(problem, m) for m in backward_order(problem)]
    return problem._cache[key]  # type: ignore[return-value]


def compiled(problem: Problem, index: int, solver: MoveSolver) -> Any:
    """A move's compiled solution: (policies of later moves, ranges) -> tables."""
    key = f"backward move {index}"
    if key not in problem._cache:
        problem._cache[key] = jax.jit(lambda rules, ranges: solver.solve(rules, ranges))
    return problem._cache[key]
