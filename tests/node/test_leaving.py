"""Offers and leases of a page whose connection is closed between two polls (promises S7 and S11, invariant I8).

The tests use the real sessions. A proxy that keeps no connection closes it after each answer; a page that is gone
closes it once.
"""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.transport.leaving import MOMENT_S
from tests.node.grounds import Grounds, Window

pytestmark = pytest.mark.gen_test

GRACE_S = 30.0


async def _joined(**settings: Any) -> Window:
    """A page between two polls, whose connection is open."""
    grounds = Grounds(**({"reconnect_grace_s": GRACE_S} | settings))
    await grounds.start()
    page = Window(grounds, "DESK")
    await page.register()
    assert page.poll is None
    return page


async def _running(page: Window) -> None:
    """It has accepted a job, and is between two polls."""
    await page.grounds.submit()
    page.ask()
    await page.say(op="accept", attempt=page.offers()[-1])


async def _attempts(grounds: Grounds) -> list[str]:
    """The state of each attempt, oldest job first."""
    return [str(attempt.state) for job in await grounds.kept() for attempt in job.attempts]


def _states(grounds: Grounds) -> list[str]:
    return [worker.state for worker in grounds.dispatcher.workers().items]


async def test_behind_a_proxy_that_keeps_no_connection_no_offer_lapses():
    page = await _joined()
    for number in range(20):
        await page.grounds.submit()  # while the page is between two polls: the offer waits for the next one
        page.disconnect()
        await page.grounds.pass_time(MOMENT_S - 0.01)
        page.ask()
        await page.say(op="result", attempt=page.offers()[number], value=number)
        page.ask()
    assert await _attempts(page.grounds) == ["succeeded"] * 20


async def test_a_page_in_that_moment_gets_offers_as_any_page_between_two_polls():
    page = await _joined()
    page.disconnect()
    assert _states(page.grounds) == ["connected"]
    await page.grounds.submit()
    page.ask()
    assert len(page.offers()) == 1


async def test_an_offer_to_a_page_that_is_gone_goes_to_another_after_the_moment():
    page = await _joined()
    grounds = page.grounds
    await grounds.submit()
    other = Window(grounds, "DOOR")
    await other.register()
    other.ask()
    page.disconnect()
    await grounds.pass_time(MOMENT_S - 0.01)
    assert other.offers() == []
    await grounds.pass_time(0.01)
    assert len(other.offers()) == 1
    assert await _attempts(grounds) == ["lapsed", "offered"]


async def test_a_page_that_goes_with_a_poll_on_its_way_is_away_at_once():
    page = await _joined()
    page.ask()
    page.disconnect()
    assert _states(page.grounds) == ["away"]


@pytest.mark.parametrize("grace_s", [0.1, 1.0, GRACE_S])
async def test_the_grace_counts_from_the_close_and_not_from_the_end_of_the_moment(grace_s: float):
    page = await _joined(reconnect_grace_s=grace_s)
    await _running(page)
    page.disconnect()
    await page.grounds.pass_time(MOMENT_S)
    assert await _attempts(page.grounds) == ["running" if grace_s > MOMENT_S else "lost"]
    await page.grounds.pass_time(max(0.0, grace_s - MOMENT_S))
    assert await _attempts(page.grounds) == ["lost"]


async def test_a_page_that_is_loaded_anew_in_the_moment_need_not_wait_for_its_probe():
    """The old page could still be there, as another window: it is asked. The end of the moment answers for it."""
    page = await _joined()
    await _running(page)
    page.disconnect()
    again = Window(page.grounds, "DESK")
    told = page.heard[0]
    await again.register(worker=told["worker"], secret=told["secret"], boot="boot-2")
    assert again.heard == [], "the old page may be another window"
    await page.grounds.pass_time(MOMENT_S)
    again.read()
    assert [message["op"] for message in again.heard][:1] == ["registered"]
    assert (await _attempts(page.grounds))[0] == "lost"


async def test_another_window_that_comes_in_the_moment_takes_nothing_from_a_page_that_polls_on():
    page = await _joined()
    await _running(page)
    page.disconnect()
    other = Window(page.grounds, "DESK")
    told = page.heard[0]
    await other.register(worker=told["worker"], secret=told["secret"], boot="boot-2")
    await page.grounds.pass_time(MOMENT_S / 2)
    page.ask()
    await page.grounds.pass_time(MOMENT_S)
    other.read()
    assert other.heard[0]["worker"] != told["worker"]
    assert await _attempts(page.grounds) == ["running"]
    assert _states(page.grounds) == ["connected"] * 2
