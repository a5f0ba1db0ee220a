"""Which closed connections are a sign that a page has gone, over real sockets (promise S11)."""

from __future__ import annotations

import socket
import time
from functools import partial

import pytest
from tornado.iostream import StreamClosedError

from dispatcher.transport.fronts.doorkeeper import Doorkeeper
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.leaving import MOMENT_S
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.transport.support import Client, Page, Recorder


async def until_a_page_may_have_left(sessions: Sessions) -> None:
    """Its connection closes, and the server hears of it."""
    await eventually(lambda: sessions.book.leaving.next_deadline() is not None)


@pytest.mark.gen_test
async def test_closing_the_connection_of_the_last_poll_is_a_sign_if_no_other_poll_comes(
    port: int, sessions: Sessions, recorder: Recorder, clock: ManualClock
) -> None:
    page = await Page.open(port)
    sessions.send(page.sid, "x")
    await page.poll()
    page.polls.close()
    await until_a_page_may_have_left(sessions)
    sessions.tick(clock.advance(MOMENT_S - 0.01))
    assert recorder.names() == ["opened"]
    sessions.tick(clock.advance(0.01))
    assert recorder.names() == ["opened", "away"]


@pytest.mark.gen_test
async def test_a_proxy_that_closes_its_connection_after_each_answer_makes_no_page_go_away(
    port: int, sessions: Sessions, recorder: Recorder, clock: ManualClock
) -> None:
    """As nginx does without a kept upstream; what is sent meanwhile waits for the next poll."""
    page = await Page.open(port)
    for number in range(20):
        page.polls.close()
        await until_a_page_may_have_left(sessions)
        sessions.send(page.sid, f"{number}", f"a{number}")
        sessions.tick(clock.advance(MOMENT_S - 0.01))
        page.polls = await Client.connect(port)
        assert (await page.poll()).body == f"4{number}"
    assert recorder.names() == ["opened"] + ["written"] * 20


