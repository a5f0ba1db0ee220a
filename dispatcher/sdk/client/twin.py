"""``AsyncClient`` and ``AsyncJob``: the same as ``Client`` and ``Job``, for programs with a loop."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from . import together
from .answers import outcome_of
from .client import not_over
from .config import find_config
from .encoding import JobOptions, encode_job
from .errors import PagehandClientError
from .exchange import ConnectionLost
from .facts import JobFacts
from .mapping import bar_of, batches, check_chunk
from .plans import Delay, Plans, Steps, key_or_new
from .retrying import RetryRule
from .streams import StreamConnections
from .together import BatchFacts, Waited

if TYPE_CHECKING:
    import ssl

__all__ = ["AsyncBatch", "AsyncClient", "AsyncJob"]

T = TypeVar("T")

_CONNECTIONS = 8


class AsyncJob(JobFacts):
    """A job. Its properties say what was known last; the methods ask the server."""

    def __init__(self, client: AsyncClient, fields: dict[str, Any]) -> None:
        super().__init__(fields, client.url)
        self._client = client

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Its attempts as they were known last, oldest first. A job of a list knows them after ``refresh()``."""
        return list(self.fields.get("attempts", []))

    async def refresh(self) -> AsyncJob:
        """Asks the server; returns itself."""
        self.fields = await self._client._do(self._client._plans.job(self.id), self)
        return self

    async def status(self) -> str:
        """The state, asked anew."""
        return (await self.refresh()).state

    async def wait(self, timeout: float | None = None) -> bool:
        """Whether it is over (or in doubt) within ``timeout`` seconds; without one, it waits for ever."""
        if self.over:
            return True
        deadline = self._client._deadline(timeout)
        fields = await self._client._do(self._client._plans.over(self.id, deadline), self)
        self.fields = fields or self.fields
        return fields is not None

    async def result(self, timeout: float | None = None) -> Any:
        """Its result. Raises JobFailed and the like, or JobTimeout (a TimeoutError): then it goes on."""
        if not await self.wait(timeout):
            raise not_over(self, timeout)
        if "attempts" not in self.fields:
            await self.refresh()
        return outcome_of(self)

    async def cancel(self, reason: str | None = None) -> AsyncJob:
        """Ends it, also if it runs; its page is told to stop."""
        self.fields = await self._client._do(self._client._plans.act(self.id, "cancel", {"reason": reason}), self)
        return self

    async def retry(self, reason: str | None = None) -> AsyncJob:
        """Another round for one that failed, expired, was cancelled or is in doubt; the audit log keeps the reason."""
        self.fields = await self._client._do(self._client._plans.act(self.id, "retry", {"reason": reason}), self)
        return self


