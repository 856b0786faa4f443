"""The influence diagram of a game, and what each of its decisions can infer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ..core.expression import Apply, Expression, Reference, references, show
from ..core.folding import number
from ..core.naming import GOING_ON
from ..core.site import Actor, Decision, Game, Let, Payment, Random
from .dependence import mentioned
from .diagram import InfluenceDiagram, Node, diagram
from .inference import Atoms, Form, Knowledge
from .relevance import Relevance, relevance
from .written import Written, written


@dataclass(frozen=True)
class Seen:
    """One thing that a decision knows: how it is written, its form, the sites that it mentions."""

    text: str
    form: Form
    sites: frozenset[str]
    told: bool = False  # by being asked at all (no halt has come), or a condition under which alone all that follows is paid
    guard: bool = False  # the condition of a ``when`` around the decision


@dataclass(frozen=True)
class GameDiagram:
    """A game as an influence diagram. ``written``: the game that it was made from, without loops and stages. ``observations``: of each
    decision what it sees, one entry a thing."""

    written: Written
    diagram: InfluenceDiagram
    atoms: Atoms = field(repr=False)
    observations: dict[str, tuple[Seen, ...]] = field(repr=False)

    @property
    def game(self) -> Game:
        return self.written.game

    @cached_property
    def sites(self) -> dict[str, Decision | Random | Let | Payment]:
        return {s.name: s for s in self.game.sites}  # type: ignore[misc]

    @cached_property
    def _knowledge(self) -> dict[str, Knowledge]:
        return {}

    def knowledge(self, decision: str) -> Knowledge:
        """What follows from what a decision sees."""
        if decision not in self._knowledge:
            # Whoever is paid only where c holds may decide as if it did, but does not know c; that no halt has come it knows.
            seen = [s for s in self.observations[decision] if not s.told or s.text.startswith(GOING_ON)]
            self._knowledge[decision] = Knowledge(self.atoms, [s.form for s in seen], [s.form for s in seen if s.guard])
        return self._knowledge[decision]

    @cached_property
    def relevance(self) -> Relevance:
        """Whose policy matters to whom, what is known counted in with all that follows from it."""
        index = self.diagram.index
        inferred = {index[name]: self.diagram.bits(s for s in self.knowledge(name).sites if s in index) & ~(1 << index[name])
                    for name in self.observations}
        return relevance(self.diagram, True, inferred)

    def act(self, decision: str) -> Form:
        """The form of what is decided."""
        return self.atoms.of_site(decision)

    def player(self, decision: str) -> str:
        """Who decides, with the number of a family's member."""
        return label(self.site_of(decision).actor)

    def site_of(self, decision: str) -> Decision:
        site = self.sites[decision]
        assert isinstance(site, Decision)
        return site


def label(actor: Actor) -> str:
    """A player's name, with its number in a family."""
    if actor.member is None:
        return actor.name
    value = number(actor.member)
    return f"{actor.name}[{show(actor.member) if value is None else round(value)}]"


