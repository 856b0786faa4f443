"""Scorecards as plain data and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..source import Source, Span
from ..verify.figures import ChannelLedger, Comparison, Curve, Figure, Gap, Margin, Regret, Scorecard


def to_data(card: Scorecard) -> dict[str, Any]:
    """A scorecard as dictionaries and lists; floats are kept exactly (not all of them are JSON yet: see ``files.strict``)."""
    return {
        "method": card.method,
        "figures": {label: figure_data(figure) for label, figure in card.figures.items()},
        "regrets": [plain(regret) for regret in card.regrets],
        "comparisons": [comparison_data(c) for c in card.comparisons],
        "alarms": list(card.alarms),
        "curves": [plain(curve) for curve in card.curves],
        "gaps": [plain(gap) for gap in card.gaps],
        "margins": [plain(margin) for margin in card.margins],
        "channels": [{**plain(c), "rate": figure_data(c.rate)} for c in card.channels],
    }


def plain(item: Any) -> dict[str, Any]:
    """The fields of a flat dataclass, tuples as lists."""
    values = {f.name: getattr(item, f.name) for f in fields(item)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def figure_data(figure: Figure) -> dict[str, Any]:
    return plain(figure)


def comparison_data(c: Comparison) -> dict[str, Any]:
    return {**plain(c), "found": figure_data(c.found), "span": [c.span.start, c.span.end]}


def from_data(data: Mapping[str, Any], source: Source) -> Scorecard:
    """The scorecard that ``to_data`` wrote; published values stand in ``source``. Raises KeyError, TypeError or ValueError."""
    return Scorecard(
        {label: figure_from(entry) for label, entry in data["figures"].items()},
        tuple(regret_from(entry) for entry in data["regrets"]),
        tuple(comparison_from(c, source) for c in data["comparisons"]),
        tuple(Curve(**{**c, "x": numbers(c["x"]), "y": numbers(c["y"])}) for c in data["curves"]),
        tuple(data["alarms"]),
        data["method"],
        tuple(ledger_from(c) for c in data.get("channels", ())),
        tuple(margin_from(m) for m in data.get("margins", ())),
        tuple(Gap(g["label"], float(g["relaxed"]), float(g["exact"]), float(g["gap"])) for g in data.get("gaps", ())),
    )


def margin_from(entry: Mapping[str, Any]) -> Margin:
    return Margin(entry["player"], entry["decision"], float(entry["chance"]), float(entry["given_up"]), float(entry["tolerance"]))


def ledger_from(entry: Mapping[str, Any]) -> ChannelLedger:
    words = {"name", "listeners", "carrier", "noise", "measured"}
    values: dict[str, Any] = {k: v if k in words else bool(v) if k == "average" else figure_from(v) if k == "rate" else float(v)
              for k, v in entry.items()}
    return ChannelLedger(**values)


def numbers(values: list[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def figure_from(entry: Mapping[str, Any]) -> Figure:
    return Figure(entry["label"], float(entry["value"]), float(entry["error"]), entry["method"])


def regret_from(entry: Mapping[str, Any]) -> Regret:
    return Regret(entry["player"], float(entry["ex_ante"]), float(entry["unreached"]), bool(entry["exact"]), entry["method"])


def comparison_from(entry: Mapping[str, Any], source: Source) -> Comparison:
    start, end = entry["span"]
    return Comparison(entry["kind"], entry["label"], float(entry["published"]), entry["relation"],
                      figure_from(entry["found"]), float(entry["tolerance"]), bool(entry["relative"]), entry["verdict"],
                      entry["reference"], Span(source, start, end))
