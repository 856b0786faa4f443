"""The text of a game whose channel carries words: only the channel's own clauses change, and what computes with its reals."""

from __future__ import annotations

from ..semantics.checked import CheckedGame
from ..semantics.context import nodes_of
from ..syntax import tree
from .mistake import StudyProblem

DROPPED = frozenset({"noise", "budget", "stop"})
KNOWN = ("knowing", "to")
SILENT = (tree.Channel, tree.TotalBudget, tree.Tap, tree.Policy, tree.Gradient, tree.Def)
Edit = tuple[int, int, str]


def declaration(checked: CheckedGame, name: str) -> tree.Channel:
    """The statement that declares a channel. Raises StudyProblem if it stands in another file."""
    for node in (n for statement in checked.statements for n in nodes_of(statement)):
        if isinstance(node, tree.Channel) and node.target.name == name:
            if node.span.source is not checked.source:
                raise StudyProblem(f"the channel {name} is declared in {node.span.source.name}: copy it into the game's own text")
            return node
    raise StudyProblem(f"the text declares no channel {name}")


def with_words(checked: CheckedGame, name: str, count: int, note: str, codes: tuple[float, ...] | None) -> str:
    """The game's text with ``carries Tokens(1, count)`` for the channel, without noise, budget and STOP, and a comment above it.

    ``codes``: the numbers for which the words stand, where a single real is sent; an expression that computes with the message, or
    with what was sent, then computes with those. Everything else stays as it is, character for character. Raises StudyProblem where
    an expression needs reals that a word does not have.
    """
    text, channel = checked.source.text, declaration(checked, name)
    assert channel.body.carries is not None
    carried = channel.body.carries.span
    edits: list[Edit] = [(carried.start, carried.end, f"Tokens(1, {count})")]
    dropped = [clause(text, span.start, span.end) for field, span in channel.body.order if field in DROPPED]
    edits += [(start, end, "") for start, end in united(dropped)]
    head = text.rfind("\n", 0, channel.span.start) + 1
    indent = text[head:head + len(text[head:]) - len(text[head:].lstrip(" \t"))]
    lines = f"{indent}# {note}\n"
    looked_up, table = uses(checked, name), f"{name}_code"
    if looked_up:
        first = looked_up[0]
        if codes is None or channel.target.indices:
            raise StudyProblem(f"{first.span.place}: `{' '.join(first.span.text.split())}` computes with the reals of {name}, "
                               "and a word has none: let the listeners decide on them")
        while table in checked.symbols:
            table += "_"
        lines += f"{indent}param {table} = [{', '.join(repr(float(c)) for c in codes)}]\n"
        edits += [(e.span.start, e.span.end, f"dot({e.span.text}[1], {table})") for e in looked_up]
    edits.append((head, head, lines))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def united(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places as ranges that do not overlap: neighbours may share a semicolon."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def clause(text: str, start: int, end: int) -> tuple[int, int]:
    """A clause with what separates it from its neighbours: its line if it has one of its own, or its semicolon."""
    head, tail = start, end
    while tail < len(text) and text[tail] in " \t":
        tail += 1
    if tail < len(text) and text[tail] == ";":
        tail += 1
        while tail < len(text) and text[tail] in " \t":
            tail += 1
    while text[head - 1] in " \t":
        head -= 1
    if text[head - 1] == "\n" and tail < len(text) and text[tail] in "\r\n":
        return head, text.index("\n", tail) + 1
    if text[end:tail].strip() == ";":
        return start, tail
    if text[head - 1] == ";":
        return head - 1, end
    return start, end


def uses(checked: CheckedGame, name: str) -> list[tree.Expression]:
    """Expressions that compute with a channel's message, or with what was sent, in the order of the text: all but what a decision
    or a sender knows, rates, budgets and taps. Raises StudyProblem where one knows a part of the message only."""
    found: list[tree.Expression] = []
    for statement in (n for s in checked.statements for n in nodes_of(s)):
        if not isinstance(statement, tree.Statement) or isinstance(statement, SILENT):
            continue
        for field, _ in statement._fields:
            if field in KNOWN:
                for e in getattr(statement, field):
                    found += [] if known_whole(checked, e, name) else computed(e, name)
            elif field not in ("span", "target", "body"):  # a block's statements come by themselves
                found += computed(getattr(statement, field), name)
    return found


def known_whole(checked: CheckedGame, e: tree.Expression, name: str) -> bool:
    """Whether what is known is the message itself, or a member's. Raises StudyProblem for a part of a message."""
    if isinstance(e, tree.Index) and isinstance(e.base, tree.Name) and e.base.name == name:
        if not checked.symbols[name].domains:
            raise StudyProblem(f"{e.span.place}: `{e.span.text}` knows a part of {name}; a word is known whole")
        return True
    return isinstance(e, tree.Name)


def computed(node: object, name: str) -> list[tree.Expression]:
    """Where an expression mentions the message, as ``m`` or ``sent(m)``; what it is told by ``rate(m)`` is not meant."""
    if isinstance(node, tuple):
        return [e for item in node for e in computed(item, name)]
    if not isinstance(node, tree.Node):
        return []
    if isinstance(node, tree.Name):
        return [node] if node.name == name else []
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.name in ("sent", "rate"):
        inner = computed(tuple(a.value for a in node.arguments), name)
        return ([node] if inner and node.function.name == "sent" else []) if inner else []
    return [e for field, _ in node._fields if field != "span" for e in computed(getattr(node, field), name)]
