"""Single jobs beside a client that lists a rare filter."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

from bench.load.getter import Getter
from bench.load.herd import job_pages
from bench.load.meter import Meter
from bench.load.pages import JobPage
from bench.load.progress import Run, sleep, until
from bench.load.submitter import Submitter, one_by_one

__all__ = ["prepare_rare", "rare"]

_RARE = "/api/v1/jobs?state=failed&type=rare"


async def rare(spec: dict[str, Any]) -> dict[str, float]:
    """Single jobs, by turns without and with a client that lists rare jobs."""
    await job_pages(spec)
    port, meter = spec["port"], Meter(spec)
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


async def prepare_rare(spec: dict[str, Any]) -> dict[str, float]:
    """Makes a quarter of ``jobs``: waiting ones of the rare type, and as many failed ones of another type."""
    meter, jobs = Meter(spec), spec["jobs"] // 4
    for job_type in ("rare", "common"):
        submitter = Submitter(spec["port"], total=jobs, batch=500, types=[job_type])
        await submitter.open()
        await until(submitter.finished)
    failing, failed = JobPage(spec["port"], slots=16, types=["common"], fails=True), Run.count + jobs
    await failing.open()
    while Run.count < failed:
        await sleep(0.02)
    return meter.read()
