"""Regrets by player, by the best method that a game allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import minimize

from ..core.site import Decision, Random
from ..information.reduction import Coordinate
from ..lower.determined import without_coordinate
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.plans import Infeasible, Resolution, information_grid, natural_grid, natural_probe
from ..lower.problem import Problem
from ..lower.quiet import unheard
from ..lower.resolve import resolution
from ..lower.signals import SenderGame, sender_game
from ..lower.strategy import BestResponse, Deviator, inputs
from ..lower.variable import Variable
from ..lower.world import World, law_as_value
from ..policies import Affine, Constant
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.relaxations import Relaxation
from .announcements import leader_regret
from .deviation import Deviation
from .figures import Regret
from .joint import joint_gain
from .members import member_regrets
from .plans import best_plan_gain
from .regret import CANDIDATE, decision_regret
from .signal_regrets import signal_regrets
from .signals import plain
from .subgames import subgame_moves, subgame_regrets

GRID = Resolution(hidden=40, seen=320, observation=480, derived=49, cells=True)
SWITCHING = 1200  # nodes of a signal on which a finite decision switches: what is gained or lost between two of them goes unseen
BUDGET = 800_000
TRIALS, LEAST_SAMPLES = 1 << 18, 1024  # samples times constant deviations
TRIALS_AT_ONCE = 1 << 15
SEARCHED = 12  # how many times fewer nodes where each of them is a search: the root of an equation, a maximum
COVERED = 1e-5  # part of the probability at which better acts than those tried do not count
NEGLIGIBLE = 1e-9  # of what is charged, term by term: a bound on a regret below it is rounding
SOFTENED = 0.02  # of the spread of what is compared: the width of a softened step


def player_regrets(problem: Problem, profile: Mapping[str, Any], thorough: bool = False) -> tuple[tuple[Regret, ...], list[str]]:
    """What every player who decides could gain, and remarks on how far this could be said. Whoever announces a policy is judged
    against other announcements, to which the others respond anew."""
    notes: list[str] = []
    left = unheard(problem, profile)
    if left is not None:
        return player_regrets(*left, thorough)
    members = member_regrets(problem, profile)
    if members is not None:
        return members, notes
    order = subgame_moves(problem, profile)
    if order is not None:
        return subgame_regrets(problem, profile, order), notes
    game = sender_game(problem)
    if isinstance(game, SenderGame) and plain(profile):
        return signal_regrets(game, profile), notes
    grid, sharp_grid = judging_grid(problem, profile, thorough)
    interpolated = any(c.role == "derived" for c in problem.reduction.coordinates.values())  # acts that are seen lie between nodes
    rows = []
    for person in problem.people:
        own = [d for d in problem.game.decisions if problem.decider(d) == person]
        if not own:
            continue
        if all(d.name in problem.copied for d in own):
            continue  # its regret is its sister's
        if person in problem.leaders:
            rows.append(leader_regret(problem, profile, person, grid))
            continue
        together = joint_gain(problem, profile, own) if len(own) > 1 or interpolated else None
        known = together is not None and (together.attained or together.gain <= NEGLIGIBLE * together.charged)
        total, worst, exact, method = float("nan"), float("nan"), True, ""
        for d in own if not known or grid is not None else ():  # without a grid nothing is said of inputs that play does not reach
            gain, unreached, sharp, how = one(problem, profile, d, grid)
            total, worst = float(np.fmax(total, gain)), float(np.fmax(worst, unreached))
            exact, method = exact and sharp and math.isfinite(gain), how
        if together is not None and known:
            rows.append(Regret(person.label, together.gain, worst, True, together.method))
            continue
        planned = best_plan_gain(problem, profile, grid, person, own) if len(own) > 1 else None
        if planned is not None:
            total, method = planned, "best plan of all its decisions"
        elif len(own) > 1:
            exact, method = False, method + ", one decision at a time"
        if not sharp_grid and grid is not None:
            exact, method = False, method + ", on a coarse grid"
        rows.append(Regret(person.label, total, worst, exact, method))
    return tuple(rows), notes


def team_regrets(problem: Problem, profile: Mapping[str, Any], rows: tuple[Regret, ...], thorough: bool = False) -> tuple[Regret, ...]:
    """What the members of each team could gain that move together, where all of them minimise the same; ``rows``: regrets of players."""
    out = []
    for name, members in problem.teams.items():
        own = [d for d in problem.game.decisions if problem.decider(d) in members]
        people = list(dict.fromkeys(problem.decider(d) for d in own))
        alone = [r.ex_ante for r in rows if r.player in {p.label for p in people}]
        if len(people) < 2 or not alone or problem.leaders or len({problem.pays(p) for p in people}) > 1:
            continue
        together = joint_gain(problem, profile, own)
        if together is not None and (together.attained or together.gain <= NEGLIGIBLE * together.charged):
            out.append(Regret(name, together.gain, math.nan, True, together.method))
            continue
        planned = best_plan_gain(problem, profile, judging_grid(problem, profile, thorough)[0], people[0], own)
        if planned is not None:
            out.append(Regret(name, planned, math.nan, True, "best plan of all its members' decisions"))
        else:
            out.append(Regret(name, float(np.fmax.reduce(alone)), math.nan, False, "of the members' deviations, one at a time"))
    return tuple(out)


def switches(problem: Problem) -> bool:
    """Whether a finite decision that does not mix knows a draw from a continuum."""
    return any(d.finite and not d.mixed and i is not None and any(problem.reduction.coordinates[x].role == "nature" for x in i.dims)
               for d in problem.game.decisions for i in (problem.reduction.information[d.name],))


def judging_grid(problem: Problem, profile: Mapping[str, Any], thorough: bool) -> tuple[Grid | None, bool]:
    """A grid in information coordinates, wide enough for deviations (None: none is feasible, or Gauss nodes serve better), and
    whether it resolves every noise."""
    fine = resolution(problem, replace(GRID, seen=SWITCHING) if switches(problem) else GRID, BUDGET * (4 if thorough else 1))
    if fine is None:
        return None, True
    try:
        grid = information_grid(problem, profile, fine, widened(problem, profile, fine))
    except Infeasible:
        return None, True
    if adequate(problem, grid, fine):
        return grid, True
    return None if smooth_alone(problem, profile) else grid, False


def widened(problem: Problem, profile: Mapping[str, Any], r: Resolution) -> dict[str, tuple[float, float]]:
    """Observations with a quarter more range on each side, so that deviations stay on the grid."""
    grid = information_grid(problem, profile, replace(r, observation=8))
    out = {}
    for name, c in problem.reduction.coordinates.items():
        if c.role == "observation":
            low, high = float(grid.nodes[name][0]), float(grid.nodes[name][-1])
            out[name] = (low - 0.25 * (high - low), high + 0.25 * (high - low))
    return out


def adequate(problem: Problem, grid: Grid, r: Resolution) -> bool:
    """Whether the grid resolves every noise (two nodes a standard deviation) and what is hidden."""
    seen = {x for i in problem.reduction.information.values() if i is not None for x in i.dims}
    for name, c in problem.reduction.coordinates.items():
        if c.role == "nature" and name not in seen and r.hidden < 26:
            return False
        if c.role != "observation":
            continue
        step = float(grid.nodes[name][1] - grid.nodes[name][0])
        if step > 0.5 * noise_scale(problem, c):
            return False
    return True


def noise_scale(problem: Problem, c: Coordinate) -> float:
    """The standard deviation of the noise in an observation (inf where it is not known beforehand)."""
    site = problem.dependence.sites[c.site or ""]
    if not isinstance(site, Random) or c.slope is None or problem.dependence.of(c.slope) or any(
            problem.dependence.of(a) for a in site.arguments):
        return math.inf
    world = problem.world(natural_probe(problem), problem.natural, {})
    variance = DISTRIBUTIONS[site.distribution].variance(*(evaluate(world, a).data for a in site.arguments))
    return math.sqrt(float(jnp.max(jnp.asarray(variance)))) * float(jnp.max(jnp.abs(evaluate(world, c.slope).data)))


def smooth_alone(problem: Problem, profile: Mapping[str, Any]) -> bool:
    """Whether deviations can be tried on Gauss nodes: no exact best response, no jump."""
    return not problem.has_steps and not any(isinstance(s, BestResponse) for s in profile.values())


def one(problem: Problem, profile: Mapping[str, Any], d: Decision, grid: Grid | None) -> tuple[float, float, bool, str]:
    """(gain, gain at unreached inputs, whether exact, how) of the best deviation at one decision."""
    if grid is not None and problem.reduction.information[d.name] is not None and (d.finite or (d.kind == "real" and not d.shape)):
        r = decision_regret(problem, grid, profile, d)
        approximate = any(problem.reduction.coordinates[x].role == "derived" and problem.reduction.coordinates[x].site is None
                          for x in r.dims)
        if r.cut > COVERED and not any(isinstance(s, BestResponse) for s in profile.values()):
            gain, _, sharp, how = one(problem, profile, d, None)
            if gain >= r.ex_ante:
                return gain, r.unreached, sharp, f"{how}, beyond the grid"
        text = "best reply at every input" + (" that stays on the grid" if r.cut > COVERED else "")
        return r.ex_ante, r.unreached, not approximate and r.cut <= COVERED, text
    if any(isinstance(s, BestResponse) for s in profile.values()):
        return float("nan"), float("nan"), False, "not computed: the grid would be too large"
    if problem.is_lqg and all(isinstance(getattr(s, "policy", None), (Affine, Constant)) for s in profile.values()):
        text = "best affine reply (quadratic costs, Gaussian draws)"
        together = joint_gain(problem, profile, [d])
        if together is not None:
            return together.gain, float("nan"), True, text
        convex = bool(problem.loops or problem.game.constraints)  # of which nothing is known here; else there is no best reply
        return small_deviation(problem, profile, d), float("nan"), convex, text if convex else "an affine reply; there is no best one"
    if d.function is not None:
        return small_deviation(problem, profile, d), float("nan"), False, "best change of the function's coefficients" + (
            ", each quadratic in what is seen" if d.observations else "")
    tried = "best change of one symbol" if d.finite and not d.enumerable else \
        "best constant deviation" if d.finite or d.kind == "simplex" else "best deviation quadratic in what is seen"
    return small_deviation(problem, profile, d), float("nan"), False, tried


def small_deviation(problem: Problem, profile: Mapping[str, Any], d: Decision) -> float:
    """What a deviation in a quadratic family gains, by L-BFGS: a lower bound on the regret.

    On scattered samples a jump has no slope: the way is then sought with softened steps, and what it gains is measured with exact ones.
    """
    if d.finite and not d.enumerable:
        return word_deviation(problem, profile, d)
    if d.finite or d.kind == "simplex":
        return finite_deviation(problem, profile, d)
    fewer = SEARCHED if problem.searches else 1
    grid, _ = natural_grid(problem, 60_000 // fewer, seed=5, largest=16, samples=4096 // fewer, summed=without_coordinate(problem, profile))
    exact = Relaxation("cells" if problem.has_steps else "exact")
    search = Relaxation("sigmoid", temperature=SOFTENED) if problem.has_steps and grid.scattered else exact
    world = problem.world(grid, problem.natural, profile, exact)
    _, reals = inputs(world, d)
    flat = np.asarray(reals.data).reshape(max(1, int(np.prod(reals.data.shape[:-1]))), reals.data.shape[-1])
    location, scale = flat.mean(0), np.where(flat.std(0) > 1e-9, flat.std(0), 1.0)
    width = int(np.prod(d.shape)) if d.shape else 1
    person = problem.decider(d)
    held = untouched(problem, world, d)

    def cost(c: Array, relaxation: Relaxation) -> Array:
        w = problem.world(grid, problem.natural, profile, relaxation)
        rule = held.get(d.name, profile[problem.leader_of[d.name]])
        moved = Deviation(rule, c.reshape(-1, width), jnp.asarray(location), jnp.asarray(scale))
        w.rules = {**w.rules, **held, d.name: Deviator(moved, rule) if d.axes else moved}
        return problem.cost(w, person)

    soft = jax.jit(jax.value_and_grad(lambda c: cost(c, search)))
    sharp = jax.jit(lambda c: cost(c, exact))
    start = np.zeros((1 + 2 * flat.shape[-1]) * width)
    found = minimize(lambda c: tuple(np.asarray(x, float) for x in soft(jnp.asarray(c))), start, jac=True, method="L-BFGS-B",
                     options={"maxiter": 60, "maxfun": 200})
    best = float(sharp(jnp.asarray(found.x)))
    return float(np.maximum(0.0, float(sharp(jnp.asarray(start))) - best)) if math.isfinite(best) else float("nan")


def untouched(problem: Problem, world: World, d: Decision) -> dict[str, Any]:
    """What is decided whatever ``d`` does, and by ``d``'s own policy, as rules that need not be computed again at every step."""
    after = problem.dependence.descendants(d.name)

    def fixed(v: Variable) -> Any:
        return lambda world, site: v

    return {x.name: fixed(world.choice(x.name)) for x in problem.game.decisions if x.name not in after and not x.axes}


