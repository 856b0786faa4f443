"""Names, types, shapes, knowledge and sense: from a tree to a checked game."""

from .check import check
from .checked import (
    CheckedGame,
    Constant,
    IndexDomain,
    ParamInfo,
    PlayerInfo,
    Symbol,
    TeamInfo,
    ValueType,
    as_array,
    shape_of,
)
from .variant import Variant

__all__ = [
    "CheckedGame",
    "Constant",
    "IndexDomain",
    "ParamInfo",
    "PlayerInfo",
    "Symbol",
    "TeamInfo",
    "ValueType",
    "Variant",
    "as_array",
    "check",
    "shape_of",
]
