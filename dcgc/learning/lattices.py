"""Mixed strategies on lattices of acts, for real decisions whose payments jump.

Every real decision becomes a distribution over a lattice of acts at every input (a distributional strategy, Milgrom and Weber 1985), its
act a coordinate of the grid: a jump between two acts is then a fixed matrix, summed out against the others' distributions. All
distributions move at once by magnetic mirror descent (Sokota et al. 2023), whose temperature falls; that such learning finds the
equilibria of auctions is Bichler, Fichtl and Oberlechner 2023. Bids in a gap, or an atom, do not hold it, and whoever must be
unpredictable mixes. What is played on average at every input comes near to an equilibrium, from where Newton's method goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..core.expression import Reference
from ..core.site import Decision
from ..information.reduction import Coordinate, Reduction
from ..lower.evaluate import evaluate
from ..lower.grid import Grid
from ..lower.problem import Problem
from ..lower.strategy import Mixture, mass
from ..lower.variable import Variable
from ..primitives.relaxations import Relaxation
from .sweeps import conditional, mirror_step, own_view
from .tables import as_table, as_variable, ordered_dims

Tables = Mapping[str, Array]
Three = tuple[dict[str, Array], dict[str, Array], dict[str, Array]]
STEP = 0.5  # of mirror descent, over what is at stake
TEMPERATURES = (0.1, 1e-5)  # of what is at stake, at first and in the end
CROWDED = 1e-3  # probability of the outer acts beyond which a lattice is too short
TAIL = 1e-3


@dataclass(frozen=True)
class OnLattices(Problem):
    """The same game with the act of every real decision as a coordinate of its own."""

    @cached_property
    def reduction(self) -> Reduction:
        plain = super().reduction
        acts = {d.name: Coordinate(d.name, "derived", d.name, Reference(d.name)) for d in self.game.decisions}
        return Reduction({**plain.coordinates, **acts}, plain.information, plain.reasons)


def unsuited(problem: Problem) -> str | None:
    """Why a game's structure is none for lattices of acts, or None."""
    if any(d.kind != "real" or d.shape for d in problem.game.decisions):
        return "some decisions are no single reals"
    if problem.is_team:
        return "everybody minimises the same"
    if not problem.has_jumps and not any(d.mixed for d in problem.game.decisions):
        return "no payment jumps with what is decided, and nobody mixes"
    if any(problem.dependence.observers(d.name) for d in problem.game.decisions):
        return "somebody sees what another did"
    if problem.game.constraints or any(p.information is not None for p in problem.game.payments):
        return "there are constraints or priced information"
    return None


def private(problem: Problem, d: Decision) -> tuple[int, ...]:
    """The axes of a decision's table along which nothing changes for anybody but through what it does: its own dice."""
    return tuple(i for i, x in enumerate(ordered_dims(problem, d)) if problem.reduction.coordinates[x].role == "nature" and [
        n for n, parents in problem.dependence.parents.items() if x in parents] == [d.name])


def with_acts(problem: OnLattices, grid: Grid, acts: Mapping[str, Array]) -> Grid:
    """The grid with a lattice for every decision's act, given by group."""
    axes = {d.name: jnp.asarray(acts[k]) for k, ds in problem.groups.items() for d in ds}
    return replace(grid, nodes={**grid.nodes, **axes}, weights={**grid.weights, **{n: jnp.ones(len(a)) for n, a in axes.items()}},
                   shape=(*grid.shape, *((n, len(a)) for n, a in axes.items())), continuous=grid.continuous | set(axes))


def profile(problem: Problem, laws: Tables) -> dict[str, Mixture]:
    """The laws as rules, for each copy of a decision."""
    out = {}
    for k, decisions in problem.groups.items():
        for d in decisions:
            v = as_variable(problem, d, laws[k])
            out[d.name] = Mixture(v.dims, v.data)
    return out


def allowed(problem: OnLattices, grid: Grid, laws: Tables, d: Decision) -> Array:
    """0 where an act lies within the decision's bounds, infinite elsewhere: (*shape of the table, acts)."""
    world = problem.world(grid, problem.reduction, profile(problem, laws), Relaxation("cells"))  # type: ignore[arg-type]
    nodes = grid.nodes[d.name]
    hair = 1e-9 * (nodes[-1] - nodes[0])
    out = jnp.zeros((*(grid.sizes[x] for x in ordered_dims(problem, d)), nodes.shape[0]))
    for e, sign in ((d.low, 1.0), (d.high, -1.0)):
        if e is not None:
            bound = as_table(problem, d, evaluate(world, e), grid)[..., None]
            out = jnp.where(sign * (nodes - bound) < -hair, jnp.inf, out)
    return out


