"""``Executor``: jobs as futures. One thread sends, a handful wait, for any number of futures."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, Unpack

from .client import Client, Job
from .encoding import JobOptions, encode_job
from .errors import PagehandClientError, RequestRefused
from .futures import JobFuture
from .mapping import MOST_BYTES
from .plans import new_key
from .watch import Watcher

__all__ = ["Executor"]

_BATCH = 500
#: ``submit`` blocks while so many jobs wait to be sent.
_MOST_UNSENT = 10_000


class Unsent(NamedTuple):
    """A job that is to be sent."""

    body: bytes
    future: JobFuture


class Executor:
    """Runs jobs of one type; ``submit(data)`` returns a real ``Future``.

    The type belongs to the executor and not to each call, because data may be a text, too: nobody could tell the two
    apart. ``submit(data, type="other")`` is for the rest. Its futures' ``cancel()`` cancels a job that has not begun.
    """

    def __init__(
        self,
        client: Client | None = None,
        type: str | None = None,
        *,
        connections: int = 8,
        **options: Unpack[JobOptions],
    ) -> None:
        self._own = client is None
        self.client = client or Client()
        self._type = type
        self._options = options
        self._news = threading.Condition()
        self._unsent: deque[Unsent] = deque()
        self._given_up: deque[JobFuture] = deque()
        self._open: set[JobFuture] = set()
        self._closed = False
        self._sender: threading.Thread | None = None
        self._pid = os.getpid()
        self._watcher = Watcher(self._ask, connections)

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    def submit(self, data: Any = None, *, type: str | None = None, **options: Unpack[JobOptions]) -> JobFuture:
        """A job for this data. Blocks only while 10,000 jobs wait to be sent."""
        wanted = type or self._type
        if wanted is None:
            raise TypeError("say the type of the job: Executor(client, type=...) or submit(data, type=...)")
        body = encode_job(wanted, data, {**self._options, **options})
        if self._pid != os.getpid():  # its threads are not here, and its lock may be held for ever
            raise RuntimeError("this executor belongs to the parent process: make another one after a fork")
        future = JobFuture(self._cancelled)
        with self._news:
            self._news.wait_for(lambda: self._closed or len(self._unsent) < _MOST_UNSENT)
            if self._closed:
                raise RuntimeError("the executor was shut down: it takes no more jobs")
            self._open.add(future)
            self._unsent.append(Unsent(body, future))
            self._start()
            self._news.notify_all()
        future.add_done_callback(self._done)
        return future

    def map(
        self, items: Iterable[Any], *, timeout: float | None = None, **options: Unpack[JobOptions]
    ) -> Iterator[Any]:
        """The results in order, as ``concurrent.futures.Executor.map`` gives them. All are submitted at once."""
        deadline = None if timeout is None else self.client._plans.clock() + timeout
        futures = [self.submit(item, **options) for item in items]
        return (
            each.result(None if deadline is None else max(0.0, deadline - self.client._plans.clock()))
            for each in futures
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes no more jobs. With ``wait``: returns when all futures are done."""
        with self._news:
            self._closed = True
            still = list(self._open)
            self._news.notify_all()
        if cancel_futures:
            for future in still:
                future.cancel()
        if not wait:
            return
        concurrent.futures.wait(still)
        if self._sender is not None:
            self._sender.join()
        self._watcher.close()
        if self._own:
            self.client.close()

    # -- the thread that sends

    def _start(self) -> None:
        if self._sender is None:
            self._sender = threading.Thread(target=self._send_all, name="pagehand-send", daemon=True)
            self._sender.start()

    def _send_all(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._unsent or self._given_up or (self._closed and not self._open))
                given_up = self._given_up.popleft() if self._given_up else None
                batch = [] if given_up else self._next_batch()
                if not batch and given_up is None:
                    if self._closed and not self._open and not self._unsent:
                        self._watcher.close()
                        return
                    continue
                self._news.notify_all()
            if given_up is not None:
                self._cancel_if_waiting(given_up)
            else:
                self._send(batch)

    def _next_batch(self) -> list[Unsent]:
        batch: list[Unsent] = []
        size = 0
        while self._unsent and len(batch) < _BATCH:
            size += len(self._unsent[0].body) + 1
            if batch and size > MOST_BYTES:
                break
            order = self._unsent.popleft()
            if not order.future.cancelled():
                batch.append(order)
        return batch

    def _send(self, batch: list[Unsent]) -> None:
        try:
            jobs = self._submitted([order.body for order in batch])
        except RequestRefused as error:
            if len(batch) == 1:
                batch[0].future.settle(self.client, error)
                return
            # One bad job refuses the batch, and nothing of it was kept.
            for order in batch:
                self._send([order])
        except (PagehandClientError, RuntimeError) as error:
            for order in batch:
                order.future.settle(self.client, error)
        else:
            for order, job in zip(batch, jobs, strict=True):
                self._taken(order.future, job)

    def _submitted(self, bodies: list[bytes]) -> list[Job]:
        """A job alone is submitted alone: a refusal then names its fields as the caller does."""
        if len(bodies) > 1:
            return self.client._submit_bodies(bodies, new_key())
        return [Job(self.client, self.client._do(self.client._plans.submit(bodies[0], new_key())))]

    def _taken(self, future: JobFuture, job: Job) -> None:
        future.job = job
        if future.cancelled():
            self._cancel_if_waiting(future)
        else:
            self._watcher.watch(job.id, lambda news: future.settle(self.client, news))

    def _ask(self, job_id: str, wait_s: int) -> dict[str, Any]:
        return self.client._do(self.client._plans.job(job_id, wait_s=wait_s))

    # -- ends

    def _done(self, future: concurrent.futures.Future[Any]) -> None:
        with self._news:
            self._open.discard(future)
            self._news.notify_all()

    def _cancelled(self, future: JobFuture) -> None:
        with self._news:
            if future.job is not None:
                self._given_up.append(future)
                self._news.notify_all()

    def _cancel_if_waiting(self, future: JobFuture) -> None:
        """Somebody may be quicker, and it may begin at this very moment: then it is stopped, too."""
        job = future.job
        assert job is not None
        try:
            if job.status() in ("scheduled", "queued"):
                job.cancel("its future was cancelled")
        except (PagehandClientError, RuntimeError):
            return  # it has ended, or nobody can be asked: the future is cancelled all the same
