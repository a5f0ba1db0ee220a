"""``Client`` and ``Job``: for programs without a loop. Threads may share a client."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from . import together
from .answers import outcome_of
from .config import find_config
from .encoding import JobOptions, encode_job
from .errors import JobTimeout, PagehandClientError
from .exchange import ConnectionLost
from .facts import JobFacts
from .plans import Delay, Plans, Steps, key_or_new
from .retrying import RetryRule
from .together import BatchFacts, Waited
from .wire import Connections

if TYPE_CHECKING:
    import ssl

__all__ = ["Batch", "Client", "Job", "not_over"]

T = TypeVar("T")


class Job(JobFacts):
    """A job. Its properties say what was known last; the methods ask the server."""

    def __init__(self, client: Client, fields: dict[str, Any]) -> None:
        super().__init__(fields, client.url)
        self._client = client

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Its attempts, oldest first. A job of a list does not know them, and asks."""
        if "attempts" not in self.fields:
            self.refresh()
        return list(self.fields["attempts"])

    def refresh(self) -> Job:
        """Asks the server; returns itself."""
        self.fields = self._client._do(self._client._plans.job(self.id), self)
        return self

    def status(self) -> str:
        """The state, asked anew."""
        return self.refresh().state

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it is over (or in doubt) within ``timeout`` seconds; without one, it waits for ever."""
        if self.over:
            return True
        deadline = self._client._deadline(timeout)
        fields = self._client._do(self._client._plans.over(self.id, deadline), self)
        self.fields = fields or self.fields
        return fields is not None

    def result(self, timeout: float | None = None) -> Any:
        """Its result. Raises JobFailed and the like, or JobTimeout (a TimeoutError): then it goes on."""
        if not self.wait(timeout):
            raise not_over(self, timeout)
        if "attempts" not in self.fields:
            self.refresh()
        return outcome_of(self)

    def cancel(self, reason: str | None = None) -> Job:
        """Ends it, also if it runs; its page is told to stop."""
        self.fields = self._client._do(self._client._plans.act(self.id, "cancel", {"reason": reason}), self)
        return self

    def retry(self, reason: str | None = None) -> Job:
        """Another round for one that failed, expired, was cancelled or is in doubt; the audit log keeps the reason."""
        self.fields = self._client._do(self._client._plans.act(self.id, "retry", {"reason": reason}), self)
        return self


class Batch(BatchFacts):
    """Jobs that were submitted together. Its properties say what was known last; the methods ask the server."""

    def __init__(self, client: Client, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self._client = client

    def refresh(self) -> Batch:
        """Asks the server; returns itself."""
        self.fields = self._client._do(together.batch(self._client._plans, self.id))
        return self

    def wait(self, timeout: float | None = None) -> bool:
        """Whether all of its jobs are over (or in doubt) within ``timeout`` seconds; without one, it waits for ever."""
        deadline = self._client._deadline(timeout)
        fields = self._client._do(together.batch_over(self._client._plans, self.id, deadline))
        self.fields = fields or self.fields
        return fields is not None

    def results(self) -> list[dict[str, Any]]:
        """``id``, ``state``, ``result`` and ``error`` of each of its jobs, in the order in which they were given."""
        return self._client._do(together.batch_results(self._client._plans, self.id))


def not_over(job: JobFacts, timeout: float | None) -> JobTimeout:
    """The caller's time is over."""
    waits = f" ({job.fields['waits']})" if job.fields.get("waits") else ""
    words = f"the job {job.id} ({job.type}) is not over after {timeout:g} s: it is {job.state}{waits}."
    return JobTimeout(f"{words} It goes on; wait again, or cancel it. See {job.url}", job=job)


