"""Policy families: what a decision or an encoder can be before its head."""

from .affine import Affine
from .constant import Constant
from .families import FAMILIES, build, options
from .grid import Grid
from .heads import HEADS, Head, head, raw_size
from .mlp import MLP
from .piecewise import Piecewise
from .policy import Policy
from .table import Table
from .transformer import Transformer

__all__ = [
    "FAMILIES",
    "HEADS",
    "MLP",
    "Affine",
    "Constant",
    "Grid",
    "Head",
    "Piecewise",
    "Policy",
    "Table",
    "Transformer",
    "build",
    "head",
    "options",
    "raw_size",
]
