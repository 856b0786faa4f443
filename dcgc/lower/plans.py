"""Which nodes to use: grids made for a purpose, from the game's structure and a budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from scipy import special

from ..core.expression import Apply, Constant, Expression, Moment, Select, references, walk
from ..core.site import Decision, Others, Random
from ..information.reduction import FINITE_LAWS, Coordinate
from ..primitives.cells import normal_cells, normal_trapezoid, uniform_cells
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.points import sobol_uniform, whitened
from ..primitives.quadrature import gauss_hermite, gauss_legendre
from . import crowds
from .evaluate import evaluate
from .factored import product_dims
from .grid import Axis, Grid, GridBuilder
from .multilinear import multilinear
from .problem import Problem
from .variable import lift
from .world import SMOOTH_ON_THE_LINE, Rule, World

REACH = 8.5  # standard deviations of noise beyond the range of what it blurs


@dataclass(frozen=True)
class Resolution:
    """Nodes a coordinate: of draws that nobody sees, of draws and observations that are decided upon, of derived coordinates.
    ``cells``: equally spaced nodes with cells around them, for jumps and free-form policies, in place of Gauss nodes."""

    hidden: int = 24
    seen: int = 24
    observation: int = 120
    derived: int = 33
    cells: bool = False

    def finer(self, factor: float) -> Resolution:
        return Resolution(*(max(2, round(n * factor)) for n in (self.hidden, self.seen, self.observation, self.derived)),
                          self.cells)

    @property
    def text(self) -> str:
        kind = "cells" if self.cells else "Gauss nodes"
        return f"{self.seen} {kind} a seen draw, {self.hidden} a hidden one, {self.observation} an observation"


def draw_axis(site: Random, n: int, cells: bool) -> Axis:
    """Nodes for one draw, in its base variable."""
    law = DISTRIBUTIONS[site.distribution]
    if getattr(law, "base", None) == "normal":
        rule = (normal_trapezoid(n) if site.distribution in SMOOTH_ON_THE_LINE else normal_cells(n)) if cells and n > 2 \
            else gauss_hermite(n)
    else:
        rule = uniform_cells(n) if cells else gauss_legendre(n)
    return Axis(jnp.asarray(rule.nodes[:, 0]), jnp.asarray(rule.weights), cells)


def finite_axis(size: int) -> Axis:
    return Axis(jnp.arange(float(size)), jnp.ones(size))


def finite_size(problem: Problem, name: str) -> int:
    site = problem.dependence.sites[name]
    if isinstance(site, Decision):
        return site.options
    if isinstance(site, Others):
        return crowds.cases(site)
    assert isinstance(site, Random)
    law = DISTRIBUTIONS[site.distribution]
    probe = World(problem.game, problem.dependence, problem.natural, Grid({}, {}, None, ()), {}, problem.parameters)
    if site.distribution == "Bernoulli":
        return 2
    arguments = [evaluate(probe, a).data for a in site.arguments] if not any(
        problem.dependence.of(a) for a in site.arguments) else []
    if arguments:
        if site.distribution == "Categorical" and jnp.ndim(arguments[0]):
            return int(arguments[0].shape[-1])
        return int(np.asarray(law.support_values(*(np.asarray(a) for a in arguments))).shape[-1])
    rows = site.arguments[-1]
    if isinstance(rows, Select) and isinstance(rows.base, Constant):
        return len(rows.base.value[0])  # type: ignore[arg-type]
    # arguments drawn or decided earlier: only their shape matters
    return int(np.shape(evaluate(problem.world(natural_probe(problem), problem.natural, {}), site.arguments[-1]).data)[-1])


def natural_probe(problem: Problem) -> Grid:
    """One node a draw: enough to learn shapes (vectors have no product of nodes: one sample)."""
    if any(site.shape and not DISTRIBUTIONS[site.distribution].finite for site in problem.game.randoms):
        return sampled_grid(problem, 1, 0, frozenset())
    builder = GridBuilder()
    for site in problem.game.randoms:
        if site.distribution not in FINITE_LAWS and not site.shape:
            builder.axes[site.name] = draw_axis(site, 1, False)
    return builder.grid()


# ---------------------------------------------------------------- natural grids


def natural_dims(problem: Problem, summed: frozenset[str] = frozenset()) -> tuple[int, int, bool]:
    """(continuous, finite points, whether scattered nodes are needed) of the widest expectation in natural coordinates, without those
    of the finite decisions ``summed``."""
    most, points = 0, 1
    vector = problem.loops
    for site in problem.game.randoms:
        if site.axes or site.shape:
            vector = True
    for site in (*problem.game.payments, *problem.game.decisions):
        up = problem.dependence.summed(frozenset({site.name}))
        natures = [n for n, c in problem.natural.coordinates.items() if c.role == "nature" and n in up]
        finite = [n for n, c in problem.natural.coordinates.items() if c.role == "finite" and n in up and n not in summed]
        count = math.prod(finite_size(problem, n) for n in finite) if not vector else 1
        if len(natures) > most or (len(natures) == most and count > points):
            most, points = len(natures), max(points, count)
    return most, points, vector


def natural_grid(problem: Problem, budget: int, seed: int = 0, largest: int = 40, samples: int = 4096,
                 scattered: bool | None = None, summed: frozenset[str] | None = None) -> tuple[Grid, str]:
    """A grid in nature's own coordinates and its description: a product of Gauss rules within ``budget`` points, else scrambled
    Sobol points with matched moments (``summed``: see ``sampled_grid``; on a product grid none by default)."""
    count, points, vector = natural_dims(problem, summed or frozenset())
    n = int((budget / max(points, 1)) ** (1 / max(count, 1))) if points <= budget else 0
    use_samples = vector or (count > 0 and n < 4) or points > budget if scattered is None else scattered or vector
    if use_samples:
        return sampled_grid(problem, samples, seed, summed), f"{samples} scrambled Sobol points, moments matched"
    n = min(n, largest)
    builder = GridBuilder()
    for name, c in problem.natural.coordinates.items():
        site = problem.dependence.sites[name]
        if summed and name in summed:
            continue
        if c.role == "finite":
            builder.axes[name] = finite_axis(finite_size(problem, name))
        else:
            assert isinstance(site, Random)
            cells = problem.has_steps
            builder.axes[name] = draw_axis(site, n * (2 if cells and count <= 2 else 1), cells)
    kind = "cells" if problem.has_steps else "Gauss nodes"
    text = f"{n} {kind} a draw" if count else "exact enumeration"
    return builder.grid(), text


def sampled_grid(problem: Problem, samples: int, seed: int, summed: frozenset[str] | None = None) -> Grid:
    """Scrambled Sobol points in all draws at once; normal base variables have their first two moments matched.

    ``summed``: finite decisions without a coordinate, as their law stands for them (default: those in which payments are linear;
    under a profile also those that are functions: ``determined.without_coordinate``).
    """
    summed = multilinear(problem) if summed is None else summed
    normal: list[tuple[str, tuple[int, ...]]] = []
    uniform: list[tuple[str, tuple[int, ...]]] = []
    slots: list[tuple[str, int, tuple[int, ...]]] = []
    for site in problem.game.randoms:
        law = DISTRIBUTIONS[site.distribution]
        shape = tuple(a.size for a in site.axes) + base_shape(problem, site)
        (normal if getattr(law, "base", "uniform") == "normal" else uniform).append((site.name, shape))
    width = [sum(math.prod(s) for _, s in group) for group in (normal, uniform)]
    # one sequence for all: two scramblings of the same dimensions are not independent of each other
    points = sobol_uniform(samples if sum(width) else 1, sum(width), seed).nodes
    gaussian = special.ndtri(points[:, :width[0]])
    if samples > 2 * width[0]:
        gaussian = whitened(gaussian)
    start = 0
    for name, shape in (*normal, *uniform):
        slots.append((name, start, shape))
        start += math.prod(shape)
    nodes = np.concatenate([gaussian, centred(points[:, width[0]:])], axis=1)
    count = nodes.shape[0]
    finite = [(d.name, d.options) for d in problem.game.decisions if d.enumerable and d.name not in summed]
    return Grid({n: jnp.arange(float(k)) for n, k in finite},
                {"sample": jnp.full(count, 1.0 / count), **{n: jnp.ones(k) for n, k in finite}},
                jnp.asarray(nodes), (("sample", count), *finite), (), frozenset(), tuple(slots))


def centred(uniform: np.ndarray) -> np.ndarray:
    """Uniform points with mean 1/2 and variance 1/12 in every column, up to what the ends allow."""
    if uniform.shape[0] < 16:
        return uniform
    z = (uniform - uniform.mean(0)) / uniform.std(0)
    return np.clip(0.5 + z / math.sqrt(12), 1e-12, 1 - 1e-12)


def base_shape(problem: Problem, site: Random) -> tuple[int, ...]:
    """The shape of a draw's base variables (without members)."""
    law = DISTRIBUTIONS[site.distribution]
    if law.finite:
        return site.shape
    if site.distribution in ("MvNormal", "Dirichlet"):
        event = site.shape[-1]
        return (*site.shape[:-1], event - 1 if site.distribution == "Dirichlet" else event)
    return site.shape


