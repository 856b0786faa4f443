"""A large symmetric family as one member, one of the others, and how many of the others do what.

Members are exchangeable: what the first one pays depends on the others through sums, means, products and extremes over members alone, and
these are functions of few things. Where the others' acts are finite it is the number of them that take each option, which, given what is
common knowledge of nature, has a binomial (multinomial) law: they draw and mix independently (an ``Others`` site). Where what the others
do follows from what all of them know, they all do the same: a copy of one of them stands for all, times their number. Where they
differ by draws of their own, a copy stands for all as far as payments are linear in it. So a family of thousands is a game of two
members, and engines, figures and regrets are those of small games, exact where theirs are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..core.expression import Apply, Axis, Constant, Expression, Fold, Reference, Root, Select, rebuild, walk
from ..core.folding import ONE, ZERO
from ..core.site import Actor, Crowd, Decision, Equation, Game, Let, Others, Payment, Random, Record, Site, State
from ..information.dependence import Dependence
from .linear_in_others import nonlinear
from .over_members import Members, Places, Unrepresentable, others_of


def representative(game: Game) -> Game:
    """The game of one member and the others of every large family. Raises Unrepresentable."""
    return _Representer(game).run()


class _Representer:
    def __init__(self, game: Game):
        self.game = game
        self.members = Members(game)
        self.sites: list[Site] = []

    def run(self) -> Game:
        game = self.game
        self.suited()
        for s in game.sites:
            self.site(s)
        families = tuple(dict.fromkeys(s.axes[0].family for s in self.members.looped.values()))
        crowds = tuple(Crowd(f, self.members.sizes[f]) for f in families if f is not None)
        out = replace(
            game, crowds=crowds,
            measures=tuple(replace(m, value=self.told(m.value)) for m in game.measures),
            published=tuple(replace(p, quantity=self.told(p.quantity), value=self.told(p.value)) for p in game.published),
            plots=tuple(replace(p, value=self.told(p.value, p.axes), against=self.told(p.against, p.axes), axes=()) for p in game.plots),
            equations=tuple(self.equation(e) for e in game.equations))
        self.sites.extend(self.members.made)
        out = replace(out, sites=tuple(self.sites))
        self.checked(out)
        return out

    # ------------------------------------------------------------ what can be represented

    def suited(self) -> None:
        game = self.game
        looped: list[Site] = list(self.members.looped.values())
        for s in looped:
            if len(s.axes) != 1 or s.axes[0].family not in self.members.sizes:
                raise Unrepresentable(f"{s.name} stands in a loop that is not one over the members of a symmetric family")
            if isinstance(s, (State, Record)):
                raise Unrepresentable(f"{s.name} is a state of every member's own")
            if isinstance(s, Decision) and s.finite and (s.shape if s.kind == "bool" else len(s.shape) > 1):
                raise Unrepresentable(f"{s.name} is an array of choices")
            if isinstance(s, Decision) and s.kind == "simplex":
                raise Unrepresentable(f"{s.name} lies on a simplex")
            if isinstance(s, Decision) and s.actor.name != s.axes[0].family:
                raise Unrepresentable(f"{s.name} is decided by {s.actor.name} for every member")
        families = {s.axes[0].family for s in looped}
        if any(c.axes for c in game.channels) or any(c.axes for c in game.constraints) or any(e.axes for e in game.equations):
            raise Unrepresentable("a channel, a constraint or an equation of every member's own")
        if any(n in families for t in game.teams for n, _ in t.members) or any(n in families for n, _ in game.committed):
            raise Unrepresentable("its members are in a team, or announce a policy")

    def checked(self, game: Game) -> None:
        """Nobody decides on how many others do what; what is paid is linear in what stands for many."""
        dependence = Dependence(game)
        counts = {s.name for s in game.sites if isinstance(s, Others)}
        copies = {s.name for s in game.sites if isinstance(s, (Random, Decision)) and self.varies(s.name)}
        many = counts | set(self.members.linear)
        if game.block is not None and many:
            raise Unrepresentable("in stages, its members' acts are finite or differ by draws of their own")
        for s in game.sites:
            if isinstance(s, (Decision, Random)) and dependence.ancestors[s.name] & many:
                raise Unrepresentable(f"{s.name} follows what several of its members do")
        texts = [("a payment", e) for s in game.sites if isinstance(s, Payment) for e in (s.cost, *s.guards)]
        texts += [(f"the measure {m.name}", m.value) for m in game.measures] + [(p.label, p.quantity) for p in game.published]
        for name, e in texts:
            why = nonlinear(dependence, e, frozenset(self.members.linear), frozenset(counts | copies))
            if why is not None:
                raise Unrepresentable(f"{name} is not linear in {why}")

    def varies(self, copy: str) -> bool:
        """Whether a site of the copy is other than that of the rest of the others."""
        name, two = copy.rsplit("[", 1) if copy.endswith("[2]") else (copy, "")
        return bool(two) and name in self.members.looped and not self.members.alike(name)

    # ------------------------------------------------------------ sites

    def site(self, s: Site) -> None:
        if isinstance(s, Payment):
            self.payment(s)
        elif not s.axes:
            self.put(self.rewritten(s, s.name, {}))
        else:
            for member in (1, 2):
                name = f"{s.name}[{member}]"
                try:
                    self.put(self.rewritten(replace(s, axes=()), name, {s.axes[0].name: member}))
                except Unrepresentable as why:
                    if member == 1 or not isinstance(s, Let):
                        raise
                    self.members.broken[name] = str(why)  # it may be that nobody asks for it
            if isinstance(s, Decision) and s.finite:
                self.count(s)

    def put(self, s: Site) -> None:
        """A site, after those that were made on the way."""
        self.sites.extend(self.members.made)
        self.members.made.clear()
        self.sites.append(s)

    def equation(self, e: Equation) -> Equation:
        root = self.members.at(e.root, {})
        assert isinstance(root, Root)
        return replace(e, root=root, guards=tuple(self.members.at(g, {}) for g in e.guards))

    def count(self, d: Decision) -> None:
        """The site of how many of the others take each option."""
        copies = {f"{x}[2]" for x in self.members.looped}
        self.sites.append(Others(others_of(d.name), (), (), d.span, of=f"{d.name}[2]", size=self.members.size(d.name) - 1,
                                 options=d.options, yes_or_no=d.kind == "bool", private=tuple(sorted(copies)), repeated=d.repeated))

    def payment(self, p: Payment) -> None:
        if not p.axes:
            if p.actor.member is not None and p.actor.name in {s.axes[0].family for s in self.members.looped.values()}:
                raise Unrepresentable("one of its members is paid apart from the rest")
            self.put(self.rewritten(p, p.name, {}))
            return
        axis = p.axes[0]
        if p.actor.member is not None:
            self.put(self.rewritten(replace(p, axes=(), actor=Actor(p.actor.name, ONE)), p.name, {axis.name: 1}))
            return
        total: Expression = p.cost  # paid once for every member by somebody else
        for g in p.guards:
            total = Apply("where", (g, total, ZERO))
        self.put(replace(p, axes=(), guards=(), cost=self.members.fold(Fold("sum", axis, total, None), {})))

    def rewritten(self, s: Site, name: str, places: Places) -> Site:
        change = lambda e: self.members.at(e, places)  # noqa: E731
        guards = tuple(change(g) for g in s.guards)
        if isinstance(s, Random):
            return replace(s, name=name, guards=guards, arguments=tuple(map(change, s.arguments)))
        if isinstance(s, Let):
            return replace(s, name=name, guards=guards, value=change(s.value))
        if isinstance(s, Payment):
            if s.information is not None:
                raise Unrepresentable("information is paid for")
            return replace(s, name=name, guards=guards, cost=change(s.cost))
        if isinstance(s, State):
            return replace(s, first=change(s.first))
        if isinstance(s, Record):
            return s
        assert isinstance(s, Decision)
        member = places.get(next(iter(places), ""), None)
        actor = s.actor if member is None else Actor(s.actor.name, Constant(float(member)))  # type: ignore[arg-type]
        return replace(s, name=name, guards=guards, actor=actor,
                       observations=tuple(replace(o, expression=change(o.expression)) for o in s.observations),
                       low=None if s.low is None else change(s.low), high=None if s.high is None else change(s.high))

    # ------------------------------------------------------------ what is reported

    def told(self, e: Expression, axes: tuple[Axis, ...] = ()) -> Expression:
        """A measure or a plot: a single member that is asked for is the first, as all are alike."""
        looped = self.members.looped
        numbers = {x.indices[0].value for x in walk(e) if isinstance(x, Select) and isinstance(x.base, Reference)
                   and x.base.site in looped and isinstance(x.indices[0], Constant)}
        rest = without_entries(e, looped)
        whole = any(isinstance(x, Fold) or (isinstance(x, Reference) and x.site in looped) for x in walk(rest))
        if len(numbers) == 1 and not whole:
            e = with_first(e, looped)
        return self.members.at(e, {a.name: 1 for a in axes})


def without_entries(e: Expression, looped: Mapping[str, Site]) -> Expression:
    """The expression less what it asks of single members."""
    if isinstance(e, Select) and isinstance(e.base, Reference) and e.base.site in looped and isinstance(e.indices[0], Constant):
        return ONE
    return rebuild(e, lambda c: without_entries(c, looped))


def with_first(e: Expression, looped: Mapping[str, Site]) -> Expression:
    if isinstance(e, Select) and isinstance(e.base, Reference) and e.base.site in looped and isinstance(e.indices[0], Constant):
        return replace(e, indices=(ONE, *e.indices[1:]))
    return rebuild(e, lambda c: with_first(c, looped))