def act_costs(problem: OnLattices, grid: Grid, laws: Tables, k: str) -> Array:
    """The conditional cost of every act at every input."""
    d = problem.groups[k][0]
    world = problem.world(grid, problem.reduction, profile(problem, laws), own_view(problem, d))  # type: ignore[arg-type]
    q = conditional(problem, grid, world, d, None)
    full = Variable(tuple(x for x in q.dims if x != d.name), jnp.moveaxis(q.data, q.dims.index(d.name), -1)) if d.name in q.dims else \
        Variable(q.dims, jnp.broadcast_to(q.data[..., None], (*q.data.shape, grid.sizes[d.name])))
    return as_table(problem, d, full, grid)


def settle(problem: OnLattices, grid: Grid, laws: Tables, rounds: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Laws after ``rounds`` of magnetic mirror descent, from the given ones, and their averages over the second half.

    Steps are optimistic: each counts the last change of the costs once more, which is what converges where somebody must mix.
    """
    barred = {k: allowed(problem, grid, laws, problem.groups[k][0]) for k in laws}
    density = {k: chances(problem, grid, laws, k) for k in laws}

    def body(carry: Three, at: tuple[Array, Array]) -> tuple[Three, None]:
        now, before, mean = carry
        temperature, weight = at
        new, costs = {}, {}
        for k, p in now.items():
            costs[k] = q = act_costs(problem, grid, now, k)
            free = jnp.isfinite(barred[k])
            most, least = (jnp.max(jnp.where(free, q, -jnp.inf), -1), jnp.min(jnp.where(free, q, jnp.inf), -1))
            stakes = jnp.sum((most - least) * density[k])
            new[k] = mirror_step(p, 2 * q - before[k] + barred[k], stakes, STEP, temperature)
        mean = {k: mean[k] + weight * (p - mean[k]) for k, p in new.items()}
        return (new, costs, mean), None

    first, last = TEMPERATURES
    place = jnp.arange(1.0, rounds + 1)
    pace = first * (last / first) ** (place / rounds), jnp.where(place > rounds / 2, 1 / jnp.maximum(place - rounds // 2, 1.0), 1.0)
    now, _, mean = jax.lax.scan(body, (dict(laws), {k: act_costs(problem, grid, laws, k) for k in laws}, dict(laws)), pace)[0]
    return now, mean


def chances(problem: OnLattices, grid: Grid, laws: Tables, k: str) -> Array:
    """The probability of every input of a group's first decision."""
    d = problem.groups[k][0]
    world = problem.world(grid, problem.reduction, profile(problem, laws), Relaxation("cells"))  # type: ignore[arg-type]
    return as_table(problem, d, mass(world, ordered_dims(problem, d)), grid)


def played(problem: OnLattices, grid: Grid, laws: Tables) -> dict[str, Array]:
    """Tables of acts with the same law of acts: along the one signal (or the dice) that a decision knows its quantiles, rising or
    falling as the mean does; the mean at every input where it knows several, or none."""
    out = {}
    for k, p in laws.items():
        d = problem.groups[k][0]
        nodes = grid.nodes[d.name]
        axis = ordering(problem, d)
        out[k] = p @ nodes if axis is None else quantiles(p, chances(problem, grid, laws, k), nodes, axis)
    return out


def ordering(problem: Problem, d: Decision) -> int | None:
    """The axis of the only signal that a decision knows; of its dice, if it knows no signal."""
    roles = [problem.reduction.coordinates[x].role for x in ordered_dims(problem, d)]
    dice = private(problem, d)
    signals = [i for i, r in enumerate(roles) if r in ("nature", "observation") and i not in dice]
    return signals[0] if len(signals) == 1 and not dice else dice[0] if not signals and len(dice) == 1 else None


def quantiles(p: Array, chance: Array, nodes: Array, axis: int) -> Array:
    """The monotone table whose acts have the law that ``p`` (*inputs, acts) has under ``chance`` (*inputs), along one axis."""
    weight = jnp.moveaxis(chance, axis, -1)
    weight = weight / jnp.maximum(jnp.sum(weight, -1, keepdims=True), 1e-300)
    p = jnp.moveaxis(p, axis, -2)
    law = jnp.sum(p * weight[..., None], -2)
    below, at = jnp.cumsum(law, -1) - law / 2, jnp.cumsum(weight, -1) - weight / 2
    mean, place = p @ nodes, jnp.arange(weight.shape[-1])
    centre = jnp.sum(weight * place, -1, keepdims=True)
    rising = jnp.sum(weight * (place - centre) * mean, -1, keepdims=True) >= 0
    at = jnp.where(rising, at, 1 - at)
    shape = at.shape
    flat = jax.vmap(lambda a, b: jnp.interp(a, b, nodes))(at.reshape(-1, shape[-1]), below.reshape(-1, below.shape[-1]))
    return jnp.moveaxis(flat.reshape(shape), -1, axis)


def pooled(problem: OnLattices, grid: Grid, laws: Tables, k: str) -> np.ndarray:
    """How often each act is taken."""
    chance = chances(problem, grid, laws, k)
    return np.asarray(jnp.tensordot(chance / jnp.sum(chance), laws[k], chance.ndim))


def refitted(nodes: np.ndarray, often: np.ndarray, open_ends: tuple[bool, bool]) -> tuple[np.ndarray, bool]:
    """A better lattice for acts taken so often, and whether the old one was too short or far too long: half of its acts evenly spaced,
    half where acts are taken; wider on an open side at whose end somebody stands, shorter where nobody comes near it."""
    count, width = len(nodes), nodes[-1] - nodes[0]
    share = np.cumsum(often) / often.sum()
    low, high = nodes[0], nodes[-1]
    least, most = (nodes[min(int(np.searchsorted(share, p)), count - 1)] for p in (TAIL, 1 - TAIL))
    unfit = False
    if open_ends[0]:
        if often[:2].sum() > CROWDED:
            low, unfit = low - width, True
        elif least - low > 0.5 * width:
            low, unfit = least - 0.3 * (most - least) - 1e-9, True
    if open_ends[1]:
        if often[-2:].sum() > CROWDED:
            high, unfit = high + width, True
        elif high - most > 0.5 * width:
            high, unfit = most + 0.3 * (most - least) + 1e-9, True
    even = np.linspace(low, max(high, low + 1e-9), count)
    if unfit:
        return even, True
    share = np.concatenate([[0.0], share[:-1] + np.diff(share) / 2])
    share = (nodes - low) / width / 2 + share / max(share[-1], 1e-12) / 2
    mixed = np.interp(np.linspace(0.0, 1.0, count), share, nodes)
    mixed[0], mixed[-1] = low, high
    return mixed, False


def carried(law: Array, old: np.ndarray, new: np.ndarray) -> Array:
    """A law on another lattice, a little of it everywhere."""
    count = len(new)
    edges = np.concatenate([[-np.inf], (new[1:] + new[:-1]) / 2, [np.inf]])
    before = np.concatenate([[old[0] - 1e-9], (old[1:] + old[:-1]) / 2, [old[-1] + 1e-9]])
    below = np.concatenate([np.zeros((*law.shape[:-1], 1)), np.cumsum(np.asarray(law), -1)], -1).reshape(-1, len(before))
    p = np.stack([np.diff(np.interp(edges, before, row)) for row in below]).reshape((*law.shape[:-1], count))
    p = np.maximum(p, 0.0) + 1e-6 / count
    return jnp.asarray(p / p.sum(-1, keepdims=True))


def starts(problem: OnLattices, grid: Grid, key: Array, count: int) -> list[dict[str, Array]]:
    """Laws to begin with: every act as likely as any other, then random tilts."""
    out = []
    for r in range(count):
        laws = {}
        for i, (k, ds) in enumerate(problem.groups.items()):
            n = grid.sizes[ds[0].name]
            shape = (*(grid.sizes[x] for x in ordered_dims(problem, ds[0])), n)
            tilt = 3.0 * jax.random.normal(jax.random.fold_in(key, 97 * r + i)) if r else 0.0
            laws[k] = jnp.broadcast_to(jax.nn.softmax(tilt * jnp.linspace(-1.0, 1.0, n)), shape)
        out.append(laws)
    return out
