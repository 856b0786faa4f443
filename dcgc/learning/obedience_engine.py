"""Announcements by linear programs: the engine around ``obedience``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..core.site import Decision
from ..lower.problem import Problem
from ..lower.strategy import Tabular
from ..lower.variable import Variable, constant
from ..lower.world import World
from ..verify.responses import REACHED, Responses
from . import obedience
from .engine import Engine, Found, State
from .settings import Progress, Reporter, Settings
from .tables import as_table, to_strategy


class ObedienceEngine(Engine):
    """One chunk does it all. The state holds the best laws and the replies to it."""

    name = "obedience"
    title = "announcements by linear programs over the followers' pure replies"
    leads = True

    def refuses(self, problem: Problem) -> str | None:
        found = programs_of(problem)
        if isinstance(found, str):
            return found
        count = found.count()
        return f"followers have {count:.3g} pure replies, more than are tried one by one" if count > obedience.MOST_PROFILES else None

    def start(self, problem: Problem, settings: Settings) -> State:
        return {"done": False, "law": None, "replies": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        p = programs_of(problem)
        assert not isinstance(p, str)
        found = obedience.solve(p, lambda done, total: report(Progress(
            self.name, "a program for each profile of replies", done, total, float("nan"))))
        if found is None:
            report(Progress(self.name, "no profile of pure replies is obeyed", 1, 1, float("nan")))
            return {"done": True, "law": None, "replies": []}
        report(Progress(self.name, f"{found.feasible} of {found.tried} profiles of replies can be obeyed", found.tried, found.tried,
                        float("nan")))
        return {"done": True, "law": list(found.laws), "replies": list(found.replies)}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        p = programs_of(problem)
        if state["law"] is None or isinstance(p, str):
            return []
        laws = {d.name: np.asarray(law).reshape((*p.points(d), d.options)) for d, law in zip(p.chain, state["law"], strict=True)}
        for d, reply in zip(p.followers, state["replies"], strict=True):
            laws[d.name] = np.eye(d.options)[np.asarray(reply, int)].reshape((*p.points(d), d.options))
        return [Found(written(problem, p, laws), 1)]


def programs_of(problem: Problem) -> obedience.Programs | str:
    """Worked out once for a problem."""
    key = "obedience"
    if key not in problem._cache:
        problem._cache[key] = obedience.programs(problem)
    return problem._cache[key]  # type: ignore[return-value]


def written(problem: Problem, p: obedience.Programs, laws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Strategies by group from laws (*points, options). Where play does not go followers reply to small errors."""
    rules = {d.name: Tabular(p.dims(d), jnp.asarray(laws[d.name])) for d in (*p.chain, *p.followers)}
    responses = Responses(problem, p.grid, rules)
    world = responses.world(rules)
    profile: dict[str, Any] = {}
    for d in (*p.chain, *p.followers):
        law = laws[d.name] if d in p.chain else everywhere(responses, responses.world(rules, p.dims(d)), d, laws[d.name])
        if d.mixed:
            law = np.log(np.maximum(law, 1e-300))
        table = np.asarray(as_table(problem, d, Variable(p.dims(d), jnp.asarray(law)), p.grid))
        if d.kind == "bool":
            table = table[..., 1:] - table[..., :1]
        profile[problem.leader_of[d.name]] = to_strategy(problem, world, d, table, not d.mixed, d.mixed)
    return profile


def everywhere(responses: Responses, world: World, d: Decision, law: np.ndarray) -> np.ndarray:
    """A follower's policy at every input: the reply that the program found where play goes, the best one elsewhere. (*points, options):
    probabilities of one that mixes, else the options' merits, the chosen one's the largest."""
    cost, _ = responses.conditional(world, d, responses.problem.decider(d))
    merit = -np.asarray(cost)
    chance = np.asarray(responses.table(world.expectation(constant(1.0), responses.dims(d)), d))
    reached = (chance > REACHED * chance.max())[..., None]
    law = np.where(reached, law, np.eye(d.options)[merit.argmax(-1)])
    if d.mixed:
        return law
    return favouring(merit, law)


def favouring(merit: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Merits of options (*points, options), the one that a one-hot law chooses a hair above the rest: a tie is broken for good."""
    hair = 1e-9 * max(float(np.abs(merit).max()), 1e-290)
    return np.where(law > 0.5, merit.max(-1, keepdims=True) + hair, merit)

