"""Calls: functions of the language and of the game, and decisions that are functions."""

from __future__ import annotations

from collections.abc import Callable

from ..source import Diagnostic, Ledger, Note, near_names
from ..syntax import tree
from . import expressions, forms, intervals
from .checked import ValueType
from .context import MOST_MEMBERS, REAL, UNKNOWN, Checker, Place, View, written
from .distributions import DISTRIBUTIONS
from .functions import FUNCTIONS, OVER_INTERVALS, REDUCERS, Function, counted
from .mistakes import names as N
from .mistakes import types as T
from .names import early, wrong_shape
from .shapes import broadcast, dot, shown
from .vocabulary import TYPES

MOST_APPLICATIONS = 20


def infer_call(c: Checker, node: tree.Call, view: View) -> ValueType:
    """The type of ``f(..)``."""
    function = node.function
    if not isinstance(function, tree.Name) or function.name in view.locals:
        return _apply_value(c, node, view)
    name = function.name
    if name in c.definitions:
        c.used.add(name)
        return _apply_definition(c, node, c.definitions[name], view)
    symbol = c.symbols.get(name)
    if symbol is not None:
        if symbol.type is not None and symbol.type.kind in ("function", "unknown"):
            return _apply_value(c, node, view)
        c.used.add(name)
        _arguments(c, node, view)
        return c.report(N.NOT_A_FUNCTION.at(function.span, name=name))
    if name in FUNCTIONS:
        return _apply_builtin(c, node, FUNCTIONS[name], view)
    if name in OVER_INTERVALS and name not in c.later:
        return intervals.apply(c, node, view)
    _arguments(c, node, view)
    if name in DISTRIBUTIONS:
        return c.report(N.DISTRIBUTION_OUTSIDE.at(function.span, name=name))
    if name in TYPES:
        return c.report(N.TYPE_OUTSIDE.at(function.span, name=name))
    if name in c.later:
        early(c, function, view)
        return UNKNOWN
    if name in c.dormant:
        return UNKNOWN
    near = near_names(name, [*FUNCTIONS, *OVER_INTERVALS, *c.definitions])
    return c.report(N.UNKNOWN_FUNCTION.at(function.span, name=name, near=near))


def _arguments(c: Checker, node: tree.Call, view: View) -> list[ValueType]:
    """The types of all arguments, so that mistakes in them are found."""
    return [
        expressions.infer(c, argument.value, view)
        for argument in node.arguments
        if not isinstance(argument.value, tree.Comprehension)
    ]


def _no_keywords(c: Checker, node: tree.Call, name: str, signature: str) -> bool:
    for argument in node.arguments:
        if argument.keyword is not None:
            c.report(N.UNKNOWN_KEYWORD.at(argument.span, function=name, name=argument.keyword, known=signature))
            return False
    return True


# ---------------------------------------------------------------- values that are functions


def _apply_value(c: Checker, node: tree.Call, view: View) -> ValueType:
    type = expressions.infer(c, node.function, view)
    arguments = [expressions.infer_number(c, argument.value, view) for argument in node.arguments]
    name = " ".join(node.function.span.text.split())
    if type.kind == "unknown":
        return UNKNOWN
    if type.kind != "function" or not isinstance(type.type, tree.FunctionType):
        return c.report(N.NOT_A_FUNCTION.at(node.function.span, name=name))
    if not _no_keywords(c, node, name, "given by position"):
        return UNKNOWN
    if len(arguments) != 1:
        return c.report(
            N.WRONG_ARITY.at(node.span, function=name, wanted="1 argument", given=len(arguments), signature="(x)")
        )
    if arguments[0].kind == "unknown":
        return UNKNOWN
    domain = tuple(int(size) for size in (c.constant(dim) for dim in type.type.domain.dims) if isinstance(size, float))
    given = arguments[0].shape
    if domain and given[-len(domain) :] != domain:
        return c.report(
            T.ARGUMENT_SHAPE.at(
                node.arguments[0].span,
                what=f"the argument of `{name}`",
                wanted=f"of shape {shown(domain)}",
                shape=shown(given),
            )
        )
    outer = given[: len(given) - len(domain)]
    return ValueType("real", outer + type.shape)


# ---------------------------------------------------------------- functions of the game


