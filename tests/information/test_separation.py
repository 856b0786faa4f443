"""The Bayes ball and strategic relevance against an independent oracle (networkx) and against their definitions, on random diagrams."""

from __future__ import annotations

import random
from collections.abc import Iterator

import networkx as nx
import pytest

from dcgc.information.diagram import InfluenceDiagram, Node, cycle, diagram, members
from dcgc.information.relevance import reduced, relevance, strong_components, transposed
from dcgc.information.separation import bayes_ball, separated

GRAPHS = 1000


def random_diagram(seed: int) -> InfluenceDiagram:
    """Up to 12 nodes of all kinds, two players, in a random order of time."""
    dice = random.Random(seed)
    nodes: list[Node] = []
    density = dice.choice([0.2, 0.35, 0.6])
    for k in range(dice.randint(2, 12)):
        kind = dice.choice(["chance", "deterministic", "decision", "decision", "utility"])
        above = tuple(n.name for n in nodes if n.kind != "utility" and dice.random() < density)
        player = dice.choice("AB")
        nodes.append(Node(f"n{k}", kind, above, player if kind == "decision" else None,  # type: ignore[arg-type]
                          frozenset({player}) if kind in ("decision", "utility") else frozenset()))
    return InfluenceDiagram(tuple(nodes))


def graph(d: InfluenceDiagram) -> nx.DiGraph:
    out = nx.DiGraph()
    out.add_nodes_from(range(len(d.nodes)))
    out.add_edges_from((p, k) for k, above in enumerate(d.parents) for p in above)
    return out


def paid(d: InfluenceDiagram, g: nx.DiGraph, decision: int) -> set[int]:
    """Utilities of a decision's own player among its descendants."""
    return {u for u in nx.descendants(g, decision) if d.nodes[u].kind == "utility" and d.nodes[u].owners & d.nodes[decision].owners}


@pytest.fixture(scope="module")
def diagrams() -> Iterator[list[InfluenceDiagram]]:
    yield [random_diagram(seed) for seed in range(GRAPHS)]


def test_d_separation_is_networkx_own(diagrams: list[InfluenceDiagram]) -> None:
    for seed, d in enumerate(diagrams):
        dice = random.Random(seed)
        a, b = dice.sample(range(len(d.nodes)), 2)
        known = {k for k in range(len(d.nodes)) if k not in (a, b) and dice.random() < 0.4}
        bits = sum(1 << k for k in known)
        assert separated(d, 1 << a, 1 << b, bits) == nx.is_d_separator(graph(d), {a}, {b}, known), seed


def test_strategic_relevance_is_koller_and_milchs_definition(diagrams: list[InfluenceDiagram]) -> None:
    """Definition 5.1: with a new parent of D', is that parent d-separated from U_D given D and its parents?"""
    for seed, d in enumerate(diagrams):
        g = graph(d)
        found = relevance(d, deterministic=False)
        for q, k in enumerate(d.decisions):
            own = paid(d, g, k)
            known = {k, *d.parents[k]}
            for r, other in enumerate(d.decisions):
                if other == k:
                    continue
                with_parent = g.copy()
                with_parent.add_edge("new", other)
                reachable = bool(own) and not nx.is_d_separator(with_parent, {"new"}, own - known, known)
                assert (r in found.relevant(q)) == reachable, (seed, k, other)


def test_requisite_observations_are_fagiuoli_and_zaffalons(diagrams: list[InfluenceDiagram]) -> None:
    """X is requisite if it is d-connected to U_D given the rest of what D knows, and D."""
    for seed, d in enumerate(diagrams):
        g = graph(d)
        found = relevance(d, deterministic=False)
        for q, k in enumerate(d.decisions):
            own = paid(d, g, k)
            expected = {p for p in d.parents[k]
                        if own and not nx.is_d_separator(g, {p}, own, {k, *d.parents[k]} - {p})}
            assert set(found.requisite(q)) == expected, (seed, k)


def test_components_come_in_an_order_in_which_they_can_be_solved(diagrams: list[InfluenceDiagram]) -> None:
    for seed, d in enumerate(diagrams):
        found = relevance(d)
        g = nx.DiGraph()
        g.add_nodes_from(range(len(d.decisions)))
        g.add_edges_from((q, r) for q in range(len(d.decisions)) for r in found.relevant(q))
        assert {frozenset(c) for c in found.components} == {frozenset(c) for c in nx.strongly_connected_components(g)}, seed
        place = {q: n for n, c in enumerate(found.components) for q in c}
        assert all(place[r] <= place[q] for q, r in g.edges), seed


def test_deterministic_nodes_separate_more_and_as_expanding_them_says(diagrams: list[InfluenceDiagram]) -> None:
    """D-separation: with every deterministic node whose parents are known, again and again, counted as known (Geiger, Verma and
    Pearl 1990)."""
    for seed, d in enumerate(diagrams):
        dice = random.Random(seed)
        a, b = dice.sample(range(len(d.nodes)), 2)
        known = {k for k in range(len(d.nodes)) if k not in (a, b) and dice.random() < 0.5}
        grown = set(known)
        for k, node in enumerate(d.nodes):
            if node.kind in ("deterministic", "utility") and all(p in grown for p in d.parents[k]):
                grown.add(k)
        expected = nx.is_d_separator(graph(d), {a} - grown, {b} - grown, grown) if not {a, b} & grown else True
        ball = bayes_ball(d, [(1 << a, sum(1 << k for k in known))])
        assert bool(ball.at(b)) != expected or {a, b} & grown, seed


def test_ancestors_descendants_and_influence(diagrams: list[InfluenceDiagram]) -> None:
    for d in diagrams:
        g = graph(d)
        for k in range(len(d.nodes)):
            assert set(members(d.ancestors[k])) == nx.ancestors(g, k)
            assert set(members(d.descendants[k])) == nx.descendants(g, k)
            inner = g.subgraph([n for n in g if d.nodes[n].kind != "decision" or n == k])
            direct = {c for c in d.decisions if c != k and any(
                c in g.predecessors(n) for n in nx.ancestors(inner, k) | {k})}
            assert set(members(d.influence[k])) == direct


def test_reduction_leaves_only_what_can_matter(diagrams: list[InfluenceDiagram]) -> None:
    for d in diagrams:
        left, gone = reduced(d)
        assert not relevance(left).irrelevant()
        assert sum(map(len, left.parents)) + len(gone) == sum(map(len, d.parents))


def test_transposition_and_components_by_brute_force() -> None:
    dice = random.Random(5)
    for _ in range(200):
        size = dice.randint(1, 19)
        rows = [sum(1 << j for j in range(size) if j != i and dice.random() < 0.15) for i in range(size)]
        turned = transposed(rows)
        assert all((rows[i] >> j & 1) == (turned[j] >> i & 1) for i in range(size) for j in range(size))
        g = nx.DiGraph([(i, j) for i in range(size) for j in members(rows[i])])
        g.add_nodes_from(range(size))
        assert {frozenset(c) for c in strong_components(rows, turned)} == {frozenset(c) for c in nx.strongly_connected_components(g)}


def test_no_order_of_time_is_said_with_the_cycle() -> None:
    with pytest.raises(ValueError, match="a waits for b waits for a|b waits for a waits for b"):
        diagram([Node("a", "decision", ("b",)), Node("b", "decision", ("a",)), Node("c", "chance")])
    assert cycle({"a": ("b",), "b": ("c",), "c": ("b",)}) in (("b", "c", "b"), ("c", "b", "c"))
