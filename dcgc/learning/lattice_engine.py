"""Games whose payments jump with real acts: mixed strategies on lattices of acts, then free-form policies by Newton's method.

See ``lattices.py`` and ``galerkin.py``. The lattice of each decision is fitted to where its acts are taken while the laws settle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Expression, references
from ..core.site import Decision
from ..lower.factored import product_dims
from ..lower.grid import Grid
from ..lower.plans import Infeasible, Resolution, finite_size, information_grid
from ..lower.problem import Problem
from ..lower.world import World
from ..primitives.relaxations import Relaxation
from . import galerkin
from .engine import Engine, Found, State
from .lattices import TEMPERATURES, OnLattices, carried, played, pooled, refitted, settle, starts, unsuited, with_acts
from .refusals import off_the_grid
from .settings import Progress, Reporter, Settings
from .starting import neutral_rule
from .sweep_engine import JUMP, cached, gainer
from .sweeps import SweepSettings, mean_cost, replies, smoother, world_of
from .tables import ordered_dims, to_strategy

SIGNALS, ACTS = 120, 241
BUDGET = 3_000_000  # points of the widest product
STARTS = 2
FITTING, ROUNDS = 400, 3000  # rounds between two fits of the lattice, and in the end
FITS = 24
ALIKE = 0.02  # of the sum of costs: starts that differ by less ended in one place
COEFFICIENTS = (17, 33)
REPAIRS = (0.7, 0.5, 0.3, 0.2, 0.1, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)  # of the largest gain at any input: which inputs are repaired
SMOOTH = 0.06  # of all nodes of a signal: what lattices leave rough


class LatticeEngine(Engine):
    """See the module. The state has the lattices and the laws of all starts, then tables."""

    name = "lattices"
    title = "laws on lattices of acts, refined as free-form policies"
    settles = True

    def refuses(self, problem: Problem) -> str | None:
        why = off_the_grid(problem) or unsuited(problem)
        if why is not None:
            return why
        if layout(problem) is None:
            return "lattices of acts for all that a payment depends on would be too large"
        return None

    def way(self, problem: Problem) -> str:
        return (f"summed out against the others' laws on lattices of acts, annealed to a temperature of {TEMPERATURES[1]:g} of what is at "
                "stake, then integrated over cells; no temperature at the end")

    def relaxed_world(self, problem: Problem, settings: Settings, state: State, profile: dict[str, Any]) -> World | None:
        return problem.world(small_grid(problem, state["signals"]), problem.reduction, profile, Relaxation("cells"))

    # ------------------------------------------------------------ the state machine

    def start(self, problem: Problem, settings: Settings) -> State:
        chosen = layout(problem)
        assert chosen is not None
        signals, acts = chosen
        ranges = {k: first_range(problem, ds[0]) for k, ds in problem.groups.items()}
        lattices = {k: jnp.linspace(*r, acts) for k, r in ranges.items()}
        lifted = lifted_problem(problem)
        grid = with_acts(lifted, small_grid(problem, signals), lattices)
        laws = starts(lifted, grid, jax.random.key(settings.seed), settings.restarts or STARTS)
        return {"done": False, "signals": signals, "lattices": [lattices] * len(laws), "laws": laws, "next": 0, "fits": 0, "tables": [],
                "costs": [], "gains": []}

    def advance(self, problem: Problem, settings: Settings, state: State, report: Reporter) -> State:
        """One fit of the lattices of one start; in the last all rounds, and Newton's method."""
        r, fits = state["next"], state["fits"]
        lifted, small = lifted_problem(problem), small_grid(problem, state["signals"])
        lattices, laws = state["lattices"][r], state["laws"][r]
        grid = with_acts(lifted, small, lattices)
        last = fits >= FITS
        laws, average = settler(lifted, ROUNDS if last else FITTING)(grid, laws)
        if not last:
            new, unfit = {}, False
            for k, ds in problem.groups.items():
                open_ends = (ds[0].low is None, ds[0].high is None)
                new[k], wrong = refitted(np.asarray(lattices[k]), pooled(lifted, grid, laws, k), open_ends)
                unfit |= wrong
            laws = {k: carried(p, np.asarray(lattices[k]), new[k]) for k, p in laws.items()}
            lattices = {k: jnp.asarray(x) for k, x in new.items()}
            return {**state, "fits": fits + 1 if unfit else FITS, "lattices": replaced(state["lattices"], r, lattices),
                    "laws": replaced(state["laws"], r, laws)}
        tables, gain = polished(problem, small, [played(lifted, grid, x) for x in (laws, average)])
        cost = float(mean_cost(problem, small, tables, {}))
        total = len(state["laws"])
        report(Progress(self.name, f"start {r + 1}, {len(next(iter(lattices.values())))} acts, {state['signals']} cells a signal, a "
                        f"deviation gains {gain:.1e}", r + 1, total, cost))
        return {**state, "laws": replaced(state["laws"], r, laws), "next": r + 1, "fits": 0, "done": r + 1 >= total,
                "tables": [*state["tables"], tables], "costs": [*state["costs"], cost], "gains": [*state["gains"], gain]}

    def harvest(self, problem: Problem, settings: Settings, state: State) -> list[Found]:
        small = small_grid(problem, state["signals"])
        rows = list(zip(state["tables"], state["costs"], state["gains"], strict=True))
        if not rows:
            lifted = lifted_problem(problem)
            tables = played(lifted, with_acts(lifted, small, state["lattices"][0]), state["laws"][0])
            rows = [(tables, float(mean_cost(problem, small, tables, {})), float("inf"))]
        found: list[tuple[float, Found]] = []
        for tables, cost, _ in sorted(rows, key=lambda x: x[2]):
            same = [i for i, (c, _) in enumerate(found) if abs(c - cost) < ALIKE * max(abs(c), 1e-9)]
            if same:
                c, f = found[same[0]]
                found[same[0]] = (c, Found(f.profile, f.starts + 1))
                continue
            world = world_of(problem, small, tables, {}, Relaxation("cells"))
            profile: dict[str, Any] = {k: to_strategy(problem, world, ds[0], np.asarray(tables[k]), False, ds[0].mixed, JUMP)
                                       for k, ds in problem.groups.items()}
            found.append((cost, Found(profile, 1)))
        return [f for _, f in found]


