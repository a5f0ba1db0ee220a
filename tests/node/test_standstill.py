"""A standstill of the server counts against no page that answers, however long it is (promise S19).

The tests use the real sessions. A standstill is one late tick; what has arrived meanwhile is read after it.
"""

from __future__ import annotations

from itertools import product

import pytest

from tests.node.grounds import Grounds, Window

pytestmark = pytest.mark.gen_test

#: Ping interval and timeout are 25 and 20 s.
LENGTHS_S = [
    0.1, 0.3, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 4.9, 5.0, 5.1, 6.0, 15.0, 18.0, 19.0, 19.5, 19.9, 20.0, 20.1, 20.5, 20.9,
    21.0, 21.1, 22.0, 23.0, 24.0, 24.4, 24.9, 25.0, 25.1, 26.0, 30.0, 40.0, 44.0, 45.0, 46.0, 50.0, 60.0, 90.0,
    600.0, 3_600.0,
]  # fmt: skip

_TOLD = pytest.mark.expect_log("the server did nothing for")
EACH = pytest.mark.parametrize("stood_s", [pytest.param(s, marks=[_TOLD] if s > 5.05 else []) for s in LENGTHS_S])


async def _fleet(others_first_s: float) -> list[Window]:
    """Three pages that have joined; the tests look at the first. It has its ping, or its outbox has it."""
    grounds = Grounds(ping_interval_s=25.0, ping_timeout_s=20.0)
    await grounds.start()
    names = ["EARLY", "DESK", "LATE"] if others_first_s else ["DESK"]
    windows = {}
    for name in names:
        windows[name] = Window(grounds, name)
        await windows[name].register()
        await _live(list(windows.values()), others_first_s)
    return [windows["DESK"], *(window for name, window in windows.items() if name != "DESK")]


async def _live(windows: list[Window], seconds: float, *, but: Window | None = None) -> None:
    """Lets time pass in small steps; pages answer."""
    grounds = windows[0].grounds
    while seconds > 1e-9:
        step_s = min(seconds, 0.5)
        seconds -= step_s
        grounds.dispatcher.tick(grounds.clock.advance(step_s))
        for window in windows:
            if window is not but:
                window.answer()


async def _to_the_ping(desk: Window, windows: list[Window], *, read: bool) -> None:
    """Lets time pass until the page is sent a ping. Without ``read`` it has not polled when the ping is due."""
    desk.answer()
    if not read:  # it has had an answer, and has not polled again yet
        desk.grounds.sessions.send(desk.sid, '{"op":"resume"}')
        desk.grounds.settle()
        desk.read()
    session = desk.grounds.sessions.book.sessions[desk.sid]
    while session.ping == session.NONE:
        await _live(windows, 0.5, but=desk)
    desk.read()


def _check(windows: list[Window]) -> None:
    states = {view.name: view.state for view in windows[0].grounds.dispatcher.workers().items}
    assert states == {window.name: "connected" for window in windows}
    assert [window.sid in window.grounds.sessions for window in windows] == [True] * len(windows)


@EACH
async def test_a_page_whose_pong_is_on_its_way_through_a_standstill_is_not_quiet(stood_s):
    for pong_s, armed_s, others_s in product((0.0, 5.0, 15.0, 19.0, 19.5, 19.95), (0.01, 0.4, 1.0), (0.0, 0.5, 7.0)):
        windows = await _fleet(others_s)
        desk = windows[0]
        await _to_the_ping(desk, windows, read=True)
        await _live(windows, pong_s, but=desk)
        desk.grounds.stand_still(stood_s, armed_s)
        for window in windows:
            window.answer()
        await _live(windows, 3.0)
        _check(windows)
        await desk.grounds.dispatcher.close()


@EACH
async def test_a_page_that_polls_for_its_ping_during_a_standstill_is_not_quiet(stood_s):
    for poll_s, armed_s, others_s in product((0.0, 1.0), (0.01, 0.4, 1.0), (0.0, 0.5, 7.0)):
        windows = await _fleet(others_s)
        desk = windows[0]
        await _to_the_ping(desk, windows, read=False)
        await _live(windows, poll_s, but=desk)
        desk.grounds.stand_still(stood_s, armed_s)
        desk.ask()
        await _live(windows, 2.0, but=desk)  # the round trip of a slow network
        desk.answer()
        await _live(windows, 3.0)
        _check(windows)
        await desk.grounds.dispatcher.close()


@_TOLD
async def test_a_page_that_answers_nothing_is_quiet_soon_after_any_standstill():
    for stood_s in LENGTHS_S:
        windows = await _fleet(0.5)
        desk = windows[0]
        await _to_the_ping(desk, windows, read=True)
        await _live(windows, 5.0, but=desk)
        desk.grounds.stand_still(stood_s)
        await _live(windows, 22.0, but=desk)
        states = {view.name: view.state for view in desk.grounds.dispatcher.workers().items}
        assert states["DESK"] != "connected", stood_s
        await desk.grounds.dispatcher.close()


async def test_one_standstill_after_the_other_does_not_keep_a_page_that_is_gone():
    windows = await _fleet(0.0)
    [desk] = windows
    await _to_the_ping(desk, windows, read=True)
    for _ in range(30):
        desk.grounds.stand_still(0.9)
        await _live(windows, 0.5, but=desk)
    assert [view.state for view in desk.grounds.dispatcher.workers().items] != ["connected"]
    await desk.grounds.dispatcher.close()
