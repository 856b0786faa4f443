"""The scorecard: every figure of a profile on the original game, with its error, its regrets and the published values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.expression import Account
from ..core.site import Constraint, Published
from ..lower.determined import determined, without_coordinate
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.plans import Infeasible, Resolution, information_grid, natural_dims, natural_grid, sampled_grid
from ..lower.problem import Problem
from ..lower.quiet import unheard
from ..lower.resolve import resolution
from ..lower.signals import SenderGame, sender_game
from ..lower.strategy import BestResponse, Strategy
from ..lower.variable import lift
from ..lower.world import World
from ..policies.lattice import Lattice
from ..policies.piecewise import Piecewise
from ..primitives.relaxations import Relaxation
from .announcements import margins
from .curves import curve
from .equations import equation_alarms
from .expectations import Reader
from .figures import Comparison, Curve, Figure, Scorecard
from .functions import policy_function
from .intervals import interval_alarms
from .ledger import ledgers
from .members import member_figures
from .regrets import judging_grid, player_regrets, team_regrets
from .signals import plain

DENSE = Resolution(hidden=200, seen=2400, observation=1200, derived=65, cells=True)
BUDGET = 2_500_000
SAMPLES, SCRAMBLES, DRAWN = 1 << 14, 8, 1 << 22
CELLS = 20_000  # of the type of a sender
SEARCHED = 50  # how many times fewer nodes where each of them is a search: the root of an equation, a maximum


@dataclass(frozen=True)
class Ground:
    """Where figures are read: two worlds, the finer second, whose difference bounds the error; or several random ones."""

    worlds: Callable[[], list[World]]
    method: str
    random: bool
    count: int = 2


def score(problem: Problem, profile: Mapping[str, Any], thorough: bool = False,
          alternatives: Sequence[Mapping[str, Any]] = ()) -> Scorecard:
    """Costs, payoffs and measures with their errors, regrets, comparisons and curves of a profile.

    Nothing is taken from training: expectations are computed anew on a denser grid, jumps exactly. A known value that this profile
    misses holds if one of the ``alternatives`` (other equilibria) meets it.
    """
    if problem.game.block is not None:
        from .stage_scoring import score_stages

        return score_stages(problem, profile, thorough)
    ground = choose_ground(problem, profile, thorough)
    worlds = ground.worlds()
    readers = [Reader(problem, w, ruler(problem, profile)) for w in worlds]
    figures: dict[str, Figure] = {}
    for label, e in accounts(problem):
        figures[label] = figure(label, [r.account(e) for r in readers], ground)
    figures |= unheard_accounts(problem, profile, thorough)
    for label, values in member_figures(problem, worlds):
        figures[label] = figure(label, values, ground)
    for m in problem.game.measures:
        add_measure(figures, m.name, [r.number(m.value) for r in readers], ground)
    comparisons = tuple(compare(problem, p, readers, ground) for p in problem.game.published if p.active)
    comparisons = elsewhere(problem, comparisons, alternatives, thorough)
    regrets, notes = player_regrets(problem, profile, thorough)
    regrets += team_regrets(problem, profile, regrets, thorough)
    alarms = list(notes)
    alarms += [f"{c.label} = {float(c.found):.6g} lies beyond the published bound {c.relation} {c.published:.6g}: one of them is wrong"
               for c in comparisons if c.verdict == "violated"]
    alarms += [f"{f.label} is not a finite number" for f in figures.values() if not math.isfinite(f.value)]
    alarms += [f"what {r.player} could gain by another announcement is not known: {r.method.removeprefix('not computed: ')}"
               for r in regrets if math.isnan(r.ex_ante) and r.player in {p.label for p in problem.leaders}]
    alarms += equation_alarms(problem, worlds if ground.random else worlds[-1:])
    alarms += interval_alarms(problem, worlds if ground.random else worlds[-1:])
    channels = ledgers(problem, worlds, lambda label, values: figure(label, values, ground))
    alarms += [f"the budget of {c.name} is exceeded: {c.rate.value:.6g} of {c.budget:g} bits" for c in channels
               if c.violated > max(c.rate.error, 0.01 * c.budget)]
    alarms += [f"the constraint {k.label} is violated by {v:.3g}" for k, v in excesses(problem, worlds[-1])]
    curves: list[Curve] = [c for p in problem.game.plots for c in [curve(problem, worlds[-1], p)] if c is not None]
    favours = margins(problem, profile, judging_grid(problem, profile, thorough)[0]) if problem.leaders else ()
    return Scorecard(figures, regrets, comparisons, tuple(curves), tuple(alarms), ground.method, channels, favours)


def unheard_accounts(problem: Problem, profile: Mapping[str, Any], thorough: bool) -> dict[str, Figure]:
    """What everybody pays in a large family in which nobody listens, of the game without its messages: exact where that has a grid."""
    left = unheard(problem, profile)
    if left is None:
        return {}
    ground = choose_ground(*left, thorough)
    readers = [Reader(left[0], w, ruler(*left)) for w in ground.worlds()]
    return {label: figure(label, [r.account(e) for r in readers], ground) for label, e in accounts(problem)}


def excesses(problem: Problem, world: World) -> list[tuple[Constraint, float]]:
    """Constraints (but for budgets, which the ledger has) that do not hold, and by how much."""
    out = []
    for c in problem.game.constraints:
        if any(c.name == x.name for x in problem.game.channels):
            continue
        by = float(problem.excess(world, c))
        size = float(world.expectation(lift(abs, evaluate(world, c.excess))).data) if not c.axes else 1.0
        if (abs(by) if c.equality else by) > 1e-3 * max(size, 1e-9):
            out.append((c, by))
    return out


def elsewhere(problem: Problem, comparisons: tuple[Comparison, ...], alternatives: Sequence[Mapping[str, Any]],
              thorough: bool) -> tuple[Comparison, ...]:
    """Known values that this profile misses, where another equilibrium meets all of them at once."""
    missed = [c for c in comparisons if c.verdict == "missed"]
    if not missed:
        return comparisons
    published = [p for p in problem.game.published if p.active]
    for profile in alternatives:
        ground = choose_ground(problem, profile, thorough)
        readers = [Reader(problem, w, ruler(problem, profile)) for w in ground.worlds()]
        there = tuple(compare(problem, p, readers, ground) for p in published)
        if all(c.verdict != "missed" for c in there):
            return tuple(replace(new, verdict="met by another equilibrium") if old.verdict == "missed" else old
                         for old, new in zip(comparisons, there, strict=True))
    return comparisons


def ruler(problem: Problem, profile: Mapping[str, Any]) -> Callable[[str, int | None, tuple[Any, ...]], Any]:
    def rule(decision: str, member: int | None, values: tuple[Any, ...]) -> Any:
        name = decision if member is None else f"{decision}[{member + 1}]"
        return policy_function(problem, profile, name)(*values)

    return rule


def accounts(problem: Problem) -> list[tuple[str, Account]]:
    """All accounts, by label: costs, and payoffs under that name, of players, members and teams."""
    out = []
    who: list[tuple[str, str, int | None]] = [(p.label, p.name, p.member) for p in problem.people]
    who += [(name, name, None) for name in problem.teams]
    for label, name, member in who:
        for kind in ("cost", "payoff"):
            out.append((f"{kind}({label})", Account(kind, name, member)))
    return out


def smooth(problem: Problem, profile: Mapping[str, Any]) -> bool:
    """Whether Gauss rules are sharp: no comparison in the game, no policy with kinks or jumps along what nature draws."""
    continuous = {x for x, c in problem.natural.coordinates.items() if c.role == "nature"}
    chance = {problem.leader_of[d.name] for d in problem.game.decisions if problem.dependence.ancestors[d.name] & continuous}
    kinked = any(not isinstance(s, Strategy) or isinstance(s.policy, (Lattice, Piecewise)) or s.hard
                 for k, s in profile.items() if k in chance)
    bounded = any(d.kind == "real" and (d.low is not None or d.high is not None) and problem.leader_of[d.name] in chance
                  and any(o.size is None for o in d.observations) for d in problem.game.decisions)
    return not problem.has_steps and not kinked and not bounded


def choose_ground(problem: Problem, profile: Mapping[str, Any], thorough: bool) -> Ground:
    """Enumeration or Gauss rules where everything is smooth and small, cells in information coordinates where not, else samples."""
    exact_replies = any(isinstance(s, BestResponse) for s in profile.values())
    continuous, points, vector = natural_dims(problem)
    if problem.loops and not problem.game.randoms and not exact_replies:
        return Ground(lambda: [sampled(problem, profile, 0)], "exact enumeration", False, 1)
    if not exact_replies and not vector and (continuous == 0 or smooth(problem, profile)):
        budget = BUDGET // (SEARCHED if problem.searches else 1)
        if continuous == 0 and points <= BUDGET:
            return Ground(lambda: [natural(problem, profile, BUDGET, 2)], "exact enumeration", False, 1)
        functions = determined(problem, profile)
        if continuous == 0 and natural_dims(problem, functions)[1] <= BUDGET:
            return Ground(lambda: [natural(problem, profile, BUDGET, 2, functions)], "exact enumeration", False, 1)
        if continuous <= 5 and points * (6 if problem.searches else 8) ** continuous <= budget:
            low, high = gauss_sizes(continuous, points, budget)
            text = f"Gauss quadrature, {high} nodes a draw"
            return Ground(lambda: [natural(problem, profile, points * n**continuous, n) for n in (low, high)], text, False)
    signals = sender_game(problem)
    if isinstance(signals, SenderGame) and signals.draw is not None and plain(profile):
        text = f"quadrature, {CELLS} cells of {signals.draw}"
        return Ground(lambda: [signals.played(profile, n) for n in (CELLS // 2, CELLS)], text, False)
    fine = resolution(problem, DENSE, BUDGET * (4 if thorough else 1), figures=True)
    if fine is not None and problem.reduction.complete:
        try:
            grids = [information_grid(problem, profile, r) for r in (fine.finer(0.5), fine)]
            return Ground(lambda: [information(problem, profile, g) for g in grids],
                          f"quadrature in information coordinates, {fine.text}", False)
        except Infeasible:
            pass
    if not exact_replies and not vector and 1 <= continuous <= 3:
        size = int((BUDGET / max(points, 1)) ** (1 / max(continuous, 1)))
        return Ground(lambda: [natural(problem, profile, points * n**continuous, n) for n in (size // 2, size)],
                      f"quadrature, {size} cells a draw", False)
    return Ground(lambda: [sampled(problem, profile, seed) for seed in range(SCRAMBLES)],
                  f"{SCRAMBLES} x {SAMPLES} scrambled Sobol points, 95% interval", True, SCRAMBLES)


def gauss_sizes(continuous: int, points: int, budget: int) -> tuple[int, int]:
    high = int(min(64, (budget / points) ** (1 / continuous)))
    return max(3, int(0.7 * high)), high


def natural(problem: Problem, profile: Mapping[str, Any], budget: int, largest: int, functions: frozenset[str] | None = None) -> World:
    grid, _ = natural_grid(problem, max(budget, 1), largest=largest, scattered=False, summed=functions)
    return problem.world(grid, problem.natural, profile, Relaxation("cells" if problem.has_steps else "exact"))


def information(problem: Problem, profile: Mapping[str, Any], grid: Grid) -> World:
    return problem.world(grid, problem.reduction, profile, Relaxation("cells"))


def sampled(problem: Problem, profile: Mapping[str, Any], seed: int) -> World:
    drawn = sum(math.prod(a.size for a in r.axes) for r in problem.game.randoms)
    samples = SAMPLES if drawn <= DRAWN // SAMPLES else max(1024, DRAWN // drawn)  # of thousands of members fewer each
    grid = sampled_grid(problem, samples, 1000 + seed, without_coordinate(problem, profile))
    return problem.world(grid, problem.natural, profile, Relaxation("exact"))


def figure(label: str, values: list[np.ndarray], ground: Ground, unseen: float = 0.0) -> Figure:
    """A number with its error: the change from the coarser grid to the finer, or 95% of the spread among scrambles; and what of the error
    the values do not show."""
    numbers = np.asarray([float(np.asarray(v)) for v in values])
    if ground.random:
        half = 2.36 * float(numbers.std(ddof=1)) / math.sqrt(len(numbers))  # t with 7 degrees of freedom
        return Figure(label, float(numbers.mean()), half + unseen, ground.method)
    error = abs(float(numbers[-1] - numbers[0])) if len(numbers) > 1 else 0.0
    rounding = 1e-15 * max(1.0, abs(float(numbers[-1])))
    return Figure(label, float(numbers[-1]), error + rounding + unseen, ground.method)


def add_measure(figures: dict[str, Figure], name: str, values: list[np.ndarray], ground: Ground, unseen: np.ndarray | None = None) -> None:
    """A measure; an array entry by entry, numbered from 1. ``unseen``: errors of the entries that the values do not show."""
    more = np.zeros(values[0].shape) if unseen is None else unseen
    if values[0].ndim == 0:
        figures[name] = figure(name, values, ground, float(more))
        return
    for index in np.ndindex(values[0].shape):
        label = f"{name}[{', '.join(str(i + 1) for i in index)}]"
        figures[label] = figure(label, [v[index] for v in values], ground, float(more[index]))


def compare(problem: Problem, p: Published, readers: Sequence[Reader], ground: Ground, unseen: float = 0.0) -> Comparison:
    """A published figure beside ours. ``unseen``: an error of ours that the readings do not show."""
    found = figure(p.label, [r.number(p.quantity) for r in readers], ground, unseen)
    published = float(readers[-1].number(p.value))
    tolerance = p.tolerance * abs(published) if p.relative and published != 0 else p.tolerance
    lower_is_better = not p.label.strip().startswith("payoff")
    gain = (published - found.value) if lower_is_better else (found.value - published)
    if not math.isfinite(found.value):
        verdict = "absent"
    elif p.kind == "known":
        verdict = "met" if abs(found.value - published) <= tolerance else "missed"
    elif p.kind == "record":
        verdict = "beaten" if gain > found.error else "met" if gain >= -tolerance else "not reached"
    else:
        beyond = published - found.value if p.relation == ">=" else found.value - published
        verdict = "violated" if beyond > found.error + 1e-12 * abs(published) else "holds"
    return Comparison(p.kind, p.label, published, p.relation, found, p.tolerance, p.relative, verdict, p.reference, p.span)

