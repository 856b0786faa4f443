"""Labels of a file as names of a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ..semantics.vocabulary import reserved

LONGEST = 32
STATEMENTS = frozenset(
    "game cite use param def player team random let decide channel send attend solve cost payoff constrain commit state next stage halt "
    "delay for when measure known record bound tap policy gradient train plot by knowing within from mixed in".split())


def as_name(label: str) -> str:
    """A name of the language near to a label, or nothing: letters, digits and _."""
    text = unicodedata.normalize("NFKC", label.strip())
    text = re.sub(r"^-(?=[0-9.])", "minus", text)
    text = re.sub(r"\W+", "_", text, flags=re.UNICODE).strip("_")[:LONGEST]
    text = "".join(c for c in text if c == "_" or c.isalnum() and not unicodedata.combining(c))
    if text[:1].isnumeric():
        text = "v" + text
    return text if re.fullmatch(r"[^\W\d]\w*", text) else ""


class Names:
    """Gives every thing a name of its own, near to what it was called."""

    def __init__(self, taken: Iterable[str] = ()):
        self.taken = set(taken) | set(reserved()) | STATEMENTS

    def give(self, label: str, otherwise: str) -> str:
        base = as_name(label) or otherwise
        name, k = base, 1
        while name in self.taken:
            k += 1
            name = f"{base}_{k}"
        self.taken.add(name)
        return name


def labels(actions: Sequence[str]) -> tuple[str, ...] | None:
    """Names for the options of a choice, or None if they have none that differ."""
    found = [as_name(a) for a in actions]
    words = reserved() | STATEMENTS
    found = [f"{x}_" if x in words else x for x in found]
    return tuple(found) if all(found) and len(set(found)) == len(found) else None
