"""The value of a constant expression: parameters, shapes, sizes, conditions fixed before play, published values.

A scalar is a Python float and never needs numpy; an array is a numpy array of float64, made only where one is written.
Work and memory are bounded, since a ``.dcg`` is not trusted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ..source import Span
from ..syntax import tree
from .checked import Constant
from .functions import FUNCTIONS, REDUCERS, Function

if TYPE_CHECKING:
    import numpy as np

Evaluated: TypeAlias = "float | np.ndarray"

MOST_STEPS = 200_000
MOST_ENTRIES = 1_000_000


class ConstantError(Exception):
    """An expression without a value; ``span`` is the part that is to blame."""

    def __init__(self, span: Span, message: str):
        self.span = span
        self.message = message
        super().__init__(f"{span.place}: {message}")


class NotConstant(ConstantError):
    """The expression names something that is not fixed before play."""


def evaluate(
    expression: tree.Expression,
    environment: Mapping[str, Constant | np.ndarray],
    definitions: Mapping[str, tree.Def] | None = None,
    families: Mapping[str, int] | None = None,
) -> Evaluated:
    """The value of ``expression``: a float, or a float64 array.

    ``environment`` has the values of the names that are constant, ``definitions`` the functions of the game and
    ``families`` the sizes of its families. Raises ``NotConstant`` at a name without a value and ``ConstantError``
    where there is none (a division by zero, shapes that do not fit, more than ``MOST_ENTRIES`` numbers).
    """
    evaluator = _Evaluator(environment, definitions or {}, families or {})
    return evaluator.value(expression)


def frozen(value: Evaluated) -> Constant:
    """A value as a float or nested tuples."""
    return value if isinstance(value, float) else _nested(value.tolist())


def _nested(value: Any) -> Constant:
    return tuple(_nested(item) for item in value) if isinstance(value, list) else float(value)


@dataclass
class _Fuel:
    left: int = MOST_STEPS


@dataclass(frozen=True)
class _Evaluator:
    environment: Mapping[str, Constant | np.ndarray]
    definitions: Mapping[str, tree.Def]
    families: Mapping[str, int]
    fuel: _Fuel = field(default_factory=_Fuel)
    depth: int = 0

    def value(self, node: tree.Expression) -> Evaluated:
        self.fuel.left -= 1
        if self.fuel.left < 0:
            raise ConstantError(node.span, "takes too long to compute before play")
        rule = _RULES.get(type(node))
        if rule is None:
            raise NotConstant(node.span, "is not fixed before play")
        return rule(self, node)

    def number(self, node: tree.Expression) -> float:
        value = self.value(node)
        if not isinstance(value, float):
            raise ConstantError(node.span, "must be a number, not an array")
        return value

    def within(self, names: Mapping[str, Constant | np.ndarray], deeper: int = 0) -> _Evaluator:
        return replace(self, environment={**self.environment, **names}, depth=self.depth + deeper)


def _arrays(values: list[Evaluated], span: Span) -> tuple[Any, list[Any]]:
    import numpy as np

    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(list(array.shape)) for array in arrays)
        raise ConstantError(span, f"combines arrays of shapes {shapes}, which do not fit") from None
    if math.prod(shape) > MOST_ENTRIES:
        raise ConstantError(span, "is an array with too many entries")
    return np, arrays


def _thaw(value: Any) -> Evaluated:
    """numpy's answer as a float, or as a float64 array."""
    if getattr(value, "ndim", 0) == 0:
        return float(value)
    return value.astype("float64")


def _apply(
    span: Span,
    scalar: Callable[..., float] | None,
    array: Callable[..., Any] | None,
    values: list[Evaluated],
    fit: bool = True,
) -> Evaluated:
    """A function applied to floats by ``scalar``, else by ``array``."""
    try:
        if scalar is not None and all(isinstance(value, float) for value in values):
            return float(scalar(*values))
        if array is None:
            raise ConstantError(span, "is not fixed before play")
        import numpy as np

        arrays = _arrays(values, span)[1] if fit else [np.asarray(value, dtype=np.float64) for value in values]
        with np.errstate(all="raise", under="ignore"):
            return _thaw(array(np, *arrays))
    except ZeroDivisionError:
        raise ConstantError(span, "divides by zero") from None
    except (OverflowError, FloatingPointError, ValueError, TypeError, IndexError, ArithmeticError):
        raise ConstantError(span, "has no value") from None
    except Exception as error:  # numpy.linalg.LinAlgError, without importing numpy to name it
        if isinstance(error, ConstantError):
            raise
        raise ConstantError(span, "has no value") from None


