"""Who works while the nemesis does: submitters that give up and ask again, pages of four kinds, and who watches them.

All of them go through the proxy and write what they know into the history (see ``nemesis_checker`` for its lines).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from tests.support.http import JSON
from tests.support.http_bytes import Message, Side
from tests.support.toxic import Link, ToxicProxy

__all__ = ["KINDS", "History", "Load", "Watch"]

#: A submitter gives up after so long, and asks again with the same key.
GIVE_UP_S = 4.0
SUBMITTERS = 6
#: A job is asked for once more when it was acknowledged already: it must be the same.
ASKED_AGAIN = 0.1
#: Jobs that must take effect once.
ONCE = 0.15
#: At most so long between two jobs of a submitter: more than pages could do would only fill the queue.
PAUSE_S = 0.2
#: What is no answer to a submission, but no fault either: the server's and the proxy's refusals.
_LATER = (429, 502, 503, 504)

#: Kind of pages -> (how many of 50, what they do).
KINDS = {
    "good": (36, Faults(slow_s=(0.0, 0.05), repeat_posts=0.02)),
    "slow": (6, Faults(slow_s=(0.3, 2.0), fail=0.02)),
    "reloading": (4, Faults(slow_s=(0.0, 0.3), reload=0.1, reload_every_s=4.0)),
    "silent": (4, Faults(slow_s=(0.0, 0.2), never_answer=0.2, ignore_cancels=0.5, fail=0.1, reload_every_s=10.0)),
}
_RECONNECT = Reconnect(base_s=0.1, max_s=1.0)


class History:
    """A file of JSON lines, written as things happen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="utf-8")

    def note(self, event: str, **fields: Any) -> None:
        """One line."""
        self._file.write(json.dumps({"at": round(time.time(), 4), "event": event, **fields}) + "\n")

    def close(self) -> None:
        """Complete."""
        self._file.close()


class Submitter:
    """One connection to the proxy; each job until it is acknowledged, with the same key."""

    def __init__(self, port: int, history: History, rng: random.Random) -> None:
        self._port = port
        self._history = history
        self._rng = rng
        self._side: Side | None = None

    async def submit(self, key: str) -> str:
        """Returns the job's id once it is acknowledged."""
        data = {"key": key, "text": "\N{SNOWMAN}" * self._rng.randrange(50), "f": self._rng.random()}
        job: dict[str, Any] = {"type": "echo", "data": data, "timeout_s": 3, "max_attempts": 50, "max_crashes": 50}
        if self._rng.random() < ONCE:
            job["effects"] = "once"
        self._history.note("submit", key=key, data=data)
        job_id = await self._until_acknowledged(key, json.dumps(job).encode())
        if self._rng.random() < ASKED_AGAIN:
            await self._until_acknowledged(key, json.dumps(job).encode())
        return job_id

    async def _until_acknowledged(self, key: str, body: bytes) -> str:
        while True:
            answer = await self.ask("POST", "/api/v1/jobs", body, key)
            if answer is None:
                self._history.note("unknown", key=key)
            elif answer.status in (200, 201):
                job_id = str(json.loads(answer.content)["id"])
                self._history.note("answer", key=key, status=answer.status, id=job_id)
                return job_id
            elif answer.status not in _LATER:
                self._history.note("wrong", words=f"{key}: {answer.status} {answer.content[:200]!r}")
                raise AssertionError(f"{key}: {answer.status} {answer.content[:200]!r}")
            await asyncio.sleep(self._rng.uniform(0.01, 0.1))

    async def ask(self, method: str, target: str, body: bytes = b"", key: str = "") -> Message | None:
        """The answer; None: there was none."""
        headers = (JSON if body else {}) | ({"Idempotency-Key": key} if key else {})
        try:
            async with asyncio.timeout(GIVE_UP_S):
                if self._side is None:
                    self._side = await Side.connect(self._port)
                return await self._side.ask(method, target, body, host=f"127.0.0.1:{self._port}", **headers)
        except (OSError, EOFError, TimeoutError):
            self.close()
            return None

    def close(self) -> None:
        """Hangs up."""
        if self._side is not None:
            self._side.hang_up(reset=True)
            self._side = None


