"""The load generator: ``python -m bench.load '{"mode": "jobs", "port": 8888, ...}'`` prints one JSON object.

It must not be the bottleneck, so it is no good HTTP client: one callback per answer, requests made of bytes that
were put together before, messages found by their bytes and not parsed. Each page has a connection for polls and one
for POSTs, as a browser has, and sends a browser's headers.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from bench.client import Run, connect, get_request, host, post_head

_OFFER = re.compile(rb'"op":"job","attempt":"([^"]+)"')
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_ENGINE = "/engine.io/?EIO=4&transport=polling&t=lx3k9a2-1"


class Page:
    """An Engine.IO polling client. Subclasses say what to do with messages."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._waiting: list[bytes] = []
        self._posting = False

    async def open(self) -> None:
        """Connect and shake hands; ``opened`` follows."""
        self._gets = await connect(self.port, self._shaken)
        self._posts = await connect(self.port, self._posted)
        self._gets.send(get_request(self.port, _ENGINE))

    def opened(self) -> None:
        """The session is there."""

    def received(self, body: bytes) -> None:
        """A poll was answered with something else than pings."""

    def delivered(self) -> None:
        """A POST was answered."""

    def say(self, packets: list[bytes]) -> None:
        """POST packets, together with what waits."""
        if self._posting:
            self._waiting += packets
            return
        self._posting = True
        body = b"\x1e".join(packets)
        self._posts.send(self._post_head + b"%d\r\n\r\n" % len(body) + body)

    def _shaken(self, status: int, body: bytes) -> None:
        if status != 200 or body[:1] != b"0":
            return Run.fail(f"handshake: {status} {body[:100]!r}")
        sid = json.loads(body[1:])["sid"]
        self._get = get_request(self.port, f"{_ENGINE}&sid={sid}")
        self._post_head = post_head(self.port, f"{_ENGINE}&sid={sid}")
        self._gets.on_answer = self._polled
        self._gets.send(self._get)
        self.opened()

    def _polled(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"poll: {status} {body[:100]!r}")
        self._gets.send(self._get)
        if body[:1] == b"2" or b"\x1e2" in body:
            self.say([b"3"])
        self.received(body)

    def _posted(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"POST: {status} {body[:100]!r}")
        self._posting = False
        self.delivered()
        if self._waiting and not self._posting:
            waiting, self._waiting = self._waiting, []
            self.say(waiting)


class EchoPage(Page):
    """Sends a message, waits for its echo, sends the next."""

    def opened(self) -> None:
        """The first message."""
        self.say([b'4{"value":"OK"}'])

    def received(self, body: bytes) -> None:
        """An echo came."""
        if b"4{" in body:
            Run.count += 1
            self.say([b'4{"value":"OK"}'])


class JobPage(Page):
    """A worker page: takes offers, answers with ``"OK"``."""

    def __init__(self, port: int, *, slots: int, quick: bool, number: int) -> None:
        super().__init__(port)
        self._slots, self._quick, self._number = slots, quick, number
        self._accepting: list[bytes] = []
        self._accepted: list[bytes] = []
        self.registered = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        """Register."""
        register = {
            "op": "register",
            "version": 1,
            "types": ["bench"],
            "boot": f"bench-{os.getpid()}-{self._number}",
            "name": f"bench-{self._number}",
            "slots": self._slots,
            "holding": [],
            "finished": [],
        }
        self.say([b"4" + json.dumps(register).encode()])

    def received(self, body: bytes) -> None:
        """Offers and verdicts."""
        Run.count += body.count(b'"verdict":"recorded"')
        attempts = _OFFER.findall(body)
        if attempts and self._quick:
            self.say([b'4{"op":"result","attempt":"%b","value":"OK"}' % attempt for attempt in attempts])
        elif attempts:
            self._accepting += attempts
            self.say([b'4{"op":"accept","attempt":"%b"}' % attempt for attempt in attempts])
        if not self.registered.done():
            self._check_registered(body)

    def say(self, packets: list[bytes]) -> None:
        """Also note which accepts this POST carries."""
        if not self._posting:
            self._accepted, self._accepting = self._accepting, []
        super().say(packets)

    def delivered(self) -> None:
        """Accepted tasks start, and are done at once."""
        attempts, self._accepted = self._accepted, []
        if attempts:
            self._waiting += [b'4{"op":"result","attempt":"%b","value":"OK"}' % attempt for attempt in attempts]

    def _check_registered(self, body: bytes) -> None:
        if b'"op":"registered"' in body:
            self.registered.set_result(None)
        elif b'"op":"refused"' in body:
            Run.fail(f"refused: {body[:200]!r}")


