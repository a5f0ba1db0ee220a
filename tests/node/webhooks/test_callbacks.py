"""The end of a job is told to its callback, as webhooks are told of changes."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.errors import EndpointNotFound, MessageNotFound, WrongState
from dispatcher.node.webhooks.posting import HookAnswer
from dispatcher.webhooks.endpoints import MessageCounts
from dispatcher.webhooks.signing import signature
from tests.node.webhooks.receivers import ADMIN, Receiver, endpoint_of, quiet
from tests.support.house import House

pytestmark = pytest.mark.gen_test

SECRET = "whsec_" + "ab12" * 11
FIRST, SECOND = "https://one.example/a", "https://two.example/b"


def a_house(receiver: Receiver) -> House:
    settings: dict[str, Any] = {"callback_host": ("one.example", "two.example"), "callback_secret": SECRET}
    return House(poster=receiver, **settings)


async def cancelled(house: House, url: str | None) -> str:
    job = await house.submit(callback_url=url)
    await house.dispatcher.cancel(job.id, "")
    return job.id


async def pending(house: House) -> MessageCounts:
    return (await house.dispatcher.webhooks.counts()).get("callbacks", MessageCounts())


async def test_the_end_of_a_job_is_told_once_and_signed_with_the_servers_secret() -> None:
    receiver = Receiver()
    house = await a_house(receiver).start()
    job = await cancelled(house, FIRST)
    await cancelled(house, None)
    await quiet(house)
    [heard] = receiver.heard
    assert (heard.url, heard.job, heard.event) == (FIRST, job, "job.cancelled")
    timestamp = int(heard.headers["webhook-timestamp"])
    assert heard.headers["webhook-signature"] == signature(SECRET, heard.id, timestamp, heard.body)
    assert await pending(house) == MessageCounts()
    [line] = await house.dispatcher.webhooks.deliveries("callbacks", failed=False, below=None)
    assert (line.message, line.job) == (heard.id, job)
    await house.dispatcher.close()


async def test_a_receiver_that_is_slow_delays_no_other_host() -> None:
    receiver = Receiver()
    receiver.holds.add(FIRST)
    house = await a_house(receiver).start()
    for _ in range(9):
        await cancelled(house, FIRST)
    await cancelled(house, SECOND)
    await quiet(house, but=4)
    assert [heard.url for heard in receiver.heard].count(SECOND) == 1
    assert [heard.url for heard in receiver.heard].count(FIRST) == 4
    await receiver.let_go(FIRST)
    await quiet(house)
    assert await pending(house) == MessageCounts()
    await house.dispatcher.close()


def is_up(receiver: Receiver) -> None:
    receiver.judge = lambda heard: HookAnswer(204)


async def test_where_nothing_more_is_wanted_one_callback_is_dead_and_the_others_go_on() -> None:
    receiver = Receiver(HookAnswer(410))
    house = await a_house(receiver).start()
    await cancelled(house, FIRST)
    await quiet(house)
    assert await pending(house) == MessageCounts(dead=1)
    is_up(receiver)
    await cancelled(house, FIRST)
    await quiet(house)
    assert await pending(house) == MessageCounts(dead=1)
    await house.dispatcher.webhooks.redeliver("callbacks", [], ADMIN)
    await quiet(house)
    assert await pending(house) == MessageCounts()
    assert len(receiver.heard) == 3
    await house.dispatcher.close()


async def test_where_no_host_is_allowed_any_more_callbacks_wait_for_a_server_that_allows_one() -> None:
    receiver = Receiver(HookAnswer(500))
    house = await a_house(receiver).start()
    await cancelled(house, FIRST)
    await quiet(house)
    is_up(receiver)
    house.store.rows.begin()
    none = await House(house.store, clock=house.clock, poster=receiver).start()
    await none.pass_time(20.0)
    await quiet(none)
    assert (len(receiver.heard), await pending(none)) == (1, MessageCounts(pending=1))
    assert none.dispatcher.webhooks.all() == []
    house.store.rows.begin()
    again = House(house.store, clock=house.clock, poster=receiver, callback_host=("one.example",),
                  callback_secret=SECRET)  # fmt: skip
    await again.start()
    await again.pass_time(60.0)
    await quiet(again)
    assert (len(receiver.heard), await pending(again)) == (2, MessageCounts())
    await again.dispatcher.close()


async def test_callbacks_are_no_webhook_that_anybody_changes() -> None:
    house = await a_house(Receiver()).start()
    hooks = house.dispatcher.webhooks
    assert [one.id for one in hooks.all()] == ["callbacks"]
    for order in (hooks.rotate("callbacks", ADMIN), hooks.delete("callbacks", ADMIN), hooks.test("callbacks", ADMIN)):
        with pytest.raises(WrongState, match="--callback-host"):
            await order
    with pytest.raises(WrongState, match="--callback-host"):
        await hooks.change("callbacks", {"enabled": False}, ADMIN)
    with pytest.raises(EndpointNotFound):
        await hooks.delete("callback", ADMIN)
    await house.dispatcher.close()


async def test_messages_that_are_not_there_are_named_and_none_is_sent_again() -> None:
    receiver = Receiver(HookAnswer(500))
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    await cancelled(house, None)
    await quiet(house)
    known = receiver.heard[0].id
    with pytest.raises(MessageNotFound, match=r"msg_a, msg_b\. What was delivered"):
        await house.dispatcher.webhooks.redeliver(endpoint.id, ["msg_a", known, "msg_b", "msg_a"], ADMIN)
    await quiet(house)
    assert len(receiver.heard) == 1
    await house.dispatcher.webhooks.redeliver(endpoint.id, [known], ADMIN)
    await quiet(house)
    assert [heard.id for heard in receiver.heard] == [known, known]
    assert (await house.dispatcher.measures()).webhook_oldest_s == 0.0
    house.clock.advance(7.0)
    assert (await house.dispatcher.measures()).webhook_oldest_s == 7.0
    await house.dispatcher.close()