# ---------------------------------------------------------------- grids in information coordinates


def information_grid(problem: Problem, profile: Mapping[str, Rule], resolution: Resolution,
                     ranges: Mapping[str, tuple[float, float]] | None = None,
                     only: Mapping[str, np.ndarray] | None = None, keep: Grid | None = None) -> Grid:
    """A grid in the coordinates of what decisions know, wide enough for what ``profile`` does.

    ``ranges``: for coordinates whose range is wanted otherwise. ``only``: coordinates to have just these nodes. ``keep``: a grid
    on whose nodes the profile's tables live: observations keep them while ranges are taken, and get their ends as nodes in the end.
    """
    reduction = problem.reduction
    seen = {x for i in reduction.information.values() if i is not None for x in i.dims}
    builder = GridBuilder()
    pending: list[Coordinate] = []
    for name, c in reduction.coordinates.items():
        if c.role == "finite":
            builder.axes[name] = finite_axis(finite_size(problem, name))
        elif c.role == "nature":
            site = problem.dependence.sites[name]
            assert isinstance(site, Random)
            if site.shape or site.axes:
                raise Infeasible(f"the draw {name} is a vector")
            n = resolution.seen if name in seen else resolution.hidden
            builder.axes[name] = draw_axis(site, n, resolution.cells)
        else:
            pending.append(c)
    ends: dict[str, Axis] = {}
    order = {s.name: i for i, s in enumerate(problem.game.sites)}
    pending.sort(key=lambda c: max((order[x] for x in problem.dependence.of(c.observed)), default=0))  # type: ignore[arg-type]
    for c in pending:
        if c.role == "event":
            builder.axes[c.name] = Axis(jnp.asarray(c.values), jnp.ones(c.size))
        elif only is not None and c.name in only:
            nodes = jnp.asarray(only[c.name], float)
            builder.axes[c.name] = Axis(nodes, jnp.ones_like(nodes), False)
        else:
            low, high = (ranges or {}).get(c.name) or coordinate_range(problem, profile, builder, c)
            n = resolution.observation if c.role == "observation" else resolution.derived
            nodes = jnp.linspace(low, high, n)
            if keep is not None:
                ends[c.name] = Axis(nodes, jnp.ones(n))
                builder.axes[c.name] = Axis(keep.nodes[c.name], keep.weights[c.name])
                builder.observed.append(c.name)
                continue
            builder.axes[c.name] = Axis(nodes, jnp.full(n, (high - low) / (n - 1)), c.role == "observation" and resolution.cells)
        builder.observed.append(c.name)
    builder.axes.update(ends)
    if only is not None:
        for name, values in only.items():
            if name in builder.axes and name not in builder.observed:
                builder.axes[name] = Axis(jnp.asarray(values, float), jnp.ones(len(values)))
    return builder.grid()


