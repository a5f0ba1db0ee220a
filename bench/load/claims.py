"""What claims cost while few and many jobs wait: time, and what the database touches for them, by its own statistics.

The real store is in this process. Each turn ends the jobs that were claimed in the last one, claims as many, and takes
in as many new ones, so that as many wait afterwards as before.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from typing import Any

import psycopg

from bench.load.meter import Meter
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause, Claim, Demand, Ended, Holder, Turn
from dispatcher.store.applier.hand import Ids
from dispatcher.store.port import Limits
from dispatcher.store.postgres.store import PostgresStore

__all__ = ["claims"]

#: Jobs of a turn, and of one that fills; turns that are measured, behind some that warm up.
_JOBS, _FILL, _TURNS, _WARM = 8, 2_000, 60, 10
_HOLDER = Holder("w-0123456789", "worker-1", "boot-0123456789")
_SPEC = JobSpec(type="bench", data='{"n":1}', terms=Terms(), fingerprint="f" * 64)
_TOUCHED = """
SELECT blks_hit + blks_read, tup_returned + tup_fetched, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint
FROM pg_stat_database WHERE datname = current_database()
"""
#: A connection tells the statistics at most each second what it has touched.
_TOLD_S = 1.1


async def claims(spec: dict[str, Any]) -> dict[str, float]:
    """``sizes``: how many wait. ``url``: an empty database."""
    numbers, instants = itertools.count(), itertools.count(1)
    ids = Ids(lambda: f"j-{next(numbers):026d}", lambda: f"{next(numbers):032x}")
    store = await PostgresStore.open(spec["url"], ids, limits=Limits(queue_depth=2_000_000))

    async def turn(**items: Any) -> list[Claim]:
        at = next(instants)
        return (await store.apply(Turn(epoch=store.epoch, now_at=1e9 + at, elapsed_s=at / 100, **items))).claims

    meter, figures, waiting = Meter(spec), dict[str, float](), 0
    with psycopg.connect(spec["url"], autocommit=True) as watch:
        for size in spec["sizes"]:
            for number in range(waiting, size, _FILL):
                await turn(submissions=[_SPEC] * min(_FILL, size - number))
            waiting = size
            watch.execute("VACUUM ANALYZE pagehand.jobs, pagehand.job_data, pagehand.attempts, pagehand.results")
            watch.execute("CHECKPOINT")
            figures |= {f"{name}_{size}": value for name, value in (await _measured(turn, watch)).items()}
    await store.close()
    return meter.read() | figures | {"count": float(len(spec["sizes"]) * _TURNS * _JOBS)}


async def _measured(turn: Any, watch: psycopg.Connection[Any]) -> dict[str, float]:
    had: list[Claim] = []
    times: list[float] = []
    for number in range(_WARM + _TURNS):
        if number == _WARM:
            before = await _touched(turn, watch)
        began = time.perf_counter()
        had = await turn(reports=_ends(had), submissions=[_SPEC] * _JOBS, demand=[Demand(0, ("bench",), _JOBS)])
        times.append(time.perf_counter() - began)
        assert len(had) == _JOBS
    after, jobs = await _touched(turn, watch), _TURNS * _JOBS
    blocks, rows, log = ((now - first) / jobs for now, first in zip(after, before, strict=True))
    return {"turn_ms": 1000 * statistics.median(times[_WARM:]), "blocks": blocks, "rows": rows, "log_bytes": log}


def _ends(had: list[Claim]) -> list[Any]:
    return [
        Ended(claim.attempt, Cause.SUCCEEDED, Event.SUCCEED, _HOLDER, value='"OK"', implies_accept=True)
        for claim in had
    ]


async def _touched(turn: Any, watch: psycopg.Connection[Any]) -> tuple[int, ...]:
    """Blocks and rows that the database has touched so far, and bytes of its log. What both have to tell is told."""
    await asyncio.sleep(_TOLD_S)
    await turn()
    watch.execute("SELECT")
    found: tuple[int, ...] = watch.execute(_TOUCHED.encode()).fetchall()[0]
    return found
