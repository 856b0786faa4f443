"""The nodes of statements and of the entries of blocks, one function a grammar alternative."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..source import Span
from . import tree
from .build_expressions import EXPRESSIONS, Children, first, mark, token_span
from .mistake import Mistake, SyntaxMistake
from .tokens import Token


def declared(token: Token) -> str:
    """The name that a statement makes: one word without dots."""
    if "." in token.text:
        raise SyntaxMistake(Mistake(
            "S012", f"`{token.text}` cannot be declared: names have no dots", token.start, token.end,
            f"write `{token.text.replace('.', '_')}`"))
    return token.text


def _text(token: Token | None) -> str | None:
    return None if token is None else token.text


def _given(knowing: Sequence[tree.Expression] | None) -> tuple[tree.Expression, ...]:
    """What is known; ``nothing`` is the empty list and stands alone."""
    items = tuple(knowing or ())
    for item in items:
        if isinstance(item, tree.Name) and item.name == "nothing":
            if len(items) > 1:
                raise SyntaxMistake(Mistake(
                    "S014", "`nothing` stands alone after `knowing`", item.span.start, item.span.end,
                    "remove it, or all that stands beside it"))
            return ()
    return items


# ---------------------------------------------------------------- statements


def game(children: Children, span: Span) -> tree.GameHeader:
    name, title = children
    return tree.GameHeader(declared(name), _text(title), token_span(name, span), span=span)


def cite(children: Children, span: Span) -> tree.Cite:
    return tree.Cite(children[0].text, _text(children[1]), span=span)


def use_path(children: Children, span: Span) -> tree.Use:
    path, filled, alias = children
    return tree.Use(path.text, None, _alias(alias), tuple(filled or ()), span=span)


def use_module(children: Children, span: Span) -> tree.Use:
    module, filled, alias = children
    return tree.Use(None, module.text, _alias(alias), tuple(filled or ()), span=span)


def _alias(token: Token | None) -> str | None:
    return None if token is None else declared(token)


def interval(children: Children, span: Span) -> tree.Interval:
    opening, low, high, closing = children
    return tree.Interval(low, high, opening.text == "[", closing.text == "]", span=span)


def param(children: Children, span: Span) -> tree.Param:
    name, integer, value, range_ = children
    return tree.Param(declared(name), bool(integer), value, range_, token_span(name, span), span=span)


def parameters(children: Children, span: Span) -> tuple[str, ...]:
    return tuple(declared(token) for token in children)


def definition(children: Children, span: Span) -> tree.Def:
    name, names, body = children
    return tree.Def(declared(name), names or (), body, token_span(name, span), span=span)


def player_item(children: Children, span: Span) -> tree.PlayerItem:
    name, size, symmetric = children
    return tree.PlayerItem(declared(name), size, bool(symmetric), span=span)


def player(children: Children, span: Span) -> tree.Player:
    return tree.Player(tuple(children), span=span)


def team(children: Children, span: Span) -> tree.Team:
    return tree.Team(declared(children[0]), children[1], token_span(children[0], span), span=span)


def target(children: Children, span: Span) -> tree.Target:
    return tree.Target(declared(children[0]), children[1] or (), span=span)


def filling(children: Children, span: Span) -> tree.Target:
    """What ``send`` fills: nothing new, so the name may be one of a module, with dots."""
    return tree.Target(children[0].text, children[1] or (), span=span)


def decide(children: Children, span: Span) -> tree.Decide:
    made, type_, by, knowing, mixed = children
    return tree.Decide(made, type_, by, _given(knowing), bool(mixed), span=span)


def channel(children: Children, span: Span) -> tree.Channel:
    made, sender, receivers, block = children
    return tree.Channel(made, sender, receivers, block.contents, span=span)


def send(children: Children, span: Span) -> tree.Send:
    filled, by, knowing, mixed = children
    return tree.Send(filled, by, _given(knowing), bool(mixed), span=span)


def attend(children: Children, span: Span) -> tree.Attend:
    made, by, to, knowing, block = children
    return tree.Attend(made, by, to, _given(knowing), block.contents, span=span)


def solve(children: Children, span: Span) -> tree.Solve:
    made, within, left, right = children
    return tree.Solve(made, within.low, within.high, within.low_closed, within.high_closed, left, right, span=span)


def cost(children: Children, span: Span) -> tree.Payment:
    return tree.Payment("cost", *children, span=span)


def payoff(children: Children, span: Span) -> tree.Payment:
    return tree.Payment("payoff", *children, span=span)


def constrain(children: Children, span: Span) -> tree.Constrain:
    left, relation, right, by = children
    return tree.Constrain(left, relation.text, right, by, span=span)


def stage(children: Children, span: Span) -> tree.Stage:
    binder, low, high, discount, block = children
    return tree.Stage(declared(binder), low, high, discount, block.contents, token_span(block, span), span=span)


def for_(children: Children, span: Span) -> tree.For:
    binder, domain, block = children
    return tree.For(declared(binder), domain, block.contents, token_span(block, span), span=span)


def when(children: Children, span: Span) -> tree.When:
    return tree.When(children[0], children[1].contents, token_span(children[1], span), span=span)


def measure(children: Children, span: Span) -> tree.Measure:
    return tree.Measure(declared(children[0]), children[1], token_span(children[0], span), span=span)


Clause = tuple[str, Any, Span]  # its keyword, its value, its place


def within_clause(children: Children, span: Span) -> Clause:
    written = children[0].text
    relative = written.endswith("%")
    value = float(written.rstrip("%")) / (100 if relative else 1)
    return "within", tree.Tolerance(value, relative, span=span), span


def condition_clause(children: Children, span: Span) -> Clause:
    return "when", children[0], span


def origin_clause(children: Children, span: Span) -> Clause:
    return "from", children[0].text, span


def _once(clauses: Sequence[Clause]) -> dict[str, Any]:
    """Clauses by keyword; each may be given once."""
    found: dict[str, Clause] = {}
    for clause in clauses:
        word, _, span = clause
        if word in found:
            raise SyntaxMistake(Mistake(
                "S013", f"`{word}` is given twice", span.start, span.end, "keep one of them",
                note=("first given here", found[word][2].start, found[word][2].end)))
        found[word] = clause
    return {word: value for word, value, _ in found.values()}


def _figure(kind: str, quantity: tree.Expression, relation: str, value: tree.Expression, clauses: Sequence[Clause],
            span: Span) -> tree.Known:
    given = _once(clauses)
    return tree.Known(kind, quantity, relation, value, given.get("within"), given.get("when"),  # type: ignore[arg-type]
                      given.get("from"), span=span)


def known(children: Children, span: Span) -> tree.Known:
    quantity, value, *clauses = children
    return _figure("known", quantity, "=", value, clauses, span)


def record(children: Children, span: Span) -> tree.Known:
    quantity, value, *clauses = children
    return _figure("record", quantity, "=", value, clauses, span)


def bound(children: Children, span: Span) -> tree.Known:
    quantity, relation, value, *clauses = children
    return _figure("bound", quantity, relation.text, value, clauses, span)


def gradient(children: Children, span: Span) -> tree.Gradient:
    entries: tuple[Any, ...] = children[0].contents
    budgets = [entry for entry in entries if not isinstance(entry, tree.Route)]
    amount, unit = _once(budgets).get("budget", (None, None))
    return tree.Gradient(amount, unit, tuple(e for e in entries if isinstance(e, tree.Route)),
                         token_span(children[0], span), span=span)


def train(children: Children, span: Span) -> tree.Train:
    return tree.Train(children[0].contents, token_span(children[0], span), span=span)


# ---------------------------------------------------------------- entries of blocks


def carries(children: Children, span: Span) -> Clause:
    return "carries", children[0], span


def bits(children: Children, span: Span) -> tree.Budget:
    amount, unit, average = children
    return tree.Budget(amount, "bits" if unit.text.startswith("bit") else "nats", bool(average), span=span)


def channel_budget(children: Children, span: Span) -> Clause:
    return "budget", children[0], span


def price(children: Children, span: Span) -> Clause:
    amount, unit, paid_by = children
    return "price", tree.Price(amount, unit.text, paid_by, span=span), span


def noise(children: Children, span: Span) -> Clause:
    return "noise", children[0], span


def stop(children: Children, span: Span) -> Clause:
    return "stop", children[0].text, span


def heard(children: Children, span: Span) -> Clause:
    return "heard_by", children[0], span


def channel_body(entries: Sequence[Clause], span: Span) -> tree.ChannelBody:
    """The body of a channel or of ``attend``. Raises SyntaxMistake if an entry is given twice."""
    once = _once(entries)
    return tree.ChannelBody(**once, order=tuple((word, place) for word, _, place in entries), span=span)


def gradient_budget(children: Children, span: Span) -> Clause:
    return "budget", (children[0], children[1].text), span


def route(children: Children, span: Span) -> tree.Route:
    subject, towards, order = children
    return tree.Route(subject, towards, order.text, span=span)


def setting(children: Children, span: Span) -> tree.Setting:
    key, first, second = children
    return tree.Setting(key.text, first if second is None else second, None if second is None else first, span=span)


def _node(kind: Callable[..., tree.Node]) -> Callable[[Children, Span], tree.Node]:
    """A builder for a node whose fields are the children in order."""
    def build(children: Children, span: Span) -> tree.Node:
        return kind(*children, span=span)
    return build


BUILDERS: Mapping[str, Callable[[Children, Span], Any]] = {
    **EXPRESSIONS,
    "game": game,
    "cite": cite,
    "use_path": use_path,
    "use_module": use_module,
    "param": param,
    "def": definition,
    "player": player,
    "team": team,
    "random": _node(tree.Random),
    "let": _node(tree.Let),
    "decide": decide,
    "channel": channel,
    "send": send,
    "attend": attend,
    "total_budget": _node(tree.TotalBudget),
    "solve": solve,
    "cost": cost,
    "payoff": payoff,
    "constrain": constrain,
    "commit": _node(tree.Commit),
    "state": _node(tree.State),
    "next": _node(tree.Next),
    "stage": stage,
    "halt": _node(tree.Halt),
    "delay": _node(tree.Delay),
    "for": for_,
    "when": when,
    "measure": measure,
    "known": known,
    "record": record,
    "bound": bound,
    "tap": _node(tree.Tap),
    "policy": _node(tree.Policy),
    "gradient": gradient,
    "train": train,
    "plot": _node(tree.Plot),
    "interval": interval,
    "parameters": parameters,
    "player_item": player_item,
    "target": target,
    "filling": filling,
    "knowing": first,
    "within": within_clause,
    "condition": condition_clause,
    "origin": origin_clause,
    "carries": carries,
    "bits": bits,
    "channel_budget": channel_budget,
    "price": price,
    "noise": noise,
    "stop": stop,
    "heard": heard,
    "gradient_budget": gradient_budget,
    "route": route,
    "setting": setting,
    **dict.fromkeys(("integer", "symmetric", "mixed", "average"), mark),
    **dict.fromkeys(("opening", "closing", "constraint_relation", "bound_relation", "bits_unit", "price_unit",
                     "flop_unit", "order"), first),
}
