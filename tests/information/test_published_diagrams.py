"""Published influence diagrams, rebuilt: Koller and Milch (2003), Lauritzen and Nilsson (2001), Everitt et al. (2021), and the
examples of PyCID (Fox et al. 2021), with what these say of them."""

from __future__ import annotations

import pytest

from dcgc.information.diagram import InfluenceDiagram, Node, diagram
from dcgc.information.relevance import Relevance, controllable, reduced, relevance


def build(arcs: str, decisions: dict[str, str], utilities: dict[str, str]) -> InfluenceDiagram:
    """A diagram from arcs "A>B C>D"; decisions and utilities by player, names in one string each."""
    pairs = [arc.split(">") for arc in arcs.split()]
    decider = {name: player for player, names in decisions.items() for name in names.split()}
    paid = {name: player for player, names in utilities.items() for name in names.split()}
    nodes = []
    for name in dict.fromkeys(n for pair in pairs for n in pair):
        kind = "decision" if name in decider else "utility" if name in paid else "chance"
        owner = decider.get(name) or paid.get(name)
        nodes.append(Node(name, kind, tuple(a for a, b in pairs if b == name), decider.get(name),  # type: ignore[arg-type]
                          frozenset({owner}) if owner else frozenset()))
    return diagram(nodes)


def relevant(found: Relevance, name: str) -> set[str]:
    d = found.diagram
    q = d.decisions.index(d.index[name])
    return {d.nodes[d.decisions[r]].name for r in found.relevant(q)}


def groups(found: Relevance) -> list[set[str]]:
    return [{found.diagram.nodes[found.diagram.decisions[q]].name for q in c} for c in found.components]


def worth_knowing(d: InfluenceDiagram, decision: str) -> set[str]:
    """What has a value of information: what the decision knows and can use, in the reduced diagram, and what it would use if it knew it."""
    out = set()
    for node in d.nodes:
        k = d.index[node.name]
        if node.kind == "utility" or node.name == decision or d.descendants[d.index[decision]] >> k & 1:
            continue
        asked = InfluenceDiagram(tuple(
            Node(n.name, n.kind, tuple(dict.fromkeys((*n.parents, node.name))) if n.name == decision else n.parents, n.player, n.owners)
            for n in diagram_order(d, decision, node.name)))
        left, _ = reduced(asked, deterministic=False)
        if node.name in left.nodes[left.index[decision]].parents:
            out.add(node.name)
    return out


def diagram_order(d: InfluenceDiagram, decision: str, seen: str) -> list[Node]:
    """Nodes in an order in which what is seen comes before the decision."""
    order = diagram([Node(n.name, n.kind, (*n.parents, seen) if n.name == decision else n.parents, n.player, n.owners) for n in d.nodes])
    by_name = {n.name: n for n in d.nodes}
    return [by_name[n.name] for n in order.nodes]


TREE_KILLER = build(  # Koller and Milch 2003, Figure 1: Alice poisons Bob's tree for the view; Bob may call a doctor
    "PT>E PT>TS PT>BP TS>TDoc TS>TDead TDead>V TDead>Tree TDoc>TDead TDoc>Cost TDoc>BP BP>V",
    {"Alice": "PT BP", "Bob": "TDoc"}, {"Alice": "E V", "Bob": "Tree Cost"})
TAXI = build("D1>D2 D1>U1 D1>U2 D2>U2 D2>U1", {"1": "D1", "2": "D2"}, {"1": "U1", "2": "U2"})
PRISONERS = build("D1>U1 D1>U2 D2>U2 D2>U1", {"1": "D1", "2": "D2"}, {"1": "U1", "2": "U2"})


def test_tree_killer() -> None:
    """Koller and Milch 2003, Section 5: the doctor's choice rests on nobody's (Bob sees whether the tree is sick), the patio on the
    doctor's (that he was called tells of the tree), poisoning on both; so they can be solved one after the other."""
    found = relevance(TREE_KILLER, deterministic=False)
    assert relevant(found, "TDoc") == set()
    assert relevant(found, "BP") == {"TDoc"}
    assert relevant(found, "PT") == {"TDoc", "BP"}
    assert groups(found) == [{"TDoc"}, {"BP"}, {"PT"}]


def test_taxi_competition_and_the_prisoners() -> None:
    assert relevant(relevance(TAXI), "D1") == {"D2"} and relevant(relevance(TAXI), "D2") == set()
    assert groups(relevance(TAXI)) == [{"D2"}, {"D1"}]
    assert groups(relevance(PRISONERS)) == [{"D1", "D2"}]


