"""From a game's ``train`` block and what the caller gives to one resolved configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from types import MappingProxyType, NoneType
from typing import Any, get_args, get_type_hints

from ..learning.choices import read_choices
from ..learning.settings import Settings
from ..semantics.vocabulary import KL_PRIORS, STAGE_FORMS
from ..source import near_names

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "precision": ("float64", "float32"),
    "response": ("implicit", "unrolled"),
    "stages": STAGE_FORMS,
    "expectation": ("auto", "enumeration", "quadrature", "sobol", "monte_carlo"),
    "kl_prior": KL_PRIORS,
})
# From where on a value makes sense.
LEAST: Mapping[str, float] = MappingProxyType({
    "seed": 0, "restarts": 1, "nodes": 1, "samples": 1, "steps": 1, "width": 1, "layers": 1, "batch": 1, "learning_rate": 0,
    "tolerance": 0, "kl_weight": 0, "fisher_rank_weight": 0,
})
LARGEST_SEED = 2**31 - 1
PER_SITE = "estimator"  # the one setting that can be given for single sites, and so more than once
MANY = "seeds"  # how many seeds the command line trains; no setting of a single training


class BadSetting(ValueError):
    """A setting that does not exist, or a value that it cannot have; the message is one line."""


def setting_types() -> dict[str, tuple[type, bool]]:
    """By name: the type of every setting, and whether it may be left open (None)."""
    hints = get_type_hints(Settings)
    found = {}
    for f in fields(Settings):
        options = get_args(hints[f.name]) or (hints[f.name],)
        found[f.name] = (next(o for o in options if o is not NoneType), NoneType in options)
    return found


def resolve(block: Iterable[tuple[str, Any]], given: Mapping[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """The settings of one training, ``given`` before ``block`` before defaults, and the keys of the block that no engine reads.

    Raises BadSetting.
    """
    types = setting_types()
    values: dict[str, Any] = {}
    unread: list[str] = []
    for key, value in block:
        if key == PER_SITE:
            values[key] = merged([*([] if key not in values else [values[key]]), value], None)  # in any order
        elif key in types:
            values[key] = convert(key, value)
        elif key != MANY:
            unread.append(key)
    for key, value in given.items():
        if key not in types:
            near = near_names(key, tuple(types), most=1)
            raise BadSetting(f"there is no setting {key!r}" + (f"; did you mean {near[0]!r}?" if near else
                                                               f"; there are {', '.join(types)}"))
        values[key] = merged(value, values.get(key)) if key == PER_SITE else convert(key, value)
    return Settings(**values), tuple(unread)


def merged(value: Any, earlier: str | None) -> str | None:
    """The estimators of ``value`` ("NAME", "SITE=NAME", several of them, or a mapping from sites to names) before those that were
    chosen earlier; None takes these back. Raises BadSetting."""
    if value is None:
        return None
    entries = [f"{site}={name}" for site, name in value.items()] if isinstance(value, Mapping) else \
        [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)) or not all(isinstance(e, str) for e in entries):
        raise BadSetting(f"estimator must be NAME, SITE=NAME or several of them, not {value!r}")
    try:
        return read_choices(", ".join(entries)).over(read_choices(earlier)).text()
    except ValueError as problem:
        raise BadSetting(str(problem)) from None


def convert(key: str, value: Any) -> Any:
    """A value as its setting wants it. Raises BadSetting."""
    kind, optional = setting_types()[key]
    if value is None and optional:
        return None
    good: Any = None
    if kind is bool:
        good = value if isinstance(value, bool) else None
    elif kind is str:
        good = value if isinstance(value, str) else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        good = kind(value) if kind is float or float(value).is_integer() else None
    if good is None:
        wanted = {bool: "true or false", str: "a word", int: "a whole number", float: "a number"}[kind]
        raise BadSetting(f"{key} must be {wanted}, not {value!r}")
    if good != good or (key in LEAST and good < LEAST[key]):
        raise BadSetting(f"{key} must be at least {LEAST[key]:g}, not {value!r}")
    if key.endswith("_weight") and good == float("inf"):
        raise BadSetting(f"{key} must be finite")
    if key == "seed" and good > LARGEST_SEED:
        raise BadSetting(f"seed must be at most {LARGEST_SEED}")
    if key in CHOICES and good not in CHOICES[key]:
        raise BadSetting(f"{key} must be one of {', '.join(CHOICES[key])}, not {good!r}")
    return good


def seeds_of(block: Iterable[tuple[str, Any]]) -> int:
    """How many seeds a ``train`` block asks for (1 if it does not say). Raises BadSetting."""
    many = dict(block).get(MANY, 1)
    if isinstance(many, bool) or not isinstance(many, (int, float)) or many < 1 or many != int(many):
        raise BadSetting(f"seeds must be a whole number from 1 on, not {many!r}")
    return int(many)
