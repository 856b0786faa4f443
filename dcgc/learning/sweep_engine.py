"""Free-form policies: sweeps of pointwise best responses from many starts, descent for teams, refinement of the best.

The engine explores on a coarse grid with all restarts, keeps the best (a team) or the most settled (a game), and doubles the grid for
those. In a team whose decisions are all real, sweeps alternate with L-BFGS on all tables at once: a sweep moves single inputs across
jumps, L-BFGS moves everything a little.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..information.closed_forms import closed_forms
from ..lower.grid import Grid
from ..lower.plans import Resolution, information_grid
from ..lower.problem import Problem
from ..lower.resolve import resolution, with_observation
from ..lower.strategy import BestResponse
from ..lower.variable import constant, contract
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from . import galerkin
from .descent import descend
from .engine import Engine, Found, State
from .lattices import unsuited
from .refusals import off_the_grid
from .settings import Progress, Reporter, Settings
from .starting import keys
from .starts import start_table
from .sweeps import SweepSettings, finite_costs, largest_gain, mean_cost, multipliers, smoother, sweep, world_of
from .tables import table_profile, to_strategy

EXPLORE = Resolution(hidden=80, seen=240, observation=240, derived=33, cells=True)
BUDGET = 400_000  # points of the widest expectation while exploring
FINEST = 4_000_000
JUMP = 8.0
STRAYED = 1e-4  # probability that a descent may carry off the grid
LONG = 1e3
NODES = (5, 9, 17, 33)


@dataclass(frozen=True)
class Phase:
    """``keep``: how many restarts go in; ``finer``: how much finer than the phase before; ``sweeps``, in chunks of ``chunk``;
    ``steps`` of L-BFGS follow each chunk (teams of real decisions). ``temperature`` and ``damping``: at the first and last sweep.
    ``smooth``: the part of all nodes over which best replies are smoothed, where payments jump. ``newton``: sweep i solves the
    projected first-order conditions with ``NODES[i]`` nodes. ``step``: of mirror descent, over what is at stake; a long one is
    the logit response, which has no memory. ``sharp``: no temperature at all, switches between nodes kept where they belong.
    ``gentle``: finite decisions are damped, too. Where words could tell more than interests allow, undamped replies at a low
    temperature go round and round."""

    name: str
    keep: int
    finer: float
    sweeps: int
    chunk: int
    steps: int = 0
    temperature: tuple[float, float] = (0.3, 0.1)
    damping: tuple[float, float] = (1.0, 1.0)
    smooth: float = 0.0
    newton: bool = False
    step: float = 1.0
    sharp: bool = False
    gentle: bool = False


def schedule(problem: Problem, restarts: int) -> tuple[Phase, ...]:
    """The phases for a kind of game."""
    if problem.has_finite_decisions:
        continuous = any(problem.reduction.coordinates[x].role in ("nature", "observation")
                         for i in problem.reduction.information.values() if i is not None for x in i.dims)
        if problem.randomises:
            return (Phase("exploring", restarts, 1.0, 1000, 250, temperature=(0.1, 1e-3), damping=(0.3, 0.05)),
                    Phase("settling", 4, 1.0, 4000, 1000, temperature=(1e-3, 1e-9), damping=(0.05, 0.01)))
        if continuous and not problem.is_team:  # cells of a signal move a little in each sweep: what was best before must not hold them
            return (Phase("exploring", restarts, 1.0, 300, 100, temperature=(0.03, 2e-3), damping=(0.5, 0.3), smooth=0.08, step=LONG),
                    Phase("settling", 6, 1.0, 200, 100, temperature=(2e-3, 1e-3), damping=(0.3, 0.1), smooth=0.04, step=LONG,
                          gentle=True),
                    Phase("refining", 4, 2.0, 200, 100, temperature=(1e-3, 1e-3), damping=(0.3, 0.1), smooth=0.02, step=LONG,
                          gentle=True))
        phases = (Phase("exploring", restarts, 1.0, 300, 100, temperature=(0.3, 1e-3), damping=(0.5, 0.1), smooth=0.08),
                  Phase("settling", 4, 1.0, 400, 100, temperature=(1e-3, 1e-7), damping=(0.1, 0.02), smooth=0.04))
        last = Phase("refining", 3, 2.0, 100, 50, temperature=(1e-5, 1e-8), damping=(0.1, 0.02), smooth=0.02)
        if not problem.is_team:
            return (*phases, last) if continuous else phases
        sharp = Phase("sharpening", 2, 1.0, 60, 30, sharp=True)  # Lloyd's iteration: everybody's best reply, which never costs more
        return (*phases, last, sharp) if continuous else phases
    if problem.is_team:
        return (Phase("exploring", restarts, 1.0, 8, 4), Phase("descending", 8, 1.0, 2, 1, 60), Phase("descending", 3, 1.0, 3, 1, 100),
                Phase("refining", 2, 2.0, 2, 1, 100), Phase("refining", 1, 2.0, 2, 1, 60))
    return (Phase("exploring", restarts, 1.0, 50, 25, damping=(0.5, 0.1), smooth=0.08),
            Phase("solving", 4, 1.0, len(levels(problem)), 1, newton=True))


def levels(problem: Problem) -> tuple[int, ...]:
    """Numbers of nodes for Newton's method: a few where lattices take over if these do not do."""
    return NODES[:2] if unsuited(problem) is None else NODES


