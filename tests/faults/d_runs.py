"""Runs of section D: simulated pages (``dispatcher/sdk/simulator``) work off jobs through a toxic proxy.

After each run the store is read: every job that was acknowledged is done, once, and to the letter.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Farm, Reconnect
from tests.crash.checker import Submitter, check
from tests.support.process import ServerProcess, serving
from tests.support.toxic import ToxicProxy, Toxics, toxic
from tests.support.waiting import eventually

__all__ = ["QUICK", "Ran", "all_done", "work_through"]

#: Pages that come back quickly; a test of coming back uses the usual numbers.
QUICK = Reconnect(base_s=0.05, max_s=0.2)


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a run."""

    farm: Farm
    counters: Counter[str]
    #: The jobs as the API showed them at the end.
    jobs: list[dict[str, Any]]
    #: How many tasks were started beyond the first of each job.
    repeated: int


async def work_through(
    directory: Path,
    toxics: Toxics,
    *,
    flags: Sequence[str] = (),
    jobs: int = 30,
    data: Any = 1,
    spread_s: float = 0.0,
    timeout_s: float = 40.0,
    workers: int = 4,
    reconnect: Reconnect = QUICK,
    proxy_kind: Callable[[int], contextlib.AbstractAsyncContextManager[ToxicProxy]] = toxic,
    **farm_fields: Any,
) -> Ran:
    """Works off this many jobs, submitted over ``spread_s``, with these toxics between the pages and the server."""
    async with serving(directory, *flags) as server, proxy_kind(server.port) as proxy:
        farm = Farm(proxy.url, workers=workers, reconnect=reconnect, seed=7, **farm_fields)
        await farm.start()
        await farm.registered(timeout_s=timeout_s)
        await proxy.switch(toxics)
        submitter = Submitter(server)
        for number in range(jobs):
            await submitter.submit(f"key-{number}", {"n": number, "data": data})
            await asyncio.sleep(spread_s / jobs)
        await eventually(lambda: all_done(server, jobs), what="every job is done", timeout_s=timeout_s)
        shown = [await server.job(job_id) for job_id in submitter.accepted.values()]
        await proxy.switch()
        # A page whose report was recorded may not have heard so: it repeats it, and that is what runs count.
        await eventually(lambda: all(page.idle for page in farm.pages), what="all verdicts", timeout_s=timeout_s)
        await farm.stop(bye=False)
        assert await server.stop() == 0
        findings = check(server.store, submitter, farm.executed)
        assert findings.violations == []
        assert farm.stats["bad_messages"] == 0
        return Ran(farm, Counter(proxy.counters), shown, findings.repeated_executions)


async def all_done(server: ServerProcess, jobs: int) -> bool:
    """Whether this many jobs have succeeded, and there are no others."""
    counts = (await server.get("/api/v1/stats"))["jobs"]
    return bool(counts["succeeded"] == jobs and sum(counts.values()) == jobs)
