"""A finite game in extensive form, as a table of nodes (Kuhn 1953, Contributions to the Theory of Games II).

Nodes stand before their children, so that every walk over the tree is a loop and no depth is too deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

CHANCE = -1


@dataclass(frozen=True)
class InformationSet:
    """What a mover cannot tell apart. ``player``: its number from 0, or ``CHANCE``; ``probabilities``: of chance's actions, sum 1."""

    player: int
    label: str
    actions: tuple[str, ...]
    probabilities: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class Node:
    """``information``: the number of its information set (None: the play is over). ``children``: a node for each action. ``payoffs``: what
    every player gets on reaching it (): nothing. ``outcome``: what that is called."""

    information: int | None
    children: tuple[int, ...] = ()
    payoffs: tuple[Fraction, ...] = ()
    outcome: str = ""


@dataclass(frozen=True)
class FiniteGame:
    """``nodes[0]`` is the root; every child has a greater number than its parent."""

    title: str
    players: tuple[str, ...]
    sets: tuple[InformationSet, ...]
    nodes: tuple[Node, ...]
    comment: str = ""

    @cached_property
    def terminals(self) -> tuple[int, ...]:
        return tuple(k for k, n in enumerate(self.nodes) if n.information is None)

    @cached_property
    def parents(self) -> tuple[tuple[int, int] | None, ...]:
        """Of every node the one above it and the action that leads here; None for the root."""
        out: list[tuple[int, int] | None] = [None] * len(self.nodes)
        for k, n in enumerate(self.nodes):
            for a, child in enumerate(n.children):
                out[child] = (k, a)
        return tuple(out)

    @cached_property
    def totals(self) -> tuple[tuple[Fraction, ...], ...]:
        """What every player has got by the time a node is reached, that node's own payoffs among it."""
        nothing = (Fraction(0),) * len(self.players)
        out: list[tuple[Fraction, ...]] = [nothing] * len(self.nodes)
        for k, n in enumerate(self.nodes):
            before = self.parents[k]
            so_far = nothing if before is None else out[before[0]]
            out[k] = tuple(a + b for a, b in zip(so_far, n.payoffs, strict=True)) if n.payoffs else so_far
        return tuple(out)

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """The nodes of every information set."""
        out: list[list[int]] = [[] for _ in self.sets]
        for k, n in enumerate(self.nodes):
            if n.information is not None:
                out[n.information].append(k)
        return tuple(map(tuple, out))

    def path(self, node: int) -> tuple[tuple[int, int], ...]:
        """The moves that lead to a node: (node, action), the first first."""
        out = []
        step = self.parents[node]
        while step is not None:
            out.append(step)
            step = self.parents[step[0]]
        return tuple(reversed(out))

    def reach(self, behaviour: Sequence[Sequence[float]]) -> np.ndarray:
        """(nodes,) probability of reaching each node. ``behaviour``: by information set the probabilities of its actions (chance's own
        are taken from the game)."""
        out = np.zeros(len(self.nodes))
        out[0] = 1.0
        for k, n in enumerate(self.nodes):
            if n.information is None:
                continue
            s = self.sets[n.information]
            law = list(map(float, s.probabilities)) if s.player == CHANCE else behaviour[n.information]
            for child, p in zip(n.children, law, strict=True):
                out[child] = out[k] * p
        return out

    def expected(self, behaviour: Sequence[Sequence[float]]) -> np.ndarray:
        """(players,) expected payoffs under a profile of behaviour strategies."""
        reach = self.reach(behaviour)
        ends = np.array([[float(x) for x in self.totals[k]] for k in self.terminals])
        return reach[list(self.terminals)] @ ends

    @cached_property
    def absent_minded(self) -> int | None:
        """An information set through which one play passes twice, else None (Piccione and Rubinstein 1997)."""
        for k, n in enumerate(self.nodes):
            step = self.parents[k]
            while step is not None and n.information is not None:
                if self.nodes[step[0]].information == n.information and self.sets[n.information].player != CHANCE:
                    return n.information
                step = self.parents[step[0]]
        return None

    @cached_property
    def forgetful(self) -> dict[int, int]:
        """By player without perfect recall an information set at which it forgets: its nodes lie behind different acts of its own, or
        different information sets (Kuhn 1953)."""
        own: list[dict[int, int]] = [{} for _ in self.nodes]  # by player the number of its sequence
        sequences: dict[tuple[int, int, int], int] = {}
        for k, n in enumerate(self.nodes):
            for a, child in enumerate(n.children):
                assert n.information is not None
                player = self.sets[n.information].player
                own[child] = own[k]
                if player != CHANCE:
                    key = (own[k].get(player, 0), n.information, a)
                    own[child] = {**own[k], player: sequences.setdefault(key, len(sequences) + 1)}
        out: dict[int, int] = {}
        for s, nodes in enumerate(self.members):
            player = self.sets[s].player
            if player != CHANCE and len({own[k].get(player, 0) for k in nodes}) > 1:
                out.setdefault(player, s)
        return out


def exact(value: float) -> Fraction:
    """A float as a ratio: the simplest within 1e-13 (relative) if its denominator is small, else its twelve digits."""
    simple = Fraction(value).limit_denominator(10_000)
    return simple if abs(float(simple) - value) <= 1e-13 * abs(value) else Fraction(f"{value:.12g}")


def exact_law(weights: Sequence[float]) -> tuple[Fraction, ...]:
    """Probabilities as ratios that sum to one exactly: what rounding leaves goes to the likeliest."""
    law = [exact(float(w)) for w in weights]
    top = max(range(len(law)), key=law.__getitem__)
    law[top] += 1 - sum(law)
    return tuple(law)


def written(value: Fraction) -> str:
    """A number as every program reads it: a short decimal where that is exact, else a ratio."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if value.denominator == 1:
        return str(value.numerator)
    if rest != 1 or value.denominator > 10**14:
        return f"{value.numerator}/{value.denominator}"
    places = next(p for p in range(1, 64) if (value * 10**p).denominator == 1)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
