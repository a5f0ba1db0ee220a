"""The short way of a new job and the handler's: each request has the same answer, byte for byte, and leaves the same
jobs, on each front."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

import pytest
from tornado.netutil import bind_sockets
from tornado.web import Application

from dispatcher.config.settings import Settings
from dispatcher.errors import StorageFull, StorageTrouble
from dispatcher.transport.fronts.choice import make_server
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from handlers.api.shortway import ShortWayApplication
from handlers.routes import TaskDirectory, make_app
from tests.handlers.api.submissions import PAGE, SUBMISSIONS, TOKEN, Submission
from tests.handlers.conftest import Scene, Watched, draining, nothing, open_house
from tests.support.house import House
from tests.support.waiting import eventually
from tests.transport.support import Recorder

_VARIES = re.compile(rb"Date: [^\r]+|X-Request-Id: [0-9a-f]{16}\b|\"request_id\":\"[0-9a-f]{16}\"")
_REFUSALS = "forbidden_host|forbidden_origin"


@pytest.fixture
def settings() -> Settings:
    return Settings(body_limit=10_000, queue_depth=40, token=TOKEN, allow_origin=(PAGE,))


@pytest.fixture(params=["tornado", "fast"])
def front_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Served(NamedTuple):
    """An application on a dispatcher of its own, on a port."""

    house: House
    app: Application
    port: int

    async def answers(self, sent: bytes) -> bytes:
        """All that comes back until the server closes the connection, without what differs each time."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return _VARIES.sub(b"...", answer)


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
def serve(io_loop, settings: Settings, tasks: TaskDirectory, front_name: str) -> Iterator[Serve]:
    ends: list[Callable[[], Awaitable[None]]] = []

    async def serve(short_way: bool, scene: Scene = nothing, *, routes: bool = True) -> Served:
        house = await open_house(settings, scene)
        app = make_app(house.dispatcher, settings, tasks, house.clock, short_way=short_way)
        if not routes:
            assert isinstance(app, ShortWayApplication)
            app = ShortWayApplication([], site=app.site, prefix=app.site.prefix)
        server = make_server(Front(Sessions(SessionLimits(), Recorder()), app), Settings(front=front_name))
        sockets = bind_sockets(0, "127.0.0.1", family=socket.AF_INET)
        server.add_sockets(sockets)

        async def end() -> None:
            server.stop()
            await server.close_all_connections()
            await house.dispatcher.close()

        ends.append(end)
        return Served(house, app, sockets[0].getsockname()[1])

    yield serve
    for end in ends:
        io_loop.run_sync(end)


async def both(serve: Serve, sent: bytes, scene: Scene = nothing) -> bytes:
    """The answer of both ways."""
    short, long = await serve(True, scene), await serve(False, scene)
    answer = await short.answers(sent)
    assert answer == await long.answers(sent)
    if not isinstance(short.house.store.trouble, StorageTrouble):
        assert await short.house.kept() == await long.house.kept()
    return answer


def _marked(submission: Submission) -> object:
    marks = [pytest.mark.expect_log(submission.log)] if submission.log else []
    return pytest.param(submission, id=submission.name, marks=marks)


EACH = [_marked(submission) for submission in SUBMISSIONS]


@pytest.mark.gen_test
@pytest.mark.parametrize("submission", EACH)
async def test_both_ways_answer_the_same(serve: Serve, submission: Submission) -> None:
    answer = await both(serve, submission.sent)
    assert answer.startswith(b"HTTP/1.1 ")
    assert answer.count(b"HTTP/1.1 ") == submission.answers


@pytest.mark.gen_test
@pytest.mark.parametrize("submission", EACH)
async def test_what_is_plain_and_nothing_else_comes_by_the_short_way(serve: Serve, submission: Submission) -> None:
    """Without routes no handler of ours can answer."""
    served = await serve(True, routes=False)
    answer = await served.answers(submission.sent)
    assert answer.count(b"Referrer-Policy: ") == (submission.answers if submission.is_plain else 0)


async def full(house: House) -> None:
    for _ in range(house.settings.queue_depth):
        await house.submit()


async def storage_full(house: House) -> None:
    house.store.trouble = StorageFull("the disk is full")


async def storage_fails(house: House) -> None:
    house.store.trouble = StorageTrouble("the disk answers no more")


GOOD = next(one.sent for one in SUBMISSIONS)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("scene", "status"),
    [
        (full, b"503"),
        (draining, b"503"),
        pytest.param(storage_full, b"503", marks=pytest.mark.expect_log("what pages say waits")),
        pytest.param(storage_fails, b"503", marks=pytest.mark.expect_log("the disk answers no more")),
    ],
)
async def test_both_ways_refuse_the_same_where_the_server_can_take_no_job(
    serve: Serve, scene: Scene, status: bytes
) -> None:
    answer = await both(serve, GOOD, scene)
    assert answer[9:12] == status
    assert b"Retry-After: " in answer


async def faulty(house: House) -> None:
    assert isinstance(house.dispatcher, Watched)
    house.dispatcher.fault = RuntimeError("planted")


@pytest.mark.gen_test
@pytest.mark.expect_log("a fault in POST /api/v1/jobs .request ")
@pytest.mark.expect_log("500 POST /api/v1/jobs 127.0.0.1")
async def test_both_ways_show_nothing_of_a_fault_of_ours(serve: Serve) -> None:
    answer = await both(serve, GOOD, faulty)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"planted" not in answer


WAYS = pytest.mark.parametrize("short_way", [True, False], ids=["short way", "handler"])


async def _send(served: Served, sent: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent)
    await writer.drain()
    return writer


@pytest.mark.gen_test
@WAYS
async def test_half_of_a_body_is_no_job(serve: Serve, short_way: bool) -> None:
    served = await serve(short_way)
    (await _send(served, GOOD[:-5])).close()
    assert b'"id":"job-1"' in await served.answers(GOOD)
    assert len(await served.house.kept()) == 1


@pytest.mark.gen_test
@WAYS
async def test_a_client_that_goes_away_ends_its_wait_and_not_its_job(serve: Serve, short_way: bool) -> None:
    served = await serve(short_way)
    watched = served.house.dispatcher
    assert isinstance(watched, Watched)
    writer = await _send(served, GOOD.replace(b"Connection: close", b"Prefer: wait=60"))
    await watched.somebody_waits.wait()
    writer.close()
    await watched.left.wait()
    assert len(watched._waiters) == 0
    assert len(await served.house.kept()) == 1


@pytest.mark.gen_test
@WAYS
async def test_a_client_that_goes_away_before_its_job_is_stored_has_submitted_it(serve: Serve, short_way: bool) -> None:
    served = await serve(short_way)
    store = served.house.store
    store.go.clear()
    turns = len(store.turns)
    writer = await _send(served, GOOD)
    await eventually(lambda: len(store.turns) > turns)
    writer.close()
    store.go.set()
    assert b'"id":"job-2"' in await served.answers(GOOD)
    assert len(await served.house.kept()) == 2