class Load:
    """Submitters and pages behind a proxy."""

    def __init__(
        self, port: int, history: History, rng: random.Random, *, share: float = 1.0, kinds: Any = None
    ) -> None:
        self.history = history
        self.port = port
        self._rng = rng
        self._made = self._named = 0
        self._ending = False
        self.tasks: list[asyncio.Task[None]] = []
        self._submitters = [Submitter(port, history, rng) for _ in range(SUBMITTERS)]
        self.farms = {
            name: Farm(
                f"http://127.0.0.1:{port}", workers=max(1, round(count * share)), task=self._answer, faults=faults,
                name_prefix=name, seed=rng.getrandbits(32), reconnect=_RECONNECT, slots=2 if name == "slow" else 1,
                transport="both",
            )
            for name, (count, faults) in (kinds or KINDS).items()
        }  # fmt: skip

    @property
    def stats(self) -> dict[str, int]:
        """Of all pages."""
        return {
            name: sum(farm.stats[name] for farm in self.farms.values())
            for name in sorted({name for farm in self.farms.values() for name in farm.stats})
        }

    def _answer(self, type_name: str, data: str) -> str:
        """Another result each time, so that it is known whose was recorded."""
        self._made += 1
        key: str = json.loads(data)["key"]
        text = json.dumps({"of": key, "run": self._made}, separators=(",", ":"))
        self.history.note("made", key=key, value=text)
        return text

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it lasts, submitters and pages work. At its end all go, and the history is complete."""
        for farm in self.farms.values():
            await farm.start()
        self.tasks += [asyncio.create_task(self._submit(submitter)) for submitter in self._submitters]
        try:
            yield
        finally:
            await self._stop()

    async def registered(self) -> None:
        """Returns when every page is known."""
        for farm in self.farms.values():
            await farm.registered()

    async def _submit(self, submitter: Submitter) -> None:
        while not self._ending:
            self._named += 1
            job_id = await submitter.submit(f"key-{self._named}")
            if self._rng.random() < 0.1:
                await submitter.ask("GET", f"/api/v1/jobs/{job_id}?wait=1")
            await asyncio.sleep(self._rng.uniform(0, PAUSE_S))

    async def end_submissions(self, timeout_s: float) -> None:
        """No new jobs; returns when what was sent is acknowledged. The pages that misbehave go, as in a crash."""
        self._ending = True
        for name, farm in self.farms.items():
            if name in ("reloading", "silent"):
                await farm.stop(bye=False)
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(*self.tasks)

    async def _stop(self) -> None:
        """All go; what the pages did goes into the history."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for submitter in self._submitters:
            submitter.close()
        for farm in self.farms.values():
            await farm.stop(bye=False)
            for run in farm.executed:
                self.history.note("run", job=run.job, attempt=run.attempt, worker=run.worker)
            for outcome in farm.outcomes:
                self.history.note("verdict", **outcome._asdict())
        self.history.close()


class Watch:
    """Looks for requests that hang: those that the server has had for longer than ``limit_s`` while it could answer."""

    EVERY_S = 0.1

    def __init__(self, proxy: ToxicProxy, history: History, limit_s: float) -> None:
        self._proxy = proxy
        self._history = history
        self._limit_s = limit_s
        #: False while the server is frozen or nothing passes to it: then nobody's time is counted.
        self.fair = True
        self.longest_s = 0.0
        self.hung = 0
        self._ages: dict[tuple[int, int], float] = {}

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(self.EVERY_S)
            now = loop.time()
            self._look(now - before)
            before = now

    async def turned_over(self) -> None:
        """Returns when each request that the server has now is answered, or hangs: a poll gets a ping at the latest."""
        loop = asyncio.get_running_loop()
        end, before = loop.time() + self._limit_s + 1, self._waiting().keys()
        while before & self._waiting().keys() and loop.time() < end:
            await asyncio.sleep(self.EVERY_S)

    def _waiting(self) -> dict[tuple[int, int], Link]:
        return {(link.number, link.exchanges): link for link in self._proxy.links if link.waits}

    def _look(self, passed_s: float) -> None:
        waiting = self._waiting()
        added_s = passed_s if self.fair else 0.0
        self._ages = {which: self._ages.get(which, 0.0) + added_s for which in waiting}
        self.longest_s = max([self.longest_s, *self._ages.values()])
        for which, link in waiting.items():
            if self._ages[which] > self._limit_s:
                self.hung += 1
                self._ages[which] = float("-inf")  # counted once
                words = link.request.start if link.request else "?"
                self._history.note("wrong", words=f"hung: {words} has no answer after {self._limit_s:g} s")
