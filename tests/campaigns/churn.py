"""Pages that come, register, do a job and go, a hundred thousand times: nothing of them stays in the server.

Over real HTTP against a real server with a look inside (``tests.attack.inside``). What a page leaves behind besides
its job in the store would grow with the cycles; so the counts afterwards are held against those before.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulator.carrier import SocketCarrier
from dispatcher.sdk.simulator.http import ServerAddress
from tests.attack.wire import Wire
from tests.campaigns import carriers
from tests.campaigns.kill import Submitter
from tests.campaigns.kill_checker import Notes
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.support.polling import HANDSHAKE, message, messages, packets, sid_in
from tests.support.server import Live, live
from tests.support.waiting import PATIENCE_S, until

FORMS = {"short": "600 cycles", "default": "20,000 cycles", "long": "100,000 cycles"}
CYCLES = {"short": 600, "default": 20_000, "long": 100_000}
WARM_UP = {"short": 200, "default": 2_000, "long": 2_000}
#: Pages at the same time.
PAGES = 8
FLAGS = ("--ping-interval-s", "1", "--ping-timeout-s", "1", "--reconnect-grace-s", "0.5", "--offer-ttl-s", "2")
#: The share of the pages that come by WebSocket.
BY_SOCKET = 0.5
#: At one of so many cycles the server is asked what carries its pages.
ASKED_EACH = 25
WAYS = ("bye", "close", "vanishes")
#: SQLite may keep this much of the store in memory; it grows with the jobs, not with the pages.
CACHE_BYTES = 64 << 20
RSS_TOLERANCE = 16 << 20
#: Python's own caches; one object for each cycle would be a leak.
OBJECTS_TOLERANCE = 500
#: They are counted so many times, one after the other.
SAMPLES = 20
#: Counts of what pages are made of.
OF_PAGES = ("sessions", "session_infos", "workers", "connections", "open", "poll_connections")
#: Counts that are never zero; each may be this much higher than before.
OF_SERVER = {"tasks": 0, "timers": 1, "descriptors": 1}


@dataclass
class Sums:
    """What the pages have seen."""

    worked: int = 0
    unrecorded: int = 0
    by_socket: int = 0
    #: What carries pages, as the server says.
    carriers: Counter[str] = field(default_factory=Counter)


class Page:
    """One load of a page, from its handshake to its end, on one kept connection (``polling`` names its like)."""

    def __init__(self, wire: Wire, sid: str) -> None:
        self._wire = wire
        #: What the last poll's answer carried: an offer may come along with "registered".
        self._last: list[dict[str, Any]] = []
        self._target = f"{HANDSHAKE}&sid={sid}"

    @classmethod
    async def open(cls, wire: Wire) -> Page:
        """The handshake."""
        status, body = await wire.ask("GET", HANDSHAKE)
        assert status == 200, (status, body)
        return cls(wire, sid_in(body))

    async def say(self, op: str, **fields: Any) -> None:
        """Sends one message."""
        await self._send(message(op, **fields).encode())

    async def hear(self, op: str) -> dict[str, Any]:
        """The next message of this op; others that came before it are passed over."""
        for _ in range(50):
            while self._last:
                heard = self._last.pop(0)
                if heard["op"] == op:
                    return heard
            body = await self._receive()
            if "2" in packets(body):
                await self._send(b"3")
            self._last += messages(body)
        raise AssertionError(f"no {op} in 50 polls")

    async def _send(self, body: bytes) -> None:
        answer = await self._wire.ask("POST", self._target, body)
        assert answer == (200, b"ok"), answer

    async def _receive(self) -> str:
        status, body = await self._wire.ask("GET", self._target)
        assert status == 200, (status, body)
        return body.decode()

    async def go(self, way: str) -> None:
        """Leaves, in this way."""
        if way == "bye":
            await self.say("bye")
        elif way == "close":
            await self._send(b"1")
        self._wire.close()


class SocketPage(Page):
    """The same by WebSocket."""

    def __init__(self, wire: Wire, carrier: SocketCarrier, sid: str) -> None:
        super().__init__(wire, sid)
        self._carrier = carrier

    @classmethod
    async def open(cls, wire: Wire) -> SocketPage:
        """A socket of its own."""
        carrier = SocketCarrier(ServerAddress.parse(f"http://127.0.0.1:{wire.port}"))
        _, body = await carrier.open()
        return cls(wire, carrier, sid_in(body))

    async def _send(self, body: bytes) -> None:
        await self._carrier.send("", body)

    async def _receive(self) -> str:
        _, body = await self._carrier.receive("", PATIENCE_S)
        return body.decode()

    async def go(self, way: str) -> None:
        """Leaves. No frame is answered: what it says is heard when the server closes the socket."""
        await super().go(way)
        with contextlib.suppress(ConnectionError):
            while way != "vanishes":
                await self._receive()
        await self._carrier.closed()


async def _register(wire: Wire, rng: random.Random) -> Page:
    page = await (SocketPage if rng.random() < BY_SOCKET else Page).open(wire)
    await page.say("register", types=["echo"], boot=f"{rng.getrandbits(128):032x}", version=1)
    await page.hear("registered")
    return page


async def come_work_and_go(wire: Wire, submitter: Submitter, rng: random.Random, sums: Sums, way: str) -> None:
    """One cycle."""
    await submitter.submit(f"{rng.getrandbits(64):x}")
    page = await _register(wire, rng)
    job = await page.hear("job")
    if rng.random() < 0.5:
        await page.say("accept", attempt=job["attempt"])
    if rng.random() < 1 / ASKED_EACH:
        _, answer = await wire.ask("GET", carriers.WORKERS)
        sums.carriers += carriers.carriers(answer)
    await page.say("result", attempt=job["attempt"], value="churn")
    verdict = await page.hear("recorded")
    sums.worked += 1
    sums.by_socket += isinstance(page, SocketPage)
    sums.unrecorded += verdict["attempt"] != job["attempt"] or verdict["verdict"] != "recorded"
    await page.go(way)


async def churn(server: Live, cycles: int, rng: random.Random, sums: Sums) -> Counter[str]:
    """Runs this many cycles, some at a time. Returns how often pages left in each way."""
    left = iter(range(cycles))
    ways: Counter[str] = Counter()

    async def one_after_the_other() -> None:
        with Wire(server.port) as wire, contextlib.closing(Submitter(server.port, Notes(), rng)) as submitter:
            for _ in left:
                way = rng.choice(WAYS)
                ways[way] += 1
                await come_work_and_go(wire, submitter, rng, sums, way)

    async with asyncio.TaskGroup() as group:
        for _ in range(PAGES):
            group.create_task(one_after_the_other())
    return ways


async def _stay(server: Live, pages: int, rng: random.Random) -> dict[str, int]:
    """The control: pages that do not go. Returns the counts while they are there."""
    there = [await _register(Wire(server.port), rng) for _ in range(pages)]
    try:
        return server.counts()
    finally:
        for page in there:
            await page.go("vanishes")


def _settled(server: Live, seconds: float = 20) -> dict[str, int]:
    """The counts when no page is left, or at the latest after so long. Of several the one with the fewest objects: a
    turn and the housekeeping hold hundreds of rows for a moment, and what stays is in each of them."""

    def gone() -> bool:
        counts = server.counts()
        return not any(counts[name] for name in OF_PAGES)

    with contextlib.suppress(TimeoutError):
        until(gone, seconds, "the end of all pages")
    return min((server.counts() for _ in range(SAMPLES)), key=lambda counts: counts["objects"])


def _left(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The counts that have grown."""
    left = {name: after[name] for name in OF_PAGES if after[name]}
    return left | {
        name: after[name] - before[name] for name, slack in OF_SERVER.items() if after[name] > before[name] + slack
    }