class SweepEngine(Engine):
    """See the module. The state has the tables of all restarts that are still in, on the grid of the phase."""

    name = "sweeps"
    title = "free-form policies on a grid, sweeps of best responses"
    settles = True

    def refuses(self, problem: Problem) -> str | None:
        why = off_the_grid(problem)
        if why is not None:
            return why
        for d in problem.game.decisions:
            if (d.kind == "real" and d.shape) or d.kind == "simplex" or (d.kind == "bool" and d.shape) or len(d.shape) > 1:
                return f"{d.name} is a vector"
        if any(c.equality for c in problem.game.constraints):
            return "a constraint is an equality"
        if any(p.information is not None and p.information.signal is not None for p in problem.game.payments):
            return "information in reals is priced, whose scale no grid can hold beforehand"
        replies = exact_replies(problem, Settings()) if problem.game.constraints else {}
        if problem.game.constraints and not all(ds[0].finite or k in replies for k, ds in problem.groups.items()):
            return "a constraint binds decisions that are real"
        if resolution(problem, EXPLORE, BUDGET) is None:
            return "a grid over all that the payments depend on would be too large"
        return None

    def way(self, problem: Problem) -> str:
        return "integrated over cells and the others' distribution (the part of each cell in which it holds); no temperature"

    def way_of_choices(self, problem: Problem) -> str:
        last = schedule(problem, 1)[-1]
        if last.sharp:
            return "summed out exactly over its options, probabilities annealed to best options"
        return f"summed out exactly over its options, annealed to an entropy temperature of {last.temperature[1]:g} of what is at stake"

    def relaxed_world(self, problem: Problem, settings: Settings, state: State, profile: dict[str, Any]) -> World | None:
        grid = self.grid(problem, settings, state, exact_replies(problem, settings))
        return problem.world(grid, problem.reduction, profile, Relaxation("cells"))

    # ------------------------------------------------------------ the state machine

    def start(self, problem: Problem, settings: Settings) -> State:
        restarts = settings.restarts or (24 if problem.has_finite_decisions else 16 if problem.is_team else 6)
        others = exact_replies(problem, settings)
        wanted = EXPLORE if settings.nodes is None else replace(EXPLORE, seen=settings.nodes, hidden=settings.nodes)
        chosen = resolution(problem, wanted, BUDGET)
        assert chosen is not None
        neutral = neutral_profile(problem, others)
        grid = information_grid(problem, neutral, chosen)
        groups = [k for k in problem.groups if k not in others]
        tables = {k: jnp.stack([start_table(problem, grid, problem.groups[k][0], key, r, settings.seed) for r, key in enumerate(
            keys(settings.seed * 1009 + i, restarts))]) for i, k in enumerate(groups)}
        if not problem.is_team and restarts > 1:  # babbling is always an equilibrium of cheap talk: it is looked at, and named
            for k in groups:
                d = problem.groups[k][0]
                if d.finite and d.channel is not None:
                    tables[k] = tables[k].at[-1].set(jnp.full(tables[k].shape[1:], 1.0 / d.options))
        finite = [k for k in groups if problem.groups[k][0].finite]
        state: State = {
            "phase": 0, "sweep": 0, "done": False, "tables": tables, "costs": np.zeros(restarts), "movement": np.ones(restarts),
            "stakes": {**{k: jnp.zeros(restarts) for k in finite}, **{c.multiplier: jnp.ones(restarts) for c in problem.game.constraints}},
            "resolution": list(astuple(chosen)), "ranges": {},
            "merged": [1] * restarts}
        return self.fitted(problem, settings, state, others)

    def fitted(self, problem: Problem, settings: Settings, state: State, others: Mapping[str, Any],
               finer: float = 1.0) -> State:
        """The state with ranges that hold what its tables do and a grid ``finer`` times as fine; tables carried over."""
        old = self.grid(problem, settings, state, others)
        ranges = wide_ranges(problem, state["tables"], old, others, self.cells(state))
        wanted = Resolution(*state["resolution"][:4], cells=True)
        chosen = resolution(problem, observed_finely(problem, ranges, wanted.finer(finer)), FINEST if finer > 1 else BUDGET) or wanted
        new_state = {**state, "resolution": list(astuple(chosen)), "ranges": {k: list(v) for k, v in ranges.items()}}
        new = self.grid(problem, settings, new_state, others)
        tables = {k: jnp.stack([carried(problem, k, np.asarray(t), old, new) for t in state["tables"][k]]) for k in state["tables"]}
        return {**new_state, "tables": tables}

    def cells(self, state: State) -> Resolution:
        return Resolution(*state["resolution"][:4], cells=True)

    def grid(self, problem: Problem, settings: Settings, state: State, others: Mapping[str, Any]) -> Grid:
        ranges = {k: (float(v[0]), float(v[1])) for k, v in state["ranges"].items()}
        return information_grid(problem, neutral_profile(problem, others), self.cells(state), ranges)

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        others = exact_replies(problem, settings)
        restarts = settings.restarts or len(state["merged"])
        phases = schedule(problem, restarts)
        phase = phases[state["phase"]]
        grid = self.grid(problem, settings, state, others)
        tables = state["tables"]
        if phase.newton and tables:
            state = self.newton(problem, settings, state, report, phases, others, grid)
            return state if not state["solved"] else self.next_phase(problem, settings, state, phases, others)
        begin, end = state["sweep"], state["sweep"] + phase.chunk
        fraction = np.arange(begin, end) / max(phase.sweeps - 1, 1)
        pace = tuple(jnp.asarray(a * (b / a) ** fraction) for a, b in (phase.temperature, phase.damping))
        step = 0.25 if problem.randomises else phase.step
        run = sweeper(problem, others, SweepSettings(step, 41 if problem.is_team else 25, sharp=phase.sharp, gentle=phase.gentle))
        smoothers = {x: smoother(grid.nodes[x], phase.smooth) for x in grid.continuous} if problem.has_jumps and phase.smooth else {}
        if tables:
            tables, stakes, costs, movement = run(grid, tables, state["stakes"], smoothers, *pace)
        else:
            stakes, costs, movement = {}, jnp.asarray([mean_cost(problem, grid, {}, others)]), jnp.zeros(1)
        # an act that is seen as it is lies between nodes by weights of both signs, which a descent would make into gains without end
        signed = any(c.role == "derived" for c in problem.reduction.coordinates.values())
        if phase.steps and tables and not signed:
            tables, costs = descender(problem, others, phase.steps)(grid, tables)
        state = {**state, "tables": tables, "stakes": stakes, "sweep": end, "costs": np.asarray(costs), "movement": np.asarray(movement)}
        if not np.isfinite(state["costs"]).any():
            raise FloatingPointError("every start ended in a cost that is not a number")
        settled = not problem.is_team and not problem.has_finite_decisions and float(np.max(movement)) < 1e-9
        best = float(np.nanmin(state["costs"]))
        report(Progress(self.name, f"{phase.name}, {len(state['costs'])} start{'s' * (len(state['costs']) > 1)}, "
                                   f"{Resolution(*state['resolution'][:4], cells=True).text}",
                        progress(phases, state["phase"], end), total(phases), best))
        if end < phase.sweeps and not settled:
            return state
        return self.next_phase(problem, settings, state, phases, others)

    def newton(self, problem: Problem, settings: Settings, state: State, report: Reporter, phases: tuple[Phase, ...],
               others: Mapping[str, Any], grid: Grid) -> State:
        """One solution of the projected first-order conditions for every restart, kept where a best reply then gains less than before."""
        index = state["sweep"]
        count = min(levels(problem)[index], max(3, grid_least(problem, grid)))
        gain = gainer(problem, others)
        kept, costs, gains, residuals = [], [], [], []
        for r in range(len(state["costs"])):
            before = {k: t[r] for k, t in state["tables"].items()}
            after, residual = galerkin.solve(problem, grid, before, others, count)
            both = [(float(gain(grid, t)), i, t) for i, t in enumerate((after, before))]
            best = min(both, key=lambda x: (np.nan_to_num(x[0], nan=np.inf), x[1]))
            kept.append(best[2])
            gains.append(best[0])
            residuals.append(residual)
            costs.append(float(mean_cost(problem, grid, best[2], others)))
        order = np.argsort(gains, kind="stable")[:max(1, 2 - index)] if index or len(gains) > 2 else np.arange(len(gains))
        end = index + 1
        enough = gains[order[0]] < 1e-9 * max(1e-12, abs(costs[order[0]]))
        report(Progress(self.name, f"first-order conditions with {count} nodes a coordinate, residual {min(residuals):.1e}, a "
                        f"deviation gains {min(gains):.1e}", progress(phases, state["phase"], end), total(phases), costs[order[0]]))
        return {**state, "tables": {k: jnp.stack([kept[i][k] for i in order]) for k in state["tables"]},
                "costs": np.asarray(costs)[order], "movement": np.asarray(gains)[order], "sweep": end,
                "merged": [state["merged"][i] for i in order], "solved": enough or end >= len(levels(problem))}

    def next_phase(self, problem: Problem, settings: Settings, state: State, phases: tuple[Phase, ...],
                   others: Mapping[str, Any]) -> State:
        index = state["phase"] + 1
        if index >= len(phases):
            return {**state, "done": True}
        chosen, counts = selection(problem, state, phases[index].keep)
        place = jnp.asarray(chosen)
        state = {
            **state, "phase": index, "sweep": 0, "tables": {k: t[place] for k, t in state["tables"].items()},
            "stakes": {k: x[place] for k, x in state["stakes"].items()}, "costs": state["costs"][chosen],
            "movement": state["movement"][chosen], "merged": counts}
        return self.fitted(problem, settings, state, others, finer=phases[index].finer)

    # ------------------------------------------------------------ results

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        grid = self.grid(problem, settings, state, exact_replies(problem, settings))
        chosen, counts = selection(problem, state, 4)
        found = []
        for r, count in zip(chosen, counts, strict=True):
            held = multipliers(problem, {k: x[r] for k, x in state["stakes"].items()})
            others = {**exact_replies(problem, settings), **held}
            tables = {k: t[r] for k, t in state["tables"].items()}
            world = world_of(problem, grid, tables, others, Relaxation("cells"))
            profile: dict[str, Any] = dict(held)
            for k, decisions in problem.groups.items():
                d = decisions[0]
                if k in others:
                    profile[k] = others[k]
                elif not d.finite:
                    profile[k] = to_strategy(problem, world, d, np.asarray(tables[k]), False, d.mixed, JUMP)
                elif d.mixed:
                    p = np.log(np.maximum(np.asarray(tables[k]), 1e-12))
                    profile[k] = to_strategy(problem, world, d, p[..., 1:] - p[..., :1] if d.kind == "bool" else p, False, True)
                else:
                    q = np.asarray(finite_costs(problem, grid, tables, others, d))
                    profile[k] = to_strategy(problem, world, d, q[..., :1] - q[..., 1:2] if d.kind == "bool" else -q, True, False)
            found.append(Found(profile, count))
        return found


