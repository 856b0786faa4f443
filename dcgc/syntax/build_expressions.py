"""The nodes of expressions, references and types, one function a grammar alternative.

A builder takes the children of its alternative in order (None for an absent optional part) and the span of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..source import Span
from . import tree
from .mistake import Mistake, SyntaxMistake
from .tokens import Token

Children = list[Any]


def token_span(token: Token, span: Span) -> Span:
    return Span(span.source, token.start, token.end)


def first(children: Children, _: Span) -> Any:
    return children[0]


def collect(children: Children, _: Span) -> tuple[Any, ...]:
    return tuple(children)


def mark(_: Children, __: Span) -> bool:
    """An optional word that is there; absent, the parser gives None."""
    return True


def _decimal(text: str) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def number(children: Children, span: Span) -> tree.Number:
    text = children[0].text
    return tree.Number(_decimal(text), text, span=span)


def number_word(children: Children, span: Span) -> tree.Number:
    text = children[0].text
    return tree.Number({"inf": float("inf"), "pi": 3.141592653589793}[text], text, span=span)


def text(children: Children, span: Span) -> tree.Text:
    return tree.Text(children[0].text, span=span)


def name(children: Children, span: Span) -> tree.Name:
    return tree.Name(children[0].text, span=span)


def member(children: Children, span: Span) -> tree.Index:
    base = tree.Name(children[0].text, span=token_span(children[0], span))
    return tree.Index(base, children[1], span=span)


def parenthesised(children: Children, span: Span) -> tree.Expression:
    return replace(children[0], span=span)


def array(children: Children, span: Span) -> tree.ArrayLiteral:
    return tree.ArrayLiteral(children[0], span=span)


def unary(children: Children, span: Span) -> tree.Unary:
    return tree.Unary(children[0].text, children[1], span=span)


def binary(children: Children, span: Span) -> tree.Binary:
    left, operator, right = children
    return tree.Binary("^" if operator.text == "**" else operator.text, left, right, span=span)


def chained_comparison(children: Children, span: Span) -> tree.Binary:
    low, first_relation, middle, second_relation, high = (
        child.text if isinstance(child, Token) else child.span.text for child in children)
    raise SyntaxMistake(Mistake(
        "S009", "comparisons do not chain", span.start, span.end,
        f"write `{low} {first_relation} {middle} and {middle} {second_relation} {high}`"))


def conditional(children: Children, span: Span) -> tree.Conditional:
    return tree.Conditional(*children, span=span)


def call(children: Children, span: Span) -> tree.Call:
    return tree.Call(children[0], children[1] or (), span=span)


def index(children: Children, span: Span) -> tree.Index:
    return tree.Index(children[0], children[1], span=span)


def moment(children: Children, span: Span) -> tree.Moment:
    kind, arguments, given = children
    needed = 2 if kind.text == "Cov" else 1
    if len(arguments) != needed:
        raise SyntaxMistake(Mistake(
            "S015", f"`{kind.text}` takes {needed} argument{'s' * (needed > 1)}, not {len(arguments)}",
            span.start, span.end,
            {"E": "write `E[x]`", "Var": "write `Var[x]`", "Cov": "write `Cov[x, y]`"}[kind.text]))
    return tree.Moment(kind.text, arguments, given, span=span)


def positional(children: Children, span: Span) -> tree.Argument:
    return tree.Argument(None, children[0], span=span)


def keyword(children: Children, span: Span) -> tree.Argument:
    return tree.Argument(children[0].text, children[1], span=span)


def comprehension(children: Children, span: Span) -> tree.Argument:
    body, binder_name, domain, condition = children
    return tree.Argument(None, tree.Comprehension(body, binder_name.text, domain, condition, span=span), span=span)


def arguments(children: Children, span: Span) -> tuple[tree.Argument, ...]:
    if len(children) > 1:
        for argument in children:
            if isinstance(argument.value, tree.Comprehension):
                raise SyntaxMistake(Mistake(
                    "S015", "`.. for .. in ..` must be the only argument", argument.span.start, argument.span.end,
                    "give the other arguments outside of it"))
    return tuple(children)


def binder(children: Children, span: Span) -> tree.Binder:
    return tree.Binder(children[0].text, children[1], span=span)


def range_(children: Children, span: Span) -> tree.Range:
    return tree.Range(*children, span=span)


def type_(children: Children, span: Span) -> tree.Type:
    type_name, arguments_, dims = children
    return tree.Type(type_name.text, dims or (), arguments_ or (), span=span)


def function_type(children: Children, span: Span) -> tree.FunctionType:
    return tree.FunctionType(*children, span=span)


EXPRESSIONS: Mapping[str, Callable[[Children, Span], Any]] = {
    "number": number,
    "number_word": number_word,
    "text": text,
    "name": name,
    "word": name,
    "member": member,
    "parenthesised": parenthesised,
    "array": array,
    "unary": unary,
    "binary": binary,
    "chained_comparison": chained_comparison,
    "conditional": conditional,
    "call": call,
    "index": index,
    "moment": moment,
    "positional": positional,
    "keyword": keyword,
    "comprehension": comprehension,
    "arguments": arguments,
    "binder": binder,
    "range": range_,
    "type": type_,
    "function_type": function_type,
    "exprs": collect,
    "indices": collect,
    "references": collect,
    "receivers": collect,
} | dict.fromkeys(
    # rules that stand for a single sign or word
    ("or", "and", "not", "relation", "additive", "multiplicative", "caret", "group_word", "limit_word", "moment_word",
     "value_word"), first,
)