def replaced(items: list[Any], at: int, new: Any) -> list[Any]:
    return [new if i == at else x for i, x in enumerate(items)]


def lifted_problem(problem: Problem) -> OnLattices:
    """The game on lattices, made once."""
    return cached(problem, "on lattices", lambda: OnLattices(problem.source, problem.game, problem.parameters))  # type: ignore[no-any-return]


def settler(lifted: OnLattices, rounds: int) -> Any:
    return cached(lifted, ("settle", rounds), lambda: jax.jit(lambda grid, laws: settle(lifted, grid, laws, rounds)))


def small_grid(problem: Problem, signals: int) -> Grid:
    """Cells of what is seen and of what is hidden."""
    r = Resolution(hidden=min(signals, 80), seen=signals, observation=signals, cells=True)
    return information_grid(problem, {k: neutral_rule for k in problem.groups}, r)


def layout(problem: Problem) -> tuple[int, int] | None:
    """(cells of a signal, acts of a lattice) such that every product in a payment fits; None if the coarsest do not."""
    def names(e: Expression) -> frozenset[str]:
        mentioned = references(problem.dependence.inline(e))
        return frozenset(mentioned).union(*(problem.reduction.information[n].dims for n in mentioned  # type: ignore[union-attr]
                                            if isinstance(problem.dependence.sites[n], Decision) and len(mentioned) == 1), frozenset())

    for signals, acts in ((SIGNALS, ACTS), (SIGNALS, 121), (60, 81), (32, 49)):
        def size(n: str, signals: int = signals, acts: int = acts) -> int:
            site = problem.dependence.sites.get(n)
            c = problem.reduction.coordinates.get(n)
            return acts if isinstance(site, Decision) else finite_size(problem, n) if c is not None and c.role == "finite" else signals

        widest = max(float(np.prod([size(n) for n in dims], dtype=float)) for p in problem.game.payments
                     for dims in product_dims(problem.dependence, p.cost, names))
        tables = max(float(np.prod([size(n) for n in ordered_dims(problem, ds[0])], dtype=float)) * acts for ds in problem.groups.values())
        if max(widest, tables) <= BUDGET:
            try:
                small_grid(problem, signals)
            except Infeasible:
                return None
            return signals, acts
    return None


def first_range(problem: Problem, d: Decision) -> tuple[float, float]:
    """Where the acts of a decision lie at first: between its bounds, where they are open within 1 of the other, or of 0."""
    from .starting import bounds

    world = problem.world(small_grid(problem, 16), problem.reduction, {k: neutral_rule for k in problem.groups})
    low, high = bounds(world, d)
    low = low if np.isfinite(low) else min(-1.0, high - 1.0)
    return low, high if np.isfinite(high) else max(low + 1.0, 1.0)


def polished(problem: Problem, grid: Grid, candidates: list[dict[str, Array]]) -> tuple[dict[str, Array], float]:
    """One of the candidates, as it is or smoothed, or the root of the projected first-order conditions near it: whichever a deviation
    gains least from."""
    gain = gainer(problem, {})
    both = [*candidates, *(smoothed(problem, grid, t) for t in candidates)]
    best = min(((float(gain(grid, t)), i, t) for i, t in enumerate(both)), key=lambda x: x[:2])
    for count in COEFFICIENTS:
        for degree in (1, 2):
            found, _ = galerkin.solve(problem, grid, best[2], {}, count, degree)
            after = float(gain(grid, found))
            if after < best[0]:
                best = (after, 2, found)
    return repaired(problem, grid, best[2], best[0])


def repaired(problem: Problem, grid: Grid, tables: dict[str, Array], gained: float) -> tuple[dict[str, Array], float]:
    """The tables with best replies put in where these gain most, as long as that leaves less to gain: the ends of a gap fall where
    somebody is indifferent, on the node."""
    gain = gainer(problem, {})
    answers = cached(problem, "replies", lambda: jax.jit(lambda grid, tables: {
        k: replies(problem, grid, tables, {}, problem.groups[k][0], SweepSettings())[:2] for k in tables}))
    for part in REPAIRS:
        found = {}
        for k, (reply, gains) in answers(grid, tables).items():
            found[k] = jnp.where(gains > part * jnp.max(gains), reply, tables[k])
        after = float(gain(grid, found))
        if after < gained:
            tables, gained = found, after
    return tables, gained


def smoothed(problem: Problem, grid: Grid, tables: Mapping[str, Array]) -> dict[str, Array]:
    """Local quadratics through the tables, within the bounds."""
    out = {}
    for k, t in tables.items():
        for axis, dim in enumerate(ordered_dims(problem, problem.groups[k][0])):
            if dim in grid.continuous:
                t = jnp.moveaxis(jnp.tensordot(smoother(grid.nodes[dim], SMOOTH), t, (1, axis)), 0, axis)
        out[k] = galerkin.clipped(problem, grid, tables, {}, k, t)
    return out
