"""An offer that is taken back before a poll has carried it away never reaches its page (promises S6 and S7).

The tests use the real sessions: an offer in an outbox must leave it.
"""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import JobFilter
from dispatcher.transport.leaving import MOMENT_S
from tests.node.grounds import Grounds, Window

pytestmark = pytest.mark.gen_test

_ALL = JobFilter()


async def _with_an_offer_unread(**fields: object) -> tuple[Grounds, Window]:
    """A registered page that does not poll, and a job that was offered to it."""
    grounds = Grounds()
    await grounds.start()
    window = Window(grounds, "DESK")
    await window.register(**fields)
    await grounds.submit()
    assert window.offers() == [], "it has not polled since"
    return grounds, window


def _current(grounds: Grounds) -> str:
    """The only current attempt."""
    [attempt] = grounds.dispatcher.machine.attempts
    return attempt


async def test_an_offer_taken_back_when_the_page_went_away_is_not_delivered_when_it_comes_back():
    grounds, window = await _with_an_offer_unread()
    window.disconnect()
    await grounds.pass_time(MOMENT_S)
    window.ask()
    await grounds.dispatcher.idle(housekeeping=True)
    assert window.offers() == [_current(grounds)], "the first attempt was over before it was sent"


async def test_an_offer_taken_back_by_a_drain_is_not_delivered():
    grounds, window = await _with_an_offer_unread()
    grounds.dispatcher.begin_drain()
    await grounds.dispatcher.idle(housekeeping=True)
    window.ask()
    assert window.offers() == []
    assert [message["op"] for message in window.heard] == ["registered", "drain"]


async def test_an_offer_of_a_cancelled_job_is_not_delivered_and_nor_is_its_cancel():
    grounds, window = await _with_an_offer_unread()
    [job] = (await grounds.dispatcher.jobs(_ALL)).items
    await grounds.dispatcher.cancel(job.id, "not needed")
    window.ask()
    assert [message["op"] for message in window.heard] == ["registered"]


async def test_an_offer_is_delivered_once_to_a_page_that_registers_again_before_it_polls():
    grounds, window = await _with_an_offer_unread()
    await window.say(op="register", types=["echo"], boot="boot-DESK", version=1)
    window.ask()
    assert window.offers() == [_current(grounds)]


async def test_a_page_that_moves_to_another_session_is_offered_the_job_there_alone():
    grounds, window = await _with_an_offer_unread()
    other = Window(grounds, "DESK")
    grounds.clock.advance(0.1)
    await other.register()
    window.ask()
    assert (window.offers(), other.offers()) == ([], [_current(grounds)])


async def test_an_offer_to_a_page_that_says_bye_is_not_delivered_with_the_end_of_its_session():
    _grounds, window = await _with_an_offer_unread()
    await window.say(op="bye")
    window.ask()
    assert window.offers() == []
    assert window.packets == ["1"], "its session has ended"


async def test_an_offer_to_a_page_that_was_loaded_anew_in_its_session_is_offered_to_the_new_one_as_another_attempt():
    grounds, window = await _with_an_offer_unread()
    [worker] = grounds.dispatcher.machine.workers
    await window.say(
        op="register",
        types=["echo"],
        boot="another",
        version=1,
        worker=worker,
        secret=grounds.pages.registrar.secret(worker),
    )
    window.ask()
    assert window.offers() == [_current(grounds)]


async def test_other_messages_stay_where_an_offer_is_taken_out():
    grounds = Grounds()
    await grounds.start()
    window = Window(grounds, "DESK")
    await window.register(slots=3)
    for _ in range(3):
        await grounds.submit()
    page = await grounds.dispatcher.jobs(_ALL)
    middle = page.items[1]
    await grounds.dispatcher.cancel(middle.id, "")
    await window.say(op="pause")
    window.ask()
    offered = [message["id"] for message in window.heard if message["op"] == "job"]
    assert offered == [page.items[2].id, page.items[0].id]
