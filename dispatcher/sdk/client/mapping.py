"""``Client.map``: one job for each item, in batches with a key each, results in order, memory bounded.

At most two chunks of jobs are open or wait to be fetched. With a key of the caller's a program that was killed can be
run again: the same key, items and chunk give the same jobs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any

from .encoding import encode_job
from .plans import key_or_new
from .progress import Bar
from .watch import Watcher

if TYPE_CHECKING:
    from .client import Client
    from .futures import JobFuture

__all__ = ["MOST_BYTES", "bar_of", "batches", "check_chunk", "mapped"]

#: A batch may have 1 MiB, and needs a little for itself.
MOST_BYTES = 1_000_000
_MOST_CHUNK = 1_000
_CONNECTIONS = 8


def mapped(
    client: Client,
    job_type: str,
    items: Iterable[Any],
    options: Mapping[str, Any],
    *,
    chunk: int,
    key: str | None,
    return_exceptions: bool,
    progress: bool | None,
) -> Iterator[Any]:
    """The results, in order. Raises ValueError at once; an error of a job comes in its place."""
    check_chunk(chunk)
    bodies = (encode_job(job_type, item, options) for item in items)
    futures = _futures(client, batches(bodies, chunk), key_or_new(key), 2 * chunk)
    return _results(futures, bar_of(items, progress), return_exceptions)


def bar_of(items: Iterable[Any], progress: bool | None) -> Bar:
    """A bar for so many items, if they can be counted."""
    return Bar(len(items) if isinstance(items, Sized) else None, wanted=progress)


def check_chunk(chunk: int) -> None:
    """Raises ValueError."""
    if not 1 <= chunk <= _MOST_CHUNK:
        raise ValueError(f"chunk is 1 to {_MOST_CHUNK} jobs, not {chunk}")


def batches(bodies: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    """Cut by number and by size; the same bodies are always cut in the same places."""
    batch: list[bytes] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == most or size + len(body) + 1 > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body) + 1
    if batch:
        yield batch


def _futures(client: Client, cut: Iterable[list[bytes]], key: str, window: int) -> Iterator[JobFuture]:
    """Futures in order; no more than ``window`` jobs are ahead of the one that is taken."""
    from .futures import JobFuture

    watcher = Watcher(lambda job_id, wait_s: client._do(client._plans.job(job_id, wait_s=wait_s)), _CONNECTIONS)
    ahead: deque[JobFuture] = deque()
    try:
        for number, bodies in enumerate(cut):
            while len(ahead) + len(bodies) > window:
                yield ahead.popleft()
            for job in client._submit_bodies(bodies, f"{key}-{number}"):
                ahead.append(JobFuture())
                ahead[-1].job = job
                watcher.watch(job.id, lambda news, future=ahead[-1]: future.settle(client, news))  # type: ignore[misc]
        while ahead:
            yield ahead.popleft()
    finally:
        watcher.close()


def _results(futures: Iterator[JobFuture], bar: Bar, return_exceptions: bool) -> Iterator[Any]:
    with bar:
        try:
            for future in futures:
                error = future.exception()
                if error is not None and not return_exceptions:
                    raise error
                bar.step()
                yield future.result() if error is None else error
        finally:
            futures.close()  # type: ignore[attr-defined] # a generator
