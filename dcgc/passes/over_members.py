"""Expressions over the members of a large family, written with its first member, a copy of one of the others, and numbers of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

from ..core.expression import (
    Account,
    Apply,
    Axis,
    Constant,
    Expression,
    Fold,
    Member,
    Others,
    Reference,
    Rule,
    Select,
    Stack,
    Whole,
    rebuild,
    references,
    show,
    walk,
)
from ..core.folding import ONE, ZERO, fold
from ..core.shapes import COMPARISONS, ELEMENTWISE, LOGIC
from ..core.site import Decision, Game, Let, Random, Site
from ..information.dependence import Dependence

REDUCTIONS = frozenset({"sum", "mean", "prod", "max", "min"})
ENTRYWISE = frozenset((*ELEMENTWISE, *COMPARISONS, *LOGIC))


class Unrepresentable(Exception):
    """Why a family cannot be taken as one member and the others, in words."""


@dataclass(frozen=True)
class Option:
    """In the place of a member: whoever takes this option of the only decision that is asked for."""

    decision: str
    value: Expression


Place = int | Option  # the first member, a copy of one of the others (2), or whoever takes an option
Places = Mapping[str, Place]  # by the name of a loop


class Members:
    """The families of a game. ``broken``: copies that cannot be made, and why. ``made``: sites that stand for what one of the others adds
    to a sum, in which what is paid must be linear (``linear``: their names); whoever writes sites takes them from there."""

    def __init__(self, game: Game):
        self.dependence = Dependence(game)
        self.looped = {s.name: s for s in game.sites if s.axes}
        self.sizes = {p.name: p.size for p in game.players if p.symmetric and p.size is not None}
        self.first = game.sites[0].span
        self.broken: dict[str, str] = {}
        self.made: list[Site] = []
        self.linear: list[str] = []

    def size(self, name: str) -> int:
        return self.looped[name].axes[0].size

    def alike(self, name: str) -> bool:
        """Whether a site has the same value for all members but those who deviate."""
        s = self.looped[name]
        behind = {name} | self.dependence.ancestors[name]
        own = [self.looped[b] for b in behind if b in self.looped]
        return not any(isinstance(x, Random) or (isinstance(x, Decision) and x.finite) for x in own) and not isinstance(s, Random)

    def at(self, e: Expression, places: Places) -> Expression:
        """An expression with the members of loops put in."""
        if isinstance(e, Member):
            raise Unrepresentable("its members are told apart by their number")
        if isinstance(e, Reference) and e.site in self.looped:
            raise Unrepresentable(f"{e.site} is used as an array over the members")
        if isinstance(e, Select) and isinstance(e.base, Reference) and e.base.site in self.looped:
            return self.entry(e, places)
        if isinstance(e, Fold) and (e.axis.family in self.sizes and e.axis.size == self.sizes[e.axis.family]):
            return self.fold(e, places)
        if isinstance(e, Apply) and e.function in REDUCTIONS and len(e.arguments) == 1 and self.spans(e.arguments[0]):
            return self.fold(self.as_fold(e), places)
        if isinstance(e, Account):
            return replace(e, member=0) if e.name in self.sizes and e.member is not None else e
        if isinstance(e, Rule):
            e = replace(e, member=0) if e.member is not None else e
        new = rebuild(e, lambda c: self.at(c, places))
        return fold(new) if isinstance(new, Apply) else new

    def entry(self, e: Select, places: Places) -> Expression:
        assert isinstance(e.base, Reference)
        name, head, rest = e.base.site, e.indices[0], e.indices[1:]
        if isinstance(head, Constant) and head.value == 1.0 and not places:
            place: Place | None = 1
        else:
            place = places.get(head.axis.name) if isinstance(head, Member) else None
        if place is None:
            raise Unrepresentable(f"{name} is asked for of some of its members")
        rest = tuple(i if isinstance(i, (Whole, Others)) else self.at(i, places) for i in rest)
        if isinstance(place, Option):
            s = self.looped[name]
            if isinstance(s, Let):
                assert isinstance(head, Member)
                return picked(self.at(self.moved(s.value, s.axes[0], head.axis), places), rest, e.one_hot[1:])
            if name == place.decision:
                return picked(place.value, rest, e.one_hot[1:])
            place = 2  # the others all do the same
        target = f"{name}[{place}]"
        if target in self.broken:
            raise Unrepresentable(self.broken[target])
        base = Reference(target, span=e.span)
        return Select(base, rest, e.one_hot[1:], span=e.span) if rest else base

    def moved(self, e: Expression, old: Axis, new: Axis) -> Expression:
        """The same expression in another loop over the members."""
        if isinstance(e, Member) and e.axis == old:
            return Member(new)
        if isinstance(e, Others) and e.axis == old:
            return Others(new)
        return rebuild(e, lambda c: self.moved(c, old, new)) if not isinstance(e, Select) else replace(
            e, base=self.moved(e.base, old, new), indices=tuple(self.moved(i, old, new) for i in e.indices))

    def spans(self, e: Expression) -> bool:
        """Whether an expression is an array over the members."""
        if isinstance(e, Reference):
            return e.site in self.looped
        if isinstance(e, Select) and isinstance(e.base, Reference) and e.base.site in self.looped:
            return isinstance(e.indices[0], (Whole, Others))
        return isinstance(e, Apply) and e.function in ELEMENTWISE and any(self.spans(a) for a in e.arguments)

    def as_fold(self, e: Apply) -> Fold:
        """``sum(x)``, ``sum(x[others])`` as a sum over members."""
        excluded: set[Axis] = set()
        over: set[str] = set()
        found = [x.site for x in walk(e) if isinstance(x, Reference) and x.site in self.looped]
        family = self.looped[found[0]].axes[0]
        axis = Axis(f"members in {show(e)}", family.size, family.family)

        def element(x: Expression) -> Expression:
            if isinstance(x, Reference) and x.site in self.looped:
                over.add("all")
                return Select(x, (Member(axis),), (False,))
            if isinstance(x, Select) and isinstance(x.base, Reference) and x.base.site in self.looped:
                head = x.indices[0]
                if isinstance(head, (Whole, Others)):
                    over.add("all" if isinstance(head, Whole) else "others")
                    if isinstance(head, Others):
                        excluded.add(head.axis)
                    return replace(x, indices=(Member(axis), *x.indices[1:]))
                return x
            return rebuild(x, element) if isinstance(x, Apply) else x

        body = element(e.arguments[0])
        if len(over) != 1:
            raise Unrepresentable("arrays over all members and over the others meet")
        condition = Apply("ne", (Member(axis), Member(next(iter(excluded))))) if excluded else None
        return Fold(e.function, axis, body, condition, span=e.span)

    # ------------------------------------------------------------ over members

    def fold(self, e: Fold, places: Places) -> Expression:
        """A reduction over members, from one member, the others and their number."""
        own, excluded = next(iter(places.values()), None), False
        if e.condition is not None:
            c = e.condition
            sides = {a.axis.name for a in c.arguments if isinstance(a, Member)} if isinstance(c, Apply) and c.function == "ne" else set()
            rest = sides - {e.axis.name}
            if len(sides) != 2 or len(rest) != 1 or next(iter(rest)) not in places:
                raise Unrepresentable("a sum over some of its members, chosen by a condition")
            own, excluded = places[next(iter(rest))], True
        if isinstance(own, Option):
            raise Unrepresentable("a sum over members inside of a sum over members")
        n = e.axis.size
        at = lambda place: self.at(e.body, {**places, e.axis.name: place})  # noqa: E731
        finite, alike = self.roots(e.body, e.axis)
        terms: list[tuple[Expression, Expression]] = []  # (how many members, what each of them adds)
        if not finite and alike:
            if excluded and own == 2:
                terms = [(ONE, at(1)), (Constant(n - 2.0), at(2))]
            else:
                terms = [*([] if excluded else [(ONE, at(1))]), (Constant(n - 1.0), at(2))]
        elif own == 2:
            raise Unrepresentable("what a member knows or draws depends on what several others do")
        elif len(finite) == 1 and alike:
            (d,) = finite
            terms = [] if excluded else [(ONE, at(1))]
            terms += [(number, at(Option(d, value))) for number, value in self.options(d)]
        else:
            if e.reduction not in ("sum", "mean"):
                raise Unrepresentable(f"a {e.reduction} over members who differ by draws of their own")
            name = f"{e.reduction} over others {len(self.linear) + 1}"
            self.made.append(Let(name, (), (), e.span or self.first, at(2)))
            self.linear.append(name)
            terms = [*([] if excluded else [(ONE, at(1))]), (Constant(n - 1.0), Reference(name, span=e.span))]
        return reduced(e.reduction, terms, n - excluded)

    def roots(self, body: Expression, axis: Axis) -> tuple[frozenset[str], bool]:
        """The finite decisions of the loop's member that a body speaks of, and whether all else in it is the same for all of the others."""
        finite: set[str] = set()
        alike = True
        pending = [x.base.site for x in walk(body) if isinstance(x, Select) and isinstance(x.base, Reference)
                   and x.base.site in self.looped and isinstance(x.indices[0], Member) and x.indices[0].axis == axis]
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            s = self.looped[name]
            if isinstance(s, Let):
                pending += [x for x in references(s.value) if x in self.looped]
                alike = alike and not s.guards
            elif isinstance(s, Decision) and s.finite:
                finite.add(name)
                alike = alike and not s.guards
            elif not self.alike(name):
                alike = False
        return frozenset(finite), alike

    def options(self, decision: str) -> list[tuple[Expression, Expression]]:
        """How many of the others take each option, and its value."""
        d = self.looped[decision]
        assert isinstance(d, Decision)
        count = Reference(others_of(decision))
        if d.kind == "bool":
            return [(Apply("sub", (Constant(self.size(decision) - 1.0), count)), ZERO), (count, ONE)]
        every = range(1, d.options + 1)
        return [(Select(count, (Constant(float(k)),), (False,)), Stack(tuple(Constant(float(j == k)) for j in every))) for k in every]


