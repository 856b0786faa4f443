"""A game on a grid: every site's value as a random variable, every expectation as a contraction.

A ``World`` is made anew in each trace. It evaluates sites on demand (an observation that serves as a coordinate is known before
the noise in it), keeps one factor for each coordinate (its probability weights, or the density by which it replaced a noise) and
contracts. Nothing here knows a particular game.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import jax.scipy.special
from jax import Array

from ..core import expression as core
from ..core.site import Decision, Game, Let, Others, Payment, Random, Site
from ..information.dependence import Dependence
from ..information.reduction import Coordinate, Reduction
from ..primitives.distributions import DISTRIBUTIONS
from ..primitives.relaxations import Relaxation
from . import crowds
from .evaluate import evaluate, step
from .grid import Grid, cell_weights, interpolation_weights
from .variable import Variable, along, contract, dim_to_own, lift, own_to_dim, union, whole

Rule = Callable[["World", Decision], Variable]


@runtime_checkable
class Numbering(Protocol):
    """A rule that can name the option it takes without a vector of all of them."""

    def option(self, world: World, d: Decision) -> Variable: ...


TREMBLE = 1e-9
AS_TREMBLED = "?"  # suffix under which a factor with everybody's small errors is kept
TREMBLING = "~"  # prefix of the coordinate along which a decision errs


@dataclass
class World:
    """``rules``: for every decision its policy, as a function from the world to what the policy chooses: a value, or for a finite
    decision the probabilities of its options (last own axis). ``overrides``: values of decisions that replace it.
    ``trembles``: real decisions that err a little, so that what follows them is judged off the path, too.
    ``stopped``: sites through whose value (of a finite decision: through whose probabilities) no gradient goes back.
    ``base``: the world of which this one is a variation.
    ``parameters``: the game's parameters as arrays."""

    game: Game
    dependence: Dependence
    reduction: Reduction
    grid: Grid
    rules: Mapping[str, Rule]
    parameters: Mapping[str, Array]
    relaxation: Relaxation = field(default_factory=Relaxation)
    stopped: frozenset[str] = frozenset()
    overrides: Mapping[str, Variable] = field(default_factory=dict)
    trembles: frozenset[str] = frozenset()
    axes: tuple[str, ...] = ()
    unknowns: Mapping[str, Variable] = field(default_factory=dict)  # of the equation that is being solved
    base: World | None = None
    _values: dict[str, Variable] = field(default_factory=dict)
    _choices: dict[str, Variable] = field(default_factory=dict)
    _factors: dict[str, Variable] = field(default_factory=dict)

    def vary(self, overrides: Mapping[str, Variable], relaxation: Relaxation | None = None) -> World:
        """The same world but for some decisions' values (their policies are not asked) or the relaxation. What does not depend on
        them is kept: inside a scan XLA would not find out by itself."""
        moved = frozenset(overrides).union(*(self.dependence.descendants(n) for n in overrides))
        for c in self.reduction.coordinates.values():  # a noise that its observation replaced is worked out from what it blurs
            if c.role == "observation" and c.site is not None and c.observed is not None and \
                    self.dependence.of(c.observed) & moved:
                moved |= {c.site} | self.dependence.descendants(c.site)
        same = relaxation is None or relaxation == self.relaxation

        def kept(table: Mapping[str, Variable], fixed: Callable[[str], bool]) -> dict[str, Variable]:
            return {k: v for k, v in table.items() if fixed(k)} if same else {}

        return replace(self, overrides={**self.overrides, **overrides}, relaxation=relaxation or self.relaxation,
                       base=self.base or self, _values=kept(self._values, lambda n: n not in moved),
                       _choices=kept(self._choices, lambda n: n not in moved),
                       _factors=kept(self._factors, lambda dim: not self.touched(dim) & moved))

    def unstopped(self) -> World:
        """The same world with every route open."""
        if not self.stopped:
            return self
        base = None if self.base is None else self.base.unstopped()
        return replace(self, stopped=frozenset(), base=base, _values={}, _choices={}, _factors={})

    def touched(self, dim: str) -> frozenset[str]:
        """The sites on which the factor of a coordinate depends."""
        c = self.reduction.coordinates.get(dim.removesuffix(AS_TREMBLED))
        if c is None:
            return frozenset()
        up = self.dependence.of(c.observed) if c.observed is not None else frozenset()
        return up | ({c.site} | self.dependence.ancestors[c.site] if c.site is not None else frozenset())

    # ------------------------------------------------------------ values

    def value(self, name: str) -> Variable:
        """The value of a site: for a finite decision with a coordinate, its options along that coordinate."""
        if name not in self._values:
            value = self._where_it_exists(name, self._site_value(name))
            self._values[name] = held_fixed(value) if name in self.stopped else value
        return self._values[name]

    def _where_it_exists(self, name: str, value: Variable) -> Variable:
        """What stands in a ``when`` is blank (0) where its condition does not hold."""
        site = self.dependence.sites[name]
        for guard in site.guards:
            def blank(site: Site = site, guard: core.Expression = guard, value: Variable = value) -> Variable:
                inner = value
                for axis in site.axes:
                    inner = own_to_dim(inner, 0, axis.name)
                holds = evaluate(self, guard, raw=True)
                holds = Variable(holds.dims, holds.data.reshape(holds.data.shape + (1,) * len(inner.own)))
                return lift(lambda x, g: jnp.where(g == 0, 0.0, x * g), inner, holds)

            value = self.loop(site, blank)
        return value

    def _site_value(self, name: str) -> Variable:
        site = self.dependence.sites[name]
        if name in self.overrides:
            return self.overrides[name]
        if isinstance(site, Let):
            inlined = None if site.axes else self.dependence.inline(core.Reference(name))
            dim = self.coordinate_of(inlined) if inlined is not None else None
            return self.nodes(dim) if dim is not None else self.loop(site, lambda: evaluate(self, site.value))
        if isinstance(site, Random):
            return self._random(site)
        if isinstance(site, Others):
            return along(name, crowds.numbers(site))
        assert isinstance(site, Decision), f"{name} is given by the stages"
        coordinate = self.reduction.coordinates.get(name)
        if coordinate is not None and name in self.grid.nodes:
            return self.options(site) if site.finite else self.nodes(name)
        if site.enumerable and name not in self.grid.nodes:
            return law_as_value(site.kind, self.choice(name))  # a function's, or what is paid is linear in it
        if site.finite and not site.enumerable and (site.channel is not None or not site.axes):
            return spoken(self.choice(name))
        if name in self.trembles:  # an error of the hand, along a coordinate of its own
            return lift(jnp.add, self.choice(name), self.nodes(TREMBLING + name))
        return self.choice(name)

    def choice(self, name: str) -> Variable:
        """What the policy chooses: the value of a real decision, the probabilities of a finite one's options."""
        if name not in self._choices:
            site = self.dependence.sites[name]
            assert isinstance(site, Decision)
            rule = self.rules[name]
            # A best response is a policy like any other: a deviation elsewhere does not change it.
            fixed = getattr(rule, "depends_on_profile", False) and self.base is not None
            self._choices[name] = self.base.choice(name) if fixed and self.base is not None else \
                self.loop(site, lambda: rule(self, site))
        return self._choices[name]

    def option(self, name: str) -> Variable:
        """The number, from 0, of the option that a decision takes whose policy is a function, by that policy."""
        site, rule = self.dependence.sites[name], self.rules[name]
        assert isinstance(site, Decision)
        if isinstance(rule, Numbering) and self.relaxation.kind == "exact" and not site.axes and name not in self._choices:
            return rule.option(self, site)
        p = self.choice(name)
        return Variable(p.dims, jnp.argmax(p.data, axis=-1))

    def options(self, site: Decision) -> Variable:
        """The values of a finite decision, along its coordinate."""
        if site.kind == "bool":
            return along(site.name, jnp.arange(2.0))
        return along(site.name, jnp.eye(site.options))

    def _random(self, site: Random) -> Variable:
        law = DISTRIBUTIONS[site.distribution]
        coordinate = self.reduction.coordinates.get(site.name)
        if self.grid.scattered:
            return self.loop(site, lambda: self._scattered(site))
        if coordinate is None or coordinate.role == "observation":  # a noise that its observation has replaced
            return self._pivot(site)
        if law.finite:
            arguments = self._arguments(site)
            values = law.support_values(*(a.data for a in arguments))
            return along(site.name, jnp.asarray(values))
        base = self.grid.nodes[site.name]
        return whole_or_lift(law, along(site.name, base), self._arguments(site))

    def _arguments(self, site: Random) -> list[Variable]:
        return [evaluate(self, a) for a in site.arguments]

    def _scattered(self, site: Random) -> Variable:
        """The draw at every scattered sample, from its own columns of the joint nodes."""
        law = DISTRIBUTIONS[site.distribution]
        base = self.grid.columns(site.name)  # (samples, members..., entries..., [dimension])
        v = Variable(("sample",), base)
        for axis in site.axes:
            v = own_to_dim(v, 0, axis.name)
        arguments = self._arguments(site)
        if law.finite:
            return lift_finite(law, v, arguments)
        return whole_or_lift(law, v, arguments)

    def _pivot(self, site: Random) -> Variable:
        c = next(c for c in self.reduction.coordinates.values() if c.role == "observation" and c.site == site.name)
        assert c.offset is not None and c.slope is not None
        return lift(lambda y, a, b: (y - a) / b, self.nodes(c.name), evaluate(self, c.offset), evaluate(self, c.slope))

    def nodes(self, dim: str) -> Variable:
        """The values of a coordinate along itself."""
        return along(dim, self.grid.nodes[dim])

    def coordinate_of(self, e: core.Expression | None) -> str | None:
        """The coordinate that an inlined expression is, if the grid has it."""
        for name in self.grid.observed:
            if self.reduction.coordinates[name].observed == e:
                return name
        return None

    def seen(self, e: core.Expression) -> Variable:
        """An observation: an act with a coordinate is seen as it is on that coordinate, although it is blank elsewhere (what a
        decision inside the same ``when`` decides does not depend on whether the condition holds)."""
        site = self.dependence.sites.get(e.site) if isinstance(e, core.Reference) else None
        if isinstance(site, Decision) and site.guards and site.name not in self.overrides:
            if site.name in self.grid.nodes:
                return self.options(site) if site.finite else self.nodes(site.name)
            if site.enumerable:
                return law_as_value(site.kind, self.choice(site.name))
        return evaluate(self, e)

    def loop(self, site: object, body: Callable[[], Variable]) -> Variable:
        """A site of a loop over many members: computed for all at once, stored as an array over them."""
        axes = site.axes  # type: ignore[attr-defined]
        outer, self.axes = self.axes, (*self.axes, *(a.name for a in axes))
        value = body()
        self.axes = outer
        for axis in reversed(axes):
            value = dim_to_own(value, axis.name, axis.size)
        return value

    # ------------------------------------------------------------ factors and expectations

    def factor(self, dim: str, tremble: bool = False) -> Variable:
        """The weights of a coordinate: probabilities, or a density times the grid's spacing."""
        c = self.reduction.coordinates.get(dim)
        tremble = tremble and c is not None and c.role in ("finite", "derived")  # nature's hand is steady
        key = dim + (AS_TREMBLED if tremble else "")
        if key not in self._factors:
            factor = self._factor(dim, tremble)
            self._factors[key] = held_fixed(factor) if dim in self.stopped else factor
        return self._factors[key]

    def _factor(self, dim: str, tremble: bool) -> Variable:
        if dim == "sample" or dim.startswith(TREMBLING):
            return along(dim, self.grid.weights[dim])
        c = self.reduction.coordinates[dim]
        if c.role == "nature":
            return along(dim, self.grid.weights[dim])
        if c.role == "finite":
            return self._finite_factor(c, tremble)
        if c.role == "observation":
            return self._density(c)
        assert c.observed is not None
        if c.role == "event":
            value = evaluate(self, c.observed, raw=True)
            numbers = jnp.asarray(c.values)
            if c.values == (0.0, 1.0):  # a relaxed event is a probability
                return own_to_dim(lift(lambda p: jnp.stack([1 - p, p], -1), value), 0, dim)
            return own_to_dim(lift(lambda x: (jnp.abs(x[..., None] - numbers) < 1e-6) * 1.0, value), 0, dim)
        if c.site is not None and getattr(self.rules.get(c.site), "spreads", False):  # a law over the nodes themselves
            return own_to_dim(self.choice(c.site), 0, dim)
        chosen = self.choice(c.site) if c.site is not None else evaluate(self, c.observed, raw=True)
        weights = lift(lambda x: interpolation_weights(x, self.grid.nodes[dim], tremble), chosen)
        return own_to_dim(weights, 0, dim)

    def _finite_factor(self, c: Coordinate, tremble: bool) -> Variable:
        site = self.dependence.sites[c.name]
        if isinstance(site, Random):
            law = DISTRIBUTIONS[site.distribution]
            arguments = self._arguments(site)
            ranks = law.parameter_ranks
            p = whole(lambda *a: law.probabilities(*a), *arguments) if any(ranks) else lift(law.probabilities, *arguments)
            return own_to_dim(p, len(p.own) - 1, c.name)
        if isinstance(site, Others):
            return crowds.law(self, site)
        assert isinstance(site, Decision)
        p = self.choice(site.name)
        if tremble:
            rule = self.rules[site.name] if site.name not in self.overrides else None
            if getattr(rule, "hard", False) and not site.axes:
                p = lift(lambda a, e: (1 - TREMBLE) * a + TREMBLE * e, p, rule.errors(self, site))  # type: ignore[union-attr]
            else:
                p = Variable(p.dims, (1 - TREMBLE) * p.data + TREMBLE / site.options)
        return own_to_dim(p, len(p.own) - 1, c.name)

    def _density(self, c: Coordinate) -> Variable:
        assert c.site is not None and c.slope is not None
        site = self.dependence.sites[c.site]
        assert isinstance(site, Random)
        law = DISTRIBUTIONS[site.distribution]
        slope = evaluate(self, c.slope)
        noise = self.value(site.name)
        spacing = along(c.name, self.grid.weights[c.name])
        if site.distribution not in SMOOTH_ON_THE_LINE:
            half = lift(lambda b, h: jnp.abs(h / b) / 2, slope, spacing)
            return lift(lambda x, h, *a: probability_between(law, x - h, x + h, a), noise, half, *self._arguments(site))
        log_density = lift(law.log_density, noise, *self._arguments(site))
        return lift(cell_weights, log_density, slope, spacing)

    def closure(self, dims: tuple[str, ...], without: str | None = None, tremble: bool = False) -> list[Variable]:
        """The factors of some coordinates, and of those on which they depend in turn."""
        pending, seen, factors = list(dims), set(), []
        while pending:
            dim = pending.pop()
            if dim in seen or dim not in self.grid.sizes:
                continue
            seen.add(dim)
            if dim == without:
                continue
            f = self.factor(dim, tremble)
            factors.append(f)
            pending.extend(f.dims)
        return factors

    def expectation(self, v: Variable, keep: tuple[str, ...] = (), without: str | None = None,
                    tremble: bool = False) -> Variable:
        """E of a variable; with ``keep``, its density-weighted sum at every point of these coordinates.

        ``without``: a decision whose own factor is left out (its coordinate must be kept).
        """
        factors = self.closure((*v.dims, *keep), without, tremble)
        # candidates and members are nobody's chance: they stay, also where they only move the law of what arrives
        extra = tuple(d for d in union([v, *factors]) if d not in self.grid.sizes)
        return contract([v, *factors], (*keep, *extra))

    def payment(self, p: Payment) -> Variable:
        """The cost of a payment where it is made, else 0."""
        def body() -> Variable:
            value = evaluate(self, p.cost, raw=True)
            for guard in p.guards:
                value = lift(lambda x, g: jnp.where(g == 0, 0.0, x * g), value, evaluate(self, guard, raw=True))
            return value

        return self.loop(p, body)

    def expected_payment(self, p: Payment, keep: tuple[str, ...] = (), without: str | None = None, tremble: bool = False) -> Variable:
        """E of what a payment charges, as ``expectation`` has it, products over independent draws factored."""
        from .factored import expected_payment

        return expected_payment(self, p, keep, without, tremble)

    def information(self, e: core.Information) -> Variable:
        """The information density of a channel, in nats (see ``lower/information.py``)."""
        from .information import density

        return density(self, e)

    def step(self, margin: Variable, at_zero: float) -> Variable:
        """1 where a margin is positive, treated as the relaxation says."""
        return step(margin, at_zero, self.relaxation, self.grid)


