"""Kinds and shapes of core expressions, by name of function: one table, no JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kind:
    """What a value is. ``size``: number of values if finitely many; ``low``: the first of a category's or index's numbers.
    ``labels``: the labels of a choice."""

    kind: str  # real | bool | choice | category | index
    shape: Shape = ()
    size: int | None = None
    low: int = 1
    labels: tuple[str, ...] = ()

    @property
    def finite(self) -> bool:
        return self.kind != "real"


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The numpy shape of entry by entry work; raises ValueError."""
    rank = max((len(s) for s in shapes), default=0)
    out = []
    for position in range(1, rank + 1):
        sizes = {s[-position] for s in shapes if len(s) >= position and s[-position] != 1}
        if len(sizes) > 1:
            raise ValueError(f"shapes do not agree: {shapes}")
        out.append(sizes.pop() if sizes else 1)
    return tuple(reversed(out))


def dot_shape(shapes: Sequence[Shape]) -> Shape:
    a, b = shapes
    if not a or not b:
        return broadcast(shapes)
    if len(b) == 1:
        return a[:-1]
    return (*a[:-1], *b[:-2], b[-1])


def scalar_shape(shapes: Sequence[Shape]) -> Shape:
    return ()


ELEMENTWISE = ("add sub mul div pow neg exp log sqrt abs sin cos tanh sign floor clip mod maximum minimum where sigmoid "
               "mask between above inside").split()
COMPARISONS = "lt le gt ge eq ne".split()
LOGIC = "and or not".split()
REDUCTIONS = "sum mean prod max min norm argmax".split()

#: Shape of the value, from the shapes of the arguments.
SHAPES: Mapping[str, Callable[[Sequence[Shape]], Shape]] = {
    **dict.fromkeys(ELEMENTWISE + COMPARISONS + LOGIC + ["softmax"], broadcast),
    **dict.fromkeys(REDUCTIONS, scalar_shape),
    "dot": dot_shape,
    "project": lambda shapes: shapes[0],
    "swapped": lambda shapes: (shapes[0][1], shapes[0][0], *shapes[0][2:]),
    "faded": lambda shapes: (shapes[0][0], shapes[0][1] - 1),
    "length": scalar_shape,
    "ridge": lambda shapes: shapes[0][1:],
    "kernel_ridge": lambda shapes: (shapes[0][0], 2 + (shapes[0][1] if len(shapes[0]) > 1 else 1)),
    "predictions": lambda shapes: shapes[0][:1],
    "kernel_at_vector": lambda shapes: shapes[1][:-1],
    **dict.fromkeys(("rows", "kernel_at", "bells", "hidden_layer", "polynomial"), lambda shapes: shapes[1]),
}

OPERATORS: Mapping[str, str] = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "**": "pow", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
    "==": "eq", "!=": "ne", "and": "and", "or": "or",
}