class Infeasible(Exception):
    """A grid that cannot be made, or would be too large."""


def coordinate_range(problem: Problem, profile: Mapping[str, Rule], builder: GridBuilder, c: Coordinate,
                     ) -> tuple[float, float]:
    """An interval that holds practically all of an observation's probability under a profile."""
    world = problem.world(builder.grid(), problem.reduction, profile)
    if c.role == "derived":
        return derived_range(problem, world, c)
    assert c.offset is not None and c.slope is not None and c.site is not None
    offset, slope = evaluate(world, c.offset), evaluate(world, c.slope)
    site = problem.dependence.sites[c.site]
    assert isinstance(site, Random)
    law = DISTRIBUTIONS[site.distribution]
    arguments = [evaluate(world, a) for a in site.arguments]
    extremes = jnp.asarray([-REACH, REACH] if getattr(law, "base", "") == "normal" else [1e-9, 1 - 1e-9])
    values = []
    for extreme in extremes:
        noise = lift(lambda *a, z=extreme: law.transform(z, *a), *arguments)  # type: ignore[attr-defined]
        values.append(np.ravel(lift(lambda o, s, e: o + s * e, offset, slope, noise).data))
    return finite_interval(float(np.min(np.concatenate(values))), float(np.max(np.concatenate(values))))


