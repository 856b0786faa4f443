"""Expressions, references and types as canonical text, with the fewest brackets that keep the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import Any

from . import tree
from .tokens import RESERVED


class Binding(IntEnum):
    """How tightly an expression holds together; the levels are the rules of the grammar, loosest first."""

    CONDITIONAL = 0
    DISJUNCTION = 1
    CONJUNCTION = 2
    NEGATION = 3
    COMPARISON = 4
    SUM = 5
    PRODUCT = 6
    FACTOR = 7
    POWER = 8
    POSTFIX = 9
    APPLIED = 10


# Of each operator: its own level, and what its left and right operands need at least.
_OPERATORS: Mapping[str, tuple[Binding, Binding, Binding]] = {
    "or": (Binding.DISJUNCTION, Binding.DISJUNCTION, Binding.CONJUNCTION),
    "and": (Binding.CONJUNCTION, Binding.CONJUNCTION, Binding.NEGATION),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (Binding.COMPARISON, Binding.SUM, Binding.SUM)),
    **dict.fromkeys("+-", (Binding.SUM, Binding.SUM, Binding.PRODUCT)),
    **dict.fromkeys("*/", (Binding.PRODUCT, Binding.PRODUCT, Binding.FACTOR)),
    "^": (Binding.POWER, Binding.POSTFIX, Binding.FACTOR),
}


def expression(node: tree.Expression, least: Binding = Binding.CONDITIONAL) -> str:
    """Canonical text of an expression, in brackets if it binds less tightly than ``least``."""
    text, binding = _PRINTERS[type(node)](node)
    return text if binding >= least else f"({text})"


def listed(nodes: Iterable[tree.Expression]) -> str:
    return ", ".join(expression(node) for node in nodes)


_Printed = tuple[str, Binding]


def _number(node: tree.Number) -> _Printed:
    return node.text, Binding.POSTFIX


def _text(node: tree.Text) -> _Printed:
    return f'"{node.value}"', Binding.POSTFIX


def _name(node: tree.Name) -> _Printed:
    return node.name, Binding.POSTFIX if node.name in RESERVED else Binding.APPLIED


def _array(node: tree.ArrayLiteral) -> _Printed:
    return f"[{listed(node.items)}]", Binding.APPLIED


def _unary(node: tree.Unary) -> _Printed:
    if node.operator == "not":
        return f"not {expression(node.operand, Binding.NEGATION)}", Binding.NEGATION
    return f"{node.operator}{expression(node.operand, Binding.FACTOR)}", Binding.FACTOR


def _binary(node: tree.Binary) -> _Printed:
    own, left, right = _OPERATORS[node.operator]
    space = "" if node.operator == "^" else " "
    return f"{expression(node.left, left)}{space}{node.operator}{space}{expression(node.right, right)}", own


def _conditional(node: tree.Conditional) -> _Printed:
    text = f"if {expression(node.condition)} then {expression(node.then)} else {expression(node.otherwise)}"
    return text, Binding.CONDITIONAL


def _call(node: tree.Call) -> _Printed:
    arguments = ", ".join(
        expression(a.value) if a.keyword is None else f"{a.keyword} = {expression(a.value)}" for a in node.arguments)
    return f"{expression(node.function, Binding.APPLIED)}({arguments})", Binding.APPLIED


def _range(node: tree.Range) -> _Printed:
    return f"{expression(node.low, Binding.SUM)}..{expression(node.high, Binding.SUM)}", Binding.CONDITIONAL


def _comprehension(node: tree.Comprehension) -> _Printed:
    condition = "" if node.condition is None else f" if {expression(node.condition)}"
    return f"{expression(node.body)} for {node.binder} in {expression(node.domain)}{condition}", Binding.CONDITIONAL


def _index(node: tree.Index) -> _Printed:
    return f"{expression(node.base, Binding.APPLIED)}[{listed(node.indices)}]", Binding.APPLIED


def _binder(node: tree.Binder) -> _Printed:
    return f"{node.name} in {expression(node.domain)}", Binding.CONDITIONAL


def _moment(node: tree.Moment) -> _Printed:
    given = "" if node.given is None else f" | {expression(node.given)}"
    return f"{node.kind}[{listed(node.arguments)}{given}]", Binding.APPLIED


_PRINTERS: Mapping[type, Callable[[Any], _Printed]] = {
    tree.Number: _number,
    tree.Text: _text,
    tree.Name: _name,
    tree.ArrayLiteral: _array,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
    tree.Call: _call,
    tree.Range: _range,
    tree.Comprehension: _comprehension,
    tree.Index: _index,
    tree.Binder: _binder,
    tree.Moment: _moment,
}


def type_text(node: tree.Type | tree.FunctionType) -> str:
    if isinstance(node, tree.FunctionType):
        basis = expression(node.basis, Binding.APPLIED)
        return f"Function({type_text(node.domain)} -> {type_text(node.codomain)}, {basis})"
    arguments = f"({listed(node.arguments)})" if node.arguments else ""
    dims = f"[{listed(node.dims)}]" if node.dims else ""
    return node.name + arguments + dims
