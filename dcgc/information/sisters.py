"""Whether members of a family are alike: whether the game stays what it is when two of them change places.

Sums and products count alike in any order, arrays under a reduction and the inputs of a decision too. What is said to be alike is; two
members may be alike though it is not seen here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import fields

from ..core.expression import Apply, Expression, Reference, Stack
from ..core.site import Decision, Game, Let, Payment, Site

UNORDERED = frozenset({"add", "mul", "and", "or", "eq", "ne", "maximum", "minimum"})
REDUCTIONS = frozenset({"sum", "mean", "prod", "max", "min", "norm"})
INDEX = re.compile(r"\[(\d+)\]")


def alike(game: Game, family: str, one: int, other: int) -> bool:
    """Whether two members (from 0) of a family can change places."""
    return _shape(game, family, {}) == _shape(game, family, {one + 1: other + 1, other + 1: one + 1})


def _shape(game: Game, family: str, places: dict[int, int]) -> Counter[Hashable]:
    """The sites of a game, in no order, with members renumbered."""
    form = _Form(game, places)
    return Counter(form.site(s, family) for s in game.sites if not isinstance(s, Let))


class _Form:
    def __init__(self, game: Game, places: dict[int, int]):
        self.sites = {s.name: s for s in game.sites}
        self.places, self.known = places, {}  # type: ignore[var-annotated]

    def name(self, text: str) -> str:
        """A name with its first index renumbered."""
        return INDEX.sub(lambda m: f"[{self.places.get(int(m[1]), int(m[1]))}]", text, count=1)

    def site(self, s: Site, family: str) -> Hashable:
        own = [f"{k}={v!r}" for k, v in ((f.name, getattr(s, f.name)) for f in fields(s) if f.compare)
               if k not in ("name", "actor", "observations") and not holds_expressions(v)]
        texts = [(f.name, self.field(getattr(s, f.name))) for f in fields(s) if f.compare and holds_expressions(getattr(s, f.name))]
        named = () if isinstance(s, Payment) else (self.name(s.name),)
        actor: Hashable = None
        if isinstance(s, (Decision, Payment)):
            member = getattr(s.actor.member, "value", None)
            place = self.places.get(round(member), round(member)) if isinstance(member, float) and s.actor.name == family else member
            actor = (s.actor.name, place if isinstance(place, (int, float)) else repr(place))
        seen = frozenset(Counter(self.expression(o.expression) for o in s.observations).items()) if isinstance(s, Decision) else None
        return (type(s).__name__, named, actor, seen, tuple(own), tuple(texts))

    def field(self, value: object) -> Hashable:
        return tuple(self.expression(x) for x in value) if isinstance(value, tuple) else self.expression(value)  # type: ignore[arg-type]

    def expression(self, e: Expression) -> int:
        """A number that is the same for expressions that are the same."""
        if isinstance(e, Reference):
            site = self.sites.get(e.site)
            if isinstance(site, Let) and not site.axes:
                if e.site not in self.known:
                    self.known[e.site] = hash((self.expression(site.value), tuple(self.expression(g) for g in site.guards)))
                return self.known[e.site]  # type: ignore[no-any-return]
            return hash(("reference", self.name(e.site)))
        if isinstance(e, Apply) and e.function in UNORDERED:
            return hash((e.function, tuple(sorted(self.expression(x) for x in flat(e, e.function)))))
        if isinstance(e, Apply) and e.function in REDUCTIONS and len(e.arguments) == 1 and isinstance(e.arguments[0], Stack):
            return hash((e.function, tuple(sorted(self.expression(x) for x in e.arguments[0].items))))
        rest = tuple(repr(getattr(e, f.name)) for f in fields(e) if f.compare and not holds_expressions(getattr(e, f.name)))
        return hash((type(e).__name__, rest, tuple(self.expression(c) for c in e.children)))


def holds_expressions(value: object) -> bool:
    return isinstance(value, Expression) or isinstance(value, tuple) and bool(value) and all(isinstance(x, Expression) for x in value)


def flat(e: Expression, function: str) -> list[Expression]:
    """The terms of a sum of sums, the factors of a product of products."""
    if not isinstance(e, Apply) or e.function != function or function in ("eq", "ne"):
        return list(e.arguments) if isinstance(e, Apply) and e.function == function else [e]
    return [x for a in e.arguments for x in flat(a, function)]
