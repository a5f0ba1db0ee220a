"""Load for ``pagehand simulate --submit``: jobs at a steady rate, however long the server takes for each."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence

from .simulator.http import HttpConnection, ServerAddress

__all__ = ["Submitters"]

#: Requests that may be on their way at once; jobs beyond that are left out, and counted.
_MOST_AT_ONCE = 64
_TIMEOUT_S = 15.0


class Submitters:
    """Submits ``per_s`` jobs a second, of these types in turn. ``stats`` counts what became of them."""

    def __init__(self, url: str, *, per_s: float, types: Sequence[str], token: str | None, stats: Counter[str]) -> None:
        self._origin = ServerAddress.parse(url)
        self._per_s = per_s
        self._types = types
        self._token = token
        self._stats = stats
        self._idle: list[HttpConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Submits until it is cancelled. Raises what no job should meet: a fault of ours."""
        loop = asyncio.get_running_loop()
        began, number = loop.time(), 0
        async with asyncio.TaskGroup() as group:
            while True:
                if len(self._tasks) < _MOST_AT_ONCE:
                    task = group.create_task(self._submit(number))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                else:
                    self._stats["submits_left_out"] += 1
                number += 1
                # The next instant is counted from the start: a slow moment does not lower the rate.
                await asyncio.sleep(began + number / self._per_s - loop.time())

    async def _submit(self, number: int) -> None:
        job_type = self._types[number % len(self._types)]
        body = json.dumps({"type": job_type, "data": _data(job_type, number)}).encode()
        connection = self._idle.pop() if self._idle else HttpConnection(self._origin)
        try:
            answer = await connection.request(
                *("POST", "/api/v1/jobs", body),
                content_type="application/json",
                token=self._token,
                timeout_s=_TIMEOUT_S,
            )
        except OSError:
            self._stats["submits_failed"] += 1
        else:
            self._stats["submitted" if answer.status == 201 else f"submits_refused_{answer.status}"] += 1
            self._idle.append(connection)

    def close(self) -> None:
        """Closes what is open."""
        for connection in self._idle:
            connection.close()


def _data(job_type: str, number: int) -> object:
    return {"text": f"job number {number} of a simulated load"} if job_type == "word-count" else {"number": number}
