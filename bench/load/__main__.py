"""The load generator: ``python -m bench.load '{"mode": "jobs", "port": 8888, ...}'`` prints one JSON object.

It must not be the bottleneck, so it is no good HTTP client: one callback per answer, requests made of bytes that
were put together before, messages found by their bytes and not parsed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.load.bare import bare
from bench.load.claims import claims
from bench.load.herd import job_pages, type_names
from bench.load.idle import idle
from bench.load.meter import Meter, quantile, window
from bench.load.pages import EchoPage, PairPage
from bench.load.progress import Run, until
from bench.load.rare import prepare_rare, rare
from bench.load.sockets import SocketEchoPage
from bench.load.steady import hold, steady
from bench.load.submitter import Submitter, one_by_one

Mode = Callable[[dict[str, Any]], Awaitable[dict[str, float]]]


async def _jobs(spec: dict[str, Any]) -> dict[str, float]:
    await job_pages(spec)
    return await window(spec)


async def _intake(spec: dict[str, Any]) -> dict[str, float]:
    for _ in range(spec["workers"]):
        await Submitter(spec["port"], batch=spec.get("batch", 0)).open()
    return await window(spec)


async def _prefill(spec: dict[str, Any]) -> dict[str, float]:
    """Submit ``jobs`` jobs in batches."""
    meter = Meter(spec)
    batch = min(500, spec["jobs"])
    submitter = Submitter(spec["port"], total=spec["jobs"], batch=batch, types=type_names(spec))
    await submitter.open()
    await until(submitter.finished)
    return meter.read()


async def _latency(spec: dict[str, Any]) -> dict[str, float]:
    """One job at a time, from the first byte of its POST to the last byte of its result."""
    await job_pages(spec)
    Run.count = 0
    rest_s = spec.get("rest_s", 0.0)
    await one_by_one(spec["port"], 20, rest_s=rest_s)
    meter = Meter(spec)
    times = await one_by_one(spec["port"], spec["jobs"], rest_s=rest_s)
    figures = meter.read()
    quantiles = {f"p{percent}_ms": 1000 * quantile(times, percent / 100) for percent in (50, 90, 99)}
    return {**figures, **quantiles, "count": len(times)}


async def _pages(spec: dict[str, Any]) -> dict[str, float]:
    echo = SocketEchoPage if spec.get("transport") == "websocket" else EchoPage
    kind = PairPage if spec["mode"] == "pairs" else echo
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
    "idle": idle,
    "steady": steady,
    "hold": hold,
    "rare": rare,
    "prepare-rare": prepare_rare,
    "bare": bare,
    "claims": claims,
}


async def _run(spec: dict[str, Any]) -> dict[str, float]:
    Run.done = asyncio.get_running_loop().create_future()
    figures = await _MODES[spec["mode"]](spec)
    Run.ending = True
    return figures


def main() -> None:
    """Do what the first argument says, and print the figures."""
    given = json.loads(sys.argv[1])
    if given.get("core") is not None:
        os.sched_setaffinity(0, {given["core"]})
    gc.freeze()
    print(json.dumps(asyncio.run(_run(given))))


if __name__ == "__main__":
    main()