class AsyncBatch(BatchFacts):
    """Jobs that were submitted together. Its properties say what was known last; the methods ask the server."""

    def __init__(self, client: AsyncClient, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self._client = client

    async def refresh(self) -> AsyncBatch:
        """Asks the server; returns itself."""
        self.fields = await self._client._do(together.batch(self._client._plans, self.id))
        return self

    async def wait(self, timeout: float | None = None) -> bool:
        """Whether all of its jobs are over (or in doubt) within ``timeout`` seconds; without one, it waits for ever."""
        deadline = self._client._deadline(timeout)
        fields = await self._client._do(together.batch_over(self._client._plans, self.id, deadline))
        self.fields = fields or self.fields
        return fields is not None

    async def results(self) -> list[dict[str, Any]]:
        """``id``, ``state``, ``result`` and ``error`` of each of its jobs, in the order in which they were given."""
        return await self._client._do(together.batch_results(self._client._plans, self.id))


class AsyncClient:
    """Submits jobs to one server; see ``Client``. Use it in one loop."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        retry_for: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
        config_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        config = find_config(url, token, path=config_file)
        #: The address of the server.
        self.url = config.url
        self._connections = StreamConnections(config, ssl_context)
        self._plans = Plans(config.url, RetryRule(retry_for), clock=clock, rng=rng)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"<AsyncClient {self.url}>"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes its connections."""
        await self._connections.close()

    # -- jobs

    async def submit(
        self, type: str, data: Any = None, *, key: str | None = None, **options: Unpack[JobOptions]
    ) -> AsyncJob:
        """A new job, durable on the server; see ``Client.submit``."""
        body = encode_job(type, data, options)
        return AsyncJob(self, await self._do(self._plans.submit(body, key_or_new(key))))

    async def run(
        self,
        type: str,
        data: Any = None,
        *,
        timeout: float | None = None,
        key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Any:
        """Submits a job and returns its result; see ``Client.run``."""
        key, deadline = key_or_new(key), self._deadline(timeout)
        job = AsyncJob(self, await self._do(self._plans.run(encode_job(type, data, options), key, deadline)))
        if not job.over:
            raise not_over(job, timeout)
        return outcome_of(job)

    async def submit_batch(
        self, type: str, items: Iterable[Any], *, key: str | None = None, **options: Unpack[JobOptions]
    ) -> list[AsyncJob]:
        """Up to 1,000 jobs at once, all or none."""
        bodies = [encode_job(type, item, options) for item in items]
        return await self._submit_bodies(bodies, key_or_new(key))

    async def _submit_bodies(self, bodies: list[bytes], key: str) -> list[AsyncJob]:
        return [AsyncJob(self, fields) for fields in await self._do(self._plans.submit_batch(bodies, key))]

    async def map(
        self,
        type: str,
        items: Iterable[Any],
        *,
        chunk: int = 500,
        key: str | None = None,
        return_exceptions: bool = False,
        progress: bool | None = None,
        **options: Unpack[JobOptions],
    ) -> AsyncIterator[Any]:
        """The results of one job for each item, in order; see ``Client.map``.

        A handful of connections wait for the oldest jobs, so at most two chunks are open.
        """
        check_chunk(chunk)
        key = key_or_new(key)
        bodies = (encode_job(type, item, options) for item in items)
        with bar_of(items, progress) as bar:
            async with aclosing(self._results(batches(bodies, chunk), key, 2 * chunk, return_exceptions)) as results:
                async for result in results:
                    bar.step()
                    yield result

    async def _results(
        self, cuts: Iterable[list[bytes]], key: str, window: int, return_exceptions: bool
    ) -> AsyncGenerator[Any]:
        ahead: deque[AsyncJob] = deque()
        waits: deque[asyncio.Task[Any]] = deque()
        try:
            for number, cut in enumerate(cuts):
                while len(ahead) + len(waits) + len(cut) > window:
                    yield await _next(ahead, waits, return_exceptions)
                ahead.extend(await self._submit_bodies(cut, f"{key}-{number}"))
            while ahead or waits:
                yield await _next(ahead, waits, return_exceptions)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def job(self, id: str) -> AsyncJob:
        """The job with this id. Raises NotFound."""
        return AsyncJob(self, await self._do(self._plans.job(id)))

    async def jobs(self, **filters: Any) -> AsyncIterator[AsyncJob]:
        """Jobs, newest first; ``state``, ``type``, ``requires`` and ``worker`` filter."""
        async for fields in self._items("jobs", filters):
            yield AsyncJob(self, fields)

    async def batch(self, id: str) -> AsyncBatch:
        """The batch with this id: ``job.batch`` of each of its jobs. Raises NotFound."""
        return AsyncBatch(self, await self._do(together.batch(self._plans, id)))

    async def wait(
        self, jobs: Iterable[AsyncJob], timeout: float | None = None, *, any: bool = False
    ) -> Waited[AsyncJob]:
        """Waits until all jobs are over, or with ``any`` the first one is; see ``Client.wait``."""
        return await self._do(together.waited(self._plans, list(jobs), self._deadline(timeout), first=any))

    async def events(self, *, after: str | None = None, **filters: Any) -> AsyncIterator[dict[str, Any]]:
        """What changes, as it happens; see ``Client.events``."""
        while True:
            page = await self._do(together.changes(self._plans, filters, after))
            for change in together.items_of(page):
                yield change
            after = page["after"]

    async def act(
        self,
        action: str,
        wanted: Mapping[str, Any] | None = None,
        *,
        ids: Sequence[str] | None = None,
        priority: int | None = None,
        reason: str | None = None,
        expect: int | None = None,
        dry_run: bool = False,
        free_key: bool | None = None,
    ) -> dict[str, Any]:
        """One order for all jobs that match, or for ``ids``; see ``Client.act``."""
        order = {
            "filter": wanted, "ids": ids, "priority": priority, "reason": reason, "expect": expect,
            "dry_run": dry_run, "free_key": free_key,
        }  # fmt: skip
        return await self._do(self._plans.acted_on_jobs(action, order))

    # -- the server

    def workers(self, **filters: Any) -> AsyncIterator[dict[str, Any]]:
        """The workers; ``name``, ``type``, ``label`` and ``state`` filter."""
        return self._items("workers", filters)

    def types(self, **filters: Any) -> AsyncIterator[dict[str, Any]]:
        """The types; ``q`` is the beginning of a name."""
        return self._items("types", filters)

    async def stats(self, *, type: str | None = None, window: str | None = None) -> dict[str, Any]:
        """What the server counts; with a type or a window (``1m`` to ``30d``) also how jobs ``ended`` in it."""
        return await self._do(self._plans.stats(type, window))

    # -- how it works

    async def _items(self, name: str, filters: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        cursor = None
        while True:
            page = await self._do(self._plans.page(name, filters, cursor))
            for item in page["items"]:
                yield item
            if (cursor := page["next_cursor"]) is None:
                return

    def _deadline(self, timeout: float | None) -> float | None:
        return None if timeout is None else self._plans.clock() + timeout

    async def _do(self, steps: Steps[T], job: JobFacts | None = None) -> T:
        """Runs a plan. An error that it raises carries the job."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Delay):
                    await self._sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = await self._connections.send(step.call, step.timeout_s)
                except ConnectionLost as lost:
                    step = steps.throw(lost)
                else:
                    step = steps.send(answer)
        except StopIteration as done:
            value: T = done.value
            return value
        except PagehandClientError as error:
            error.job = error.job or job
            raise


async def _next(ahead: deque[AsyncJob], waits: deque[asyncio.Task[Any]], return_exceptions: bool) -> Any:
    """The outcome of the oldest job, while some others are waited for too."""
    while ahead and len(waits) < _CONNECTIONS:
        waits.append(asyncio.ensure_future(ahead.popleft().result()))
    try:
        return await waits.popleft()
    except PagehandClientError as error:
        if not return_exceptions:
            raise
        return error
