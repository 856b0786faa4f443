"""Small loops and small arrays become scalar sites, so that every site depends on as little as possible.

What a member does depends on that member's own draws only; kept as one array over the members, it would seem to depend on all
of them, and a product grid would pay for it. Loops of more than ``WRITTEN_OUT`` members stay loops: they are vectorised, and compile
time does not grow with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from ..core.expression import (
    Apply,
    Axis,
    Constant,
    Expression,
    Fold,
    Member,
    Others,
    Parameter,
    Reference,
    Select,
    Stack,
    Whole,
    rebuild,
    references,
)
from ..core.folding import ONE, ZERO, fold, number
from ..core.site import WRITTEN_OUT, Actor, Channel, Constraint, Decision, Equation, Game, Let, Payment, Plot, Random, Record, Site, State
from .entrywise import entries, extent, extent_of_site
from .literals import constant_array, nest, reduced

Binding = Mapping[str, float]


@dataclass(frozen=True)
class Expanded:
    """Where the entries of an expanded site went: nested tuples of expressions, and the first number of each dimension."""

    entries: Expression
    lows: tuple[int, ...]


def unroll(game: Game, most: int = WRITTEN_OUT) -> Game:
    """The game with loops and random arrays of at most ``most`` members written out."""
    return _Unroller(game, most).run()


class _Unroller:
    def __init__(self, game: Game, most: int):
        self.game, self.most = game, most
        self.expanded: dict[str, Expanded] = {}
        self.looped: dict[str, tuple[Axis, ...]] = {}
        self.sites: list[Site] = []
        self.extents: dict[str, int | None] = {}

    def run(self) -> Game:
        for site in self.game.sites:
            self.site(site)
        expand = lambda e: self.expression(e, {})  # noqa: E731
        return replace(
            self.game, sites=tuple(self.sites),
            measures=tuple(replace(m, value=expand(m.value)) for m in self.game.measures),
            published=tuple(replace(p, quantity=expand(p.quantity), value=expand(p.value)) for p in self.game.published),
            plots=tuple(q for p in self.game.plots for q in self.plot(p)),
            channels=tuple(m for c in self.game.channels for m in self.members(c)),
            constraints=tuple(m for c in self.game.constraints for m in self.members(c)),
            equations=tuple(m for e in self.game.equations for m in self.members(e)),
        )

    def members(self, part: Channel | Constraint | Equation) -> list[Any]:
        """A channel, a constraint or an equation for every member of a small family."""
        if math.prod(a.size for a in part.axes) > self.most:
            return [part]
        out = []
        for numbers in product(*(range(a.low, a.low + a.size) for a in part.axes)):
            binding = {a.name: float(k) for a, k in zip(part.axes, numbers, strict=True)}
            suffix = f"[{','.join(map(str, numbers))}]" if numbers else ""
            new = {f.name: self.expression(v, binding) for f in fields(part) if isinstance(v := getattr(part, f.name), Expression)}
            new |= {f.name: self.actor(v, binding) for f in fields(part) if isinstance(v := getattr(part, f.name), Actor)}
            if isinstance(part, Channel):
                new["encoder"] = part.encoder + suffix
            elif isinstance(part, Equation):
                new["guards"] = tuple(self.expression(g, binding) for g in part.guards)
            else:
                new["label"] = part.label + (f" for {suffix}" if suffix else "")
            out.append(replace(part, name=part.name + suffix, axes=(), **new))
        return out

    def plot(self, p: Plot) -> list[Plot]:
        """A plot inside a loop is drawn for the first member."""
        binding = {a.name: float(a.low) for a in p.axes}
        return [replace(p, value=self.expression(p.value, binding), against=self.expression(p.against, binding), axes=())]

    def site(self, site: Site) -> None:
        count = math.prod(a.size for a in site.axes)
        if count > self.most:
            self.looped[site.name] = site.axes
            self.sites.append(self.rewritten(site, {}, site.name))
            return
        if not site.axes:
            self.entries(site, {}, site.name)
            return
        members = {}
        for numbers in product(*(range(a.low, a.low + a.size) for a in site.axes)):
            binding = {a.name: float(k) for a, k in zip(site.axes, numbers, strict=True)}
            name = f"{site.name}[{','.join(map(str, numbers))}]"
            self.entries(replace(site, axes=()), binding, name)
            members[numbers] = self.reference(name)
        if not isinstance(site, Payment):
            self.expanded[site.name] = Expanded(nest(members, site.axes), tuple(a.low for a in site.axes))

    def reference(self, name: str) -> Expression:
        done = self.expanded.get(name)
        return done.entries if done is not None else Reference(name)

    def entries(self, site: Site, binding: Binding, name: str) -> None:
        """A site without axes; random arrays fall into their entries where that is small."""
        new = self.rewritten(site, binding, name)
        if isinstance(new, Let) and self.falls_apart(new):
            return
        self.extents[new.name] = extent_of_site(new, self.extent(new.value) if isinstance(new, Let) else None)
        if isinstance(new, Random) and new.distribution == "MvNormal" and self.normal_vector(new):
            return
        if not isinstance(new, Random) or not new.shape or math.prod(new.shape) > self.most \
                or new.distribution in ("MvNormal", "Dirichlet"):
            self.sites.append(new)
            return
        vector = new.distribution in ("Categorical", "Discrete")
        axes = tuple(Axis(f"{name}.{k}", n) for k, n in enumerate(new.shape))
        parts = {}
        for numbers in product(*(range(1, n + 1) for n in new.shape)):
            entry = f"{name}({','.join(map(str, numbers))})"
            arguments = tuple(self.entry(a, numbers, 1 if vector else 0) for a in new.arguments)
            self.sites.append(replace(new, name=entry, shape=(), arguments=arguments))
            parts[numbers] = Reference(entry, span=None)
            self.extents[entry] = 0
        self.expanded[name] = Expanded(nest(parts, axes), (1,) * len(axes))

    def extent(self, e: Expression) -> int | None:
        return extent(e, self.game, self.extents.get)

    def falls_apart(self, site: Let) -> bool:
        """A small array that is computed entry by entry (``entrywise.py``) becomes as many lets; not where a tap or route names it."""
        length = self.extent(site.value)
        if not length or length > self.most or not references(site.value) or self.game.block is not None:
            return False
        if any(site.name in words(x) for x in (*self.game.taps, *(r.label for r in self.game.routes))):
            return False
        parts = entries(site.value, length, self.game, self.extents.get)
        if parts is None:
            return False
        named = {}
        for k, value in enumerate(parts, start=1):
            name = f"{site.name}({k})"
            self.sites.append(Let(name, (), site.guards, site.span, value))
            self.extents[name] = 0
            named[(k,)] = Reference(name)
        self.expanded[site.name] = Expanded(nest(named, (Axis(site.name, length),)), (1,))
        return True

    def entry(self, argument: Expression, numbers: tuple[int, ...], event: int = 0) -> Expression:
        """The entry of an argument that belongs to an entry of the draw: arguments may be arrays, their last axes those of the draw
        (but for ``event`` axes that belong to one draw)."""
        value = argument
        depth = 0
        probe: object = None
        if isinstance(value, Stack):
            depth, inner = 0, value
            while isinstance(inner, Stack):
                depth, inner = depth + 1, inner.items[0]  # type: ignore[assignment]
        elif isinstance(value, (Constant, Parameter)):
            probe = value.value if isinstance(value, Constant) else self.game.parameters[value.name]
            while isinstance(probe, tuple):
                depth, probe = depth + 1, probe[0]
        depth -= event
        if depth <= 0:
            return value
        chosen = tuple(Constant(float(k)) for k in numbers[-depth:])
        return self.select(value, chosen, (False,) * depth, {})

    def normal_vector(self, site: Random) -> bool:
        """A small MvNormal with a constant covariance: independent standard normals through its Cholesky factor."""
        mean, covariance = site.arguments
        numbers = covariance.value if isinstance(covariance, Constant) else \
            self.game.parameters[covariance.name] if isinstance(covariance, Parameter) else constant_array(covariance, self.game)
        size = site.shape[-1]
        if numbers is None or len(site.shape) != 1 or size > self.most:
            return False
        import numpy as np  # late: the front end starts without it

        factor = np.linalg.cholesky(np.asarray(numbers, float))
        zs = [f"{site.name}.z{k + 1}" for k in range(size)]
        for z in zs:
            self.sites.append(replace(site, name=z, distribution="Normal", arguments=(ZERO, ONE), shape=()))
        parts = {}
        for k in range(size):
            total: Expression = self.entry(mean, (k + 1,))
            for j in range(k + 1):
                if factor[k, j] != 0:
                    term = Apply("mul", (Constant(float(factor[k, j])), Reference(zs[j])))
                    total = fold(Apply("add", (total, term)))
            name = f"{site.name}({k + 1})"
            self.sites.append(Let(name, (), site.guards, site.span, total))
            parts[(k + 1,)] = Reference(name)
        self.expanded[site.name] = Expanded(nest(parts, (Axis(site.name, size),)), (1,))
        return True

    def rewritten(self, site: Site, binding: Binding, name: str) -> Site:
        change = lambda e: self.expression(e, binding)  # noqa: E731
        guards = tuple(change(g) for g in site.guards)
        if isinstance(site, Random):
            return replace(site, name=name, guards=guards, arguments=tuple(map(change, site.arguments)))
        if isinstance(site, Let):
            return replace(site, name=name, guards=guards, value=change(site.value))
        if isinstance(site, Payment):
            priced = {} if site.information is None else {"information": change(site.information)}
            if site.price is not None:
                priced["price"] = change(site.price)
            return replace(site, name=name, guards=guards, actor=self.actor(site.actor, binding), cost=change(site.cost), **priced)
        member = name.removeprefix(site.name)
        if isinstance(site, State):
            return replace(site, name=name, first=change(site.first), following=site.following + member)
        if isinstance(site, Record):
            return replace(site, name=name, of=site.of + member)
        assert isinstance(site, Decision)
        observations = tuple(replace(o, expression=change(o.expression)) for o in site.observations)
        return replace(
            site, name=name, guards=guards, actor=self.actor(site.actor, binding), observations=observations,
            low=None if site.low is None else change(site.low), high=None if site.high is None else change(site.high))

    def actor(self, actor: Actor, binding: Binding) -> Actor:
        return actor if actor.member is None else Actor(actor.name, self.expression(actor.member, binding))

    # ------------------------------------------------------------ expressions

    def expression(self, e: Expression, binding: Binding) -> Expression:
        if isinstance(e, Member):
            return Constant(binding[e.axis.name], span=e.span) if e.axis.name in binding else e
        if isinstance(e, Reference):
            done = self.expanded.get(e.site)
            return done.entries if done is not None else e
        if isinstance(e, Fold):
            return self.fold(e, binding)
        if isinstance(e, Select):
            looped = self.looped.get(e.base.site, ()) if isinstance(e.base, Reference) else ()
            lows = self.expanded[e.base.site].lows if isinstance(e.base, Reference) and e.base.site in self.expanded else ()
            base = self.expression(e.base, binding)
            indices = [i if isinstance(i, (Whole, Others)) else self.expression(i, binding) for i in e.indices]
            for position, low in enumerate(lows[:len(indices)]):
                value = number(indices[position])
                if low != 1 and value is not None:
                    indices[position] = Constant(value - low + 1)
            for position, axis in enumerate(looped[:len(indices)]):  # entries of a long range are stored from 1 on
                index = indices[position]
                aligned = isinstance(index, Member) and (index.axis.low, index.axis.size) == (axis.low, axis.size)
                if axis.low != 1 and not aligned and not isinstance(index, (Whole, Others)):
                    indices[position] = fold(Apply("sub", (index, Constant(float(axis.low - 1)))))
            return self.select(base, tuple(indices), e.one_hot, binding, e)
        new = rebuild(e, lambda c: self.expression(c, binding))
        return fold(new) if isinstance(new, Apply) else new

    def select(self, base: Expression, indices: tuple[Expression, ...], one_hot: tuple[bool, ...], binding: Binding,
               whole: Expression | None = None) -> Expression:
        """``base[indices]`` taken as far as array literals and constant indices allow."""
        if not indices:
            return base
        head, rest, flags = indices[0], indices[1:], one_hot[1:]
        items = base.items if isinstance(base, Stack) else None
        if items is None and isinstance(base, Constant) and isinstance(base.value, tuple):
            items = tuple(Constant(v) for v in base.value)
        if items is not None:
            position = number(head)
            if position is not None and 1 <= round(position) <= len(items):
                return self.select(items[round(position) - 1], rest, flags, binding)
            if isinstance(head, Whole):
                return Stack(tuple(self.select(i, rest, flags, binding) for i in items))
            if isinstance(head, Others) and head.axis.name in binding:
                own = round(binding[head.axis.name]) - head.axis.low
                return Stack(tuple(self.select(i, rest, flags, binding) for k, i in enumerate(items) if k != own))
        return Select(base, indices, one_hot, span=None if whole is None else whole.span)

    def fold(self, e: Fold, binding: Binding) -> Expression:
        if e.axis.size > self.most:
            return rebuild(e, lambda c: self.expression(c, binding))
        terms: list[tuple[Expression, Expression]] = []
        for k in range(e.axis.low, e.axis.low + e.axis.size):
            inner = {**binding, e.axis.name: float(k)}
            condition = ONE if e.condition is None else self.expression(e.condition, inner)
            if number(condition) != 0:
                terms.append((condition, self.expression(e.body, inner)))
        return reduced(e.reduction, terms, e)


def words(text: str) -> set[str]:
    """The names in a text."""
    return set(re.findall(r"\w+", text))