#: Laws whose density has no end where it jumps: the trapezoid rule is exact for them up to rounding.
SMOOTH_ON_THE_LINE = frozenset({"Normal", "Student"})


def probability_between(law: Any, low: Array, high: Array, arguments: tuple[Array, ...]) -> Array:
    """P(low < draw < high) of a continuous law, exactly: cells then sum to one also where the density jumps."""
    bottom, top = law.support(*arguments)

    def distribution(x: Array) -> Array:
        # inside the support by a hair, where the inverse is finite
        inside = jnp.clip(x, bottom, top)
        base = law.invert(jnp.where((x > bottom) & (x < top), inside, law.mean(*arguments)), *arguments)
        p = jax.scipy.special.ndtr(base) if law.base == "normal" else base
        return jnp.where(x <= bottom, 0.0, jnp.where(x >= top, 1.0, p))

    return distribution(high) - distribution(low)


def held_fixed(v: Variable) -> Variable:
    """The same value without a derivative."""
    return Variable(v.dims, jax.lax.stop_gradient(v.data))


def law_as_value(kind: str, law: Variable) -> Variable:
    """The probabilities of a finite decision in the place of its value."""
    return Variable(law.dims, law.data[..., 1]) if kind == "bool" else law


def spoken(p: Variable) -> Variable:
    """The likeliest symbol at every position, one-hot: hard in the forward pass. The gradient passes as if the probabilities had been
    sent (straight through, Bengio, Leonard and Courville 2013: biased)."""
    hard = jax.nn.one_hot(jnp.argmax(p.data, axis=-1), p.data.shape[-1], dtype=p.data.dtype)
    return Variable(p.dims, hard + (p.data - jax.lax.stop_gradient(p.data)))  # exactly hard: rounding would tell p


