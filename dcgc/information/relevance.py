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
from .separation import Reached, bayes_ball


@dataclass(frozen=True)
class Relevance:
    """All that d-separation says about each decision of a diagram, by numbers of nodes."""

    diagram: InfluenceDiagram
    reached: Reached
    inferring: Reached  # where what is inferred counts as known, too

    @property
    def decisions(self) -> tuple[int, ...]:
        return self.diagram.decisions

    @cached_property
    def relevant(self) -> dict[int, tuple[int, ...]]:
        """Of each decision the others that are s-reachable from it: their policies can matter to its choice."""
        return {d: tuple(e for e in self.decisions if e != d and self.inferring.risen[e] >> q & 1) for q, d in enumerate(self.decisions)}

    @cached_property
    def requisite(self) -> dict[int, tuple[int, ...]]:
        """Of each decision the observations that can matter to it (Lauritzen and Nilsson 2001)."""
        return {d: tuple(p for p in self.diagram.parents[d] if self.reached.at(p) >> q & 1) for q, d in enumerate(self.decisions)}

    @cached_property
    def components(self) -> tuple[tuple[int, ...], ...]:
        """Sets of decisions that must be solved together, in an order in which each can be solved when those before it are."""
        return tuple(tuple(sorted(c)) for c in strong_components(self.relevant))

    @cached_property
    def informative(self) -> dict[int, tuple[int, ...]]:
        """Of each decision the unknown nodes, none of them after it, that would be worth knowing: candidates for a value of information."""
        out = {}
        for q, d in enumerate(self.decisions):
            after, known = self.diagram.descendants[d] | 1 << d, set(self.diagram.parents[d])
            out[d] = tuple(k for k, node in enumerate(self.diagram.nodes)
                           if node.kind != "utility" and k not in known and not after >> k & 1 and self.inferring.at(k) >> q & 1)
        return out

    def irrelevant(self) -> tuple[tuple[int, int], ...]:
        """Arcs (observation, decision) that cannot matter."""
        return tuple((p, d) for d in self.decisions for p in self.diagram.parents[d] if p not in self.requisite[d])


def relevance(diagram: InfluenceDiagram, deterministic: bool = True, inferred: Mapping[int, int] | None = None) -> Relevance:
    """Strategic relevance of a diagram as it is. ``inferred``: of a decision the set of nodes that follow from what it sees."""
    questions = []
    for d in diagram.decisions:
        known = 1 << d
        for p in diagram.parents[d]:
            known |= 1 << p
        questions.append((diagram.payments_to(d), known))
    reached = bayes_ball(diagram, questions, deterministic)
    if not inferred or not any(inferred.values()):
        return Relevance(diagram, reached, reached)
    more = [(starts, known | inferred.get(d, 0)) for d, (starts, known) in zip(diagram.decisions, questions, strict=True)]
    return Relevance(diagram, reached, bayes_ball(diagram, more, deterministic))


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


def strong_components(successors: dict[int, Sequence[int]] | dict[int, tuple[int, ...]]) -> list[list[int]]:
    """Strongly connected components of a relation, each after all that it leads to (Tarjan 1972), without recursion."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    standing: set[int] = set()
    out: list[list[int]] = []
    for root in successors:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        standing.add(root)
        work = [(root, iter(successors[root]))]
        while work:
            node, following = work[-1]
            for after in following:
                if after not in number:
                    number[after] = low[after] = len(number)
                    stack.append(after)
                    standing.add(after)
                    work.append((after, iter(successors[after])))
                    break
                if after in standing:
                    low[node] = min(low[node], number[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        standing.discard(component[-1])
                    out.append(component)
    return out
