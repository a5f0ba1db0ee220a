"""The timer is late by exactly the time for which the process stood still (promise S19)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dispatcher.node.timer import Timer
from tests.support.clock import ManualClock
from tests.support.house import House, Notes

pytestmark = pytest.mark.gen_test


class Fired:
    """A timer on a clock turned by hand; it keeps its first lateness."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock: Any = clock or ManualClock()
        self.late_s: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.timer = Timer(self.clock, lambda now, late_s: self.late_s.set_result(late_s))


async def test_what_was_due_before_the_timer_was_armed_is_no_standstill():
    fired = Fired()
    due_at = fired.clock.monotonic()
    fired.clock.advance(30.0)  # a first turn that took so long, say
    fired.timer.arm(due_at)
    assert await fired.late_s == 0.0
    fired.timer.stop()


async def test_a_timer_that_is_overdue_keeps_how_late_it_is_when_it_is_armed_again():
    fired = Fired()
    fired.timer.arm(fired.clock.monotonic())
    fired.clock.advance(30.0)
    fired.timer.arm(fired.clock.monotonic() - 40.0)
    fired.timer.arm(None)
    assert await fired.late_s == 30.0
    fired.timer.stop()


class ReadClock(ManualClock):
    """A clock that notes when it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = asyncio.Event()

    def monotonic(self) -> float:
        self.read.set()
        return super().monotonic()


async def test_a_clock_that_goes_slower_than_the_loop_s_is_waited_for():
    """Else what is due in a second was done early on a slow machine, in tests that turn their clock by hand."""
    fired = Fired(ReadClock())
    fired.timer.arm(fired.clock.monotonic() + 0.05)
    fired.clock.read.clear()
    await fired.clock.read.wait()  # the loop has come as far
    assert not fired.late_s.done()
    fired.clock.advance(0.05)
    assert await fired.late_s == 0.0
    fired.timer.stop()


class AskedTransport(Notes):
    """Pages that count how often they are asked what is due."""

    asked = 0

    def next_deadline(self) -> float | None:
        self.asked += 1
        return super().next_deadline()


async def test_the_loop_looks_once_for_all_that_it_has_read_at_once():
    house = House()
    pages = AskedTransport()
    house.dispatcher.attach(pages)
    await house.start()
    for expected in (1, 2):
        pages.asked = 0
        for _ in range(expected):
            for _ in range(5):
                house.dispatcher.changed()
            assert pages.asked < expected
            await asyncio.sleep(0)
        assert pages.asked == expected