@pytest.mark.gen_test
async def test_an_answer_that_a_page_does_not_read_to_its_end_is_a_sign_at_once(
    port: int, sessions: Sessions, recorder: Recorder
) -> None:
    page = await Page.open(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    sessions.send(page.sid, "x" * (40 << 20), "a1")
    sessions.flush(0.0)
    await page.polls.stream.read_bytes(1_000)
    page.polls.close()
    await recorder.until("away")
    assert recorder.names() == ["opened", "written", "away"]


@pytest.mark.gen_test
async def test_closing_the_connection_of_the_posts_is_no_sign(port: int, front: Front, recorder: Recorder) -> None:
    page = await Page.open(port)
    await page.post("4x")
    page.posts.close()
    await page.polls.ask("GET", "/")
    assert "away" not in recorder.names()


@pytest.mark.gen_test
async def test_a_client_that_wants_its_connections_closed_is_not_away_between_polls(
    port: int, sessions: Sessions, recorder: Recorder, clock: ManualClock
) -> None:
    """This is an old proxy; our own close is no evidence."""
    page = await Page.open(port)
    for _ in range(2):
        client = await Client.connect(port)
        sessions.send(page.sid, "x")
        assert (await client.ask("GET", page.target, None, "Connection: close")).body
        with pytest.raises(StreamClosedError):
            await client.stream.read_bytes(1)
    page.polls.close()  # it carried the handshake
    await page.post("4x")
    sessions.tick(clock.advance(10.0))
    assert "away" not in recorder.names()


@pytest.mark.gen_test
async def test_its_parked_poll_is_a_sign_all_the_same(port: int, sessions: Sessions, recorder: Recorder) -> None:
    page = await Page.open(port)
    client = await Client.connect(port)
    await client.send("GET", page.target, None, "Connection: close")
    await eventually(lambda: sessions.counts.polls == 1)
    client.close()
    await recorder.until("away")


class TestOurIdleTimeout:
    """Tests a short timeout for real, with the machine's clock."""

    @pytest.fixture
    def front(self, sessions: Sessions, app) -> Front:
        return Front(sessions, app, clock=time.monotonic, idle_connection_timeout_s=0.2)

    @pytest.mark.gen_test
    async def test_what_it_closes_is_no_sign(self, port: int, recorder: Recorder, front: Front) -> None:
        page = await Page.open(port)
        with pytest.raises(StreamClosedError):
            await page.polls.stream.read_bytes(1)
        await eventually(lambda: not front._connections)
        assert recorder.names() == ["opened"]

    @pytest.mark.gen_test
    async def test_a_connection_that_never_says_anything_is_closed(self, port: int, front: Front) -> None:
        silent = await Client.connect(port)
        with pytest.raises(StreamClosedError):
            await silent.stream.read_bytes(1)

    @pytest.mark.gen_test
    async def test_a_connection_that_the_page_closes_before_it_is_a_sign(
        self, port: int, recorder: Recorder, sessions: Sessions
    ) -> None:
        page = await Page.open(port)
        page.polls.close()
        await until_a_page_may_have_left(sessions)
        sessions.tick(time.monotonic() + MOMENT_S)
        assert recorder.names() == ["opened", "away"]


@pytest.mark.gen_test
async def test_stopping_takes_no_page_for_gone(port: int, http_server, recorder: Recorder) -> None:
    pages = [await Page.open(port) for _ in range(3)]
    for page in pages[:2]:
        await page.park()
    await http_server.close_all_connections()
    assert recorder.names() == ["opened"] * 3


@pytest.mark.gen_test
async def test_a_cut_poll_that_the_kernel_knows_of_before_we_do_is_no_overlap(
    port: int, sessions: Sessions, recorder: Recorder
) -> None:
    page = await Page.open(port)
    for turn in range(20):
        await page.park()
        await eventually(partial(lambda turn: sessions.counts.polls > turn, turn))
        page.polls.close()  # the FIN and the next poll are on their way together
        page.polls = await Client.connect(port)
    assert "ended" not in recorder.names()
    assert sessions.counts.overlaps == 0


@pytest.mark.gen_test
async def test_an_answer_to_a_connection_that_has_just_been_closed_is_kept(
    port: int, sessions: Sessions, recorder: Recorder, front_name: str
) -> None:
    """Tornado and asyncio report the end of a connection only in the next turn of the loop."""
    page = await Page.open(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    conn = sessions.book.sessions[page.sid].poll._conn  # type: ignore[union-attr]
    conn.abort() if front_name == "fast" else conn.stream.close()
    sessions.send(page.sid, "kept", "attempt")
    sessions.flush(0.0)
    assert recorder.names() == ["opened", "away"]
    page.polls = await Client.connect(port)
    assert (await page.poll()).body == "4kept"


@pytest.mark.gen_test
async def test_a_poll_that_comes_together_with_the_end_of_its_connection_is_not_parked(
    port: int, recorder: Recorder
) -> None:
    page = await Page.open(port)
    for turn in range(20):
        client = await Client.connect(port)
        await client.send("GET", page.target, None, "Connection: close")
        client.close()
        await recorder.until("away", turn + 1)


@pytest.mark.gen_test
async def test_the_connection_of_a_client_that_sends_no_more_is_closed(port: int) -> None:
    """An answer that is ready by then may still come."""
    client = await Client.connect(port)
    await client.send("GET", "/")
    client.stream.socket.shutdown(socket.SHUT_WR)
    assert (await client.stream.read_until_close())[-5:] in (b"", b"hello")


@pytest.mark.gen_test
async def test_more_connections_than_there_is_room_for_are_closed_until_others_end(
    port: int, http_server: Doorkeeper
) -> None:
    http_server.max_connections = 2
    kept = [await Client.connect(port) for _ in range(2)]
    for client in kept:
        assert (await client.ask("GET", "/")).body == "hello"
    assert await (await Client.connect(port)).stream.read_until_close() == b""
    for client in kept:
        client.close()
    await eventually(lambda: http_server._open == 0)
    assert (await (await Client.connect(port)).ask("GET", "/")).body == "hello"


@pytest.mark.gen_test
async def test_a_page_that_sends_no_more_has_gone(port: int, sessions: Sessions, recorder: Recorder) -> None:
    page = await Page.open(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    page.polls.stream.socket.shutdown(socket.SHUT_WR)
    await recorder.until("away")
