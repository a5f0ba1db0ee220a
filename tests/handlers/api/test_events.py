"""Changes as they come, over real sockets on both fronts."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.telling import RollEvent
from dispatcher.node.changes.followers import BEAT_S
from handlers.api.jobjson import instant
from handlers.api.shortway import ShortWayApplication
from tests.support.house import House, run_one
from tests.support.jobs import spec
from tests.support.sse import EventStream, ServerEvent, StreamRefused
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)


@pytest.fixture
def settings() -> Settings:
    return Settings(events_kept=2_000, waiters=60)


Open = Callable[..., Awaitable[EventStream]]


@pytest.fixture
def open_stream(port: int, io_loop: IOLoop) -> Iterator[Open]:
    """Opens streams; they are closed at the end, if they are not before."""
    opened: list[EventStream] = []

    async def open_one(query: str = "", **given: Any) -> EventStream:
        opened.append(await EventStream.open(port, query, **given))
        return opened[-1]

    async def close_all() -> None:
        for stream in opened:
            stream.close()
        await asyncio.sleep(0)

    yield open_one
    io_loop.run_sync(close_all)


async def submitted(house: House, *types: str) -> list[str]:
    """Jobs of one turn; their ids."""
    taken = await house.dispatcher.submit_batch([spec(type) for type in types])
    return [one.job.id for one in taken if one.job is not None]


async def here(stream: EventStream) -> ServerEvent:
    """The first event of a stream to which nothing has been told yet."""
    event = await stream.next()
    assert event is not None
    assert (event.kind, event.data, event.retry_ms) == ("", None, 3000)
    return event


async def test_a_job_is_told_step_by_step(open_stream: Open, house: House) -> None:
    stream = await open_stream()
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-store", "no")
    await here(stream)
    await house.register("s1", "echo", name="DESK-1")
    job = await house.submit()
    await run_one(house)
    told = [await stream.job() for _ in range(3)]
    assert [(one["job"], one["type"], one["from"], one["to"]) for one in told] == [
        (job.id, "echo", None, "queued"),
        (job.id, "echo", "queued", "running"),
        (job.id, "echo", "running", "succeeded"),
    ]
    [worker] = house.dispatcher.workers().items
    assert told[2] == {
        "id": stream.last_id, "job": job.id, "type": "echo", "from": "running", "to": "succeeded",
        "at": instant(house.clock.utc()), "attempt": told[1]["attempt"], "worker": worker.id, "reason": None,
        "actor": None,
        "owner": None,
    }  # fmt: skip


async def test_nobody_learns_how_an_attempt_is_reported_on(open_stream: Open, house: House) -> None:
    stream = await open_stream()
    await house.register("s1", "echo")
    await house.submit()
    offer = next(message for message in await house.hear("s1") if message["op"] == "job")
    told = [await stream.job() for _ in range(2)][1]
    secret = offer["attempt"].rpartition("-")[2]
    assert offer["attempt"] == f"{told['attempt']}-{secret}"
    assert secret not in json.dumps(told)


async def test_two_changes_of_one_turn_are_both_told(open_stream: Open, house: House) -> None:
    stream = await open_stream()
    await here(stream)
    ids = await submitted(house, "a", "b", "a")
    assert [(await stream.job())["job"] for _ in ids] == ids


@pytest.mark.parametrize("by", ["header", "query"])
async def test_whoever_comes_back_gets_what_came_meanwhile(open_stream: Open, house: House, by: str) -> None:
    stream = await open_stream()
    first, second = await submitted(house, "a", "b")
    assert (await stream.job())["job"] == first
    stream.close()
    [third] = await submitted(house, "c")
    back = await (open_stream(last_id=stream.last_id) if by == "header" else open_stream(f"?after={stream.last_id}"))
    assert [(await back.job())["job"] for _ in range(2)] == [second, third]


async def test_the_header_counts_before_the_address(open_stream: Open, house: House) -> None:
    """A browser comes back to the same address."""
    first, second = await submitted(house, "a", "b")
    stream = await open_stream("?after=oldest")
    assert (await stream.job())["job"] == first
    back = await open_stream("?after=oldest", last_id=stream.last_id)
    assert (await back.job())["job"] == second


async def test_filters_of_several_values(open_stream: Open, house: House) -> None:
    ids = await submitted(house, "a", "b", "c", "a")
    stream = await open_stream(f"?after=oldest&type=a,b&job={ids[1].upper()}&job={ids[3]}&state=queued")
    assert [(await stream.job())["job"] for _ in range(2)] == [ids[1], ids[3]]
    await house.dispatcher.cancel(ids[0], "")
    await house.dispatcher.cancel(ids[3], "no")
    page = await open_stream(f"?after={stream.last_id}&state=cancelled&job={ids[3]}")
    assert (await page.job())["reason"] == "cancelled"


async def test_a_change_is_small_whatever_its_job_is(open_stream: Open, house: House) -> None:
    """So the ring is bounded in bytes, too: docs/design.md says 600 for each."""
    stream = await open_stream()
    job = await house.submit("t" * 100, id="01a22609-7a75-768e-8ea6-fddea29ceb0b", data=json.dumps("x" * 5_000))
    await house.register("s1", "t" * 100, name="n" * 100)
    offer = next(message for message in await house.hear("s1") if message["op"] == "job")
    await house.say("s1", op="error", attempt=offer["attempt"], message="m" * 5_000, retry=False)
    told = [await stream.job() for _ in range(3)][-1]
    assert (told["job"], told["reason"]) == (job.id, "no_retry")
    assert len(json.dumps(told)) + len("id: \nevent: job\ndata: \n\n") + len(told["id"]) < 600
    [follower] = house.dispatcher.feed._heard
    items, _ = house.dispatcher.feed.ring.take(0, follower.wanted, most=9, judged=9)
    assert [len(item.frame or b"") < 600 for item in items] == [True] * 3


async def test_a_comment_comes_now_and_then_and_its_id_leads_on(open_stream: Open, house: House) -> None:
    stream = await open_stream("?type=rare")
    await here(stream)
    await submitted(house, "often")
    await eventually(lambda: house.dispatcher.feed._asleep)
    await house.pass_time(BEAT_S)
    event = await stream.next()
    assert event is not None
    assert (event.kind, event.data, event.id.partition("-")[2]) == ("", None, "1")


async def test_who_was_away_too_long_is_told_so(open_stream: Open, house: House) -> None:
    stream = await open_stream()
    life = (await here(stream)).id.partition("-")[0]
    for _ in range(3):
        await submitted(house, *["a"] * 1_000)
    back = await open_stream(last_id=f"{life}-5")
    event = await back.next()
    assert event is not None
    assert (event.kind, event.id, event.retry_ms) == ("gap", f"{life}-1000", 3000)
    assert event.data == {
        "reason": "passed",
        "detail": "995 changes are no longer kept (--events-kept). "
        "Read the jobs and workers that matter to you, then go on with what follows.",
        "catch_up": "/api/v1/jobs",
    }
    assert (await back.job())["id"] == f"{life}-1001"


async def test_an_id_of_an_earlier_life_is_answered_by_a_gap(open_stream: Open, house: House) -> None:
    [job] = await submitted(house, "a")
    stream = await open_stream(f"?job={job}", last_id="0123456789ab-7")
    event = await stream.next()
    assert event is not None
    assert (event.kind, event.data["reason"]) == ("gap", "other_life")
    assert event.data["catch_up"] == f"/api/v1/jobs/{job}"
    assert (await stream.job())["job"] == job


async def test_roll_events_come_to_who_asks_and_once_over_a_cut(open_stream: Open, house: House) -> None:
    gone_at = house.clock.utc()
    missed = RollEvent("workers.missed", gone_at + 130, 3, 2, 1, [MissingWorker("DESK-1", gone_at)])
    asked = "?event=job&event=workers.missed,workers.complete&type=a"
    plain, stream = await open_stream(), await open_stream(asked)
    await here(plain)
    life = (await here(stream)).id.partition("-")[0]
    house.dispatcher.feed.told([missed])
    event = await stream.next()
    assert event is not None
    assert (event.kind, event.id) == ("workers.missed", f"{life}-1")
    workers = [{"name": "DESK-1", "gone_at": instant(gone_at)}]
    assert event.data == {
        "id": f"{life}-1", "event": "workers.missed", "at": instant(gone_at + 130), "usual": 3, "here": 2, "missed": 1,
        "workers": workers,
    }  # fmt: skip
    stream.close()
    house.dispatcher.feed.told([RollEvent("workers.complete", gone_at + 190, 3, 3, 0)])
    [job] = await submitted(house, "a")
    back = await open_stream(asked, last_id=stream.last_id)
    event = await back.next()
    assert event is not None
    assert (event.kind, event.data["workers"]) == ("workers.complete", [])
    assert (await back.job())["job"] == job
    told = await plain.job()
    assert (told["job"], told["id"]) == (job, f"{life}-3"), "whoever has not asked hears of changes alone"


async def test_whoever_goes_is_forgotten_and_comes_to_no_harm(open_stream: Open, house: House) -> None:
    streams = [await open_stream() for _ in range(5)]
    for stream in streams:
        await here(stream)
    assert len(house.dispatcher.feed) == 5
    for stream in streams[:3]:
        stream.close()
    await eventually(lambda: len(house.dispatcher.feed) == 2)
    await submitted(house, "a")
    streams[3].close()  # in the middle of being told
    assert (await streams[4].job())["type"] == "a"
    await eventually(lambda: len(house.dispatcher.feed) == 1)


async def test_who_does_not_read_holds_one_piece_and_then_hears_of_the_gap(open_stream: Open, house: House) -> None:
    """The kernel takes what it takes; the rest waits as a number."""
    stream = await open_stream(limit=4_096)
    await here(stream)
    [follower] = house.dispatcher.feed._heard
    stood = -1
    while stood != follower.after:  # until it takes no more
        stood = follower.after
        for _ in range(5):
            await submitted(house, *["a" * 100] * 1_000)
        await asyncio.sleep(0.01)
    assert follower.alarm is None, "it does not sleep: its last piece is not read"
    seen, gaps = 0, 0
    while (event := await stream.next()) is not None:
        number = int(event.id.partition("-")[2])
        assert event.kind == "gap" or number == seen + 1
        gaps, seen = gaps + (event.kind == "gap"), number
        if number == house.dispatcher.feed.ring.end:
            break
    assert gaps >= 1


@pytest.mark.parametrize("write_timeout_s", [0.1])
async def test_who_reads_nothing_for_long_is_ended(open_stream: Open, house: House) -> None:
    stream = await open_stream(limit=4_096)
    await here(stream)
    deadline = asyncio.get_running_loop().time() + 30
    while len(house.dispatcher.feed):
        assert asyncio.get_running_loop().time() < deadline
        await submitted(house, *["a" * 100] * 1_000)
        await asyncio.sleep(0.001)


async def test_fifty_clients_that_come_and_go_see_each_change_once_and_in_order(
    port: int, open_stream: Open, house: House
) -> None:
    rng = random.Random(port)
    total, ends = 600, asyncio.Event()

    async def client(seed: int) -> list[str]:
        own, got, last = random.Random(seed), list[str](), "oldest"
        while len(got) < total:
            stream = await open_stream("?after=oldest", last_id="" if last == "oldest" else last)
            for _ in range(own.randint(1, 200)):
                got.append((await stream.job())["job"])
                if len(got) == total:
                    break
            last = stream.last_id
            stream.close()
        return got

    clients = [asyncio.create_task(client(seed)) for seed in range(50)]
    told: list[str] = []
    while len(told) < total:
        told += await submitted(house, *["a"] * min(rng.randint(1, 9), total - len(told)))
    ends.set()
    for one in clients:
        assert await one == told


async def test_a_head_tells_that_there_is_a_stream_and_ends(port: int, house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"HEAD /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"text/event-stream" in answer
    assert answer.endswith(b"\r\n\r\n")
    assert len(house.dispatcher.feed) == 0


async def test_at_the_end_of_the_server_it_says_bye(open_stream: Open, house: House) -> None:
    stream = await open_stream()
    await here(stream)
    house.dispatcher.begin_drain()
    closing = asyncio.create_task(house.dispatcher.close())
    event = await stream.next()
    assert event is not None
    assert (event.kind, event.retry_ms) == ("bye", 3000)
    assert event.data == {"detail": "The server stops. Come back with the id of the last event."}
    assert await stream.next() is None
    await closing


@pytest.mark.parametrize("short_way", [True])
async def test_another_token_of_the_settings_ends_it(open_stream: Open, house: House, app: ShortWayApplication) -> None:
    stream = await open_stream()
    await here(stream)
    app.site.guard.renew("another")
    await submitted(house, "echo")
    bye = await stream.next()
    assert bye is not None
    assert (bye.kind, "revoked or has expired" in str(bye.data)) == ("bye", True)
    assert await stream.next() is None


async def test_more_than_it_can_bear_are_refused(open_stream: Open, house: House) -> None:
    streams = [await open_stream() for _ in range(60)]
    with pytest.raises(StreamRefused) as refused:
        await open_stream()
    assert refused.value.status == 503
    streams.pop().close()
    await eventually(lambda: len(house.dispatcher.feed) == 59)
    streams.append(await open_stream())
