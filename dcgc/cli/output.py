"""Results on standard output: tables on a terminal, plain text elsewhere, JSON on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..report.tables import Table, plain, rich, tables
from ..source.render import visible
from .commands import colourful

if TYPE_CHECKING:
    from ..door import Result
    from ..verify.figures import Scorecard


def print_tables(found: Sequence[Table]) -> None:
    if colourful(sys.stdout):
        from rich.console import Console

        console = Console()
        for table in found:
            console.print(rich(table))
    else:
        print("\n".join(plain(table) for table in found), end="")


def print_scorecard(card: Scorecard, shown: Sequence[str], alarms: Sequence[str]) -> None:
    print_tables(tables(card, shown))
    print_alarms(alarms)


def print_baseline(result: Result) -> None:
    """How a result compares with the best affine profile, where that is cheap to know."""
    from ..report.numbers import show_value

    found = result.baseline
    if found is not None:
        cost, below = found
        apart = "as good" if abs(below) < 5e-4 else f"{abs(below):.1%} {'below' if below > 0 else 'above'} it"
        print(f"\nbest affine profile {show_value(cost)}; this is {apart}")


def print_alarms(alarms: Sequence[str]) -> None:
    from rich.console import Console

    console = Console() if colourful(sys.stdout) else None
    for alarm in alarms:
        if console is not None:
            console.print(f"ALARM: {visible(alarm)}", style="bold red", markup=False, highlight=False)
        else:
            print(f"ALARM: {visible(alarm)}")


def print_json(data: Any) -> None:
    from ..runs.files import strict

    print(json.dumps(strict(data), indent=2, allow_nan=False))


def result_data(result: Result) -> dict[str, Any]:
    """A result for other programs: what ``result.json`` holds, but for the histories of its training."""
    from ..runs.scorecards import to_data

    trained = result.trained
    return {
        "game": result.game.name, "seed": result.settings.seed, "engine": trained.engine, "interrupted": trained.interrupted,
        "folder": result.folder, **to_data(result.scorecard), "alarms": list(result.alarms),
        "notes": [*result.notes, *trained.notes], "objective": list(trained.objective), "ways": list(trained.ways),
        **({"theory": list(trained.theory)} if trained.theory else {}),
        **({"baseline": {"cost": result.baseline[0], "below": result.baseline[1]}} if result.baseline is not None else {}),
        "equilibria": [
            {"starts": count, "costs": dict(costs), **({"name": trained.name_of(i)} if trained.name_of(i) else {})}
            for i, (count, costs) in enumerate(trained.equilibria)],
    }
