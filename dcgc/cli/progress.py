"""How a running training is shown: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..report.numbers import show_seconds, show_value, sparkline
from ..source.render import visible
from .commands import colourful

if TYPE_CHECKING:
    from rich.console import Group

    from ..learning.settings import Progress

EVERY = 2.0  # seconds between two plain lines of one engine


class Display(Protocol):
    """Shows reports while it is entered. ``say`` puts a line among them."""

    def __enter__(self) -> Display: ...

    def __exit__(self, *_: object) -> None: ...

    def report(self, progress: Progress) -> None: ...

    def say(self, line: str) -> None: ...


class Watch:
    """What is known of a training: the last report, its costs, the time it may still take."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock = clock
        self.start = clock()
        self.last: Progress | None = None
        self.costs: list[float] = []
        self.begun: tuple[float, int] | None = None  # when the engine at work reported first, and at which step

    def take(self, progress: Progress) -> None:
        if self.last is None or self.last.engine != progress.engine:
            self.begun, self.costs = (self.clock(), progress.step), []
        self.last = progress
        if math.isfinite(progress.cost):
            self.costs.append(progress.cost)

    @property
    def elapsed(self) -> float:
        return self.clock() - self.start

    def left(self) -> float | None:
        """Seconds until the engine at work has done all its steps, at its pace so far; None before there is a pace."""
        if self.last is None or self.begun is None:
            return None
        since, first = self.begun
        done = self.last.step - first
        if done <= 0 or self.last.total <= self.last.step:
            return None
        return (self.clock() - since) / done * (self.last.total - self.last.step)

    def line(self) -> str:
        """One line of text."""
        p = self.last
        if p is None:
            return ""
        parts = [f"{p.engine} {p.step}/{p.total}", visible(p.text)]
        if math.isfinite(p.cost):
            parts.append(f"cost {show_value(p.cost)}")
        left = self.left()
        if left is not None:
            parts.append(f"about {show_seconds(left)} left")
        return f"[{show_seconds(self.elapsed):>9}] " + ", ".join(parts)


class PlainDisplay:
    """A line for a report now and then, without control characters."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        self.stream = stream
        self.watch = Watch(clock)
        self.shown: tuple[str, float] | None = None

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def report(self, progress: Progress) -> None:
        self.watch.take(progress)
        now = self.watch.clock()
        ends = progress.step >= progress.total
        if self.shown is None or ends or self.shown[0] != progress.engine or now - self.shown[1] >= EVERY:
            self.shown = (progress.engine, now)
            self.say(self.watch.line())

    def say(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


class LiveDisplay:
    """A panel that is redrawn in place, and removed at the end."""

    def __init__(self, stream: TextIO):
        from rich.console import Console
        from rich.live import Live

        self.watch = Watch()
        self.console = Console(file=stream)
        self.live = Live(get_renderable=self.panel, console=self.console, refresh_per_second=5, transient=True)

    def __enter__(self) -> LiveDisplay:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def report(self, progress: Progress) -> None:
        self.watch.take(progress)

    def say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False)

    def panel(self) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        watch, p = self.watch, self.watch.last
        if p is None:
            return Group(Text(f"making the game ready .. {show_seconds(watch.elapsed)}", style="dim"))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        grid.add_row("engine", Text(f"{p.engine}: {visible(p.text)}"))
        if watch.costs:
            line = Text(f"{show_value(watch.costs[-1]):<12}")
            grid.add_row("cost", line.append(sparkline(watch.costs), style="cyan"))
        left = watch.left()
        times = f"{show_seconds(watch.elapsed)} so far" + (f", about {show_seconds(left)} left" if left is not None else "")
        bar = Table.grid(padding=(0, 2))
        bar.add_row(ProgressBar(total=max(p.total, 1), completed=min(p.step, p.total), width=30), times)
        grid.add_row("time", bar)
        grid.add_row("", Text("Ctrl-C ends it and keeps what was found", style="dim"))
        return Group(grid)


def display(quiet: bool = False) -> Display:
    """The display that fits standard error: nothing there is part of the result."""
    if quiet:
        return Silence()
    return LiveDisplay(sys.stderr) if colourful(sys.stderr) else PlainDisplay(sys.stderr)


class Silence:
    """Shows nothing."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def report(self, progress: Progress) -> None:
        return None

    def say(self, line: str) -> None:
        return None
