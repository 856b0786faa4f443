"""What an expression depends on: lets inlined, ancestors, and affine dependence on one draw."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from ..core.expression import Apply, Expression, Fold, Over, Reference, rebuild, references
from ..core.folding import ONE, ZERO, fold, number
from ..core.site import Decision, Game, Let, Others, Payment, Random, Record, Site, State


class Dependence:
    """Static facts about a game's sites; every table is computed once, on demand."""

    def __init__(self, game: Game):
        self.game = game
        self.sites: dict[str, Site] = {s.name: s for s in game.sites}
        self._inlined: dict[str, Expression] = {}
        self._descendants: dict[str, frozenset[str]] = {}

    def inline(self, e: Expression) -> Expression:
        """The expression over draws and decisions alone."""
        if isinstance(e, Reference):
            site = self.sites[e.site]
            if isinstance(site, Let) and not site.axes:
                if site.name not in self._inlined:
                    self._inlined[site.name] = self.inline(site.value)
                return self._inlined[site.name]
            return e
        new = rebuild(e, self.inline)
        return fold(new) if isinstance(new, Apply) else new

    @cached_property
    def parents(self) -> dict[str, frozenset[str]]:
        """Sites that a site's own statement mentions (what a decision observes, what its bounds mention)."""
        return {s.name: frozenset().union(*(references(e) for e in mentioned(s)), frozenset()) for s in self.game.sites}

    @cached_property
    def ancestors(self) -> dict[str, frozenset[str]]:
        """All sites on which the value of a site can depend, through policies too."""
        out: dict[str, frozenset[str]] = {}
        for site in self.game.sites:  # time order: parents come first
            direct = self.parents[site.name]
            out[site.name] = direct.union(*(out.get(p, frozenset()) for p in direct))
        return out

    def of(self, e: Expression) -> frozenset[str]:
        """All sites on which an expression can depend."""
        direct = references(e)
        return direct.union(*(self.ancestors[p] for p in direct))

    def descendants(self, name: str) -> frozenset[str]:
        """Sites that can depend on this one."""
        if name not in self._descendants:
            self._descendants[name] = frozenset(s for s, up in self.ancestors.items() if name in up)
        return self._descendants[name]

    @cached_property
    def common(self) -> dict[str, frozenset[str]]:
        """Of each ``Others`` site what the law of the number depends on: what the copy's policy depends on, but for its own draws."""
        return {s.name: self.ancestors[s.name] - set(s.private) - {s.of} for s in self.game.sites if isinstance(s, Others)}

    def summed(self, names: frozenset[str]) -> frozenset[str]:
        """Some sites and those on which they depend, what only the copy behind a number of others draws left out: it is summed away
        before anything else."""
        seen: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending.extend(self.common.get(name, self.parents[name]))
        return frozenset(seen)

    def payments_of(self, name: str) -> frozenset[str]:
        """Payments that can depend on this site."""
        return frozenset(p.name for p in self.game.payments if name in self.ancestors[p.name])

    def observers(self, name: str) -> tuple[Decision, ...]:
        """Later decisions whose observations can depend on this site."""
        return tuple(d for d in self.game.decisions if name in self.ancestors[d.name])


def mentioned(site: Site) -> tuple[Expression, ...]:
    """Every expression of a site's statement."""
    if isinstance(site, Random):
        return (*site.guards, *site.arguments)
    if isinstance(site, Let):
        return (*site.guards, site.value)
    if isinstance(site, Payment):
        return (*site.guards, site.cost)
    if isinstance(site, State):
        return (site.first,)
    if isinstance(site, Record):
        return ()
    if isinstance(site, Others):
        return (Reference(site.of),)
    assert isinstance(site, Decision)
    bounds = tuple(b for b in (site.low, site.high) if b is not None)
    return (*site.guards, *(o.expression for o in site.observations), *bounds)


def affine(e: Expression, site: str) -> tuple[Expression, Expression] | None:
    """(offset, slope) with e = offset + slope * site, neither of them mentioning the site; None if e is not of that form.

    ``e`` has its lets inlined.
    """
    if site not in references(e):
        return e, ZERO
    if isinstance(e, Reference):
        return ZERO, ONE
    if isinstance(e, Fold) and e.reduction in ("sum", "mean") and (e.condition is None or site not in references(e.condition)):
        body = affine(e.body, site)
        return None if body is None else tuple(ZERO if x == ZERO else replace(e, body=x) for x in body)  # type: ignore[return-value]
    if isinstance(e, Over) and e.operation in ("integral", "mean") and site not in references(e.low) | references(e.high):
        body = affine(e.body, site)
        return None if body is None else tuple(ZERO if x == ZERO else replace(e, body=x) for x in body)  # type: ignore[return-value]
    if not isinstance(e, Apply):
        return None
    parts = [affine(a, site) for a in e.arguments]
    if any(p is None for p in parts):
        return None
    offsets = [p[0] for p in parts if p is not None]
    slopes = [p[1] for p in parts if p is not None]
    if e.function in ("add", "sub"):
        return _apply(e.function, *offsets), _apply(e.function, *slopes)
    if e.function == "neg":
        return _apply("neg", *offsets), _apply("neg", *slopes)
    if e.function == "mul" and ZERO in slopes:
        constant, (offset, slope) = (e.arguments[0], parts[1]) if slopes[0] == ZERO else (e.arguments[1], parts[0])  # type: ignore[misc]
        return _apply("mul", constant, offset), _apply("mul", constant, slope)
    if e.function == "div" and slopes[1] == ZERO:
        return _apply("div", offsets[0], e.arguments[1]), _apply("div", slopes[0], e.arguments[1])
    return None


def _apply(function: str, *arguments: Expression) -> Expression:
    if function == "mul" and ZERO in arguments:
        return ZERO
    if function == "sub" and number(arguments[0]) == 0 and len(arguments) == 2:
        return fold(Apply("neg", (arguments[1],)))
    return fold(Apply(function, arguments))
