"""Strategic relevance: whose policy must be known to choose whose, and which observations matter.

Koller and Milch (2003): decision D' is s-reachable from D if, with a further parent added to D', that parent is not d-separated from
some utility of D's that D moves, given D and what D knows. Then the policy of D' can matter to the choice of D's. The strongly connected
components of that relation, in order, are what can be solved one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .diagram import InfluenceDiagram, members
from .separation import Reached, rolled


@dataclass(frozen=True)
class Relevance:
    """All that d-separation says about each decision of a diagram. Decisions go by their number among decisions, nodes by theirs."""

    diagram: InfluenceDiagram
    reached: Reached
    inferring: Reached  # where what is inferred counts as known, too

    @property
    def decisions(self) -> tuple[int, ...]:
        return self.diagram.decisions

    @cached_property
    def _relied(self) -> tuple[int, ...]:
        """Of each decision the set of others to which its policy can matter."""
        return tuple(self.inferring.risen[d] & ~(1 << q) for q, d in enumerate(self.decisions))

    @cached_property
    def _relevant(self) -> tuple[int, ...]:
        return transposed(self._relied)

    def relevant(self, decision: int) -> tuple[int, ...]:
        """The decisions that are s-reachable from one: their policies can matter to its choice."""
        return tuple(members(self._relevant[decision]))

    def requisite(self, decision: int) -> tuple[int, ...]:
        """The nodes that a decision sees and that can matter to it (Lauritzen and Nilsson 2001)."""
        return tuple(p for p in self.diagram.parents[self.decisions[decision]] if self.reached.at(p) >> decision & 1)

    @cached_property
    def components(self) -> tuple[tuple[int, ...], ...]:
        """Sets of decisions that must be solved together, in an order in which each can be solved when those before it are."""
        return strong_components(self._relevant, self._relied)

    def informative(self, decision: int) -> tuple[int, ...]:
        """The nodes that a decision does not know, none of them after it, that would be worth knowing: candidates for a value of
        information."""
        d = self.decisions[decision]
        after, known = self.diagram.descendants[d] | 1 << d, set(self.diagram.parents[d])
        return tuple(k for k, node in enumerate(self.diagram.nodes)
                     if node.kind != "utility" and k not in known and not after >> k & 1 and self.inferring.at(k) >> decision & 1)

    def irrelevant(self) -> tuple[tuple[int, int], ...]:
        """Arcs (observation, decision), by nodes, that cannot matter."""
        return tuple((p, d) for q, d in enumerate(self.decisions) for p in self.diagram.parents[d] if not self.reached.at(p) >> q & 1)


def relevance(diagram: InfluenceDiagram, deterministic: bool = True, inferred: Mapping[int, int] | None = None) -> Relevance:
    """Strategic relevance of a diagram as it is. ``inferred``: of a decision's node the set of nodes that follow from what it sees."""
    start = [diagram.movers[k] if node.kind == "utility" else 0 for k, node in enumerate(diagram.nodes)]
    known = [0] * len(diagram.nodes)
    for q, d in enumerate(diagram.decisions):
        for p in (d, *diagram.parents[d]):
            known[p] |= 1 << q
    reached = rolled(diagram, start, known, deterministic)
    if not inferred or not any(inferred.values()):
        return Relevance(diagram, reached, reached)
    for q, d in enumerate(diagram.decisions):
        for k in members(inferred.get(d, 0)):
            known[k] |= 1 << q
    return Relevance(diagram, reached, rolled(diagram, start, known, deterministic))


def reduced(diagram: InfluenceDiagram, deterministic: bool = True) -> tuple[InfluenceDiagram, tuple[tuple[str, str], ...]]:
    """The diagram without observations that cannot matter, again and again until all that are left can; and the (observation, decision)
    pairs that went, in order."""
    gone: list[tuple[str, str]] = []
    while True:
        dropped = relevance(diagram, deterministic).irrelevant()
        if not dropped:
            return diagram, tuple(gone)
        gone.extend((diagram.nodes[p].name, diagram.nodes[d].name) for p, d in dropped)
        diagram = diagram.without(dropped)


def controllable(diagram: InfluenceDiagram, owners: frozenset[str]) -> tuple[int, ...]:
    """Nodes that are no decision and lie before a utility of these owners: candidates for a value of control (Everitt et al. 2021,
    Theorem 14), to be asked of the reduced diagram."""
    before = 0
    for u in diagram.utilities:
        if diagram.nodes[u].owners & owners:
            before |= diagram.ancestors[u]
    return tuple(k for k in members(before) if diagram.nodes[k].kind in ("chance", "deterministic"))


def transposed(rows: Sequence[int]) -> tuple[int, ...]:
    """A relation the other way round: a square table of bits, row by row."""
    size = len(rows)
    if not size:
        return ()
    if size <= 64:  # without numpy, which a small game need not wait for
        return tuple(sum((rows[i] >> j & 1) << i for i in range(size)) for j in range(size))
    import numpy as np

    width = (size + 7) // 8
    table = np.frombuffer(b"".join(row.to_bytes(width, "little") for row in rows), np.uint8).reshape(size, width)
    bits = np.unpackbits(table, axis=1, bitorder="little")[:, :size]
    turned = np.packbits(bits.T, axis=1, bitorder="little")
    return tuple(int.from_bytes(row.tobytes(), "little") for row in turned)


def strong_components(successors: Sequence[int], predecessors: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Strongly connected components of a relation, each after all that it leads to (Kosaraju's two searches, on sets of bits)."""
    left = (1 << len(successors)) - 1
    finished: list[int] = []
    while left:
        stack = [(left & -left).bit_length() - 1]
        left &= ~(1 << stack[-1])
        while stack:
            if following := predecessors[stack[-1]] & left:
                stack.append((following & -following).bit_length() - 1)
                left &= ~(1 << stack[-1])
            else:
                finished.append(stack.pop())
    left = (1 << len(successors)) - 1
    out = []
    for root in reversed(finished):
        if not left >> root & 1:
            continue
        component, waiting = 0, 1 << root
        while waiting:
            k = (waiting & -waiting).bit_length() - 1
            component |= 1 << k
            left &= ~(1 << k)
            waiting = (waiting | successors[k]) & left
        out.append(tuple(members(component)))
    return tuple(out)