def whole_or_lift(law: object, base: Variable, arguments: list[Variable]) -> Variable:
    """The transform of a law: entry by entry for scalar laws, on whole vectors otherwise."""
    if any(law.parameter_ranks):  # type: ignore[attr-defined]
        return whole(law.transform, base, *arguments)  # type: ignore[attr-defined]
    return lift(law.transform, base, *arguments)  # type: ignore[attr-defined]


def lift_finite(law: object, uniform: Variable, arguments: list[Variable]) -> Variable:
    """A finite draw from a uniform base variable, by the inverse of its distribution function."""
    def draw(u: Array, *args: Array) -> Array:
        p = law.probabilities(*args)  # type: ignore[attr-defined]
        values = jnp.asarray(law.support_values(*args))  # type: ignore[attr-defined]
        index = jnp.sum(u[..., None] > jnp.cumsum(p, -1)[..., :-1], -1)
        return values[index] if values.ndim == 1 else jnp.take_along_axis(values, index[..., None], -1)[..., 0]

    if not any(a.dims for a in arguments):  # fixed arguments stay plain: Categorical(n) needs to know its n
        plain = [a.data for a in arguments]
        return Variable(uniform.dims, jnp.vectorize(lambda u: draw(u, *plain))(uniform.data)) if all(
            a.data.ndim <= 1 for a in arguments) else whole(lambda u: draw(u, *plain), uniform)
    return whole(draw, uniform, *arguments)
