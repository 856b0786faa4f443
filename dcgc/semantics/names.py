"""What a name means where it stands: scope, time, and the kinds of things that have a value."""

from __future__ import annotations

from ..source import near_names
from ..syntax import tree
from . import vocabulary
from .checked import IndexDomain, Symbol, ValueType
from .context import BOOL, UNKNOWN, Checker, View, children, known_words
from .distributions import DISTRIBUTIONS
from .functions import FUNCTIONS
from .mistakes import channels as C
from .mistakes import knowledge as K
from .mistakes import names as N
from .mistakes import types as T
from .shapes import shown

Valued = tuple[ValueType, tuple[IndexDomain, ...]]

VARYING = ("random", "let", "decision", "channel", "attention", "state", "solution")
NOWHERE: Valued = (UNKNOWN, ())

_WORDS = {
    "nothing": (N.MISPLACED_WORD, "write `knowing nothing`"),
    "others": (N.MISPLACED_WORD, "write `x[others]`, inside `for i in FAMILY`"),
    "all": (N.MISPLACED_WORD, "a family's name without index is the array over its members"),
}

_NOT_VALUES = {
    "player": "write `size({name})` for the number of members; players' values are what they decide and pay",
    "team": "costs of a team are `cost({name})` in a measure",
    "measure": "measures stand in measures, published values and plots",
}


def value_of(c: Checker, node: tree.Name, view: View) -> Valued:
    """The type of a name's value and the index domains it still carries; reports what has no value here."""
    name = node.name
    if name in view.locals:
        return view.locals[name], ()
    for loop in view.place.loops:
        if loop.binder == name:
            high = loop.domain.low + loop.domain.size - 1
            return (ValueType("category", (), high) if loop.domain.low >= 1 else ValueType("real")), ()
    if name in ("true", "false"):
        return BOOL, ()
    if name == "recall":
        c.report(K.RECALL.at(node.span))
        return NOWHERE
    if name in _WORDS:
        mistake, more = _WORDS[name]
        c.report(mistake.at(node.span, name=name, more=more))
        return NOWHERE
    symbol = c.symbols.get(name)
    if symbol is None:
        c.used.add(name)
        _undeclared(c, node, view)
        return NOWHERE
    c.used.add(name)
    return _declared(c, node, symbol, view)


def _declared(c: Checker, node: tree.Name, symbol: Symbol, view: View) -> Valued:
    name = symbol.name
    if symbol.kind == "definition":
        signature = "(" + ", ".join(c.definitions[name].parameters) + ")" if name in c.definitions else "(..)"
        c.report(N.UNAPPLIED.at(node.span, name=name, signature=signature))
        return NOWHERE
    if view.role == "definition" and symbol.kind != "param":
        c.report(N.IMPURE.at(node.span, name=name, function=view.subject))
        return NOWHERE
    if symbol.kind in _NOT_VALUES and not (symbol.kind == "measure" and view.role in ("report", "plot")):
        c.report(
            N.NOT_A_VALUE.at(
                node.span, name=name, kind=c.describe(name), more=_NOT_VALUES[symbol.kind].format(name=name)
            )
        )
        return NOWHERE
    if symbol.kind == "channel" and not c.channels[name].sends and not (view.past and view.place.stage is not None):
        if name not in c.dormant:
            c.report(K.NOT_SENT.at(node.span, name=name))
        return NOWHERE
    frame = c.stages.get(name)
    if frame is not None and frame is not view.place.stage and not view.past and symbol.kind != "state":
        c.report(K.AFTER_STAGES.at(node.span, name=name))
        return NOWHERE
    if symbol.kind in VARYING and not view.averaged and name not in c.constants:
        c.report(T.VARIES.at(node.span, name=name))
        return NOWHERE
    return symbol.type or UNKNOWN, symbol.domains


