"""Moves: what nature draws, what is computed, what players decide, and what an equation determines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..source import near_names
from ..syntax import tree
from . import calls, expressions, hearing, indexing, players
from .checked import Constant, ValueType
from .context import UNKNOWN, Checker, Place, View, names_of, written
from .distributions import DISTRIBUTIONS, Distribution, DistributionParameter, entries
from .mistakes import knowledge as K
from .mistakes import missing as M
from .mistakes import names as N
from .mistakes import types as T
from .names import VARYING
from .shapes import broadcast, shown
from .types import resolve_type
from .vocabulary import MOMENTS


def target_sizes(c: Checker, target: tree.Target, place: Place, sizes: bool = False) -> tuple[int, ...] | None:
    """Check that a new name carries the indices of the loops around it; the sizes that come after them.

    None after a report. ``sizes`` says that sizes may follow, as in ``random x[n]``.
    """
    binders = [loop.binder for loop in place.loops]
    given = [index.name if isinstance(index, tree.Name) else None for index in target.indices]
    if given[: len(binders)] != binders:
        if not target.indices:
            c.report(T.MISSING_INDEX.at(target.span, name=target.name, binder=", ".join(binders)))
        else:
            c.report(
                T.WRONG_TARGET.at(
                    target.span,
                    name=target.name,
                    indices=_listed(target.indices),
                    more=f"write `{target.name}[{', '.join(binders)}]`",
                )
            )
        return None
    rest = target.indices[len(binders) :]
    if rest and not sizes:
        more = f"write `{target.name}[{', '.join(binders)}]`" if binders else f"write `{target.name}`"
        c.report(T.WRONG_TARGET.at(target.span, name=target.name, indices=_listed(target.indices), more=more))
        return None
    found = [c.size(index, f"a size of `{target.name}`") for index in rest]
    known = tuple(size for size in found if size is not None)
    return known if len(known) == len(found) else None


def _listed(indices: tuple[tree.Expression, ...]) -> str:
    return f"[{', '.join(' '.join(index.span.text.split()) for index in indices)}]"


# ---------------------------------------------------------------- nature


def check_random(c: Checker, node: tree.Random, place: Place) -> None:
    sizes = target_sizes(c, node.target, place, sizes=True)
    type = _draw(c, node.distribution, View(place, subject=node.target.name))
    if type.kind != "unknown" and sizes is not None:
        type = replace(type, shape=sizes + type.shape)
    c.declare(node.target.name, "random", node.target.span, type if sizes is not None else UNKNOWN, place)


def _draw(c: Checker, node: tree.Expression, view: View) -> ValueType:
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
                wanted=calls.counted(len(names), len(names)),
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


# ---------------------------------------------------------------- what is computed


def check_let(c: Checker, node: tree.Let, place: Place) -> None:
    sizes = target_sizes(c, node.target, place)
    name = node.target.name
    view = View(place, subject=name)
    type = expressions.infer(c, node.value, view)
    if not c.declare(name, "let", node.target.span, type if sizes is not None else UNKNOWN, place):
        return
    c.lets[name] = node
    names = names_of(node.value)
    heard = [
        frozenset({other})
        for other in names
        if c.symbols.get(other) is not None and c.symbols[other].kind in ("channel", "attention")
    ]
    c.hears[name] = frozenset().union(*heard, *(c.hears.get(other, frozenset()) for other in names))
    if type.kind == "unknown":
        return
    if type.kind in ("category", "bool") or indexing.is_whole(c, node.value, view):
        c.whole.add(name)
    value = None if place.loops or place.stage is not None or place.conditional else c.constant(node.value)
    if value is not None:
        c.constants[name] = value
        c.depends[name] = frozenset().union(*(c.depends.get(other, frozenset()) for other in names))


def check_solve(c: Checker, node: tree.Solve, place: Place) -> None:
    sizes = target_sizes(c, node.target, place)
    name, view = node.target.name, View(place)
    for end in (node.low, node.high):
        expressions.infer_scalar(c, end, view, "the end of an interval")
    low, high = c.constant(node.low), c.constant(node.high)
    if isinstance(low, float) and isinstance(high, float) and low >= high:
        c.report(T.EMPTY_INTERVAL.at(node.low.span.to(node.high.span), low=written(low), high=written(high)))
    type = ValueType("real", low=node.low, high=node.high)
    declared = c.declare(name, "solution", node.target.span, type if sizes is not None else UNKNOWN, place)
    inside = view if place.loops else view.bind(**{name: type})
    for side in (node.left, node.right):
        expressions.infer_scalar(c, side, inside, "each side of an equation")
    if declared and name not in names_of(node.left) + names_of(node.right):
        c.report(M.NOT_IN_EQUATION.at(node.span, name=name))
    c.used.discard(name)


# ---------------------------------------------------------------- decisions


def check_knowing(
    c: Checker, knowing: tuple[tree.Expression, ...], subject: str, who: players.PlayerRef | None, place: Place
) -> None:
    """Check an information set: everything in it is determined, and may be known by this player."""
    view = View(place, "knowing", subject=subject)
    varies = False
    for expression in knowing:
        if isinstance(expression, tree.Name) and expression.name == "recall":
            varies = True
            continue
        type = expressions.infer(c, expression, view)
        varies = varies or type.kind == "unknown" or not _is_fixed(c, expression)
        if type.kind != "unknown" and who is not None:
            hearing.check_hearing(c, expression, who, place)
    if not any(isinstance(e, tree.Name) and e.name == "recall" for e in knowing):
        c.inputs[subject] = len(knowing)
    if knowing and not varies:
        c.report(M.KNOWS_CONSTANTS.at(knowing[0].span.to(knowing[-1].span)))


def _is_fixed(c: Checker, expression: tree.Expression) -> bool:
    return all(name in c.params or name in c.constants for name in names_of(expression))


def check_decide(c: Checker, node: tree.Decide, place: Place) -> None:
    sizes = target_sizes(c, node.target, place)
    name = node.target.name
    who = players.resolve(c, node.player, place, "decides")
    check_knowing(c, node.knowing, name, who, place)
    type = resolve_type(c, node.type, View(place, subject=name))
    if type.kind != "unknown":
        _check_ends(c, node, type, place)
    if who is not None:
        c.acting.add(who.name)
        c.deciding.setdefault(who.name, node.player.span)
    c.declare(name, "decision", node.target.span, type if sizes is not None else UNKNOWN, place)


def _check_ends(c: Checker, node: tree.Decide, type: ValueType, place: Place) -> None:
    """The ends of an interval are made of params and of what the decision knows."""
    recall = any(isinstance(expression, tree.Name) and expression.name == "recall" for expression in node.knowing)
    for end in (type.low, type.high):
        if end is None or recall or isinstance(node.type, tree.FunctionType):
            continue
        for part in _unknown_parts(c, end, node.knowing, place):
            c.report(K.UNKNOWN_END.at(part.span, name=" ".join(part.span.text.split())))


def _unknown_parts(
    c: Checker, node: tree.Expression, knowing: tuple[tree.Expression, ...], place: Place, depth: int = 0
) -> Iterator[tree.Expression]:
    """The parts of an expression that are neither fixed before play nor made of what is known."""
    if node in knowing:
        return
    name = calls.base_name(node)
    if name is not None:
        symbol = c.symbols.get(name.name)
        if symbol is None or symbol.kind not in VARYING or name.name in c.constants:
            return
        let = c.lets.get(name.name)
        if let is None or depth > 8 or any(True for _ in _unknown_parts(c, let.value, knowing, place, depth + 1)):
            yield node
        return
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.name not in MOMENTS:
        parts = [argument.value for argument in node.arguments]
    else:
        parts = [
            part
            for part in (
                getattr(node, key)
                for key in ("operand", "left", "right", "condition", "then", "otherwise", "body")
                if hasattr(node, key)
            )
            if isinstance(part, tree.Expression)
        ]
        parts.extend(getattr(node, "items", ()))
    for part in parts:
        yield from _unknown_parts(c, part, knowing, place, depth)
