"""Ctrl-C: the first asks for an early end, the second ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """While entered, an interrupt (or a polite kill) sets ``asked``; a second one raises KeyboardInterrupt."""

    def __init__(self, say: Callable[[str], None]):
        self.say = say
        self.asked = False
        self.before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            self.before = {number: signal.signal(number, self.handle) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.say("ending after this chunk of steps, then scoring what was found; once more to end at once")

    def __call__(self) -> bool:
        return self.asked
