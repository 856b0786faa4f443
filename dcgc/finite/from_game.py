"""A game as a finite one: draws and decisions made few, information sets from what is seen, payoffs from what is paid.

The tree grows move by move, all histories at once: each is one row of arrays. A finite draw and a finite decision stay as they are. A
continuous draw is N equally likely points, the means of its quantile cells; a bounded real decision N equally spaced acts with both ends
among them; an unbounded one N acts over a range found from the game (``ranges.py``) or given. What stands in a ``when`` is a move only
where its condition holds, and nothing moves after a halt. An information set of a decision is the set of histories in which all that it
knows has equal values: what a player remembers is what ``knowing`` says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

import jax.numpy as jnp
import numpy as np

from ..core.elaborate import WrittenOut, elaborate_written
from ..core.expression import show
from ..core.naming import of_stage, written
from ..core.site import Decision, Game, Random
from ..lower.problem import Problem
from ..lower.world import World
from ..passes.isolated_unknowns import isolated_unknowns
from ..passes.linear_equations import linear_equations
from ..passes.polynomial_integrals import polynomial_integrals
from ..passes.unroll import unroll
from ..semantics.checked import CheckedGame
from ..source import Diagnostic, GameError, Ledger, Span
from .histories import Histories, alike
from .moves import Branches, Ranges, count_of, moves, of_decision, of_draw, seen
from .ranges import found_ranges
from .refusals import refuse
from .tree import CHANCE, FiniteGame, InformationSet, Node, exact, exact_law

MOST_HISTORIES = 200_000
MOST_MEMBERS = 64  # of a loop that is written out
NEVER = 1e-15  # probability below which a branch of nature is left out


@dataclass(frozen=True)
class Shadow:
    """``notes``: what was done to make the game finite, in sentences."""

    game: FiniteGame
    notes: tuple[str, ...]


def finite_game(checked: CheckedGame, points: int, ranges: Ranges | None = None, most: int = MOST_HISTORIES) -> Shadow:
    """The finite shadow of a game. ``points``: N; ``ranges``: least and greatest act by decision (as the text names it; "": of all).

    Raises GameError (F004) for what has no finite tree and (F005), before it is built, for what has more than ``most`` histories.
    """
    ledger = Ledger()
    elaborated = elaborate_written(checked, ledger)
    ledger.raise_errors()
    assert elaborated is not None
    game = unroll(elaborated.game, MOST_MEMBERS)
    refuse(game, checked, ledger)
    ledger.raise_errors()
    for rewrite in (polynomial_integrals, linear_equations, isolated_unknowns):
        game = rewrite(game)
    problem = Problem(elaborated.game, game, {n: jnp.asarray(v, float) for n, v in game.parameters.items()})
    given = dict(ranges or {})
    found = found_ranges(problem, points, given)
    growth = Growth(problem, points, {**found.ranges, **given}, most, elaborated)
    tree = growth.grow()
    return Shadow(tree, (*notes(game, points), *found.notes, *said_of(tree)))


@dataclass
class Growth:
    """The tree while it grows. ``places``: (histories, 2) the node above each open history and the branch that it is."""

    problem: Problem
    points: int
    ranges: Ranges
    most: int
    written: WrittenOut
    sets: list[InformationSet] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)  # information set of every node
    children: list[list[int]] = field(default_factory=list)
    earlier: dict[str, list[tuple[np.ndarray, int]]] = field(default_factory=dict)  # of rules for all stages: what was known, and the set

    def grow(self) -> FiniteGame:
        game = self.problem.game
        self.people = {p: k for k, p in enumerate(self.problem.people)}
        histories = Histories(self.problem, 1)
        places = np.array([[-1, 0]])
        for site in moves(game):
            histories, places = self.step(site, histories, places)
        return self.finished(histories, places)

    def step(self, site: Random | Decision, histories: Histories, places: np.ndarray) -> tuple[Histories, np.ndarray]:
        """One more move in every history in which it is made."""
        world = histories.world()
        alive = self.written.survived.get(of_stage(site.name))
        made = histories.holds(world, site.guards if alive is None else (alive, *site.guards))
        self.check(site.span, site.name, histories.count, int(made.sum()) * count_of(site, self.points) + int((~made).sum()))
        branches = of_draw(site, self.points, histories, world) if isinstance(site, Random) else \
            of_decision(site, self.points, self.ranges, histories, world)
        shape = branches.values.shape[2:]
        if not made.any():
            return histories.grown(np.arange(histories.count), site.name, np.zeros((histories.count, *shape))), places
        possible = self.possible(branches) & made[:, None]
        width = np.where(made, possible.sum(1), 1)
        self.check(site.span, site.name, histories.count, int(width.sum()))
        rows = np.repeat(np.arange(histories.count), width)
        taken = np.nonzero(np.where(made[:, None], possible, np.arange(possible.shape[1]) == 0))[1]
        values = np.where(made[rows].reshape(-1, *(1,) * len(shape)), branches.values[rows, taken], 0.0)
        new = places[rows]
        forks = np.nonzero(made & (width > 1))[0]
        if len(forks):
            of_row = self.fork(site, forks, branches, possible, histories, world)
            first = np.concatenate([[0], np.cumsum(width)[:-1]])
            inner = np.arange(len(rows)) - first[rows]
            forked = of_row[rows] >= 0
            for row in forks:
                self.attach(places[row], int(of_row[row]))
            new[forked] = np.stack([of_row[rows], inner], 1)[forked]
        return histories.grown(rows, site.name, values), new

    def possible(self, branches: Branches) -> np.ndarray:
        """(histories, branches) those that are taken with a positive probability, and of acts with the same value the first."""
        if branches.weights is not None:
            return branches.weights > NEVER
        values = branches.values.reshape(*branches.values.shape[:2], -1)
        new = np.ones(values.shape[:2], bool)
        if branches.labels is None and values.shape[1] > 1:  # an interval may have no width
            new[:, 1:] = np.any(values[:, 1:] != values[:, :1], -1)
        return new

    def fork(self, site: Random | Decision, forks: np.ndarray, branches: Branches, possible: np.ndarray, histories: Histories,
             world: World) -> np.ndarray:
        """(histories,) the new node of each history that forks, -1 elsewhere; information sets are made on the way."""
        known = [possible] if isinstance(site, Random) else [possible, *(histories.value(world, e) for e in seen(site))]
        if branches.labels is None:  # acts and points are part of what is seen: they are called by their values
            known = [*known, branches.values]
        if branches.weights is not None:
            known = [*known, branches.weights]
        facts = np.concatenate([np.asarray(k, float)[forks].reshape(len(forks), -1) for k in known], 1)
        before = self.before(site, facts.shape[1])
        codes = alike([np.concatenate([*(x[None] for x, _ in before), facts])], len(before) + len(forks))
        out = np.full(histories.count, -1)
        sets: dict[int, int] = {int(c): s for c, (_, s) in zip(codes, before, strict=False)}
        codes = codes[len(before):]
        for code, row in zip(codes, forks, strict=True):
            if code not in sets:
                sets[code] = len(self.sets)
                self.sets.append(self.information_set(site, branches, possible[row], int(row), histories, world, len(sets)))
                self.earlier.setdefault(rule_of(site.name), []).append((facts[list(forks).index(row)], sets[code]))
            out[row] = len(self.owners)
            self.owners.append(sets[code])
            self.children.append([-1] * int(possible[row].sum()))
        return out

    def before(self, site: Random | Decision, width: int) -> list[tuple[np.ndarray, int]]:
        """What was known at the information sets of earlier stages that obey the same rule."""
        rule = rule_of(site.name)
        if not isinstance(site, Decision) or not {of_stage(rule), of_stage(rule).removeprefix("sent(").rstrip(")")} & self.written.shared:
            return []
        return [(x, s) for x, s in self.earlier.get(rule, ()) if len(x) == width]

    def information_set(self, site: Random | Decision, branches: Branches, possible: np.ndarray, row: int, histories: Histories,
                        world: World, number: int) -> InformationSet:
        options = np.nonzero(possible)[0]
        labels = branches.labels or tuple(shown(v) for v in branches.values[row])
        actions = distinct([labels[k] for k in options])
        if isinstance(site, Random):
            assert branches.weights is not None
            weights = branches.weights[row, options]
            return InformationSet(CHANCE, site.name, actions, exact_law(weights / weights.sum()))
        facts = [f"{show(e)} = {shown(histories.value(world, e)[row])}" for e in seen(site)]
        label = f"{site.name} | {', '.join(facts)}" if facts else site.name
        return InformationSet(self.people[self.problem.decider(site)], label if len(label) < 120 else f"{site.name} #{number}", actions)

    def attach(self, place: np.ndarray, node: int) -> None:
        if place[0] >= 0:
            self.children[int(place[0])][int(place[1])] = node

    def check(self, span: Span, name: str, before: int, after: int) -> None:
        """Refuse a move that makes too many histories, before they are made."""
        if after > self.most:
            raise GameError((Diagnostic(
                "F005", f"{before} histories come to `{name}`, and {after} leave it: more than {self.most}", span,
                f"lower --grid (now {self.points}), or stages and members with --set"),))

    def finished(self, histories: Histories, places: np.ndarray) -> FiniteGame:
        """The tree with its ends and what everybody gets there."""
        game = self.problem.game
        world = histories.world()
        columns = []
        for person in self.people:
            cost = np.asarray(histories.cost(world, person), float).reshape(histories.count)
            if not np.all(np.isfinite(cost)):
                bad = int(np.nonzero(~np.isfinite(cost))[0][0])
                where = "; ".join(f"{k} = {shown(v[bad])}" for k, v in histories.values.items())
                span = next((p.span for p in self.problem.pays(person)), game.sites[0].span)
                raise GameError((Diagnostic("F004", f"what {person.label} pays is no number where {where}"[:300], span,
                                            "bound the decision, or lower the range with --range"),))
            columns.append(cost)
        known: dict[float, Fraction] = {}

        def gain(cost: float) -> Fraction:
            if cost not in known:
                known[cost] = exact(-cost) if abs(cost) > 1e-14 else Fraction(0)
            return known[cost]

        payoffs = [tuple(gain(float(c)) for c in row) for row in np.stack(columns, 1)] if columns else [()] * histories.count
        inner = len(self.owners)
        for k, place in enumerate(places):
            self.attach(place, inner + k)
        nodes = [Node(s, tuple(c)) for s, c in zip(self.owners, self.children, strict=True)]
        ends = [Node(None, (), p) for p in payoffs]
        players = tuple(p.label for p in self.people)
        comment = f"made by dcgc export from {game.name}, with {self.points} points for what is continuous"
        return FiniteGame(game.title or game.name, players, tuple(self.sets), (*nodes, *ends), comment)


def rule_of(name: str) -> str:
    """The name of a decision without its stage: ``q[2]`` of ``q@3[2]``."""
    return re.sub(r"@[0-9.]+", "", name)


def distinct(labels: list[str]) -> tuple[str, ...]:
    """Labels of which no two are alike."""
    if len(set(labels)) == len(labels):
        return tuple(labels)
    return tuple(f"{x} ({k + 1})" for k, x in enumerate(labels))


def shown(value: np.ndarray) -> str:
    """A value in a label."""
    flat = np.asarray(value, float).reshape(-1)
    return f"{flat[0] + 0.0:.6g}" if flat.size == 1 else "[" + " ".join(f"{x + 0.0:.4g}" for x in flat) + "]"


def notes(game: Game, points: int) -> list[str]:
    """What was made finite, in sentences."""
    out = []
    drawn = sorted({written(s.name) for s in moves(game) if isinstance(s, Random) and count_of(s, points) > 1})
    if drawn:
        out.append(f"{', '.join(drawn)}: {points} equally likely points, the means of the quantile cells")
    acts = sorted({written(d.name) for d in game.decisions if d.kind == "real" and d.low is not None and d.high is not None})
    if acts:
        out.append(f"{', '.join(acts)}: {points} equally spaced acts, both ends among them")
    pure = sorted({written(d.name) for d in game.decisions if not d.mixed})
    if pure:
        out.append(f"{', '.join(pure)}: a rule without a draw in the text; here everybody may mix")
    symmetric = [p.name for p in game.players if p.symmetric]
    if symmetric:
        out.append(f"{', '.join(symmetric)}: each member is a player, free to play otherwise than the others")
    return out


def said_of(tree: FiniteGame) -> list[str]:
    """Size and recall."""
    personal = sum(s.player != CHANCE for s in tree.sets)
    out = [f"{len(tree.terminals)} histories, {len(tree.nodes)} nodes, {personal} information sets"]
    if tree.absent_minded is not None:
        s = tree.sets[tree.absent_minded]
        out.append(f"{tree.players[s.player]} is absent-minded: one play passes \"{s.label}\" twice")
    if tree.forgetful:
        out += [f"{tree.players[p]} has imperfect recall: at \"{tree.sets[s].label}\" it does not know all that it knew and did before"
                for p, s in sorted(tree.forgetful.items())]
    else:
        out.append("every player has perfect recall")
    return out



