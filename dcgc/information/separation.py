"""Which variables can tell something about which, given what is known: the Bayes ball (Shachter 1998), for many questions at once.

A question has a set of starts and a set of what is known. The ball starts at the starts as if it came from a child, and then
- at an unknown node, coming from a child, goes on to its parents and, unless the node is deterministic, to its children;
- at an unknown node, coming from a parent, goes on to its children;
- at a known node, coming from a parent, goes back to its parents; coming from a child it stops there.
What it reaches is not d-separated from the starts; with deterministic nodes this is D-separation (Geiger, Verma and Pearl 1990).
Known nodes that it reaches are the requisite observations. Question q is bit q of a whole number at every node, so a pass over the
arcs moves the balls of all questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .diagram import InfluenceDiagram, members


@dataclass(frozen=True)
class Reached:
    """At every node the set of questions whose ball came ``from_child`` (or started there), ``from_parent``, and those in which it went
    on to the node's parents (``risen``): there a further parent of the node would be reached."""

    from_child: tuple[int, ...]
    from_parent: tuple[int, ...]
    risen: tuple[int, ...]

    def at(self, node: int) -> int:
        """The questions whose ball reached a node."""
        return self.from_child[node] | self.from_parent[node]


def bayes_ball(diagram: InfluenceDiagram, questions: Sequence[tuple[int, int]], deterministic: bool = True) -> Reached:
    """Where the balls go of the questions (starts, known), both sets of nodes. ``deterministic``: whether deterministic nodes and
    utilities are treated as functions of their parents."""
    start, known = [0] * len(diagram.nodes), [0] * len(diagram.nodes)
    for q, (starts, given) in enumerate(questions):
        for k in members(starts):
            start[k] |= 1 << q
        for k in members(given):
            known[k] |= 1 << q
    return rolled(diagram, start, known, deterministic)


def rolled(diagram: InfluenceDiagram, start: Sequence[int], known: Sequence[int], deterministic: bool = True) -> Reached:
    """The same, where at every node the set of questions is given that start there, and of those in which it is known."""
    size = len(diagram.nodes)
    functional = [deterministic and node.kind in ("deterministic", "utility") for node in diagram.nodes]
    from_child, from_parent = list(start), [0] * size
    waiting = {k for k in range(size) if start[k]}
    passed_up, passed_down = [0] * size, [0] * size
    while waiting:
        # Against the order of time and along it: what a pass sends on its own way is met again in the same pass.
        for k in (*range(size - 1, -1, -1), *range(size)):
            if k not in waiting:
                continue
            waiting.discard(k)
            up = (from_child[k] & ~known[k]) | (from_parent[k] & known[k])
            down = (from_parent[k] if functional[k] else from_parent[k] | from_child[k]) & ~known[k]
            if new := up & ~passed_up[k]:
                passed_up[k] |= new
                for p in diagram.parents[k]:
                    if new & ~from_child[p]:
                        from_child[p] |= new
                        waiting.add(p)
            if new := down & ~passed_down[k]:
                passed_down[k] |= new
                for c in diagram.children[k]:
                    if new & ~from_parent[c]:
                        from_parent[c] |= new
                        waiting.add(c)
    return Reached(tuple(from_child), tuple(from_parent), tuple(passed_up))


def separated(diagram: InfluenceDiagram, a: int, b: int, known: int, deterministic: bool = False) -> bool:
    """Whether a set of nodes is d-separated from another, given what is known (three sets without common members)."""
    reached = bayes_ball(diagram, [(a, known)], deterministic)
    return not any(reached.at(k) for k in members(b))
