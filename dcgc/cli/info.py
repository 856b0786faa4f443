"""Who knows what: the information structure of a game with its witnesses, recall, interests, strategic relevance, signalling.

Needs no training, and no JAX. --graph draws the influence diagram: chance in ovals, what is determined in double ovals, decisions in boxes,
payments in diamonds, information in dashed lines.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..core import elaborate
from ..information.facts import Facts, facts
from ..information.sentences import sentences
from ..semantics import Variant, check
from ..source import Ledger
from ..source.render import visible
from ..texts import find_game, folder_of, read_source
from .arguments import add_json, add_set, add_variant, read_teams, read_values
from .commands import WrongCall
from .output import print_json

SUFFIXES = (".svg", ".dot", ".mermaid", ".mmd")
MOST = 300  # nodes of a picture that can be read


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a .dcg file, or the name of a game that comes with dcgc")
    parser.add_argument("--graph", metavar="FILE", help="write the influence diagram, as .svg, .dot or .mermaid")
    add_set(parser)
    add_variant(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    if options.graph and Path(options.graph).suffix not in SUFFIXES:
        raise WrongCall(f"--graph takes a file that ends with {', '.join(SUFFIXES[:-2])} or {SUFFIXES[2]}, not {options.graph!r}")
    ledger = Ledger()
    source = read_source(find_game(options.game))
    checked = check(source, ledger, read_values(options.values), Path(folder_of(source)),
                    Variant(tuple(options.commits), tuple(read_teams(options.teams).items())))
    ledger.raise_errors()
    assert checked is not None
    core = elaborate(checked, ledger)
    ledger.raise_errors()
    assert core is not None
    found = facts(core)
    title = core.name + (f": {core.title}" if core.title else "")
    if options.graph:
        draw(found, title, Path(options.graph))
    if options.json:
        print_json(as_data(found))
        return 0
    print(visible(title))
    for sentence in sentences(found):
        print(visible(f"  {sentence}"))
    return 0


def draw(found: Facts, title: str, path: Path) -> None:
    """Write the picture of a game. Raises WrongCall if it has too many nodes, or the file cannot be written."""
    from ..report.influence import dot, mermaid, svg

    diagram = found.seen.diagram
    if path.suffix == ".svg" and len(diagram.nodes) > MOST:
        raise WrongCall(f"a picture of {len(diagram.nodes)} nodes cannot be read; ask for .dot, or for fewer stages and members with --set")
    text = svg(diagram, title) if path.suffix == ".svg" else dot(diagram, title) if path.suffix == ".dot" else mermaid(diagram)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise WrongCall(f"{path}: {problem.strerror or problem}") from problem


def as_data(found: Facts) -> dict[str, object]:
    """Everything that is printed, and more, for programs."""
    d = found.seen.diagram
    information, witness = found.information, found.information.witness
    return {
        "game": found.game.name,
        "title": found.game.title,
        "decisions": {d.nodes[k].name: {
            "player": d.nodes[k].player,
            "knows": [s.text for s in found.seen.observations[d.nodes[k].name] if not s.told],
            "requisite": [d.nodes[p].name for p in found.seen.relevance.requisite(q)],
            "relevant": [d.nodes[d.decisions[r]].name for r in found.seen.relevance.relevant(q)],
        } for q, k in enumerate(d.decisions)},
        "information": {
            "static": information.static, "structure": information.nested, "partially_nested": information.partially_nested,
            "witness": None if witness is None else {"earlier": witness.earlier, "later": witness.later, "through": witness.through,
                                                     "lacking": witness.lacking}},
        "forgotten": [{"player": f.player, "kind": f.kind, "earlier": f.earlier, "later": f.later, "what": f.what, "implied": f.implied}
                      for own in found.forgotten.values() for f in own],
        "interests": {"kind": found.interests.kind, "sides": {k: list(v) for k, v in found.interests.sides.items()},
                      "variables": {name: [{"one": a, "other": b, "relation": r} for a, b, r in rows]
                                    for name, rows in found.interests.variables.items()}},
        "components": [list(c) for c in found.components],
        "irrelevant": [{"seen": a, "decision": b} for a, b in found.irrelevant],
        "signals": [{"sender": s.sender, "receiver": s.receiver, "about": s.about, "through": s.through} for s in found.signals],
        "channels": [{"name": c.channel.name, "dead": c.dead, "sayable": c.sayable if c.sayable != float("inf") else None,
                      "budget": c.channel.budget} for c in found.channels],
        "linear_quadratic_gaussian": found.linear_quadratic_gaussian,
        "finite": found.finite,
        "recognised": {"curvature": dict(found.recognised.curvatures), "closed_forms": dict(found.recognised.closed),
                       "multilinear": list(found.recognised.multilinear)},
        "sentences": sentences(found),
    }