def astuple(r: Resolution) -> tuple[int, int, int, int]:
    return r.hidden, r.seen, r.observation, r.derived


def progress(phases: tuple[Phase, ...], index: int, sweeps: int) -> int:
    return sum(p.sweeps for p in phases[:index]) + sweeps


def total(phases: tuple[Phase, ...]) -> int:
    return sum(p.sweeps for p in phases)


def grid_least(problem: Problem, grid: Grid) -> int:
    """A third of the nodes of the coarsest coordinate on which somebody decides."""
    seen = {x for i in problem.reduction.information.values() if i is not None for x in i.dims}
    sizes = [grid.sizes[x] for x in seen if problem.reduction.coordinates[x].role not in ("finite", "event")]
    return min(sizes, default=99) // 3


def exact_replies(problem: Problem, settings: Settings) -> dict[str, Any]:
    """Groups whose policy is an exact best response: last movers with a quadratic cost."""
    if not settings.best_response:
        return {}
    key = "closed forms"
    if key not in problem._cache:
        problem._cache[key] = closed_forms(problem.game, problem.dependence,
                                           {d.name: problem.pays(problem.decider(d)) for d in problem.game.decisions})
    asked = {c.subject for c in problem.game.policies if c.family != "best_response"}
    forms: dict[str, Any] = problem._cache[key]  # type: ignore[assignment]
    out = {}
    for k, decisions in problem.groups.items():
        d = decisions[0]
        information = problem.reduction.information[d.name]
        masked = information is not None and information.masks
        if len(decisions) == 1 and d.name in forms and not masked and not ({d.name, d.actor.name} & asked):
            out[k] = BestResponse(forms[d.name].payments)
    return out


