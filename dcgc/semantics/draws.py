"""Draws of nature: the arguments of a distribution, and the type of what is drawn."""

from __future__ import annotations

from ..source import near_names
from ..syntax import tree
from . import expressions
from .checked import Constant, ValueType
from .context import UNKNOWN, Checker, View, written
from .distributions import DISTRIBUTIONS, Distribution, DistributionParameter, entries
from .functions import counted
from .mistakes import names as N
from .mistakes import types as T
from .shapes import broadcast, shown


def draw(c: Checker, node: tree.Expression, view: View) -> ValueType:
    name = node.function if isinstance(node, tree.Call) else node
    if not isinstance(name, tree.Name) or name.name not in DISTRIBUTIONS:
        text = " ".join(name.span.text.split())
        if isinstance(node, tree.Call):
            for argument in node.arguments:
                expressions.infer(c, argument.value, view)
        return c.report(
            N.UNKNOWN_DISTRIBUTION.at(
                name.span, name=text, known=", ".join(DISTRIBUTIONS), near=near_names(text, tuple(DISTRIBUTIONS))
            )
        )
    distribution = DISTRIBUTIONS[name.name]
    arguments = node.arguments if isinstance(node, tree.Call) else ()
    given = _matched(c, node, distribution, arguments)
    types = [expressions.infer_number(c, argument.value, view) for argument in arguments]
    if given is None or any(type.kind == "unknown" for type in types):
        return UNKNOWN
    values = {key: c.constant(expression) for key, expression in given.items()}
    shapes = {key: expressions.infer(c, expression, view).shape for key, expression in given.items()}
    for parameter in distribution.parameters:
        expression = given[parameter.name]
        if not _valid(c, distribution, parameter, expression, shapes[parameter.name], values[parameter.name]):
            return UNKNOWN
    return _SHAPERS.get(distribution.name, _entrywise)(c, node, distribution, given, shapes, values)


def _matched(
    c: Checker, node: tree.Expression, distribution: Distribution, arguments: tuple[tree.Argument, ...]
) -> dict[str, tree.Expression] | None:
    """The arguments of a distribution by name."""
    names = [parameter.name for parameter in distribution.parameters]
    given: dict[str, tree.Expression] = {}
    for position, argument in enumerate(arguments):
        key = argument.keyword
        if key is None:
            key = names[position] if position < len(names) else f"#{position}"
        elif key not in names:
            c.report(
                N.UNKNOWN_KEYWORD.at(
                    argument.span,
                    function=distribution.name,
                    name=key,
                    known=", ".join(names),
                    near=near_names(key, names),
                )
            )
            return None
        if key in given:
            c.report(N.ARGUMENT_TWICE.at(argument.span, name=key, function=distribution.name))
            return None
        given[key] = argument.value
    if set(given) != set(names):
        c.report(
            N.WRONG_ARITY.at(
                node.span,
                function=distribution.name,
                given=len(arguments),
                wanted=counted(len(names), len(names)),
                signature=distribution.signature,
            )
        )
        return None
    return given


_DIMENSIONS = {"vector": 1, "matrix": 2}


def _valid(
    c: Checker,
    distribution: Distribution,
    parameter: DistributionParameter,
    node: tree.Expression,
    shape: tuple[int, ...],
    value: Constant | None,
) -> bool:
    """Check one argument of a distribution: its shape, and its range if it is fixed before play."""
    wanted = _DIMENSIONS.get(parameter.shape)
    if wanted is not None and len(shape) != wanted:
        c.report(
            T.PARAMETER_SHAPE.at(
                node.span,
                what=parameter.name,
                distribution=distribution.name,
                wanted=f"a {parameter.shape}",
                shape=shown(shape),
            )
        )
        return False
    if value is None:
        return True
    numbers = entries(value)
    bad = [number for number in numbers if not parameter.holds(number) or number != number]
    if not bad and parameter.probabilities and abs(sum(numbers) - 1) > 1e-6:
        bad = [sum(numbers)]
    if bad:
        c.report(
            T.BAD_PARAMETER.at(
                node.span,
                what=parameter.name,
                distribution=distribution.name,
                wanted=parameter.wanted,
                value=written(bad[0]),
            )
        )
    return not bad


