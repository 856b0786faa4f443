"""Dynamic programming over stages that are elaborated once: every player's value of every state, from the last stage to the first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Reference
from ..information.subgames import Entangled
from ..lower.one_stage import Unstageable, depends_on_stage, one_stage
from ..lower.problem import Problem
from ..lower.stages import discount_of
from .act_ranges import act_ranges
from .backward_engine import unfit
from .engine import Engine, Found, State
from .recursion import KEPT, Recursion, first_values
from .settings import Progress, Reporter, Settings

PASSES = 12  # until the ranges of states and of unbounded acts fit
CHUNK, MOST_STAGES = 5, 2_000  # of stages without end
CONVERGED = 1e-9  # change of a value in one stage, over the values
STALLED = 6  # chunks in which values come no closer to rest, after which policies are not kept, and six times as many to give up
MARGIN = 0.3  # of what play reaches, on each side of it
ENOUGH = 0.5  # of that margin: a range with less is widened


class DynamicEngine(Engine):
    """See the module. The state has ranges, values and, at the end, the policies."""

    name = "dynamic"
    title = "dynamic programming, each stage solved at every state"
    repeats = True
    settles = True

    def refuses(self, problem: Problem) -> str | None:
        block = problem.game.block
        if block is None:
            return "there are no stages, or they are written out"
        if problem.leaders:
            return "somebody announces a policy"
        for d in problem.game.decisions:
            if d.kind == "simplex" or (d.kind != "choice" and d.shape) or len(d.shape) > 1:
                return f"{d.name} is a vector"
            knows = any(o.expression == Reference(block.binder) for o in d.observations)
            if math.isfinite(block.length) and block.length > 1 and not knows:
                return f"{d.name} is one policy for all stages, of which there are finitely many: backward induction gives one for each"
        if any(r.shape or r.axes for r in problem.game.randoms):
            return "a draw is a vector"
        try:
            stage = one_stage(problem)
            if math.isinf(block.length) and depends_on_stage(stage):
                return f"stages without end are not alike: something beside the policies depends on {block.binder}"
            recursion = recursion_of(problem)
        except (Unstageable, Entangled, ValueError) as why:
            return str(why)
        return next((reason for s in recursion.solvers if (reason := unfit(stage.problem, s.move, s.sizes)) is not None), None)

    def start(self, problem: Problem, settings: Settings) -> State:
        stage = one_stage(problem)
        ranges = {d.name: [-1.0, 1.0] for d in stage.problem.game.decisions if d.kind == "real"}
        for x, (low, high) in first_values(stage, problem).items():
            size = max(high - low, 0.2 * max(abs(low), abs(high))) or 1.0
            ranges[x] = [low - 0.5 * size, high + 0.5 * size]
        return {"pass": 0, "stages": 0, "done": False, "ranges": ranges, "profile": {}, "values": {}, "change": math.inf, "reached": {},
                "best": math.inf, "stalled": 0, "edges": {}}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        recursion = recursion_of(problem)
        stage, length = recursion.stage, recursion.stage.block.length
        ranges = act_ranges(recursion.solvers, state["ranges"], {x: jnp.asarray(state["ranges"][x]) for x in recursion.reals})
        endless = math.isinf(length)
        if endless:
            values = state["values"] or recursion.zeros()
            kept = 0 if state["stalled"] > STALLED else KEPT
            further = compiled(problem, "further", lambda v, r, k: recursion.further(v, r, CHUNK, k))
            values, tables, limits, sound, change = further(values, ranges, kept)
            limits = {k: x[None] for k, x in limits.items()}
        else:
            values, tables, limits, sound = compiled(problem, "all", lambda r: recursion.all_stages(r, round(length)))(ranges)
            change = jnp.asarray(0.0)
        if not all(bool(jnp.isfinite(v).all()) for v in (*values.values(), *tables.values())):
            if state["pass"] + 1 >= PASSES:
                report(Progress(self.name, "a value of a state is not a number", state["stages"], state["stages"], math.nan))
                return {**state, "done": True, "profile": {}}
            hold = state["reached"] or first_values(stage, problem)
            nearer = {x: [(a + b) / 2 for a, b in zip(state["ranges"][x], hold[x], strict=True)] for x in recursion.reals}
            return {**state, "pass": state["pass"] + 1, "ranges": {**state["ranges"], **nearer}, "values": {}}
        scale = max(float(jnp.max(jnp.abs(v))) for v in values.values()) + 1e-300
        relative = float(change) / scale
        stalled = 0 if relative < 0.5 * state["best"] else state["stalled"] + 1
        converged = relative <= CONVERGED or (endless and (stalled > 6 * STALLED or state["stages"] + CHUNK >= MOST_STAGES))
        reached = reach(recursion, first_values(stage, problem), ranges, limits, None if endless else round(length))
        edges = edges_of(recursion, ranges, np.asarray(sound), reached, state["edges"])
        wanted, fits = fitted(recursion, ranges, tables, reached, edges)
        last_pass = state["pass"] + 1 >= PASSES
        if endless and not converged:
            wanted, fits = state["ranges"], False
        elif not fits and not last_pass:
            values = {}
        done = (converged and fits) or (last_pass and converged)
        profile = recursion.policies({d.name: d for d in problem.game.decisions}, tables, ranges, None if endless else round(length))
        count = state["stages"] + (CHUNK if endless else round(length))
        report(Progress(self.name, f"{count} stages, the last first" + (f", a value changes by {float(change):.1e}" if endless else ""),
                        count, count + (not done), math.nan))
        return {"pass": state["pass"] + (converged and not fits), "stages": count, "done": done,
                "ranges": {k: list(v) for k, v in wanted.items()}, "profile": profile, "values": values if endless else {},
                "reached": {k: list(v) for k, v in reached.items()}, "edges": edges, "change": float(change),
                "best": math.inf if converged else min(state["best"], relative), "stalled": 0 if converged else stalled}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        return [Found(dict(state["profile"]), 1)] if state["profile"] else []


def edges_of(recursion: Recursion, ranges: Mapping[str, Array], sound: np.ndarray, reached: Mapping[str, tuple[float, float]],
             known: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """How far a range may go on either side: to where all values were numbers, half-way to there where not even play is (``known``:
    what was found before)."""
    out = {x: list(known.get(x, (-math.inf, math.inf))) for x in recursion.reals}
    for i, x in enumerate(recursion.stage.states):
        if x not in recursion.reals:
            continue
        good = np.moveaxis(sound, i, 0).reshape(sound.shape[i], -1)
        whole = good.mean(1) >= good.mean(1).max()  # nodes at which as many are numbers as at any
        nodes = np.linspace(float(ranges[x][0]), float(ranges[x][1]), sound.shape[i])
        low, high = reached[x]
        if not whole[0]:
            first = nodes[np.argmax(whole)]
            out[x][0] = max(out[x][0], first if first <= low else (nodes[0] + low) / 2)
        if not whole[-1]:
            last = nodes[::-1][np.argmax(whole[::-1])]
            out[x][1] = min(out[x][1], last if last >= high else (nodes[-1] + high) / 2)
    return out


def fitted(recursion: Recursion, ranges: Mapping[str, Array], tables: Mapping[str, Array], reached: Mapping[str, tuple[float, float]],
           edges: Mapping[str, list[float]]) -> tuple[dict[str, list[float]], bool]:
    """Ranges that hold what play reaches, with a margin (no further than ``edges``), and whether these do (and are not far too wide)."""
    out = {k: [float(v[0]), float(v[1])] for k, v in ranges.items()}
    fits = True
    for x, (low, high) in reached.items():
        margin = MARGIN * max(high - low, 1e-2 * max(abs(low), abs(high)), 1e-9)
        a, b = out[x]
        least, most = max(low - margin, edges[x][0]), min(high + margin, edges[x][1])
        near, far = max(low - ENOUGH * margin, least), min(high + ENOUGH * margin, most)
        slack = 1e-9 * (b - a)
        beyond = a < edges[x][0] - slack or b > edges[x][1] + slack
        if beyond or near < a - slack or far > b + slack or most - least < 0.25 * (b - a):
            fits = False
            out[x] = [least, most]
    for solver in recursion.solvers:
        for d in solver.leaders:
            if d.finite or (d.low is not None and d.high is not None):
                continue
            acts = np.asarray(tables[d.name])
            least, most = float(acts.min()), float(acts.max())
            a, b = out[d.name]
            span, size = b - a, max(abs(least), abs(most), most - least)
            if (d.high is None and most > b + 0.5 * span) or (d.low is None and least < a - 0.5 * span):
                out[d.name] = [a - 3 * span if d.low is None else a, b + 3 * span if d.high is None else b]
                fits = False
            elif span > 8 * size + 1e-9 or span < 0.25 * size:
                out[d.name] = [least - 0.5 * size if d.low is None else a, most + 0.5 * size if d.high is None else b]
                fits = False
    return out, fits


def reach(recursion: Recursion, first: Mapping[str, tuple[float, float]], ranges: Mapping[str, Array], limits: Mapping[str, Array],
          length: int | None) -> dict[str, tuple[float, float]]:
    """Between what every real state lies in any stage, from box to box."""
    states = recursion.stage.states
    nodes = {x: np.linspace(*map(float, ranges[x]), recursion.shape[states.index(x)]) for x in recursion.reals}  # type: ignore[call-overload]
    box = {x: first[x] for x in recursion.reals}
    union = dict(box)
    last = (length if length is not None else MOST_STAGES) - 1
    for t in range(last + 1):
        k = t if length is not None else 0
        inside = np.ones(recursion.shape, bool)
        for x in recursion.reals:
            step = nodes[x][1] - nodes[x][0]
            near = (nodes[x] >= box[x][0] - step) & (nodes[x] <= box[x][1] + step)
            near[np.argmin(np.abs(nodes[x] - sum(box[x]) / 2))] = True
            inside &= near.reshape([-1 if y == x else 1 for y in states])
        new = {}
        for x in recursion.reals:
            low, high = np.asarray(limits[x][k])
            new[x] = (float(low[inside].min()), float(high[inside].max()))
        if t < last:
            union = {x: (min(union[x][0], new[x][0]), max(union[x][1], new[x][1])) for x in union}
        if length is None and all(np.allclose(new[x], box[x], rtol=1e-9, atol=1e-12) for x in new):
            break  # the same from here on
        box = {x: (max(new[x][0], nodes[x][0] - (nodes[x][-1] - nodes[x][0])), min(new[x][1], 2 * nodes[x][-1] - nodes[x][0])) for x in new}
    return union


def recursion_of(problem: Problem) -> Recursion:
    """Raises Unstageable, Entangled, ValueError."""
    key = "recursion"
    if key not in problem._cache:
        problem._cache[key] = Recursion(one_stage(problem), discount_of(problem))
    return problem._cache[key]  # type: ignore[return-value]


def compiled(problem: Problem, name: str, function: Any) -> Any:
    key = f"recursion {name}"
    if key not in problem._cache:
        problem._cache[key] = jax.jit(function)
    return problem._cache[key]
