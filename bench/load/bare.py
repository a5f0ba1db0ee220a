"""A bare loop of claims and finishes on PostgreSQL: what a queue costs there at least, without pages and promises.

One connection, one table. A turn finishes the jobs that were claimed in the last one, claims as many, and commits.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg

from bench.load.meter import Meter
from bench.load.progress import Run

__all__ = ["bare"]

_TABLE = """
CREATE TABLE bare (
    seq bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, state text NOT NULL, rank double precision NOT NULL,
    data text NOT NULL, worker text, started_at timestamptz, ended_at timestamptz, result text
) WITH (fillfactor = 70);
CREATE INDEX bare_ready ON bare (rank, seq) WHERE state = 'queued'
"""
_FILL = "INSERT INTO bare (state, rank, data) SELECT 'queued', n, '{\"n\":1}' FROM generate_series(1, %s) AS n"
_FINISH = """
UPDATE bare SET state = 'succeeded', ended_at = clock_timestamp(), result = '"OK"' WHERE seq = ANY(%s)
"""
_CLAIM = """
UPDATE bare b SET state = 'running', worker = 'w', started_at = clock_timestamp() FROM (
    SELECT seq FROM bare WHERE state = 'queued' ORDER BY rank, seq LIMIT %s FOR UPDATE SKIP LOCKED
) AS r WHERE b.seq = r.seq RETURNING b.seq, b.data
"""


async def bare(spec: dict[str, Any]) -> dict[str, float]:
    """``slots``: jobs in a turn; ``jobs``: all that there are; ``url``: an empty database."""
    with psycopg.connect(spec["url"], autocommit=True) as connection:
        connection.execute(_TABLE)
        connection.execute(_FILL, [spec["jobs"]])
        connection.execute("VACUUM ANALYZE bare")
        connection.execute("CHECKPOINT")
        connection.prepare_threshold = 0
        had = _turn(connection, [], spec["slots"])
        meter = Meter(spec)
        end = time.perf_counter() + spec["seconds"]
        while had and time.perf_counter() < end:
            had = _turn(connection, had, spec["slots"])
            Run.count += len(had)
        return meter.read()


def _turn(connection: psycopg.Connection[Any], had: list[int], most: int) -> list[int]:
    with connection.transaction(), connection.pipeline():
        if had:
            connection.execute(_FINISH, [had])
        found = connection.execute(_CLAIM, [most])
        return [seq for seq, _ in found]
