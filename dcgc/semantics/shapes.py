"""Shapes: how arrays fit together, and how a shape is written."""

from __future__ import annotations

from dataclasses import replace

from .checked import IndexDomain, ValueType


def broadcast(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of an entry-by-entry operation as in numpy, None if the shapes do not fit."""
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    result = []
    for a, b in zip(longer, padded, strict=True):
        if a != b and 1 not in (a, b):
            return None
        result.append(b if a == 1 else a)
    return tuple(result)


def dot(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of ``numpy.dot``, None if the arguments do not fit."""
    if not left or not right:
        return left or right
    inner = right[0] if len(right) == 1 else right[-2]
    if left[-1] != inner:
        return None
    return left[:-1] + (right[:-2] + right[-1:] if len(right) > 1 else ())


def spread(type: ValueType, domains: tuple[IndexDomain, ...]) -> ValueType:
    """The array over all members of what has ``type`` for each."""
    if not domains or type.kind == "unknown":
        return type
    return replace(type, shape=tuple(domain.size for domain in domains) + type.shape)


def shown(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]" if shape else "of a scalar"