def neutral_profile(problem: Problem, others: Mapping[str, Any]) -> dict[str, Any]:
    from .starting import neutral_rule

    return {k: neutral_rule for k in problem.groups}


def wide_ranges(problem: Problem, tables: Mapping[str, Array], grid: Grid, others: Mapping[str, Any], r: Resolution,
                ) -> dict[str, tuple[float, float]]:
    """For every observation the range that holds what any of the restarts does, and a quarter more."""
    out: dict[str, tuple[float, float]] = {}
    restarts = len(next(iter(tables.values()))) if tables else 1
    wanted = [n for n, c in problem.reduction.coordinates.items() if c.role in ("observation", "derived")]
    if not wanted:
        return out
    for i in range(restarts):
        profile = table_profile(problem, {k: t[i] for k, t in tables.items()}, {**neutral_profile(problem, others)})
        made = information_grid(problem, profile, replace(r, observation=2, derived=2), None, keep=grid)  # type: ignore[arg-type]
        for n in wanted:
            low, high = float(made.nodes[n][0]), float(made.nodes[n][-1])
            a, b = out.get(n, (math.inf, -math.inf))
            out[n] = (min(a, low), max(b, high))
    bounded = {n for n in wanted if bounded_action(problem, n)}
    return {n: (a, b) if n in bounded else (a - 0.1 * (b - a), b + 0.1 * (b - a)) for n, (a, b) in out.items()}