def test_subgames_that_the_tree_has_not() -> None:
    """Hammond et al. 2021: D2 does not see N, but needs to know nobody's policy, as it sees D1."""
    d = build("N>D1 N>U1A N>U2A D1>U1A D1>U2A D1>U1B D1>U2B D1>D2 D2>U1B D2>U2B", {"1": "D1", "2": "D2"}, {"1": "U1A U1B", "2": "U2A U2B"})
    assert relevant(relevance(d), "D1") == {"D2"} and relevant(relevance(d), "D2") == set()


def test_forgetful_movie_star() -> None:
    """Milch and Koller 2008: the star's second decision forgets the first, so that each rests on the other: insufficient recall."""
    d = build("S>D11 S>D12 D2>U2 D2>U11 D11>U2 D11>U11 D11>U12 D12>U12", {"1": "D11 D12", "2": "D2"}, {"1": "U11 U12", "2": "U2"})
    found = relevance(d)
    assert "D12" in relevant(found, "D11") and "D11" in relevant(found, "D12")
    assert relevant(found, "D2") == {"D11"}


def test_road() -> None:
    """Koller and Milch 2003, Figure 5: building along a road; a plot rests on the two pairs next to it, and they are solved pair
    by pair from the end."""
    d = build("S1W>B1W S1W>U1W S1E>B1E S1E>U1E B1W>U1W B1W>U1E B1W>B2E B1W>U2W B1W>B2W B1E>U1E B1E>U1W B1E>B2E B1E>U2E "
              "B1E>B2W S2W>B2W S2W>U2W "
              "S2E>B2E S2E>U2E B2W>U1W B2W>U2W B2W>U2E B2W>B3E B2W>U3W B2W>B3W B2E>U1E B2E>U2E B2E>U2W B2E>B3E B2E>U3E "
              "B2E>B3W S3W>B3W S3W>U3W "
              "S3E>B3E S3E>U3E B3W>U3W B3W>U3E B3W>U2W B3E>U3E B3E>U3W B3E>U2E",
              {p: f"B{p}" for p in ("1W", "1E", "2W", "2E", "3W", "3E")}, {p: f"U{p}" for p in ("1W", "1E", "2W", "2E", "3W", "3E")})
    assert groups(relevance(d)) == [{"B3W", "B3E"}, {"B2W", "B2E"}, {"B1W", "B1E"}]


def test_trimming() -> None:
    """Lauritzen and Nilsson 2001: of five observations one is left, of twelve arcs seven."""
    d = build("Y1>D1 Y1>Y2 Y1>D2 Y2>D2 Y2>U D1>Y2 D1>D2 Z1>D1 Z1>D2 Z1>Z2 Z2>D2 D2>U", {"agent": "D1 D2"}, {"agent": "U"})
    found = relevance(d, deterministic=False)
    q = d.decisions.index(d.index["D2"])
    assert {d.nodes[p].name for p in found.requisite(q)} == {"Y2"}
    left, gone = reduced(d, deterministic=False)
    assert sum(map(len, left.parents)) == 7 and left.nodes[left.index["D2"]].parents == ("Y2",)
    assert {decision for _, decision in gone} == {"D1", "D2"}


@pytest.mark.parametrize(("arcs", "decision", "utility", "expected"), [
    ("A>X Z>X Z>Y X>D X>Y D>U Y>U", "D", "U", {"A", "X", "Z", "Y"}),  # introduced bias
    ("R>HS HS>E HS>P E>Gr Gr>Ac Ge>P P>Ac", "P", "Ac", {"HS", "E", "Gr"}),  # predicting grades
    ("R>HS HS>E E>Gr Gr>Ac Ge>P P>Ac", "P", "Ac", {"R", "HS", "E", "Gr"}),  # without seeing the school
    ("S>X X>D D>U S>U", "D", "U", {"X", "S"}),
])
def test_value_of_information(arcs: str, decision: str, utility: str, expected: set[str]) -> None:
    """Everitt et al. 2021, Theorem 9, and PyCID's figures."""
    d = build(arcs, {"agent": decision}, {"agent": utility})
    assert worth_knowing(d, decision) == expected


@pytest.mark.parametrize(("arcs", "expected"), [
    ("O>I O>M M>P P>I I>C P>C", {"O", "I", "M"}),  # what an agent who recommends would like to control
    ("O>I O>M M>P P>I P>C M>C", {"O", "M"}),
])
def test_value_of_control(arcs: str, expected: set[str]) -> None:
    """Everitt et al. 2021, Figure 4, and PyCID's figures (which count the utility itself)."""
    left, _ = reduced(build(arcs, {"agent": "P"}, {"agent": "C"}), deterministic=False)
    assert {left.nodes[k].name for k in controllable(left, frozenset({"agent"}))} == expected
