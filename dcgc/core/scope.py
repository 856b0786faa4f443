"""What names mean where an expression stands, and why something has no computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..source import Span
from . import expression as core
from .bases import Basis

Whole = tuple[Basis, core.Expression]  # a whole function: its basis and its coefficients


class Unlowered(Exception):
    """Something correct that has no computation yet."""

    def __init__(self, code: str, message: str, span: Span, hint: str = ""):
        super().__init__(message)
        self.code, self.message, self.span, self.hint = code, message, span, hint


class Silenced(Exception):
    """Something that rests on what was reported already."""


@dataclass(frozen=True)
class Scope:
    """What names mean inside loops and definitions. ``functions``: arguments that are whole functions."""

    axes: tuple[core.Axis, ...] = ()
    indices: Mapping[str, core.Axis] = None  # type: ignore[assignment]
    arguments: Mapping[str, core.Expression] = None  # type: ignore[assignment]
    guards: tuple[core.Expression, ...] = ()
    functions: Mapping[str, Whole] = field(default_factory=dict)

    def index(self, name: str, axis: core.Axis) -> Scope:
        return replace(self, indices={**(self.indices or {}), name: axis})

    def argument(self, name: str, value: core.Expression) -> Scope:
        return replace(self, arguments={**(self.arguments or {}), name: value})
