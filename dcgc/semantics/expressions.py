"""The type of every expression, and whether its names may stand where they do. One rule for each kind of node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..syntax import tree
from . import calls, indexing
from .checked import IndexDomain, ValueType
from .context import REAL, UNKNOWN, Checker, View
from .mistakes import knowledge as K
from .mistakes import names as N
from .mistakes import types as T
from .names import value_of
from .shapes import broadcast, shown, spread

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
NUMERIC = ("real", "bool", "category", "choice", "message")


def infer(c: Checker, node: tree.Expression, view: View) -> ValueType:
    """The type of ``node``; UNKNOWN (after a report) if it has none."""
    return RULES[type(node)](c, node, view)


def infer_number(c: Checker, node: tree.Expression, view: View) -> ValueType:
    """The type of an expression that must be a number or an array of numbers."""
    return as_number(c, infer(c, node, view), node)


def as_number(c: Checker, type: ValueType, node: tree.Expression) -> ValueType:
    if type.kind in NUMERIC or type.kind == "unknown":
        return type
    if type.kind == "function" and type.size is not None:  # a regression's function: its predictions
        return ValueType("real", (*type.shape, type.size))
    hint = "apply it to an argument" if type.kind == "function" else "a policy may know it"
    what = "a function" if type.kind == "function" else f"a value of kind {type.kind}"
    return c.report(T.NOT_A_NUMBER.at(node.span, what=what, more=hint))


def infer_bool(c: Checker, node: tree.Expression, view: View, what: str = "a condition") -> ValueType:
    """The type of an expression that must be true or false: a Bool, or a constant 0 or 1."""
    type = infer(c, node, view)
    if type.kind in ("bool", "unknown") or c.constant(node) in (0.0, 1.0):
        return type
    return c.report(T.NOT_A_BOOL.at(node.span, what=what, kind=f"of kind {type.kind}"))


def infer_scalar(c: Checker, node: tree.Expression, view: View, what: str) -> ValueType:
    """The type of an expression that must be a single number."""
    type = infer_number(c, node, view)
    if type.kind != "unknown" and type.shape != ():
        return c.report(T.NOT_SCALAR.at(node.span, what=what, shape=shown(type.shape)))
    return type


def infer_condition(c: Checker, node: tree.Expression, view: View) -> ValueType:
    """The type of a single condition."""
    type = infer_bool(c, node, view)
    if type.kind != "unknown" and type.shape != ():
        return c.report(T.NOT_SCALAR.at(node.span, what="a condition", shape=shown(type.shape)))
    return type


# ---------------------------------------------------------------- the rules


def _name(c: Checker, node: tree.Name, view: View) -> ValueType:
    type, domains = value_of(c, node, view)
    return spread(type, domains)


def _array(c: Checker, node: tree.ArrayLiteral, view: View) -> ValueType:
    types = [infer_number(c, item, view) for item in node.items]
    if not types or any(type.kind == "unknown" for type in types):
        return UNKNOWN
    for type in types:
        if type.shape != types[0].shape:
            return c.report(T.RAGGED.at(node.span, left=shown(types[0].shape), right=shown(type.shape)))
    return ValueType("real", (len(types), *types[0].shape))


def _unary(c: Checker, node: tree.Unary, view: View) -> ValueType:
    if node.operator == "not":
        return _as_bool(infer_bool(c, node.operand, view, "the operand of `not`"))
    return _as_real(infer_number(c, node.operand, view))


def _as_real(type: ValueType) -> ValueType:
    return type if type.kind == "unknown" else ValueType("real", type.shape)


def _as_bool(type: ValueType) -> ValueType:
    return type if type.kind == "unknown" else ValueType("bool", type.shape)


def _binary(c: Checker, node: tree.Binary, view: View) -> ValueType:
    chain = [node]
    while isinstance(chain[-1].left, tree.Binary):  # a long sum leans to the left: no recursion for it
        chain.append(chain[-1].left)
    innermost = chain[-1]
    if _is_comparison_with_label(c, innermost, view):
        innermost = replace(innermost, left=innermost.right, right=innermost.left)
        chain[-1] = innermost
    type = infer(c, innermost.left, view)
    for step in reversed(chain):
        type = _operate(c, step, type, view)
    return type


def _is_comparison_with_label(c: Checker, node: tree.Binary, view: View) -> bool:
    """``left == a`` with the label first."""
    if node.operator not in ("==", "!=") or not isinstance(node.left, tree.Name):
        return False
    name = node.left.name
    return name not in c.symbols and name not in view.locals and node.left.name in indexing.labels_of(c, node.right)


def _operate(c: Checker, node: tree.Binary, left: ValueType, view: View) -> ValueType:
    if node.operator in ("==", "!=") and left.kind == "choice" and isinstance(node.right, tree.Name):
        if node.right.name in left.labels:
            return ValueType("bool", left.shape[:-1])
        if left.labels and indexing.is_unclaimed(c, node.right, view):
            return indexing.no_label(c, node.left, node.right, left)
    if left.kind == "unknown" and node.operator in ("==", "!=") and isinstance(node.right, tree.Name):
        if indexing.is_unclaimed(c, node.right, view):
            return UNKNOWN  # perhaps a label
    if node.operator in ("and", "or"):
        what = f"each side of `{node.operator}`"
        right = infer_bool(c, node.right, view, what)
        if left.kind not in ("bool", "unknown") and c.constant(node.left) not in (0.0, 1.0):
            return c.report(T.NOT_A_BOOL.at(node.left.span, what=what, kind=f"of kind {left.kind}"))
        return _combined(c, node, left, right, "bool")
    right = infer(c, node.right, view)
    if left.kind == "unknown" or right.kind == "unknown":
        return UNKNOWN
    if node.operator in COMPARISONS and "choice" in (left.kind, right.kind):
        return _compare_choices(c, node, left, right)
    left, right = as_number(c, left, node.left), as_number(c, right, node.right)
    if left.kind == "unknown" or right.kind == "unknown":
        return UNKNOWN
    both = left.kind == right.kind == "bool" and node.operator == "*"
    return _combined(c, node, left, right, "bool" if both or node.operator in COMPARISONS else "real")


def _combined(c: Checker, node: tree.Binary, left: ValueType, right: ValueType, kind: Any) -> ValueType:
    if left.kind == "unknown" or right.kind == "unknown":
        return UNKNOWN
    shape = broadcast(left.shape, right.shape)
    if shape is None:
        return c.report(
            T.SHAPES.at(node.span, operator=node.operator, left=shown(left.shape), right=shown(right.shape))
        )
    return ValueType(kind, shape)


def _compare_choices(c: Checker, node: tree.Binary, left: ValueType, right: ValueType) -> ValueType:
    if left.kind == right.kind == "choice" and node.operator in ("==", "!="):
        if left.size != right.size:
            return c.report(
                T.DIFFERENT_BRANCHES.at(node.span, left=f"a Choice of {left.size}", right=f"one of {right.size}")
            )
        return _combined(c, node, ValueType("bool", left.shape[:-1]), ValueType("bool", right.shape[:-1]), "bool")
    choice, other = (node.left, node.right) if left.kind == "choice" else (node.right, node.left)
    what = f"`{' '.join(other.span.text.split())}`" if right.kind != left.kind else "another by size"
    return c.report(T.CHOICE_COMPARED.at(node.span, name=" ".join(choice.span.text.split()), what=what))


def _conditional(c: Checker, node: tree.Conditional, view: View) -> ValueType:
    condition = infer_bool(c, node.condition, view, "what stands after `if`")
    then, otherwise = infer(c, node.then, view), infer(c, node.otherwise, view)
    if "unknown" in (condition.kind, then.kind, otherwise.kind):
        return UNKNOWN
    if then.kind == otherwise.kind == "choice" and then.shape == otherwise.shape and condition.shape == ():
        return then
    then, otherwise = as_number(c, then, node.then), as_number(c, otherwise, node.otherwise)
    if then.kind == "unknown" or otherwise.kind == "unknown":
        return UNKNOWN
    shape = broadcast(then.shape, otherwise.shape)
    shape = broadcast(shape, condition.shape) if shape is not None else None
    if shape is None:
        return c.report(T.SHAPES.at(node.span, operator="if", left=shown(then.shape), right=shown(otherwise.shape)))
    if then.kind == otherwise.kind == "category" and then.size == otherwise.size:
        return ValueType("category", shape, then.size)
    return ValueType("bool" if then.kind == otherwise.kind == "bool" else "real", shape)


def _range(c: Checker, node: tree.Range, view: View) -> ValueType:
    return c.report(T.NOT_A_NUMBER.at(node.span, what="a range", more="ranges stand after `in`"))


def _comprehension(c: Checker, node: tree.Comprehension, view: View) -> ValueType:
    return c.report(N.KEYWORD_IN_FUNCTION.at(node.span, binder=node.binder, known="sum, mean, prod, max and min"))


def _binder(c: Checker, node: tree.Binder, view: View) -> ValueType:
    return c.report(N.KEYWORD_IN_FUNCTION.at(node.span, binder=node.name, known="a channel's name and of sums"))


def _moment(c: Checker, node: tree.Moment, view: View) -> ValueType:
    if view.role not in ("report", "plot"):
        return c.report(N.MOMENT_OUTSIDE.at(node.span, name=node.kind))
    inside = replace(view, averaged=True)
    wanted = 2 if node.kind == "Cov" else 1
    types = [infer_number(c, argument, inside) for argument in node.arguments]
    if node.given is not None:
        infer_condition(c, node.given, inside)
    if len(types) != wanted:
        signature = "[x, y]" if wanted == 2 else "[x]"
        return c.report(
            N.WRONG_ARITY.at(
                node.span,
                function=node.kind,
                wanted=f"{wanted} argument{'s' * (wanted > 1)}",
                given=len(types),
                signature=signature,
            )
        )
    if any(type.kind == "unknown" for type in types):
        return UNKNOWN
    shape = types[0].shape if wanted == 1 else broadcast(types[0].shape, types[1].shape)
    if shape is None:
        return c.report(T.SHAPES.at(node.span, operator="Cov", left=shown(types[0].shape), right=shown(types[1].shape)))
    return ValueType("real", shape)


def _text(c: Checker, node: tree.Text, view: View) -> ValueType:
    return c.report(T.NOT_A_QUANTITY.at(node.span))


def domain_of(c: Checker, node: tree.Expression, what: str) -> IndexDomain | None:
    """What a ``for`` or a sum runs over; reports and returns None if it is no domain."""
    if isinstance(node, tree.Name):
        c.used.add(node.name)
        player = c.players.get(node.name)
        if player is not None and player.size is not None:
            return IndexDomain(player.name, player.size)
        if node.name not in c.symbols:
            if node.name in c.later:
                c.report(K.TOO_EARLY.at(node.span, name=node.name, line=c.later[node.name][0].line))
            else:
                c.unknown_name(node.name, node.span, ("player",))
        else:
            c.report(T.BAD_DOMAIN.at(node.span, what=f"`{node.name}`, which is {c.describe(node.name)}"))
        return None
    if not isinstance(node, tree.Range):
        c.report(T.BAD_DOMAIN.at(node.span, what="this"))
        return None
    low = c.size(node.low, f"the start of the {what}", least=-(10**9))
    high = c.size(node.high, f"the end of the {what}", least=-(10**9))
    if low is None or high is None:
        return None
    if high < low:
        # An empty range is legal in a sum over it, as in `for j in 1..n-1` with n = 1.
        return IndexDomain(None, 0, low)
    return IndexDomain(None, high - low + 1, low)


def index_type(domain: IndexDomain) -> ValueType:
    """The type of an index over a domain: a whole number that selects."""
    return ValueType("category", (), domain.low + domain.size - 1) if domain.low >= 1 else REAL


RULES: dict[type[tree.Expression], Callable[[Checker, Any, View], ValueType]] = {
    tree.Number: lambda c, node, view: REAL,
    tree.Text: _text,
    tree.Name: _name,
    tree.ArrayLiteral: _array,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
    tree.Call: lambda c, node, view: calls.infer_call(c, node, view),
    tree.Range: _range,
    tree.Comprehension: _comprehension,
    tree.Index: lambda c, node, view: indexing.infer_index(c, node, view),
    tree.Binder: _binder,
    tree.Moment: _moment,
}
