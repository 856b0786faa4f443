"""Indices: ``x[i]``, ``x[others]``, ``A[a, b]``, ``a[left]``."""

from __future__ import annotations

from dataclasses import replace

from ..source import near_names
from ..syntax import tree
from . import expressions
from .checked import IndexDomain, ValueType
from .context import UNKNOWN, Checker, View
from .mistakes import names as N
from .mistakes import types as T
from .names import value_of
from .vocabulary import reserved

INTEGER_FUNCTIONS = ("mod", "floor", "min", "max", "sum", "prod", "abs", "size", "argmax", "sign", "clip")


def infer_index(c: Checker, node: tree.Index, view: View) -> ValueType:
    """The type of an indexed value."""
    if isinstance(node.base, tree.Name):
        type, domains = value_of(c, node.base, view)
    else:
        type, domains = expressions.infer(c, node.base, view), ()
    return select(c, node, type, domains, view)


def select(c: Checker, node: tree.Index, type: ValueType, domains: tuple[IndexDomain, ...], view: View) -> ValueType:
    """The type of the entries of a value of ``type`` over ``domains`` that the indices of ``node`` pick."""
    if type.kind == "unknown":
        for index in node.indices:
            if not isinstance(index, tree.Name):
                expressions.infer(c, index, view)
        return UNKNOWN
    if type.kind == "function" and type.size is not None and len(node.indices) > len(domains):
        type = expressions.as_number(c, type, node)
    # A function has no entries of its own, only members.
    sizes = [domain.size for domain in domains] + (list(type.shape) if type.kind != "function" else [])
    if len(node.indices) > len(sizes):
        name = " ".join(node.base.span.text.split())
        return c.report(T.TOO_MANY_INDICES.at(node.span, name=name, have=len(sizes), given=len(node.indices)))
    kept: list[int] = []
    picked_last = False
    for position, index in enumerate(node.indices):
        domain = domains[position] if position < len(domains) else None
        last = position == len(sizes) - 1
        size = _pick(c, index, sizes[position], domain, type if last else None, node.base, view)
        if size is None:
            return UNKNOWN
        picked_last = last and size < 0
        if size >= 0:
            kept.append(size)
    shape = (*kept, *sizes[len(node.indices) :])
    if type.kind == "function":
        return replace(type, shape=shape + type.shape)
    if type.kind in ("choice", "tokens"):
        if picked_last:
            return ValueType("bool", shape)
        return replace(type, kind="choice" if len(shape) == 1 else type.kind, shape=shape)
    return replace(type, shape=shape)


def _pick(
    c: Checker,
    index: tree.Expression,
    size: int,
    domain: IndexDomain | None,
    last: ValueType | None,
    base: tree.Expression,
    view: View,
) -> int | None:
    """How many entries an index keeps: a size, -1 for a single one (the dimension goes), None after a report."""
    low = domain.low if domain is not None else 1
    if isinstance(index, tree.Name) and index.name not in view.locals:
        if index.name == "all":
            return size
        if index.name == "others":
            family = domain.family if domain is not None else None
            if family is None or all(loop.domain.family != family for loop in view.place.loops):
                c.report(T.OTHERS.at(index.span, name=" ".join(base.span.text.split())))
                return None
            return size - 1
        if last is not None and last.kind == "choice" and index.name in last.labels:
            return -1
        if last is not None and last.labels and is_unclaimed(c, index, view):
            no_label(c, base, index, last)
            return None
    type = expressions.infer(c, index, view)
    if type.kind == "unknown":
        return None
    if type.kind == "choice" and len(type.shape) == 1:
        return -1 if _fits(c, index, type.shape[0], size, low) else None
    if type.kind == "category" and type.shape == ():
        return -1 if _fits(c, index, type.size or 0, size, low) else None
    if type.shape == () and type.kind in ("real", "category") and is_whole(c, index, view):
        value = c.constant(index)
        if isinstance(value, float) and not low <= value <= low + size - 1:
            c.report(T.OUT_OF_BOUNDS.at(index.span, index=int(value), low=low, high=low + size - 1))
            return None
        return -1
    what = f"`{' '.join(index.span.text.split())}`"
    c.report(T.NOT_AN_INDEX.at(index.span, what=f"{what}, which is a Bool," if type.kind == "bool" else what))
    return None


def _fits(c: Checker, index: tree.Expression, highest: int, size: int, low: int) -> bool:
    """Whether an index that can be as high as ``highest`` stays within the entries."""
    if highest > low + size - 1:
        c.report(T.OUT_OF_BOUNDS.at(index.span, index=highest, low=low, high=low + size - 1))
        return False
    return True


def is_whole(c: Checker, node: tree.Expression, view: View) -> bool:
    """Whether an expression is a whole number by construction."""
    value = c.constant(node)
    if isinstance(value, float):
        return value.is_integer()
    if isinstance(node, tree.Unary):
        return is_whole(c, node.operand, view)
    if isinstance(node, tree.Binary):
        return node.operator != "/" and is_whole(c, node.left, view) and is_whole(c, node.right, view)
    if isinstance(node, tree.Conditional):
        return is_whole(c, node.then, view) and is_whole(c, node.otherwise, view)
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Name):
        name = node.function.name
        return name in ("floor", "size", "argmax") or (
            name in INTEGER_FUNCTIONS and all(is_whole(c, argument.value, view) for argument in node.arguments)
        )
    if isinstance(node, tree.Comprehension):
        return is_whole(c, node.body, view.bind(**{node.binder: ValueType("category")}))
    if isinstance(node, tree.Name) and node.name in view.locals:
        return view.locals[node.name].kind in ("category", "bool")
    base = node.base if isinstance(node, tree.Index) else node
    if isinstance(base, tree.Name) and base.name in c.whole:
        return True
    return expressions.infer(c, node, view).kind in ("category", "bool")


def is_unclaimed(c: Checker, node: tree.Name, view: View) -> bool:
    """Whether nothing in the game has this name, so that it can only be meant as a label."""
    binders = (loop.binder for loop in view.place.loops)
    claimed = node.name in c.symbols or node.name in c.later or node.name in c.dormant or node.name in view.locals
    return not (claimed or node.name in binders or node.name in reserved())


def no_label(c: Checker, choice: tree.Expression, label: tree.Name, type: ValueType) -> ValueType:
    """Report a label that the choice does not have."""
    near = near_names(label.name, type.labels)
    text = " ".join(choice.span.text.split())
    return c.report(N.NO_LABEL.at(label.span, choice=text, name=label.name, known=", ".join(type.labels), near=near))


def labels_of(c: Checker, node: tree.Expression) -> tuple[str, ...]:
    """The labels of the choice that an expression names, () if it names none."""
    base = node.base if isinstance(node, tree.Index) else node
    symbol = c.symbols.get(base.name) if isinstance(base, tree.Name) else None
    return symbol.type.labels if symbol is not None and symbol.type is not None else ()