class Client:
    """Submits jobs to one server.

    ``url`` and ``token`` come from the arguments, ``PAGEHAND_URL`` and ``PAGEHAND_TOKEN`` (or ``PAGEHAND_TOKEN_FILE``),
    or ``~/.config/pagehand/config.toml``. A request that gets no answer, or one that may pass (429, 502, 503, 504), is
    sent again for ``retry_for`` seconds, always with the same key: a job is taken once.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        retry_for: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
        config_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        config = find_config(url, token, path=config_file)
        #: The address of the server.
        self.url = config.url
        self._connections = Connections(config, ssl_context)
        self._plans = Plans(config.url, RetryRule(retry_for), clock=clock, rng=rng)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"<Client {self.url}>"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._connections.close()

    # -- jobs

    def submit(self, type: str, data: Any = None, *, key: str | None = None, **options: Unpack[JobOptions]) -> Job:
        """A new job, durable on the server. With the ``key`` of an earlier one: that one.

        ``options``: ``priority``, ``delay_s``, ``timeout_s``, ``max_attempts``, ``max_crashes``, ``expires_s``,
        ``heartbeat_s``, ``requires``, ``effects``, ``tags``, ``summary``,
        ``callback_url``.
        """
        body = encode_job(type, data, options)
        return Job(self, self._do(self._plans.submit(body, key_or_new(key))))

    def run(
        self,
        type: str,
        data: Any = None,
        *,
        timeout: float | None = None,
        key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Any:
        """Submits a job and returns its result. ``timeout`` is how long to wait, not how long the job may take."""
        key, deadline = key_or_new(key), self._deadline(timeout)
        job = Job(self, self._do(self._plans.run(encode_job(type, data, options), key, deadline)))
        if not job.over:
            raise not_over(job, timeout)
        return outcome_of(job)

    def submit_batch(
        self, type: str, items: Iterable[Any], *, key: str | None = None, **options: Unpack[JobOptions]
    ) -> list[Job]:
        """Up to 1,000 jobs at once, all or none."""
        return self._submit_bodies([encode_job(type, item, options) for item in items], key_or_new(key))

    def _submit_bodies(self, bodies: list[bytes], key: str) -> list[Job]:
        return [Job(self, fields) for fields in self._do(self._plans.submit_batch(bodies, key))]

    def map(
        self,
        type: str,
        items: Iterable[Any],
        *,
        chunk: int = 500,
        key: str | None = None,
        return_exceptions: bool = False,
        progress: bool | None = None,
        **options: Unpack[JobOptions],
    ) -> Iterator[Any]:
        """The results of one job for each item, in order. See ``mapping``."""
        from .mapping import mapped

        return mapped(
            self, type, items, options,
            chunk=chunk, key=key, return_exceptions=return_exceptions, progress=progress,
        )  # fmt: skip

    def job(self, id: str) -> Job:
        """The job with this id. Raises NotFound."""
        return Job(self, self._do(self._plans.job(id)))

    def jobs(self, **filters: Any) -> Iterator[Job]:
        """Jobs, newest first; ``state``, ``type``, ``requires``, ``worker`` and ``q`` (text) filter."""
        return (Job(self, fields) for fields in self._items("jobs", filters))

    def batch(self, id: str) -> Batch:
        """The batch with this id: ``job.batch`` of each of its jobs. Raises NotFound."""
        return Batch(self, self._do(together.batch(self._plans, id)))

    def wait(self, jobs: Iterable[Job], timeout: float | None = None, *, any: bool = False) -> Waited[Job]:
        """Waits until all jobs are over, or with ``any`` the first one is; returns ``done`` and ``not_done``.

        One request waits for up to 1,000 jobs, and ``any`` takes no more. Raises ValueError.
        """
        return self._do(together.waited(self._plans, list(jobs), self._deadline(timeout), first=any))

    def events(self, *, after: str | None = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """What changes from now on, or behind the change ``after``, as it happens; it has no end.

        ``job``, ``type``, ``state`` and ``worker`` filter. ``event`` names what is wanted, if it is not changes of jobs
        alone: ``["job", "workers.missed", "workers.complete"]``, or some of these. Raises ChangesMissed.
        """
        while True:
            page = self._do(together.changes(self._plans, filters, after))
            yield from together.items_of(page)
            after = page["after"]

    def act(
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
        """One order for all jobs that match, or for up to 1,000 ``ids``; returns the operation when it has ended.

        ``action``: ``cancel``, ``retry``, ``delete`` or ``set_priority``; ``wanted``: the filters of ``jobs``. With
        ``dry_run`` the jobs are only counted (``matched``); with ``expect`` nothing is done if another number matches.
        """
        order = {
            "filter": wanted, "ids": ids, "priority": priority, "reason": reason, "expect": expect,
            "dry_run": dry_run, "free_key": free_key,
        }  # fmt: skip
        return self._do(self._plans.acted_on_jobs(action, order))

    # -- the server

    def workers(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """The workers; ``name``, ``type``, ``label`` and ``state`` filter."""
        return self._items("workers", filters)

    def types(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """The types; ``q`` is the beginning of a name."""
        return self._items("types", filters)

    def stats(self, *, type: str | None = None, window: str | None = None) -> dict[str, Any]:
        """What the server counts; with a type or a window (``1m`` to ``30d``) also how jobs ``ended`` in it."""
        return self._do(self._plans.stats(type, window))

    # -- how it works

    def _items(self, name: str, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._do(self._plans.page(name, filters, cursor))
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return

    def _deadline(self, timeout: float | None) -> float | None:
        return None if timeout is None else self._plans.clock() + timeout

    def _do(self, steps: Steps[T], job: JobFacts | None = None) -> T:
        """Runs a plan. An error that it raises carries the job."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Delay):
                    self._sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = self._connections.send(step.call, step.timeout_s)
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
