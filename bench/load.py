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
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.client import Run, connect, get_request, host, post_head

OFFER = re.compile(rb'"op":"job","attempt":"([^"]+)"')
_RESULT = b'4{"op":"result","attempt":"%b","value":"OK"}'
_ERROR = b'4{"op":"error","attempt":"%b","message":"as asked","retry":false}'
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ENGINE = "/engine.io/?EIO=4&transport=polling&t=lx3k9a2-1"
#: How long a single job may take.
LATE_S = 10
Mode = Callable[[dict[str, Any]], Awaitable[dict[str, float]]]


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
        self._gets.send(get_request(self.port, ENGINE))

    def opened(self) -> None:
        """The session is open."""

    def received(self, body: bytes) -> None:
        """A poll was answered with something other than pings."""

    def delivered(self) -> None:
        """A POST was answered."""

    def say(self, packets: list[bytes]) -> None:
        """POST packets, together with waiting ones."""
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
        self._get = get_request(self.port, f"{ENGINE}&sid={sid}")
        self._post_head = post_head(self.port, f"{ENGINE}&sid={sid}")
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
    """A worker page: takes offers, answers with ``"OK"``; one that ``fails`` answers with an error."""

    def __init__(
        self,
        port: int,
        *,
        slots: int = 1,
        quick: bool = True,
        number: int = 0,
        types: Sequence[str] = ("bench",),
        fails: bool = False,
    ) -> None:
        super().__init__(port)
        self._slots, self._quick, self._number, self._types = slots, quick, number, types
        self._answer = _ERROR if fails else _RESULT
        self._accepting: list[bytes] = []
        self._accepted: list[bytes] = []
        self.registered = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        """Register."""
        register = {
            "op": "register",
            "version": 1,
            "types": self._types,
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
        attempts = OFFER.findall(body)
        if attempts and self._quick:
            self.say([self._answer % attempt for attempt in attempts])
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
        """Start accepted tasks; they are done at once."""
        attempts, self._accepted = self._accepted, []
        if attempts:
            self._waiting += [self._answer % attempt for attempt in attempts]

    def _check_registered(self, body: bytes) -> None:
        if b'"op":"registered"' in body:
            self.registered.set_result(None)
        elif b'"op":"refused"' in body:
            Run.fail(f"refused: {body[:200]!r}")


class PairPage:
    """Sends GET, then POST, then GET...: the pairs for a server that does nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        body = b'4{"value":"OK"}'
        self._get = get_request(port, f"{ENGINE}&sid=0123456789abcdef")
        self._post = post_head(port, f"{ENGINE}&sid=0123456789abcdef") + b"%d\r\n\r\n" % len(body) + body

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
    """POSTs jobs one after the other; with ``batch``, that many in each request, of ``types`` in turn.

    ``late``: a job that is not done in time is no failure.
    """

    def __init__(
        self,
        port: int,
        *,
        total: int = 0,
        wait_s: int = 0,
        batch: int = 0,
        types: Sequence[str] = ("bench",),
        late: bool = False,
    ) -> None:
        self._port, self._left, self._number = port, total, 0
        self._batch, self._types = batch, [name.encode() for name in types]
        path = "/api/v1/jobs/batch" if batch else "/api/v1/jobs"
        prefer = f"Prefer: wait={wait_s}\r\n" if wait_s else ""
        head = (
            f"POST {path} HTTP/1.1\r\n{host(port)}User-Agent: bench\r\nAccept: */*\r\n{prefer}"
            f"Content-Type: application/json\r\nContent-Length: "
        )
        self._head = head.encode()
        self._expected = (200, 201)
        self.finished = asyncio.get_running_loop().create_future()
        self.latencies_s: list[float] = []
        self._waits, self._late = bool(wait_s), late

    async def open(self) -> None:
        """Connect and begin."""
        self._client = await connect(self._port, self._answered)
        self._submit()

    def _submit(self) -> None:
        body = b"[%b]" % b",".join(self._job() for _ in range(self._batch)) if self._batch else self._job()
        self._began = time.perf_counter()
        self._client.send(self._head + b"%d\r\n\r\n" % len(body) + body)

    def _job(self) -> bytes:
        self._number += 1
        return b'{"type":"%b","data":{"n":%d}}' % (self._types[self._number % len(self._types)], self._number)

    def _answered(self, status: int, body: bytes) -> None:
        if status not in self._expected:
            return Run.fail(f"POST /api/v1/jobs: {status} {body[:200]!r}")
        if self._waits:
            self.latencies_s.append(time.perf_counter() - self._began)
            if b'"succeeded"' not in body and not self._late:
                return Run.fail(f"not succeeded in time: {body[:300]!r}")
        Run.count += self._batch or 1
        if self._left and self._number >= self._left:
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


async def window(spec: dict[str, Any]) -> dict[str, float]:
    """Warm up, measure for ``seconds``, or until ``limit`` of the prepared work is done."""
    await sleep(spec["warm_up_s"])
    meter = Meter(spec["pid"])
    limit = spec.get("limit") or float("inf")
    until = time.perf_counter() + spec["seconds"]
    while time.perf_counter() < until and Run.count < limit:
        await sleep(0.01)
    return meter.read()


async def sleep(seconds: float) -> None:
    """Wait; raises what made the run fail."""
    await asyncio.wait([Run.done], timeout=seconds)
    if Run.done.done():
        Run.done.result()


async def until(future: asyncio.Future[None], timeout_s: float | None = None) -> None:
    """Wait for a future; raises what made the run fail."""
    await asyncio.wait([future, Run.done], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    if Run.done.done():
        Run.done.result()
    if not future.done():
        raise RuntimeError(f"nothing came within {timeout_s} s")


def type_names(spec: dict[str, Any]) -> Sequence[str]:
    """``bench``, or the requested number of types."""
    number = spec.get("types", 1)
    return ["bench"] if number == 1 else [f"bench-{n}" for n in range(number)]


async def job_pages(spec: dict[str, Any], kind: type[JobPage] = JobPage) -> None:
    """The pages of a run, registered."""
    how = {"slots": spec["slots"], "quick": spec["quick"], "types": type_names(spec)}
    pages = [
        kind(spec["port"], number=number, fails=spec.get("fails", False), **how) for number in range(spec["workers"])
    ]
    for page in pages:
        await page.open()
    for page in pages:
        await until(page.registered, 60)


async def _jobs(spec: dict[str, Any]) -> dict[str, float]:
    await job_pages(spec)
    return await window(spec)


async def _intake(spec: dict[str, Any]) -> dict[str, float]:
    for _ in range(spec["workers"]):
        await Submitter(spec["port"], batch=spec.get("batch", 0)).open()
    return await window(spec)


async def _prefill(spec: dict[str, Any]) -> dict[str, float]:
    """Submit ``jobs`` jobs in batches."""
    meter = Meter(spec["pid"])
    batch = min(500, spec["jobs"])
    submitter = Submitter(spec["port"], total=spec["jobs"], batch=batch, types=type_names(spec))
    await submitter.open()
    await until(submitter.finished)
    return meter.read()


async def one_by_one(port: int, jobs: int, job_type: str = "bench", *, late: bool = False) -> list[float]:
    """The sorted seconds that single jobs took; ``late``: one that is not done within ``LATE_S`` is no failure."""
    submitter = Submitter(port, total=jobs, wait_s=LATE_S, types=[job_type], late=late)
    await submitter.open()
    await until(submitter.finished)
    return sorted(submitter.latencies_s)


async def _latency(spec: dict[str, Any]) -> dict[str, float]:
    """One job at a time, from the first byte of its POST to the last byte of its result."""
    await job_pages(spec)
    Run.count = 0
    await one_by_one(spec["port"], 20)
    meter = Meter(spec["pid"])
    times = await one_by_one(spec["port"], spec["jobs"])
    figures = meter.read()
    quantiles = {f"p{share}_ms": 1000 * times[min(len(times) - 1, len(times) * share // 100)] for share in (50, 90, 99)}
    return {**figures, **quantiles, "count": len(times)}


async def _pages(spec: dict[str, Any]) -> dict[str, float]:
    kind = PairPage if spec["mode"] == "pairs" else EchoPage
    for _ in range(spec["workers"]):
        await kind(spec["port"]).open()
    return await window(spec)


_MODES: Mapping[str, Mode] = {
    "jobs": _jobs,
    "intake": _intake,
    "prefill": _prefill,
    "latency": _latency,
    "pairs": _pages,
    "echo": _pages,
}


async def _main(mode: Mode, spec: dict[str, Any]) -> dict[str, float]:
    Run.done = asyncio.get_running_loop().create_future()
    figures = await mode(spec)
    Run.ending = True
    return figures


def main(modes: Mapping[str, Mode]) -> None:
    """Do what the first argument says, and print the figures."""
    given = json.loads(sys.argv[1])
    if given.get("core") is not None:
        os.sched_setaffinity(0, {given["core"]})
    gc.freeze()
    print(json.dumps(asyncio.run(_main(modes[given["mode"]], given))))


if __name__ == "__main__":
    main(_MODES)