def _undeclared(c: Checker, node: tree.Name, view: View) -> None:
    """Report a name that nothing has declared so far, by the likeliest reason."""
    name, span = node.name, node.span
    if name == view.subject:
        mistake = K.KNOWS_ITSELF if view.role == "knowing" else K.IN_THE_SAME_STATEMENT
        c.report(mistake.at(span, name=name))
    elif name in c.later:
        early(c, node, view)
    elif name in FUNCTIONS:
        c.report(N.UNAPPLIED.at(span, name=name, signature=FUNCTIONS[name].signature))
    elif name in vocabulary.TYPES:
        c.report(N.TYPE_OUTSIDE.at(span, name=name))
    elif name in DISTRIBUTIONS:
        c.report(N.DISTRIBUTION_OUTSIDE.at(span, name=name))
    else:
        owners = [s.name for s in c.symbols.values() if s.type is not None and name in s.type.labels]
        if owners:
            c.report(N.LABEL.at(span, name=name, choice=owners[0]))
            return
        binders = [loop.binder for loop in view.place.loops]
        if name in c.dormant:
            return
        known = [*c.symbols, *view.locals, *binders, *known_words()]
        c.report(N.UNKNOWN_NAME.at(span, name=name, near=near_names(name, known)))


def early(c: Checker, node: tree.Name, view: View) -> None:
    """Report the use of a name that the text determines only later."""
    span = c.later[node.name][0]
    if node.name in c.dormant or (span.source is node.span.source and span.start < node.span.start):
        return  # declared by a statement that has its own report, or that does not hold
    way = () if view.subject is None else circle(c, node.name, view.subject)
    deciding = [isinstance(c.later[name][1], (tree.Decide, tree.Send)) for name in way]
    if way and (deciding[-1] is False or any(deciding[:-1])):  # to know what one's own act does is another mistake
        if frozenset(way) not in c.circles:
            c.circles.add(frozenset(way))
            c.report(K.CIRCLE.at(node.span, name=view.subject, circle=", which needs ".join(f"`{name}`" for name in way)))
        return
    mistake = K.KNOWS_FUTURE if view.role == "knowing" else K.TOO_EARLY
    c.report(mistake.at(node.span, name=node.name, line=span.line))


def circle(c: Checker, start: str, end: str) -> tuple[str, ...]:
    """The names on a shortest way from ``start`` to ``end`` of which each waits for the next; empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    met = {start}
    for way in ways:  # it grows while it is walked
        if way[-1] == end:
            return way
        statement = c.later[way[-1]][1] if way[-1] in c.later else None
        if statement is None or isinstance(statement, (tree.State, tree.Channel)):
            continue  # what states carry comes from the stage before
        for name in present_names(statement):
            if name in c.later and name not in met:
                met.add(name)
                ways.append((*way, name))
    return ()


def present_names(statement: tree.Node) -> list[str]:
    """The names that a statement mentions, but for those of the past (``history(x)``, ``last(x, d)``)."""
    found, waiting = [], [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.name in ("history", "last"):
            continue
        if isinstance(node, tree.Name):
            found.append(node.name)
        waiting.extend(reversed(children(node)))
    return found


def base_name(node: tree.Expression) -> tree.Name | None:
    """``x`` of ``x`` and of ``x[i]``."""
    base = node.base if isinstance(node, tree.Index) else node
    return base if isinstance(base, tree.Name) else None


def channel_named(c: Checker, node: tree.Expression, attentions: bool = False) -> tree.Name | None:
    """The name of the channel (or observation) that an expression is; reports what is none."""
    name = base_name(node)
    if name is None:
        c.report(C.NOT_A_CHANNEL.at(node.span, name=" ".join(node.span.text.split()), kind="an expression"))
        return None
    symbol = c.symbols.get(name.name)
    c.used.add(name.name)
    if symbol is None:
        c.unknown_name(name.name, name.span, ("channel",))
        return None
    if symbol.kind != "channel" and not (attentions and symbol.kind == "attention"):
        c.report(C.NOT_A_CHANNEL.at(name.span, name=name.name, kind=c.describe(name.name)))
        return None
    return name


def wrong_shape(c: Checker, node: tree.Expression, what: str, wanted: str, type: ValueType) -> ValueType:
    return c.report(T.ARGUMENT_SHAPE.at(node.span, what=what, wanted=wanted, shape=shown(type.shape)))