def bounded_action(problem: Problem, name: str) -> bool:
    from ..core.site import Decision

    site = problem.dependence.sites.get(problem.reduction.coordinates[name].site or "")
    return isinstance(site, Decision) and site.low is not None and site.high is not None


def observed_finely(problem: Problem, ranges: Mapping[str, tuple[float, float]], r: Resolution) -> Resolution:
    """Enough nodes on every observation to resolve its noise: three a standard deviation."""
    from ..core.site import Random
    from ..lower.evaluate import evaluate
    from ..lower.plans import natural_probe
    from ..primitives.distributions import DISTRIBUTIONS

    needed = 0
    for n, (low, high) in ranges.items():
        c = problem.reduction.coordinates[n]
        site = problem.dependence.sites.get(c.site or "")
        if c.role != "observation" or not isinstance(site, Random) or any(problem.dependence.of(a) for a in site.arguments):
            continue
        world = problem.world(natural_probe(problem), problem.natural, neutral_profile(problem, {}))
        variance = DISTRIBUTIONS[site.distribution].variance(*(evaluate(world, a).data for a in site.arguments))
        slope = float(jnp.max(jnp.abs(evaluate(world, c.slope).data))) if c.slope is not None else 1.0
        noise = math.sqrt(float(jnp.max(variance))) * slope
        if math.isfinite(noise) and noise > 0:
            needed = max(needed, math.ceil(3 * (high - low) / noise))
    return with_observation(r, int(np.clip(needed, 60, max(r.observation, 1200)))) if needed else r


