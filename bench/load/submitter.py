"""Submits jobs through the API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bench.load.client import connect, job_head
from bench.load.progress import Run, until

__all__ = ["LATE_S", "Submitter", "one_by_one"]

#: How long a single job may take.
LATE_S = 10


class Submitter:
    """POSTs jobs one after the other; with ``batch``, that many in each request, of ``types`` in turn.

    ``late``: a job that is not done in time is no failure. ``rest_s``: it rests after each answer.
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
        rest_s: float = 0.0,
    ) -> None:
        self._port, self._left, self._number = port, total, 0
        self._batch, self._types = batch, [name.encode() for name in types]
        path = "/api/v1/jobs/batch" if batch else "/api/v1/jobs"
        self._head = job_head(port, path=path, wait_s=wait_s)
        self._expected = (200, 201)
        self.finished = asyncio.get_running_loop().create_future()
        self.latencies_s: list[float] = []
        self._waits, self._late, self._rest_s = bool(wait_s), late, rest_s

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
            self._client.leave()
            self.finished.set_result(None)
        elif self._rest_s:
            asyncio.get_running_loop().call_later(self._rest_s, self._submit)
        else:
            self._submit()


async def one_by_one(
    port: int, jobs: int, job_type: str = "bench", *, late: bool = False, rest_s: float = 0.0
) -> list[float]:
    """The sorted seconds that single jobs took; ``late``: one that is not done within ``LATE_S`` is no failure."""
    submitter = Submitter(port, total=jobs, wait_s=LATE_S, types=[job_type], late=late, rest_s=rest_s)
    await submitter.open()
    await until(submitter.finished)
    return sorted(submitter.latencies_s)
