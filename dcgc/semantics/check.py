"""From text to a checked game: parse, bring in what is used, read the statements in order, judge the whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..source import Ledger, Source, Span, near_names
from ..syntax import parse, tree
from . import accounts, channels, declarations, moves, reports, time
from .checked import CheckedGame, Symbol
from .context import MOST_DEPTH, Checker, Place, children, names_of
from .mistakes import knowledge as K
from .mistakes import missing as M
from .mistakes import names as N
from .mistakes import parameters as P
from .mistakes import types as T
from .modules import Loader
from .sense import check_sense
from .variant import Variant

Rule = Callable[[Checker, Any, Place], None]
NO_VARIANT = Variant()


def check(
    source: Source,
    ledger: Ledger,
    settings: Mapping[str, object] | None = None,
    folder: Path | None = None,
    variant: Variant = NO_VARIANT,
) -> CheckedGame | None:
    """The game that a text states, or None if it has errors; everything found is in ``ledger``.

    ``settings`` replace values of params, by name: numbers or nested lists. ``folder`` is where the text lies; without
    it no file can be used. ``variant`` says who else commits, and who minimises together. Never raises on a text, whatever it is.
    """
    file = parse(source, ledger)
    broken = _broken_names(source, ledger)
    found = Ledger()
    loader = Loader(found, folder.resolve() if folder is not None else None)
    statements = (*_expand(file, loader), *variant.statements(found))
    deep = {id(statement) for statement in statements if _too_deep(found, statement)}
    sound = tuple(statement for statement in statements if id(statement) not in deep)
    lost = broken | {name for name, _ in _declared(tuple(s for s in statements if id(s) in deep))}
    header = _header(found, file, source)
    c = _read_until_told(sound, settings or {}, lost, source)
    for diagnostic in c.ledger:
        found.add(diagnostic)
    c.ledger = found
    _check_settings(c, header, source)
    if not found.errors and header is not None and not broken:
        check_sense(c, header)
    if broken:
        _keep_certain(file, found, ledger)
    else:
        for diagnostic in found:
            ledger.add(diagnostic)
    if ledger.errors or header is None:
        return None
    return _game(c, file, header, sound, source, loader, variant)


MOST_READINGS = 3


def _read_until_told(
    statements: tuple[tree.Statement, ...], settings: Mapping[str, object], lost: set[str], source: Source
) -> Checker:
    """Read the statements; again with what was learnt, where ``last`` and ``history`` look ahead in a stage."""
    foretold: dict[str, Symbol] = {}
    c = Checker(Ledger(), settings)
    for _ in range(MOST_READINGS):
        c = Checker(Ledger(), dict(settings), foretold=foretold)
        c.dormant |= lost
        for name, declaration in _declared(statements):
            c.later.setdefault(name, declaration)
        try:
            _read(c, statements)
        except RecursionError:
            c.report(T.TOO_DEEP.at(Span(source, 0, len(source.text)), most=MOST_DEPTH))
        told = {name: symbol for name, symbol in c.symbols.items() if symbol.type is not None}
        if c.ledger.errors or not c.looked_ahead or told == foretold:
            break
        foretold = told
    for symbol in c.symbols.values():
        if (
            symbol.type is not None
            and symbol.type.kind == "unknown"
            and symbol.kind != "measure"
            and not c.ledger.errors
        ):
            c.report(K.UNTOLD.at(symbol.span, name=symbol.name))
    return c


# ---------------------------------------------------------------- before reading


def _broken_names(source: Source, ledger: Ledger) -> set[str]:
    """The names on lines that could not be parsed: what they declare is not known, and not to be complained about."""
    names: set[str] = set()
    for diagnostic in ledger.errors:
        first = source.position(diagnostic.span.start)[0]
        last = source.position(diagnostic.span.end)[0]
        for number in range(first, min(last, first + 50) + 1):
            names.update(re.findall(r"[^\W\d]\w*", source.line(number)))
        names.add("")  # so that a broken text is never taken for a sound one
    return names


def _keep_certain(file: tree.File, found: Ledger, ledger: Ledger) -> None:
    """Of what was found in a text with syntax mistakes, keep what does not hang on the parts that were not read."""
    starts = [(error.span.source, error.span.start) for error in ledger.errors]
    torn = [
        statement.span
        for statement in file.statements
        if isinstance(statement, (tree.Channel, tree.Attend, tree.Gradient, tree.Train))
        and any(statement.span.source is source and _holds(statement.span, start) for source, start in starts)
    ]
    for diagnostic in found.errors:
        inside = any(_holds(span, diagnostic.span.start) for span in torn)
        if not inside and not diagnostic.code.startswith("M"):
            ledger.add(diagnostic)


def _holds(span: Span, offset: int) -> bool:
    return span.start <= offset < span.end


def _expand(file: tree.File, loader: Loader) -> tuple[tree.Statement, ...]:
    """The statements with every ``use`` replaced by what it brings.

    What a ``use`` fills in may name any param of the game, so it stands after the last of them. A channel of another
    file on which the game never sends is left out, with the params that nothing else mentions.
    """
    sent = {s.target.name for s in _everywhere(file.statements) if isinstance(s, tree.Send)}
    last = max((i for i, s in enumerate(file.statements) if isinstance(s, tree.Param)), default=-1)
    found: list[tree.Statement] = []
    held: list[tree.Statement] = []
    brought: set[int] = set()
    for i, statement in enumerate(file.statements):
        if isinstance(statement, tree.Use):
            taken = [t for t in loader.take(statement, ()) if not isinstance(t, tree.Channel) or t.target.name in sent]
            brought |= {id(t) for t in taken if isinstance(t, tree.Param)}
            (held if statement.filled and i < last else found).extend(taken)
        else:
            found.append(statement)
        if i == last:
            found.extend(held)
    if not brought:
        return tuple(found)
    mentioned = {name for statement in found for name in names_of(statement)}
    return tuple(s for s in found if id(s) not in brought or not isinstance(s, tree.Param) or s.name in mentioned)


def _everywhere(statements: tuple[tree.Statement, ...]) -> Iterator[tree.Statement]:
    """Statements and those of their blocks."""
    waiting = list(statements)
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, (tree.For, tree.When, tree.Stage)):
            waiting.extend(statement.body)


def _too_deep(ledger: Ledger, statement: tree.Statement) -> bool:
    """Report a statement that is nested more deeply than the compiler reads; found without recursion."""
    waiting: list[tuple[tree.Node, int]] = [(statement, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MOST_DEPTH:
            ledger.add(T.TOO_DEEP.at(statement.span, most=MOST_DEPTH))
            return True
        waiting.extend((child, depth + 1) for child in children(node))
    return False


def _header(ledger: Ledger, file: tree.File, source: Source) -> tree.GameHeader | None:
    headers = [statement for statement in file.statements if isinstance(statement, tree.GameHeader)]
    if not headers:
        ledger.add(M.NO_HEADER.at(Span(source, 0, min(1, len(source.text)))))
        return None
    for extra in headers[1:]:
        ledger.add(M.SECOND_HEADER.at(extra.span))
    if file.statements[0] is not headers[0]:
        ledger.add(M.SECOND_HEADER.at(headers[0].span))
    return headers[0]


_NAMED = (tree.Param, tree.Def, tree.Team, tree.Measure)
_TARGETED = (tree.Random, tree.Let, tree.Decide, tree.Channel, tree.Attend, tree.Solve, tree.State)


def _declared(statements: tuple[tree.Statement, ...]) -> list[tuple[str, tuple[Span, tree.Statement]]]:
    """Every name that statements and their blocks declare, in order."""
    found: list[tuple[str, tuple[Span, tree.Statement]]] = []
    for statement in statements:
        if isinstance(statement, _NAMED):
            found.append((statement.name, (statement.name_span, statement)))
        elif isinstance(statement, _TARGETED):
            found.append((statement.target.name, (statement.target.span, statement)))
        elif isinstance(statement, tree.Player):
            found.extend((item.name, (item.span, statement)) for item in statement.players)
        elif isinstance(statement, (tree.For, tree.When, tree.Stage)):
            found.extend(_declared(statement.body))
    return found


# ---------------------------------------------------------------- reading

# Declarations have no place in time: they are read first, so that a move may use any of them.
DECLARATIONS: dict[type[tree.Statement], Rule] = {
    tree.Param: declarations.check_param,
    tree.Def: declarations.check_definition,
    tree.Player: declarations.check_players,
    tree.Team: declarations.check_team,
}

MOVES: dict[type[tree.Statement], Rule] = {
    tree.Random: moves.check_random,
    tree.Let: moves.check_let,
    tree.Decide: moves.check_decide,
    tree.Solve: moves.check_solve,
    tree.Send: channels.check_send,
    tree.Attend: channels.check_attend,
    tree.State: time.check_state,
    tree.Next: time.check_next,
    tree.Halt: time.check_halt,
    tree.Delay: time.check_delay,
    tree.Payment: accounts.check_payment,
    tree.Constrain: accounts.check_constrain,
    tree.Stage: lambda c, node, place: time.check_stage(c, node, place, walk),
    tree.For: lambda c, node, place: time.check_for(c, node, place, walk),
    tree.When: lambda c, node, place: time.check_when(c, node, place, walk, _leave_out),
}

# These are about the game as a whole, and stand outside loops and stages.
WHOLE: dict[type[tree.Statement], Rule] = {
    tree.TotalBudget: channels.check_total_budget,
    tree.Commit: accounts.check_commit,
    tree.Measure: reports.check_measure,
    tree.Known: reports.check_known,
    tree.Tap: reports.check_tap,
    tree.Policy: reports.check_policy,
    tree.Gradient: reports.check_gradient,
    tree.Train: reports.check_train,
    tree.Plot: reports.check_plot,
}

OUTSIDE: tuple[type[tree.Statement], ...] = (tree.GameHeader, tree.Cite, tree.Use, tree.Channel)

_WORDS: dict[type[tree.Statement], str] = {tree.TotalBudget: "budget total", tree.GameHeader: "game"}


def _read(c: Checker, statements: tuple[tree.Statement, ...]) -> None:
    top = Place()
    for statement in statements:
        rule = DECLARATIONS.get(type(statement))
        if rule is not None:
            rule(c, statement, top)
    for statement in statements:
        if isinstance(statement, tree.Channel):
            channels.check_channel(c, statement, top)
    walk(c, tuple(s for s in statements if type(s) not in DECLARATIONS and not isinstance(s, OUTSIDE)), top)


def walk(c: Checker, statements: tuple[tree.Statement, ...], place: Place) -> None:
    """Read statements in their order, which is the order of time."""
    if place.stage is not None and place.stage not in c.frames:
        c.frames.append(place.stage)
    for statement in statements:
        kind = type(statement)
        rule = MOVES.get(kind)
        if rule is None and not place.block:
            rule = WHOLE.get(kind)
        if rule is None:
            word = _WORDS.get(kind, kind.__name__.lower())
            c.report(N.MISPLACED_STATEMENT.at(statement.span, statement=word, block=place.block or "when"))
            c.dormant.update(name for name, _ in _declared((statement,)))
            continue
        rule(c, statement, place)


def _leave_out(c: Checker, node: tree.When, place: Place) -> None:
    """A block whose condition does not hold in this compilation: only unknown names in it are mistakes."""
    declared = _declared(node.body)
    outer = c.ledger
    kept: dict[str, Any] = {key: value.copy() for key, value in vars(c).items() if isinstance(value, (dict, set, list))}
    sent = {name: list(info.sends) for name, info in c.channels.items()}
    c.ledger = Ledger()
    c.dormant |= {name for name, _ in declared if name not in c.symbols}
    walk(c, node.body, replace(place, conditional=True, block=place.block or ""))
    inner, c.ledger = c.ledger, outer
    for diagnostic in inner.errors:
        if diagnostic.code in (N.UNKNOWN_NAME.code, N.UNKNOWN_FUNCTION.code, N.UNKNOWN_TYPE.code):
            outer.add(diagnostic)
    used, acting, known = c.used, c.acting, c.known_channels
    c.dormant |= {name for name, info in c.channels.items() if len(info.sends) > len(sent[name])}
    dormant = c.dormant
    for name, sends in sent.items():
        c.channels[name].sends[:] = sends
    for key, value in kept.items():
        setattr(c, key, value)
    c.used |= used
    c.known_channels |= known
    c.dormant_players |= acting
    c.dormant |= dormant
    c.dormant |= {name for name, _ in declared if name not in c.symbols}


def _check_settings(c: Checker, header: tree.GameHeader | None, source: Source) -> None:
    span = header.name_span if header is not None else Span(source, 0, 0)
    for name in c.settings:
        if name not in c.symbols or c.symbols[name].kind != "param":
            known = [symbol.name for symbol in c.symbols.values() if symbol.kind == "param"]
            c.report(
                P.UNKNOWN_PARAMETER.at(
                    span, name=name, known=", ".join(known) or "none", near=near_names(str(name), known)
                )
            )


# ---------------------------------------------------------------- the result


def _game(
    c: Checker,
    file: tree.File,
    header: tree.GameHeader,
    statements: tuple[tree.Statement, ...],
    source: Source,
    loader: Loader,
    variant: Variant,
) -> CheckedGame:
    params = {name: replace(param, fixed=name in c.fixed) for name, param in c.params.items()}
    pooled = {name for name, _ in variant.teams}
    kept = tuple(s for s in statements if not isinstance(s, (tree.GameHeader, tree.Cite, tree.Use)))
    return CheckedGame(
        name=header.name,
        title=header.title,
        source=source,
        file=file,
        statements=kept,
        params=params,
        players=c.players,
        teams={name: replace(team, pooled=name in pooled) for name, team in c.teams.items()},
        definitions=c.definitions,
        symbols=c.symbols,
        citations=tuple(s for s in file.statements if isinstance(s, tree.Cite)),
        sources=(source, *loader.sources),
        constants=c.constants,
        settings=tuple(name for name in c.settings if name in c.params),
        variant=variant,
    )