def carried(problem: Problem, group: str, table: np.ndarray, old: Grid, new: Grid) -> Array:
    """A table on another grid: the value at the nearest node, moved along where the first input is what it adds to (its slope kept)."""
    from .tables import ordered_dims

    d = problem.groups[group][0]
    for axis, dim in enumerate(ordered_dims(problem, d)):
        a, b = np.asarray(old.nodes[dim]), np.asarray(new.nodes[dim])
        if a.shape == b.shape and np.array_equal(a, b):
            continue
        table = np.moveaxis(along_axis(np.moveaxis(table, axis, 0), a, b, not d.finite), 0, axis)
    return jnp.asarray(table)


def along_axis(values: np.ndarray, old: np.ndarray, new: np.ndarray, linear: bool) -> np.ndarray:
    """Values at new nodes: on the line through the two nearest old nodes of the side on which no jump lies."""
    nearest = np.abs(new[:, None] - old[None, :]).argmin(1)
    if not linear or len(old) < 4:
        return values[nearest]
    other = np.where((new >= old[nearest]) & (nearest < len(old) - 1) | (nearest == 0), nearest + 1, nearest - 1)
    opposite = np.clip(2 * nearest - other, 0, len(old) - 1)
    shape = (-1,) + (1,) * (values.ndim - 1)
    gap = (new - old[nearest]).reshape(shape)
    slopes = [(values[i] - values[nearest]) / np.where(old[i] == old[nearest], 1.0, old[i] - old[nearest]).reshape(shape)
              for i in (other, opposite)]
    slope = np.where(np.abs(slopes[0]) <= np.abs(slopes[1]) + 1e-300, slopes[0], slopes[1])
    slope = np.where((opposite == nearest).reshape(shape), slopes[0], slope)
    return values[nearest] + slope * gap


def selection(problem: Problem, state: State, keep: int) -> tuple[np.ndarray, list[int]]:
    """The restarts that go on, and how many ended in the same place as each: distinct costs, the best first."""
    costs, movement = np.asarray(state["costs"], float), np.asarray(state["movement"], float)
    order = np.argsort(np.where(np.isfinite(costs), costs, np.inf) if problem.is_team else np.where(
        np.isfinite(movement), np.round(np.log10(movement + 1e-12)), np.inf) * 1e6 + np.nan_to_num(costs), kind="stable")
    chosen: list[int] = []
    counts: list[int] = []
    spread = max(float(np.nanmax(np.abs(costs))), 1e-12)
    for i in order:
        same = [j for j, c in enumerate(chosen) if abs(costs[c] - costs[i]) < 1e-5 * spread]
        if same and not (problem.is_team and not problem.has_finite_decisions and len(chosen) < keep):
            counts[same[0]] += state["merged"][i] if i < len(state["merged"]) else 1
        elif len(chosen) < keep:
            chosen.append(int(i))
            counts.append(state["merged"][i] if i < len(state["merged"]) else 1)
    return np.asarray(chosen, int), counts