def others_of(decision: str) -> str:
    return f"others({decision})"


def picked(value: Expression, indices: tuple[Expression, ...], one_hot: tuple[bool, ...]) -> Expression:
    """An entry of an array literal."""
    if not indices:
        return value
    head = indices[0]
    if isinstance(value, Stack) and isinstance(head, Constant) and len(indices) == 1:
        return value.items[round(float(head.value)) - 1]  # type: ignore[arg-type]
    return Select(value, indices, one_hot)


def reduced(reduction: str, terms: list[tuple[Expression, Expression]], count: int) -> Expression:
    """A reduction of (how many times, value) terms."""
    if reduction in ("sum", "mean"):
        total = joined("add", [fold(Apply("mul", (n, v))) for n, v in terms])
        return total if reduction == "sum" else fold(Apply("div", (total, Constant(float(count)))))
    if reduction == "prod":  # of no factors: 1, whatever they would be
        return joined("mul", [Apply("where", (some(n), Apply("pow", (v, Apply("maximum", (n, ONE)))), ONE)) for n, v in terms])
    word, neutral = ("maximum", float("-inf")) if reduction == "max" else ("minimum", float("inf"))
    there = [v if n == ONE else Apply("where", (some(n), v, Constant(neutral))) for n, v in terms]
    return joined(word, there)


def some(number: Expression) -> Expression:
    return Apply("gt", (number, Constant(0.5)))


def joined(word: str, parts: list[Expression]) -> Expression:
    return reduce(lambda a, b: fold(Apply(word, (a, b))), parts)
