"""Kind and shape of a core expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .expression import (
    Account,
    Apply,
    Constant,
    Expression,
    Fold,
    Information,
    Member,
    Moment,
    Others,
    Over,
    Parameter,
    Reference,
    Root,
    Rule,
    Select,
    Stack,
    Unknown,
    Whole,
)
from .shapes import COMPARISONS, LOGIC, SHAPES, Kind, Shape, broadcast


def constant_shape(value: float | tuple) -> Shape:
    return (len(value), *constant_shape(value[0])) if isinstance(value, tuple) else ()


def infer(e: Expression, sites: Mapping[str, Kind], parameters: Mapping[str, Shape] | None = None) -> Kind:
    """The kind of an expression, given those of the sites; raises ValueError where shapes do not agree.

    Values of finite kinds stay finite under selection and logic; arithmetic makes them real.
    """
    if isinstance(e, Constant):
        return Kind("real", constant_shape(e.value))
    if isinstance(e, Parameter):
        return Kind("real", (parameters or {}).get(e.name, ()))
    if isinstance(e, Reference):
        return sites[e.site]
    if isinstance(e, Member):
        return Kind("index", (), e.axis.size, e.axis.low)
    if isinstance(e, Select):
        return _selected(e, sites, parameters)
    if isinstance(e, Stack):
        kinds = [infer(i, sites, parameters) for i in e.items]
        first = kinds[0] if kinds else Kind("real")
        alike = all((k.kind, k.size) == (first.kind, first.size) for k in kinds) and first.kind != "choice"
        shape = (len(kinds), *broadcast([k.shape for k in kinds]))
        return replace(first, shape=shape) if alike else Kind("real", shape)
    if isinstance(e, Fold):
        return Kind("real", infer(e.body, sites, parameters).shape)
    if isinstance(e, (Moment, Rule)):
        return Kind("real", broadcast([infer(a, sites, parameters).shape for a in e.children]) if isinstance(e, Moment) else ())
    if isinstance(e, (Account, Information, Over, Root, Unknown)):
        return Kind("real")
    if isinstance(e, Apply):
        kinds = [infer(a, sites, parameters) for a in e.arguments]
        shape = SHAPES[e.function]([k.shape for k in kinds]) if e.function in SHAPES else broadcast([k.shape for k in kinds])
        if e.function in COMPARISONS or (e.function in LOGIC and all(k.kind == "bool" for k in kinds)):
            return Kind("bool", shape, 2)
        if e.function == "where" and kinds[1].kind == kinds[2].kind == "bool":
            return Kind("bool", shape, 2)
        if e.function == "dot" and all(k.kind == "choice" for k in kinds):
            return Kind("bool", shape, 2)
        return Kind("real", shape)
    raise AssertionError(type(e).__name__)


def _selected(e: Select, sites: Mapping[str, Kind], parameters: Mapping[str, Shape] | None) -> Kind:
    base = infer(e.base, sites, parameters)
    shape: list[int] = []
    for position, index in enumerate(e.indices):
        if isinstance(index, Whole):
            shape.append(base.shape[position] if position < len(base.shape) else 1)
        elif isinstance(index, Others):
            shape.append(index.axis.size - 1)
        elif not e.one_hot[position]:
            shape.extend(infer(index, sites, parameters).shape)
    rest = base.shape[len(e.indices):]
    picked = len(e.indices) >= len(base.shape)  # the one-hot dimension itself was indexed
    if base.kind == "choice" and picked:
        return Kind("bool", tuple(shape), 2)
    return replace(base, shape=(*shape, *rest))
