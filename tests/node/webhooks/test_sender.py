"""Messages arrive at least once, whatever their receiver does, for days of virtual time."""

from __future__ import annotations

from collections import Counter

import pytest

from dispatcher.errors import StorageFull
from dispatcher.node.turns.turns import FULL_PAUSE_S
from dispatcher.node.webhooks.hooks import OLD_SECRET_S
from dispatcher.node.webhooks.posting import HookAnswer
from dispatcher.node.webhooks.sender import AT_ONCE, AT_ONCE_IN_ALL, LEAVE_S
from dispatcher.webhooks.endpoints import DeliveryOutcome, MessageCounts
from dispatcher.webhooks.schedule import DELAYS_S, JITTER, MOST_ATTEMPTS
from dispatcher.webhooks.signing import signature
from tests.node.webhooks.receivers import ADMIN, Heard, Receiver, endpoint_of, quiet
from tests.support.house import House

pytestmark = pytest.mark.gen_test

DAY_S = 86_400.0


async def cancelled(house: House, jobs: int = 1) -> list[str]:
    """Jobs that have ended, so that somebody is told."""
    made = [await house.submit() for _ in range(jobs)]
    for job in made:
        await house.dispatcher.cancel(job.id, "")
    return [job.id for job in made]


async def passes(house: House, seconds: float) -> None:
    await house.pass_time(seconds)
    await quiet(house)


async def counts(house: House, endpoint: str) -> MessageCounts:
    return (await house.dispatcher.webhooks.counts()).get(endpoint, MessageCounts())


async def test_a_receiver_is_told_once_of_each_change_and_can_check_it() -> None:
    receiver = Receiver()
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    jobs = await cancelled(house, 3)
    await quiet(house)
    assert [heard.job for heard in receiver.heard] == jobs
    heard = receiver.heard[0]
    timestamp = int(heard.headers["webhook-timestamp"])
    assert heard.headers["webhook-signature"] == signature(endpoint.secret, heard.id, timestamp, heard.body)
    assert (heard.url, timestamp) == (endpoint.url, int(house.clock.utc()))
    assert await counts(house, endpoint.id) == MessageCounts()
    await passes(house, DAY_S)
    assert len(receiver.heard) == 3
    await house.dispatcher.close()


@pytest.mark.parametrize(
    "answer",
    [
        HookAnswer(500),
        HookAnswer(301),
        HookAnswer(404),
        HookAnswer(None, "the answer was cut"),
        HookAnswer(None, "no whole answer"),
    ],
    ids=["500", "redirect", "404", "lies", "slow"],
)
async def test_a_receiver_that_is_down_for_days_hears_of_all_changes_afterwards(answer: HookAnswer) -> None:
    receiver = Receiver(answer)
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    jobs = await cancelled(house, 5)
    await quiet(house)
    for _ in range(60):  # two days and a half
        await passes(house, 3_600.0)
    assert await counts(house, endpoint.id) == MessageCounts(pending=5)
    assert (await house.dispatcher.measures()).webhook_messages == {"pending": 5, "dead": 0}
    first = {heard.id: heard.body for heard in receiver.heard}
    receiver.heard.clear()
    receiver.judge = lambda heard: HookAnswer(204)
    for _ in range(30):
        await passes(house, 3_600.0)
    assert sorted(heard.job for heard in receiver.heard) == sorted(jobs)
    assert house.dispatcher.webhooks.attempts()["delivered"] == 5
    assert {heard.id: heard.body for heard in receiver.heard} == first, "an id and a body are the same in each attempt"
    assert await counts(house, endpoint.id) == MessageCounts()
    await house.dispatcher.close()


async def test_the_waits_between_attempts_are_those_of_the_schedule_and_the_message_is_dead_at_last() -> None:
    receiver = Receiver(HookAnswer(503))
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    await cancelled(house)
    await quiet(house)
    for wait_s in DELAYS_S:
        heard = len(receiver.heard)
        await passes(house, wait_s * 0.99)
        assert len(receiver.heard) == heard, "it does not come early"
        await passes(house, wait_s * (JITTER + 0.011))
        assert len(receiver.heard) == heard + 1
    await passes(house, 30 * DAY_S)
    assert len(receiver.heard) == MOST_ATTEMPTS
    assert await counts(house, endpoint.id) == MessageCounts(dead=1)
    log = await house.dispatcher.webhooks.deliveries(endpoint.id, failed=True, below=None)
    assert [line.attempt for line in log] == list(range(MOST_ATTEMPTS, 0, -1))
    assert (log[0].outcome, log[0].error) == (DeliveryOutcome.DEAD, "the answer was 503")
    await house.dispatcher.close()


async def test_a_dead_message_is_sent_again_when_an_administrator_says_so() -> None:
    receiver = Receiver(HookAnswer(410))
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    await cancelled(house)
    await quiet(house)
    hooks = house.dispatcher.webhooks
    assert hooks.one(endpoint.id).enabled is False
    assert "410" in (hooks.one(endpoint.id).reason or "")
    await cancelled(house)  # nothing is written for it any more
    assert await counts(house, endpoint.id) == MessageCounts(dead=1)
    receiver.judge = lambda heard: HookAnswer(200)
    await hooks.redeliver(endpoint.id, (), ADMIN)
    await quiet(house)
    assert await counts(house, endpoint.id) == MessageCounts(pending=1), "it is switched off"
    await hooks.change(endpoint.id, {"enabled": True}, ADMIN)
    await quiet(house)
    assert await counts(house, endpoint.id) == MessageCounts()
    assert hooks.one(endpoint.id).reason is None
    await house.dispatcher.close()