def word_deviation(problem: Problem, profile: Mapping[str, Any], d: Decision) -> float:
    """What the best change of one position to one fixed symbol gains, of a message of many words: a lower bound."""
    grid, _ = natural_grid(problem, 60_000, seed=5, largest=16, samples=1024, summed=without_coordinate(problem, profile))
    person = problem.decider(d)
    said = problem.world(grid, problem.natural, profile).choice(d.name)
    length, symbols = d.shape

    @jax.jit
    def cost(position: Array, symbol: Array) -> Array:
        w = problem.world(grid, problem.natural, profile)
        fixed = jnp.where((jnp.arange(length) == position)[:, None], jax.nn.one_hot(symbol, symbols), said.data)
        w.rules = {**w.rules, d.name: lambda world, site: Variable(said.dims, fixed)}
        return problem.cost(w, person)

    base = float(problem.cost(problem.world(grid, problem.natural, profile), person))
    tried = [float(cost(jnp.asarray(k), jnp.asarray(v))) for k in range(length) for v in range(min(symbols, 16))]
    return float(np.maximum(0.0, base - np.nanmin(tried)))


def finite_deviation(problem: Problem, profile: Mapping[str, Any], d: Decision) -> float:
    """What the best constant deviation of a finite decision gains: a lower bound."""
    samples = max(LEAST_SAMPLES, min(4096, TRIALS // d.options))
    grid, _ = natural_grid(problem, 60_000, seed=5, largest=16, samples=samples, summed=without_coordinate(problem, profile))
    world = problem.world(grid, problem.natural, profile)
    person = problem.decider(d)
    base = float(problem.cost(world, person))
    together = 1 if problem.loops else max(1, min(d.options, TRIALS_AT_ONCE // math.prod(grid.sizes.values())))
    options = np.eye(d.options)
    best = base
    for start in range(0, d.options, together):
        law = Variable((CANDIDATE,), jnp.asarray(options[start:start + together])) if together > 1 else \
            Variable((), jnp.asarray(options[start]))
        w = problem.world(grid, problem.natural, profile) if d.axes else \
            world.vary({d.name: law_as_value(d.kind, law)})  # who hears of it answers as ever
        w.rules = {**w.rules, d.name: lambda world, site, law=law: law}
        best = min(best, float(jnp.nanmin(problem.cost(w, person))))
    return base - best