# ---------------------------------------------------------------- compiled pieces, one for each problem


def sweeper(problem: Problem, others: Mapping[str, Any], settings: SweepSettings) -> Callable[..., Any]:
    """A compiled chunk of sweeps for all restarts: (grid, tables, stakes, smoothers, temperatures, dampings) ->
    tables, stakes, costs, movement."""
    key = ("sweeper", settings)

    def one(grid: Grid, tables: dict[str, Array], stakes: dict[str, Array], smoothers: dict[str, Array], *pace: Array,
            ) -> tuple[dict[str, Array], dict[str, Array], Array, Array]:
        def body(carry: tuple, at: tuple[Array, Array]) -> tuple[tuple, Array]:
            now, costs, most = carry
            new, costs, most = sweep(problem, grid, now, others, settings, *at, smoothers, costs, most)
            moved = jnp.stack([jnp.mean(jnp.abs(new[k] - now[k])) / (jnp.mean(jnp.abs(now[k])) + 1e-9) for k in now])
            return (new, costs, most), jnp.max(moved)

        held = {**others, **multipliers(problem, stakes)}
        first = {k: finite_costs(problem, grid, tables, held, problem.groups[k][0]) for k in tables
                 if problem.groups[k][0].finite}
        (after, _, stakes), moves = jax.lax.scan(body, (tables, first, stakes), pace)
        held = {**others, **multipliers(problem, stakes)}
        return after, stakes, mean_cost(problem, grid, after, held), moves[-1]

    return cached(problem, key, lambda: jax.jit(lambda grid, tables, stakes, smoothers, *pace: jax.lax.map(
        lambda t: one(grid, t[0], t[1], smoothers, *pace), (tables, stakes))))


def gainer(problem: Problem, others: Mapping[str, Any]) -> Callable[..., Any]:
    """The compiled largest gain of a best reply: (grid, tables) -> cost units."""
    return cached(problem, "gainer", lambda: jax.jit(lambda grid, tables: largest_gain(
        problem, grid, tables, others, SweepSettings())))


def descender(problem: Problem, others: Mapping[str, Any], steps: int) -> Callable[..., Any]:
    """A compiled run of L-BFGS for all restarts, within the decisions' bounds: (grid, tables) -> tables, costs. Tables that carry an
    observation off the grid, where nothing seems to cost anything, are not taken."""
    def within(grid: Grid, tables: Mapping[str, Array]) -> dict[str, Array]:
        return {k: galerkin.clipped(problem, grid, tables, others, k, t) for k, t in tables.items()}

    def one(grid: Grid, tables: dict[str, Array]) -> tuple[dict[str, Array], Array]:
        after, _ = descend(lambda t: mean_cost(problem, grid, within(grid, t), others), tables, steps)
        after = within(grid, after)
        stays = on_grid(problem, grid, after, others) > on_grid(problem, grid, tables, others) - STRAYED
        after = {k: jnp.where(stays, after[k], t) for k, t in tables.items()}
        return after, mean_cost(problem, grid, after, others)

    return cached(problem, ("descender", steps), lambda: jax.jit(lambda grid, tables: jax.lax.map(lambda t: one(grid, t), tables)))


def on_grid(problem: Problem, grid: Grid, tables: Mapping[str, Array], others: Mapping[str, Any]) -> Array:
    """The probability that every observation lies on its grid."""
    world = world_of(problem, grid, tables, others, Relaxation("cells"))  # type: ignore[arg-type]
    seen = tuple(n for n, c in problem.reduction.coordinates.items() if c.role == "observation")
    return contract([constant(1.0), *world.closure(seen)], ()).data


def cached(problem: Problem, key: Any, build: Callable[[], Any]) -> Any:
    """A compiled function kept with the problem, so that chunks share it."""
    name = str(key)
    if name not in problem._cache:
        problem._cache[name] = build()
    return problem._cache[name]
