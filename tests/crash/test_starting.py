"""Between its first answer and its first durable turn a server answers probes and lets nobody in (promise S31).

The test holds up the start at the store, the only thing that a start waits for.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import server
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.turn import LiveAttempt, Turn, TurnReport
from dispatcher.errors import StorageTrouble
from dispatcher.store.memory import MemoryStore
from tests.core.workers.support import left
from tests.support.clock import ManualClock
from tests.support.jobs import numbered
from tests.support.polling import HANDSHAKE, sid_in
from tests.support.ports import free_port
from tests.support.process import Refused, ServerProcess
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test


class HeldStore(MemoryStore):
    """A store with an attempt of an earlier run, whose first turn takes as long as the test likes."""

    def __init__(self) -> None:
        super().__init__(numbered(), key=b"k" * 32)
        self.asked, self.release = asyncio.Event(), asyncio.Event()
        self.broken = False

    async def live_attempts(self) -> list[LiveAttempt]:
        """See port.Store."""
        return [left("a1")]

    async def apply(self, turn: Turn) -> TurnReport:
        """See port.Store."""
        self.asked.set()
        await self.release.wait()
        if self.broken:
            raise StorageTrouble("the store failed: planted by a test")
        return await super().apply(turn)


class Held:
    """A server in this process, in the middle of its start, and one connection to it, which is kept."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.store = ManualClock(), HeldStore()
        self.settings = Settings(port=0, store="memory:", **settings)
        self.entrance = server.Entrance(self.settings, self.clock)
        self.server = server.Server(self.settings, self.store, self.clock, self.entrance)
        self.machine = self.server.dispatcher.machine

    async def begin(self) -> None:
        """Returns when everything waits for the first turn."""
        self.entrance.listen()
        self._starting = asyncio.create_task(self.server.start())
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.entrance.port)
        await self.store.asked.wait()

    async def release(self) -> None:
        """Returns when the server has started."""
        self.store.release.set()
        await self._starting

    async def ask(self, target: str, method: str = "GET", body: bytes = b"") -> tuple[int, dict[str, str], str]:
        """Status, headers and body of the answer."""
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        said = await self._reader.readexactly(int(headers["content-length"]))
        return int(lines[0].split()[1]), headers, said.decode()

    async def end(self) -> None:
        """Ends the server, in whatever state."""
        await self.release()
        self._writer.close()
        if self.server.failed.is_set():
            self.entrance.http.stop()
            await self.entrance.http.close_all_connections()
        else:
            await self.server.stop()


@asynccontextmanager
async def starting(**settings: Any) -> AsyncIterator[Held]:
    held = Held(**settings)
    await held.begin()
    try:
        yield held
    finally:
        await held.end()


async def test_until_the_first_turn_is_durable_it_lives_and_is_not_ready_and_says_why():
    async with starting() as held:
        assert (await held.ask("/livez"))[0::2] == (200, "ok\n")
        status, headers, said = await held.ask("/readyz")
        assert (status, headers["retry-after"], said) == (503, "1", "not ready: the server is starting\n")
        assert (await held.ask("/readyz?verbose"))[2].startswith("[-]started\n[-]takes jobs\n")
        await held.release()
        assert (await held.ask("/readyz"))[0] == 200
        assert (await held.ask("/livez"))[0] == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/api/v1/jobs"), ("GET", "/api/v1/stats"), ("GET", "/"), ("POST", "/submit"), ("GET", "/worker"),
        ("GET", "/static/worker.js"), ("GET", "/no-such-page"), ("OPTIONS", "*"),
    ],
)  # fmt: skip
async def test_until_then_everybody_else_is_told_in_words_to_come_again(method: str, target: str):
    async with starting(token="secret") as held:
        status, headers, said = await held.ask(target, method, b'{"type":"echo"}')
        assert (status, headers["retry-after"]) == (503, "1")
        assert "the server is starting: try again in a moment" in said
        for_programs = target.startswith("/api/")
        assert not for_programs or json.loads(said)["code"] == "starting"
        # A page that somebody has opened loads itself anew.
        assert ("refresh" in headers) == (method == "GET" and not for_programs)


async def test_a_page_joins_on_the_connection_on_which_it_was_turned_away():
    async with starting() as held:
        for target, method in ((HANDSHAKE, "GET"), (f"{HANDSHAKE}&sid=of-an-earlier-run", "POST")):
            status, headers, said = await held.ask(target, method)
            assert (status, headers["retry-after"]) == (503, "1")
            assert json.loads(said) == {"code": 6, "message": "The server is starting, try again in a moment"}
        assert len(held.server.sessions) == 0
        await held.release()
        status, _, said = await held.ask(HANDSHAKE)
        assert (status, said[0]) == (200, "0")
        target = f"{HANDSHAKE}&sid={sid_in(said)}"
        assert (await held.ask(target, "POST", b'4{"op":"pause"}'))[0] == 200
        assert len(held.server.dispatcher.pages.sessions) == 1


async def test_however_long_a_start_takes_the_grace_of_what_was_left_begins_when_pages_can_come():
    async with starting(restart_grace_s=10.0) as held:
        held.clock.advance(1_000.0)
        assert held.machine.attempts.keys() == {"a1"}
        await held.release()
        assert held.machine.next_deadline() == held.clock.monotonic() + 10.0


@pytest.mark.expect_log("the store failed: planted by a test")
async def test_where_the_first_turn_fails_nobody_is_let_in():
    async with starting() as held:
        held.store.broken = True
        await held.release()
        assert held.server.failed.is_set()
        assert (await held.ask("/readyz"))[0] == 503


# the process


def test_the_process_answers_probes_before_its_store_is_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = ServerProcess(tmp_path, port=free_port())
        starting = asyncio.create_task(process.start("hold-open", "1"))

        async def answers() -> bool:
            try:
                return (await process.request("GET", "/livez")).status == 200
            except OSError:
                return False

        await eventually(answers, what="the port answers")
        assert (await process.request("GET", "/readyz")).status == 503
        answer = await process.request("POST", "/api/v1/jobs", {"type": "echo"}, key="early")
        assert (answer.status, answer.json()["code"]) == (503, "starting")
        assert not process.store.exists()
        process.signal(signal.SIGUSR1)
        await starting
        assert (await process.request("GET", "/readyz")).status == 200
        assert (await process.request("POST", "/api/v1/jobs", {"type": "echo"}, key="early")).status == 201
        assert await process.stop() == 0
        process.assert_clean_log()

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_refused_before_the_store_is_touched(tmp_path: Path) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            process = ServerProcess(tmp_path, port=taken.getsockname()[1])
            with pytest.raises(Refused, match=r"cannot listen on 127\.0\.0\.1:\d+ .*choose another --port") as refused:
                await process.start()
        assert refused.value.status == 4
        assert len(refused.value.said.splitlines()) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["server.log"]

    asyncio.run(scenario())
