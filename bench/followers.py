"""What it costs to follow changes: ``python -m bench.followers``.

Clients follow ``/api/v1/events`` while jobs are submitted at a steady rate, in turns of one job or of many; some leave
now and then and come back with the id of the last event. Each must see every change once and in order. The server's
CPU beside the same jobs without followers is what they cost.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.load.meter import cpu_s
from bench.server import Server, pagehand

#: Where each event ends that is a change. The sizes of chunks stand between events only.
_CHANGE = re.compile(rb"id: [0-9a-f]+-(\d+)\nevent: (\w+)\ndata: [^\n]*\n\n")
_ID = re.compile(rb"id: ([0-9a-f]+-\d+)\n")


class FollowingClient(asyncio.Protocol):
    """One client, over all its connections."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.last = ""
        #: The number of the change that it saw last; and how many it saw.
        self.number = self.seen = 0
        self.here = asyncio.Event()
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    async def come(self) -> None:
        """Connects; with the id of the last event, if there was one."""
        self._rest = b""
        self.here.clear()
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
        await self.here.wait()

    def leave(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        back = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        transport.write(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{back}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Sees that the numbers follow one another."""
        if self._transport is None:
            return
        self._rest += data
        end = 0
        for found in _CHANGE.finditer(self._rest):
            number, end = int(found[1]), found.end()
            if found[2] != b"job" or number != self.number + 1:
                raise SystemExit(f"after change {self.number} came {found[0]!r}")
            self.number, self.seen = number, self.seen + 1
        whole = end or self._rest.rfind(b"\n\n") + 1  # an id counts when its event is whole
        if ids := _ID.findall(self._rest, 0, whole):
            self.last = ids[-1].decode()
            self.here.set()
        self._rest = self._rest[end:]


def submit(port: int, seconds: float, per_s: float, jobs: int) -> list[float]:
    """Submits batches at a steady rate; each is one turn. How long each took, in ms."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps([{"type": "echo", "data": 1}] * jobs)
    began, took_ms = time.monotonic(), list[float]()
    while (now := time.monotonic()) < began + seconds:
        time.sleep(max(0.0, began + len(took_ms) / per_s - now))
        sent = time.monotonic()
        connection.request("POST", "/api/v1/jobs/batch", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        took_ms.append(1000 * (time.monotonic() - sent))
    connection.close()
    return took_ms


class Figures(NamedTuple):
    """What one run has shown."""

    cpu_s: float
    changes: int
    #: Of the submissions.
    p50_ms: float
    p99_ms: float


async def _measure(server: Server, clients: int, jobs: int, given: argparse.Namespace) -> Figures:
    rng = random.Random(7)
    following = [FollowingClient(server.port) for _ in range(clients)]
    for client in following:
        await client.come()
        client.number = int(client.last.rpartition("-")[2])
    first = following[0].number if following else 0
    before = cpu_s(server.pid)
    with ProcessPoolExecutor(1) as pool:
        orders = server.port, given.seconds, given.turns, jobs
        work = asyncio.get_running_loop().run_in_executor(pool, submit, *orders)
        while not work.done():
            await asyncio.wait([work], timeout=0.1)
            for client in rng.sample(following, int(clients * given.leave * 0.1)):
                client.leave()
                await client.come()
        took_ms = sorted(await work)
    ended, changes = time.monotonic(), len(took_ms) * jobs
    while any(client.number < first + changes for client in following):
        if time.monotonic() > ended + 20:
            raise SystemExit("some clients did not see all changes")
        await asyncio.sleep(0.002)
    used = cpu_s(server.pid) - before
    if any(client.seen != changes for client in following):
        raise SystemExit("some client saw a change twice, or not at all")
    for client in following:
        client.leave()
    return Figures(used, changes, took_ms[len(took_ms) // 2], took_ms[int(0.99 * len(took_ms))])


def main(argv: list[str] | None = None) -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.followers", description=__doc__)
    parser.add_argument("--followers", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--turns", type=float, default=5.0, help="turns a second")
    parser.add_argument("--leave", type=float, default=0.05, help="share of the clients that leave each second")
    given = parser.parse_args(argv)
    print("| jobs a turn | changes | server CPU for each | p50, p99 of a submission alone | beside all |")
    print("|---:|---:|---:|---:|---:|")
    for jobs in (1, 20):
        with tempfile.TemporaryDirectory() as directory, pagehand(Path(directory) / "jobs.db", core=None) as server:
            alone = asyncio.run(_measure(server, 0, jobs, given))
            beside = asyncio.run(_measure(server, given.followers, jobs, given))
        each_us = 1e6 * (beside.cpu_s / beside.changes - alone.cpu_s / alone.changes) / given.followers
        print(
            f"| {jobs} | {beside.changes} | {each_us:.1f} us | {alone.p50_ms:.1f}, {alone.p99_ms:.1f} ms "
            f"| {beside.p50_ms:.1f}, {beside.p99_ms:.1f} ms |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
