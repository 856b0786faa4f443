"""The influence diagram of a game with several players: who draws, decides and is paid, and what each depends on.

A multi-agent influence diagram (Koller and Milch 2003, Games and Economic Behavior 45): chance nodes (ovals), deterministic nodes
(double ovals), decisions (boxes, whose parents are what is known) and utilities (diamonds). Nodes stand in an order of time in which
parents come first. Sets of nodes are the bits of whole numbers, so that one pass over the arcs answers a question about all
decisions at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

NodeKind = Literal["chance", "deterministic", "decision", "utility"]


@dataclass(frozen=True)
class Node:
    """A variable. ``owners``: of a decision who decides (the member and the teams that share its costs); of a utility who is paid.

    ``parents`` of a decision are its observations. ``player``: the one who decides, under a name of its own.
    """

    name: str
    kind: NodeKind
    parents: tuple[str, ...] = ()
    player: str | None = None
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True)
class InfluenceDiagram:
    """Nodes in an order of time. Raises ValueError if a parent does not come before its child (a cycle, or a name that is not there)."""

    nodes: tuple[Node, ...]
    index: Mapping[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        index: dict[str, int] = {}
        for k, node in enumerate(self.nodes):
            missing = [p for p in node.parents if p not in index]
            if missing:
                raise ValueError(f"{node.name} depends on {missing[0]}, which does not come before it")
            if node.name in index:
                raise ValueError(f"two nodes are called {node.name}")
            index[node.name] = k
        object.__setattr__(self, "index", index)

    # ------------------------------------------------------------ sets as bits

    def bits(self, names: Iterable[str]) -> int:
        """The set of these nodes."""
        out = 0
        for name in names:
            out |= 1 << self.index[name]
        return out

    def names(self, bits: int) -> tuple[str, ...]:
        """The nodes of a set, in order."""
        return tuple(self.nodes[k].name for k in members(bits))

    @cached_property
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """Of each node its parents, by number."""
        return tuple(tuple(dict.fromkeys(self.index[p] for p in node.parents)) for node in self.nodes)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Of each node its children, by number."""
        out: list[list[int]] = [[] for _ in self.nodes]
        for k, above in enumerate(self.parents):
            for p in above:
                out[p].append(k)
        return tuple(tuple(c) for c in out)

    @cached_property
    def ancestors(self) -> tuple[int, ...]:
        """Of each node the set of its ancestors, itself not among them."""
        out: list[int] = []
        for above in self.parents:
            found = 0
            for p in above:
                found |= out[p] | 1 << p
            out.append(found)
        return tuple(out)

    @cached_property
    def descendants(self) -> tuple[int, ...]:
        """Of each node the set of its descendants, itself not among them."""
        out = [0] * len(self.nodes)
        for k in reversed(range(len(self.nodes))):
            for c in self.children[k]:
                out[k] |= out[c] | 1 << c
        return tuple(out)

    @cached_property
    def influence(self) -> tuple[int, ...]:
        """Of each node the set of decisions whose acts reach it without passing through another decision: it is a function of these
        and of nature. The direct influence D_ij != 0 of Ho and Chu (1972)."""
        out: list[int] = []
        for above in self.parents:
            found = 0
            for p in above:
                found |= 1 << p if self.nodes[p].kind == "decision" else out[p]
            out.append(found)
        return tuple(out)

    # ------------------------------------------------------------ kinds

    @cached_property
    def decisions(self) -> tuple[int, ...]:
        return tuple(k for k, node in enumerate(self.nodes) if node.kind == "decision")

    @cached_property
    def utilities(self) -> tuple[int, ...]:
        return tuple(k for k, node in enumerate(self.nodes) if node.kind == "utility")

    @cached_property
    def players(self) -> tuple[str, ...]:
        """Everybody who decides something, in order of the first decision."""
        return tuple(dict.fromkeys(p for k in self.decisions if (p := self.nodes[k].player) is not None))

    @cached_property
    def movers(self) -> tuple[int, ...]:
        """Of each node the set of decisions, by their number among decisions, that it comes after; of a utility only those whose owners
        it is paid to: it is in their U_D (Koller and Milch 2003)."""
        deciders: dict[str, int] = {}
        number = {}
        for q, d in enumerate(self.decisions):
            number[d] = 1 << q
            for owner in self.nodes[d].owners:
                deciders[owner] = deciders.get(owner, 0) | 1 << q
        after: list[int] = []
        for above in self.parents:
            found = 0
            for p in above:
                found |= after[p] | number.get(p, 0)
            after.append(found)
        for u in self.utilities:
            own = 0
            for owner in self.nodes[u].owners:
                own |= deciders.get(owner, 0)
            after[u] &= own
        return tuple(after)

    def without(self, arcs: Iterable[tuple[int, int]]) -> InfluenceDiagram:
        """The diagram without these arcs (parent, child)."""
        dropped = set(arcs)
        return InfluenceDiagram(tuple(
            Node(node.name, node.kind, tuple(p for p in node.parents if (self.index[p], k) not in dropped), node.player, node.owners)
            for k, node in enumerate(self.nodes)))


def members(bits: int) -> Iterator[int]:
    """The numbers in a set, the smallest first."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def diagram(nodes: Sequence[Node]) -> InfluenceDiagram:
    """An influence diagram of nodes in any order, brought into one in which parents come first.

    Raises ValueError, naming a cycle, if there is none.
    """
    by_name = {node.name: node for node in nodes}
    missing = {node.name: len({p for p in node.parents if p in by_name}) for node in nodes}
    children: dict[str, list[str]] = {}
    for node in nodes:
        for p in set(node.parents):
            children.setdefault(p, []).append(node.name)
    done: list[Node] = []
    ready = deque(name for name, count in missing.items() if not count)
    while ready:
        name = ready.popleft()
        done.append(by_name[name])
        for child in children.get(name, ()):
            missing[child] -= 1
            if not missing[child]:
                ready.append(child)
    if len(done) < len(by_name):
        left = {node.name: node.parents for node in nodes if missing[node.name]}
        raise ValueError("no order of time: " + " waits for ".join(cycle(left)))
    return InfluenceDiagram(tuple(done))


def cycle(parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Names along a shortest cycle, the first again at its end; empty if there is none."""
    best: tuple[str, ...] = ()
    for start in parents:
        paths: list[tuple[str, ...]] = [(start,)]
        seen = {start}
        while paths and (not best or len(paths[0]) < len(best) - 1):
            longer = []
            for path in paths:
                for p in parents.get(path[-1], ()):
                    if p == start:
                        found = (*path, start)
                        best = found if not best or len(found) < len(best) else best
                    elif p in parents and p not in seen:
                        seen.add(p)
                        longer.append((*path, p))
            paths = longer
    return best
