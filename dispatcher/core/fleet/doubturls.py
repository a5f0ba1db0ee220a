"""Where people look whether a job in doubt was done, by its type: as the pages here have said it.

It is not stored: pages say it again when they register, and a server that has begun anew knows it from then on.
"""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.core.fleet.worker import Worker

__all__ = ["MOST_DOUBT_URLS", "DoubtUrls"]

#: Types of which the last address is known although its page has gone.
MOST_DOUBT_URLS = 1_000


class DoubtUrls:
    """``workers``: those of this node, by id."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        #: Type -> the address that a page has said last; the one that was said longest ago comes first.
        self._last: dict[str, str] = {}

    def heard(self, worker: Worker) -> None:
        """Its page has registered."""
        for name, url in worker.doubt_urls.items():
            if name in worker.types:
                self._last.pop(name, None)
                self._last[name] = url
                if len(self._last) > MOST_DOUBT_URLS:
                    del self._last[next(iter(self._last))]

    def of(self, type_name: str, worker_id: str | None) -> str | None:
        """What the page says that has had the job, if it is here; else what any page has said last. None: nothing."""
        worker = self._workers.get(worker_id or "")
        own = None if worker is None else worker.doubt_urls.get(type_name)
        return own or self._last.get(type_name)
