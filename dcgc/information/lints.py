"""What is likely a mistake in a sound game, as warnings with a code, a place and a hint."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.expression import references
from ..core.site import Game
from ..source import Diagnostic, Span
from .codes import CODES
from .diagram import members
from .facts import Facts, facts


def lints(game: Game) -> tuple[Diagnostic, ...]:
    """Warnings (codes I) about a game graph, each place once."""
    found = facts(game)
    if not found.seen.diagram.decisions:
        return ()
    out: dict[tuple[str, int, int], Diagnostic] = {}
    for d in (*channels(found), *observations(found), *memory(found)):
        out.setdefault((d.code, d.span.start, d.span.end), d)
    return tuple(out.values())


def warning(code: str, message: str, span: Span, hint: str) -> Diagnostic:
    assert code in CODES
    return Diagnostic(code, message, span, hint, (), (), "warning")


def channels(found: Facts) -> Iterator[Diagnostic]:
    for use in found.channels:
        name = use.channel.name.split("[")[0]
        if use.dead:
            yield warning("I801", f"nothing that is sent over `{name}` can matter to who hears it", use.channel.place,
                          "let its sender know something that its listeners are paid for and do not know, or leave the channel out")
        elif use.wide:
            yield warning("I802", f"`{name}` may carry {use.channel.budget:g} bits, but its sender has at most {use.sayable:.3g} to tell",
                          use.channel.place, "a smaller budget says the same")


def observations(found: Facts) -> Iterator[Diagnostic]:
    """Observations that cannot matter: in every stage, where a decision has one a stage; nobody's own dice."""
    useless: dict[tuple[int, int], list[bool]] = {}
    say: dict[tuple[int, int], tuple[str, str, Span]] = {}
    gone = set(found.irrelevant)
    silent = {use.channel.encoder for use in found.channels if use.dead}
    dead = frozenset().union(*(references(use.channel.message) for use in found.channels if use.dead), frozenset())
    d = found.seen.diagram
    for k in d.decisions:
        site = found.seen.site_of(d.nodes[k].name)
        if site.name in silent:
            continue  # that its channel cannot help is said once
        for o, seen in zip(site.observations, found.seen.observations[site.name], strict=False):
            span = o.expression.span or site.span
            name = next(iter(seen.sites)) if len(seen.sites) == 1 and seen.text in seen.sites else seen.text
            if seen.text.startswith("dice(") or seen.sites & dead or name not in d.index or not moves(found, name):
                continue
            useless.setdefault((span.start, span.end), []).append((name, site.name) in gone)
            say[span.start, span.end] = (plain(seen.text), plain(site.name), span)
    for place, flags in useless.items():
        if all(flags):
            text, decision, span = say[place]
            yield warning("I803", f"`{text}` cannot help to decide `{decision}`, given what else is known", span,
                          "leave it out, or check what the player is paid for")


def moves(found: Facts, name: str) -> bool:
    """Whether something is drawn or decided behind a node: what only tells one stage from another does not matter by itself."""
    d = found.seen.diagram
    k = d.index[name]
    return any(d.nodes[a].kind in ("chance", "decision") for a in (k, *members(d.ancestors[k])))


def plain(name: str) -> str:
    """A name as the text has it, without stages."""
    return re.sub(r"@\d+", "", name)


def memory(found: Facts) -> Iterator[Diagnostic]:
    for player, lapses in found.forgotten.items():
        for lapse in lapses:
            site = found.seen.site_of(lapse.earlier)
            if lapse.kind == "absent-minded" and not site.observations:
                yield warning("I804", f"`{lapse.what}` is decided in every stage, and nothing tells {player} which", site.span,
                              "let it know the number of the stage, if it does")
            same = found.seen.written.rules.get(lapse.earlier, lapse.earlier) == found.seen.written.rules.get(lapse.later, lapse.later)
            if lapse.kind == "did" and not same and not lapse.implied and site.mixed and site.channel is None:
                first, second = plain(lapse.earlier), plain(lapse.later)
                yield warning("I805", f"{player} mixes over `{first}` and does not know what came of it at `{second}`",
                              found.seen.site_of(lapse.later).span, f"let `{second}` know `{first}`")
