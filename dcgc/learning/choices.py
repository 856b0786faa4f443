"""Which estimator where: the text of the setting ``estimator``, read and written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..semantics.vocabulary import ESTIMATOR_NAMES
from ..source import near_names

BETWEEN = re.compile(r",(?![^\[]*\])")  # commas, but for those between indices


@dataclass(frozen=True)
class Choices:
    """``general``: the estimator of all messages (None: not said). ``single``: of single sites, as the text calls them."""

    general: str | None = None
    single: Mapping[str, str] = field(default_factory=dict)

    def over(self, earlier: Choices) -> Choices:
        """These choices before earlier ones: a general one leaves nothing of them, a single one takes the place of its own."""
        return self if self.general is not None else Choices(earlier.general, {**earlier.single, **self.single})

    def text(self) -> str | None:
        """The setting's own form; None without any choice."""
        entries = [*(() if self.general is None else (self.general,)), *(f"{site}={name}" for site, name in self.single.items())]
        return ", ".join(entries) or None


def read_choices(text: str | None) -> Choices:
    """``NAME`` and ``SITE=NAME`` in any order, separated by commas. Raises ValueError, in one line, for a name that no estimator has
    and for a site that is given twice."""
    general: str | None = None
    single: dict[str, str] = {}
    for entry in BETWEEN.split(text or ""):
        site, equals, name = ("".join(x.split()) for x in entry.rpartition("="))
        if not name and not equals:
            continue
        if name not in ESTIMATOR_NAMES:
            near = near_names(name, ESTIMATOR_NAMES, most=1)
            raise ValueError(f"there is no estimator {name!r}; " + (
                f"did you mean {near[0]!r}?" if near else f"there are {', '.join(ESTIMATOR_NAMES)}"))
        if equals and not site:
            raise ValueError(f"write SITE={name} for one message, {name} alone for all")
        if site in single or (not site and general is not None):
            raise ValueError(f"the estimator {f'of {site}' if site else 'of all messages'} is given twice")
        if site:
            single[site] = name
        else:
            general = name
    return Choices(general, single)
