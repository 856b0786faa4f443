"""Announcements by descent through softened replies: the engine around ``softened``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.site import Decision
from ..information.closed_forms import closed_forms
from ..lower.grid import Grid
from ..lower.plans import information_grid
from ..lower.problem import Problem
from ..lower.resolve import resolution
from ..lower.strategy import BestResponse, Strategy, Tabular
from ..lower.variable import Variable
from ..verify.responses import Responses
from . import obedience, softened
from .engine import Engine, Found, State
from .obedience_engine import favouring
from .settings import Progress, Reporter, Settings
from .starting import keys, neutral_rule
from .starts import start_table
from .sweep_engine import EXPLORE, JUMP, SweepEngine, neutral_profile
from .tables import as_table, as_variable, to_strategy

BUDGET = 200_000
RESTARTS = 12
KEPT = 4


class SoftenedEngine(Engine):
    """A chunk is a temperature. At the end the best few announcements meet exact replies; where costs are linear in what is announced,
    a linear program then finds the best announcement that has these very replies."""

    name = "softened"
    title = "announcements by descent through softened replies"
    leads = True

    def refuses(self, problem: Problem) -> str | None:
        if len(problem.leaders) > 1:
            return "several players announce together"
        if problem.game.constraints:
            return "a constraint or an average budget stands beside a commitment"
        if any(len(ds) > 1 for ds in problem.groups.values()):
            return "members of a symmetric family share a policy"
        why = SweepEngine().refuses(problem)
        if why is not None:
            return why
        if any(problem.charges(d) for d in problem.game.decisions):
            return "what is told is priced"
        exact = replies_of(problem, True)
        for d in problem.followers:
            if not d.finite and d.name not in exact:
                return f"{d.name} is real, and its cost not quadratic"
        if resolution(problem, EXPLORE, BUDGET) is None:
            return "a grid over all that the payments depend on would be too large"
        return None

    # ------------------------------------------------------------ the state machine

    def start(self, problem: Problem, settings: Settings) -> State:
        restarts = settings.restarts or RESTARTS
        chosen = resolution(problem, EXPLORE, BUDGET)
        assert chosen is not None
        grid = information_grid(problem, neutral_profile(problem, {}), chosen)
        led = [k for k, ds in problem.groups.items() if problem.announced(ds[0])]
        tables = {k: jnp.stack([start_table(problem, grid, problem.groups[k][0], key, r, settings.seed) for r, key in enumerate(
            keys(settings.seed * 1013 + i, restarts))]) for i, k in enumerate(led)}
        state: State = {"phase": 0, "done": False, "tables": tables, "costs": np.zeros(restarts), "ranges": {},
                        "resolution": [chosen.hidden, chosen.seen, chosen.observation, chosen.derived]}
        state = SweepEngine().fitted(problem, settings, state, replies_of(problem, False))
        logs = {k: jnp.log(jnp.maximum(t, 1e-6)) if problem.groups[k][0].finite else t for k, t in state["tables"].items()}
        return {**state, "tables": logs}

    def grid(self, problem: Problem, settings: Settings, state: State) -> Grid:
        return SweepEngine().grid(problem, settings, state, replies_of(problem, False))

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        grid = self.grid(problem, settings, state)
        heat = softened.TEMPERATURES[state["phase"]]
        tables, costs = softened.lowered(problem, grid, state["tables"], replies_of(problem, True), uniform(problem, grid), heat,
                                         problem.leaders[0])
        if not np.isfinite(costs).any():
            raise FloatingPointError("every start ended in a cost that is not a number")
        phase = state["phase"] + 1
        report(Progress(self.name, f"{len(costs)} starts, replies at the temperature {heat:g}", phase, len(softened.TEMPERATURES),
                        float(np.nanmin(costs))))
        return {**state, "tables": tables, "costs": costs, "phase": phase, "done": phase >= len(softened.TEMPERATURES)}

    # ------------------------------------------------------------ results

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        grid = self.grid(problem, settings, state)
        costs = np.where(np.isfinite(state["costs"]), state["costs"], np.inf)
        order = np.argsort(costs, kind="stable")
        found: list[Found] = []
        kept: list[float] = []
        for r in order:
            same = [i for i, c in enumerate(kept) if abs(c - costs[r]) < 1e-4 * max(abs(c), 1e-9)]
            if same:
                found[same[0]] = Found(found[same[0]].profile, found[same[0]].starts + 1)
            elif len(kept) < KEPT and np.isfinite(costs[r]):
                kept.append(float(costs[r]))
                found.append(Found(hardened(problem, grid, {k: t[r] for k, t in state["tables"].items()}), 1))
        return found


def replies_of(problem: Problem, responding: bool) -> dict[str, BestResponse]:
    """By group: followers whose reply is a conditional mean; ``responding``: with the gradient of what they respond to."""
    own = {d.name: problem.pays(problem.decider(d)) if d in problem.followers else () for d in problem.game.decisions}
    key = "closed forms of followers"
    if key not in problem._cache:
        problem._cache[key] = closed_forms(problem.game, problem.dependence, own)
    forms: Any = problem._cache[key]
    out = {}
    for k, ds in problem.groups.items():
        information = problem.reduction.information[ds[0].name]
        if ds[0].name in forms and information is not None and not information.masks:
            out[k] = BestResponse(forms[ds[0].name].payments, responding)
    return out


def uniform(problem: Problem, grid: Grid) -> dict[str, Array]:
    """Tables of all finite followers, every option alike."""
    out = {}
    for d in problem.followers:
        if d.finite:
            information = problem.reduction.information[d.name]
            assert information is not None
            dims = dict.fromkeys(x for dims in information.order for x in dims)
            out[problem.leader_of[d.name]] = jnp.full((*(grid.sizes[x] for x in dims), d.options), 1.0 / d.options)
    return out


def hardened(problem: Problem, grid: Grid, announced: Mapping[str, Array]) -> dict[str, Any]:
    """Strategies by group: what is announced, polished, and exact replies to it."""
    sharp = {k: t if problem.groups[k][0].mixed or not problem.groups[k][0].finite else jnp.where(
        t == t.max(-1, keepdims=True), 0.0, -jnp.inf) for k, t in announced.items()}
    lead = {problem.groups[k][0].name: as_variable(problem, problem.groups[k][0], t) for k, t in softened.laws(problem, sharp).items()}
    rules = {name: Tabular(v.dims, v.data) for name, v in lead.items()}
    start = {**rules, **{d.name: neutral_rule for d in problem.followers}}
    responses = Responses(problem, grid, start)
    everybody, _ = responses.respond(rules, responses.starts()[0])
    everybody = polished(problem, grid, everybody)
    profile: dict[str, Any] = {}
    for k, ds in problem.groups.items():
        if problem.announced(ds[0]) or ds[0].finite:
            profile[k] = strategy_of(responses, everybody, ds[0], announced.get(k))
        else:
            profile[k] = replies_of(problem, False)[k]
    return profile


def strategy_of(responses: Responses, everybody: Mapping[str, Any], d: Decision, logits: Array | None) -> Strategy:
    """A finite decision's rule on the grid, or a real announcement, as a strategy. ``logits``: of what is announced, between whose
    nodes a choice that does not mix switches where two of them cross."""
    problem, grid = responses.problem, responses.grid
    world = responses.world(everybody)
    if not d.finite:
        return to_strategy(problem, world, d, np.asarray(logits), False, d.mixed, JUMP)
    law = np.asarray(as_table(problem, d, everybody[d.name](world, d), grid))
    if d.mixed:
        table = np.log(np.maximum(law, 1e-300))
    elif logits is not None:
        same = np.asarray(logits).argmax(-1) == law.argmax(-1)
        table = np.where(same[..., None], np.asarray(logits), law)
    else:
        cost, _ = responses.conditional(responses.world(everybody, responses.dims(d)), d, problem.decider(d))
        merit = as_table(problem, d, Variable(responses.dims(d), -cost), grid)
        table = favouring(np.asarray(merit), law)
    if d.kind == "bool":
        table = table[..., 1:] - table[..., :1]
    return to_strategy(problem, world, d, table, not d.mixed, d.mixed)


def polished(problem: Problem, grid: Grid, everybody: Mapping[str, Any]) -> dict[str, Any]:
    """Everybody's rules with every finite announcement, one after the other, made the best that has the replies that were found, by a
    linear program where costs are linear in it."""
    rules = dict(everybody)
    if not all(d.finite for d in problem.followers):
        return rules
    replies = tuple(np.asarray(rules[d.name].data).argmax(-1).reshape(-1) for d in problem.followers)
    own = [d for d in problem.game.decisions if problem.announced(d) and d.finite]
    for d in [*own, *own] if len(own) > 1 else own:
        given = {x.name: rules[x.name] for x in problem.game.decisions if problem.announced(x) and x != d}
        p = obedience.Programs(problem, grid, d, problem.followers, given)
        if p.unknowns > obedience.MOST_UNKNOWNS or not p.is_linear():
            continue
        best = obedience.best_for(p, replies)
        if best is not None:
            rules[d.name] = Tabular(p.dims(d), jnp.asarray(best.reshape((*p.points(d), d.options))))
    return rules
