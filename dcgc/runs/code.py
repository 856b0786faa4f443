"""The messages of a quantised run as bytes on the disk: ``code.bin``, and ``code.json`` which says how to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .files import write_file, write_json
from .folder import Run

if TYPE_CHECKING:
    from ..studies.quantise import Coded, Quantised

CODE, INDEX = "code.bin", "code.json"


def write_code(run: Run, made: Quantised, origin: str) -> None:
    """Write both files; ``origin``: the run that was quantised."""
    write_file(run.path(CODE), b"".join(c.data for c in made.coded))
    write_json(run.path(INDEX), {"from": origin, **code_data(made)})


def code_data(made: Quantised) -> dict[str, Any]:
    """What ``code.json`` holds: of all channels together, and of each, whose bytes lie one after the other."""
    channels, start = [], 0
    for c in made.coded:
        channels.append({**of_channel(c), "start": start})
        start += len(c.data)
    return {
        "channel": made.channel, "bits": made.bits, "words": made.words, "method": made.method, "listeners": made.listeners,
        "coder": "range asymmetric numeral system (dcgc.protocols.coding)", "messages": sum(c.messages for c in made.coded),
        "bytes": start, "entropy_bytes": sum(c.least for c in made.coded),
        "entropy": sum(c.entropy * c.messages for c in made.coded) / sum(c.messages for c in made.coded), "channels": channels,
        "codes": {leader: {"codes": b.codes.tolist(), "metric": b.metric.tolist(), "merged": list(b.merged), "kept": list(b.kept)}
                  for leader, b in made.books.items()},
    }


def of_channel(c: Coded) -> dict[str, Any]:
    return {"channel": c.channel, "messages": c.messages, "entropy": c.entropy, "bytes": len(c.data), "entropy_bytes": c.least,
            "model_bytes": c.model, "model": list(c.frequencies)}
