"""Reads Gambit's .efg format, version 2. The file is not trusted: everything in it is checked, and bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from ..source import Source, Span
from .efg_tokens import Token, fail, number, tokens
from .tree import CHANCE, FiniteGame, InformationSet, Node

MOST_NODES = 200_000
MOST_DEPTH = 500
MOST_PLAYERS = 64
NEARLY_ONE = Fraction(1, 10_000)  # files with rounded probabilities are put right

TOO_LARGE = "F002"


@dataclass
class Open:
    """A node that waits for its children."""

    number: int
    wanted: int
    children: list[int] = field(default_factory=list)


class Reader:
    """One pass over the tokens; nodes come depth first."""

    def __init__(self, source: Source):
        self.stream = tokens(source)
        self.next = next(self.stream)
        self.sets: list[InformationSet] = []
        self.known: dict[tuple[int, int], int] = {}  # (player, number in the file) -> information set
        self.outcomes: dict[int, tuple[str, tuple[Fraction, ...]]] = {}
        self.nodes: list[tuple[int | None, tuple[Fraction, ...], str]] = []
        self.children: list[list[int]] = []

    # ------------------------------------------------------------ tokens

    def take(self, kind: str, what: str) -> Token:
        token = self.next
        if token.kind != kind:
            raise fail(f"{what} is expected here, not {token.text[:40]!r}", token.span)
        self.next = next(self.stream, token)
        return token

    def string(self, what: str) -> str:
        return self.take("string", f"{what} in quotes").text

    def whole(self, what: str) -> tuple[int, Span]:
        token = self.take("number", what)
        value = number(token)
        if value.denominator != 1 or value < 0:
            raise fail(f"{what} is a whole number", token.span)
        return int(value), token.span

    # ------------------------------------------------------------ the file

    def game(self) -> FiniteGame:
        head = self.take("word", "`EFG`")
        if head.text != "EFG":
            hint = "`dcgc import` reads games in extensive form" if head.text == "NFG" else ""
            raise fail("an .efg file begins with `EFG 2 R`", head.span, hint)
        version, span = self.whole("the version of the format")
        if version != 2:
            raise fail(f"version {version} of the format is not read, only version 2", span)
        kind = self.take("word", "`R`")
        if kind.text not in ("R", "D"):
            raise fail("numbers are of kind `R` or `D`", kind.span)
        title = self.string("the title")
        self.take("{", "`{` before the names of the players")
        players: list[str] = []
        while self.next.kind == "string":
            players.append(self.string("a player"))
            if len(players) > MOST_PLAYERS:
                raise fail(f"more than {MOST_PLAYERS} players", self.next.span, code=TOO_LARGE)
        if not players:
            raise fail("there are no players", self.next.span, "name them in quotes")
        self.players = tuple(players)
        self.take("}", "`}` after the names of the players")
        comment = self.string("a comment") if self.next.kind == "string" else ""
        self.tree()
        if self.next.kind != "end":
            raise fail("the tree is complete, and the file goes on", self.next.span, "every node but the ends has as many nodes as actions")
        nodes = tuple(Node(s, tuple(c), p, o) for (s, p, o), c in zip(self.nodes, self.children, strict=True))
        return FiniteGame(title, self.players, tuple(self.sets), nodes, comment)

    def tree(self) -> None:
        waiting: list[Open] = []
        while True:
            place = self.next.span
            if len(self.nodes) >= MOST_NODES:
                raise fail(f"more than {MOST_NODES} nodes", place, code=TOO_LARGE)
            wanted = self.node()
            here = len(self.nodes) - 1
            if waiting:
                waiting[-1].children.append(here)
            if wanted:
                waiting.append(Open(here, wanted))
                if len(waiting) > MOST_DEPTH:
                    raise fail(f"a play of more than {MOST_DEPTH} moves", place, code=TOO_LARGE)
            while waiting and len(waiting[-1].children) == waiting[-1].wanted:
                done = waiting.pop()
                self.children[done.number] = done.children
            if not waiting:
                return

    def node(self) -> int:
        """Read one node; returns how many children it has."""
        kind = self.take("word", "a node: `c`, `p` or `t`")
        if kind.text not in ("c", "p", "t"):
            raise fail(f"a node is `c` (chance), `p` (a player) or `t` (the end), not `{kind.text[:40]}`", kind.span)
        self.string("the node's label")
        information = None if kind.text == "t" else self.move(kind.text == "c")
        payoffs, outcome = self.outcome()
        self.nodes.append((information, payoffs, outcome))
        self.children.append([])
        return 0 if information is None else len(self.sets[information].actions)

    def move(self, chance: bool) -> int:
        """The information set of a node, made on its first mention."""
        player = CHANCE
        if not chance:
            which, span = self.whole("the number of a player")
            if not 1 <= which <= len(self.players):
                raise fail(f"there is no player {which}: there are {len(self.players)}", span)
            player = which - 1
        identity, span = self.whole("the number of an information set")
        label = self.string("a name") if self.next.kind == "string" else ""
        key = (player, identity)
        if self.next.kind != "{":
            if key not in self.known:
                raise fail(f"information set {identity} is new here: its actions are missing", span,
                           'write them after its name: { "a" "b" }')
            return self.known[key]
        actions, weights = self.actions(chance)
        if key in self.known:
            before = self.sets[self.known[key]]
            if len(before.actions) != len(actions) or (chance and before.probabilities != weights):
                raise fail(f"information set {identity} has other actions than before", span)
            return self.known[key]
        self.known[key] = len(self.sets)
        self.sets.append(InformationSet(player, label, actions, weights))
        return self.known[key]

    def actions(self, chance: bool) -> tuple[tuple[str, ...], tuple[Fraction, ...]]:
        start = self.take("{", "`{` before the actions")
        names: list[str] = []
        weights: list[Fraction] = []
        while self.next.kind == "string":
            names.append(self.string("an action"))
            if chance:
                token = self.take("number", "the probability of this action")
                weights.append(number(token))
                if weights[-1] < 0:
                    raise fail("a probability below 0", token.span)
        end = self.take("}", "an action or `}`")
        if not names:
            raise fail("a move without actions", start.span.to(end.span))
        total = sum(weights, Fraction(0))
        if chance and abs(total - 1) > NEARLY_ONE:
            raise fail(f"these probabilities sum to {float(total):g}, not to 1", start.span.to(end.span))
        return tuple(names), tuple(w / total for w in weights)

    def outcome(self) -> tuple[tuple[Fraction, ...], str]:
        identity, span = self.whole("the number of an outcome (0: none)")
        named = self.next.kind == "string"
        label = self.string("a name") if named else ""
        if self.next.kind == "{":
            start = self.take("{", "`{`")
            payoffs: list[Fraction] = []
            while self.next.kind in ("number", ","):
                if self.next.kind == ",":
                    self.take(",", "`,`")
                    continue
                payoffs.append(number(self.next))
                self.take("number", "a payoff")
            end = self.take("}", "a payoff or `}`")
            if len(payoffs) != len(self.players):
                raise fail(f"{len(payoffs)} payoffs for {len(self.players)} players", start.span.to(end.span))
            if identity == 0:
                return tuple(payoffs) if any(payoffs) else (), label
            before = self.outcomes.get(identity)
            if before is not None and before[1] != tuple(payoffs):
                raise fail(f"outcome {identity} pays something else than before", span)
            self.outcomes[identity] = (label, tuple(payoffs))
        elif identity == 0:
            return (), ""
        elif identity not in self.outcomes:
            raise fail(f"outcome {identity} is new here: its payoffs are missing", span, "write them after its name: { 1, -1 }")
        found = self.outcomes[identity]
        return found[1], found[0]


def read_efg(source: Source) -> FiniteGame:
    """The game of a file. Raises GameError (F001, F002) with the place of what is wrong."""
    return Reader(source).game()