def _power(a: float, b: float) -> float:
    result = a**b
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")
    return result


# operator: on floats, on arrays
_OPERATORS: dict[str, tuple[Callable[..., float], Callable[..., Any]]] = {
    "+": (lambda a, b: a + b, lambda np, a, b: a + b),
    "-": (lambda a, b: a - b, lambda np, a, b: a - b),
    "*": (lambda a, b: a * b, lambda np, a, b: a * b),
    "/": (lambda a, b: a / b, lambda np, a, b: a / b),
    "^": (_power, lambda np, a, b: np.power(a, b)),
    "==": (lambda a, b: a == b, lambda np, a, b: a == b),
    "!=": (lambda a, b: a != b, lambda np, a, b: a != b),
    "<": (lambda a, b: a < b, lambda np, a, b: a < b),
    "<=": (lambda a, b: a <= b, lambda np, a, b: a <= b),
    ">": (lambda a, b: a > b, lambda np, a, b: a > b),
    ">=": (lambda a, b: a >= b, lambda np, a, b: a >= b),
    "and": (lambda a, b: bool(a) and bool(b), lambda np, a, b: np.logical_and(a, b)),
    "or": (lambda a, b: bool(a) or bool(b), lambda np, a, b: np.logical_or(a, b)),
}

_WORDS = {"true": 1.0, "false": 0.0}


def _name(evaluator: _Evaluator, node: tree.Name) -> Evaluated:
    if node.name in evaluator.environment:
        value = evaluator.environment[node.name]
        if isinstance(value, tuple):
            import numpy as np

            return np.asarray(value, dtype=np.float64)
        return _thaw(value)
    if node.name in _WORDS:
        return _WORDS[node.name]
    raise NotConstant(node.span, f"{node.name} is not fixed before play")


def _literal(evaluator: _Evaluator, node: tree.ArrayLiteral) -> Evaluated:
    import numpy as np

    items = [np.asarray(evaluator.value(item)) for item in node.items]
    if not items:
        raise ConstantError(node.span, "is an array without entries")
    if any(item.shape != items[0].shape for item in items):
        raise ConstantError(node.span, "has rows of different lengths")
    if sum(item.size for item in items) > MOST_ENTRIES:
        raise ConstantError(node.span, "is an array with too many entries")
    return np.stack(items).astype(np.float64)


def _unary(evaluator: _Evaluator, node: tree.Unary) -> Evaluated:
    value = evaluator.value(node.operand)
    if node.operator == "not":
        return _apply(node.span, lambda x: not x, lambda np, x: np.logical_not(x), [value])
    return -value if node.operator == "-" else value


def _binary(evaluator: _Evaluator, node: tree.Binary) -> Evaluated:
    chain = [node]
    while isinstance(chain[-1].left, tree.Binary):  # a long sum leans to the left: no recursion for it
        chain.append(chain[-1].left)
    value = evaluator.value(chain[-1].left)
    for step in reversed(chain):
        scalar, array = _OPERATORS[step.operator]
        value = _apply(step.span, scalar, array, [value, evaluator.value(step.right)])
    return value


def _conditional(evaluator: _Evaluator, node: tree.Conditional) -> Evaluated:
    condition = evaluator.value(node.condition)
    if isinstance(condition, float):
        return evaluator.value(node.then if condition else node.otherwise)
    values = [condition, evaluator.value(node.then), evaluator.value(node.otherwise)]
    return _apply(node.span, None, lambda np, c, a, b: np.where(c != 0, a, b), values)


def _members(evaluator: _Evaluator, domain: tree.Expression) -> range:
    if isinstance(domain, tree.Range):
        low, high = evaluator.number(domain.low), evaluator.number(domain.high)
        if not (math.isfinite(low) and math.isfinite(high) and low == int(low) and high == int(high)):
            raise ConstantError(domain.span, "must run between whole numbers")
        return range(int(low), int(high) + 1)
    if isinstance(domain, tree.Name) and domain.name in evaluator.families:
        return range(1, evaluator.families[domain.name] + 1)
    raise NotConstant(domain.span, "is not fixed before play")


