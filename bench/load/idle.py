"""Everything that idle pages may make dearer, measured beside them."""

from __future__ import annotations

import statistics
from typing import Any

from bench.load.getter import Getter
from bench.load.herd import TOGETHER, fill, idle_kind, register
from bench.load.meter import Meter, Spent, idle_share, loop_ms, resident_kb, whole_ms
from bench.load.progress import Run, until
from bench.load.submitter import LATE_S, Submitter, one_by_one

__all__ = ["idle"]

_SINGLE_JOBS = 100
_GETS = 50
_MORE_PAGES = 200
_SUBMITTED = 3_000
_CONSOLE = {"home": "/", "workers": "/workers", "api_workers": "/api/v1/workers", "stats": "/api/v1/stats"}


async def idle(spec: dict[str, Any]) -> dict[str, float]:
    """Measures everything beside ``pages`` idle pages, one after the other."""
    port, pid, pages = spec["port"], spec["pid"], spec["pages"]
    empty_kb, meter, spent = resident_kb(pid), Meter(spec), Spent(whole_ms, pid, 0.0)
    await fill(idle_kind(spec), port, pages)
    coming = {"fill_ms": await spent.each(pages), "page_kb": (resident_kb(pid) - empty_kb) / pages}
    share = await idle_share(pid, spec["idle_s"])
    await register(idle_kind(spec), port, range(pages, pages + 1), ["other"])
    jobs = await _single_jobs(port)
    console = await _console(port, pid, share)
    intake = await _submit(spec)
    register_ms = await _more_pages(spec, share)
    figures = {**coming, "idle_share": share, **jobs, **console, **intake, "register_ms": register_ms}
    return {**meter.read(), **figures}


async def _single_jobs(port: int) -> dict[str, float]:
    """Single jobs of the idle pages' type, and of a type that one more page offers."""
    found = {}
    for name, job_type in (("same", "bench"), ("other", "other")):
        times = await one_by_one(port, 1, job_type, late=True)
        if times[0] < LATE_S:
            times = await one_by_one(port, _SINGLE_JOBS, job_type)
        found[f"{name}_ms"] = 1000 * statistics.median(times)
    return found


async def _console(port: int, pid: int, share: float) -> dict[str, float]:
    """The loop's time for each page of the console."""
    getter, found = Getter(port), {}
    for name, target in _CONSOLE.items():
        spent = Spent(loop_ms, pid, share)
        for _ in range(_GETS):
            await getter.get(target)
        found[f"{name}_loop_ms"] = await spent.each(_GETS)
    return found


async def _submit(spec: dict[str, Any]) -> dict[str, float]:
    """Submits jobs that no page takes, on 16 connections."""
    submitters = [Submitter(spec["port"], total=_SUBMITTED // 16, types=["queued"]) for _ in range(16)]
    meter, count = Meter(spec), Run.count
    for submitter in submitters:
        await submitter.open()
    for submitter in submitters:
        await until(submitter.finished)
    figures, jobs = meter.read(), Run.count - count
    return {"intake_per_s": jobs / figures["seconds"], "intake_us": 1e6 * figures["server_cpu_s"] / jobs}


async def _more_pages(spec: dict[str, Any], share: float) -> float:
    """The server's ms for one more page: handshake, register and the poll that brings the answer."""
    first, spent = spec["pages"] + 1, Spent(whole_ms, spec["pid"], share)
    for number in range(first, first + _MORE_PAGES, TOGETHER):
        await register(idle_kind(spec), spec["port"], range(number, number + TOGETHER))
    return await spent.each(_MORE_PAGES)