def _apply_definition(c: Checker, node: tree.Call, definition: tree.Def, view: View) -> ValueType:
    types: dict[str, ValueType] = {}
    if definition.name in c.broken:
        _arguments(c, node, view)
        return UNKNOWN
    signature = "(" + ", ".join(definition.parameters) + ")"
    for position, argument in enumerate(node.arguments):
        type = expressions.infer(c, argument.value, view)
        key = argument.keyword
        if key is None and position < len(definition.parameters):
            key = definition.parameters[position]
        if key is not None and key not in definition.parameters:
            near = near_names(key, definition.parameters)
            return c.report(
                N.UNKNOWN_KEYWORD.at(argument.span, function=definition.name, name=key, known=signature, near=near)
            )
        if key is not None and key in types:
            return c.report(N.ARGUMENT_TWICE.at(argument.span, name=key, function=definition.name))
        types[key or f"#{position}"] = type
    if set(types) != set(definition.parameters):
        wanted = counted(len(definition.parameters), len(definition.parameters))
        return c.report(
            N.WRONG_ARITY.at(
                node.span, function=definition.name, wanted=wanted, given=len(node.arguments), signature=signature
            )
        )
    if any(type.kind == "unknown" for type in types.values()):
        return UNKNOWN
    return instance(c, node, definition, types)


def instance(c: Checker, node: tree.Call, definition: tree.Def, types: dict[str, ValueType]) -> ValueType:
    """The type of a definition's body for arguments of these types; a mistake inside is reported at the call."""
    key = (definition.name, tuple(types[name] for name in definition.parameters))
    if key in c.instances:
        return c.instances[key]
    if c.instance_depth >= MOST_APPLICATIONS:
        return c.report(T.TOO_DEEP.at(node.span, most=MOST_APPLICATIONS))
    outer, c.ledger = c.ledger, Ledger()
    c.instance_depth += 1
    try:
        result = expressions.infer(c, definition.body, View(Place(), "definition", types, subject=definition.name))
    finally:
        inner, c.ledger = c.ledger, outer
        c.instance_depth -= 1
    c.instances[key] = result
    if inner.errors:
        first = inner.errors[0]
        note = Note(f"in the definition of `{definition.name}`", first.span)
        inside = "" if first.code == T.TOO_DEEP.code else f"in `{definition.name}`: "  # of endless nesting not every step is told
        c.report(Diagnostic(first.code, inside + first.message, node.span, first.hint, (), (note,)))
        return UNKNOWN
    return result


# ---------------------------------------------------------------- functions of the language


def _apply_builtin(c: Checker, node: tree.Call, function: Function, view: View) -> ValueType:
    arguments = [argument.value for argument in node.arguments]
    if not _no_keywords(c, node, function.name, function.signature):
        return UNKNOWN
    if len(arguments) == 1 and isinstance(arguments[0], tree.Comprehension):
        return _comprehension(c, arguments[0], function, view)
    if len(arguments) < function.least or (function.most is not None and len(arguments) > function.most):
        return c.report(
            N.WRONG_ARITY.at(
                node.span,
                function=function.name,
                given=len(arguments),
                wanted=counted(function.least, function.most),
                signature=function.signature,
            )
        )
    if function.kind == "form":
        return forms.FORMS[function.name](c, node, arguments, view)
    types = [expressions.infer_number(c, argument, view) for argument in arguments]
    if any(type.kind == "unknown" for type in types):
        return UNKNOWN
    if function.kind == "reduction" or (len(types) == 1 and function.name in REDUCERS):
        return REAL
    if function.kind == "vector":
        return _VECTORS[function.name](c, node, arguments, types)
    shape: tuple[int, ...] | None = ()
    for type in types:
        combined = broadcast(shape or (), type.shape)
        if combined is None:
            return c.report(
                T.SHAPES.at(node.span, operator=function.name, left=shown(shape or ()), right=shown(type.shape))
            )
        shape = combined
    return ValueType("real", shape or ())


def _comprehension(c: Checker, node: tree.Comprehension, function: Function, view: View) -> ValueType:
    if isinstance(node.domain, tree.ArrayLiteral):
        return intervals.infer(c, node, node.domain, function.name, view)
    if function.name not in REDUCERS:
        return c.report(N.KEYWORD_IN_FUNCTION.at(node.span, binder=node.binder, known=", ".join(REDUCERS)))
    if intervals.hidden(c, node, view):
        return UNKNOWN
    domain = expressions.domain_of(c, node.domain, "sum")
    if domain is None:
        return UNKNOWN
    if domain.size > MOST_MEMBERS:
        return c.report(
            T.TOO_LARGE.at(node.domain.span, what="the range of this sum", value=domain.size, most=MOST_MEMBERS)
        )
    inside = view.bind(**{node.binder: expressions.index_type(domain)})
    if node.condition is not None:
        expressions.infer_condition(c, node.condition, inside)
    body = expressions.infer_scalar(
        c,
        node.body,
        inside,
        f"what `{function.name}` adds up" if function.name == "sum" else f"what `{function.name}` takes",
    )
    return UNKNOWN if body.kind == "unknown" else REAL


