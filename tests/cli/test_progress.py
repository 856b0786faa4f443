"""How a running training is shown, and how it is stopped."""

import io
import math
import os
import signal

import pytest

from dcgc.cli.progress import LiveDisplay, PlainDisplay, Watch
from dcgc.cli.stopping import Stopping
from dcgc.learning.settings import Progress


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_time_left_follows_the_pace_of_the_engine_at_work():
    clock = Clock()
    watch = Watch(clock)
    assert watch.left() is None and watch.line() == ""
    watch.take(Progress("affine", "solving", 0, 1, math.nan))
    clock.now = 5.0
    watch.take(Progress("sweeps", "exploring", 10, 110, 2.0))  # resumed: ten steps were done before
    assert watch.left() is None
    clock.now = 9.0
    watch.take(Progress("sweeps", "exploring", 30, 110, 1.5))
    assert watch.left() == pytest.approx(16.0)
    assert watch.costs == [2.0, 1.5]
    assert "sweeps 30/110" in watch.line() and "1.5" in watch.line() and "about 16 s left" in watch.line()
    watch.take(Progress("networks", "Adam", 0, 5, math.nan))
    assert watch.costs == []


def test_plain_lines_are_few_and_plain():
    clock, stream = Clock(), io.StringIO()
    shown = PlainDisplay(stream, clock)
    for step in range(1, 101):
        clock.now += 0.1
        shown.report(Progress("sweeps", "ex\x1b[2Jploring", step, 100, 1 / step))
    lines = stream.getvalue().splitlines()
    assert 4 <= len(lines) <= 8 and "100/100" in lines[-1]
    assert all(ord(character) >= 32 for line in lines for character in line)


def test_the_panel_shows_engine_cost_and_history():
    stream = io.StringIO()
    shown = LiveDisplay(stream)
    shown.console.width = 90
    with shown:
        for step in range(10):
            shown.report(Progress("sweeps", "exploring [bold]", step, 20, 10.0 - step))
        shown.console.print(shown.panel())
        shown.say("a line [of] text")
    text = stream.getvalue()
    assert "sweeps: exploring [bold]" in text and "█" in text and "▁" in text and "Ctrl-C" in text and "a line [of] text" in text


def test_the_first_interrupt_asks_and_the_second_ends():
    said = []
    before = signal.getsignal(signal.SIGINT)
    with Stopping(said.append) as stopping:
        assert not stopping()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopping() and len(said) == 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before