def _entrywise(
    c: Checker,
    node: tree.Expression,
    distribution: Distribution,
    given: dict[str, tree.Expression],
    shapes: dict[str, tuple[int, ...]],
    values: dict[str, Constant | None],
) -> ValueType:
    shape: tuple[int, ...] = ()
    for key in given:
        combined = broadcast(shape, shapes[key])
        if combined is None:
            return c.report(
                T.SHAPES.at(node.span, operator=distribution.name, left=shown(shape), right=shown(shapes[key]))
            )
        shape = combined
    low, high = values.get("a"), values.get("b")
    if distribution.name == "Uniform" and isinstance(low, float) and isinstance(high, float) and low > high:
        return c.report(T.EMPTY_INTERVAL.at(node.span, low=written(low), high=written(high)))
    return ValueType(distribution.kind, shape)


def _categorical(
    c: Checker,
    node: tree.Expression,
    distribution: Distribution,
    given: dict[str, tree.Expression],
    shapes: dict[str, tuple[int, ...]],
    values: dict[str, Constant | None],
) -> ValueType:
    expression, shape, value = given["p"], shapes["p"], values["p"]
    if shape == ():
        size = c.size(expression, "the number of categories")
        return UNKNOWN if size is None else ValueType("category", (), size)
    if len(shape) != 1:
        return c.report(
            T.PARAMETER_SHAPE.at(
                expression.span, what="p", distribution="Categorical", wanted="a number or a vector", shape=shown(shape)
            )
        )
    if value is not None:
        numbers = entries(value)
        if min(numbers) < 0 or abs(sum(numbers) - 1) > 1e-6:
            wrong = min(numbers) if min(numbers) < 0 else sum(numbers)
            return c.report(
                T.BAD_PARAMETER.at(
                    expression.span,
                    what="p",
                    distribution="Categorical",
                    value=written(wrong),
                    wanted="a whole number from 1 on, or probabilities that sum to 1",
                )
            )
    return ValueType("category", (), shape[0])


def _discrete(
    c: Checker,
    node: tree.Expression,
    distribution: Distribution,
    given: dict[str, tree.Expression],
    shapes: dict[str, tuple[int, ...]],
    values: dict[str, Constant | None],
) -> ValueType:
    if shapes["values"] != shapes["probs"]:
        return c.report(
            T.SHAPES.at(node.span, operator="Discrete", left=shown(shapes["values"]), right=shown(shapes["probs"]))
        )
    return ValueType("real")


def _vector(
    c: Checker,
    node: tree.Expression,
    distribution: Distribution,
    given: dict[str, tree.Expression],
    shapes: dict[str, tuple[int, ...]],
    values: dict[str, Constant | None],
) -> ValueType:
    shape = shapes[distribution.parameters[0].name]
    covariance = shapes.get("covariance")
    if covariance is not None and covariance != shape * 2:
        return c.report(
            T.PARAMETER_SHAPE.at(
                given["covariance"].span,
                what="covariance",
                distribution="MvNormal",
                wanted=f"of shape {shown(shape * 2)}",
                shape=shown(covariance),
            )
        )
    value = values.get("covariance")
    if value is not None and not _covariance(value):
        return c.report(
            T.BAD_PARAMETER.at(
                given["covariance"].span,
                what="covariance",
                distribution="MvNormal",
                wanted="symmetric, without a negative eigenvalue",
                value=written(value),
            )
        )
    return ValueType("real", shape, simplex=distribution.simplex)


def _covariance(value: Constant) -> bool:
    import numpy as np

    matrix = np.asarray(value, dtype=np.float64)
    if not np.allclose(matrix, matrix.T):
        return False
    return bool(len(matrix) > 500 or np.linalg.eigvalsh(matrix)[0] > -1e-9 * max(1.0, float(np.abs(matrix).max())))


_SHAPERS = {"Categorical": _categorical, "Discrete": _discrete, "Dirichlet": _vector, "MvNormal": _vector}
