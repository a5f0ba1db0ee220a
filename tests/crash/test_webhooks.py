"""kill -9 while webhooks are sent: each change that the store has is told at least once, and none that it has not.

``WEBHOOK_KILLS`` says how often the server is killed, 3 times if nothing does; the long form has 200.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support.process import ServerProcess, quick, serving
from tests.support.waiting import PATIENCE_S, eventually

KILLS = int(os.environ.get("WEBHOOK_KILLS", "3"))
JOBS_A_LIFE = 30
EVENTS = ("job.queued", "job.cancelled")

#: (the job, its event)
Told = tuple[str, str]


class Receiver:
    """Takes messages, each after a moment; while it is ``deaf`` it answers nothing."""

    def __init__(self, rng: random.Random) -> None:
        self.heard: Counter[Told] = Counter()
        self.bodies: dict[str, set[bytes]] = {}
        self.asked: set[Told] = set()
        self.hears = asyncio.Event()
        self.hears.set()
        self.port = 0
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()

    def came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection."""
        self._tasks.add(asyncio.ensure_future(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
                body = await reader.readexactly(int(fields["content-length"]))
                told = json.loads(body)
                self.asked.add((told["data"]["id"], told["type"]))
                await self.hears.wait()
                await asyncio.sleep(self._rng.uniform(0, 0.02))
                self.heard[told["data"]["id"], told["type"]] += 1
                self.bodies.setdefault(fields["webhook-id"], set()).add(body)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        finally:
            writer.close()

    async def end(self) -> None:
        """No connection is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def scene(directory: Path, rng: random.Random) -> AsyncIterator[tuple[ServerProcess, Receiver, str]]:
    """A server, a receiver, and the address of the webhook that leads there."""
    receiver = Receiver(rng)
    async with await asyncio.start_server(receiver.came, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with serving(directory, *quick(), "--webhook-allow", f"127.0.0.1:{port}") as server:
            wanted = {"url": f"http://127.0.0.1:{port}/in", "events": EVENTS}
            made = await server.request("POST", "/api/v1/webhooks", wanted)
            assert made.status == 201, made
            yield server, receiver, made.json()["links"]["self"]
        await receiver.end()


async def load(server: ServerProcess, rng: random.Random) -> None:
    """Jobs are submitted, and some of them cancelled, until the server is gone."""

    async def one() -> None:
        with suppress(OSError, EOFError, TimeoutError):
            job = await server.submit()
            if rng.random() < 0.5:
                await server.request("POST", f"/api/v1/jobs/{job['id']}/cancel", {})

    await asyncio.gather(*(one() for _ in range(JOBS_A_LIFE)))


async def changes(server: ServerProcess) -> set[Told]:
    """What the store says that has happened."""
    found: set[Told] = set()
    path: str | None = "/api/v1/jobs?limit=100"
    while path is not None:
        page = await server.get(path)
        for job in page["items"]:
            found.add((job["id"], "job.queued"))
            if job["state"] == "cancelled":
                found.add((job["id"], "job.cancelled"))
        cursor = page["next_cursor"]
        path = None if cursor is None else f"/api/v1/jobs?limit=100&cursor={cursor}"
    return found


async def all_sent(server: ServerProcess, webhook: str) -> None:
    """Returns when nothing waits."""

    async def none_waits() -> bool:
        shown = await server.get(webhook)
        assert shown["dead"] == 0, shown
        return bool(shown["pending"] == 0)

    await eventually(none_waits, what="all messages are sent", timeout_s=4 * PATIENCE_S)


async def _killed(directory: Path, seed: int) -> None:
    rng = random.Random(seed)
    async with scene(directory, rng) as (server, receiver, webhook):
        for _ in range(KILLS):
            loads = asyncio.ensure_future(load(server, rng))
            await asyncio.sleep(rng.uniform(0.02, 0.3))  # the instant of the kill is what is tried
            await server.restart()
            await loads
        await all_sent(server, webhook)
        wanted = await changes(server)
        print(f"{KILLS} kills, {len(wanted)} changes, {receiver.heard.total() - len(receiver.heard)} told again")
        assert wanted - receiver.heard.keys() == set(), "each change is told"
        assert receiver.heard.keys() - wanted == set(), "nothing is told that did not happen"
        assert [name for name, bodies in receiver.bodies.items() if len(bodies) > 1] == [], "an id has one body"


def test_each_change_is_told_at_least_once_however_often_the_server_is_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("PAGEHAND_SEED") or random.randrange(1 << 32))
    print(f"PAGEHAND_SEED={seed}")
    asyncio.run(_killed(tmp_path, seed))


#: It ends without closing the store: else it would move the log, and the server would refuse that.
_DELETE = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("DELETE FROM messages WHERE job = ?", (sys.argv[2],))
database.commit()
os._exit(0)
"""


async def _deleted(directory: Path) -> set[Told]:
    async with scene(directory, random.Random(7)) as (server, receiver, webhook):
        receiver.hears.clear()
        await load(server, random.Random(7))
        lost = next(told for told in sorted(await changes(server)) if told not in receiver.asked)
        await server.kill()
        subprocess.run([sys.executable, "-c", _DELETE, server.store, lost[0]], check=True, timeout=30)
        receiver.hears.set()
        await server.start()
        await all_sent(server, webhook)
        missing = await changes(server) - receiver.heard.keys()
        assert lost in missing
        return {told for told in missing if told[0] != lost[0]}


@pytest.mark.timeout(60)
def test_a_message_that_is_deleted_before_it_was_sent_is_missed(tmp_path: Path) -> None:
    """The control: the check above would see a loss."""
    assert asyncio.run(_deleted(tmp_path)) == set()
