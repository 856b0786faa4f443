"""What is known of a game's information, in sentences for a control theorist and an economist."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .diagram import members
from .facts import Facts

MOST = 6  # entries of a list that are spelt out

NESTED = {
    "strictly classical": "each decision knows all that was known and done before it",
    "classical": "each decision knows all that was known before it, but not all that was done",
    "strictly quasi-classical": "partially nested: whoever is influenced knows what the one who influences knew and did",
    "quasi-classical": "partially nested: whoever is influenced knows what the one who influences knew, but not all that it did",
    "non-classical": "somebody is influenced by an act without knowing what the one who acts knew",
}


def sentences(facts: Facts) -> list[str]:
    """A paragraph a topic, one line each."""
    topics = (people, information, recall, interest, relevant, signalling, channel_lines, structure, shortened)
    return [sentence for topic in topics for sentence in topic(facts)]


def people(facts: Facts) -> Iterator[str]:
    d = facts.seen.diagram
    who = listed(d.players)
    count = len(d.decisions)
    yield f"{count} decision{'s' if count != 1 else ''} by {who}" if count else "nobody decides anything"


def information(facts: Facts) -> Iterator[str]:
    if not facts.seen.diagram.decisions:
        return
    found = facts.information
    if len(facts.seen.diagram.decisions) == 1:
        yield "information: one decision, static and classical"
        return
    if found.static:
        kind = "static: nobody's act changes what anybody sees"
        if found.nested in ("classical", "strictly classical"):
            kind += "; what is known is nested (classical)"
    else:
        kind = f"dynamic and {found.nested}: {NESTED[found.nested]}"
    yield f"information: {kind}"
    if found.witness is not None and not (found.static and found.nested != "non-classical"):
        finer = {"non-classical": "not nested", "quasi-classical": "not strictly so", "strictly quasi-classical": "not classical",
                 "classical": "not strictly so"}[found.nested]
        yield f"{finer}, since {found.witness.sentence(facts.seen)}"
    if facts.interests.kind == "team" and facts.linear_quadratic_gaussian:
        if found.partially_nested:
            why = "partially nested information: affine policies are optimal (Radner 1962; Ho and Chu 1972)"
        else:
            why = "non-classical information: affine policies need not be optimal (Witsenhausen 1968)"
        yield f"a linear-quadratic-Gaussian team with {why}"


def recall(facts: Facts) -> Iterator[str]:
    several = {p for p in facts.seen.diagram.players if sum(n.player == p for n in facts.seen.diagram.nodes) > 1}
    perfect = [p for p in facts.seen.diagram.players if p in several and p not in facts.forgotten]
    if perfect:
        yield f"recall: {listed(perfect)} {'has' if len(perfect) == 1 else 'have'} perfect recall"
    lapses = [lapse for own in facts.forgotten.values() for lapse in own]
    for lapse in lapses[:MOST]:
        yield f"recall: {lapse.sentence()}"
    if len(lapses) > MOST:
        yield f"recall: and {len(lapses) - MOST} more lapses"


def interest(facts: Facts) -> Iterator[str]:
    found = facts.interests
    sides = [name for name in found.sides]
    if not sides:
        return
    words = {"team": "one team: all who decide pay the same", "zero-sum": "zero-sum: what one pays the other gains",
             "constant-sum": "constant-sum: what one pays the other gains, up to a constant",
             "potential": "a potential game: one function's slopes are everybody's own (Monderer and Shapley 1996)",
             "general-sum": "general-sum"}
    extra = "" if found.expanded or found.kind != "general-sum" else " (costs too long to be expanded; compared term by term)"
    yield f"interests: {words[found.kind]}{extra}" + (f", between {listed(sides)}" if len(sides) > 1 else "")
    for name, relations in list(found.variables.items())[:MOST]:
        told = [f"{a} and {b} " + {"common": "want the same of it", "conflict": "want the opposite of it"}[kind]
                for a, b, kind in relations if kind in ("common", "conflict")]
        told += [f"{a if mine else b} alone is moved by it" for a, b, kind in relations if kind == "indifferent"
                 for mine in [moved_alone(facts, name, a)]]
        if told:
            yield f"interests in {name}: {listed(tuple(dict.fromkeys(told)))}"


def moved_alone(facts: Facts, decision: str, side: str) -> bool:
    """Whether a decision moves what a side is paid."""
    d = facts.seen.diagram
    players = facts.interests.sides[side]
    owners = frozenset().union(*(n.owners for n in d.nodes if n.kind == "decision" and n.player in players))
    return any(d.nodes[u].owners & owners for u in members(d.descendants[d.index[decision]]) if d.nodes[u].kind == "utility")


def relevant(facts: Facts) -> Iterator[str]:
    groups = facts.components
    if len(facts.seen.diagram.decisions) < 2:
        return
    largest = max(len(g) for g in groups)
    if largest == 1:
        yield f"relevance: decisions can be solved one after the other: {listed([g[0] for g in groups])} (Koller and Milch 2003)"
    elif len(groups) == 1:
        yield f"relevance: {listed(groups[0])} must be solved together, each choice resting on the others' policies (Koller and Milch 2003)"
    else:
        parts = [g[0] if len(g) == 1 else "{" + ", ".join(g[:MOST]) + (", ..}" if len(g) > MOST else "}") for g in groups]
        yield f"relevance: to be solved in this order, those in braces together: {listed(parts)} (Koller and Milch 2003)"
    for seen, decision in facts.irrelevant[:MOST]:
        yield f"relevance: {seen} cannot help {decision}, others' policies held fixed"
    if len(facts.irrelevant) > MOST:
        yield f"relevance: and {len(facts.irrelevant) - MOST} more observations that cannot help"


def signalling(facts: Facts) -> Iterator[str]:
    told: dict[tuple[str, str, str], list[str]] = {}
    for s in facts.signals:
        told.setdefault((s.sender, s.receiver, s.through), []).append(s.about)
    for (sender, receiver, through), about in list(told.items())[:MOST]:
        a, b = facts.seen.player(sender), facts.seen.player(receiver)
        way = f"by {sender}" + (f", through {through}" if through != sender else "")
        other = b if a != b else "its later self"
        yield f"signalling: {a} can tell {other} (deciding {receiver}) about {listed(about)} {way}"


def channel_lines(facts: Facts) -> Iterator[str]:
    for use in facts.channels:
        if use.dead:
            yield f"channel {use.channel.name} is dead: nothing that is sent over it can help anybody who hears it"
        if use.wide:
            yield f"channel {use.channel.name} may carry {use.channel.budget:g} bits, but its sender has at most {use.sayable:.3g} to tell"


def structure(facts: Facts) -> Iterator[str]:
    if facts.linear_quadratic_gaussian:
        yield "structure: linear observations, quadratic payments, normal draws: replies to affine policies are affine"
    if facts.finite:
        yield "structure: finite, so that all expectations are sums (payments are multilinear in the laws of decisions)"
    found = facts.recognised
    if found.multilinear and not facts.finite:
        several = f"each of {listed(found.multilinear)}" if len(found.multilinear) > 1 else found.multilinear[0]
        yield f"structure: payments are linear in {several}: laws in the places of choices give expectations exactly"
    for kind in ("strictly convex", "convex", "linear", "concave"):
        own = [name for name, curvature in found.curvatures.items() if curvature == kind]
        if own:
            yield f"structure: what its player pays is {kind} in {listed(own)}, all else held fixed"
    for text in list(found.closed.values())[:MOST]:
        yield f"structure: a last mover's best reply in closed form: {text}"


def shortened(facts: Facts) -> Iterator[str]:
    written = facts.seen.written
    for family, size in written.shrunk.items():
        yield f"three members stand for the {size} of {family}"
    if written.stages is not None and written.stages[0] < written.stages[1]:
        length = "stages without end" if math.isinf(written.stages[1]) else f"{written.stages[1]:g} stages"
        yield f"{written.stages[0]} stages stand for {length}"


def listed(names: Sequence[str]) -> str:
    """a, b and c; a long list is cut."""
    names = [str(n) for n in names]
    if len(names) > MOST:
        names = [*names[:MOST - 1], f"{len(names) - MOST + 1} more"]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else "nobody"