def _comprehension(evaluator: _Evaluator, node: tree.Comprehension, reduce: Callable[..., Any]) -> Evaluated:
    import numpy as np

    members = _members(evaluator, node.domain)
    if len(members) > MOST_STEPS:
        raise ConstantError(node.span, "takes too long to compute before play")
    values = []
    for member in members:
        inside = evaluator.within({node.binder: float(member)})
        if node.condition is None or inside.number(node.condition):
            values.append(np.asarray(inside.value(node.body)))
    if any(value.shape != values[0].shape for value in values):
        raise ConstantError(node.span, "adds arrays of different shapes")
    return _apply(node.span, None, reduce, [np.asarray(values, dtype=np.float64)])


def _call(evaluator: _Evaluator, node: tree.Call) -> Evaluated:
    if not isinstance(node.function, tree.Name):
        raise NotConstant(node.function.span, "is not fixed before play")
    name = node.function.name
    arguments = [argument.value for argument in node.arguments]
    definition = evaluator.definitions.get(name)
    if definition is not None:
        return _defined(evaluator, node, definition)
    if name == "size" and len(arguments) == 1 and isinstance(arguments[0], tree.Name):
        if arguments[0].name in evaluator.families:
            return float(evaluator.families[arguments[0].name])
        value = evaluator.value(arguments[0])
        return 1.0 if isinstance(value, float) else float(value.shape[0])
    function = FUNCTIONS.get(name)
    if function is None or function.kind == "form":
        raise NotConstant(node.function.span, f"{name} is not fixed before play")
    if len(arguments) == 1 and isinstance(arguments[0], tree.Comprehension) and name in REDUCERS:
        return _comprehension(evaluator, arguments[0], REDUCERS[name])
    if len(arguments) < function.least or (function.most is not None and len(arguments) > function.most):
        raise ConstantError(node.span, f"{name} takes other arguments: {name}{function.signature}")
    return _builtin(node.span, function, [evaluator.value(argument) for argument in arguments])


def _builtin(span: Span, function: Function, values: list[Evaluated]) -> Evaluated:
    if len(values) == 1 and function.name in REDUCERS:
        return values[0] if isinstance(values[0], float) else _apply(span, None, REDUCERS[function.name], values)
    if function.name == "onehot" and not (
        len(values) == 2
        and isinstance(values[0], float)
        and isinstance(values[1], float)
        and 1 <= values[0] <= values[1] <= 1000
    ):
        raise ConstantError(span, "must be onehot(k, n) with k one of 1..n and n at most 1000")
    return _apply(span, function.scalar, function.array, values, fit=function.kind == "elementwise")


def _defined(evaluator: _Evaluator, node: tree.Call, definition: tree.Def) -> Evaluated:
    if evaluator.depth >= 30:
        raise ConstantError(node.span, "applies definitions more than 30 deep")
    values: dict[str, Evaluated] = {}
    for position, argument in enumerate(node.arguments):
        if argument.keyword is None and position >= len(definition.parameters):
            raise ConstantError(node.span, f"{definition.name} takes {len(definition.parameters)} arguments")
        values[argument.keyword or definition.parameters[position]] = evaluator.value(argument.value)
    if set(values) != set(definition.parameters):
        raise ConstantError(node.span, f"{definition.name} takes {len(definition.parameters)} arguments")
    return evaluator.within(values, deeper=1).value(definition.body)


def _index(evaluator: _Evaluator, node: tree.Index) -> Evaluated:
    base = evaluator.value(node.base)
    shape = () if isinstance(base, float) else base.shape
    if len(node.indices) > len(shape):
        raise ConstantError(node.span, "has more indices than dimensions")
    places: list[int | slice] = []
    for index, size in zip(node.indices, shape, strict=False):
        if isinstance(index, tree.Name) and index.name == "all":
            places.append(slice(None))
            continue
        number = evaluator.number(index)
        if not (math.isfinite(number) and number == int(number) and 1 <= number <= size):
            raise ConstantError(index.span, f"must be one of 1..{size}")
        places.append(int(number) - 1)
    assert not isinstance(base, float)
    return _thaw(base[tuple(places)])


_RULES: dict[type[tree.Expression], Callable[[_Evaluator, Any], Evaluated]] = {
    tree.Number: lambda evaluator, node: float(node.value),
    tree.Name: _name,
    tree.ArrayLiteral: _literal,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
    tree.Call: _call,
    tree.Index: _index,
}