class PairPage:
    """GET, then POST, then GET...: the pairs of a server that does nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        body = b'4{"value":"OK"}'
        self._get = get_request(port, f"{_ENGINE}&sid=0123456789abcdef")
        self._post = post_head(port, f"{_ENGINE}&sid=0123456789abcdef") + b"%d\r\n\r\n" % len(body) + body

    async def open(self) -> None:
        """Connect and begin."""
        self._gets = await connect(self._port, self._got)
        self._posts = await connect(self._port, self._posted)
        self._gets.send(self._get)

    def _got(self, status: int, body: bytes) -> None:
        self._posts.send(self._post)

    def _posted(self, status: int, body: bytes) -> None:
        Run.count += 1
        self._gets.send(self._get)


class Submitter:
    """POSTs jobs one after the other."""

    def __init__(self, port: int, *, total: int = 0, wait_s: int = 0, job_type: str = "bench") -> None:
        self._port, self._left, self._number = port, total, 0
        prefer = f"Prefer: wait={wait_s}\r\n" if wait_s else ""
        head = (
            f"POST /api/v1/jobs HTTP/1.1\r\n{host(port)}User-Agent: bench\r\nAccept: */*\r\n{prefer}"
            f"Content-Type: application/json\r\nContent-Length: "
        )
        self._head, self._type = head.encode(), job_type.encode()
        self._expected = (200, 201)
        self.finished = asyncio.get_running_loop().create_future()
        self.latencies_s: list[float] = []
        self._waits = bool(wait_s)

    async def open(self) -> None:
        """Connect and begin."""
        self._client = await connect(self._port, self._answered)
        self._submit()

    def _submit(self) -> None:
        self._number += 1
        body = b'{"type":"%b","data":{"n":%d}}' % (self._type, self._number)
        self._began = time.perf_counter()
        self._client.send(self._head + b"%d\r\n\r\n" % len(body) + body)

    def _answered(self, status: int, body: bytes) -> None:
        if status not in self._expected:
            return Run.fail(f"POST /api/v1/jobs: {status} {body[:200]!r}")
        if self._waits:
            self.latencies_s.append(time.perf_counter() - self._began)
            if b'"succeeded"' not in body:
                return Run.fail(f"not succeeded in time: {body[:300]!r}")
        Run.count += 1
        if self._number == self._left:
            self.finished.set_result(None)
        else:
            self._submit()


def server_cpu_s(pid: int) -> float:
    """User and system time of a process so far; all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


class Meter:
    """Counts and processor times between two instants."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.perf_counter()
        self._count, self._server, self._own = Run.count, server_cpu_s(pid), time.process_time()

    def read(self) -> dict[str, float]:
        """What happened since this meter was made."""
        seconds = time.perf_counter() - self._began
        return {
            "seconds": seconds,
            "count": Run.count - self._count,
            "server_cpu_s": server_cpu_s(self._pid) - self._server,
            "load_cpu_s": time.process_time() - self._own,
        }


async def _window(spec: dict[str, Any]) -> dict[str, float]:
    """Warm up, measure for ``seconds``, or until ``limit`` of the prepared work is done."""
    await _sleep(spec["warm_up_s"])
    meter = Meter(spec["pid"])
    limit = spec.get("limit") or float("inf")
    until = time.perf_counter() + spec["seconds"]
    while time.perf_counter() < until and Run.count < limit:
        await _sleep(0.01)
    return meter.read()


async def _sleep(seconds: float) -> None:
    await asyncio.wait([Run.done], timeout=seconds)
    if Run.done.done():
        Run.done.result()


async def _job_pages(spec: dict[str, Any]) -> None:
    pages = [
        JobPage(spec["port"], slots=spec["slots"], quick=spec["quick"], number=number)
        for number in range(spec["workers"])
    ]
    for page in pages:
        await page.open()
    for page in pages:
        await asyncio.wait([page.registered, Run.done], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if Run.done.done():
            Run.done.result()
        if not page.registered.done():
            raise RuntimeError("a page was not registered within 10 s")


async def _jobs(spec: dict[str, Any]) -> dict[str, float]:
    await _job_pages(spec)
    return await _window(spec)


async def _intake(spec: dict[str, Any]) -> dict[str, float]:
    for _ in range(spec["workers"]):
        await Submitter(spec["port"]).open()
    return await _window(spec)


async def _prefill(spec: dict[str, Any]) -> dict[str, float]:
    """Submit exactly ``jobs`` jobs."""
    share, rest = divmod(spec["jobs"], spec["workers"])
    meter = Meter(spec["pid"])
    shares = [share + (number < rest) for number in range(spec["workers"])]
    submitters = [Submitter(spec["port"], total=total) for total in shares if total]
    for submitter in submitters:
        await submitter.open()
    for submitter in submitters:
        await asyncio.wait([submitter.finished, Run.done], return_when=asyncio.FIRST_COMPLETED)
        if Run.done.done():
            Run.done.result()
    return meter.read()


async def _latency(spec: dict[str, Any]) -> dict[str, float]:
    """One job at a time, from the first byte of its POST to the last byte of its result."""
    await _job_pages(spec)
    Run.count = 0
    warm_up = Submitter(spec["port"], total=20, wait_s=10)
    await warm_up.open()
    await asyncio.wait([warm_up.finished, Run.done], return_when=asyncio.FIRST_COMPLETED)
    meter = Meter(spec["pid"])
    submitter = Submitter(spec["port"], total=spec["jobs"], wait_s=10)
    await submitter.open()
    await asyncio.wait([submitter.finished, Run.done], return_when=asyncio.FIRST_COMPLETED)
    if Run.done.done():
        Run.done.result()
    figures = meter.read()
    times = sorted(submitter.latencies_s)
    quantiles = {f"p{share}_ms": 1000 * times[min(len(times) - 1, len(times) * share // 100)] for share in (50, 90, 99)}
    return {**figures, **quantiles, "count": len(times)}


async def _pages(spec: dict[str, Any]) -> dict[str, float]:
    kind = PairPage if spec["mode"] == "pairs" else EchoPage
    for _ in range(spec["workers"]):
        await kind(spec["port"]).open()
    return await _window(spec)


_MODES = {
    "jobs": _jobs,
    "intake": _intake,
    "prefill": _prefill,
    "latency": _latency,
    "pairs": _pages,
    "echo": _pages,
}


async def _main(spec: dict[str, Any]) -> dict[str, float]:
    Run.done = asyncio.get_running_loop().create_future()
    figures = await _MODES[spec["mode"]](spec)
    Run.ending = True
    return figures


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if given.get("core") is not None:
        os.sched_setaffinity(0, {given["core"]})
    gc.freeze()
    print(json.dumps(asyncio.run(_main(given))))
