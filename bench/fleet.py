"""The load beside the thing that is measured: idle pages, and a client that lists a rare filter.

``python -m bench.fleet '{"mode": "idle", ...}'`` prints one JSON object, as ``bench.load`` does.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.client import Client, Run, connect, get_request, post_head
from bench.load import (
    ENGINE,
    LATE_S,
    JobPage,
    Meter,
    Submitter,
    job_pages,
    main,
    one_by_one,
    server_cpu_s,
    sleep,
    until,
)

#: Pages that register at the same time.
_TOGETHER = 20
_SINGLE_JOBS = 100
_GETS = 50
_MORE_PAGES = 200
_SUBMITTED = 3_000
_CONSOLE = {"home": "/", "workers": "/workers", "api_workers": "/api/v1/workers", "stats": "/api/v1/stats"}
_RARE = "/api/v1/jobs?state=failed&type=rare"


class FleetPage(JobPage):
    """A quick page with one connection: it sends its messages, then polls."""

    async def open(self) -> None:
        """Connect and shake hands."""
        self._gets = await connect(self.port, self._shaken)
        self._gets.send(get_request(self.port, ENGINE))

    def say(self, packets: list[bytes]) -> None:
        """Queue packets to send before the next poll."""
        self._waiting += packets

    def _shaken(self, status: int, body: bytes) -> None:
        if status != 200 or body[:1] != b"0":
            return Run.fail(f"handshake: {status} {body[:100]!r}")
        sid = body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        self._get = get_request(self.port, f"{ENGINE}&sid={sid}")
        self._post_head = post_head(self.port, f"{ENGINE}&sid={sid}")
        self.opened()
        self._next()

    def _next(self) -> None:
        if not self._waiting:
            self._gets.on_answer = self._polled
            return self._gets.send(self._get)
        body, self._waiting = b"\x1e".join(self._waiting), []
        self._gets.on_answer = self._posted
        self._gets.send(self._post_head + b"%d\r\n\r\n" % len(body) + body)

    def _polled(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"poll: {status} {body[:100]!r}")
        if body[:1] == b"2" or b"\x1e2" in body:
            self.say([b"3"])
        self.received(body)
        self._next()

    def _posted(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"POST: {status} {body[:100]!r}")
        self._next()


class Getter:
    """GETs one target after the other on one connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._client: Client | None = None

    async def get(self, target: str) -> bytes:
        """The body of the answer, which must be 200."""
        if self._client is None:
            self._client = await connect(self._port, lambda status, body: None)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        bodies: list[bytes] = []

        def keep(status: int, body: bytes) -> None:
            if status != 200:
                return Run.fail(f"GET {target}: {status} {body[:100]!r}")
            bodies.append(body)
            answered.set_result(None)

        self._client.on_answer = keep
        self._client.send(get_request(self._port, target))
        await until(answered, 60)
        return bodies[0]


def loop_ms(pid: int) -> float:
    """The processor time of the server's main thread, which runs its loop; 0 if the system does not tell."""
    return _ran_ms(Path(f"/proc/{pid}/task/{pid}/schedstat"))


def whole_ms(pid: int) -> float:
    """The same for all its threads."""
    return sum(_ran_ms(thread / "schedstat") for thread in Path(f"/proc/{pid}/task").iterdir())


class Spent:
    """Processor time since now, without what the idle pages' pings cost in the same time."""

    def __init__(self, clock: Callable[[int], float], pid: int, idle_share: float) -> None:
        self._clock, self._pid, self._idle_share = clock, pid, idle_share
        self._ran_ms, self._began = clock(pid), time.perf_counter()

    async def each(self, count: int) -> float:
        """The time of one of ``count``, in ms. Waits first: a thread's time is exact only while it rests."""
        await sleep(0.02)
        idle_ms = 1000 * self._idle_share * (time.perf_counter() - self._began)
        return max(0.0, self._clock(self._pid) - self._ran_ms - idle_ms) / count


def _ran_ms(path: Path) -> float:
    return int(path.read_text().split()[0]) / 1e6 if path.exists() else 0.0


def _resident_kb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


async def _register(port: int, numbers: range) -> None:
    pages = [FleetPage(port, number=number) for number in numbers]
    for page in pages:
        await page.open()
    for page in pages:
        await until(page.registered, 60)


async def _fill(port: int, pages: int) -> None:
    for first in range(0, pages, _TOGETHER):
        await _register(port, range(first, min(pages, first + _TOGETHER)))