async def test_a_receiver_may_ask_for_more_time() -> None:
    receiver = Receiver(HookAnswer(429, retry_after_s=600.0))
    house = await House(poster=receiver).start()
    await endpoint_of(house)
    await cancelled(house)
    await quiet(house)
    await passes(house, 599.0)
    assert len(receiver.heard) == 1
    await passes(house, 600.0 * JITTER + 2)
    assert len(receiver.heard) == 2
    await house.dispatcher.close()


async def test_a_slow_receiver_delays_no_other_one_and_has_only_so_many_at_once() -> None:
    receiver = Receiver()
    house = await House(poster=receiver).start()
    slow = await endpoint_of(house, "https://slow.example/")
    await endpoint_of(house, "https://quick.example/")
    receiver.holds.add(slow.url)
    await cancelled(house, 10)
    await quiet(house, but=AT_ONCE)
    assert Counter(heard.url for heard in receiver.heard) == {slow.url: AT_ONCE, "https://quick.example/": 10}
    await receiver.let_go(slow.url)
    await quiet(house)
    assert Counter(heard.url for heard in receiver.heard)[slow.url] == 10
    await house.dispatcher.close()


async def test_only_so_many_are_sent_at_once_in_all() -> None:
    receiver = Receiver()
    house = await House(poster=receiver).start()
    urls = [f"https://host-{number}.example/" for number in range(AT_ONCE_IN_ALL // AT_ONCE + 2)]
    for url in urls:
        await endpoint_of(house, url)
    receiver.holds |= set(urls)
    await cancelled(house, AT_ONCE)
    await quiet(house, but=AT_ONCE_IN_ALL)
    assert receiver.most_at_once == AT_ONCE_IN_ALL
    for url in urls:
        await receiver.let_go(url)
    await quiet(house)
    assert len(receiver.heard) == AT_ONCE * len(urls)
    await house.dispatcher.close()


async def test_both_secrets_sign_for_a_day_after_a_rotation() -> None:
    receiver = Receiver()
    house = await House(poster=receiver).start()
    old = await endpoint_of(house)
    new = await house.dispatcher.webhooks.rotate(old.id, ADMIN)

    def signers(heard: Heard) -> list[bool]:
        at = int(heard.headers["webhook-timestamp"])
        given = heard.headers["webhook-signature"].split(" ")
        return [signature(secret, heard.id, at, heard.body) in given for secret in (new.secret, old.secret)]

    await cancelled(house)
    await quiet(house)
    await passes(house, OLD_SECRET_S)
    await cancelled(house)
    await quiet(house)
    assert [signers(heard) for heard in receiver.heard] == [[True, True], [True, False]]
    await house.dispatcher.close()


async def test_what_waits_is_sent_by_the_next_life_of_the_server() -> None:
    receiver = Receiver(HookAnswer(500))
    house = await House(poster=receiver).start()
    await endpoint_of(house)
    (job,) = await cancelled(house)
    await quiet(house)
    house.store.rows.begin()
    again = Receiver()
    successor = await House(house.store, clock=house.clock, poster=again).start()
    await passes(successor, 60.0)
    assert [heard.job for heard in again.heard] == [job]
    await successor.dispatcher.close()


async def test_a_ping_is_a_message_like_others() -> None:
    receiver = Receiver()
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    message = await house.dispatcher.webhooks.test(endpoint.id, ADMIN)
    await quiet(house)
    assert [(heard.id, heard.event) for heard in receiver.heard] == [(message, "ping")]
    await house.dispatcher.close()


@pytest.mark.expect_log("a fault while a message was sent")
async def test_a_fault_of_the_servers_own_loses_no_message() -> None:
    def fault(heard: Heard) -> HookAnswer:
        raise RuntimeError("a fault")

    receiver = Receiver()
    receiver.judge = fault
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    await cancelled(house)
    await quiet(house)
    assert await counts(house, endpoint.id) == MessageCounts(pending=1)
    await house.dispatcher.close()


async def test_a_deleted_endpoint_hears_nothing_more() -> None:
    receiver = Receiver(HookAnswer(500))
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    await cancelled(house)
    await quiet(house)
    await house.dispatcher.webhooks.delete(endpoint.id, ADMIN)
    await cancelled(house)
    await passes(house, DAY_S)
    assert len(receiver.heard) == 1
    assert await house.dispatcher.webhooks.counts() == {}
    await house.dispatcher.close()


async def test_the_end_of_the_server_waits_a_little_for_answers() -> None:
    assert LEAVE_S < 5
    receiver = Receiver()
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    await cancelled(house)
    await house.dispatcher.close()
    assert await counts(house, endpoint.id) in (MessageCounts(), MessageCounts(pending=1))


@pytest.mark.expect_log("no room; what pages say waits")
async def test_on_a_full_disk_a_message_is_not_sent_again_and_again() -> None:
    receiver = Receiver()
    house = await House(poster=receiver).start()
    endpoint = await endpoint_of(house)
    receiver.holds.add(endpoint.url)
    await cancelled(house)
    house.store.trouble = StorageFull("no room")
    await receiver.let_go(endpoint.url)
    for _ in range(20):
        await passes(house, FULL_PAUSE_S)
    assert len(receiver.heard) == 1
    house.store.trouble = None
    for _ in range(10):
        await passes(house, FULL_PAUSE_S)
    first, second = receiver.heard
    assert first.id == second.id, "what became of the first attempt could not be kept"
    assert await counts(house, endpoint.id) == MessageCounts()
    await house.dispatcher.close()