def _dot(c: Checker, node: tree.Call, arguments: list[tree.Expression], types: list[ValueType]) -> ValueType:
    shape = dot(types[0].shape, types[1].shape)
    if shape is None:
        return c.report(T.SHAPES.at(node.span, operator="dot", left=shown(types[0].shape), right=shown(types[1].shape)))
    return ValueType("real", shape)


def _argmax(c: Checker, node: tree.Call, arguments: list[tree.Expression], types: list[ValueType]) -> ValueType:
    if len(types[0].shape) != 1:
        return wrong_shape(c, arguments[0], "the argument of `argmax`", "a vector", types[0])
    return ValueType("category", (), types[0].shape[0])


def _softmax(c: Checker, node: tree.Call, arguments: list[tree.Expression], types: list[ValueType]) -> ValueType:
    if not types[0].shape:
        return wrong_shape(c, arguments[0], "the argument of `softmax`", "a vector", types[0])
    return ValueType("real", types[0].shape)


def _onehot(c: Checker, node: tree.Call, arguments: list[tree.Expression], types: list[ValueType]) -> ValueType:
    if len(arguments) == 2:
        size = c.size(arguments[1], "the size of `onehot`", most=MOST_MEMBERS)
    elif types[0].kind == "category":
        size = types[0].size
    else:
        return c.report(
            N.WRONG_ARITY.at(node.span, function="onehot", wanted="2 arguments", given=1, signature="(k, n)")
        )
    if size is None:
        return UNKNOWN
    if types[0].shape != ():
        return wrong_shape(c, arguments[0], "the first argument of `onehot`", "a number", types[0])
    return ValueType("choice", (size,), size)


def _ridge(c: Checker, node: tree.Call, arguments: list[tree.Expression], types: list[ValueType]) -> ValueType:
    features, target = types[0], types[1]
    if len(features.shape) != 2:
        return wrong_shape(c, arguments[0], "the first argument of `ridge`", "a matrix", features)
    if target.shape != features.shape[:1]:
        return wrong_shape(
            c, arguments[1], "the second argument of `ridge`", f"of shape {shown(features.shape[:1])}", target
        )
    if types[2].shape != ():
        return wrong_shape(c, arguments[2], "the penalty of `ridge`", "a number", types[2])
    few = features.shape[0] < features.shape[1]
    if not _at_least(c, arguments[2], "penalty", "ridge", strictly=few, why=" (fewer rows than columns)" if few else ""):
        return UNKNOWN
    return ValueType("real", features.shape[1:])


def _kernel_ridge(c: Checker, node: tree.Call, arguments: list[tree.Expression], types: list[ValueType]) -> ValueType:
    features, target = types[0], types[1]
    if len(features.shape) not in (1, 2):
        return wrong_shape(c, arguments[0], "the first argument of `kernel_ridge`", "a vector or a matrix", features)
    if target.shape != features.shape[:1]:
        return wrong_shape(
            c, arguments[1], "the second argument of `kernel_ridge`", f"of shape {shown(features.shape[:1])}", target
        )
    for position, what in ((2, "penalty"), (3, "width")):
        if types[position].shape != ():
            return wrong_shape(c, arguments[position], f"the {what} of `kernel_ridge`", "a number", types[position])
        if not _at_least(c, arguments[position], what, "kernel_ridge", strictly=what == "width"):
            return UNKNOWN
    span = node.span
    dims = tuple(tree.Number(float(size), str(size), span=span) for size in features.shape[1:])
    domain, codomain = tree.Type("Real", dims, span=span), tree.Type("Real", span=span)
    made = tree.FunctionType(domain, codomain, tree.Name("kernel", span=span), span=span)
    return ValueType("function", (), features.shape[0], type=made)


def _at_least(c: Checker, node: tree.Expression, what: str, function: str, strictly: bool, why: str = "") -> bool:
    """Whether a number that is fixed before play is not negative (``strictly``: is positive); reports it if not."""
    value = c.constant(node)
    if not isinstance(value, float) or value > 0 or (value == 0 and not strictly):
        return True
    wanted = f"positive{why}" if strictly else "at least 0"
    c.report(T.BAD_PARAMETER.at(node.span, what=what, distribution=f"`{function}`", wanted=wanted, value=written(value)))
    return False


_VECTORS: dict[str, Callable[[Checker, tree.Call, list[tree.Expression], list[ValueType]], ValueType]] = {
    "dot": _dot,
    "argmax": _argmax,
    "softmax": _softmax,
    "onehot": _onehot,
    "ridge": _ridge,
    "kernel_ridge": _kernel_ridge,
}