def game_diagram(game: Game) -> GameDiagram:
    """The influence diagram of a game graph; families and stages are written out, large ones by a few that stand for all."""
    out = written(game)
    flat = out.game
    owners = Owners(flat)
    atoms = Atoms(flat)
    nodes: list[Node] = []
    observations: dict[str, tuple[Seen, ...]] = {}
    reached = going_on(flat, owners)
    made: set[str] = set()  # what is seen and is no site by itself
    for site in flat.sites:
        parents = tuple(sorted(frozenset().union(*(references(e) for e in mentioned(site)), frozenset())))
        if isinstance(site, Random):
            nodes.append(Node(site.name, "chance", parents))
        elif isinstance(site, Let):
            nodes.append(Node(site.name, "deterministic", parents))
        elif isinstance(site, Payment):
            if site.constraint is None:
                if site.information is not None:
                    parents = tuple(sorted({*parents, *references(site.information), *(references(site.price) if site.price else ())}))
                nodes.append(Node(site.name, "utility", parents, None, frozenset({label(site.actor)})))
        else:
            assert isinstance(site, Decision)
            known = []
            for e in seen_by(site):
                name = e.site if isinstance(e, Reference) else show(e)
                if not isinstance(e, Reference) and references(e) and name not in made:
                    made.add(name)
                    nodes.append(Node(name, "deterministic", tuple(sorted(references(e)))))
                if references(e) and atoms.form(e).terms:  # the number of a stage is no variable
                    known.append(name)
            known += reached[site.name]
            nodes.append(Node(site.name, "decision", tuple(dict.fromkeys(known)), label(site.actor), owners.of(site)))
            observations[site.name] = (*(Seen(show(e), atoms.form(e), references(e), guard=k >= len(site.observations))
                                         for k, e in enumerate(seen_by(site))),
                                       *(Seen(g, atoms.of_site(g), frozenset({g}), True) for g in reached[site.name]))
    return GameDiagram(out, diagram(nodes), atoms, observations)


def seen_by(site: Decision) -> tuple[Expression, ...]:
    """What a decision knows, as expressions: its inputs, and the conditions under which it is made."""
    return (*(o.expression for o in site.observations), *site.guards)


def going_on(game: Game, owners: Owners) -> dict[str, tuple[str, ...]]:
    """Of each decision the conditions (no halt so far, ``when``) under which alone all that it can still move is paid: it is decided as if
    they held. Lets that come before it."""
    place = {s.name: k for k, s in enumerate(game.sites)}
    implied: dict[str, frozenset[str]] = {}
    for site in game.sites:
        if isinstance(site, Let):
            factors = [a.site for a in flat_factors(site.value) if isinstance(a, Reference)]
            implied[site.name] = frozenset({site.name}).union(*(implied.get(f, frozenset()) for f in factors))
    guarded: dict[str, list[tuple[int, frozenset[str]]]] = {}
    for p in game.payments:
        if p.constraint is None:
            under = frozenset().union(*(implied.get(g.site, frozenset()) for g in p.guards if isinstance(g, Reference)), frozenset())
            guarded.setdefault(label(p.actor), []).append((place[p.name], under))
    later = {who: after_each(entries) for who, entries in guarded.items()}
    out = {}
    for d in game.decisions:
        found: frozenset[str] | None = None
        for who in owners.of(d):
            for position, under in later.get(who, ()):
                if position > place[d.name]:
                    found = under if found is None else found & under
                    break
        out[d.name] = tuple(sorted((g for g in found or () if place[g] < place[d.name]), key=place.__getitem__))
    return out


def after_each(entries: list[tuple[int, frozenset[str]]]) -> list[tuple[int, frozenset[str]]]:
    """At each payment what all payments from there on have in common."""
    out = []
    common: frozenset[str] | None = None
    for position, under in reversed(entries):
        common = under if common is None else common & under
        out.append((position, common))
    return out[::-1]


def flat_factors(e: Expression) -> list[Expression]:
    """The factors of a product (of a conjunction)."""
    if isinstance(e, Apply) and e.function in ("mul", "and"):
        return [f for a in e.arguments for f in flat_factors(a)]
    return [e]


class Owners:
    """Whose accounts a decision is made for: the player's own, and those of the teams that it is in (Contract, section 2: players in a
    team pay the team's and their own)."""

    def __init__(self, game: Game):
        self.sizes = {p.name: p.size for p in game.players}
        self.teams = [(team.name, frozenset(f"{name}[{k + 1}]" if k is not None else name for name, k in team.members), team.pooled)
                      for team in game.teams]

    def of(self, decision: Decision) -> frozenset[str]:
        own = label(decision.actor)
        out = {own, decision.actor.name} if decision.actor.member is None else {own}
        for name, members, pooled in self.teams:
            if own in members or decision.actor.name in members:
                out.add(name)
                if pooled:
                    out |= members
        return frozenset(out)
