"""What names mean where an expression stands, and why something has no computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..source import Span
from . import expression as core


class Unlowered(Exception):
    """Something correct that has no computation yet."""

    def __init__(self, code: str, message: str, span: Span, hint: str = ""):
        super().__init__(message)
        self.code, self.message, self.span, self.hint = code, message, span, hint


class Silenced(Exception):
    """Something that rests on what was reported already."""


@dataclass(frozen=True)
class Scope:
    """What names mean inside loops and definitions."""

    axes: tuple[core.Axis, ...] = ()
    indices: Mapping[str, core.Axis] = None  # type: ignore[assignment]
    arguments: Mapping[str, core.Expression] = None  # type: ignore[assignment]
    guards: tuple[core.Expression, ...] = ()

    def index(self, name: str, axis: core.Axis) -> Scope:
        return replace(self, indices={**(self.indices or {}), name: axis})
