"""Jobs that come at a steady rate, alone and beside idle pages that a process of its own holds.

A process that holds 10,000 pages would take the time of a job late; so it only holds them, and gives way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from bench.load.client import Client, connect, job_head
from bench.load.herd import come, idle_kind, register
from bench.load.meter import Meter, quantile
from bench.load.progress import Run, sleep, until
from bench.load.submitter import LATE_S

__all__ = ["hold", "holding", "steady"]

_PER_S = 50
#: Pages that do the jobs.
_BUSY_PAGES = 4
_BODY = b'{"type":"steady","data":{"n":1}}'
_HERE = b"here\n"
#: How much the process that holds pages gives way.
_NICE = 10


class SteadySubmitter:
    """Submits single jobs on free connections, and takes the time until each is done, from when it was due."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._request = b"%b%d\r\n\r\n%b" % (job_head(port, wait_s=LATE_S), len(_BODY), _BODY)
        self._free: list[Client] = []
        self.times_s: list[float] = []

    async def submit(self, due_s: float) -> None:
        """One job; returns when it is done."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answered(status: int, body: bytes) -> None:
            self.times_s.append(time.perf_counter() - due_s)
            if b'"succeeded"' not in body:
                return Run.fail(f"not succeeded in time: {status} {body[:300]!r}")
            Run.count += 1
            self._free.append(client)
            done.set_result(None)

        client = self._free.pop() if self._free else await connect(self._port, answered)
        client.on_answer = answered
        client.send(self._request)
        await until(done)


async def steady(spec: dict[str, Any]) -> dict[str, float]:
    """The median and the 99th of 100 of jobs' times, alone and beside ``pages`` idle pages, each for ``idle_s``."""
    port, pages = spec["port"], spec["pages"]
    await register(idle_kind(spec), port, range(pages, pages + _BUSY_PAGES), ["steady"])
    await _times_s(port, 1.0)
    meter = Meter(spec)
    alone = _quantiles("alone", await _times_s(port, spec["idle_s"]))
    async with holding(spec):
        beside = _quantiles("beside", await _times_s(port, spec["idle_s"]))
    return {**meter.read(), **alone, **beside}


async def hold(spec: dict[str, Any]) -> dict[str, float]:
    """Holds ``pages`` idle pages until its input ends. They come evenly over ``idle_s``, and so do their pings."""
    os.nice(_NICE)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end() -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set_result(None)

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), end)
    await come(idle_kind(spec), spec["port"], spec["pages"], spec["idle_s"])
    print(_HERE.decode(), end="", flush=True)
    await until(ended)
    return {}


def _quantiles(name: str, times_s: list[float]) -> dict[str, float]:
    return {f"{name}_p{percent}_ms": 1000 * quantile(times_s, percent / 100) for percent in (50, 99)}


async def _times_s(port: int, seconds: float) -> list[float]:
    """Sorted."""
    submitter, began, jobs = SteadySubmitter(port), time.perf_counter(), set()
    for number in range(int(seconds * _PER_S)):
        due_s = began + number / _PER_S
        await sleep(max(0.0, due_s - time.perf_counter()))
        jobs.add(asyncio.ensure_future(submitter.submit(due_s)))
    await asyncio.gather(*jobs)
    return sorted(submitter.times_s)


@contextlib.asynccontextmanager
async def holding(spec: dict[str, Any]) -> AsyncIterator[None]:
    """``pages`` idle pages in a process of their own, while it lasts."""
    pipe = asyncio.subprocess.PIPE
    orders = json.dumps({**spec, "mode": "hold"})
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", orders, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert holder.stdout is not None
    if await holder.stdout.readline() == _HERE:
        yield
    _, errors = await holder.communicate(b"")  # which ends its input
    if holder.returncode:
        raise RuntimeError(f"the idle pages: {errors.decode()[-1500:]}")
