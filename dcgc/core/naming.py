"""Names of what a text writes once and the graph holds several times.

A member of a small family is ``q[2]``, an entry of a small random array ``v(2)``, what happens in stage 3 ``u@3`` (of a family's member
``q@3[2]``). What is made around a name carries the stage inside: ``sent(m@3)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from .expression import Expression, Information, Reference, rebuild
from .site import Actor, Observation

Part = TypeVar("Part")


GOING_ON = "going on"  # begins the name of a value that is 1 while no halt has come; no text can name one so


def staged(name: str, stage: int | str) -> str:
    """The name in a stage: ``u@3``, ``sent(m@3)``; ``x@2.3``: in stage 3 of the second block."""
    return f"{name[:-1]}@{stage})" if name.endswith(")") else f"{name}@{stage}"


def written(name: str) -> str:
    """The name as the text has it, without member and stage: ``q`` of ``q@3[2]``."""
    return name.split("[", 1)[0].split("@", 1)[0]


def dice_of(decision: str) -> str:
    """The name of the private draw of a mixed real decision."""
    return f"dice({decision})"


def of_stage(name: str) -> str:
    """The name without its member: ``q@3`` of ``q@3[2]``."""
    return name.split("[", 1)[0]


def renamed(part: Part, names: Mapping[str, str]) -> Part:
    """A site (or channel, or constraint) with sites called by other names, wherever it mentions them."""
    cache: dict[int, Expression] = {}
    return _renamed(part, names, cache)


def renamed_expression(e: Expression, names: Mapping[str, str]) -> Expression:
    return _expression(e, names, {})


def _renamed(part: Any, names: Mapping[str, str], cache: dict[int, Expression]) -> Any:
    updates: dict[str, Any] = {}
    for f in fields(part):
        value = getattr(part, f.name)
        if f.name in ("name", "encoder", "channel") and isinstance(value, str):
            updates[f.name] = names.get(value, value)
        else:
            updates[f.name] = _value(value, names, cache)
    return replace(part, **updates)


def _value(value: Any, names: Mapping[str, str], cache: dict[int, Expression]) -> Any:
    if isinstance(value, Expression):
        return _expression(value, names, cache)
    if isinstance(value, Observation) or (isinstance(value, Actor) and value.member is not None):
        return replace(value, **{f.name: _value(getattr(value, f.name), names, cache) for f in fields(value)})
    if isinstance(value, tuple) and value and isinstance(value[0], (Expression, Observation)):
        return tuple(_value(v, names, cache) for v in value)
    return value


def _expression(e: Expression, names: Mapping[str, str], cache: dict[int, Expression]) -> Expression:
    if id(e) not in cache:
        if isinstance(e, Reference):
            new: Expression = replace(e, site=names.get(e.site, e.site))
        else:
            new = rebuild(e, lambda c: _expression(c, names, cache))
            if isinstance(new, Information):
                new = replace(new, channel=names.get(new.channel, new.channel))
        cache[id(e)] = new
    return cache[id(e)]