def _growth(before: dict[str, int], after: dict[str, int]) -> list[Measure]:
    grown_mib, most_mib = (after["rss"] - before["rss"]) / 2**20, (CACHE_BYTES + RSS_TOLERANCE) / 2**20
    objects = after["objects"] - before["objects"]
    return [
        Measure("growth of Python's objects over all cycles", objects, "objects", OBJECTS_TOLERANCE),
        Measure("growth of resident memory, SQLite's cache of 64 MiB included", round(grown_mib, 1), "MiB", most_mib),
        Measure("resident memory at the end", round(after["rss"] / 2**20, 1), "MiB"),
    ]


def play(form: str, seed: int) -> Record:
    """The campaign and its control."""
    rng, sums, cycles = random.Random(seed), Sums(), CYCLES[form]
    with (
        tempfile.TemporaryDirectory(prefix="pagehand-churn-") as name,
        live(Path(name), *FLAGS, watched=True) as server,
    ):
        asyncio.run(churn(server, WARM_UP[form], rng, Sums()))
        before = _settled(server)
        began = time.monotonic()
        ways = asyncio.run(churn(server, cycles, rng, sums))
        took_s = time.monotonic() - began
        after = _settled(server)
        counts = server.ask("GET", "/api/v1/stats").json()["jobs"]
        stayed = _left(before, asyncio.run(_stay(server, 10, rng)))
    left = _left(before, after)
    undone = sum(counts.values()) - counts["succeeded"]
    return Record(
        campaign="churn",
        figures=[
            Figure("sessions, workers, connections, tasks, timers or descriptors left behind", sum(left.values()),
                   cycles, "pages that came and went", "I25"),
            Figure("results that a page sent and that were not recorded", sums.unrecorded, sums.worked,
                   "results sent", "S5"),
            Figure("jobs not done in the end, besides those offered to a page that left", max(0, undone - PAGES),
                   sum(counts.values()), "jobs", "I2"),
        ],
        measures=[
            *_growth(before, after),
            Measure("pages that came by WebSocket", sums.by_socket, "pages"),
            *carriers.measures(sums.carriers),
            Measure("cycles per second", round(cycles / took_s), "1/s"),
        ],
        controls=[Control("ten pages that do not leave", sum(stayed.values()), 10, "pages")],
        notes=[f"They left by {', '.join(f'{way} ({number:,})' for way, number in sorted(ways.items()))}."],
        violations=[*carriers.lopsided(sums.carriers), *([f"left behind: {left}"] if left else [])],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("churn", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
