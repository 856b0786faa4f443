"""A finite tree as the text of a game: draws, decisions with what they know, payments where a play ends."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import product

from ..source import Source, Span
from .efg_tokens import fail
from .grouping import Place, Plan, grouped
from .names import Names, labels
from .tree import CHANCE, FiniteGame, written

MOST_PLACES = 400
MOST_ENDS = 4000
MOST_CELLS = 144  # of a table of payoffs
Literal = tuple[int, int]


def to_text(game: FiniteGame, source: Source | None = None) -> str:
    """The text of a game. ``source``: the file it comes from, for diagnostics. Raises GameError (F002, F003)."""
    source = source or Source("game", "")
    place = Span(source, 0, min(3, len(source.text)))
    if len(game.terminals) > MOST_ENDS:
        raise fail(f"{len(game.terminals)} ends are too many for a text: at most {MOST_ENDS}", place, code="F002")
    if game.absent_minded is not None and len(game.sets[game.absent_minded].actions) > 1:
        s = game.sets[game.absent_minded]
        raise fail(f"one play passes the information set {s.label!r} of {game.players[s.player]} twice (absent-mindedness)", place,
                   "one rule for several moments is a decision of a `stage` that does not know the stage: write that by hand", "F003")
    plan = grouped(game)
    if len(plan.places) > MOST_PLACES:
        raise fail(f"{len(plan.places)} draws and decisions are too many for a text: at most {MOST_PLACES}", place, code="F002")
    if all(p.player == CHANCE for p in plan.places):
        raise fail("nobody has a choice in this game", place, "a text needs a decision", "F003")
    return "\n".join(Writer(plan).lines()) + "\n"


class Writer:
    """``ends``: of every literal (place, action) the plays, as bits, in which it holds; ``plays``: of every place those that pass it."""

    def __init__(self, plan: Plan):
        self.plan, self.game = plan, plan.game
        game, names = plan.game, Names()
        self.labels = [labels(p.actions) if p.player != CHANCE else None for p in plan.places]
        names.taken |= {x for own in self.labels for x in own or ()}
        self.title = names.give("".join(w[:1].upper() + w[1:] for w in re.findall(r"\w+", game.title.replace("'", ""))), "Imported")
        self.players = [names.give(p, f"Player{k + 1}") for k, p in enumerate(game.players)]
        self.names = [names.give(self.stem(p), "chance" if p.player == CHANCE else f"move_{self.players[p.player]}") for p in plan.places]
        self.ends: dict[Literal, int] = {}
        self.plays = [0] * len(plan.places)
        for bit, t in enumerate(game.terminals):
            for step in plan.steps[t]:
                self.ends[step] = self.ends.get(step, 0) | 1 << bit
                self.plays[step[0]] |= 1 << bit
        self.everything = (1 << len(game.terminals)) - 1
        self.bit = {t: 1 << k for k, t in enumerate(game.terminals)}

    def stem(self, p: Place) -> str:
        """What the sets of a place are called in common."""
        stems = {re.sub(r" \([0-9]+\)$", "", self.game.sets[s].label.split("|")[0].strip()) for s in p.sets}
        stem = stems.pop() if len(stems) == 1 else ""
        return "" if re.fullmatch(r"\([0-9]+,[0-9]+\)", stem) else stem  # Gambit's own numbers say nothing

    # ------------------------------------------------------------ the text

    def lines(self) -> Iterator[str]:
        title = " ".join(self.game.title.replace('"', "'").replace("\\", "/").split())
        yield f"game {self.title}" + (f' "{printable(title)}"' if title else "")
        yield f"player {', '.join(self.players)}"
        paid = list(self.payments())
        spoken = set(re.findall(r"\w+", " ".join(paid)))
        for k, p in enumerate(self.plan.places):
            spoken |= {self.names[x] for x in p.knowing} | {self.names[x] for x in (p.given,) if x is not None}
            spoken |= set(re.findall(r"\w+", "" if p.free else self.condition(self.plays[k], k)))
        yield from self.places(spoken)
        yield from paid

    def places(self, spoken: Container[str]) -> Iterator[str]:
        """Draws and decisions; those under one condition that follow each other share its block. Draws that nothing else speaks of are left
        out: nobody sees them and nothing is paid on them."""
        last = ""
        for k in sorted(range(len(self.plan.places)), key=lambda k: not self.plan.places[k].free):
            p = self.plan.places[k]
            if p.player == CHANCE and self.names[k] not in spoken:
                continue
            condition = "" if p.free else self.condition(self.plays[k], k)
            if condition != last:
                yield from ["}"] if last else []
                yield from [f"when {condition} {{"] if condition else []
            last = condition
            margin = "  " if condition else ""
            if p.free:
                yield f"# {self.names[k]} is made at once: where it is reached, others come before it in some plays and after it in others"
            if p.player == CHANCE and p.actions != tuple(str(j + 1) for j in range(len(p.actions))):
                yield f"{margin}# {self.names[k]}: " + ", ".join(f"{j + 1} is {printable(a) or 'unnamed'}" for j, a in enumerate(p.actions))
            yield margin + (self.draw(k, p) if p.player == CHANCE else self.decision(k, p))
        if last:
            yield "}"

    def draw(self, k: int, p: Place) -> str:
        rows = ["[" + ", ".join(map(written, law)) + "]" for law in p.laws]
        if p.given is not None:
            law = f"[{', '.join(rows)}][{self.names[p.given]}]"
        else:
            law = str(len(p.actions)) if len(set(p.laws[0])) == 1 else rows[0]
        return f"random {self.names[k]} ~ Categorical({law})"

    def decision(self, k: int, p: Place) -> str:
        named = self.labels[k]
        options = ", ".join(named) if named else str(len(p.actions))
        known = ", ".join(self.names[x] for x in p.knowing) or "nothing"
        return f"decide {self.names[k]} : Choice({options}) by {self.players[p.player]} knowing {known} mixed"

    def payments(self) -> Iterator[str]:
        """What is paid, for all ends together that pass the same places."""
        for group in self.alike(self.game.terminals, acted=False):
            yield from self.paid(group)

    def alike(self, ends: Sequence[int], acted: bool) -> list[list[int]]:
        """Ends behind the same places; with ``acted`` also behind the same acts, so that they differ in nature's draws alone."""
        groups: dict[object, list[int]] = {}
        for t in ends:
            way = tuple((p, a if acted and self.plan.places[p].player != CHANCE else None) for p, a in self.plan.steps[t])
            groups.setdefault(way, []).append(t)
        return list(groups.values())

    def paid(self, ends: list[int]) -> Iterator[str]:
        """Tables of what is paid at some ends behind the same places, under the condition that singles them out; of parts of them, where
        none does or a table would be large."""
        condition = self.joint(ends)
        tables = [self.table(q, ends, [p for p, _ in self.plan.steps[ends[0]]]) for q in range(len(self.players))]
        if condition is None or any(t is None for t in tables):
            parts = self.alike(ends, acted=True)
            for part in parts if len(parts) > 1 else [[t] for t in ends]:
                yield from self.paid(part)
            return
        statements = [f"payoff {p} = {t}" for p, t in zip(self.players, tables, strict=True) if t != "0"]
        if condition and statements:
            yield f"when {self.text(condition)} {{"
            yield from (f"  {s}" for s in statements)
            yield "}"
        else:
            yield from statements

    def table(self, player: int, ends: Sequence[int], by: Iterable[int]) -> str | None:
        """Payoffs at some ends by the places that they depend on, as a nested array and its indices (0 where no play goes); None if it is
        too large."""
        paid = [(dict(self.plan.steps[t]), self.game.totals[t][player]) for t in ends]
        places = list(by)
        for p in list(places):
            rest = [x for x in places if x != p]
            if len({(tuple(s[x] for x in rest), y) for s, y in paid}) == len({tuple(s[x] for x in rest) for s, _ in paid}):
                places = rest
        sizes = [len(self.plan.places[p].actions) for p in places]
        if math.prod(sizes) > MOST_CELLS:
            return None
        cells = {tuple(s[p] for p in places): y for s, y in paid}
        flat = [written(cells.get(case, Fraction(0))) for case in product(*map(range, sizes))]
        for n in reversed(sizes):
            flat = ["[" + ", ".join(flat[i:i + n]) + "]" for i in range(0, len(flat), n)]
        return flat[0] + (f"[{', '.join(self.names[p] for p in places)}]" if places else "")

    # ------------------------------------------------------------ conditions

    def literal(self, step: Literal) -> str:
        place, action = step
        name, named = self.names[place], self.labels[place]
        if self.plan.places[place].player == CHANCE:
            return f"{name} == {action + 1}"
        return f"{name} == {named[action]}" if named else f"{name}[{action + 1}]"

    def holds(self, steps: Iterable[Literal]) -> int:
        """The plays, as bits, in which all of these were taken. What is decided at once (``free``) may be so in any other play."""
        out = self.everything
        for s in steps:
            elsewhere = self.everything & ~self.plays[s[0]] if self.plan.places[s[0]].free else 0
            out &= self.ends.get(s, 0) | elsewhere
        return out

    def shortest(self, steps: list[Literal], target: int) -> list[Literal] | None:
        """As few of the steps as single out the target, the earliest left out first; None if all of them do not."""
        if self.holds(steps) != target:
            return None
        for s in list(steps):
            rest = [x for x in steps if x != s]
            if self.holds(rest) == target:
                steps = rest
        return steps

    def joint(self, ends: Sequence[int]) -> list[Literal] | None:
        """Steps that the ways to some ends share, if they single them out."""
        return self.shared([self.plan.steps[t] for t in ends], sum(self.bit[t] for t in ends))

    def shared(self, paths: Sequence[tuple[Literal, ...]], target: int) -> list[Literal] | None:
        """Steps that all paths share, if they single out the target."""
        common = set(paths[0]).intersection(*paths[1:])
        return self.shortest([s for s in paths[0] if s in common], target)

    def condition(self, target: int, place: int) -> str:
        """When a place is reached, "" for always: what all ways share, else each way by itself."""
        if target == self.everything:
            return ""
        nodes = [k for s in self.plan.places[place].sets for k in self.game.members[s]]
        one = self.shared([self.plan.steps[k] for k in nodes], target)
        if one is not None:
            return self.text(one)
        ways = []
        for k in nodes:
            found = self.shortest(list(self.plan.steps[k]), self.below[k])
            assert found is not None
            ways.append(self.text(found))
        return " or ".join(f"({way})" if " and " in way else way for way in dict.fromkeys(ways))

    @cached_property
    def below(self) -> list[int]:
        """Of every node the plays that pass it, as bits."""
        out = [self.bit.get(k, 0) for k in range(len(self.game.nodes))]
        for k in reversed(range(len(out))):
            before = self.game.parents[k]
            if before is not None:
                out[before[0]] |= out[k]
        return out

    def text(self, steps: list[Literal]) -> str:
        return " and ".join(self.literal(s) for s in steps)


def printable(text: str) -> str:
    """A label in a comment or a title: one line, nothing that acts on a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()[:200]