async def _idle(spec: dict[str, Any]) -> dict[str, float]:
    """Measures everything beside ``pages`` idle pages, one after the other."""
    port, pid, pages = spec["port"], spec["pid"], spec["pages"]
    empty_kb, meter = _resident_kb(pid), Meter(pid)
    await _fill(port, pages)
    page_kb = (_resident_kb(pid) - empty_kb) / pages
    idle_share = await _share(pid, spec["idle_s"])
    jobs = await _single_jobs(port, number=pages)
    console = await _console(port, pid, idle_share)
    intake = await _submit(spec)
    register_ms = await _more_pages(port, pid, idle_share, first=pages + 1)
    figures = {"page_kb": page_kb, "idle_share": idle_share, **jobs, **console, **intake, "register_ms": register_ms}
    return {**meter.read(), **figures}


async def _share(pid: int, seconds: float) -> float:
    began, cpu_s = time.perf_counter(), server_cpu_s(pid)
    await sleep(seconds)
    return (server_cpu_s(pid) - cpu_s) / (time.perf_counter() - began)


async def _single_jobs(port: int, *, number: int) -> dict[str, float]:
    """Single jobs of the idle pages' type, and of a type that one more page offers."""
    page = FleetPage(port, number=number, types=["other"])
    await page.open()
    await until(page.registered, 60)
    found = {}
    for name, job_type in (("same", "bench"), ("other", "other")):
        times = await one_by_one(port, 1, job_type, late=True)
        if times[0] < LATE_S:
            times = await one_by_one(port, _SINGLE_JOBS, job_type)
        found[f"{name}_ms"] = 1000 * statistics.median(times)
    return found


async def _console(port: int, pid: int, idle_share: float) -> dict[str, float]:
    """The loop's time for each page of the console."""
    getter, found = Getter(port), {}
    for name, target in _CONSOLE.items():
        spent = Spent(loop_ms, pid, idle_share)
        for _ in range(_GETS):
            await getter.get(target)
        found[f"{name}_loop_ms"] = await spent.each(_GETS)
    return found


async def _submit(spec: dict[str, Any]) -> dict[str, float]:
    """Submits jobs that no page takes, on 16 connections."""
    submitters = [Submitter(spec["port"], total=_SUBMITTED // 16, types=["queued"]) for _ in range(16)]
    meter, count = Meter(spec["pid"]), Run.count
    for submitter in submitters:
        await submitter.open()
    for submitter in submitters:
        await until(submitter.finished)
    figures, jobs = meter.read(), Run.count - count
    return {"intake_per_s": jobs / figures["seconds"], "intake_us": 1e6 * figures["server_cpu_s"] / jobs}


async def _more_pages(port: int, pid: int, idle_share: float, *, first: int) -> float:
    """The server's ms for one more page: handshake, register and the poll that brings the answer."""
    spent = Spent(whole_ms, pid, idle_share)
    for number in range(first, first + _MORE_PAGES, _TOGETHER):
        await _register(port, range(number, number + _TOGETHER))
    return await spent.each(_MORE_PAGES)


async def _rare(spec: dict[str, Any]) -> dict[str, float]:
    """Single jobs, by turns without and with a client that lists rare jobs."""
    await job_pages(spec)
    port, meter = spec["port"], Meter(spec["pid"])
    await one_by_one(port, 20)
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(3):
        alone += await one_by_one(port, spec["jobs"] // 3)
        beside += await _beside_lister(port, spec["jobs"] // 3)
    figures = {"alone_ms": 1000 * statistics.median(alone), "beside_ms": 1000 * statistics.median(beside)}
    return {**meter.read(), **figures, "count": len(alone) + len(beside)}


async def _beside_lister(port: int, jobs: int) -> list[float]:
    listing = asyncio.ensure_future(_list_for_ever(port))
    try:
        return await one_by_one(port, jobs)
    finally:
        listing.cancel()


async def _list_for_ever(port: int) -> None:
    getter = Getter(port)
    while True:
        await getter.get(_RARE)


async def _prepare_rare(spec: dict[str, Any]) -> dict[str, float]:
    """Makes ``jobs`` waiting jobs of the rare type, and as many failed ones of another type."""
    meter = Meter(spec["pid"])
    for job_type in ("rare", "common"):
        submitter = Submitter(spec["port"], total=spec["jobs"], batch=500, types=[job_type])
        await submitter.open()
        await until(submitter.finished)
    failing, failed = JobPage(spec["port"], slots=16, types=["common"], fails=True), Run.count + spec["jobs"]
    await failing.open()
    while Run.count < failed:
        await sleep(0.02)
    return meter.read()


if __name__ == "__main__":
    main({"idle": _idle, "rare": _rare, "prepare-rare": _prepare_rare})