def derived_range(problem: Problem, world: World, c: Coordinate) -> tuple[float, float]:
    """The range of an action that others see: its bounds if it has both, else wide around what is played."""
    site = problem.dependence.sites.get(c.site or "")
    low, high = -math.inf, math.inf
    if isinstance(site, Decision):
        low, high = (bound(world, site.low, -math.inf, np.min), bound(world, site.high, math.inf, np.max))
        if math.isfinite(low) and math.isfinite(high):
            return low, high
        chosen = np.asarray(world.choice(site.name).data)
    else:
        assert c.observed is not None
        chosen = np.asarray(evaluate(world, c.observed, raw=True).data)
        spread = max(float(np.ptp(chosen)), 1e-3)
        return finite_interval(float(chosen.min()) - 0.1 * spread, float(chosen.max()) + 0.1 * spread)
    width = 2 * max(float(np.ptp(chosen)), abs(float(chosen.max())), abs(float(chosen.min())), 1.0)
    return finite_interval(max(low, float(chosen.min()) - width), min(high, float(chosen.max()) + width))


def bound(world: World, e: Expression | None, default: float, extreme: object) -> float:
    return default if e is None else float(extreme(np.asarray(evaluate(world, e).data)))  # type: ignore[operator]


def finite_interval(low: float, high: float) -> tuple[float, float]:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Infeasible("an observation has no finite range")
    return (low - 0.5, high + 0.5) if high - low < 1e-9 else (low, high)


def widest(problem: Problem, resolution: Resolution, figures: bool = False) -> float:
    """Points of the widest expectation in information coordinates; with ``figures`` also of what the game measures."""
    reduction = problem.reduction
    if not reduction.complete or problem.loops:
        return math.inf
    seen = {x for i in reduction.information.values() if i is not None for x in i.dims}

    def size(c: Coordinate) -> float:
        if c.role == "finite":
            return finite_size(problem, c.name)
        if c.role == "event":
            return c.size
        if c.role == "derived":
            return resolution.derived
        if c.role == "observation":
            return resolution.observation
        site = problem.dependence.sites[c.name]
        if isinstance(site, Random) and (site.shape or site.axes):
            return math.inf
        return resolution.seen if c.name in seen else resolution.hidden

    most = 1.0
    def behind(roots: frozenset[str]) -> frozenset[str]:
        up = problem.dependence.summed(roots)

        def shares(c: Coordinate) -> bool:
            of = problem.dependence.of(c.observed) if c.observed is not None else frozenset()
            return bool(of & up) and (of <= up or not problem.game.crowds)  # what other members see is summed away by itself

        return frozenset(n for n, c in reduction.coordinates.items() if c.site in up or n in up or shares(c))

    def points(names: frozenset[str]) -> float:
        return math.prod(size(reduction.coordinates[n]) for n in names)

    def counted_first(names: frozenset[str], texts: tuple[Expression, ...]) -> float:
        """Numbers of others are summed out where they are paid for, before the laws of what anybody sees come in."""
        counts = frozenset(n for n in names if isinstance(problem.dependence.sites.get(n), Others))
        if not counts:
            return points(names)
        direct = frozenset(x for e in texts for x in references(problem.dependence.inline(e)))
        there = frozenset(n for n in names if n in direct or (c := reduction.coordinates[n]).site in direct or (
            c.role in ("event", "derived") and c.observed is not None and references(c.observed) <= direct))
        return max(points(names - counts), points(counts | there))

    def of(e: Expression, factored: bool = True) -> float:
        names = behind(references(e))
        if not factored or any(reduction.coordinates[n].role != "nature" for n in names):
            return counted_first(names, (e,))
        # independent draws: the factors of a product one by one; many of them are as much work as a few wider ones
        factors = [points(x) for x in product_dims(problem.dependence, e, lambda x: behind(references(x)))]
        return max(max(factors, default=1.0), sum(factors) / 4)

    for site in problem.game.decisions:
        most = max(most, points(behind(frozenset({site.name}))))
    for p in problem.game.payments:
        plain = not p.guards and not p.axes
        most = max(most, of(p.cost) if plain else counted_first(behind(frozenset({p.name})), (p.cost, *p.guards)))
    for e in [*(m.value for m in problem.game.measures), *(p.quantity for p in problem.game.published)] if figures else ():
        for x in walk(e):
            if isinstance(x, Moment):
                most = max(most, *(of(arg if x.given is None else Apply("mul", (arg, x.given)), x.kind == "E") for arg in x.arguments))
    return most
